"""What a phone does with a call over time: ring, answer, refuse, repeat until acknowledged, hang up.

Without sockets and loop: datagrams go to the ``Wire``, time comes from the ``Timers``. Sections are RFC 3261's.
"""

from collections import deque

from msgspec import Struct

from outdialer.phones import sdp
from outdialer.phones.audio import AudioRoom
from outdialer.phones.call import NEVER, Address, PhoneCall, State, Step
from outdialer.phones.digest import Credentials, challenge_header, nonce_of, verify
from outdialer.phones.ledger import AudioReport, CallLine, Ledger
from outdialer.phones.message import (
    BRANCH_COOKIE,
    SUPPORTED_METHODS,
    Message,
    host_port_of,
    render,
    response_head,
    status_line,
    uri_of,
)
from outdialer.phones.timers import Timer, Timers
from outdialer.phones.wire import Wire


class TimerValues(Struct, frozen=True, kw_only=True):
    """The timers of RFC 3261 (table 4), in ms; shortened by tests."""

    t1_ms: float = 500.0
    t2_ms: float = 4_000.0
    give_up_ms: float = 32_000.0
    """64*T1: a final response is not sent any more, nor is a BYE."""
    linger_ms: float = 32_000.0
    """How long an ended call is remembered, for the retransmissions of its caller."""
    trying_ms: float = 200.0
    """100 is sent unless another response follows within this time (section 17.2.1)."""


class Counters:
    """What happened so far, in numbers."""

    __slots__ = ("answered", "calls", "invites", "live", "max_live", "problems", "refused", "retransmissions")

    def __init__(self) -> None:
        self.invites = 0
        """INVITE requests received, without retransmissions; an INVITE with credentials is another one."""
        self.retransmissions = 0
        """INVITE requests received again."""
        self.calls = 0
        """Calls that are over."""
        self.answered = 0
        self.refused = 0
        self.live = 0
        """Calls ringing or up."""
        self.max_live = 0
        self.problems = 0
        """Things that callers did wrong."""


class Callee:
    """The side of the phones that acts."""

    def __init__(
        self,
        wire: Wire,
        timers: Timers,
        ledger: Ledger,
        audio: AudioRoom,
        *,
        values: TimerValues,
        credentials: Credentials,
        seed: int,
        record_route: bool,
    ) -> None:
        self.counters = Counters()
        self.ended: deque[tuple[float, PhoneCall]] = deque()
        """Calls that are over, in the order of the times when they may be forgotten."""
        self.by_bye_branch: dict[str, PhoneCall] = {}
        self.local: Address = ("", 0)
        self._wire, self._timers, self._ledger, self._audio = wire, timers, ledger, audio
        self._values, self._credentials, self._seed, self._record_route = values, credentials, seed, record_route

    def own_route(self) -> list[str]:
        """The Record-Route values that the phones put before the request's own."""
        return [f"<sip:{self.local[0]}:{self.local[1]};lr>"] if self._record_route else []

    def begin(self, call: PhoneCall, invite: Message, source: Address, reply_to: Address) -> None:
        """The phone hears an INVITE for the first time."""
        call.move(Step.HEARD)
        _cancel(call.phase)
        counters = self.counters
        counters.live += 1
        counters.max_live = max(counters.max_live, counters.live)
        call.source, call.reply_to = source, reply_to
        call.routes = self.own_route() + invite.listed("record-route")
        call.contact_uri = f"sip:{call.local_tag}@{self.local[0]}:{self.local[1]}"
        call.head = response_head(invite, source, call.local_tag)
        if invite.headers.get("require"):
            self.refuse(call, 420, "phone", (f"Unsupported: {', '.join(invite.headers['require'])}",))
        elif not self._read_offer(call, invite):
            self.refuse(call, 488, "phone")
        elif self._identified(call, invite):
            self._set_out(call, invite)

    def _read_offer(self, call: PhoneCall, invite: Message) -> bool:
        """Whether the phone can talk to what the caller offers; no offer at all is fine (section 13.2.1)."""
        if not invite.body:
            return True
        try:
            call.offer = sdp.read(invite.body)
        except ValueError:
            return False
        call.event_type = call.offer.event_type
        return call.offer.codec is not None

    def _identified(self, call: PhoneCall, invite: Message) -> bool:
        """Ask for credentials where the behaviour wants them; true when they are there and right."""
        challenge = call.behaviour.challenge
        if challenge is None:
            return True
        nonce = nonce_of(self._seed, f"{call.call_id}|{call.number}")
        wrong = verify(invite, challenge, self._credentials, nonce)
        if not wrong and not challenge.endless:
            return True
        if wrong == "wrong response":
            self.refuse(call, 403, "phone")
        else:
            stale = wrong == "another nonce"
            header = challenge_header(challenge, self._credentials.realm, nonce, stale=stale)
            self.refuse(call, challenge.status, "phone", (header,))
        return False

    def _set_out(self, call: PhoneCall, invite: Message) -> None:
        """Note when the phone rings, when it gives its final response, and when the INVITE expires."""
        now, behaviour = self._timers.now(), call.behaviour
        call.ring_due = _due(now, behaviour.ring_after_ms)
        call.final_due = _due(now, behaviour.final_after_ms)
        expires = invite.header("expires")
        if expires.isdecimal() and len(expires) <= 10:
            call.expires_due = now + int(expires)
        if min(call.ring_due, call.final_due) - now > self._values.trying_ms / 1_000:
            self._respond(call, invite, 100, render(status_line(100), response_head(invite, call.source, "")))
        self._proceed(call)

    def _proceed(self, call: PhoneCall) -> None:
        """Do what is due while the phone has not decided, and ask to be woken for the next thing."""
        now = self._timers.now()
        if call.ring_due <= now and call.ring_due <= min(call.final_due, call.expires_due):
            call.ring_due = NEVER
            self._ring(call)
        if call.state is not State.RINGING:
            return
        due = min(call.ring_due, call.final_due, call.expires_due)
        if due > now:
            call.phase = self._timers.at(due, self._proceed, call) if due < NEVER else None
        elif call.final_due <= call.expires_due:
            self._decide(call)
        else:
            self.refuse(call, 487, "expires")

    def _ring(self, call: PhoneCall) -> None:
        invite = call.invite
        if invite is None or call.state is not State.RINGING:
            return
        call.ringing_at = self._wire.now()
        status, body = 180, ""
        if call.behaviour.early_media and call.offer is not None:
            if not self._open_audio(call):
                return
            status, body = 183, call.description
            if call.ear is not None:
                self._audio.talk(call.ear)
        data = render(status_line(status), call.head, self.dialog_headers(call), body)
        self._respond(call, invite, status, data)

    def _decide(self, call: PhoneCall) -> None:
        behaviour = call.behaviour
        if behaviour.status == 200:
            self._answer(call)
        else:
            extra = () if behaviour.retry_after_s is None else (f"Retry-After: {behaviour.retry_after_s}",)
            self.refuse(call, behaviour.status, "phone", extra)

    def _answer(self, call: PhoneCall) -> None:
        invite = call.invite
        if invite is None or not self._open_audio(call):
            return
        call.move(Step.ANSWER)
        call.answered_at = self._wire.now()
        self.counters.answered += 1
        extra = (*self.dialog_headers(call), f"Allow: {SUPPORTED_METHODS}")
        data = render(status_line(200), call.head, extra, call.description)
        self._respond(call, invite, 200, data)
        self._start_resending(call)

    def _open_audio(self, call: PhoneCall) -> bool:
        """A port for the call's audio and its description; refuses the call when there is none."""
        if call.ear is not None:
            return True
        try:
            call.ear = self._audio.open()
        except OSError:
            self.refuse(call, 503, "phone")
            return False
        codec = 0 if call.offer is None or call.offer.codec is None else call.offer.codec
        if call.offer is not None:
            self._audio.aim(call.ear, call.offer.address, call.offer.port, codec)
        call.description = sdp.write(self.local[0], call.ear.port, codec, call.event_type, call.ear.port)
        return True

    def dialog_headers(self, call: PhoneCall) -> tuple[str, ...]:
        """The header lines by which the caller finds back to the phone (section 12.1.1)."""
        return (*(f"Record-Route: {route}" for route in call.routes), f"Contact: <{call.contact_uri}>")

    def _respond(self, call: PhoneCall, invite: Message, status: int, data: bytes) -> None:
        call.last_response = data
        call.status = status
        self._wire.respond(invite, status, data, call.reply_to, call)

    def repeat_last_response(self, call: PhoneCall) -> None:
        """Answer a retransmitted INVITE (section 17.2.1), unless its final response was acknowledged."""
        pending = call.state is State.RINGING or (call.resend is not None and call.state is not State.LEAVING)
        if pending and call.invite is not None and call.last_response:
            self._wire.respond(call.invite, call.status, call.last_response, call.reply_to, call, again=True)

    def refuse(self, call: PhoneCall, status: int, ended_by: str, extra: tuple[str, ...] = ()) -> None:
        """Send a final response of 300 and more, until it is acknowledged."""
        invite = call.invite
        if invite is None or not call.can(Step.REFUSE):
            return
        call.move(Step.REFUSE)
        _cancel(call.phase)
        call.ended_by, call.ended_at = ended_by, self._wire.now()
        if call.ear is not None:
            self._audio.hush(call.ear)
        self.counters.refused += 1
        self.counters.live -= 1
        self._respond(call, invite, status, render(status_line(status), call.head, extra))
        self._start_resending(call)

    def acknowledge(self, call: PhoneCall, at: int, message: Message) -> None:
        """The ACK of the pending final response came."""
        _cancel(call.resend)
        call.resend = None
        if call.state is State.REFUSED:
            call.acknowledged_at = at
            self.finish(call, call.ended_by)
        elif call.state is State.ANSWERED:
            call.acknowledged_at = at
            call.move(Step.ACK)
            if call.ended_by:
                self.finish(call, call.ended_by)
            else:
                self._talk(call, message)

    def hung_up_unacknowledged(self, call: PhoneCall) -> None:
        """The caller's BYE came before its ACK: the call is over for the person, and the 200 waits for its ACK."""
        call.ended_by, call.ended_at = "caller", self._wire.now()
        if call.ear is not None:
            self._audio.hush(call.ear)

    def _talk(self, call: PhoneCall, message: Message) -> None:
        """The call is up: audio may flow, and the phone knows when it will hang up."""
        if call.ear is not None:
            if call.offer is None and message.body:
                self._take_late_answer(call, message.body)
            self._audio.answered(call.ear)
        if call.behaviour.hang_up_after_ms is not None:
            call.phase = self._timers.after(call.behaviour.hang_up_after_ms, self.hang_up, call)

    def _take_late_answer(self, call: PhoneCall, body: str) -> None:
        """The caller left the offer to the phone: its answer comes in the ACK (section 13.2.2.4)."""
        try:
            call.offer = sdp.read(body)
        except ValueError as unreadable:
            call.problems.append(f"session description in the ACK: {unreadable}")
            return
        if call.ear is not None:
            self._audio.aim(call.ear, call.offer.address, call.offer.port, 0)

    def renegotiate(self, call: PhoneCall, invite: Message, source: Address, reply_to: Address) -> None:
        """Answer a re-INVITE of the caller with the description that stands (section 14.2)."""
        call.pending_cseq = call.remote_cseq = invite.cseq
        call.invite, call.reply_to = invite, reply_to
        if invite.body and self._read_offer(call, invite) and call.offer is not None and call.ear is not None:
            self._audio.aim(call.ear, call.offer.address, call.offer.port, call.offer.codec or 0)
        head = response_head(invite, source, call.local_tag)
        data = render(status_line(200), head, self.dialog_headers(call), call.description)
        self._respond(call, invite, 200, data)
        self._start_resending(call)

    def _start_resending(self, call: PhoneCall) -> None:
        """Timers G and H, and their like for 2xx (sections 17.2.1 and 13.3.1.4)."""
        call.resend_interval_ms = self._values.t1_ms
        call.resend_until = self._timers.now() + self._values.give_up_ms / 1_000
        call.resend = self._timers.after(call.resend_interval_ms, self._resend, call)

    def _resend(self, call: PhoneCall) -> None:
        if self._timers.now() >= call.resend_until:
            self._give_up(call)
            return
        if call.state is State.LEAVING:
            self._wire.request(call, call.bye, again=True)
        elif call.invite is not None:
            self._wire.respond(call.invite, call.status, call.last_response, call.reply_to, call, again=True)
        call.resend_interval_ms = min(call.resend_interval_ms * 2, self._values.t2_ms)
        due = min(self._timers.now() + call.resend_interval_ms / 1_000, call.resend_until)
        call.resend = self._timers.at(due, self._resend, call)

    def _give_up(self, call: PhoneCall) -> None:
        """Nobody acknowledged: end the session of an answered call (section 13.3.1.4), forget a refused one."""
        if call.can(Step.HANG_UP):
            call.problems.append("no ACK of the 200")
            self.counters.problems += 1
        if call.can(Step.HANG_UP) and not call.ended_by:
            self._leave(call, "no-ack")
        else:
            self.finish(call, call.ended_by)

    def hang_up(self, call: PhoneCall) -> None:
        """End an answered call from the phone's side; other calls are left as they are."""
        if call.can(Step.HANG_UP):
            self._leave(call, "phone")

    def _leave(self, call: PhoneCall, ended_by: str) -> None:
        _cancel(call.resend)
        call.move(Step.HANG_UP)
        call.ended_by = ended_by
        self._write_bye(call)
        self.by_bye_branch[call.bye_branch] = call
        self._wire.request(call, call.bye, again=False)
        self._start_resending(call)

    def _write_bye(self, call: PhoneCall) -> None:
        """A BYE within the dialog, by its route set and remote target (section 12.2.1.1)."""
        invite = call.invite
        if invite is None:
            return
        contact = invite.header("contact")
        target = uri_of(contact) if contact else uri_of(invite.from_header)
        routes = [route for route in call.routes if route not in self.own_route()]
        first = uri_of(routes[0]) if routes else ""
        next_hop = first or target
        if routes and ";lr" not in first:
            target, routes = first, [*routes[1:], f"<{target}>"]
        call.bye_branch = f"{BRANCH_COOKIE}{call.local_tag}bye"
        head = (
            f"Via: SIP/2.0/UDP {self.local[0]}:{self.local[1]};branch={call.bye_branch};rport\r\nMax-Forwards: 70\r\n"
            f"From: {call.local_header}\r\nTo: {call.remote_header}\r\n"
            f"Call-ID: {call.call_id}\r\nCSeq: 1 BYE\r\n"
        )
        call.bye = render(f"BYE {target} SIP/2.0", head, [f"Route: {route}" for route in routes])
        call.bye_to = self._resolved(next_hop, call.source)

    def _resolved(self, uri: str, otherwise: Address) -> Address:
        """The address of a URI. Host names are not looked up: such a caller is where its INVITE came from."""
        try:
            host, port = host_port_of(uri)
        except ValueError:
            return otherwise
        numeric = host.replace(".", "").isdecimal() or ":" in host
        return (host, port) if numeric else otherwise

    def finish(self, call: PhoneCall, ended_by: str) -> None:
        """The call is over: write its summary, and keep no more of it than retransmissions need."""
        if not call.can(Step.END):
            return
        was_live = call.state not in (State.REFUSED, State.UNHEARD)
        call.move(Step.END)
        _cancel(call.phase)
        _cancel(call.resend)
        call.ended_by = call.ended_by or ended_by
        call.ended_at = call.ended_at or self._wire.now()
        self.counters.calls += 1
        self.counters.live -= was_live
        report = self._audio.close(call.ear, call.acknowledged_at) if call.ear is not None else None
        if self._ledger.wanted:
            self._ledger.add(_summary(call, report))
        call.ear = call.invite = call.offer = call.phase = call.resend = None
        self.by_bye_branch.pop(call.bye_branch, None)
        self.ended.append((self._timers.now() + self._values.linger_ms / 1_000, call))


def _summary(call: PhoneCall, report: AudioReport | None) -> CallLine:
    return CallLine(
        call_id=call.call_id,
        number=call.number,
        behaviour=call.behaviour.kind.value,
        try_number=call.try_number,
        answered=call.answered_at != 0,
        status=call.status if call.status >= 200 else 0,
        acknowledged=call.acknowledged_at != 0,
        invite_at=call.invite_at,
        ringing_at=call.ringing_at,
        answered_at=call.answered_at,
        acknowledged_at=call.acknowledged_at,
        ended_at=call.ended_at,
        ended_by=call.ended_by,
        problems=tuple(call.problems),
        audio=report,
    )


def _due(now: float, delay_ms: int | None) -> float:
    return NEVER if delay_ms is None else now + delay_ms / 1_000


def _cancel(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()
