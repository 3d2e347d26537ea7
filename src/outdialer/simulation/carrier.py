"""The engine's side of the simulated phone network: one life's calls, as the SIP carrier would hold them."""

import asyncio
import random
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from outdialer.domain.identity import leg_identity, verify_call_id
from outdialer.domain.numbers import person_key
from outdialer.ports.carrier import (
    Answered,
    CarrierEvent,
    DialOrder,
    Ended,
    EventSink,
    LateAnswer,
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
from outdialer.simulation.network import TRANSACTION_MS, UNKNOWN_CALL, Kind, Message, PhoneNetwork

MEDIA = RemoteMedia(address="127.0.0.1", port=9)


class Phase(StrEnum):
    """Where a leg stands, seen from here."""

    CALLING = "calling"
    EARLY = "early"
    HELD = "held"
    """To be cancelled as soon as the far end says that it has the INVITE (RFC 3261 section 9.1)."""
    CANCELLING = "cancelling"
    ANSWERED = "answered"
    UP = "up"
    ENDING = "ending"
    RECALLING = "recalling"
    CLEARING = "clearing"


_UNANSWERED = frozenset({Phase.CALLING, Phase.EARLY})
_GIVEN_UP = frozenset({Phase.HELD, Phase.CANCELLING})


class _Leg(Struct, eq=False):
    leg: int
    call_id: str
    phase: Phase
    why: str = ""
    local: bool = False
    sip_code: int = 0
    rings: bool = False
    timers: list[asyncio.TimerHandle] = []


class NetworkCarrier:
    """Implements ``ports.carrier.Carrier`` over a ``PhoneNetwork``."""

    def __init__(
        self,
        *,
        clock: Clock,
        secret: bytes,
        network: PhoneNetwork,
        life: int,
        unusable: Callable[[], bool],
    ) -> None:
        """``unusable``: whether an INVITE cannot be sent."""
        self._clock = clock
        self._secret = secret
        self._network = network
        self._life = life
        self._unusable = unusable
        self._legs: dict[int, _Leg] = {}
        self._by_call: dict[str, _Leg] = {}
        self._late: set[str] = set()
        self._loop: asyncio.AbstractEventLoop
        self._sink: EventSink

    async def start(self, sink: EventSink) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        self._sink = sink
        self._network.connect(self._life, self._hear)

    async def stop(self) -> None:
        """Nothing is held that outlives the loop."""

    def dial(self, order: DialOrder) -> None:
        """Send the INVITE."""
        now = self._clock.now()
        if now > order.send_not_after:
            self._soon(NotSent(order.leg, now, "deadline"))
            return
        if self._unusable():
            self._soon(NotSent(order.leg, now, "no route to the trunk"))
            return
        call_id = leg_identity(self._secret, order.attempt_id, order.leg_number).call_id
        leg = self._add(_Leg(order.leg, call_id, Phase.CALLING))
        number = person_key(order.destination)
        self._network.invite(call_id, order.attempt_id, number, order.peer.trunk, order.peer.max_ring_ms)
        self._soon(Sent(order.leg, now))
        self._after(leg, order.ring_limit_ms, lambda: self.hang_up(order.leg, "ring-limit"))
        self._after(leg, TRANSACTION_MS, lambda: self._silence(leg))

    def accept(self, leg: int) -> None:
        """Acknowledge an answer."""
        known = self._legs.get(leg)
        if known is not None and known.phase == Phase.ANSWERED:
            known.phase = Phase.UP
            self._network.acknowledge(known.call_id)

    def hang_up(self, leg: int, why: str) -> None:
        """CANCEL or BYE, when the far end can understand it."""
        known = self._legs.get(leg)
        if known is None or known.phase not in (*_UNANSWERED, Phase.ANSWERED, Phase.UP):
            return
        known.why, known.local = why, True
        if known.phase == Phase.CALLING:
            known.phase = Phase.HELD
        elif known.phase == Phase.EARLY:
            self._cancel(known)
        else:
            self._end_dialog(known, acknowledge=known.phase == Phase.ANSWERED)

    def recover(self, legs: list[RememberedLeg]) -> None:
        """CANCEL what may ring, BYE what was answered."""
        for remembered in legs:
            call_id = leg_identity(self._secret, remembered.attempt_id, remembered.leg_number).call_id
            phase = Phase.CLEARING if remembered.dialog else Phase.RECALLING
            leg = self._add(_Leg(remembered.leg, call_id, phase, why="recovered", local=True))
            if remembered.dialog:
                self._network.bye(call_id, recovering=True)
            else:
                self._network.cancel(call_id, recovering=True)
            self._after(leg, TRANSACTION_MS, lambda leg=leg: self._forget(leg))  # type: ignore[misc]

    async def probe(self, _peer: Peer) -> PeerHealth:
        """The network is there."""
        return PeerHealth(reachable=True, sip_code=200)

    def _add(self, leg: _Leg) -> _Leg:
        self._legs[leg.leg] = self._by_call[leg.call_id] = leg
        return leg

    def _hear(self, message: Message) -> None:
        """A message came in; what it means is thought about when the loop gets to it."""
        self._loop.call_soon(self._take, message)

    def _take(self, message: Message) -> None:
        leg = self._by_call.get(message.call_id)
        if leg is None:
            if message.kind == Kind.ANSWER:
                self._answered_late(message.call_id)
                self._network.bye(message.call_id)
        elif message.kind in (Kind.TRYING, Kind.RINGING):
            self._provisional(leg, message.kind)
        elif message.kind == Kind.ANSWER:
            self._answered(leg)
        elif message.kind == Kind.REFUSAL:
            self._refused(leg, message)
        elif message.kind == Kind.BYE:
            self._hung_up(leg)
        else:
            self._replied(leg, message)

    def _replied(self, leg: _Leg, message: Message) -> None:
        """To a BYE, or to the CANCEL of a call that an earlier life began."""
        over = message.kind == Kind.TO_BYE and leg.phase in (Phase.ENDING, Phase.CLEARING)
        if over or (leg.phase == Phase.RECALLING and message.code == UNKNOWN_CALL):
            self._end(leg)

    def _provisional(self, leg: _Leg, kind: Kind) -> None:
        if leg.phase == Phase.CALLING:
            leg.phase = Phase.EARLY
            self._sink(Trying(leg.leg, self._clock.now()))
        elif leg.phase == Phase.HELD:
            self._cancel(leg)
        if kind == Kind.RINGING and leg.phase == Phase.EARLY and not leg.rings:
            leg.rings = True
            self._soon(Ringing(leg.leg, self._clock.now()))

    def _answered(self, leg: _Leg) -> None:
        if leg.phase in _UNANSWERED:
            self._stop_timers(leg)
            leg.phase, leg.sip_code = Phase.ANSWERED, 200
            self._sink(Answered(leg.leg, self._clock.now(), MEDIA, leg.call_id.encode()))
        elif leg.phase in _GIVEN_UP:
            leg.sip_code = 200
            self._end_dialog(leg, acknowledge=True)
        elif leg.phase == Phase.RECALLING:
            self._answered_late(leg.call_id)
            leg.phase = Phase.CLEARING
            self._network.bye(leg.call_id, recovering=True)
        elif leg.phase != Phase.ANSWERED:
            self._network.acknowledge(leg.call_id)

    def _answered_late(self, call_id: str) -> None:
        owner = verify_call_id(self._secret, call_id)
        assert owner is not None
        self._network.acknowledge(call_id)
        if call_id not in self._late:
            self._late.add(call_id)
            self._soon(LateAnswer(owner.attempt_id, owner.leg_number, self._clock.now()))

    def _refused(self, leg: _Leg, message: Message) -> None:
        if leg.phase in (*_UNANSWERED, *_GIVEN_UP, Phase.RECALLING):
            leg.sip_code, leg.why = message.code, leg.why or "refused"
            self._end(leg, message.retry_after_s)

    def _hung_up(self, leg: _Leg) -> None:
        if leg.phase in (Phase.ANSWERED, Phase.UP):
            leg.why = "bye"
        if leg.phase not in (*_UNANSWERED, *_GIVEN_UP, Phase.RECALLING):
            self._end(leg)

    def _silence(self, leg: _Leg) -> None:
        """Timer B: nothing was heard at all."""
        if leg.phase in (Phase.CALLING, Phase.HELD):
            leg.why, leg.local = "no-response", True
            self._end(leg)

    def _cancel(self, leg: _Leg) -> None:
        leg.phase = Phase.CANCELLING
        self._network.cancel(leg.call_id)
        self._after(leg, TRANSACTION_MS, lambda: self._end(leg))

    def _end_dialog(self, leg: _Leg, *, acknowledge: bool) -> None:
        self._stop_timers(leg)
        if acknowledge:
            self._network.acknowledge(leg.call_id)
        leg.phase = Phase.ENDING
        self._network.bye(leg.call_id)
        self._after(leg, TRANSACTION_MS, lambda: self._end(leg))

    def _end(self, leg: _Leg, retry_after_s: int = 0) -> None:
        self._forget(leg)
        ended = Ended(
            leg=leg.leg,
            at=self._clock.now(),
            local=leg.local,
            sip_code=leg.sip_code,
            retry_after_s=retry_after_s,
            why=leg.why,
        )
        self._soon(ended)

    def _forget(self, leg: _Leg) -> None:
        self._stop_timers(leg)
        self._legs.pop(leg.leg, None)
        self._by_call.pop(leg.call_id, None)

    def _after(self, leg: _Leg, delay_ms: int, action: Callable[[], None]) -> None:
        leg.timers.append(self._loop.call_later(delay_ms / 1_000, action))

    def _stop_timers(self, leg: _Leg) -> None:
        for timer in leg.timers:
            timer.cancel()
        leg.timers.clear()

    def _soon(self, event: CarrierEvent) -> None:
        self._loop.call_soon(self._sink, event)


def coin(chance: random.Random, share: float) -> Callable[[], bool]:
    """Whether something happens that happens in this share of all cases."""
    return lambda: share > 0 and chance.random() < share
