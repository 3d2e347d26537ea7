"""What the REST side needs from the rest of the program; the composition root fills it."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from outdialer.api.events.feed import Feed
from outdialer.api.passwords import Passwords
from outdialer.api.throttle import RequestRates
from outdialer.domain.units import Id
from outdialer.engine.system import random_bytes
from outdialer.ports.clock import Clock, Ids
from outdialer.ports.directory import ApiStore
from outdialer.ports.webhooks import Try


async def _nobody_waits(_customer: int) -> None:
    """There is no engine that would dial for a new customer."""


class ApiServices(Struct, frozen=True, kw_only=True):
    """Everything that the operations use."""

    store: ApiStore
    clock: Clock
    ids: Ids
    feed: Feed
    """Where clients follow what happens."""
    hang_up: Callable[[int, str], None]
    """End a live leg: its store key and why."""
    readiness: Callable[[], list[str]]
    """Why calls cannot be placed at the moment; empty: ready."""
    metrics: Callable[[], bytes]
    """The engine's metrics in the Prometheus text form; the REST side's own are added."""
    customer_added: Callable[[int], Awaitable[None]] = _nobody_waits
    """Told of a new customer's store key."""
    random_bytes: Callable[[int], bytes] = random_bytes
    """Where access keys come from: the system's strong source."""
    passwords: Passwords = Passwords()
    """How agents' passwords are hashed."""
    kept_answer_bytes: int = 1_000_000_000
    """What may be kept of one customer's requests with an ``Idempotency-Key``."""
    rates: RequestRates = RequestRates()
    """How many requests may come from whom; no limits unless they are set."""
    webhooks_changed: Callable[[], None] = lambda: None
    """Told when a webhook was made, changed, removed or enabled."""
    webhook_tries: Callable[[int, Id], Sequence[Try]] = lambda _customer, _endpoint: ()
    """The latest tries to deliver to a customer's endpoint, the newest first."""
    on_premises: bool = False
    """Whether webhooks may be at addresses that are not public, and without TLS: the operator has permitted some."""
    live: bool = False
    """Whether trunks may be beyond loopback: then the try interval has its floor."""
    old_time_format: bool = False
    """Whether times go out as ``2022-04-29 07:01:45.808944`` instead of RFC 3339."""
