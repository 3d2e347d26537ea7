"""Send slots: how a rate of calls a second becomes the instants at which calls may leave.

This is the generic cell rate algorithm with a burst of one (ITU-T I.371, annex A): a scope remembers its next free
slot; reserving one moves it on by one emission interval. A token bucket of 50 a second lets 54 calls out in its
worst second; slots do not.
"""

from math import ceil

from msgspec import Struct

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant

UNLIMITED = 0
"""As a rate or a number of channels: no limit."""
LONGEST_INTERVAL_US = 100 * 365 * 86_400 * MICROSECONDS_PER_SECOND
"""What a lower rate than one in a century comes to, so that each slot is an instant that can be stored."""


class Limit(Struct, kw_only=True):
    """One scope's reservations while a plan is made. The planner changes it; nothing else sees the object."""

    scope: str
    """``trunk:7``, ``campaign:12``: the key of its row."""
    rate_per_s: float = UNLIMITED
    """Calls a second, above 0; 0 is no limit."""
    channels: int = UNLIMITED
    """Calls up at the same time; 0 is no limit."""
    next_slot: Instant = 0
    in_use: int = 0

    def free_channels(self, unlimited: int) -> int:
        """Channels that are free, or ``unlimited`` where there is no limit; never below 0."""
        if self.channels == UNLIMITED:
            return unlimited
        return max(0, self.channels - self.in_use)

    def reserve(self, slot: Instant) -> None:
        """Take one channel and the send slot ``slot``, which must not lie before ``next_slot``."""
        self.in_use += 1
        self.next_slot = slot + interval(self.rate_per_s)


def interval(rate_per_s: float) -> int:
    """Microseconds between two send slots at a rate of calls a second, a century at most; 0 where there is no limit.

    Rounded up: at 3 a second, intervals of 333,333 us would let a fourth call into one second.
    """
    return ceil(min(MICROSECONDS_PER_SECOND / rate_per_s, LONGEST_INTERVAL_US)) if rate_per_s > 0 else 0


def earliest(now: Instant, *limits: Limit) -> Instant:
    """The first instant at which every one of the limits has a send slot."""
    slot = now
    for limit in limits:
        slot = max(slot, limit.next_slot)
    return slot
