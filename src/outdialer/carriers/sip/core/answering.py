"""Requests that come in: a dialer answers what its dialogs need and refuses the rest (RFC 3261 section 8.2).

Outside a dialog nothing is kept: the same request gets the same refusal. Inside one, a repeated request gets the
stored response for 64*T1 (Timer J), and our 200 to a re-INVITE is resent until its ACK (section 13.3.1.4).
"""

import hmac
from typing import TypeAlias

from msgspec import Struct

from outdialer.carriers.sip.core import sdp
from outdialer.carriers.sip.core.call import Call
from outdialer.carriers.sip.core.call_table import Input, State
from outdialer.carriers.sip.core.dialog import refreshed
from outdialer.carriers.sip.core.endpoint import ALLOW, Endpoint
from outdialer.carriers.sip.core.headers import branch_of, stamp_via, tag_of, via_port
from outdialer.carriers.sip.core.message import Message, serialise_response
from outdialer.carriers.sip.core.outputs import Address
from outdialer.carriers.sip.core.timers import Remembered, Timer
from outdialer.carriers.sip.core.transaction import T1, T2, TIMEOUT
from outdialer.carriers.sip.core.uri import parse_uri

REASONS = {
    200: "OK", 403: "Forbidden", 405: "Method Not Allowed", 416: "Unsupported URI Scheme", 420: "Bad Extension",
    481: "Call/Transaction Does Not Exist", 488: "Not Acceptable Here", 491: "Request Pending",
    500: "Server Internal Error", 501: "Not Implemented", 603: "Decline",
}  # fmt: skip
OUTSIDE = {"OPTIONS": 200, "INVITE": 403, "CANCEL": 481, "BYE": 481, "UPDATE": 481, "INFO": 481, "PRACK": 481}
"""By method: the answer outside any dialog. Other known methods: 405; unknown ones: 501."""
REFUSED = frozenset({"REGISTER", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH"})
STRANGER_REPLIES_PER_S = 200
"""How many requests outside our dialogs are answered in a second; the rest of a flood is dropped unread."""
_MAX_STORED = 20_000
_MAX_STORED_BYTES = 16 * 1024 * 1024
"""A response repeats its request's headers: without this bound one far end could make us hold a gigabyte."""
_BEFORE_UP = (State.CALLING, State.EARLY, State.HELD, State.CANCELLING, State.ANSWERED)
_Key: TypeAlias = tuple[str, str, int, str]
"""Branch, Call-ID, CSeq number and method of a request."""


class _Response(Struct, frozen=True, gc=False):
    """A response as it was sent."""

    data: bytes
    address: Address


class _Confirming:
    """Our 200 to a re-INVITE, until the ACK."""

    __slots__ = ("pause", "sequence", "timer")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.pause = T1
        self.timer: Timer | None = None


class Answering:
    """The server side of all calls of one user agent."""

    def __init__(self, endpoint: Endpoint, calls: dict[str, Call]) -> None:
        self._endpoint = endpoint
        self._calls = calls
        timers = endpoint.transactions.timers
        self._stored: Remembered[_Key, _Response] = Remembered(timers, TIMEOUT, self._forgotten)
        self._stored_bytes = 0
        self._confirming: dict[str, _Confirming] = {}
        self._second = 0.0
        self._replies = 0

    def __len__(self) -> int:
        """Stored responses and unconfirmed 200s."""
        return len(self._stored) + len(self._confirming)

    def receive(self, now: float, message: Message, source: Address) -> None:
        """Answer one request."""
        if message.method == "ACK":
            self._confirmed(message)
            return
        stored = self._stored.get(_key(message))
        if stored is not None:
            self._endpoint.transactions.send(stored.data, stored.address)
            return
        call = self._calls.get(message.call_id)
        if call is not None and _inside(call, message):
            self._answer_inside(now, call, message, source)
        elif self._may_reply(now):
            self._refuse_outside(message, source)

    # Outside a dialog

    def _may_reply(self, now: float) -> bool:
        if now - self._second >= 1:
            self._second, self._replies = now, 0
        self._replies += 1
        return self._replies <= STRANGER_REPLIES_PER_S

    def _refuse_outside(self, message: Message, source: Address) -> None:
        method = message.method
        if tag_of(message.headers["to"]) and method not in REFUSED:
            status = 481
        elif parse_uri(message.uri) is None:
            status = 416
        elif message.headers.get("require") and method != "CANCEL":
            status = 420
        else:
            status = OUTSIDE.get(method) or (405 if method in REFUSED else 501)
        data, address = self._response(message, source, status)
        self._endpoint.transactions.send(data, address)

    # Inside a dialog

    def _answer_inside(self, now: float, call: Call, message: Message, source: Address) -> None:
        status, body = self._decide(now, call, message)
        data, address = self._response(message, source, status, body)
        self._endpoint.transactions.send(data, address)
        self._store(now, _key(message), data, address)
        if message.method == "INVITE" and status == 200:
            self._confirm(now, call, message.sequence, data, address)
        elif message.method == "BYE":
            call.step(now, Input.FAR_BYE, (message, source))

    def _store(self, now: float, key: _Key, data: bytes, address: Address) -> None:
        if len(self._stored) < _MAX_STORED and self._stored_bytes + len(data) <= _MAX_STORED_BYTES:
            self._stored.put(now, key, _Response(data, address))
            self._stored_bytes += len(data)

    def _forgotten(self, response: _Response) -> None:
        self._stored_bytes -= len(response.data)

    def _decide(self, now: float, call: Call, message: Message) -> tuple[int, bytes]:
        """Status and body for a request of the call's own dialog."""
        method = message.method
        if method == "BYE":
            return 200, b""
        if method == "CANCEL":
            answered = self._stored.get((*_key(message)[:3], "INVITE")) is not None
            return (200 if answered else 481), b""
        if message.sequence <= call.remote_sequence:
            return 500, b""
        call.remote_sequence = message.sequence
        if message.headers.get("require"):
            return 420, b""
        if method in ("INVITE", "UPDATE"):
            return self._renegotiate(call, message)
        if method in ("OPTIONS", "INFO"):
            return 200, b""
        if method == "REFER":
            return 603, b""
        return (481 if method in OUTSIDE else 405 if method in REFUSED else 501), b""

    def _renegotiate(self, call: Call, message: Message) -> tuple[int, bytes]:
        """re-INVITE (RFC 3261 section 14.2) and UPDATE (RFC 3311): our side stays as it is, theirs may move."""
        offer = sdp.description_in(message)
        if call.state is not State.UP:
            early = call.state in _BEFORE_UP
            return (491 if early else 481), b""
        if call.identity.call_id in self._confirming:
            return 491, b""
        order, media = call.order, call.media
        assert order is not None
        assert media is not None
        session, version = int(call.identity.from_tag[:12], 16), message.sequence + 2
        assert call.dialog is not None
        if offer is None or offer.media is not None:
            call.dialog = refreshed(call.dialog, message)
        if offer is None:
            offering = message.method == "INVITE"
            return 200, sdp.describe(order.rtp_address, order.rtp_port, session, version) if offering else b""
        if offer.media is None:
            return 488, b""
        call.media = offer.media
        direction, payload = sdp.answering_direction(offer), offer.media.payload_type
        return 200, sdp.describe(
            order.rtp_address, order.rtp_port, session, version, payload=payload, direction=direction
        )

    def _confirm(self, now: float, call: Call, sequence: int, data: bytes, address: Address) -> None:
        """Resend a 200 until its ACK comes; without one for 64*T1 the call is ended."""
        call_id, timers = call.identity.call_id, self._endpoint.transactions.timers
        waiting = _Confirming(sequence)
        self._confirming[call_id] = waiting
        deadline = now + TIMEOUT

        def again(now: float) -> None:
            if call.state is not State.UP or now >= deadline:
                self._confirming.pop(call_id, None)
                call.hang_up(now, "no-ack")
                return
            self._endpoint.transactions.send(data, address, call.leg)
            waiting.pause = min(waiting.pause * 2, T2)
            waiting.timer = timers.start(min(now + waiting.pause, deadline), again)

        waiting.timer = timers.start(now + T1, again)

    def _confirmed(self, message: Message) -> None:
        waiting = self._confirming.get(message.call_id)
        if waiting is not None and waiting.sequence == message.sequence:
            self._endpoint.transactions.timers.stop(waiting.timer)
            del self._confirming[message.call_id]

    # Responses

    def _response(self, message: Message, source: Address, status: int, body: bytes = b"") -> tuple[bytes, Address]:
        """A response by RFC 3261 section 8.2.6, and where it goes (section 18.2.2 and RFC 3581)."""
        headers, endpoint = message.headers, self._endpoint
        via = stamp_via(headers["via"], *source)
        to_value = headers["to"]
        if not tag_of(to_value):
            to_value += f";tag={self._tag(message)}"
        lines = "".join(f"Via: {value}\r\n" for value in via.split("\n"))
        lines += "".join(f"Record-Route: {value}\r\n" for value in headers.get("record-route", "").split("\n") if value)
        lines += f"From: {headers['from']}\r\nTo: {to_value}\r\nCall-ID: {message.call_id}\r\n"
        lines += f"CSeq: {message.sequence} {message.method}\r\n"
        if status == 420:
            lines += f"Unsupported: {headers['require'].replace(chr(10), ', ')}\r\n"
        lines += endpoint.contact_lines if status == 200 else f"Allow: {ALLOW}\r\n" if status in (405, 501) else ""
        if body:
            lines += sdp.CONTENT_TYPE_LINE
        return serialise_response(status, REASONS[status], lines, body), (
            source[0],
            via_port(headers["via"], source[1]),
        )

    def _tag(self, message: Message) -> str:
        """The To tag of a refusal: the same for the same request, with nothing remembered."""
        text = f"stranger|{message.call_id}|{message.headers['from']}".encode("latin-1")
        return hmac.digest(self._endpoint.secret, text, "sha256")[:8].hex()


def _key(message: Message) -> _Key:
    return branch_of(message.headers["via"]), message.call_id, message.sequence, message.method


def _inside(call: Call, message: Message) -> bool:
    """Whether a request belongs to the call's dialog: Call-ID and both tags (RFC 3261 section 12.2.2)."""
    if tag_of(message.headers["to"]) != call.identity.from_tag:
        return False
    return call.dialog is None or call.dialog.remote_tag == tag_of(message.headers["from"])
