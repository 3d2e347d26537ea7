"""The user agent: orders and datagrams in; packets, events and the next deadline out. Pure (sans-I/O).

The caller owns sockets and clocks: it calls a method, then takes the outputs, then waits until ``next_deadline``
or the next datagram. ``now`` is in seconds of any monotonic clock; it never goes back.
"""

from collections.abc import Callable

from outdialer.carriers.sip.core.answering import Answering
from outdialer.carriers.sip.core.call import Call
from outdialer.carriers.sip.core.call_table import Input
from outdialer.carriers.sip.core.credentials import Credentials
from outdialer.carriers.sip.core.dialog import load
from outdialer.carriers.sip.core.endpoint import Endpoint
from outdialer.carriers.sip.core.finished import FinishedInvites
from outdialer.carriers.sip.core.headers import address_parts, branch_of, single_via, tag_of
from outdialer.carriers.sip.core.message import Message, ParseError, parse
from outdialer.carriers.sip.core.outputs import Address, Output, Probed
from outdialer.carriers.sip.core.transaction import ClientTransaction, Request
from outdialer.carriers.sip.core.uri import from_value, join_host_port, parse_uri, request_uri
from outdialer.domain.identity import CallIdParts, branch, leg_identity, verify_call_id
from outdialer.ports.carrier import DialOrder, Peer, RememberedLeg

PROBE_TIMEOUT_S = 3.0


class UserAgent:
    """All calls of one local address."""

    def __init__(self, secret: bytes, host: str, port: int, *, same_address: bool = True) -> None:
        """``host`` and ``port`` are what Via and Contact name; ``secret`` keys every identifier.

        ``same_address`` False: an earlier life may have had another host or port, so that a 481 to a CANCEL does
        not confirm that its leg is dead.
        """
        self._endpoint = Endpoint(secret, host, port, same_address=same_address)
        self._transactions = self._endpoint.transactions
        self._calls: dict[str, Call] = {}
        self._legs: dict[int, Call] = {}
        self._finished = FinishedInvites(self._endpoint)
        self._answering = Answering(self._endpoint, self._calls)

    # Orders

    def invite(self, now: float, order: DialOrder, address: Address, password: str = "") -> None:
        """Call; ``address`` is the peer's, resolved. ``Sent`` is for the shell to say.

        Raises:
            ValueError: the order cannot be written into a request (its text is for ``NotSent.why``), or its leg
                is already here.
        """
        call, uri, sender = self._open(order, address, password)
        self._register(call)
        call.dial(now, order, uri, sender)

    def accept(self, now: float, leg: int) -> None:
        """Acknowledge the answer of a leg, once. Unknown and ended legs are ignored."""
        call = self._legs.get(leg)
        if call is not None:
            call.accept(now)

    def hang_up(self, now: float, leg: int, why: str) -> None:
        """End a leg: CANCEL or BYE. Unknown legs are ignored."""
        call = self._legs.get(leg)
        if call is not None:
            call.hang_up(now, why)

    def adopt(self, now: float, remembered: RememberedLeg, address: Address, password: str = "") -> None:
        """Try to end a leg of an earlier life: BYE by its stored dialog, else CANCEL (and wait for late answers).

        Raises:
            ValueError: as for ``invite``.
        """
        known = self._calls.get(leg_identity(self._endpoint.secret, remembered.attempt_id, remembered.leg_number)[0])
        if known is not None and known.leg is None:
            known.leg, known.recovered = remembered.leg, True
            self._legs[remembered.leg] = known
            return
        call, uri, sender = self._open(remembered, address, password)
        call.recovered = True
        self._register(call)
        dialog = load(remembered.dialog) if remembered.dialog else None
        if dialog is not None:
            call.clear(now, dialog)
            return
        last = 2 if remembered.peer.username else 1
        call.recall(now, [call.invite_request(sequence, uri, sender) for sequence in range(1, last + 1)])

    def options(self, now: float, probe: int, peer: Peer, address: Address) -> None:
        """Ask whether a peer is there; ends with ``Probed`` within 3 s. ``probe`` is new each time."""
        endpoint = self._endpoint
        identity = leg_identity(endpoint.secret, probe.to_bytes(16, "big"), 0)
        uri = f"sip:{_domain(peer)}"
        request = Request(
            method="OPTIONS",
            uri=uri,
            via=endpoint.via,
            branch=branch(endpoint.secret, probe.to_bytes(16, "big"), 0, "OPTIONS", 1),
            from_value=f"<{endpoint.contact_uri}>;tag={identity.from_tag}",
            to_value=f"<{uri}>",
            call_id=f"probe-{identity.call_id}",
            sequence=1,
        )
        transaction = ClientTransaction(
            self._transactions, request, address, _Probe(self._transactions.outputs, probe), None
        )
        transaction.start(now, request.serialise(endpoint.contact_lines), give_up_s=PROBE_TIMEOUT_S)

    # The world

    def receive(self, now: float, data: bytes, source: Address) -> None:
        """Take one datagram. Whatever it holds, nothing is raised."""
        try:
            message = parse(data)
        except ParseError:
            return
        if not message.status:
            self._answering.receive(now, message, source)
            return
        sent_branch = branch_of(message.headers["via"])
        transaction = self._transactions.table.get((sent_branch, message.method))
        if transaction is not None:
            transaction.hear(now, message, source)
        elif message.method == "INVITE" and not self._finished.hear(now, sent_branch, message, source):
            self._hear_stray(now, message, source)

    def wake(self, now: float) -> None:
        """Do what is due."""
        self._transactions.timers.run(now)

    def next_deadline(self) -> float | None:
        """When ``wake`` has something to do, or None."""
        return self._transactions.timers.next_deadline()

    def take_outputs(self) -> list[Output]:
        """Everything produced since the last call, in order."""
        taken = self._transactions.outputs[:]
        self._transactions.outputs.clear()
        return taken

    def not_sent(self, now: float, leg: int) -> None:
        """The shell could not send the first INVITE of ``leg``: it never was, and gives no event."""
        call = self._legs.get(leg)
        if call is not None:
            call.release(now)

    def unreachable(self, now: float, leg: int) -> None:
        """The shell refused to send a packet of ``leg`` to the address it names: the leg ends here."""
        call = self._legs.get(leg)
        if call is not None:
            call.step(now, Input.UNREACHABLE)

    def open_legs(self) -> list[int]:
        """The legs that have not ended."""
        return list(self._legs)

    def leftovers(self) -> dict[str, int]:
        """How much state is held, by kind; all zero some time after the last call."""
        return {
            "calls": len(self._calls),
            "legs": len(self._legs),
            "transactions": len(self._transactions.table),
            "finished invites": len(self._finished),
            "stored responses": len(self._answering),
            "timers": len(self._transactions.timers),
        }

    # Inside

    def _open(self, order: DialOrder | RememberedLeg, address: Address, password: str) -> tuple[Call, str, str]:
        peer, endpoint = order.peer, self._endpoint
        uri = request_uri(order.destination, _domain(peer), peer.prefix, peer.postfix)
        sender = from_value(order.source, order.source_name, peer.domain or endpoint.host)
        call = Call(endpoint, CallIdParts(order.attempt_id, order.leg_number), order.leg, address)
        if call.identity.call_id in self._calls or order.leg in self._legs:
            raise ValueError("duplicate-leg")
        if peer.username:
            call.credentials = Credentials(endpoint, peer, password, address)
        return call, uri, sender

    def _register(self, call: Call) -> None:
        self._calls[call.identity.call_id] = call
        if call.leg is not None:
            self._legs[call.leg] = call
        call.on_over = self._unregister

    def _unregister(self, now: float, call: Call) -> None:
        self._calls.pop(call.identity.call_id, None)
        if call.leg is not None:
            self._legs.pop(call.leg, None)
        for invite in call.unforgotten():
            self._finished.keep(now, invite, call.answers)

    def _hear_stray(self, now: float, message: Message, source: Address) -> None:
        """A response to an INVITE that no transaction waits for: if the INVITE was ours, cancel or clear it."""
        owner = verify_call_id(self._endpoint.secret, message.call_id)
        if owner is None or not self._is_ours(message, owner):
            return
        call = self._calls.get(message.call_id)
        if call is not None:
            call.hear_stray(now, message, source)
            return
        uri = address_parts(message.headers["to"])[0]
        if parse_uri(uri) is None:
            return
        call = Call(self._endpoint, owner, None, source)
        self._register(call)
        sender = message.headers["from"].rpartition(";tag=")[0]
        request = call.invite_request(message.sequence, uri, sender)
        if message.status < 200:
            call.recall(now, [request])
        else:
            call.listen(now, request).hear(now, message, source)

    def _is_ours(self, message: Message, owner: CallIdParts) -> bool:
        secret = self._endpoint.secret
        return (
            tag_of(message.headers["from"]) == leg_identity(secret, *owner).from_tag
            and branch_of(message.headers["via"]) == branch(secret, *owner, "INVITE", message.sequence)
            and single_via(message.headers["via"])
        )


class _Probe:
    """Waits for the end of one OPTIONS request."""

    def __init__(self, outputs: list[Output], probe: int) -> None:
        self._say: Callable[[Output], None] = outputs.append
        self._probe = probe

    def on_response(self, now: float, transaction: ClientTransaction, message: Message, source: Address) -> None:
        """Any final response proves that somebody is there."""
        self._say(Probed(self._probe, message.status))

    def on_timeout(self, now: float, transaction: ClientTransaction) -> None:
        """Nobody answered."""
        self._say(Probed(self._probe, 0))


def _domain(peer: Peer) -> str:
    return peer.domain or join_host_port(peer.host, peer.port)
