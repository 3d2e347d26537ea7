"""What the REST side needs from a store for identities and for what a customer keeps beside its campaigns.

Implemented by ``outdialer.store.sqlite.store.SqliteStore``. As in ``ports.store``: the customer comes first, an id
of another customer answers like an unknown one, ``create_*`` returns the object that has the id already, ``save_*``
replaces the stored version that the given object was read as, ``delete_*`` marks, and every writer has its effect
durably on disk when it returns. Where ``seen`` names a version, changing an object that has another one by now
raises ``Conflict``.
"""

from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from outdialer.domain.directory import Agent, Customer, Entry, Login
from outdialer.domain.model import AccessKey
from outdialer.domain.units import Id, Instant
from outdialer.ports.events import EventStore
from outdialer.ports.idempotency import IdempotencyStore
from outdialer.ports.store import AdminStore, Page
from outdialer.ports.webhooks import WebhookStore

E = TypeVar("E", bound=Entry)
MOST_ENTRIES = 10_000
"""Living entries of one kind, and living agents, that a customer may have."""


class NameTaken(Exception):
    """Another living object has the name that must be unique: ``field`` says which."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"the {field} is taken")


class LimitReached(Exception):
    """The customer has as many objects of this kind as it may have."""


class LastAdmin(Exception):
    """The change would leave a customer without an admin."""


class AgentFilter(Struct, frozen=True):
    """Which agents a list shows."""

    tag_ids: tuple[Id, ...] | None = None
    """Those that hold any of these."""
    status: str | None = None


class Owned(Struct, Generic[E], frozen=True):
    """An entry, and the customer that it belongs to."""

    customer: int
    """Store key."""
    entry: E

    @property
    def id(self) -> Id:
        """The entry's id."""
        return self.entry.id

    @property
    def tm_create(self) -> Instant:
        """When the entry was made."""
        return self.entry.tm_create


class NewCustomer(Struct, frozen=True, kw_only=True):
    """A customer that is to be, and what opens its books first."""

    customer: Customer
    """Its store key and id are given when it is stored."""
    agent: Agent | None = None
    password_hash: str = ""
    access_key: AccessKey | None = None


class DirectoryStore(Protocol):
    """Entries of every kind."""

    async def create_entry(self, customer: int, entry: E) -> E:
        """Store a new entry.

        Raises:
            NameTaken: its unique name belongs to another one.
            LimitReached: the customer has too many of its kind.
            Oversold: the routes to a carrier may use more than it allows.
        """

    async def entry(self, customer: int, kind: type[E], entry_id: Id) -> E | None:
        """One entry, deleted or not."""

    async def entry_named(self, customer: int, kind: type[E], unique_name: str) -> E | None:
        """The living entry with this unique name."""

    async def entries(self, customer: int, kind: type[E], page: Page, related: Id | None = None) -> list[E]:
        """Entries, newest first, deleted ones where the page asks for them; of ``related``, where it is given."""

    async def save_entry(self, customer: int, entry: E, now: Instant) -> E:
        """Replace an entry.

        Raises:
            Conflict: the stored version is another one.
            NameTaken: its unique name belongs to another one.
            Oversold: the routes to a carrier may use more than it allows.
        """

    async def delete_entry(
        self, customer: int, kind: type[E], entry_id: Id, now: Instant, seen: int | None = None
    ) -> E | None:
        """Mark an entry as deleted; None: no such entry."""

    async def owned_entry(self, kind: type[E], entry_id: Id) -> Owned[E] | None:
        """One entry of whatever customer, deleted or not."""

    async def owned_entries(self, kind: type[E], page: Page, customer_id: Id | None = None) -> list[Owned[E]]:
        """Entries of all customers, or of the one with this public id, that are not deleted, newest first."""


class IdentityStore(Protocol):
    """Customers, agents and access keys."""

    async def install_secret(self) -> bytes:
        """The random bytes that this installation's secrets are derived from."""

    async def customer(self, customer: int) -> Customer | None:
        """The customer itself."""

    async def customers_page(self, page: Page) -> list[Customer]:
        """All customers, newest first."""

    async def create_customer(self, new: NewCustomer) -> Customer:
        """Store a new customer with its first agent and access key.

        Raises:
            NameTaken: the agent's ``username`` belongs to another agent.
        """

    async def schedule_deletion(self, customer: int, now: Instant) -> Customer | None:
        """Freeze a customer and stop its campaigns; a second time changes nothing. None: no such customer."""

    async def keep_customer(self, customer: int, now: Instant) -> Customer | None:
        """Take a scheduled deletion back while that can be done. None: no such customer."""

    async def save_customer(self, customer: Customer, now: Instant) -> Customer:
        """Replace what people edit of a customer.

        Raises:
            Conflict: the stored version is another one.
        """

    async def access_key_of(self, customer: int, key_id: Id) -> AccessKey | None:
        """One access key, deleted or not."""

    async def access_keys_page(self, customer: int, page: Page) -> list[AccessKey]:
        """Access keys that are not deleted, newest first."""

    async def rename_access_key(self, customer: int, key: AccessKey, now: Instant) -> AccessKey:
        """Change the name, detail and networks of a living access key.

        Raises:
            Conflict: it was changed or revoked meanwhile.
        """

    async def rotate_access_key(self, customer: int, key: AccessKey, replaced: bytes, now: Instant) -> AccessKey:
        """Give a living access key another token, with all that goes with it.

        Raises:
            Conflict: its token is not the ``replaced`` one, or it is revoked.
        """

    async def note_access_key_use(self, customer: int, key_id: Id, now: Instant, before: Instant) -> None:
        """Write down a use of an access key whose last known one is older than ``before``."""

    async def revoke_access_key(
        self, customer: int, key_id: Id, now: Instant, seen: int | None = None
    ) -> AccessKey | None:
        """Mark an access key as deleted: it opens nothing from this moment on. None: no such key."""

    async def create_agent(self, customer: int, agent: Agent, password_hash: str) -> Agent:
        """Store a new agent.

        Raises:
            NameTaken: the ``username`` or one of the ``addresses`` belongs to another agent.
            LimitReached: the customer has too many agents.
        """

    async def agent(self, customer: int, agent_id: Id) -> Agent | None:
        """One agent, deleted or not."""

    async def agents(self, customer: int, page: Page, wanted: AgentFilter) -> list[Agent]:
        """Agents that are not deleted, newest first."""

    async def save_agent(self, customer: int, agent: Agent, now: Instant) -> Agent:
        """Replace an agent.

        Raises:
            Conflict: the stored version is another one.
            NameTaken: one of the ``addresses`` belongs to another agent.
            LastAdmin: it was the customer's last admin and would be one no more.
        """

    async def set_agent_password(
        self, customer: int, agent_id: Id, password_hash: str, now: Instant, seen: int | None = None
    ) -> Agent | None:
        """Give a living agent another password; None: there is none."""

    async def delete_agent(self, customer: int, agent_id: Id, now: Instant, seen: int | None = None) -> Agent | None:
        """Mark an agent as deleted; its username and addresses are free again. None: no such agent.

        Raises:
            LastAdmin: it is the customer's last admin.
        """

    async def login(self, username: str) -> Login | None:
        """What lets the living agent with this username in, over all customers."""

    async def login_of(self, agent_id: Id) -> Login | None:
        """What lets this living agent in, over all customers."""


class ApiStore(AdminStore, DirectoryStore, IdentityStore, EventStore, WebhookStore, IdempotencyStore, Protocol):
    """All that the REST side needs."""
