"""A far end on paper: tests read as ladders of what went out and what came in. No sockets, no clock."""

from collections.abc import Sequence
from typing import Any, TypeVar

from outdialer.carriers.sip.core.message import Message, parse
from outdialer.carriers.sip.core.outputs import Address, Output, Send
from outdialer.carriers.sip.core.user_agent import UserAgent
from outdialer.ports.carrier import DialOrder, Peer, RememberedLeg

SECRET = b"a secret of this installation"
LOCAL: Address = ("127.0.0.1", 5070)
PEER: Address = ("127.0.0.1", 5060)
STRANGER: Address = ("127.0.0.9", 5060)
ATTEMPT = bytes(range(16))
LEG = 7
SDP_ANSWER = (
    "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 6000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)

Event = TypeVar("Event")


def peer(**changes: Any) -> Peer:
    return Peer(**{"trunk": 1, "host": PEER[0], "port": PEER[1], **changes})


def order(**changes: Any) -> DialOrder:
    given = {
        "leg": LEG, "attempt_id": ATTEMPT, "leg_number": 1, "destination": "+12025550123", "source": "+12025550100",
        "peer": peer(), "ring_limit_ms": 30_000, "send_not_after": 0, "rtp_address": "127.0.0.1", "rtp_port": 4000,
    }  # fmt: skip
    return DialOrder(**{**given, **changes})


def remembered(**changes: Any) -> RememberedLeg:
    given = {
        "leg": LEG, "attempt_id": ATTEMPT, "leg_number": 1, "destination": "+12025550123", "source": "+12025550100",
        "peer": peer(),
    }  # fmt: skip
    return RememberedLeg(**{**given, **changes})


class Ladder:
    """A user agent, the time, and everything it put out so far."""

    def __init__(self, *, same_address: bool = True) -> None:
        self.agent = UserAgent(SECRET, *LOCAL, same_address=same_address)
        self.now = 0.0
        self.sent: list[tuple[float, Message, Address]] = []
        self.events: list[Output] = []

    # Near side

    def dial(self, password: str = "", address: Address = PEER, **changes: Any) -> Message:
        """Order a call; the INVITE."""
        self.agent.invite(self.now, order(**changes), address, password)
        return self.out("INVITE")

    def adopt(self, **changes: Any) -> None:
        self.agent.adopt(self.now, remembered(**changes), PEER)
        self.collect()

    def accept(self, leg: int = LEG) -> Message:
        """Take the answer; the ACK."""
        self.agent.accept(self.now, leg)
        return self.out("ACK")

    def hang_up(self, why: str = "operator") -> None:
        self.agent.hang_up(self.now, LEG, why)
        self.collect()

    def answered(self, **changes: Any) -> tuple[Message, Message]:
        """A call that is up: its INVITE and its 200."""
        invite = self.dial(**changes)
        self.reply(invite, 180)
        ok = self.reply(invite, 200, sdp=SDP_ANSWER)
        self.accept(changes.get("leg", LEG))
        self.events.clear()
        return invite, ok

    def wait(self, seconds: float) -> None:
        """Let time pass, firing every timer at its time."""
        end = self.now + seconds
        while (deadline := self.agent.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.agent.wake(self.now)
            self.collect()
        self.now = end

    # Far side

    def reply(
        self,
        request: Message,
        status: int,
        *,
        tag: str = "far",
        headers: Sequence[str] = (),
        sdp: str = "",
        contact: str = "<sip:far@127.0.0.1:5060>",
        source: Address = PEER,
    ) -> Message:
        """A response to a request of ours comes in."""
        to_value = request.headers["to"]
        if tag and status > 100 and ";tag=" not in to_value:
            to_value += f";tag={tag}"
        lines = [
            f"SIP/2.0 {status} Whatever", f"Via: {request.headers['via']};received=127.0.0.1",
            f"From: {request.headers['from']}", f"To: {to_value}", f"Call-ID: {request.call_id}",
            f"CSeq: {request.sequence} {request.method}", *([f"Contact: {contact}"] if contact else []), *headers,
            *(["Content-Type: application/sdp"] if sdp else []), f"Content-Length: {len(sdp)}", "", sdp,
        ]  # fmt: skip
        data = "\r\n".join(lines).encode()
        self.hear(data, source)
        return parse(data)

    def ask(
        self,
        method: str,
        invite: Message,
        *,
        sequence: int = 1,
        tag: str = "far",
        headers: Sequence[str] = (),
        sdp: str = "",
        contact: str = "<sip:far@127.0.0.1:5060>",
        branch: str = "",
        source: Address = PEER,
    ) -> bytes:
        """A request of the far end inside the dialog of ``invite`` comes in."""
        lines = [
            f"{method} sip:outdialer@127.0.0.1:5070 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK{branch or f'{method}{sequence}'}",
            "Max-Forwards: 70", f"From: {invite.headers['to']};tag={tag}", f"To: {invite.headers['from']}",
            f"Call-ID: {invite.call_id}", f"CSeq: {sequence} {method}", f"Contact: {contact}", *headers,
            *(["Content-Type: application/sdp"] if sdp else []), f"Content-Length: {len(sdp)}", "", sdp,
        ]  # fmt: skip
        data = "\r\n".join(lines).encode()
        self.hear(data, source)
        return data

    def hear(self, data: bytes, source: Address = PEER) -> None:
        self.agent.receive(self.now, data, source)
        self.collect()

    # What came out

    def collect(self) -> None:
        for output in self.agent.take_outputs():
            if isinstance(output, Send):
                self.sent.append((self.now, parse(output.data), output.address))
            else:
                self.events.append(output)

    def out(self, what: str) -> Message:
        """The next packet sent, which must be ``what``: a method or a status."""
        return self.out_to(what)[0]

    def out_to(self, what: str) -> tuple[Message, Address]:
        self.collect()
        assert self.sent, f"nothing was sent, {what} was expected"
        _, message, address = self.sent.pop(0)
        assert label(message) == what
        return message, address

    def out_nothing(self) -> None:
        self.collect()
        assert [label(message) for _, message, _ in self.sent] == []

    def out_all(self) -> list[tuple[float, str]]:
        """Everything sent and not looked at: when, and what."""
        self.collect()
        taken = [(round(at, 3), label(message)) for at, message, _ in self.sent]
        self.sent.clear()
        return taken

    def told(self) -> list[str]:
        """The names of the events since last asked."""
        self.collect()
        names = [type(event).__name__ for event in self.events]
        self.events.clear()
        return names

    def event(self, kind: type[Event]) -> Event:
        """The next event, which must be of this kind."""
        self.collect()
        assert self.events, f"no event, {kind.__name__} was expected"
        event = self.events.pop(0)
        assert isinstance(event, kind), event
        return event

    def nothing_left(self, seconds: float = 80.0) -> None:
        """After a while no state is held at all."""
        self.wait(seconds)
        assert set(self.agent.leftovers().values()) == {0}, self.agent.leftovers()
        assert self.agent.open_legs() == []
        assert self.agent.next_deadline() is None


def label(message: Message) -> str:
    return str(message.status) if message.status else message.method
