"""All timers of the phone network in one heap, so that a call costs no task and no loop handle."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any, TypeAlias

Action: TypeAlias = Callable[[Any], None]


class Timer:
    """One pending call of ``action(argument)``; ``cancel`` makes it a blank."""

    __slots__ = ("action", "argument", "timers")

    def __init__(self, timers: "Timers", action: Action, argument: object) -> None:
        self.timers, self.action, self.argument = timers, action, argument

    def cancel(self) -> None:
        """Never call it. Harmless when it was called or cancelled before."""
        if self.argument is not None:
            self.argument = None
            self.timers.blanks += 1


class Timers:
    """A heap of timers over a clock that counts seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.blanks = 0
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, action: Action, argument: object) -> Timer:
        """Call ``action(argument)`` at ``when`` seconds of the clock, in the order of their times."""
        timer = Timer(self, action, argument)
        self._count += 1
        heappush(self._heap, (when, self._count, timer))
        if self.blanks > 1_000 and self.blanks * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].argument is not None]
            heapify(self._heap)
            self.blanks = 0
        return timer

    def after(self, delay_ms: float, action: Action, argument: object) -> Timer:
        """Call ``action(argument)`` ``delay_ms`` milliseconds from now."""
        return self.at(self.now() + delay_ms / 1_000, action, argument)

    def next_due(self) -> float | None:
        """When the next timer is due, in seconds of the clock; None when there is none."""
        while self._heap and self._heap[0][2].argument is None:
            heappop(self._heap)
            self.blanks = max(0, self.blanks - 1)
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> None:
        """Call everything that is due by now."""
        now = self.now()
        while (due := self.next_due()) is not None and due <= now:
            timer = heappop(self._heap)[2]
            argument, timer.argument = timer.argument, None
            timer.action(argument)

    def clear(self) -> None:
        """Forget every timer."""
        self._heap.clear()
        self.blanks = 0
