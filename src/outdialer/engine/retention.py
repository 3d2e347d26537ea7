"""Removes old history in the background, so slowly that dialing does not notice.

A round walks the history from its beginning in steps of a few hundred rows, each a short transaction. After each step
it rests four times as long as the step took, its waiting for other writers included: it never takes more than a fifth
of the store, and less when the store is busy. While the store fails it touches nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator

from msgspec import Struct

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant
from outdialer.engine.lifecycle import Bell
from outdialer.ports.clock import Clock
from outdialer.ports.idempotency import KEPT_US
from outdialer.ports.retention import History, RetentionStore
from outdialer.ports.store import StoreUnavailable
from outdialer.telemetry import Metrics, log

DAY_US = 86_400 * MICROSECONDS_PER_SECOND
FIRST_REST_S = 60.0
"""After the start of the engine, which has more urgent things to do."""
REST_S = 900.0
"""Between two rounds."""
SHORTEST_REST_S = 0.02
"""Between two steps."""
REST_PER_STEP = 4
"""How many times as long as a step the rest after it is."""
FAILING_REST_S = 5.0


class Keep(Struct, frozen=True, kw_only=True):
    """How long history is kept, in whole days; 0 keeps it for ever."""

    events_days: int = 0
    """Of the outbox. Events are never kept longer than the attempts that they tell of."""
    attempts_days: int = 0
    """After the last change of the attempt's target."""

    @property
    def events_us(self) -> int:
        """How long events are kept at most; 0: for ever."""
        return DAY_US * min((days for days in (self.events_days, self.attempts_days) if days), default=0)

    def horizons(self, now: Instant) -> Iterator[tuple[History, Instant]]:
        """What is removed, in order, and the instant before which it is."""
        attempts = now - self.attempts_days * DAY_US if self.attempts_days else 0
        if self.events_us:
            yield History.EVENTS, now - self.events_us
        if attempts:
            for history in History:
                if history not in (History.EVENTS, History.REQUESTS):
                    yield history, attempts
        yield History.REQUESTS, now - KEPT_US


class Retention:
    """The task that forgets."""

    def __init__(
        self,
        store: RetentionStore,
        clock: Clock,
        metrics: Metrics,
        keep: Keep,
        *,
        first_rest_s: float = FIRST_REST_S,
        rest_s: float = REST_S,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._keep = keep
        self._first_rest_s = first_rest_s
        self._rest_s = rest_s
        self._bell = Bell()

    async def run(self, failing: Callable[[], bool]) -> None:
        """Remove what is old until cancelled; ``failing``: whether the store cannot write at the moment."""
        await self._bell.wait(self._first_rest_s)
        while True:
            await self._round(failing)
            await self._bell.wait(self._rest_s)

    async def _round(self, failing: Callable[[], bool]) -> None:
        removed: dict[str, int] = {}
        try:
            for history, before in self._keep.horizons(self._clock.now()):
                removed[history] = await self._remove(history, before, failing)
        except StoreUnavailable as error:
            self._metrics.store_failures.inc()
            log("store_unavailable", logging.ERROR, why=str(error))
        except Exception as error:
            log("task_failed", logging.ERROR, error, task="retention")
        if any(removed.values()):
            log("history_removed", removed=removed)

    async def _remove(self, history: History, before: Instant, failing: Callable[[], bool]) -> int:
        """Step through one kind of history; the rows removed."""
        loop = asyncio.get_running_loop()
        after: int | None = 0
        total = 0
        while after is not None:
            while failing():
                await self._bell.wait(FAILING_REST_S)
            started = loop.time()
            step = await self._store.prune(history, before, after)
            took = loop.time() - started
            self._metrics.history_removed.labels(history).inc(step.removed)
            total, after = total + step.removed, step.after
            await self._bell.wait(max(SHORTEST_REST_S, REST_PER_STEP * took))
        return total
