"""How calls are placed: the port, its orders and its events.

Implemented by ``outdialer.carriers.sip.carrier.SipCarrier`` and
``outdialer.carriers.simulator.carrier.SimulatorCarrier``.

The vocabulary is neutral between carriers. Orders are plain method calls that never block: their effects come
back as events, each with its time, through the one function given to ``start``.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from msgspec import Struct

from outdialer.domain.units import Id, Instant, Milliseconds


class Peer(Struct, frozen=True, kw_only=True):
    """A trunk's far end as the sender needs it."""

    trunk: int
    """The trunk's store key."""
    host: str
    """Name or address the requests are sent to (the outbound proxy where there is one)."""
    port: int = 5060
    domain: str = ""
    """Host part of Request-URIs and To made from numbers; empty: ``host`` and ``port``."""
    prefix: str = ""
    """Goes before a number in the Request-URI."""
    postfix: str = ""
    headers: str = ""
    """Complete header lines of every INVITE."""
    username: str = ""
    """Digest user; empty: challenges are not answered."""
    password_file: str = ""
    """Path of the file that holds the digest password (its first line). The password itself is never stored."""
    realm: str = ""
    """The only realm whose challenges are answered; empty: the first realm this peer's own address asked for."""
    max_ring_ms: Milliseconds = 180_000
    """How long the far end may ring on when nobody cancels; goes out as Expires (RFC 3261 section 20.19)."""


class DialOrder(Struct, frozen=True, kw_only=True):
    """One INVITE that the books already know: the intent of a claimed attempt."""

    leg: int
    """The leg's store key; every event names it."""
    attempt_id: Id
    leg_number: int
    destination: str
    """E.164 number (``+12025550123``) or SIP URI, normalised."""
    source: str
    """Caller id: E.164 number or SIP URI; empty: anonymous."""
    source_name: str = ""
    peer: Peer
    ring_limit_ms: Milliseconds
    send_not_after: Instant
    rtp_address: str
    """Address and port our audio is received at, as offered in SDP."""
    rtp_port: int


class RememberedLeg(Struct, frozen=True, kw_only=True):
    """A leg of an earlier life of the engine, whose fate is not known."""

    leg: int
    attempt_id: Id
    leg_number: int
    destination: str
    source: str
    source_name: str = ""
    peer: Peer
    dialog: bytes = b""
    """What ``Answered.dialog`` held, or empty when no answer was stored."""


class RemoteMedia(Struct, frozen=True, kw_only=True):
    """Where the far end wants its audio, from its SDP answer."""

    address: str
    port: int
    payload_type: int = 0
    """0 is PCMU, 8 is PCMA (RFC 3551)."""


class Sent(Struct, frozen=True, tag=True):
    """The first INVITE of the leg was handed to the kernel."""

    leg: int
    at: Instant


class NotSent(Struct, frozen=True, tag=True):
    """The carrier itself knows that nothing of this leg left the process; ``why`` says what forbade it."""

    leg: int
    at: Instant
    why: str


class Trying(Struct, frozen=True, tag=True):
    """The far end has the INVITE (a first provisional response)."""

    leg: int
    at: Instant


class Ringing(Struct, frozen=True, tag=True):
    """The far end rings (180, or 183 with or without early media). Sent once per leg."""

    leg: int
    at: Instant


class Answered(Struct, frozen=True, tag=True):
    """The person answered. Sent once per leg; the far end repeats its 200 until ``Carrier.accept``."""

    leg: int
    at: Instant
    media: RemoteMedia
    dialog: bytes
    """Opaque: what a restarted engine needs to end this dialog."""


class Ended(Struct, frozen=True, tag=True, kw_only=True):
    """The leg is over, and nothing of it is up at the far end any more. The last event of a leg."""

    leg: int
    at: Instant
    local: bool
    """True when our side ended it (ring limit, hang-up order), False when the far end did."""
    sip_code: int = 0
    """Final response to the INVITE; 200 for an answered call; 0 when none came."""
    q850_cause: int = 0
    """From a ``Reason: Q.850;cause=n`` header (RFC 3326); 0 when there was none."""
    retry_after_s: int = 0
    """From Retry-After (RFC 3261 section 20.33); 0 when there was none."""
    why: str = ""
    """What exactly happened, in a word or two: ``bye``, ``ring-limit``, ``no-response``, ``gone`` ..."""


class LateAnswer(Struct, frozen=True, tag=True):
    """A 200 came for a leg that was given up, or for one of an earlier life; it is acknowledged and ended."""

    attempt_id: Id
    leg_number: int
    at: Instant
    leg: int | None = None
    """Set for a leg given to ``recover``: it is ended after ``Carrier.accept``, so that the note is on the books
    first; the far end repeats its 200 meanwhile. None: it was ended at once."""


CarrierEvent: TypeAlias = Sent | NotSent | Trying | Ringing | Answered | Ended | LateAnswer
EventSink: TypeAlias = Callable[[CarrierEvent], None]


class PeerHealth(Struct, frozen=True, kw_only=True):
    """What a probe of a trunk (an OPTIONS request, RFC 3261 section 11) found."""

    reachable: bool
    """True when any SIP response came."""
    sip_code: int = 0
    why: str = ""


class Carrier(Protocol):
    """Places and ends calls. All times are wall-clock ``Instant`` values from the injected clock."""

    async def start(self, sink: EventSink) -> None:
        """Open the transports; ``sink`` receives every event from now on, on the event loop.

        Raises:
            OSError: the local address cannot be bound.
        """

    async def stop(self) -> None:
        """Close the transports. Calls that are still up are not ended: hang them up first."""

    def dial(self, order: DialOrder) -> None:
        """Send the INVITE of ``order`` now, unless its deadline has passed (then: ``NotSent``)."""

    def accept(self, leg: int) -> None:
        """Acknowledge the answer of a leg, now that it is on the books.

        A crash before this leaves an answer that the far end repeats (RFC 3261 section 13.3.1.4) and that the next
        life acknowledges and ends; a crash after it leaves a stored dialog. No third case can keep a person on a
        line that nobody knows of. Repeated 200s are acknowledged by the carrier itself from then on. Unknown legs
        and legs already accepted or ended are ignored. A leg of an earlier life is ended as well (``LateAnswer``).
        """

    def hang_up(self, leg: int, why: str) -> None:
        """End a leg: CANCEL before the answer, BYE after it; ``Ended.why`` is ``why`` and ``Ended.local`` is true.

        An answer that is not accepted yet is acknowledged first. Unknown or ended legs are ignored.
        """

    def recover(self, legs: list[RememberedLeg]) -> None:
        """Try to end each leg of an earlier life; ``Ended`` comes only for those confirmed dead by the far end."""

    async def probe(self, peer: Peer) -> PeerHealth:
        """Ask whether a peer is there, within 3 s, without ringing anybody."""
