"""Group commit: operations share a transaction, and one that fails hurts nobody else."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from outdialer.ports.store import StoreUnavailable
from outdialer.store.sqlite.connect import connect
from outdialer.store.sqlite.writer import IDLE_FOLD_ROWS, ROWS_PER_TRANSACTION, Writer


class Gate:
    """An operation that holds the writer until it is let go, so that others have to wait for it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.leave = threading.Event()

    def __call__(self, _database: sqlite3.Connection) -> None:
        self.entered.set()
        assert self.leave.wait(20)


def insert(n: int) -> Callable[[sqlite3.Connection], int]:
    def operation(database: sqlite3.Connection) -> int:
        database.execute("INSERT INTO rows (n, tx) VALUES (?, (SELECT count(*) FROM commits))", (n,))
        return n

    return operation


@pytest.fixture
async def database(tmp_path: Path) -> sqlite3.Connection:
    connection = connect(tmp_path / "w.db")
    connection.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, tx INTEGER)")
    connection.execute("CREATE TABLE commits (n INTEGER PRIMARY KEY)")
    return connection


@pytest.fixture
async def writer(database: sqlite3.Connection) -> AsyncIterator[Writer]:
    opened = Writer(database, inline=False)
    yield opened
    await opened.close()


async def stored(writer: Writer) -> list[int]:
    return await writer.run(lambda db: [row["n"] for row in db.execute("SELECT n FROM rows ORDER BY n")])


async def held(writer: Writer) -> tuple[Gate, "asyncio.Task[None]"]:
    gate = Gate()
    task = asyncio.create_task(writer.run(gate))
    await asyncio.to_thread(gate.entered.wait, 20)
    return gate, task


async def test_waiting_operations_share_a_commit(writer: Writer, database: sqlite3.Connection) -> None:
    commits: list[str] = []
    gate, held_task = await held(writer)
    waiting = [asyncio.create_task(writer.run(insert(n))) for n in range(50)]
    await asyncio.sleep(0)
    database.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
    gate.leave.set()
    assert await asyncio.gather(*waiting) == list(range(50))
    await held_task
    database.set_trace_callback(None)
    assert len(commits) == 2


async def test_one_that_fails_hurts_nobody_else(writer: Writer) -> None:
    gate, held_task = await held(writer)
    waiting = [asyncio.create_task(writer.run(insert(n))) for n in (1, 2, 2, 3)]
    await asyncio.sleep(0)
    gate.leave.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await held_task
    assert [result for result in results if not isinstance(result, BaseException)] == [1, 2, 3]
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert await stored(writer) == [1, 2, 3]
    assert writer.failure == ""


async def test_a_transaction_is_bounded(writer: Writer, database: sqlite3.Connection) -> None:
    commits: list[str] = []
    gate, held_task = await held(writer)
    waiting = [asyncio.create_task(writer.run(insert(n), rows=ROWS_PER_TRANSACTION // 2)) for n in range(6)]
    await asyncio.sleep(0)
    database.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
    gate.leave.set()
    await asyncio.gather(*waiting, held_task)
    database.set_trace_callback(None)
    assert len(commits) == 4


async def test_what_nobody_waits_for_is_written_and_told_all_the_same(writer: Writer) -> None:
    told = asyncio.Event()
    writer.notify = told.set
    gate, held_task = await held(writer)
    abandoned = asyncio.create_task(writer.run(insert(1)))
    await asyncio.sleep(0)
    abandoned.cancel()
    gate.leave.set()
    await held_task
    assert await stored(writer) == [1]
    await asyncio.wait_for(told.wait(), 20)


async def test_closing_writes_what_waits(database: sqlite3.Connection, tmp_path: Path) -> None:
    writer = Writer(database, inline=False)
    gate, held_task = await held(writer)
    waiting = [asyncio.create_task(writer.run(insert(n))) for n in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await writer.run(insert(9))
    gate.leave.set()
    await asyncio.gather(closing, held_task, *waiting)
    connection = sqlite3.connect(tmp_path / "w.db")
    assert connection.execute("SELECT count(*) FROM rows").fetchone() == (3,)
    connection.close()


async def test_the_log_is_folded_back_when_the_writer_is_idle(database: sqlite3.Connection, tmp_path: Path) -> None:
    def many(database: sqlite3.Connection) -> None:
        database.executemany("INSERT INTO rows (n) VALUES (?)", [(n,) for n in range(IDLE_FOLD_ROWS + 1)])

    writer = Writer(database, inline=True)
    await writer.run(many)
    copy = tmp_path / "copy.db"
    await asyncio.to_thread(shutil.copy, tmp_path / "w.db", copy)
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM rows").fetchone() == (IDLE_FOLD_ROWS + 1,)
    connection.close()
    await writer.close()


@pytest.mark.parametrize("inline", [True, False])
async def test_after_corruption_nothing_more_is_written(database: sqlite3.Connection, inline: bool) -> None:
    def corrupt(_database: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    writer = Writer(database, inline=inline)
    with pytest.raises(StoreUnavailable):
        await writer.run(corrupt)
    assert "malformed" in writer.failure
    with pytest.raises(StoreUnavailable, match="opened again"):
        await writer.run(insert(1))
    await writer.close()
