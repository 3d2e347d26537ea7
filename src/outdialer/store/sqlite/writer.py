"""The one place that writes: a thread that lets waiting operations share a transaction (group commit).

An fsync costs what a hundred rows cost, so operations that wait at the same time are run in one transaction and
acknowledged together, after its COMMIT and not before. An operation that fails must not hurt its neighbours: it is
rolled back to where it began. When the disk fails, the transaction is rolled back and its operations are run again,
each in its own, so that a large one that does not fit does not keep small ones out. Operations are functions of the
connection and must be safe to run again after a rollback.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from outdialer.ports.store import StoreUnavailable
from outdialer.store.sqlite.connect import is_lasting, is_storage_failure

T = TypeVar("T")

ROWS_PER_TRANSACTION = 500
"""Bound of a shared transaction, so that nobody waits long for a commit; one operation may be larger."""
IDLE_FOLD_ROWS = 5_000
"""Rows written since the last fold after which an idle writer folds the write-ahead log back."""
BUSY_FOLD_ROWS = 100_000
"""Rows after which even a busy writer does, which bounds the log's size."""


class _Job(Struct, eq=False):
    operation: Callable[[sqlite3.Connection], Any]
    rows: int
    wakes: bool
    future: "asyncio.Future[Any] | None"
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs operations in order on one connection, in a thread of its own, or inline on the caller's."""

    def __init__(self, connection: sqlite3.Connection, *, inline: bool) -> None:
        self._connection = connection
        self.notify: Callable[[], None] | None = None
        """Called on the event loop after commits of operations that wake."""
        self.listeners: list[Callable[[], None]] = []
        """Called on the event loop after every commit."""
        self._folded_at = 0
        self._waiting: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._broken = ""
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure = ""
        """Why the last transaction could not be written; "" when it could."""
        if not inline:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
            self._thread.start()

    async def run(self, operation: Callable[[sqlite3.Connection], T], *, rows: int = 1, wakes: bool = True) -> T:
        """Run ``operation`` in a transaction and return its result when that is durably on disk.

        Args:
            operation: changes the database; safe to run again after a rollback.
            rows: roughly how many rows it writes, to bound a shared transaction.
            wakes: whether ``notify`` is called when it is committed, even when nobody waits for it any more.

        Raises:
            StoreUnavailable: the disk is full, read-only or broken; nothing was changed.
        """
        if self._loop is None:
            return self._run_inline(operation, wakes=wakes)
        future: asyncio.Future[T] = self._loop.create_future()
        with self._wake:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            self._waiting.append(_Job(operation, rows, wakes, future))
            self._wake.notify()
        return await future

    def _run_inline(self, operation: Callable[[sqlite3.Connection], T], *, wakes: bool) -> T:
        if self._closing:
            raise StoreUnavailable("the store is closed")
        job = _Job(operation, 1, wakes, None)
        self._run_alone(job)
        self._fold_log(idle=True)
        if job.error is not None:
            raise job.error
        self._tell([job])
        result: T = job.result
        return result

    async def close(self) -> None:
        """Run what waits, fold the log back, and close the connection."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _work(self) -> None:
        while batch := self._next_batch():
            self._run_together(batch)
            self._acknowledge(batch)
            self._fold_log(idle=not self._waiting)

    def _next_batch(self) -> list[_Job]:
        """The operations of the next transaction, in order; empty when the writer is closed and nothing waits."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closing)
            batch: list[_Job] = []
            rows = 0
            while self._waiting and (not batch or rows + self._waiting[0].rows <= ROWS_PER_TRANSACTION):
                batch.append(self._waiting.popleft())
                rows += batch[-1].rows
            return batch

    def _run_together(self, batch: list[_Job]) -> None:
        if len(batch) == 1:
            self._run_alone(batch[0])
            return
        try:
            self._transact(batch)
        except Exception:
            for job in batch:
                self._run_alone(job)

    def _run_alone(self, job: _Job) -> None:
        try:
            self._transact([job])
        except Exception as error:
            job.error = self._explain(error)

    def _transact(self, jobs: list[_Job]) -> None:
        if self._broken:
            raise StoreUnavailable(self._broken)
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                _run_in_savepoint(connection, job)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.failure = ""

    def _explain(self, error: Exception) -> Exception:
        if not is_storage_failure(error):
            return error
        self.failure = str(error)
        if is_lasting(error):
            self._broken = f"{error}; nothing more is written until the store is opened again"
        unavailable = StoreUnavailable(self.failure)
        unavailable.__cause__ = error
        return unavailable

    def _acknowledge(self, batch: list[_Job]) -> None:
        assert self._loop is not None
        # A loop that is gone has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._resolve, batch)

    def _fold_log(self, *, idle: bool) -> None:
        """Copy the write-ahead log into the database, as far as readers allow, when it is due."""
        written = self._connection.total_changes - self._folded_at
        if written < (IDLE_FOLD_ROWS if idle else BUSY_FOLD_ROWS):
            return
        self._folded_at = self._connection.total_changes
        # A log that cannot be folded now stays valid; the next commit says what is wrong with the disk.
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _resolve(self, batch: list[_Job]) -> None:
        for job in batch:
            future = job.future
            if future is None or future.done():
                continue
            if job.error is not None:
                future.set_exception(job.error)
            else:
                future.set_result(job.result)
        self._tell(batch)

    def _tell(self, batch: list[_Job]) -> None:
        if self.notify is not None and any(job.wakes and job.error is None for job in batch):
            self.notify()
        for listener in self.listeners:
            listener()


def _run_in_savepoint(connection: sqlite3.Connection, job: _Job) -> None:
    """Run one operation of a transaction; an error of its own undoes it alone and is kept for its caller."""
    job.error = None
    connection.execute("SAVEPOINT operation")
    try:
        job.result = job.operation(connection)
    except Exception as error:
        if is_storage_failure(error) or not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO operation")
        job.error = error
    connection.execute("RELEASE operation")
