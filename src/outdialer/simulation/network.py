"""The far end of a simulated world: phones and the way to them, which outlive the engines that call.

It keeps what SIP promises and no more. Requests and final answers are repeated until they get through, so that a
lost datagram is a delay; what a dead engine would have repeated stays lost; an answer is repeated until it is
acknowledged and given up after 64 times T1 (RFC 3261 section 13.3.1.4); a phone that nobody cancels rings until
Expires; and people hang up soon when they hear nothing.
"""

import random
from collections.abc import Callable
from enum import StrEnum
from functools import partial

from msgspec import Struct

from outdialer.carriers.simulator.behaviours import Behaviour, Mix, behaviour_for
from outdialer.domain.units import MICROSECONDS_PER_MS, Id, Instant, Milliseconds
from outdialer.simulation.loop import Timeline
from outdialer.simulation.seeds import Mixture
from outdialer.simulation.trace import Trace

T1_MS = 500
T2_MS = 4_000
TRANSACTION_MS = 64 * T1_MS
LONGEST_DELAY_MS = 8_000
"""However much is lost, something repeated gets through by then."""
SILENCE_MS = 25_000
"""How long people listen to nothing, at most."""
LATE_MS = 40_000
BUSY = 486
TERMINATED = 487
OVERLOADED = 503
"""The trunk's trouble and not the person's: it ends with all other troubles."""
UNKNOWN_CALL = 481


class Kind(StrEnum):
    """What comes back to the engine."""

    TRYING = "trying"
    RINGING = "ringing"
    ANSWER = "answer"
    """A 200 to the INVITE."""
    REFUSAL = "refusal"
    """A final answer from 300 on to the INVITE."""
    TO_CANCEL = "to-cancel"
    TO_BYE = "to-bye"
    BYE = "bye"


class Message(Struct, frozen=True):
    """A response, or a request of the far end's own."""

    call_id: str
    kind: Kind
    code: int = 0
    retry_after_s: int = 0


class Deafness(StrEnum):
    """How a new life fails to end a call of an earlier one."""

    UNHEARD = "unheard"
    """Nothing that it sends for this call arrives."""
    UNANSWERED = "unanswered"
    """What it sends arrives; no reply comes back."""


class State(StrEnum):
    """Where a phone stands with one call."""

    UNDERWAY = "underway"
    RINGING = "ringing"
    ANSWERED = "answered"
    """Its 200 is not acknowledged."""
    UP = "up"
    OVER = "over"


class _Call(Struct, eq=False):
    call_id: str
    number: str
    life: int
    behaviour: Behaviour
    longest_ring_ms: Milliseconds
    state: State = State.UNDERWAY


class PhoneNetwork:
    """All phones, and the datagrams between them and the engine that lives."""

    def __init__(
        self, timeline: Timeline, trace: Trace, *, seed: int, mix: Mix, mixture: Mixture, chance: random.Random
    ) -> None:
        self._timeline = timeline
        self._trace = trace
        self._seed = seed
        self._mix = mix
        self._mixture = mixture
        self._chance = chance
        self._calls: dict[str, _Call] = {}
        self._rung: dict[str, int] = {}
        self._died: dict[int, Instant] = {}
        self._deaf: dict[tuple[int, str], Deafness | None] = {}
        """By life and call of an earlier life: what the way between the two has come to."""
        self._life = 0
        self._hear: Callable[[Message], None] | None = None
        self.calm = False
        """Whether datagrams are not lost or held up any more."""

    def connect(self, life: int, hear: Callable[[Message], None]) -> None:
        """A new life of the engine listens."""
        self._life, self._hear = life, hear

    def cut(self) -> None:
        """The engine is gone: nobody hears any more, and nothing of it is repeated. People hear silence."""
        self._died[self._life] = self._timeline.now
        self._hear = None
        for call in self._calls.values():
            if call.state == State.UP:
                self._hang_up_on_silence(call)

    def live_calls(self) -> int:
        """How many phones ring, or are in a call, or are about to ring."""
        return sum(call.state != State.OVER for call in self._calls.values())

    # What the engine sends

    def invite(self, call_id: str, attempt_id: Id, number: str, trunk: int, longest_ring_ms: Milliseconds) -> None:
        """An INVITE leaves."""
        self._trace.add("invite", call_id=call_id, attempt=attempt_id.hex(), number=number, trunk=trunk)
        rung = self._rung[number] = self._rung.get(number, 0) + 1
        behaviour = behaviour_for(number, rung, self._seed, self._mix)
        call = self._calls[call_id] = _Call(call_id, number, self._life, behaviour, longest_ring_ms)
        if self._happens(self._mixture.black_hole):
            self._over(call, "black hole")
        else:
            self._travel(partial(self._invited, call), partial(self._over, call, "lost"))

    def acknowledge(self, call_id: str) -> None:
        """An ACK leaves."""
        self._trace.add("ack", call_id=call_id)
        if self._deaf.get((self._life, call_id)) != Deafness.UNHEARD:
            self._travel(partial(self._acknowledged, call_id))

    def cancel(self, call_id: str, *, recovering: bool = False) -> None:
        """A CANCEL leaves."""
        self._request("cancel", call_id, self._cancelled, recovering=recovering)

    def bye(self, call_id: str, *, recovering: bool = False) -> None:
        """A BYE leaves."""
        self._request("bye", call_id, self._byed, recovering=recovering)

    def _request(self, name: str, call_id: str, arrived: Callable[[str, bool], None], *, recovering: bool) -> None:
        self._trace.add(name, call_id=call_id)
        if recovering and (self._life, call_id) not in self._deaf:
            deaf = self._happens(self._mixture.deaf)
            self._deaf[self._life, call_id] = self._chance.choice(tuple(Deafness)) if deaf else None
        deafness = self._deaf.get((self._life, call_id))
        if deafness != Deafness.UNHEARD:
            self._travel(partial(arrived, call_id, deafness == Deafness.UNANSWERED))

    def _travel(self, arrive: Callable[[], None], lost: Callable[[], None] | None = None) -> None:
        """From the engine to the phones; what had to be repeated is lost when the engine dies meanwhile."""
        repeated_ms, latency_ms, life = self._delay_ms(), self._latency_ms(), self._life
        last_sent = self._timeline.now + int(repeated_ms * MICROSECONDS_PER_MS)

        def land() -> None:
            if last_sent <= self._died.get(life, last_sent):
                arrive()
            elif lost is not None:
                lost()

        self._timeline.after(repeated_ms + latency_ms, land)

    def _delay_ms(self) -> float:
        delay, step = 0.0, T1_MS
        while self._happens(self._mixture.loss) and delay < LONGEST_DELAY_MS:
            delay, step = min(delay + step, LONGEST_DELAY_MS), min(2 * step, T2_MS)
        return delay

    def _latency_ms(self) -> float:
        return self._chance.randrange(1_000, 40_000) / 1_000

    def _happens(self, share: float) -> bool:
        return not self.calm and share > 0 and self._chance.random() < share

    # At the phones

    def _invited(self, call: _Call) -> None:
        behaviour = call.behaviour
        call.state = State.RINGING
        self._trace.add("far", call_id=call.call_id, number=call.number, state="has it")
        self._tell(call, Kind.TRYING)
        if behaviour.ring_after_ms is not None:
            self._timeline.after(behaviour.ring_after_ms, partial(self._ring, call))
        if behaviour.final_after_ms is not None and behaviour.final_after_ms < call.longest_ring_ms:
            self._timeline.after(behaviour.final_after_ms, partial(self._decide, call))
        self._timeline.after(call.longest_ring_ms, partial(self._refuse, call, TERMINATED, 0))

    def _ring(self, call: _Call) -> None:
        if call.state == State.RINGING:
            self._tell(call, Kind.RINGING)

    def _decide(self, call: _Call) -> None:
        behaviour = call.behaviour
        if behaviour.status == OVERLOADED and self.calm:
            self._refuse(call, BUSY, 0)
        elif not behaviour.answers:
            self._refuse(call, behaviour.status, behaviour.retry_after_s or 0)
        elif call.state == State.RINGING:
            call.state = State.ANSWERED
            self._trace.add("far", call_id=call.call_id, number=call.number, state="answers")
            self._answer(call, T1_MS)
            self._timeline.after(TRANSACTION_MS, partial(self._give_up, call))

    def _answer(self, call: _Call, step_ms: int) -> None:
        if call.state == State.ANSWERED:
            self._tell(call, Kind.ANSWER, 200)
            self._timeline.after(step_ms, partial(self._answer, call, min(2 * step_ms, T2_MS)))

    def _refuse(self, call: _Call, code: int, retry_after_s: int) -> None:
        if call.state == State.RINGING:
            self._over(call, f"refused with {code}")
            self._tell(call, Kind.REFUSAL, code, retry_after_s)

    def _give_up(self, call: _Call) -> None:
        if call.state == State.ANSWERED:
            self._hang_up(call, "no ACK")

    def _hang_up(self, call: _Call, why: str) -> None:
        if call.state in (State.ANSWERED, State.UP):
            self._over(call, why)
            self._tell(call, Kind.BYE)

    def _hang_up_on_silence(self, call: _Call) -> None:
        self._timeline.after(self._chance.randrange(500, SILENCE_MS), partial(self._hang_up, call, "silence"))

    def _over(self, call: _Call, why: str) -> None:
        call.state = State.OVER
        self._trace.add("far", call_id=call.call_id, number=call.number, state="over", why=why)

    def _acknowledged(self, call_id: str) -> None:
        call = self._calls[call_id]
        if call.state != State.ANSWERED:
            return
        call.state = State.UP
        if call.behaviour.hang_up_after_ms is not None:
            self._timeline.after(call.behaviour.hang_up_after_ms, partial(self._hang_up, call, "hangs up"))
        if self._hear is None or call.life != self._life:
            self._hang_up_on_silence(call)

    def _cancelled(self, call_id: str, deaf: bool) -> None:
        call = self._calls.get(call_id)
        known = call is not None and call.state != State.OVER
        if call is not None and call.state == State.RINGING:
            self._over(call, "cancelled")
            if not deaf:
                self._tell(call, Kind.REFUSAL, TERMINATED)
        elif not deaf:
            self._reply(call_id, Kind.TO_CANCEL, 200 if known else UNKNOWN_CALL)

    def _byed(self, call_id: str, deaf: bool) -> None:
        call = self._calls.get(call_id)
        known = call is not None and call.state in (State.ANSWERED, State.UP)
        if call is not None and known:
            self._over(call, "ended by us")
        if not deaf:
            self._reply(call_id, Kind.TO_BYE, 200 if known else UNKNOWN_CALL)

    # What comes back

    def _tell(self, call: _Call, kind: Kind, code: int = 0, retry_after_s: int = 0) -> None:
        message = Message(call.call_id, kind, code, retry_after_s)
        delay_ms = self._delay_ms() + self._latency_ms()
        if kind in (Kind.ANSWER, Kind.REFUSAL) and self._happens(self._mixture.late):
            delay_ms += self._chance.randrange(LATE_MS)
        repeats = kind in (Kind.REFUSAL, Kind.BYE)  # A 200 is repeated by the phone, not by the way.
        until = self._timeline.now + TRANSACTION_MS * MICROSECONDS_PER_MS if repeats else 0
        self._timeline.after(delay_ms, partial(self._deliver, message, until))

    def _reply(self, call_id: str, kind: Kind, code: int) -> None:
        arrive = partial(self._deliver, Message(call_id, kind, code), 0)
        self._timeline.after(self._delay_ms() + self._latency_ms(), arrive)

    def _deliver(self, message: Message, repeated_until: Instant) -> None:
        if self._hear is not None:
            self._trace.add("heard", call_id=message.call_id, what=message.kind, code=message.code)
            self._hear(message)
        elif self._timeline.now < repeated_until:
            self._timeline.after(T2_MS, partial(self._deliver, message, repeated_until))
