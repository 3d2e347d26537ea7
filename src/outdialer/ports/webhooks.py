"""What passing events on to webhooks needs from a store: where each endpoint stands, and what waits for its next try.

Implemented by ``outdialer.store.sqlite.store.SqliteStore``. An endpoint is a ``Webhook`` of the directory, or a
customer's own ``webhook_uri``; the latter has the customer's public id. What an endpoint has not taken yet is either
in the outbox behind its cursor or waits here, with everything that will be sent.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from outdialer.domain.units import NIL_ID, Id, Instant
from outdialer.ports.events import Cursor


class WebhookState(Struct, frozen=True, kw_only=True):
    """What the program knows of an endpoint, beside what people have written."""

    enabled: bool = True
    reason: str = ""
    """Why it is disabled."""
    secret_number: int = 1
    """Counts its secrets; each rotation adds one."""
    tm_rotate: Instant | None = None
    """When its secret was rotated last."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """A place that events are delivered to."""

    customer: int
    """Store key."""
    id: Id
    uri: str
    method: str
    """"" means ``POST``."""
    event_types: tuple[str, ...] = ()
    """Empty: all."""
    state: WebhookState = WebhookState()
    cursor: Cursor = 0
    """Everything before is delivered, waits, or was given up."""
    failing_since: Instant | None = None
    """The first failure after the last success; None: the last try was one."""


class Waiting(Struct, frozen=True, kw_only=True):
    """An event that waits for its next try, or behind another one of the same object."""

    event_id: str
    type: str
    subject: Id = NIL_ID
    """The object whose events keep their order."""
    body: bytes = b""
    """What is sent. Left out where it is on the books already."""
    size: int = 0
    """Its length in bytes, also where it is left out."""
    tries: int = 0
    first_try: Instant | None = None
    last_try: Instant | None = None
    due: Instant
    code: int = 0
    """The status code that the last try was answered with; 0: none."""
    why: str = ""
    """Why the last try failed."""


class Progress(Struct, frozen=True, kw_only=True):
    """What has changed for one endpoint since it was last written down."""

    customer: int
    endpoint: Id
    cursor: Cursor
    failing_since: Instant | None = None
    disabled: str = ""
    """Why the endpoint is disabled from now on; "" when it is not."""
    put: tuple[Waiting, ...] = ()
    """New and changed ones, in order."""
    gone: tuple[str, ...] = ()
    """The ids of events that wait no more."""


class Try(Struct, frozen=True, kw_only=True):
    """One delivery that was tried, as people may see it."""

    event_id: str
    type: str
    at: Instant
    code: int
    """The status code; 0: there was no answer."""
    why: str
    """Why it failed; "" when it did not."""


class WebhookStore(Protocol):
    """Endpoints and what waits for them."""

    async def webhook_endpoints(self) -> list[Endpoint]:
        """The enabled endpoints of all customers. A new one begins at the event after its own creation."""

    async def webhook_state(self, customer: int, endpoint: Id) -> WebhookState:
        """Where an endpoint stands; of one that has no events to take yet, the state of a new one."""

    async def rotate_webhook_secret(self, customer: int, endpoint: Id, now: Instant) -> WebhookState:
        """Count one secret on. The same order, known by its time, has one effect."""

    async def enable_webhook(self, customer: int, endpoint: Id, now: Instant) -> WebhookState:
        """Deliver again, from where it stopped; what waits is due at once, with all its tries before it."""

    async def webhook_waiting(self, customer: int, endpoint: Id, limit: int) -> list[Waiting]:
        """What waits for an endpoint, the oldest first, without what is sent."""

    async def webhook_body(self, customer: int, endpoint: Id, event_id: str) -> bytes | None:
        """What is sent of a waiting event; None: it does not wait any more."""

    async def keep_webhook_progress(self, progress: Sequence[Progress]) -> None:
        """Write progress down, all in one durable transaction. That of an endpoint that is gone is left out."""
