"""The pacing wheel: one timer for every stream of the process, whatever their number.

A task or timer per call breaks down at a few hundred calls; one wheel of 20 slots of 1 ms holds a thousand and more.
"""

import asyncio
from typing import Protocol

from outdialer.media.rtp import FRAME_MS, SAMPLE_RATE

_SLOTS = FRAME_MS
_TICK_S = 0.001
_SAMPLES_PER_TICK = SAMPLE_RATE // 1000
_REVOLUTION_S = _SLOTS * _TICK_S
_LATE_S = 0.005
_STALL_S = 0.1
"""After a longer standstill (a suspended machine) the streams go on where they were instead of sending a burst."""


class Paced(Protocol):
    """Something that sends one frame per revolution."""

    def turn(self, clock: int) -> bool:
        """Send the frame of this revolution; False when it was the last. ``clock`` counts samples, 8 per ms."""


class Wheel:
    """Calls each member once per 20 ms, in its slot.

    A member added now has its first turn within one revolution. Without members the wheel sets no timer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._origin = loop.time()
        self._slots: list[dict[Paced, None]] = [{} for _ in range(_SLOTS)]
        self._next = 0
        """The tick whose slot is served next; ticks are ms since ``_origin``."""
        self._timer: asyncio.TimerHandle | None = None
        self._load = [0] * _SLOTS
        self.late = 0
        """Turns that came more than 5 ms after their slot."""

    @property
    def clock(self) -> int:
        """Samples since the start, 8 per ms."""
        return int((self._loop.time() - self._origin) / _TICK_S) * _SAMPLES_PER_TICK

    def reserve(self) -> int:
        """The least used slot, for a member that will come and go in it until ``vacate``."""
        slot = self._load.index(min(self._load))
        self._load[slot] += 1
        return slot

    def vacate(self, slot: int) -> None:
        """Give a reserved slot back."""
        self._load[slot] -= 1

    def add(self, slot: int, member: Paced) -> None:
        """Give ``member`` its turns from the slot's next time on."""
        self._slots[slot][member] = None
        now = int((self._loop.time() - self._origin) / _TICK_S)
        first = now + 1 + (slot - now - 1) % _SLOTS
        if self._timer is None or first < self._next:
            self._schedule(first)

    def remove(self, slot: int, member: Paced) -> None:
        """No more turns for ``member``; not being one is fine."""
        self._slots[slot].pop(member, None)

    def close(self) -> None:
        """Stop at once."""
        for slot in self._slots:
            slot.clear()
        self._schedule(None)

    def _schedule(self, tick: int | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if tick is not None:
            self._next = tick
            self._timer = self._loop.call_at(self._origin + tick * _TICK_S, self._turn)

    def _turn(self) -> None:
        now = self._loop.time()
        self._timer = None
        self._forgive(now)
        tick = self._next
        while self._origin + tick * _TICK_S <= now:
            self._serve(tick)
            tick += 1
        self._schedule(self._occupied(tick))

    def _forgive(self, now: float) -> None:
        """Move the origin after a standstill, by whole revolutions so that every stream keeps its slot."""
        lag = now - (self._origin + self._next * _TICK_S)
        if lag > _STALL_S:
            self.late += sum(map(len, self._slots))
            self._origin += int(lag / _REVOLUTION_S) * _REVOLUTION_S

    def _serve(self, tick: int) -> None:
        members = self._slots[tick % _SLOTS]
        if not members:
            return
        if self._loop.time() - (self._origin + tick * _TICK_S) > _LATE_S:
            self.late += len(members)
        clock = tick * _SAMPLES_PER_TICK
        for member in tuple(members):
            if member in members and not member.turn(clock):
                members.pop(member, None)

    def _occupied(self, tick: int) -> int | None:
        return next((later for later in range(tick, tick + _SLOTS) if self._slots[later % _SLOTS]), None)
