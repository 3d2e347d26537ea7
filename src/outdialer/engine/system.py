"""The machine's own clock and randomness: the only file that reads either."""

import logging
import os
import time
from collections.abc import Callable

from outdialer.domain.units import MICROSECONDS_PER_MS, Id, Instant
from outdialer.telemetry import log

_EVEN_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
SMALL_STEP_US = 1_000_000
"""A difference that is followed at once: what keeping the machine's clock right by network time amounts to."""


class SystemClock:
    """The wall clock, without its jumps.

    An interval that was promised must not shrink because somebody set the clock, so a jump of more than a second is
    not followed: time goes on evenly from where it was until the next start. Time asleep counts (CLOCK_BOOTTIME,
    where the system has it).
    """

    def __init__(
        self, wall: Callable[[], Instant] = lambda: time.time_ns() // 1_000, even: Callable[[], Instant] | None = None
    ) -> None:
        """``wall`` and ``even`` (time that only runs forward, from any start) are the machine's unless given."""
        self._wall = wall
        self._even = even or _even_time
        self._offset = self._wall() - self._even()
        self.jump = 0
        """Microseconds by which the machine's clock is ahead of this one, when it jumped; else 0."""

    def now(self) -> Instant:
        """Microseconds since the Unix epoch, UTC."""
        even = self._even()
        offset = self._wall() - even
        if abs(offset - self._offset) <= SMALL_STEP_US:
            self._offset, self.jump = offset, 0
        elif not self.jump:
            self.jump = offset - self._offset
            log("clock_jumped", logging.WARNING, seconds=self.jump / 1_000_000)
        return even + self._offset


def _even_time() -> Instant:
    return time.clock_gettime_ns(_EVEN_CLOCK) // 1_000


class SystemIds:
    """Random identifiers, drawn from the operating system in blocks."""

    def __init__(self) -> None:
        self._pool = b""
        self._used = 0

    def new(self, now: Instant) -> Id:
        """A UUID version 7 (RFC 9562 section 5.7)."""
        if self._used + 10 > len(self._pool):
            self._pool, self._used = os.urandom(4_000), 0
        random_part = self._pool[self._used : self._used + 10]
        self._used += 10
        return uuid7(now, random_part)


def uuid7(now: Instant, random_part: bytes) -> Id:
    """Sixteen bytes: 48 bits of ms, version 7, 12 random bits, the variant, 62 random bits (of ten bytes given)."""
    milliseconds = (now // MICROSECONDS_PER_MS) & 0xFFFF_FFFF_FFFF
    number = int.from_bytes(random_part, "big")
    high = (milliseconds << 16) | 0x7000 | (number >> 68)
    low = (0b10 << 62) | (number & 0x3FFF_FFFF_FFFF_FFFF)
    return ((high << 64) | low).to_bytes(16, "big")


def random_bytes(count: int) -> bytes:
    """Bytes for secrets and keys."""
    return os.urandom(count)


def chance() -> float:
    """A random number from 0 to 1, for delays that must not all be alike."""
    return int.from_bytes(os.urandom(2), "big") / 65_536
