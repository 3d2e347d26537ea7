"""The machine's own clock and randomness: the only file that reads either."""

import os
import time

from outdialer.domain.units import MICROSECONDS_PER_MS, Id, Instant


class SystemClock:
    """The wall clock."""

    def now(self) -> Instant:
        """Microseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000


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
