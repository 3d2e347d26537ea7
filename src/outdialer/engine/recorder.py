"""Writes what happened to live attempts: many calls share one commit, in the order things happened.

When the store cannot write, the changes are kept and tried again; nothing is dialled meanwhile, because the planner
cannot claim either.
"""

import asyncio
import logging
from collections.abc import Callable

from outdialer.engine.crash import reach
from outdialer.engine.lifecycle import Bell
from outdialer.ports.store import AttemptChange, DialerStore, StoreUnavailable
from outdialer.telemetry import Metrics, log

RETRY_S = 0.5
CHANGES_PER_COMMIT = 500


class Recorder:
    """A queue of changes for one customer and the task that empties it."""

    def __init__(self, store: DialerStore, customer: int, metrics: Metrics) -> None:
        self._store = store
        self._customer = customer
        self._metrics = metrics
        self._waiting: list[tuple[AttemptChange, Callable[[], None] | None]] = []
        self._bell = Bell()
        self._careful = False
        """Whether changes are written one by one, because the store refused some of them."""
        self._idle = asyncio.Event()
        self._idle.set()
        self.failing = ""
        """Why the store cannot write at the moment; "" when it can."""

    def put(self, change: AttemptChange, then: Callable[[], None] | None = None) -> None:
        """Write ``change`` with the next commit; ``then`` runs once it is durable."""
        self._waiting.append((change, then))
        self._idle.clear()
        self._bell.ring()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._bell.wait(None)
            while self._waiting:
                await self._write_some()
            self._careful = False
            self._idle.set()

    async def written(self) -> None:
        """Return when everything put so far is durable."""
        await self._idle.wait()

    async def _write_some(self) -> None:
        batch = self._waiting[: 1 if self._careful else CHANGES_PER_COMMIT]
        try:
            await self._store.record(self._customer, [change for change, _ in batch])
        except StoreUnavailable as error:
            await self._fail(error)
            return
        except Exception as error:
            self._refused(batch, error)
            return
        if self.failing:
            log("store_recovered")
            self.failing = ""
        del self._waiting[: len(batch)]
        reach("recorded")
        for _, then in batch:
            if then is not None:
                _run(then)

    def _refused(self, batch: list[tuple[AttemptChange, Callable[[], None] | None]], error: Exception) -> None:
        """A change that the store will never take must not keep the others from the books: find it, leave it out."""
        if len(batch) > 1:
            self._careful = True
            return
        log("task_failed", logging.ERROR, error, task=f"record attempt {batch[0][0].keys.attempt}")
        del self._waiting[0]

    async def _fail(self, error: StoreUnavailable) -> None:
        self._metrics.store_failures.inc()
        if not self.failing:
            log("store_unavailable", logging.ERROR, why=str(error))
        self.failing = str(error) or "the store cannot write"
        pause = Bell()
        await pause.wait(RETRY_S)


def _run(then: Callable[[], None]) -> None:
    """Whatever one call runs into, the changes of all others must still be written."""
    try:
        then()
    except Exception as error:
        log("task_failed", logging.ERROR, error, task="after a recorded change")
