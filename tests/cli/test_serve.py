"""What ``outdialer serve`` says when it starts."""

import asyncio
import socket
from pathlib import Path

import pytest

from outdialer.cli.exits import USAGE, Stop
from outdialer.cli.serve import ServeOptions, serve
from outdialer.config import Settings


def _options(folder: Path, port: int = 0) -> ServeOptions:
    settings = Settings(db=folder / "books.db", http=("127.0.0.1", port), key_file=folder / "books.key")
    return ServeOptions(settings=settings, grace_s=0)


async def test_a_second_start_says_where_the_key_is_and_keeps_it_to_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = asyncio.Event()
    stop.set()
    assert await serve(_options(tmp_path), stop=stop) == 0
    first = capsys.readouterr().out
    key = (tmp_path / "books.key").read_text().strip()
    assert f"access key, shown this once: {key}" in first
    assert "no --trunk" in first
    assert await serve(_options(tmp_path), stop=stop) == 0
    second = capsys.readouterr().out
    assert f"the first access key is kept in {tmp_path / 'books.key'}" in second
    assert key not in second


async def test_a_taken_port_is_named_with_the_option_for_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Stop, match=r"in use.*--http") as stopped:
        await serve(_options(tmp_path, taken.getsockname()[1]))
    assert stopped.value.exit_code == USAGE
