"""Time and randomness from outside.

Implemented by ``outdialer.engine.system.SystemClock`` and ``outdialer.engine.system.SystemIds``, the machine's own.
"""

from typing import Protocol

from outdialer.domain.units import Id, Instant


class Clock(Protocol):
    """Where wall-clock instants come from. Delays use the event loop's own time.

    It goes on evenly: an implementation does not follow a machine's clock that is set forward or back.
    """

    def now(self) -> Instant:
        """Microseconds since the Unix epoch, UTC."""


class Ids(Protocol):
    """Where new identifiers come from."""

    def new(self, now: Instant) -> Id:
        """A UUID version 7 (RFC 9562 section 5.7): its first 48 bits are ``now`` in ms, the rest is random."""
