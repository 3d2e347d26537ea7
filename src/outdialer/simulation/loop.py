"""Virtual time: the instants of a simulated world, and an event loop without input or output that lives in them.

A loop is one life of an engine. What outlives it (the phone network, the operators, the faults) stands on the
``Timeline``, whose time goes on while no engine runs. Where nothing is ready, time jumps to what comes next.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from itertools import count
from math import ceil
from typing import Any, TypeVar

from outdialer.domain.units import MICROSECONDS_PER_MS, MICROSECONDS_PER_SECOND, Instant

T = TypeVar("T")


class PowerCut(SystemExit):
    """Ends the running life at once, wherever it stands: asyncio lets nothing but this kind through."""


class WorldEnds(SystemExit):
    """The world has come to its end."""


class Deadlock(Exception):
    """Nothing is ready, and nothing will ever be."""


class Timeline:
    """Even time from 0 on, in microseconds, and what happens at which instant: in order of time, then of entry."""

    def __init__(self) -> None:
        self.now: Instant = 0
        self._events: list[tuple[Instant, int, Callable[[], None]]] = []
        self._sequence = count()

    def at(self, instant: Instant, action: Callable[[], None]) -> None:
        """Let ``action`` happen at ``instant``, or now if that is past."""
        heapq.heappush(self._events, (max(instant, self.now), next(self._sequence), action))

    def after(self, length_ms: float, action: Callable[[], None]) -> None:
        """Let ``action`` happen in ``length_ms``."""
        self.at(self.now + int(length_ms * MICROSECONDS_PER_MS), action)

    def advance(self, bound: Instant | None = None) -> None:
        """Go on to the next event and let it happen, or to ``bound`` if that comes first.

        Raises:
            Deadlock: there is neither.
        """
        if self._events and (bound is None or self._events[0][0] <= bound):
            self.now, _, action = heapq.heappop(self._events)
            action()
        elif bound is not None:
            self.now = max(self.now, bound)
        else:
            raise Deadlock(f"nothing is left to happen after {self.now} us")


class _Jump:
    """Where the base loop waits for input: here time passes instead."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def select(self, timeout: float | None) -> tuple[()]:
        """Let up to ``timeout`` seconds pass (None: until something happens), or until the world's next event."""
        if timeout is None:
            self._timeline.advance()
        elif timeout > 0:
            self._timeline.advance(self._timeline.now + max(1, ceil(timeout * MICROSECONDS_PER_SECOND)))
        return ()


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop on a timeline, without threads and sockets.

    What runs next depends on what was done before, and on nothing else.
    """

    _selector: _Jump

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline
        self._selector = _Jump(timeline)
        self.errors: list[str] = []
        """What nobody caught."""
        self.set_exception_handler(self._note_error)

    def time(self) -> float:
        """Seconds of even time."""
        return self._timeline.now / MICROSECONDS_PER_SECOND

    def _process_events(self, event_list: object) -> None:
        """There are no files that could have become ready."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def _note_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(f"{context.get('message')}: {context.get('exception')!r}")

    def discard(self) -> None:
        """Drop every task and timer of this life, as the end of a process does: nothing of it runs any more."""
        self.set_exception_handler(lambda _loop, _context: None)
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            assert isinstance(coroutine, Coroutine)
            coroutine.close()
        self.close()


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits.

    Raises:
        RuntimeError: it waited for something.
    """
    try:
        work.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    work.close()
    raise RuntimeError("it waited for something")
