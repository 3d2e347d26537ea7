"""The worked examples of the pages about commands and the client run as they stand, in their order."""

import asyncio
import re
import shlex
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from outdialer.app import App
from outdialer.carriers.simulator.behaviours import MIXES, parse_rule
from outdialer.cli.main import main
from outdialer.config import Settings, TrunkSettings
from outdialer.phones.network import PhoneNetwork

DOCS = Path(__file__).parent.parent.parent / "docs"
DEFAULT_SERVER = "http://127.0.0.1:8080"


def blocks(page: str, kind: str) -> list[str]:
    """The fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A server whose calls are answered at once, and the folder and environment of somebody who tries the page."""
    quick = parse_rule("answer:ring_after_ms=none,final_after_ms=0")
    phones = PhoneNetwork(rules=(quick,), mix=MIXES["answer"], log_path=tmp_path / "phones.jsonl", audio=False)
    await phones.start()
    trunk = TrunkSettings(host="127.0.0.1", port=phones.address[1], rate_per_s=100, channels=20)
    app = await App.open(Settings(db=tmp_path / "books.db", http=("127.0.0.1", 0), trunk=trunk, sounds=tmp_path))
    try:
        await app.start()
        assert app.http_address is not None
        url = f"http://127.0.0.1:{app.http_address[1]}"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("OUTDIALER_SERVER", url)
        monkeypatch.setenv("OUTDIALER_KEY", await app.new_key("docs"))
        _greeting(tmp_path)
        yield url
    finally:
        await app.stop()
        await phones.stop()


def _greeting(folder: Path) -> None:
    with wave.open(str(folder / "greeting.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(3_200))


async def test_the_page_about_commands(server: str, tmp_path: Path) -> None:
    (people,) = blocks("cli.md", "csv")
    (tmp_path / "people.csv").write_text(people)
    printed = ""
    lines = [line for block in blocks("cli.md", "sh") for line in block.splitlines()]
    assert len(lines) >= 15
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "outdialer"
        result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        printed += result.output
    assert "people added: 2" in printed
    assert "done: success" in printed
    assert re.search(r"succeeded\W+2", printed)


async def test_the_page_about_the_client(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    programs = blocks("client.md", "python")
    assert len(programs) == 2
    for program in programs:
        source = compile(program.replace(DEFAULT_SERVER, server), "client.md", "exec")
        await asyncio.to_thread(exec, source, {})
    printed = capsys.readouterr().out
    assert "spring stop" in printed
    assert "CALL_NOT_FOUND" in printed
