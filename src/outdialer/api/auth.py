"""Access keys: how they are made, where they may stand in a request, and whom they belong to.

A key is ``vb_`` and 32 characters; only the SHA-256 of it is kept. It may stand, in this order of looking, in the
cookie ``token``, the query parameter ``token``, ``Authorization: Bearer``, the cookie ``accesskey`` and the query
parameter ``accesskey``; the first one found decides.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

from outdialer.api.errors import ApiError
from outdialer.domain.model import AccessKey
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import AdminStore

KEY_PREFIX = "vb_"
KEY_LENGTH = 35
SHOWN_PREFIX_LENGTH = 11
"""How much of a key is kept in clear, to tell keys apart."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Slots(Protocol):
    """Where a credential may stand in a request."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""

    @property
    def query_params(self) -> Mapping[str, str]:
        """The query parameters."""


def hash_of(token: str) -> bytes:
    """What the store knows a key by. The key holds 192 random bits, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def new_access_key(
    random_bytes: Callable[[int], bytes],
    *,
    id: Id,
    customer: int,
    now: Instant,
    name: str = "",
    detail: str = "",
    tm_expire: Instant | None = None,
) -> tuple[str, AccessKey]:
    """A new key: its text, to be shown once, and what is kept of it.

    ``random_bytes`` must be the system's strong source.
    """
    token = KEY_PREFIX + "".join(_ALPHABET[byte & 63] for byte in random_bytes(32))
    key = AccessKey(
        id=id,
        customer=customer,
        name=name,
        detail=detail,
        token_prefix=token[:SHOWN_PREFIX_LENGTH],
        token_hash=hash_of(token),
        tm_expire=tm_expire,
        tm_create=now,
    )
    return token, key


def credential(slots: Slots) -> str | None:
    """The first credential of a request, or None when it has none."""
    authorization = slots.headers.get("authorization", "")
    scheme, _, bearer = authorization.partition(" ")
    candidates = (
        slots.cookies.get("token"),
        slots.query_params.get("token"),
        bearer.strip() if scheme.lower() == "bearer" else "",
        slots.cookies.get("accesskey"),
        slots.query_params.get("accesskey"),
    )
    return next((candidate for candidate in candidates if candidate), None)


async def authenticate(slots: Slots, store: AdminStore, now: Instant) -> int:
    """The customer whose key the request carries.

    Raises:
        ApiError: it carries none, or one that is unknown, deleted or expired.
    """
    token = credential(slots)
    if token is None:
        raise ApiError(
            "AUTHENTICATION_REQUIRED",
            "Authentication is required: send Authorization: Bearer <accesskey>.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    key = await store.access_key(hash_of(token)) if _well_formed(token) else None
    expired = key is not None and key.tm_expire is not None and key.tm_expire <= now
    if key is None or key.tm_delete is not None or expired:
        raise ApiError(
            "INVALID_CREDENTIALS",
            "The access key is unknown, revoked or expired.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return key.customer


def _well_formed(token: str) -> bool:
    return len(token) == KEY_LENGTH and token.startswith(KEY_PREFIX) and token.isascii()
