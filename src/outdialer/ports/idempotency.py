"""Requests that carry an ``Idempotency-Key``, as a store remembers them.

Implemented by ``outdialer.store.sqlite.store.SqliteStore``. A key is known by its hash alone, and belongs to one
customer. A request is first reserved and then, when it has had its effect, given its answer; a reservation without
an answer is a request whose server died, or that still runs.
"""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant

KEPT_US = 86_400 * MICROSECONDS_PER_SECOND
"""How long a key stands for its request."""
REQUEST_BYTES = 500
"""What a request counts, beside its answer's body."""


class KeptFull(Exception):
    """As much is kept of a customer's requests as may be."""


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    """Sealed where it holds a secret: unreadable without the key and the credential, of which only hashes are kept."""


class Reservation(Struct, frozen=True, kw_only=True):
    """One request with its key."""

    name: bytes
    """The SHA-256 of the key."""
    request: str
    """``POST /v1.0/outdials``."""
    fingerprint: bytes
    """Of method, path and body, keyed with the key, so that a stolen copy of the books tells nothing of a body."""
    credential: bytes
    """The SHA-256 of the credential that sent it."""
    at: Instant
    """When it came first: the time that its effects carry."""
    answer: KeptAnswer | None = None


class IdempotencyStore(Protocol):
    """Remembering requests for ``KEPT_US``."""

    async def reserve_request(self, customer: int, wanted: Reservation, most: int) -> Reservation:
        """Put a request on the books, or return what is there under its name and not older than ``KEPT_US``.

        Raises:
            KeptFull: it is new, and the customer's requests with their answers take ``most`` bytes already.
        """

    async def keep_answer(self, customer: int, reserved: Reservation, answer: KeptAnswer) -> None:
        """Write down the answer of this very reservation."""

    async def free_request(self, customer: int, reserved: Reservation) -> None:
        """Forget this very reservation: it had no effect."""
