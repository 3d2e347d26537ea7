"""Timers as data: a heap with lazy deletion. Time is whatever the caller's ``now`` says, in seconds."""

import heapq
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

Fire: TypeAlias = Callable[[float], None]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SWEEP_S = 0.5
"""How much longer than promised something may be remembered, so that thousands are forgotten at once."""


class Timer:
    """One armed timer; ``fire`` is None once it fired or was stopped."""

    __slots__ = ("fire",)

    def __init__(self, fire: Fire) -> None:
        self.fire: Fire | None = fire


class Timers:
    """All timers of one user agent."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = 0
        self._stopped = 0

    def start(self, when: float, fire: Fire) -> Timer:
        """Call ``fire(now)`` at the first ``run`` at or after ``when``."""
        self._order += 1
        timer = Timer(fire)
        heapq.heappush(self._heap, (when, self._order, timer))
        return timer

    def stop(self, timer: Timer | None) -> None:
        """Disarm; what it would have called is let go at once."""
        if timer is None or timer.fire is None:
            return
        timer.fire = None
        self._stopped += 1
        if self._stopped > 1_000 and self._stopped * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].fire is not None]
            heapq.heapify(self._heap)
            self._stopped = 0

    def run(self, now: float) -> None:
        """Fire everything due, in order."""
        while (when := self.next_deadline()) is not None and when <= now:
            timer = heapq.heappop(self._heap)[2]
            fire, timer.fire = timer.fire, None
            if fire is not None:
                fire(now)

    def next_deadline(self) -> float | None:
        """When ``run`` has something to do next, or None."""
        while self._heap and self._heap[0][2].fire is None:
            heapq.heappop(self._heap)
            self._stopped -= 1
        return self._heap[0][0] if self._heap else None

    def __len__(self) -> int:
        """Armed timers."""
        return sum(entry[2].fire is not None for entry in self._heap)


class Remembered(Generic[Key, Value]):
    """Values that are kept for the same time each, and then forgotten: with one timer for all of them.

    A busy user agent holds tens of thousands. A timer for each is a handful of objects that the garbage collector
    walks again and again; here it has nothing to walk when keys and values are plain (text, bytes, ``gc=False``).
    """

    def __init__(self, timers: Timers, seconds: float, on_forgotten: Callable[[Value], None] = lambda _: None) -> None:
        """``on_forgotten`` hears of each value whose time is over, but not of those taken out by ``take``."""
        self._timers = timers
        self._seconds = seconds
        self._on_forgotten = on_forgotten
        self._values: dict[Key, Value] = {}
        self._order: deque[tuple[float, Key]] = deque()

    def put(self, now: float, key: Key, value: Value) -> None:
        """Keep ``value`` under a ``key`` that is new."""
        until = now + self._seconds
        if not self._order:
            self._timers.start(until, self._sweep)
        self._order.append((until, key))
        self._values[key] = value

    def get(self, key: Key) -> Value | None:
        """The value, or None."""
        return self._values.get(key)

    def take(self, key: Key) -> Value | None:
        """The value, which is kept no longer, or None."""
        return self._values.pop(key, None)

    def __len__(self) -> int:
        return len(self._values)

    def _sweep(self, now: float) -> None:
        order = self._order
        while order and order[0][0] <= now:
            value = self._values.pop(order.popleft()[1], None)
            if value is not None:
                self._on_forgotten(value)
        if order:
            self._timers.start(order[0][0] + SWEEP_S, self._sweep)
