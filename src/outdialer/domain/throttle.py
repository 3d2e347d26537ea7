"""How many requests a second one sender may make: the generic cell rate algorithm (ITU-T I.371, annex A).

``limits`` spaces calls with a burst of one; people and programs that ask come in bursts, and a burst is let through
as long as the average holds. All that is remembered of a sender is one instant: when it would have been done if it
had kept to its rate from the beginning.
"""

from msgspec import Struct

from outdialer.domain.limits import interval
from outdialer.domain.units import Instant


class Rate(Struct, frozen=True):
    """What one sender may do."""

    per_s: float = 0
    """Requests a second in the long run; 0: no limit."""
    burst: int = 1
    """Requests at once after a rest; at least 1."""


def admit(rate: Rate, done_at: Instant, now: Instant) -> tuple[Instant, int]:
    """Whether a request may pass: the new ``done_at`` of its sender, and the microseconds to wait (0: it passes).

    A request that must wait changes nothing.
    """
    step = interval(rate.per_s)
    ahead = max(done_at - now, 0)
    wait = ahead - (rate.burst - 1) * step
    return (done_at, wait) if wait > 0 else (now + ahead + step, 0)


def charge(rate: Rate, done_at: Instant, now: Instant, requests: int) -> Instant:
    """Count further requests of a sender without asking; it never owes more than one burst."""
    step = interval(rate.per_s)
    return min(max(done_at, now) + requests * step, now + 2 * rate.burst * step)
