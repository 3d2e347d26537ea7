"""A bad network on virtual time: packets are lost, doubled and overtaken, and still every call ends, once.

The far end is written here from scratch, with plain text and none of the core, so that a misunderstanding of the
core is not shared by its judge.
"""

import heapq
import itertools
import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from outdialer.carriers.sip.core.outputs import Output, Send
from outdialer.carriers.sip.core.user_agent import UserAgent
from outdialer.ports.carrier import Answered, Ended, LateAnswer

from .ladder import LEG, LOCAL, PEER, SDP_ANSWER, SECRET, order

SOURCE = PEER


class World:
    """Virtual time, and a network that damages traffic."""

    def __init__(self, seed: int, loss: float, doubled: float) -> None:
        self.now = 0.0
        self.random = random.Random(seed)
        self.loss, self.doubled = loss, doubled
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, delay: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), work))

    def carry(self, deliver: Callable[[bytes], None], data: bytes) -> None:
        """Lose it, or deliver it after 0-300 ms, perhaps twice."""
        for _ in range(1 + (self.random.random() < self.doubled)):
            if self.random.random() >= self.loss:
                self.at(self.random.uniform(0, 0.3), lambda: deliver(data))

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, work = heapq.heappop(self._queue)
            work()
        self.now = until


class Phone:
    """A far end of a few lines: rings, perhaps answers, repeats its 200 until the ACK, perhaps hangs up."""

    def __init__(self, world: World, reply: Callable[[bytes], None], answer_after: float, talk: float) -> None:
        self.world, self._reply = world, reply
        self._answer_after, self._talk = answer_after, talk
        self.state = "idle"
        self._invite: dict[str, str] = {}
        self._confirmed = False

    def hear(self, data: bytes) -> None:
        text = data.decode()
        method = text.split(" ", 1)[0]
        fields = dict(line.split(": ", 1) for line in text.split("\r\n\r\n")[0].split("\r\n")[1:])
        if method == "INVITE":
            self._on_invite(fields)
        elif method == "SIP/2.0":
            self.state = "over"
        elif method == "ACK":
            self._confirmed = True
        elif method == "BYE":
            known = self.state in ("up", "over")
            self.state = "over" if known else self.state
            self._answer(fields, "200 OK" if known else "481 Gone", fields["To"])
        elif method == "CANCEL":
            self._answer(fields, "200 OK" if self._invite else "481 Gone", fields["To"] + ";tag=phone")
            if self.state == "ringing":
                self.state = "over"
                self._refuse(0.5, "487 Request Terminated")

    def _on_invite(self, fields: dict[str, str]) -> None:
        if self._invite:
            return
        self._invite, self.state = fields, "ringing"
        self._answer(fields, "180 Ringing", fields["To"] + ";tag=phone")
        self.world.at(self._answer_after, self._pick_up)

    def _pick_up(self) -> None:
        if self.state == "ringing":
            self.state = "up"
            self._repeat(0.5, self._ok)
            if self._talk:
                self.world.at(self._talk, lambda: self._repeat_bye(0.5))

    def _ok(self) -> None:
        self._answer(self._invite, "200 OK", self._invite["To"] + ";tag=phone", SDP_ANSWER)

    def _refuse(self, pause: float, status: str) -> None:
        self._repeat(pause, lambda: self._answer(self._invite, status, self._invite["To"] + ";tag=phone"))

    def _repeat(self, pause: float, send: Callable[[], None]) -> None:
        if not self._confirmed and pause <= 16:
            send()
            self.world.at(pause, lambda: self._repeat(pause * 2, send))

    def _repeat_bye(self, pause: float) -> None:
        if self.state == "up" and pause <= 16:
            invite = self._invite
            self._reply(
                f"BYE sip:outdialer@{LOCAL[0]}:{LOCAL[1]} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {PEER[0]}:{PEER[1]};branch=z9hG4bKphone\r\n"
                f"From: {invite['To']};tag=phone\r\nTo: {invite['From']}\r\n"
                f"Call-ID: {invite['Call-ID']}\r\nCSeq: 1 BYE\r\n\r\n".encode()
            )
            self.world.at(pause, lambda: self._repeat_bye(pause * 2))

    def _answer(self, fields: dict[str, str], status: str, to_value: str, body: str = "") -> None:
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._reply(
            f"SIP/2.0 {status}\r\nVia: {fields['Via']}\r\nFrom: {fields['From']}\r\nTo: {to_value}\r\n"
            f"Call-ID: {fields['Call-ID']}\r\nCSeq: {fields['CSeq']}\r\nContact: <sip:phone@{PEER[0]}:{PEER[1]}>\r\n"
            f"{kind}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )


class Line:
    """The user agent on the near side: accepts answers, hangs up after a while."""

    def __init__(self, world: World, hang_up_after: float) -> None:
        self.agent = UserAgent(SECRET, *LOCAL)
        self.world = world
        self.heard: list[Output] = []
        self.phone: Phone
        self._hang_up_after = hang_up_after

    def hear(self, data: bytes) -> None:
        self.agent.receive(self.world.now, data, PEER)
        self.flush()

    def wake(self) -> None:
        self.agent.wake(self.world.now)
        self.flush()

    def flush(self) -> None:
        while outputs := self.agent.take_outputs():
            for output in outputs:
                if isinstance(output, Send):
                    self.world.carry(self.phone.hear, output.data)
                    continue
                self.heard.append(output)
                if isinstance(output, Answered):
                    self.world.at(0.01, self._accept)
                    self.world.at(self._hang_up_after, self._hang_up)
        deadline = self.agent.next_deadline()
        if deadline is not None:
            self.world.at(max(0.0, deadline - self.world.now) + 1e-6, self.wake)

    def _accept(self) -> None:
        self.agent.accept(self.world.now, LEG)
        self.flush()

    def _hang_up(self) -> None:
        self.agent.hang_up(self.world.now, LEG, "flow-done")
        self.flush()


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.0, 0.1, 0.3, 0.6, 1.0]),
    doubled=st.sampled_from([0.0, 0.3]),
    answer_after=st.sampled_from([0.0, 0.4, 4.9, 5.0, 5.1, 20.0]),
    talk=st.sampled_from([0.0, 0.1, 1.0, 3.0]),
    hang_up_after=st.sampled_from([0.02, 1.0, 3.0]),
)
def test_every_call_ends_once(
    seed: int, loss: float, doubled: float, answer_after: float, talk: float, hang_up_after: float
) -> None:
    world = World(seed, loss, doubled)
    line = Line(world, hang_up_after)
    line.phone = Phone(world, lambda data: world.carry(line.hear, data), answer_after, talk)
    line.agent.invite(0.0, order(ring_limit_ms=5_000), PEER)
    line.flush()
    world.run(400)
    kinds = [type(event) for event in line.heard]
    assert kinds.count(Ended) == 1
    assert kinds.count(Answered) <= 1
    assert set(kinds[kinds.index(Ended) + 1 :]) <= {LateAnswer}
    assert set(line.agent.leftovers().values()) == {0}
    if loss == 0.0:
        assert line.phone.state == "over"
