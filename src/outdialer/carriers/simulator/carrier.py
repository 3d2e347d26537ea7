"""Calls on a simulated phone network: the behaviours of the phones, no packets, one timer a step.

It is the far end for tests, forecasts and benchmarks: with the same seed it meets the same people as the real phone
network. It keeps a wire log of its own (every INVITE with its time), which is the second ledger of every test.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from outdialer.carriers.simulator.behaviours import MIXES, Behaviour, Mix, behaviour_for, scaled
from outdialer.domain.identity import leg_identity
from outdialer.domain.numbers import person_key
from outdialer.domain.units import Id, Instant, Milliseconds
from outdialer.ports.carrier import (
    Answered,
    DialOrder,
    Ended,
    EventSink,
    NotSent,
    Peer,
    PeerHealth,
    RememberedLeg,
    RemoteMedia,
    Ringing,
    Sent,
    Trying,
)
from outdialer.ports.clock import Clock

REQUEST_TERMINATED = 487
UNAUTHORIZED = 401


class WireInvite(Struct, frozen=True, kw_only=True):
    """One INVITE as the network saw it."""

    at: Instant
    call_id: str
    attempt_id: Id
    number: str
    trunk: int


class _Line(Struct):
    """One call in the network."""

    order: DialOrder
    behaviour: Behaviour
    answered: bool = False
    timers: list[asyncio.TimerHandle] = []


class SimulatorCarrier:
    """Implements ``ports.carrier.Carrier`` without a network."""

    def __init__(
        self,
        *,
        clock: Clock,
        secret: bytes,
        seed: int = 0,
        mix: Mix | None = None,
        time_percent: int = 100,
        silence_ms: Milliseconds = 32_000,
        on_invite: Callable[[WireInvite], None] | None = None,
    ) -> None:
        """``time_percent`` scales how long phones ring and talk; ``on_invite`` gets the wire log.

        ``silence_ms`` is how long the caller waits for a phone of which every datagram is lost (RFC 3261 section
        17.1.1.2, Timer B).
        """
        self._clock = clock
        self._secret = secret
        self._seed = seed
        self._mix = MIXES["town"] if mix is None else mix
        self._time_percent = time_percent
        self._silence_ms = silence_ms
        self._on_invite = on_invite
        self._tries: dict[str, int] = {}
        self._lines: dict[int, _Line] = {}
        self._loop: asyncio.AbstractEventLoop
        self._sink: EventSink

    async def start(self, sink: EventSink) -> None:
        """Begin to serve."""
        self._loop = asyncio.get_running_loop()
        self._sink = sink

    async def stop(self) -> None:
        """Forget every call."""
        for leg in list(self._lines):
            self._forget(leg)

    def live_legs(self) -> int:
        """How many calls the network has up."""
        return len(self._lines)

    def dial(self, order: DialOrder) -> None:
        """Ring the phone."""
        now = self._clock.now()
        if now > order.send_not_after:
            self._soon(NotSent(order.leg, now, "deadline"))
            return
        number = person_key(order.destination)
        tries = self._tries[number] = self._tries.get(number, 0) + 1
        behaviour = scaled(behaviour_for(number, tries, self._seed, self._mix), self._time_percent)
        if self._on_invite is not None:
            call_id = leg_identity(self._secret, order.attempt_id, order.leg_number).call_id
            self._on_invite(
                WireInvite(at=now, call_id=call_id, attempt_id=order.attempt_id, number=number, trunk=order.peer.trunk)
            )
        line = self._lines[order.leg] = _Line(order, behaviour)
        self._soon(Sent(order.leg, now))
        if behaviour.loss >= 1.0:
            self._after(line, self._silence_ms, self._silence, order.leg)
            return
        self._soon(Trying(order.leg, now))
        self._after(line, order.ring_limit_ms, self._ring_limit, order.leg)
        if behaviour.ring_after_ms is not None:
            self._after(line, behaviour.ring_after_ms, self._ring, order.leg)
        if behaviour.final_after_ms is not None:
            self._after(line, behaviour.final_after_ms, self._final, order.leg)

    def accept(self, leg: int) -> None:
        """The caller acknowledges: from now on the phone listens, and may hang up."""
        line = self._lines.get(leg)
        if line is not None and line.answered and line.behaviour.hang_up_after_ms is not None:
            self._after(line, line.behaviour.hang_up_after_ms, self._bye, leg)

    def hang_up(self, leg: int, why: str) -> None:
        """End a call; the phone confirms at once."""
        line = self._lines.get(leg)
        if line is not None:
            code = 200 if line.answered else REQUEST_TERMINATED
            self._end(leg, Ended(leg=leg, at=self._clock.now(), local=True, sip_code=code, why=why))

    def recover(self, legs: list[RememberedLeg]) -> None:
        """Calls of an earlier life died with it: the network knows none of them."""
        now = self._clock.now()
        for remembered in legs:
            self._soon(Ended(leg=remembered.leg, at=now, local=True, sip_code=481, why="recovered"))

    async def probe(self, _peer: Peer) -> PeerHealth:
        """The simulated network is always there."""
        return PeerHealth(reachable=True, sip_code=200)

    def _ring(self, leg: int) -> None:
        self._sink(Ringing(leg, self._clock.now()))

    def _final(self, leg: int) -> None:
        line = self._lines[leg]
        behaviour, now = line.behaviour, self._clock.now()
        if behaviour.status == 200 and not (behaviour.challenge and behaviour.challenge.endless):
            self._cancel_timers(line)
            line.answered = True
            self._sink(Answered(leg, now, RemoteMedia(address="127.0.0.1", port=9), b"simulated"))
            return
        code = UNAUTHORIZED if behaviour.status == 200 else behaviour.status
        retry = behaviour.retry_after_s or 0
        self._end(leg, Ended(leg=leg, at=now, local=False, sip_code=code, retry_after_s=retry, why="refused"))

    def _ring_limit(self, leg: int) -> None:
        now = self._clock.now()
        self._end(leg, Ended(leg=leg, at=now, local=True, sip_code=REQUEST_TERMINATED, why="ring-limit"))

    def _silence(self, leg: int) -> None:
        self._end(leg, Ended(leg=leg, at=self._clock.now(), local=True, why="no-response"))

    def _bye(self, leg: int) -> None:
        self._end(leg, Ended(leg=leg, at=self._clock.now(), local=False, sip_code=200, why="bye"))

    def _end(self, leg: int, event: Ended) -> None:
        self._forget(leg)
        self._soon(event)

    def _forget(self, leg: int) -> None:
        self._cancel_timers(self._lines.pop(leg))

    def _cancel_timers(self, line: _Line) -> None:
        for timer in line.timers:
            timer.cancel()
        line.timers.clear()

    def _after(self, line: _Line, delay_ms: int, action: Callable[[int], None], leg: int) -> None:
        line.timers.append(self._loop.call_later(delay_ms / 1_000, action, leg))

    def _soon(self, event: Sent | NotSent | Trying | Ended) -> None:
        """Events never arrive inside the order that causes them."""
        self._loop.call_soon(self._sink, event)
