"""The import contracts cover every room, hold no exception, and are really broken by what they forbid."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src/outdialer"

BLIND = ("api", "console", "engine")
PURE = ("carriers/sip/core", "domain", "flow")
UNACQUAINTED = ("store/sqlite", "store/postgres", "carriers/sip", "carriers/simulator")

PLANTED = {
    "Imports go one way": ("domain/units.py", "import outdialer.ports.clock"),
    "The client knows the wire and nothing of the program behind it": (
        "client/exchange.py",
        "import outdialer.telemetry",
    ),
    "Decisions are pure: values come in, values go out": ("carriers/sip/core/timers.py", "import time"),
    "The engine and its doors know no store, no carrier and no media": (
        "engine/lifecycle.py",
        "import outdialer.store.sqlite",
    ),
    "The carriers do not know each other": ("carriers/simulator/behaviours.py", "import outdialer.carriers.sip"),
    "The far end does not share the dialer's mistakes": (
        "phones/message.py",
        "import outdialer.carriers.sip.core.message",
    ),
}


def contracts() -> list[dict[str, Any]]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    found: list[dict[str, Any]] = configuration["contracts"]
    return found


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"}
    command = [str(program), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def module(room: str) -> str:
    return "outdialer." + room.replace("/", ".")


def test_no_contract_has_an_exception() -> None:
    assert all("ignore_imports" not in contract for contract in contracts())


@pytest.mark.parametrize("room", [room for room in (*BLIND, *PURE) if (PACKAGE / room).is_dir()])
def test_every_room_that_must_be_blind_or_pure_is_in_its_contract(room: str) -> None:
    name = "Decisions are pure" if room in PURE else "The engine and its doors"
    (contract,) = (contract for contract in contracts() if contract["name"].startswith(name))
    assert module(room) in contract["source_modules"]


@pytest.mark.parametrize("family", ["store", "carriers"])
def test_two_of_a_kind_do_not_know_each_other(family: str) -> None:
    rooms = {module(room) for room in UNACQUAINTED if room.startswith(family) and (PACKAGE / room).is_dir()}
    independent = [set(contract["modules"]) for contract in contracts() if contract["type"] == "independence"]
    assert len(rooms) < 2 or rooms in independent


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_each_contract_is_broken_by_what_it_forbids(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert set(PLANTED) == {contract["name"] for contract in contracts()}
    for name, line in PLANTED.values():
        with (tmp_path / "src/outdialer" / name).open("a") as file:
            file.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    for contract in PLANTED:
        assert f"{contract} BROKEN" in done.stdout.replace("\n", " "), done.stdout
