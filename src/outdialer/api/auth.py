"""Credentials: access keys and agents' tokens, where they may stand in a request, and who sends them.

A key is ``vb_`` and 32 characters; only the SHA-256 of it is kept. A credential may stand, in this order of looking,
in the cookie ``token``, the query parameter ``token``, ``Authorization: Bearer``, the cookie ``accesskey`` and the
query parameter ``accesskey``; the first one found decides. Keys and tokens are told apart by how they begin.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from outdialer.api.errors import ApiError
from outdialer.api.tokens import read_token, stamp_of
from outdialer.domain.directory import Agent
from outdialer.domain.model import AccessKey
from outdialer.domain.permissions import of_access_key
from outdialer.domain.units import Id, Instant
from outdialer.ports.directory import ApiStore

KEY_PREFIX = "vb_"
KEY_LENGTH = 35
SHOWN_PREFIX_LENGTH = 11
"""How much of a key is kept in clear, to tell keys apart."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Principal(Struct, frozen=True):
    """Who sends a request: an agent, or a program with an access key."""

    customer: int
    """Store key."""
    permission: int
    """Bits of ``domain.permissions``."""
    agent: Agent | None = None
    key: AccessKey | None = None


NOBODY = Principal(0, 0)
"""Who sends a request to an operation that asks nobody who they are."""


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


async def authenticate(slots: Slots, store: ApiStore, now: Instant) -> Principal:
    """Who sends the request.

    Raises:
        ApiError: it carries no credential, or one that is unknown, revoked or expired.
    """
    token = credential(slots)
    if token is None:
        raise ApiError(
            "AUTHENTICATION_REQUIRED",
            "Authentication is required: send Authorization: Bearer <accesskey or token>.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    is_key = token.startswith(KEY_PREFIX)
    principal = await (_by_access_key(token, store, now) if is_key else _by_token(token, store, now))
    if principal is None:
        raise ApiError("INVALID_CREDENTIALS", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return principal


async def _by_access_key(token: str, store: ApiStore, now: Instant) -> Principal | None:
    if len(token) != KEY_LENGTH or not token.isascii():
        return None
    key = await store.access_key(hash_of(token))
    if key is None or key.tm_delete is not None or (key.tm_expire is not None and key.tm_expire <= now):
        return None
    return Principal(key.customer, of_access_key(key.customer), key=key)


async def _by_token(token: str, store: ApiStore, now: Instant) -> Principal | None:
    facts = read_token(token, await store.install_secret(), now)
    login = None if facts is None else await store.login_of(facts.agent_id)
    if facts is None or login is None or not hmac.compare_digest(facts.stamp, stamp_of(login)):
        return None
    return Principal(login.customer, login.agent.permission, agent=login.agent)
