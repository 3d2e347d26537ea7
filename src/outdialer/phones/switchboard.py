"""Reads what comes in and hands it to the phone it is for (RFC 3261 sections 8.2, 9.2, 12.2.2, 15.1.2 and 17.2).

Requests are matched to transactions by branch and sent-by (17.2.3), to dialogs by Call-ID and tags (12.2.2). What
callers do wrong is booked as a ``problem`` and, where the RFC says so, not accepted.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias
from zlib import crc32

from outdialer.carriers.simulator.behaviours import Behaviour
from outdialer.domain.units import Instant
from outdialer.phones.call import Address, PhoneCall, State, Step
from outdialer.phones.callee import Callee
from outdialer.phones.message import (
    BRANCH_COOKIE,
    SUPPORTED_METHODS,
    Message,
    number_of,
    parse,
    render,
    reply_address,
    response_head,
    status_line,
    uri_of,
)
from outdialer.phones.timers import Timers
from outdialer.phones.wire import Wire

BehaviourOf: TypeAlias = Callable[[str, int], Behaviour]
"""What the phone with this number does at its n-th try."""


class Received:
    """One request with where and when it came from."""

    __slots__ = ("at", "message", "reply_to", "source")

    def __init__(self, message: Message, source: Address, at: Instant) -> None:
        self.message, self.source, self.at = message, source, at
        self.reply_to = reply_address(message, source)


class Switchboard:
    """Every phone behind one address."""

    def __init__(self, wire: Wire, timers: Timers, callee: Callee, behaviour_of: BehaviourOf, linger_ms: float) -> None:
        self._wire, self._timers, self._callee, self._behaviour_of = wire, timers, callee, behaviour_of
        self._linger_s = linger_ms / 1_000
        self._transactions: dict[tuple[str, str], PhoneCall] = {}
        self._dialogs: dict[tuple[str, str], PhoneCall] = {}
        self._latest: dict[str, PhoneCall] = {}
        self._tries: dict[str, int] = {}
        self._tags = 0
        self._handlers: dict[str, Callable[[Received], None]] = {
            "INVITE": self._invite,
            "ACK": self._ack,
            "BYE": self._bye,
            "CANCEL": self._cancel,
            "OPTIONS": self._options,
            "INFO": self._within_dialog,
            "UPDATE": self._within_dialog,
        }

    @property
    def remembered(self) -> int:
        """How many calls are in memory, ended ones included."""
        return len(self._dialogs)

    def tries_of(self, number: str) -> int:
        """How often a number was called."""
        return self._tries.get(number, 0)

    def receive(self, datagram: bytes, source: Address, at: Instant) -> None:
        """Take one datagram. ``at`` is when it came."""
        if not datagram.strip(b"\r\n\x00 "):
            return
        try:
            message = parse(datagram)
            received = Received(message, source, at)
        except ValueError as unreadable:
            self._callee.counters.problems += 1
            self._wire.unreadable(source, at, str(unreadable))
            return
        if message.status:
            self._response(received)
        else:
            self._handlers.get(message.method, self._unsupported)(received)

    def call_of(self, call_id: str) -> PhoneCall | None:
        """The latest call with this Call-ID that is remembered."""
        return self._latest.get(call_id)

    def calls(self) -> Iterable[PhoneCall]:
        """Every call that is remembered."""
        return self._dialogs.values()

    def close(self) -> None:
        """Write the summaries of all calls that are not over."""
        for call in list(self.calls()):
            self._callee.finish(call, "stop")

    # INVITE

    def _invite(self, received: Received) -> None:
        message = received.message
        call = self._transactions.get((message.branch, message.sent_by))
        if call is not None:
            self._invite_again(call, received)
        elif message.to_tag:
            self._reinvite(received)
        else:
            self._new_call(received)

    def _invite_again(self, call: PhoneCall, received: Received) -> None:
        lost = self._wire.lost(call)
        self._callee.counters.retransmissions += 1
        self._note(received, call, retransmission=True, lost=lost)
        if lost:
            return
        if call.state is State.UNHEARD:
            self._callee.begin(call, received.message, received.source, received.reply_to)
        else:
            self._callee.repeat_last_response(call)

    def _new_call(self, received: Received) -> None:
        message = received.message
        earlier = self._latest.get(message.call_id)
        if earlier is not None and self._merged(earlier, message):
            self._note(received, earlier, problem="the same request on another path")
            self._answer(received, 482)
            return
        self._forget_ended()
        call = self._remember(message, earlier)
        call.invite_at = received.at
        self._callee.counters.invites += 1
        lost = self._wire.lost(call)
        self._note(received, call, lost=lost, problem=_invite_problem(message))
        if lost:
            call.phase = self._timers.after(self._linger_s * 1_000, self._unheard, call)
        else:
            self._callee.begin(call, message, received.source, received.reply_to)

    def _merged(self, earlier: PhoneCall, message: Message) -> bool:
        """A request that came here twice over different paths (section 8.2.2.2)."""
        return (
            earlier.state is not State.OVER
            and earlier.invite_cseq == message.cseq
            and earlier.remote_tag == message.from_tag
        )

    def _remember(self, message: Message, earlier: PhoneCall | None) -> PhoneCall:
        number = number_of(message.uri)
        if earlier is not None and earlier.status in (401, 407) and earlier.number == number:
            try_number = earlier.try_number
        else:
            try_number = self._tries[number] = self._tries.get(number, 0) + 1
        self._tags += 1
        tag = f"{crc32(message.call_id.encode('utf-8', 'surrogateescape')):08x}{self._tags:x}"
        key = (message.branch, message.sent_by)
        call = PhoneCall(message, key, number, try_number, self._behaviour_of(number, try_number), tag)
        self._transactions[key] = self._dialogs[message.call_id, tag] = self._latest[message.call_id] = call
        return call

    def _unheard(self, call: PhoneCall) -> None:
        self._callee.finish(call, "caller")

    def _forget_ended(self) -> None:
        """Drop the calls that ended longer ago than any retransmission can come."""
        ended, now = self._callee.ended, self._timers.now()
        while ended and ended[0][0] <= now:
            call = ended.popleft()[1]
            for key in call.keys:
                self._transactions.pop(key, None)
            self._dialogs.pop((call.call_id, call.local_tag), None)
            if self._latest.get(call.call_id) is call:
                del self._latest[call.call_id]

    def _reinvite(self, received: Received) -> None:
        call = self._in_dialog(received)
        if call is None:
            return
        if call.state is State.UP and call.resend is None:
            key = (received.message.branch, received.message.sent_by)
            self._transactions[key] = call
            call.keys.append(key)
            self._callee.renegotiate(call, received.message, received.source, received.reply_to)
        else:
            self._answer(received, 491 if call.can(Step.HANG_UP) else 481, call)

    # Requests of a call

    def _ack(self, received: Received) -> None:
        message = received.message
        call = self._dialogs.get((message.call_id, message.to_tag))
        if call is None:
            self._note(received, None, problem="ACK of no response that was sent here")
            return
        lost = self._wire.lost(call)
        pending = call.resend is not None and call.state is not State.LEAVING and message.cseq == call.pending_cseq
        problem = _ack_problem(call, message) if call.state is not State.OVER else ""
        self._note(received, call, retransmission=not pending, lost=lost, problem=problem)
        if pending and not lost and not (problem and call.state is State.REFUSED):
            self._callee.acknowledge(call, received.at, message)

    def _bye(self, received: Received) -> None:
        message = received.message
        call = self._dialogs.get((message.call_id, message.to_tag))
        if call is not None and call.bye_reply and call.bye_cseq == message.cseq:
            self._bye_again(call, received)
            return
        call = self._in_dialog(received)
        if call is None:
            return
        if call.state in (State.OVER, State.REFUSED):
            self._answer(received, 481, call)
            return
        call.bye_cseq = message.cseq
        call.bye_reply = self._answer(received, 200, call)
        if call.state is State.RINGING:
            self._callee.refuse(call, 487, "caller")
        elif call.state is State.ANSWERED:
            self._callee.hung_up_unacknowledged(call)
        else:
            self._callee.finish(call, "caller")

    def _bye_again(self, call: PhoneCall, received: Received) -> None:
        lost = self._wire.lost(call)
        self._note(received, call, retransmission=True, lost=lost)
        if not lost:
            self._wire.respond(received.message, 200, call.bye_reply, received.reply_to, call, again=True)

    def _cancel(self, received: Received) -> None:
        message = received.message
        call = self._transactions.get((message.branch, message.sent_by))
        if call is None or call.state is State.UNHEARD:
            self._note(received, call, problem="CANCEL of no INVITE that came here")
            self._answer(received, 481, call)
            return
        lost = self._wire.lost(call)
        self._note(
            received, call, retransmission=call.cancelled, lost=lost, problem=_cancel_problem(call, received.message)
        )
        if lost:
            return
        call.cancelled = True
        self._answer(received, 200, call)
        self._callee.refuse(call, 487, "caller")

    def _within_dialog(self, received: Received) -> None:
        call = self._in_dialog(received)
        if call is None:
            return
        if not call.can(Step.HANG_UP):
            self._answer(received, 481, call)
        elif received.message.method == "UPDATE" and received.message.body:
            self._answer(received, 200, call, self._callee.dialog_headers(call), call.description)
        else:
            self._answer(received, 200, call)

    def _in_dialog(self, received: Received) -> PhoneCall | None:
        """The call of a request with both tags, booked; None when there is none (answered 481) or it was lost."""
        message = received.message
        call = self._dialogs.get((message.call_id, message.to_tag))
        if call is None or call.remote_tag != message.from_tag:
            self._note(received, None, problem=f"{message.method} of no call that is known here")
            self._answer(received, 481)
            return None
        lost = self._wire.lost(call)
        self._note(received, call, lost=lost, problem=_dialog_problem(call, message))
        if lost:
            return None
        call.remote_cseq = max(call.remote_cseq, message.cseq)
        return call

    # Everything else

    def _options(self, received: Received) -> None:
        if received.message.to_tag:
            self._within_dialog(received)
            return
        self._note(received, None)
        self._answer(received, 200, extra=("Accept: application/sdp", f"Allow: {SUPPORTED_METHODS}"))

    def _unsupported(self, received: Received) -> None:
        self._note(received, None)
        self._answer(received, 405, extra=(f"Allow: {SUPPORTED_METHODS}",))

    def _response(self, received: Received) -> None:
        """A response to the phone's BYE: any final one ends it (section 15.1.1)."""
        message = received.message
        call = self._callee.by_bye_branch.get(message.branch)
        if call is None:
            self._note(received, None, problem="" if message.method == "BYE" else "response to no request of a phone")
            return
        lost = self._wire.lost(call)
        self._note(received, call, lost=lost)
        if message.status >= 200 and not lost:
            self._callee.finish(call, call.ended_by)

    def _answer(
        self,
        received: Received,
        status: int,
        call: PhoneCall | None = None,
        extra: tuple[str, ...] = (),
        body: str = "",
    ) -> bytes:
        """Respond at once, and return what was sent."""
        message = received.message
        tag = call.local_tag if call is not None else f"{crc32(message.branch.encode('utf-8', 'surrogateescape')):08x}"
        data = render(status_line(status), response_head(message, received.source, tag), extra, body)
        self._wire.respond(message, status, data, received.reply_to, call)
        return data

    def _note(
        self,
        received: Received,
        call: PhoneCall | None,
        *,
        retransmission: bool = False,
        lost: bool = False,
        problem: str = "",
    ) -> None:
        self._callee.counters.problems += bool(problem)
        self._wire.heard(
            received.message,
            received.source,
            received.at,
            call,
            retransmission=retransmission,
            lost=lost,
            problem=problem,
        )


def _invite_problem(message: Message) -> str:
    """What is wrong with an INVITE outside a dialog (sections 8.1.1 and 12.1.2)."""
    if not message.branch.startswith(BRANCH_COOKIE):
        return "branch without magic cookie"
    if not message.from_tag:
        return "From without tag"
    if not message.header("max-forwards").isdecimal():
        return "no Max-Forwards"
    if not message.headers.get("contact"):
        return "no Contact"
    return ""


def _ack_problem(call: PhoneCall, message: Message) -> str:
    """What is wrong with an ACK (sections 13.2.2.4 and 17.1.1.3)."""
    same = message.branch == call.branch
    if call.state is State.REFUSED:
        return "" if same else "ACK of a refusal with another branch than its INVITE"
    if same:
        return "ACK of a 200 with the branch of its INVITE"
    if message.cseq != call.pending_cseq:
        return "ACK with another CSeq than its INVITE"
    return _target_problem(call, message)


def _dialog_problem(call: PhoneCall, message: Message) -> str:
    """What is wrong with a request within a dialog (section 12.2.1.1)."""
    if message.cseq <= call.remote_cseq:
        return "CSeq is not higher than before"
    return _target_problem(call, message)


def _target_problem(call: PhoneCall, message: Message) -> str:
    if call.state in (State.RINGING, State.REFUSED, State.OVER):
        return ""
    if message.uri != call.contact_uri:
        return "Request-URI is not the Contact"
    routes = [uri_of(route) for route in message.listed("route")]
    if routes != [uri_of(route) for route in reversed(call.routes)]:
        return "Route is not the Record-Route in reverse"
    return ""


def _cancel_problem(call: PhoneCall, message: Message) -> str:
    """What is wrong with a CANCEL (section 9.1)."""
    if call.invite is not None and message.uri != call.invite.uri:
        return "CANCEL with another Request-URI than its INVITE"
    if message.cseq != call.invite_cseq:
        return "CANCEL with another CSeq than its INVITE"
    if call.status == 0:
        return "CANCEL before a provisional response"
    return ""
