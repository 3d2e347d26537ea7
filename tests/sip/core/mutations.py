"""Damaged messages through the parser and through a user agent with calls in every state, for as long as one likes.

Judged: nothing is raised; every packet that goes out can be parsed; what is held stays bounded while it lasts and is
nothing at all in the end; memory does not grow; no message costs more steps than its length allows. Steps are counted,
not timed: lines of the package executed, for one message in ``COUNTED``.
"""

import gc
import random
import sys
from collections import Counter
from types import FrameType
from typing import Any

from msgspec import Struct

from outdialer.carriers.sip.core import dialog, uri
from outdialer.carriers.sip.core.call_table import State
from outdialer.carriers.sip.core.message import Message, ParseError, parse
from outdialer.carriers.sip.core.outputs import Send
from outdialer.ports.carrier import Answered, Ended

from .corpus import CHALLENGE, conversations, damaged
from .ladder import PEER, SDP_ANSWER, STRANGER, Ladder, order, peer, remembered

CALLS = 20
"""Calls kept alive beside each other, two in each state a call can be in."""
ROUND = 250
"""Messages before the calls that ended are replaced."""
COUNTED = 200
STEPS = 25_000
STEPS_PER_BYTE = 20
MOST_HELD = 1_000
"""Calls, legs, transactions, stored responses and timers together."""
PACKAGE = "outdialer/carriers/sip/core"
STATES = [state for state in State if state is not State.OVER]


class Report(Struct, frozen=True, kw_only=True):
    """What a run saw."""

    messages: int
    parsed: int
    sent: int
    calls: int
    ended: int
    states: dict[str, int]
    """How often a damaged message met a call in this state."""
    most_steps_per_byte: float
    most_held: int
    blocks: list[int]
    """Memory blocks in use after each tenth of the run, at rest."""


class Storm:
    """One user agent in a storm of damaged messages."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._corpus = conversations()
        self._own: list[bytes] = []
        self._counts = Counter[str]()
        self._states = Counter[str]()
        self._most_steps, self._most_held = 0.0, 0
        self._blocks: list[int] = []
        self._last_leg = 0
        self.line = Talkative()

    def run(self, messages: int) -> Report:
        """So many messages; raises AssertionError, or whatever the core raised."""
        tenth = max(1, messages // 10)
        for number in range(messages):
            if number % ROUND == 0:
                self._renew()
            if number % tenth == 0:
                self._rest()
                self._renew()
            self._one(number)
        self._rest()
        return Report(
            messages=messages, parsed=self._counts["parsed"], sent=self.line.packets, calls=self._last_leg,
            ended=self.line.ended, states=dict(self._states), most_steps_per_byte=self._most_steps,
            most_held=self._most_held, blocks=self._blocks,
        )  # fmt: skip

    def _one(self, number: int) -> None:
        chance = self._chance
        source = chance.choice((self._corpus, self._own, self._own))
        data = damaged(chance, chance.choice(source))
        where = PEER if chance.random() < 0.9 else STRANGER
        if number % COUNTED == 0 or len(data) > 8_000:
            steps = count_steps(self.line, data, where)
            assert steps <= STEPS + STEPS_PER_BYTE * len(data), f"{steps} steps for {len(data)} bytes: {data[:200]!r}"
            self._most_steps = max(self._most_steps, steps / (len(data) + 1))
        else:
            self.line.hear(data, where)
        try:
            parse(data)
            self._counts["parsed"] += 1
        except ParseError:
            pass
        held = sum(self.line.agent.leftovers().values()) if number % 50 == 0 else 0
        self._most_held = max(self._most_held, held)
        assert held <= MOST_HELD, self.line.agent.leftovers()
        if chance.random() < 0.02:
            self.line.wait(chance.choice((0.1, 0.6, 4.0, 33.0)))
        if chance.random() < 0.02:
            self._order(chance.choice(("accept", "hang up", "unreachable")))

    def _order(self, what: str) -> None:
        """The near side does something to one of the calls, too."""
        agent, legs = self.line.agent, self.line.agent.open_legs()
        if legs:
            leg = self._chance.choice(legs)
            orders = {"accept": agent.accept, "unreachable": agent.unreachable}
            if what in orders:
                orders[what](self.line.now, leg)
            else:
                agent.hang_up(self.line.now, leg, "operator")
            self.line.collect()

    def _renew(self) -> None:
        """Calls in every state again, and what may be said to them."""
        for leg in self.line.agent.open_legs():
            self.line.agent.hang_up(self.line.now, leg, "operator")
        self.line.wait(200)
        self._own = []
        for number in range(CALLS):
            self._last_leg += 1
            self._own += self.line.bring_up(self._last_leg, STATES[number % len(STATES)])
        self._states.update(self.line.states())

    def _rest(self) -> None:
        """All calls end; then nothing is held."""
        for leg in self.line.agent.open_legs():
            self.line.agent.hang_up(self.line.now, leg, "operator")
        self.line.wait(200)
        for leg in self.line.agent.open_legs():  # Answered meanwhile.
            self.line.agent.hang_up(self.line.now, leg, "operator")
        self.line.wait(200)
        self.line.nothing_left(0)
        self._own = []
        uri._parse_uri.cache_clear()
        dialog.is_numeric.cache_clear()
        gc.collect()
        self._blocks.append(sys.getallocatedblocks())


class Talkative(Ladder):
    """A ladder that keeps counts, not messages, and holds calls in a wanted state."""

    def __init__(self) -> None:
        super().__init__()
        self.packets = self.ended = 0
        self._wanted: dict[int, State] = {}

    def collect(self) -> None:
        for output in self.agent.take_outputs():
            if isinstance(output, Send):
                self._check(output.data)
            elif isinstance(output, Ended):
                self.ended += 1
            elif isinstance(output, Answered) and self._wanted.get(output.leg) is State.UP:
                self.agent.accept(self.now, output.leg)

    def _check(self, data: bytes) -> None:
        """What we send is well formed; an answer to a message at a limit may be a little over it."""
        self.packets += 1
        try:
            parse(data)
        except ParseError as error:
            if str(error) not in ("too many headers", "header too long", "too long"):
                raise

    def bring_up(self, leg: int, state: State) -> list[bytes]:
        """A new call in this state; what a far end may still say to it."""
        self._wanted = {leg: state}
        attempt, other = leg.to_bytes(16, "big"), Saying(self.now)
        invite = other.dialled(leg)
        if state in (State.RECALLING, State.LATE, State.CLEARING):
            stored = other.stored_dialog(invite) if state is State.CLEARING else b""
            self.agent.adopt(self.now, remembered(leg=leg, attempt_id=attempt, dialog=stored), PEER)
            self._late(other.said(invite, 200) if state is State.LATE else b"")
        else:
            self.agent.invite(self.now, order(leg=leg, attempt_id=attempt, peer=peer(username="u")), PEER, "pw")
            self._advance(leg, state, other, invite)
        self.collect()
        return other.everything(invite)

    def _late(self, answer: bytes) -> None:
        self.collect()
        if answer:
            self.hear(answer)

    def _advance(self, leg: int, state: State, other: "Saying", invite: Message) -> None:
        early = state not in (State.CALLING, State.HELD)
        answered = state in (State.ANSWERED, State.UP, State.ENDING)
        for data in [other.said(invite, 180)] * early + [other.said(invite, 200)] * answered:
            self.hear(data)
        if state in (State.UP, State.ENDING):
            self.agent.accept(self.now, leg)
        if state in (State.HELD, State.CANCELLING, State.ENDING):
            self.agent.hang_up(self.now, leg, "operator")

    def states(self) -> Counter[str]:
        return Counter(str(call.state) for call in self.agent._calls.values())


class Saying(Ladder):
    """Writes what a far end says to one call, without saying it to anybody."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now
        self._said: list[bytes] = []

    def hear(self, data: bytes, source: tuple[str, int] = PEER) -> None:
        self._said.append(data)

    def dialled(self, leg: int) -> Message:
        return self.dial("pw", leg=leg, attempt_id=leg.to_bytes(16, "big"), peer=peer(username="u"))

    def said(self, invite: Message, status: int) -> bytes:
        self.reply(invite, status, sdp=SDP_ANSWER)
        return self._said.pop()

    def stored_dialog(self, invite: Message) -> bytes:
        return dialog.dump(dialog.dialog_from(parse(self.said(invite, 200)), PEER, invite.uri))

    def everything(self, invite: Message) -> list[bytes]:
        routed = ["Record-Route: <sip:127.0.0.3;lr>, <sip:127.0.0.2:5062>"]
        for status in (100, 180, 183, 200, 486, 487, 503):
            self.reply(invite, status, sdp=SDP_ANSWER, headers=routed if status == 200 else [])
        self.reply(invite, 401, headers=[CHALLENGE])
        self.reply(invite, 200, tag="fork", sdp=SDP_ANSWER)
        for number, method in enumerate(("INVITE", "ACK", "UPDATE", "INFO", "OPTIONS", "BYE"), 1):
            self.ask(method, invite, sequence=number, sdp=SDP_ANSWER)
        cancel = parse(self._said[0])
        cancel.method = "CANCEL"
        self.reply(cancel, 200)
        self.reply(cancel, 481)
        return self._said


def count_steps(line: Ladder, data: bytes, source: tuple[str, int]) -> int:
    """How many lines of the core run for one message."""
    steps = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal steps
        if PACKAGE not in frame.f_code.co_filename:
            return None
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        line.agent.receive(line.now, data, source)
    finally:
        sys.settrace(before)
    line.collect()
    return steps


def storm(seed: int, messages: int) -> Report:
    """A whole run: AssertionError says what was wrong."""
    report = Storm(seed).run(messages)
    grown = report.blocks[-1] - report.blocks[1]
    assert grown < 2_000, f"{grown} memory blocks more at the end than after a tenth: {report.blocks}"
    assert set(report.states) >= {str(state) for state in STATES}, report.states
    return report
