"""One call that we make: carries out what ``call_table`` says, over client transactions."""

from collections.abc import Callable
from typing import Final

from outdialer.carriers.sip.core import sdp
from outdialer.carriers.sip.core.answers import Answers
from outdialer.carriers.sip.core.call_table import TABLE, Do, Input, State
from outdialer.carriers.sip.core.credentials import CHALLENGES, Credentials
from outdialer.carriers.sip.core.dialog import Dialog, dialog_from, dump, in_dialog_request, next_hop
from outdialer.carriers.sip.core.endpoint import Endpoint
from outdialer.carriers.sip.core.headers import q850_cause, seconds, tag_of
from outdialer.carriers.sip.core.message import Message
from outdialer.carriers.sip.core.outputs import Address
from outdialer.carriers.sip.core.timers import Timer
from outdialer.carriers.sip.core.transaction import T1, T2, TIMEOUT, ClientTransaction, Request
from outdialer.carriers.sip.core.transaction import State as TransactionState
from outdialer.domain.identity import CallIdParts, branch, leg_identity
from outdialer.ports.carrier import Answered, DialOrder, Ended, LateAnswer, RemoteMedia, Ringing, Trying


class Call:
    """A call from its INVITE to its end; its far side by the table, its near side by events."""

    __slots__ = (
        "_authorization", "_cancels", "_early", "_heard", "_invites", "_local", "_others", "_patience_timer",
        "_q850", "_retry_after", "_ring_timer", "_sip_code", "_told", "_unknown_cancels", "_unknown_timer",
        "address", "answers", "credentials", "dialog", "endpoint", "identity", "leg", "media", "on_over",
        "order", "owner", "recovered", "remote_sequence", "state", "why",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, owner: CallIdParts, leg: int | None, address: Address) -> None:
        """``leg`` None: a call of an earlier life that nobody asked about; it gives no events but LateAnswer."""
        self.endpoint: Final = endpoint
        self.owner: Final = owner
        self.leg = leg
        self.identity: Final = leg_identity(endpoint.secret, *owner)
        self.address: Final = address
        self.state = State.CALLING
        self.answers: Final = Answers(endpoint, owner)
        self.credentials: Credentials | None = None
        self.dialog: Dialog | None = None
        self.media: RemoteMedia | None = None
        self.remote_sequence = -1
        self.order: DialOrder | None = None
        self.recovered = False
        self.why = ""
        self._local = False
        self._sip_code = self._q850 = self._retry_after = 0
        self._told: tuple[type, ...] = ()
        self._early: sdp.Description | None = None
        self._invites: list[ClientTransaction] = []
        self._others: list[ClientTransaction] = []
        self._cancels = self._unknown_cancels = 0
        self._ring_timer: Timer | None = None
        self._patience_timer: Timer | None = None
        self._unknown_timer: Timer | None = None
        self._authorization = ""
        self._heard: tuple[Message, Address] | None = None
        self.on_over: Callable[[float, Call], None] | None = None

    # What the user agent asks for

    def dial(self, now: float, order: DialOrder, uri: str, from_value: str) -> None:
        """Send the first INVITE and time the ring limit from here."""
        self.order = order
        self._invite(now, self.invite_request(1, uri, from_value))
        self._ring_timer = self.endpoint.transactions.timers.start(now + order.ring_limit_ms / 1000, self._ring_limit)

    def accept(self, now: float) -> None:
        """Acknowledge the answer."""
        if self.state is State.ANSWERED:
            self.endpoint.transactions.timers.stop(self._patience_timer)
        self.step(now, Input.ACCEPT)

    def hang_up(self, now: float, why: str) -> None:
        """End it from our side: CANCEL before the answer, BYE after it."""
        if (self.state, Input.GIVE_UP) in TABLE:
            self.why, self._local = why, True
            self.step(now, Input.GIVE_UP)

    def recall(self, now: float, requests: list[Request]) -> None:
        """Cancel INVITEs that an earlier life sent, and listen for what still comes to them."""
        self.state = State.RECALLING
        for request in requests:
            self.listen(now, request)
            self._cancel(now, self._invites[-1])

    def listen(self, now: float, request: Request) -> ClientTransaction:
        """Take responses to an INVITE of an earlier life."""
        self.state = State.RECALLING
        transaction = ClientTransaction(self.endpoint.transactions, request, self.address, self, self.leg)
        transaction.listen(now)
        self._invites.append(transaction)
        if self._patience_timer is None:
            self._patience_timer = self.endpoint.transactions.timers.start(now + TIMEOUT, self._out_of_patience)
        return transaction

    def clear(self, now: float, dialog: Dialog) -> None:
        """End an answered call of an earlier life, which may not have acknowledged it, by its stored dialog."""
        self.state = State.CLEARING
        self.dialog = dialog
        self._bye(now)
        self._acknowledge(now)

    def invite_request(self, sequence: int, uri: str, from_value: str) -> Request:
        """The INVITE with CSeq ``sequence``: a pure function of the leg, so that it can be made again."""
        return Request(
            method="INVITE",
            uri=uri,
            via=self.endpoint.via,
            branch=branch(self.endpoint.secret, *self.owner, "INVITE", sequence),
            from_value=f"{from_value};tag={self.identity.from_tag}",
            to_value=f"<{uri}>",
            call_id=self.identity.call_id,
            sequence=sequence,
        )

    def step(self, now: float, event: Input, heard: tuple[Message, Address] | None = None) -> bool:
        """Apply one row of the table; False when there is none."""
        row = TABLE.get((self.state, event))
        if row is None:
            return False
        self.state, actions = row
        self._heard = heard
        for action in actions:
            _ACTIONS[action](self, now)
        self._heard = None
        return True

    def hear_stray(self, now: float, message: Message, source: Address) -> None:
        """A response to an INVITE of this call whose transaction is over, or was an earlier life's."""
        answered = 200 <= message.status < 300 and self.dialog is not None
        if answered and not self.answers.repeat(message):
            self._another_answer(now, message, source)

    # What comes in from our transactions

    def on_response(self, now: float, transaction: ClientTransaction, message: Message, source: Address) -> None:
        """A response to one of our requests (``transaction.Listener``)."""
        if transaction.method == "INVITE":
            self._on_invite_response(now, transaction, message, source)
        elif transaction.method == "CANCEL":
            self._on_cancel_response(now, message.status)
        elif not self._bye_again(now, transaction, message, source):
            confirmed = message.status < 300 or message.status == 481
            self.step(now, Input.BYE_DONE if confirmed else Input.BYE_REFUSED)

    def on_timeout(self, now: float, transaction: ClientTransaction) -> None:
        """Timer B or F of one of our requests (``transaction.Listener``)."""
        if transaction.method == "INVITE":
            self.step(now, Input.SILENCE)
        elif transaction.method == "BYE":
            self.step(now, Input.BYE_SILENCE)

    def _on_invite_response(
        self, now: float, transaction: ClientTransaction, message: Message, source: Address
    ) -> None:
        status, heard = message.status, (message, source)
        if status < 200:
            if status != 100 and message.body and self._early is None:
                self._early = sdp.description_in(message)
            self.step(now, Input.RINGING if status in (180, 183) else Input.PROVISIONAL, heard)
        elif status < 300:
            if not self.step(now, Input.ANSWER, heard) and not self.answers.repeat(message):
                self._another_answer(now, message, source)
        elif status not in CHALLENGES or not self._answer_challenge(now, transaction, message, source):
            self.step(now, Input.REFUSAL, heard)

    def _another_answer(self, now: float, message: Message, source: Address) -> None:
        """A 2xx that is not to be taken: the kept one again, which waits for ``accept``, or one of another fork."""
        if self.dialog is None or self.dialog.remote_tag != tag_of(message.headers["to"]):
            self.answers.refuse(now, message, source)

    def _answer_challenge(self, now: float, transaction: ClientTransaction, message: Message, source: Address) -> bool:
        """True when a 401 or 407 to an INVITE is dealt with; at most one is answered (RFC 3261 section 22.2)."""
        if self.state is State.RECALLING:
            return transaction is not self._invites[-1]
        if (self.state, Input.CHALLENGE) not in TABLE:
            return False
        self._authorization = self._authorize(transaction, message, source)
        return bool(self._authorization) and self.step(now, Input.CHALLENGE, (message, source))

    def _on_cancel_response(self, now: float, status: int) -> None:
        self._unknown_cancels += status == 481
        if self._unknown_cancels == self._cancels and self.endpoint.same_address:
            # A far end that has answered may know no INVITE any more and still repeat its 200, every T2 at the least.
            timers = self.endpoint.transactions.timers
            self._unknown_timer = timers.start(now + T1 + T2, self._all_unknown)

    def _all_unknown(self, now: float) -> None:
        self.step(now, Input.CANCEL_UNKNOWN)

    def _bye_again(self, now: float, transaction: ClientTransaction, message: Message, source: Address) -> bool:
        line = self._authorize(transaction, message, source)
        if line:
            self._bye(now, line, transaction.request.sequence + 1)
        return bool(line)

    def _authorize(self, transaction: ClientTransaction, message: Message, source: Address) -> str:
        """The header line that answers a challenge, or empty."""
        if self.credentials is None or message.status not in CHALLENGES:
            return ""
        return self.credentials.answer(transaction.request, transaction.address, message, source)

    def _ring_limit(self, now: float) -> None:
        self.hang_up(now, "ring-limit")

    def _out_of_patience(self, now: float) -> None:
        self.step(now, Input.PATIENCE)

    def _not_accepted(self, now: float) -> None:
        """The far end gives up on a 200 without ACK after 64*T1 (RFC 3261 section 13.3.1.4), and so do we."""
        if self.state is State.ANSWERED:
            self.hang_up(now, "no-ack")

    # Actions of the table

    def _invite(self, now: float, request: Request) -> None:
        order, endpoint = self.order, self.endpoint
        assert order is not None
        session = int(self.identity.from_tag[:12], 16)
        expires = -(-order.peer.max_ring_ms // 1000)
        lines = f"{endpoint.contact_lines}{self._authorization}{order.peer.headers}"
        extra = f"{lines}Expires: {expires}\r\n{sdp.CONTENT_TYPE_LINE}"
        transaction = ClientTransaction(endpoint.transactions, request, self.address, self, self.leg)
        body = sdp.describe(order.rtp_address, order.rtp_port, session)
        transaction.start(now, request.serialise(extra, body), first=not self._invites)
        self._invites.append(transaction)

    def _retry(self, now: float) -> None:
        previous = self._invites[-1]
        previous.listener = self.answers
        from_value = previous.request.from_value.rpartition(";tag=")[0]
        self._invite(now, self.invite_request(previous.request.sequence + 1, previous.request.uri, from_value))

    def _silence_invite(self, now: float) -> None:
        self._invites[-1].silence()

    def _send_cancel(self, now: float) -> None:
        self._cancel(now, self._invites[-1])
        self._patience_timer = self.endpoint.transactions.timers.start(now + TIMEOUT, self._out_of_patience)

    def _cancel(self, now: float, invite: ClientTransaction) -> None:
        request = invite.request
        cancel = Request(
            method="CANCEL", uri=request.uri, via=request.via, branch=request.branch, from_value=request.from_value,
            to_value=request.to_value, call_id=request.call_id, sequence=request.sequence,
        )  # fmt: skip
        transaction = ClientTransaction(self.endpoint.transactions, cancel, self.address, self, self.leg)
        transaction.start(now, cancel.serialise())
        self._others.append(transaction)
        self._cancels += 1

    def _keep_dialog(self, now: float) -> None:
        assert self._heard is not None
        message, source = self._heard
        self.endpoint.transactions.timers.stop(self._ring_timer)
        self.dialog = dialog_from(message, source, self._invites[-1].request.uri)
        self.answers.answered = True
        self._sip_code = 200

    def _say_answered(self, now: float) -> None:
        assert self._heard is not None
        assert self.dialog is not None
        description = sdp.description_in(self._heard[0]) or self._early
        self._early = None
        if description is None or description.media is None:
            self.hang_up(now, "no-media")
            return
        self.media = description.media
        self._patience_timer = self.endpoint.transactions.timers.start(now + TIMEOUT, self._not_accepted)
        self._tell(Answered(self._leg(), 0, self.media, dump(self.dialog)))

    def _acknowledge(self, now: float) -> None:
        assert self.dialog is not None
        self.answers.acknowledge(self.dialog, "ACK", self.leg)

    def _bye(self, now: float, extra: str = "", sequence: int = 0) -> None:
        dialog = self.dialog
        assert dialog is not None
        sequence = sequence or dialog.sequence + 1
        bye_branch = branch(self.endpoint.secret, *self.owner, "BYE", sequence)
        request = in_dialog_request(dialog, "BYE", sequence, self.endpoint.via, bye_branch)
        transaction = ClientTransaction(self.endpoint.transactions, request, next_hop(dialog), self, self.leg)
        transaction.start(now, request.serialise(extra))
        self._others.append(transaction)

    def _say_trying(self, now: float) -> None:
        self._tell(Trying(self._leg(), 0))

    def _say_ringing(self, now: float) -> None:
        self._tell(Ringing(self._leg(), 0))

    def _say_late(self, now: float) -> None:
        self.endpoint.transactions.outputs.append(LateAnswer(*self.owner, at=0, leg=self.leg))
        if self.leg is None:
            self.accept(now)

    def _tell(self, event: Trying | Ringing | Answered) -> None:
        """Each kind of event once; none for a call that nobody asked about."""
        if self.leg is not None and type(event) not in self._told:
            self._told += (type(event),)
            self.endpoint.transactions.outputs.append(event)

    def _leg(self) -> int:
        return -1 if self.leg is None else self.leg

    def _note_refused(self, now: float) -> None:
        assert self._heard is not None
        headers = self._heard[0].headers
        self._sip_code = self._heard[0].status
        self._q850 = q850_cause(headers.get("reason", ""))
        self._retry_after = seconds(headers.get("retry-after", ""))
        self.why = self.why or "refused"

    def _note_silence(self, now: float) -> None:
        if self.why in ("", "ring-limit"):
            self.why, self._local = "no-response", True

    def _note_far_bye(self, now: float) -> None:
        assert self._heard is not None
        self.why = "bye"
        self._q850 = q850_cause(self._heard[0].headers.get("reason", ""))

    def _note_unreachable(self, now: float) -> None:
        self.why, self._local = "refused-address", True

    def _end(self, now: float) -> None:
        if self.recovered:
            self.why, self._local = "recovered", True
        if self.leg is not None:
            ended = Ended(
                leg=self.leg, at=0, local=self._local, sip_code=self._sip_code, q850_cause=self._q850,
                retry_after_s=self._retry_after, why=self.why,
            )  # fmt: skip
            self.endpoint.transactions.outputs.append(ended)
        self.release(now)

    def release(self, now: float) -> None:
        """Let everything go but what must still be acknowledged."""
        self.state = State.OVER
        timers = self.endpoint.transactions.timers
        timers.stop(self._ring_timer)
        timers.stop(self._patience_timer)
        timers.stop(self._unknown_timer)
        for transaction in self._others:
            transaction.stop()
        for transaction in self._invites:
            if transaction.state not in _FINISHED:
                transaction.stop()
        if self.on_over is not None:
            self.on_over(now, self)
        self.on_over = None

    def unforgotten(self) -> list[ClientTransaction]:
        """The INVITEs to which a response may still come when the call is over."""
        return [transaction for transaction in self._invites if transaction.state in _FINISHED]


_FINISHED = (TransactionState.COMPLETED, TransactionState.ACCEPTED)


_ACTIONS: dict[Do, Callable[[Call, float], None]] = {
    Do.SAY_TRYING: Call._say_trying,
    Do.SAY_RINGING: Call._say_ringing,
    Do.RETRY: Call._retry,
    Do.SILENCE_INVITE: Call._silence_invite,
    Do.CANCEL: Call._send_cancel,
    Do.KEEP_DIALOG: Call._keep_dialog,
    Do.SAY_ANSWERED: Call._say_answered,
    Do.ACK: Call._acknowledge,
    Do.BYE: Call._bye,
    Do.SAY_LATE: Call._say_late,
    Do.NOTE_REFUSED: Call._note_refused,
    Do.NOTE_SILENCE: Call._note_silence,
    Do.NOTE_FAR_BYE: Call._note_far_bye,
    Do.NOTE_UNREACHABLE: Call._note_unreachable,
    Do.END: Call._end,
    Do.FORGET: Call.release,
}
