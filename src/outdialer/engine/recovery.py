"""Clears up after an earlier life of the engine: ends what may still ring, and closes what nobody can know.

An attempt without an end is *unknown*: it may have been sent or not, answered or not. First the carrier tries to end
it at the far end, whose answer proves that nothing is left of it. Without such a proof it is waited for until
nothing can be left. Only then is it closed, as a fail that counts, and the person waits a full interval from there.
Meanwhile its channel stays taken and its number is not called.
"""

import asyncio
from collections.abc import Callable

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant, Milliseconds, after
from outdialer.engine.calls import CallDesk, LiveCall
from outdialer.ports.carrier import Peer, RememberedLeg
from outdialer.ports.clock import Clock
from outdialer.ports.store import Unresolved
from outdialer.telemetry import log

TRANSACTION_LIMIT_MS = 32_000
"""64 times T1: no INVITE lives longer without an answer (RFC 3261 section 17.1.1.2, Timer B)."""


def dead_by(attempt: Unresolved, max_ring_ms: Milliseconds, now: Instant) -> Instant:
    """The instant after which nothing of an unresolved attempt can be up at the far end.

    ``now`` is when this life began: what was sent or answered before it cannot last longer than that from here,
    wherever a machine's clock stood that has been set back since.
    """
    if attempt.status == AttemptStatus.PROGRESSING and attempt.answered_until is not None:
        longest = attempt.answered_until - (attempt.tm_progressing or attempt.answered_until)
        return min(attempt.answered_until, now + longest) if longest else attempt.answered_until
    return after(min(attempt.send_not_after, now), TRANSACTION_LIMIT_MS + max_ring_ms)


def remembered(attempt: Unresolved, peer: Peer) -> RememberedLeg:
    """What the carrier needs to end the leg of an unresolved attempt."""
    return RememberedLeg(
        leg=attempt.keys.leg,
        attempt_id=attempt.attempt_id,
        leg_number=attempt.leg_number,
        destination=attempt.destination,
        source=attempt.source,
        source_name=attempt.source_name,
        peer=peer,
        dialog=attempt.dialog,
    )


def as_live_call(attempt: Unresolved) -> LiveCall:
    """An unresolved attempt as the call desk keeps it until it is closed."""
    return LiveCall(
        attempt.keys,
        outplan=attempt.outplan,
        destinations=attempt.destinations,
        tries=attempt.tries,
        attempt_status=attempt.status,
        tm_ringing=attempt.tm_ringing,
        tm_progressing=attempt.tm_progressing,
    )


class Recovery:
    """The unresolved attempts and the timers that close them."""

    def __init__(self, clock: Clock, desk: CallDesk) -> None:
        self._clock = clock
        self._desk = desk
        self._timers: list[asyncio.TimerHandle] = []

    def start(
        self,
        attempts: list[Unresolved],
        peer: Callable[[int], Peer],
        recover: Callable[[list[RememberedLeg]], None],
    ) -> None:
        """Take charge of the attempts of earlier lives, and let the carrier try to end their legs."""
        if not attempts:
            return
        log("attempts_unresolved", count=len(attempts))
        legs = []
        for attempt in attempts:
            leg_peer = peer(attempt.keys.trunk)
            self._desk.add(as_live_call(attempt))
            self._wait_for(attempt.keys.leg, dead_by(attempt, leg_peer.max_ring_ms, self._clock.now()))
            legs.append(remembered(attempt, leg_peer))
        recover(legs)

    def stop(self) -> None:
        """Forget the timers; the attempts stay unresolved on the books."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _wait_for(self, leg: int, bound: Instant) -> None:
        delay_s = max(0, bound - self._clock.now()) / MICROSECONDS_PER_SECOND
        self._timers.append(asyncio.get_running_loop().call_later(delay_s, self._close, leg, bound))

    def _close(self, leg: int, bound: Instant) -> None:
        """Close the attempt, unless the wall clock says that its bound is still ahead: then wait on."""
        now = self._clock.now()
        if now < bound:
            self._wait_for(leg, bound)
        else:
            self._desk.close_unresolved(leg, now)
