"""Client transactions (RFC 3261 section 17.1, with the Accepted state of RFC 6026): states, timers, resending.

Over UDP everything is resent until it is answered. The two tables below are the figures 5 and 6 of RFC 3261.
"""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from outdialer.carriers.sip.core.headers import single_via, tag_of
from outdialer.carriers.sip.core.message import Message, serialise_request
from outdialer.carriers.sip.core.outputs import Address, Output, Send
from outdialer.carriers.sip.core.timers import Timer, Timers

T1 = 0.5
"""Round-trip estimate, s."""
T2 = 4.0
"""Longest pause between two sendings of a non-INVITE request, s."""
T4 = 5.0
"""How long a message may stay in the network, s: Timer K."""
TIMEOUT = 64 * T1
"""Timers B, D, F, H and M, s."""


class State(StrEnum):
    """``calling`` doubles as the Trying state of non-INVITE transactions."""

    CALLING = "calling"
    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    ACCEPTED = "accepted"
    TERMINATED = "terminated"


class Input(StrEnum):
    """What can happen to a transaction."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "3xx-6xx"
    RESEND = "timer A or E"
    GIVE_UP = "timer B or F"
    FORGET = "timer D, K or M"


class Action(StrEnum):
    """What a row of a table does."""

    SEND = "send the request again"
    TELL = "tell the listener"
    ACK = "acknowledge"
    ACK_AND_TELL = "acknowledge and tell"
    FAIL = "tell the listener that nothing came"
    NOTHING = "nothing"


Table = dict[tuple[State, Input], tuple[State, Action]]

INVITE_TABLE: Table = {
    (State.CALLING, Input.RESEND): (State.CALLING, Action.SEND),
    (State.CALLING, Input.GIVE_UP): (State.TERMINATED, Action.FAIL),
    (State.CALLING, Input.PROVISIONAL): (State.PROCEEDING, Action.TELL),
    (State.CALLING, Input.SUCCESS): (State.ACCEPTED, Action.TELL),
    (State.CALLING, Input.FAILURE): (State.COMPLETED, Action.ACK_AND_TELL),
    (State.PROCEEDING, Input.PROVISIONAL): (State.PROCEEDING, Action.TELL),
    (State.PROCEEDING, Input.SUCCESS): (State.ACCEPTED, Action.TELL),
    (State.PROCEEDING, Input.FAILURE): (State.COMPLETED, Action.ACK_AND_TELL),
    (State.COMPLETED, Input.FAILURE): (State.COMPLETED, Action.ACK),
    (State.COMPLETED, Input.SUCCESS): (State.COMPLETED, Action.TELL),
    (State.COMPLETED, Input.FORGET): (State.TERMINATED, Action.NOTHING),
    (State.ACCEPTED, Input.SUCCESS): (State.ACCEPTED, Action.TELL),
    (State.ACCEPTED, Input.FORGET): (State.TERMINATED, Action.NOTHING),
}
"""Figure 5; the row completed/2xx exists because a forking proxy may send a 200 after a refusal (section 16.7)."""

OTHER_TABLE: Table = {
    (State.CALLING, Input.RESEND): (State.CALLING, Action.SEND),
    (State.CALLING, Input.GIVE_UP): (State.TERMINATED, Action.FAIL),
    (State.CALLING, Input.PROVISIONAL): (State.PROCEEDING, Action.NOTHING),
    (State.CALLING, Input.SUCCESS): (State.COMPLETED, Action.TELL),
    (State.CALLING, Input.FAILURE): (State.COMPLETED, Action.TELL),
    (State.PROCEEDING, Input.RESEND): (State.PROCEEDING, Action.SEND),
    (State.PROCEEDING, Input.GIVE_UP): (State.TERMINATED, Action.FAIL),
    (State.PROCEEDING, Input.SUCCESS): (State.COMPLETED, Action.TELL),
    (State.PROCEEDING, Input.FAILURE): (State.COMPLETED, Action.TELL),
    (State.COMPLETED, Input.FORGET): (State.TERMINATED, Action.NOTHING),
}
"""Figure 6."""


class Request(Struct, frozen=True, kw_only=True, gc=False):
    """The parts of a request that its responses, its ACK and its CANCEL repeat."""

    method: str
    uri: str
    via: str
    """The Via value, without its branch."""
    branch: str
    from_value: str
    to_value: str
    call_id: str
    sequence: int
    routes: str = ""
    """Complete Route header lines."""

    def serialise(self, extra: str = "", body: bytes = b"") -> bytes:
        """The request as bytes; ``extra`` are further complete header lines."""
        return serialise_request(
            self.method,
            self.uri,
            f"Via: {self.via};branch={self.branch}\r\nMax-Forwards: 70\r\nFrom: {self.from_value}\r\n"
            f"To: {self.to_value}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.sequence} {self.method}\r\n"
            f"{self.routes}{extra}",
            body,
        )

    def companion(self, method: str, to_value: str) -> bytes:
        """Its CANCEL, or its ACK for a refusal: the same branch and number (RFC 3261 sections 9.1, 17.1.1.3)."""
        return serialise_request(
            method,
            self.uri,
            f"Via: {self.via};branch={self.branch}\r\nMax-Forwards: 70\r\nFrom: {self.from_value}\r\n"
            f"To: {to_value}\r\nCall-ID: {self.call_id}\r\nCSeq: {self.sequence} {method}\r\n{self.routes}",
        )


class Listener(Protocol):
    """Who uses a transaction (the "transaction user" of RFC 3261 section 5)."""

    def on_response(self, now: float, transaction: "ClientTransaction", message: Message, source: Address) -> None:
        """A response that the table lets through."""

    def on_timeout(self, now: float, transaction: "ClientTransaction") -> None:
        """No final response within 64*T1."""


class Transactions:
    """All client transactions by (branch, method), and the way out."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.outputs: list[Output] = []
        self.table: dict[tuple[str, str], ClientTransaction] = {}

    def send(self, data: bytes, address: Address, leg: int | None = None) -> None:
        """Queue one packet."""
        self.outputs.append(Send(data, address, leg))


class ClientTransaction:
    """One request of ours, resent until answered."""

    __slots__ = (
        "_data", "_pause", "_stack", "_table", "_timer", "address", "deadline", "leg", "listener", "method", "request",
        "state",
    )  # fmt: skip

    def __init__(
        self, stack: Transactions, request: Request, address: Address, listener: Listener | None, leg: int | None
    ) -> None:
        self._stack = stack
        self.method = request.method
        self._table = INVITE_TABLE if self.method == "INVITE" else OTHER_TABLE
        self.request = request
        self.address = address
        self.listener = listener
        self.leg = leg
        self.state = State.CALLING
        self.deadline = 0.0
        self._data = b""
        self._pause = T1
        self._timer: Timer | None = None

    def start(self, now: float, data: bytes, *, first: bool = False, give_up_s: float = TIMEOUT) -> None:
        """Send ``data``, the serialised request, and wait for its responses."""
        self._data = data
        self.deadline = now + give_up_s
        self._stack.table[self.request.branch, self.method] = self
        self._stack.outputs.append(Send(data, self.address, self.leg, first))
        self._timer = self._stack.timers.start(min(now + T1, self.deadline), self._ring)

    def listen(self, now: float) -> None:
        """Take responses to a request that an earlier life of this process sent."""
        self._stack.table[self.request.branch, self.method] = self
        self.state = State.PROCEEDING
        self._timer = self._stack.timers.start(now + TIMEOUT, lambda _: self.stop())

    def resume(self, now: float, state: State) -> None:
        """Be an INVITE in ``state``, after its final response, for 64*T1."""
        self._stack.table[self.request.branch, self.method] = self
        self.state = state
        self._timer = self._stack.timers.start(now + TIMEOUT, self._forget)

    def silence(self) -> None:
        """Send no more, but keep waiting (RFC 3261 section 9.1: a CANCEL that must wait for a provisional)."""
        self._data = b""

    def hear(self, now: float, message: Message, source: Address) -> None:
        """Take a response whose branch and method are this transaction's."""
        if not self._ours(message):
            return
        status = message.status
        heard = Input.PROVISIONAL if status < 200 else Input.SUCCESS if status < 300 else Input.FAILURE
        row = self._table.get((self.state, heard))
        if row is None:
            return
        before, (self.state, action) = self.state, row
        if before is not self.state:
            self._enter(now)
        if action in (Action.ACK, Action.ACK_AND_TELL):
            self._stack.send(self.request.companion("ACK", message.headers["to"]), self.address, self.leg)
        if action in (Action.TELL, Action.ACK_AND_TELL) and self.listener is not None:
            self.listener.on_response(now, self, message, source)

    def _ours(self, message: Message) -> bool:
        request, headers = self.request, message.headers
        return (
            headers["call-id"] == request.call_id
            and message.sequence == request.sequence
            and (headers["from"] == request.from_value or tag_of(headers["from"]) == tag_of(request.from_value))
            and single_via(headers["via"])
        )

    def _enter(self, now: float) -> None:
        """Set the timer of a new state."""
        timers = self._stack.timers
        timers.stop(self._timer)
        self._timer = None
        if self.state is State.PROCEEDING:
            if self.method != "INVITE":
                self._pause = T2
                self._timer = timers.start(min(now + T2, self.deadline), self._ring)
            return
        self._data = b""
        if self.method != "INVITE":
            self._timer = timers.start(now + T4, self._forget)
        else:
            self._timer = timers.start(now + TIMEOUT, self._forget)

    def _ring(self, now: float) -> None:
        """Timer A, B, E or F is due."""
        self._timer = None
        event = Input.GIVE_UP if now >= self.deadline else Input.RESEND
        self.state, action = self._table[self.state, event]
        if action is Action.FAIL:
            self._leave()
            if self.listener is not None:
                self.listener.on_timeout(now, self)
            return
        if self._data:
            self._stack.send(self._data, self.address, self.leg)
        self._pause = self._pause * 2 if self.method == "INVITE" else min(self._pause * 2, T2)
        self._timer = self._stack.timers.start(min(now + self._pause, self.deadline), self._ring)

    def _forget(self, now: float) -> None:
        """Timer D, K or M is due."""
        self.state, _ = self._table[self.state, Input.FORGET]
        self._leave()

    def stop(self) -> None:
        """Be done with it now; later responses are strays."""
        self._stack.timers.stop(self._timer)
        self.listener = None
        self._leave()

    def _leave(self) -> None:
        self._timer = None
        self._stack.table.pop((self.request.branch, self.method), None)
