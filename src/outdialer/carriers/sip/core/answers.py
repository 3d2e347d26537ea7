"""The 2xx responses to one INVITE: each is acknowledged, all but the first are ended (RFC 3261 section 13.2.2.4).

Outlives its call for 64*T1, so that a repeated 200 still gets its ACK.
"""

from msgspec import Struct

from outdialer.carriers.sip.core.dialog import Dialog, dialog_from, in_dialog_request, next_hop
from outdialer.carriers.sip.core.endpoint import Endpoint
from outdialer.carriers.sip.core.headers import address_parts, tag_of
from outdialer.carriers.sip.core.message import Message
from outdialer.carriers.sip.core.outputs import Address
from outdialer.carriers.sip.core.transaction import ClientTransaction
from outdialer.carriers.sip.core.uri import parse_uri
from outdialer.domain.identity import CallIdParts, branch
from outdialer.ports.carrier import LateAnswer

_MAX_ANSWERS = 16
"""Answers of one INVITE that are dealt with; a forking proxy has fewer."""


class SentAck(Struct, frozen=True, gc=False):
    """An ACK as it was sent, to be sent again."""

    remote_tag: str
    data: bytes
    address: Address


class Answers:
    """What was acknowledged, by the far end's tag."""

    __slots__ = ("_acks", "_endpoint", "answered", "owner")

    def __init__(
        self, endpoint: Endpoint, owner: CallIdParts, acks: tuple[SentAck, ...] = (), *, answered: bool = False
    ) -> None:
        self._endpoint = endpoint
        self.owner = owner
        self._acks = acks
        self.answered = answered
        """Whether the call took an answer; when not, any 2xx after its end is late."""

    def sent_acks(self) -> tuple[SentAck, ...]:
        """Every ACK that was sent."""
        return self._acks

    def repeat(self, message: Message) -> bool:
        """Acknowledge again when this answer is known."""
        remote_tag = tag_of(message.headers["to"])
        known = next((ack for ack in self._acks if ack.remote_tag == remote_tag), None)
        if known is not None:
            self._endpoint.transactions.send(known.data, known.address)
        return known is not None

    def acknowledge(self, dialog: Dialog, label: str, leg: int | None = None) -> None:
        """Send the ACK of a dialog's 2xx and keep it; ``label`` tells the branches of several ACKs apart."""
        endpoint = self._endpoint
        ack_branch = branch(endpoint.secret, *self.owner, label, dialog.sequence)
        data = in_dialog_request(dialog, "ACK", dialog.sequence, endpoint.via, ack_branch).serialise()
        hop = next_hop(dialog)
        self._acks += (SentAck(dialog.remote_tag, data, hop),)
        endpoint.transactions.send(data, hop, leg)

    def refuse(self, now: float, message: Message, source: Address) -> None:
        """End the dialog of an answer that nobody wants, and acknowledge it (``call_table`` says why in this order)."""
        if len(self._acks) >= _MAX_ANSWERS:
            return
        endpoint = self._endpoint
        dialog = dialog_from(message, source, _called_uri(message, endpoint))
        sequence = dialog.sequence + 1
        label = f"BYE:{dialog.remote_tag}"
        bye = in_dialog_request(
            dialog, "BYE", sequence, endpoint.via, branch(endpoint.secret, *self.owner, label, sequence)
        )
        ClientTransaction(endpoint.transactions, bye, next_hop(dialog), None, None).start(now, bye.serialise())
        self.acknowledge(dialog, f"ACK:{dialog.remote_tag}")

    def on_response(self, now: float, transaction: ClientTransaction, message: Message, source: Address) -> None:
        """A response to the INVITE after its call was over."""
        if not 200 <= message.status < 300 or self.repeat(message):
            return
        if not self.answered:
            self.answered = True
            self._endpoint.transactions.outputs.append(LateAnswer(*self.owner, at=0))
        self.refuse(now, message, source)

    def on_timeout(self, now: float, transaction: ClientTransaction) -> None:
        """Nothing is waited for any more."""


def _called_uri(message: Message, endpoint: Endpoint) -> str:
    """Whom the INVITE called, for an answer without a Contact."""
    uri = address_parts(message.headers["to"])[0]
    return uri if parse_uri(uri) else endpoint.contact_uri
