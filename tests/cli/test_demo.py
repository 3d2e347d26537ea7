"""The demo, as a new user sees it, on a shorter list; and the command line's own manners."""

import asyncio
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from outdialer.cli.exits import DRAINED, STORE
from outdialer.cli.main import main

RUN = ["run", "LIST", "--trunk", "sip:127.0.0.1", "--from", "+12025550100", "--say", "x"]


@pytest.mark.slow
async def test_the_demo_calls_everybody_and_the_ledgers_agree(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        "name,destination_0,destination_1\n"
        + "".join(f"P{index},+1202555{index:04d},+1303555{index:04d}\n" for index in range(100, 130))
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outdialer.cli.main", "demo", "--people", str(people)),
        *("--folder", str(tmp_path / "results")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await process.communicate()
    text = printed.decode()
    assert process.returncode == 0, text + complaints.decode()
    assert "they agree" in text
    assert "Summary" in text
    names = {file.name for file in (tmp_path / "results").iterdir()}
    assert names == {"attempts.csv", "attempts.jsonl", "people.csv", "people.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--say", "x"], "--from"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--from", "+12025550100"], "--say"),
        (["run", "LIST", "--trunk", "127.0.0.1", "--from", "+12025550100", "--say", "x"], "sip:HOST:PORT"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1:99999", "--from", "+12025550100", "--say", "x"], "HOST:PORT"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--from", "12", "--say", "x"], "'12'"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--tries", "x"], "'x'"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--tries", "0"], "no destination"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--rtp-ports", "9-8"], "A-B"),
        (["run", "LIST", "--trunk", "sip:127.0.0.1", "--rate", "0"], "0"),
        (["run", "gone.csv", "--trunk", "sip:127.0.0.1"], "gone.csv"),
        ([*RUN, "--results", "gone/results.csv"], "gone/results.csv cannot be written"),
        ([*RUN, "--targets", "gone/targets.csv"], "gone/targets.csv cannot be written"),
        ([*RUN, "--yes", "2"], "the list has 1 people"),
        (["export", "LIST"], "--results"),
        (["serve", "--trunk", "sip:192.0.2.1"], "--live"),
        (["serve", "--trunk", "sip:192.0.2.1", "--live"], "--sip-bind"),
        (["demo", "--folder", "LIST/results"], "results cannot be made"),
        (["export", "LIST", "--results", "gone/results.csv"], "gone/results.csv cannot be written"),
    ],
)
def test_wrong_usage_names_what_is_wrong(tmp_path: Path, arguments: list[str], words: str) -> None:
    people = tmp_path / "people.csv"
    people.write_text("destination_0\n+12025550123\n")
    environment = {"XDG_DATA_HOME": str(tmp_path)}
    result = CliRunner().invoke(main, [word.replace("LIST", str(people)) for word in arguments], env=environment)
    assert result.exit_code == 2
    assert words in result.output


def test_ctrl_c_before_the_work_listens_is_no_difference_of_ledgers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("outdialer.cli.demo.demo", interrupted)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == DRAINED
    assert "interrupted" in result.output


def test_what_is_no_database_is_named_once(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("destination_0\n+12025550123\n" * 100)
    result = CliRunner().invoke(main, ["export", str(file), "--results", str(tmp_path / "results.csv")])
    assert result.exit_code == STORE
    assert result.output.count("people.csv") == 1


def test_help_names_the_exit_codes() -> None:
    result = CliRunner().invoke(main, ["run", "--help"])
    assert "the same command goes on" in " ".join(result.output.split())
