"""A bad network on virtual time: packets are lost, doubled and overtaken, clocks jump, and still every call ends, once.

The far end is written here from scratch, with plain text and none of the core, so that a misunderstanding of the
core is not shared by its judge.
"""

import heapq
import itertools
import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from outdialer.carriers.sip.core.outputs import Output, Probed, Send
from outdialer.carriers.sip.core.user_agent import UserAgent
from outdialer.ports.carrier import Answered, Ended, LateAnswer

from .ladder import LEG, LOCAL, PEER, SDP_ANSWER, SECRET, order, peer

HOUR = 3_600.0
KINDS = ["answers", "refuses", "challenges", "forks", "holds", "rings for ever", "says nothing"]
Steps = list[tuple[float, float]]
"""Clock steps: when, and how far forward, s."""

losses = st.sampled_from([0.0, 0.0, 0.1, 0.25, 0.6, 1.0])
doubles = st.sampled_from([0.0, 0.3])
delays = st.sampled_from([0.02, 0.3, 3.0, 40.0])
clock_steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.7, 4.9, 5.2, 20.0, 40.0]), st.sampled_from([0.3, 31.9, 33.0, HOUR, 30 * HOUR])
    ),
    max_size=3,
)


class World:
    """Virtual time, and a network that damages traffic."""

    def __init__(self, seed: int, loss: float, doubled: float, delay: float = 0.3) -> None:
        self.now = 0.0
        self.random = random.Random(seed)
        self.loss, self.doubled, self.delay = loss, doubled, delay
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, delay: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), work))

    def carry(self, deliver: Callable[[bytes], None], data: bytes) -> None:
        """Lose it, or deliver it after a while, perhaps twice: the later may be there first."""
        for _ in range(1 + (self.random.random() < self.doubled)):
            if self.random.random() >= self.loss:
                self.at(self.random.uniform(0, self.delay), lambda: deliver(data))

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, work = heapq.heappop(self._queue)
            work()
        self.now = until


class Phone:
    """A far end of a few lines: rings, then does what its kind says; repeats its 200 until the ACK."""

    def __init__(
        self, world: World, reply: Callable[[bytes], None], kind: str, answer_after: float, talk: float
    ) -> None:
        self.world, self._reply, self._kind = world, reply, kind
        self._answer_after, self._talk = answer_after, talk
        self.up: set[str] = set()
        """Tags of the dialogs that are up."""
        self.authorized = False
        self._ringing = False
        self._invite: dict[str, str] = {}
        self._confirmed: set[str] = set()
        self._agreed = False

    def hear(self, data: bytes) -> None:
        text = data.decode()
        method = text.split(" ", 1)[0]
        fields = dict(line.split(": ", 1) for line in text.split("\r\n\r\n")[0].split("\r\n")[1:])
        if self._kind == "says nothing":
            return
        if method == "INVITE":
            self._on_invite(fields)
        elif method == "SIP/2.0":
            self._on_response(text, fields)
        elif method == "ACK":
            self._confirmed.add(fields["To"].rpartition(";tag=")[2])
        elif method == "BYE":
            self.up.discard(fields["To"].rpartition(";tag=")[2])
            self._answer(fields, "200 OK", fields["To"])
        elif method == "CANCEL":
            self._answer(fields, "200 OK" if self._invite else "481 Gone", fields["To"] + ";tag=phone")
            if self._ringing:
                self._ringing = False
                self._refuse("487 Request Terminated")

    def _on_invite(self, fields: dict[str, str]) -> None:
        if self._kind == "challenges" and "Authorization" not in fields:
            asks = 'WWW-Authenticate: Digest realm="trunk", nonce="n", qop="auth"\r\n'
            self._answer(fields, "401 Who", fields["To"] + ";tag=ask", more=asks)
            return
        if self._invite:
            return
        self._invite, self._ringing = fields, True
        self.authorized = "Authorization" in fields
        self._answer(fields, "180 Ringing", fields["To"] + ";tag=phone")
        if self._kind != "rings for ever":
            self.world.at(self._answer_after, self._pick_up)

    def _on_response(self, text: str, fields: dict[str, str]) -> None:
        if fields["CSeq"] == "1 INVITE":
            self._agreed = True
            self._ask("ACK", "phone", 1)
        elif text.startswith(("SIP/2.0 2", "SIP/2.0 4")):
            self.up.discard("phone")

    def _pick_up(self) -> None:
        if not self._ringing:
            return
        self._ringing = False
        if self._kind == "refuses":
            self._refuse("486 Busy")
            return
        for tag in ("phone", "other") if self._kind == "forks" else ("phone",):
            self.up.add(tag)
            self._repeat(0.5, tag, lambda tag=tag: self._ok(tag))  # type: ignore[misc]
        if self._kind == "holds":
            self.world.at(0.2, lambda: self._hold(0.5))
        if self._talk:
            self.world.at(self._talk, lambda: self._bye(0.5))

    def _ok(self, tag: str) -> None:
        self._answer(self._invite, "200 OK", f"{self._invite['To']};tag={tag}", SDP_ANSWER)

    def _refuse(self, status: str) -> None:
        self._repeat(0.5, "phone", lambda: self._answer(self._invite, status, self._invite["To"] + ";tag=phone"))

    def _repeat(self, pause: float, tag: str, send: Callable[[], None]) -> None:
        if tag not in self._confirmed and pause <= 16:
            send()
            self.world.at(pause, lambda: self._repeat(pause * 2, tag, send))

    def _hold(self, pause: float) -> None:
        if "phone" in self.up and not self._agreed and pause <= 16:
            self._ask("INVITE", "phone", 1, SDP_ANSWER + "a=sendonly\r\n")
            self.world.at(pause, lambda: self._hold(pause * 2))

    def _bye(self, pause: float) -> None:
        if "phone" in self.up and pause <= 16:
            self._ask("BYE", "phone", 2)
            self.world.at(pause, lambda: self._bye(pause * 2))

    def _ask(self, method: str, tag: str, sequence: int, body: str = "") -> None:
        invite, kind = self._invite, "Content-Type: application/sdp\r\n" if body else ""
        self._reply(
            f"{method} sip:outdialer@{LOCAL[0]}:{LOCAL[1]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {PEER[0]}:{PEER[1]};branch=z9hG4bK{method}{sequence}\r\n"
            f"From: {invite['To']};tag={tag}\r\nTo: {invite['From']}\r\nCall-ID: {invite['Call-ID']}\r\n"
            f"CSeq: {sequence} {method}\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    def _answer(self, fields: dict[str, str], status: str, to_value: str, body: str = "", more: str = "") -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._reply(
            f"SIP/2.0 {status}\r\nVia: {fields['Via']}\r\nFrom: {fields['From']}\r\nTo: {to_value}\r\n"
            f"Call-ID: {fields['Call-ID']}\r\nCSeq: {fields['CSeq']}\r\nContact: <sip:phone@{PEER[0]}:{PEER[1]}>\r\n"
            f"{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )


class Line:
    """A user agent with a clock of its own: accepts answers, hangs up after a while."""

    def __init__(self, world: World, hang_up_after: float, steps: Steps, local: tuple[str, int] = LOCAL) -> None:
        self.agent = UserAgent(SECRET, *local)
        self.world = world
        self.local = local
        self.heard: list[Output] = []
        self.send: Callable[[Send], None]
        self._ahead = 0.0
        self._hang_up_after = hang_up_after
        for when, far in steps:
            world.at(when, lambda far=far: self._step(far))  # type: ignore[misc]

    @property
    def now(self) -> float:
        return self.world.now + self._ahead

    def _step(self, far: float) -> None:
        self._ahead += far
        self.wake()

    def hear(self, data: bytes, source: tuple[str, int] = PEER) -> None:
        self.agent.receive(self.now, data, source)
        self.flush()

    def wake(self) -> None:
        self.agent.wake(self.now)
        self.flush()

    def flush(self) -> None:
        while outputs := self.agent.take_outputs():
            for output in outputs:
                if isinstance(output, Send):
                    self.send(output)
                    continue
                self.heard.append(output)
                if isinstance(output, Answered):
                    self.world.at(0.01, lambda leg=output.leg: self._accept(leg))  # type: ignore[misc]
                    self.world.at(self._hang_up_after, lambda leg=output.leg: self._hang_up(leg))  # type: ignore[misc]
        deadline = self.agent.next_deadline()
        if deadline is not None:
            self.world.at(max(0.0, deadline - self.now) + 1e-6, self.wake)

    def _accept(self, leg: int) -> None:
        self.agent.accept(self.now, leg)
        self.flush()

    def _hang_up(self, leg: int) -> None:
        self.agent.hang_up(self.now, leg, "flow-done")
        self.flush()

    def kinds(self, leg: int) -> list[type]:
        """The events of one leg; a late answer belongs to an attempt."""
        return [type(event) for event in self.heard if isinstance(event, LateAnswer) or getattr(event, "leg", 0) == leg]


def ends_well(line: Line, leg: int) -> None:
    kinds = line.kinds(leg)
    assert kinds.count(Ended) == 1
    assert kinds.count(Answered) <= 1
    assert set(kinds[kinds.index(Ended) + 1 :]) <= {LateAnswer}
    assert set(line.agent.leftovers().values()) == {0}


@settings(max_examples=400, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=losses,
    doubled=doubles,
    delay=delays,
    kind=st.sampled_from(KINDS),
    answer_after=st.sampled_from([0.0, 0.4, 4.9, 5.0, 5.1, 20.0]),
    talk=st.sampled_from([0.0, 0.1, 1.0, 3.0]),
    hang_up_after=st.sampled_from([0.02, 1.0, 3.0]),
    steps=clock_steps,
)
def test_every_call_ends_once(
    seed: int, loss: float, doubled: float, delay: float, kind: str, answer_after: float, talk: float,
    hang_up_after: float, steps: Steps,
) -> None:  # fmt: skip
    world = World(seed, loss, doubled, delay)
    line = Line(world, hang_up_after, steps)
    phone = Phone(world, lambda data: world.carry(line.hear, data), kind, answer_after, talk)
    line.send = lambda packet: world.carry(phone.hear, packet.data)
    line.agent.invite(0.0, order(ring_limit_ms=5_000, peer=peer(username="u")), PEER, "pw")
    line.flush()
    world.run(600)
    ends_well(line, LEG)
    if loss == 0.0 and delay <= 0.3 and not steps:
        assert phone.up == set()
        assert phone.authorized == (kind == "challenges")


@settings(max_examples=100, deadline=None)
@given(
    when=st.sampled_from([0.0, 0.05, 0.5, 1.2, 4.0, 6.0, 31.0]), far=st.sampled_from([HOUR, 24 * HOUR, 1_000 * HOUR]),
    kind=st.sampled_from(KINDS), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_clock_that_jumps_hours_ends_what_it_meets_soon(when: float, far: float, kind: str, seed: int) -> None:
    """Every timer is due at once: what is left is what needs the far end, and that is asked and given up in time."""
    world = World(seed, 0.0, 0.0, 0.02)
    line = Line(world, 3.0, [(when, far)])
    phone = Phone(world, lambda data: world.carry(line.hear, data), kind, 2.0, 0.0)
    line.send = lambda packet: world.carry(phone.hear, packet.data)
    line.agent.invite(0.0, order(ring_limit_ms=5_000, peer=peer(username="u")), PEER, "pw")
    line.flush()
    world.run(when + 5 + 3 * 33)
    ends_well(line, LEG)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32), loss=losses, doubled=doubles, delay=delays, calls=st.integers(1, 6),
    steps=st.tuples(clock_steps, clock_steps), itself=st.booleans(),
)  # fmt: skip
def test_two_of_us_calling_each_other(
    seed: int, loss: float, doubled: float, delay: float, calls: int, steps: tuple[Steps, Steps], itself: bool
) -> None:
    """A dialer takes no calls: both are refused, and probes are answered; or it is a dialer that calls itself."""
    world = World(seed, loss, doubled, delay)
    lines = [Line(world, 1.0, taken, local) for taken, local in zip(steps, (LOCAL, PEER), strict=True)]
    ears = {line.local: line for line in lines}
    for line, other in zip(lines, lines if itself else lines[::-1], strict=True):
        line.send = lambda packet, line=line: world.carry(  # type: ignore[misc]
            lambda data: ears[packet.address].hear(data, line.local), packet.data
        )
        host, port = other.local
        for leg in range(1, calls + 1):
            called = order(
                leg=leg, attempt_id=bytes([leg]) * 15 + bytes([line.local[1] % 256]), ring_limit_ms=2_000,
                peer=peer(host=host, port=port),
            )  # fmt: skip
            line.agent.invite(line.now, called, other.local)
        line.agent.options(line.now, 1, peer(host=host, port=port), other.local)
        line.flush()
    world.run(600)
    for line in lines:
        for leg in range(1, calls + 1):
            ends_well(line, leg)
        assert [event for event in line.heard if isinstance(event, Answered)] == []
        probed = [event.sip_code for event in line.heard if isinstance(event, Probed)]
        assert len(probed) == 1
        assert probed[0] in (0, 200)
        if loss == 0.0 and delay <= 0.3 and not any(steps):
            assert probed == [200]
            assert {event.sip_code for event in line.heard if isinstance(event, Ended)} == {403}
