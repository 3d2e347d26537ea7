"""kill -9 in the middle of claims: what was acknowledged is there, and everything agrees."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from outdialer.store.sqlite.check import check

KILLS = 10
ROOT = Path(__file__).parents[2]


async def lines_until_killed(path: Path, lines: int) -> list[str]:
    """Run the claimer, kill it once it has said ``lines`` lines, and return all it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.claimer", str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        while len(said) < lines:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            assert line, "the claimer ended by itself"
            said.append(line.decode())
    finally:
        process.kill()
        rest = await process.stdout.read()
        await process.wait()
    return said + rest.decode().splitlines()


@pytest.mark.slow
async def test_killed_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    claimed: set[int] = set()
    ended: set[int] = set()
    for kill in range(KILLS):
        for line in await lines_until_killed(path, 4 + 7 * kill):
            word, *keys = line.split()
            (claimed if word == "claimed" else ended).update(map(int, keys))
        assert check(path) == []
        connection = sqlite3.connect(path)
        status = dict(connection.execute("SELECT key, status FROM attempts"))
        connection.close()
        assert claimed <= set(status)
        assert {status[key] for key in ended} <= {"done"}
    assert len(claimed) > 200
    assert len(ended) > 100
