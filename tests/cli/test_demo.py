"""The demo, as a new user sees it, on a shorter list; and the command line's own manners."""

import asyncio
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from outdialer.cli.main import main


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
    ],
)
def test_wrong_usage_names_what_is_wrong(tmp_path: Path, arguments: list[str], words: str) -> None:
    people = tmp_path / "people.csv"
    people.write_text("destination_0\n+12025550123\n")
    result = CliRunner().invoke(main, [str(people) if word == "LIST" else word for word in arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_help_names_the_exit_codes() -> None:
    result = CliRunner().invoke(main, ["run", "--help"])
    assert "the same command goes on" in " ".join(result.output.split())
