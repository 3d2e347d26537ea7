"""The page of state machines is what the tables say."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from tools import state_diagrams


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    GONE = "gone"


class Push(StrEnum):
    PUSH = "a push: hard"
    FIRE = "fire"


def test_a_diagram_of_a_plain_table() -> None:
    table = {(Door.OPEN, Push.PUSH): Door.SHUT, (Door.SHUT, Push.FIRE): Door.GONE}
    assert list(state_diagrams.diagram(table, Door.OPEN)) == [
        "stateDiagram-v2",
        "    [*] --> open",
        "    open --> shut: a push, hard",
        "    shut --> gone: fire",
        "    gone --> [*]",
    ]


def test_a_diagram_of_a_table_with_actions() -> None:
    table = {(Door.OPEN, Push.PUSH): (Door.SHUT, ("bang", "click")), (Door.SHUT, Push.PUSH): (Door.OPEN, "creak")}
    assert list(state_diagrams.diagram(table, Door.OPEN))[2:] == [
        "    open --> shut: a push, hard / bang, click",
        "    shut --> open: a push, hard / creak",
    ]


def test_the_page_is_what_the_tables_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert state_diagrams.main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_page_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "state-machines.md"
    monkeypatch.setattr(state_diagrams, "ROOT", tmp_path)
    monkeypatch.setattr(state_diagrams, "PAGE", stale)
    assert state_diagrams.main(["--check"]) == 1
    stale.write_text(state_diagrams.page() + "by hand")
    assert state_diagrams.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().out
    assert state_diagrams.main([]) == 0
    assert state_diagrams.main(["--check"]) == 0


def test_every_table_of_the_code_is_on_the_page() -> None:
    """A module that defines a ``*TABLE`` of states is registered, or the page would miss a machine."""
    registered = {(machine.module, machine.table) for machine in state_diagrams.MACHINES}
    source = state_diagrams.ROOT / "src"
    for path in sorted(source.rglob("*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        for line in path.read_text().splitlines():
            name = line.split(":")[0]
            if name.isupper() and re.fullmatch(r"(\w+_)?TABLE", name) and "{" in line:
                assert (module, name) in registered
