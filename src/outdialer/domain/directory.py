"""The records that a customer keeps beside its campaigns: people who take calls, scripts, queues, carriers, phones.

All but ``Customer`` and ``Agent`` are entries: an id, a version, three times, and what they say. A store keeps every
kind of entry in the same way; ``KINDS`` names the kinds.
"""

from collections.abc import Mapping

from msgspec import Struct, structs

from outdialer.domain.model import Action, Address
from outdialer.domain.units import MICROSECONDS_PER_SECOND, NIL_ID, Id, Instant, Milliseconds, format_id


def customer_id(key: int) -> Id:
    """The public id of a customer: a UUID version 8 (RFC 9562 section 5.8) whose last bytes are its store key."""
    return bytes([0, 0, 0, 0, 0, 0, 0x80, 0, 0x80, 0]) + key.to_bytes(6, "big")


def customer_key(public_id: Id) -> int | None:
    """The store key in a customer's public id; None: it is no customer's."""
    key = int.from_bytes(public_id[10:], "big")
    return key if customer_id(key) == public_id else None


class Entry(Struct, frozen=True, kw_only=True):
    """What every record of the directory has."""

    id: Id
    version: int = 1
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None

    def __repr__(self) -> str:
        """Which one it is, and nothing that a log should not hold."""
        return f"{type(self).__name__}({format_id(self.id)})"

    @property
    def unique_name(self) -> str:
        """What no other living entry of its kind may be called inside one customer; "" when nothing."""
        return ""

    @property
    def related(self) -> Id:
        """What lists of its kind can be narrowed by; nil when they cannot."""
        return NIL_ID

    @property
    def published(self) -> "Entry":
        """The entry without its secrets, as events carry it."""
        return self


class Tag(Entry, frozen=True, kw_only=True):
    """A skill or a team: it joins queues to agents."""

    name: str = ""
    detail: str = ""


class Flow(Entry, frozen=True, kw_only=True):
    """A call script that can be named."""

    type: str = "flow"
    name: str = ""
    detail: str = ""
    actions: tuple[Action, ...] = ()
    on_complete_flow_id: Id = NIL_ID
    direct_hash: str = ""
    """The shortcut for calls that come in; "" until one is made."""


class Queue(Entry, frozen=True, kw_only=True):
    """People who wait for an agent that holds any of the tags; without tags any agent will do."""

    name: str = ""
    detail: str = ""
    routing_method: str = "random"
    tag_ids: tuple[Id, ...] = ()
    wait_flow_id: Id = NIL_ID
    wait_timeout_ms: Milliseconds = 0
    """0: they wait without limit."""
    service_timeout_ms: Milliseconds = 0
    """0: they talk without limit."""
    direct_hash: str = ""


class Extension(Entry, frozen=True, kw_only=True):
    """A registered phone."""

    extension: str
    name: str = ""
    detail: str = ""
    password: str = ""
    direct_hash: str = ""

    @property
    def unique_name(self) -> str:
        """Its number."""
        return self.extension

    @property
    def published(self) -> "Extension":
        """Without the password."""
        return structs.replace(self, password="")


class InboundTrunk(Entry, frozen=True, kw_only=True):
    """How a customer's own exchange proves who it is when it calls us. Nothing is dialled through it."""

    name: str = ""
    detail: str = ""
    domain_name: str = ""
    auth_types: tuple[str, ...] = ()
    username: str = ""
    password: str = ""
    allowed_ips: tuple[str, ...] = ()

    @property
    def unique_name(self) -> str:
        """Its domain."""
        return self.domain_name

    @property
    def published(self) -> "InboundTrunk":
        """Without the password."""
        return structs.replace(self, password="")


class Provider(Entry, frozen=True, kw_only=True):
    """A carrier."""

    type: str = "sip"
    hostname: str = ""
    tech_prefix: str = ""
    """Goes before every number that is sent to it."""
    tech_postfix: str = ""
    tech_headers: dict[str, str] = {}
    """Header lines of every INVITE that is sent to it."""
    name: str = ""
    detail: str = ""
    codecs: str = ""
    rate_per_s: float = 1.0
    """Calls a second that it takes from all customers together; 0: no limit."""
    channels: int = 10
    """Calls that it takes at once from all customers together; 0: no limit."""
    max_ring_ms: Milliseconds = 180_000
    """How long it may ring on when nobody cancels."""


class Route(Entry, frozen=True, kw_only=True):
    """Which carrier takes which numbers of a customer."""

    customer_id: Id = NIL_ID
    name: str = ""
    detail: str = ""
    provider_id: Id = NIL_ID
    priority: int = 0
    target: str = "all"
    """``all``; older records may hold a country code such as ``+82``, and carry nothing."""
    rate_per_s: float = 0.0
    """The customer's share of the carrier's calls a second; 0: all of them."""
    channels: int = 0
    """The customer's share of the carrier's calls at once; 0: all of them."""

    @property
    def related(self) -> Id:
        """The customer whose calls it carries."""
        return self.customer_id


THE_ONLY_ONE = "own"
"""The unique name of a kind of which a customer has one at most."""


class OutboundConfig(Entry, frozen=True, kw_only=True):
    """Where a customer's calls may go. A customer has one at most."""

    name: str = ""
    detail: str = ""
    destination_whitelist: tuple[str, ...] = ()
    """ISO 3166 alpha-2 country codes in lower case."""
    codecs: str = ""
    default_outgoing_source_number_id: Id = NIL_ID

    @property
    def unique_name(self) -> str:
        """The same for all: there is one."""
        return THE_ONLY_ONE


class Number(Entry, frozen=True, kw_only=True):
    """A phone number that belongs to a customer."""

    number: str
    type: str = "normal"
    call_flow_id: Id = NIL_ID
    message_flow_id: Id = NIL_ID
    name: str = ""
    detail: str = ""
    rtp_debug: bool = False
    tm_renew: Instant | None = None

    @property
    def unique_name(self) -> str:
        """The number."""
        return self.number


class Webhook(Entry, frozen=True, kw_only=True):
    """Where a customer is told of events. Its secret is derived and nowhere written down (``api.webhooks.signing``)."""

    name: str = ""
    detail: str = ""
    uri: str = ""
    method: str = "POST"
    event_types: tuple[str, ...] = ()
    """Of which it is told; empty: of all."""


KINDS: Mapping[type[Entry], str] = {
    Tag: "tag",
    Flow: "flow",
    Queue: "queue",
    Extension: "extension",
    InboundTrunk: "trunk",
    Provider: "provider",
    Route: "route",
    OutboundConfig: "outbound_config",
    Number: "number",
    Webhook: "webhook",
}
"""What each kind of entry is called in the books and in the names of events."""


class Agent(Entry, frozen=True, kw_only=True):
    """A person who takes calls or runs the place. The password is not part of the record."""

    username: str
    """An e-mail address, unique over all customers."""
    name: str = ""
    detail: str = ""
    ring_method: str = "ringall"
    status: str = "offline"
    permission: int = 0
    """Bits of ``domain.permissions``."""
    tag_ids: tuple[Id, ...] = ()
    addresses: tuple[Address, ...] = ()
    direct_hash: str = ""

    @property
    def unique_name(self) -> str:
        """The username."""
        return self.username


class Login(Struct, frozen=True, kw_only=True):
    """What is needed to let an agent in."""

    customer: int
    """Store key."""
    agent: Agent
    password_hash: str

    def __repr__(self) -> str:
        """Whose it is, and nothing that a log should not hold."""
        return f"Login({self.agent!r})"


DELETION_GRACE_US = 30 * 86_400 * MICROSECONDS_PER_SECOND
"""How long a deletion that is scheduled can be taken back."""


class Standing(Struct, frozen=True):
    """What decides whether a customer's credentials open anything."""

    status: str = "active"
    tm_deletion_scheduled: Instant | None = None
    """Since when the customer is frozen."""

    def at(self, now: Instant) -> str:
        """``active``; ``frozen`` while a deletion is scheduled and can be taken back; ``deleted`` after that."""
        if self.tm_deletion_scheduled is None:
            return self.status
        return "frozen" if now < self.tm_deletion_scheduled + DELETION_GRACE_US else "deleted"


class Customer(Struct, frozen=True, kw_only=True):
    """A tenant: the owner of everything else."""

    key: int
    """Store key."""
    id: Id
    name: str = ""
    detail: str = ""
    email: str = ""
    phone_number: str = ""
    address: str = ""
    webhook_method: str = ""
    webhook_uri: str = ""
    billing_account_id: Id = NIL_ID
    rtp_debug: bool = False
    status: str = "active"
    version: int = 1
    tm_create: Instant | None = None
    """None for customers that are older than this column."""
    tm_update: Instant | None = None
    tm_delete: Instant | None = None
    tm_deletion_scheduled: Instant | None = None
    """Since when the customer is frozen."""

    @property
    def standing(self) -> Standing:
        """What decides whether its credentials open anything."""
        return Standing(self.status, self.tm_deletion_scheduled)

    def status_at(self, now: Instant) -> str:
        """``active``, ``frozen`` or ``deleted``, see ``Standing``."""
        return self.standing.at(now)
