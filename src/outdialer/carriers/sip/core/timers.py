"""Timers as data: a heap with lazy deletion. Time is whatever the caller's ``now`` says, in seconds."""

import heapq
from collections.abc import Callable
from typing import TypeAlias

Fire: TypeAlias = Callable[[float], None]


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
