"""Credentials: access keys and agents' tokens, where they may stand in a request, and who sends them.

A key is ``vb_`` and 32 characters; only the SHA-256 of it is kept. A credential may stand, in this order of looking,
in the cookie ``token``, the query parameter ``token``, ``Authorization: Bearer``, the cookie ``accesskey`` and the
query parameter ``accesskey``; the first one found decides. Keys and tokens are told apart by how they begin.

Whatever makes a credential useless (unknown, revoked, expired, replaced, used from a network that it is not for) has
the same answer. What a credential may do is read afresh with every request, and by ``still_valid`` for a connection
that stays open.
"""

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from msgspec import Struct

from outdialer.api.errors import ApiError
from outdialer.api.http import Request
from outdialer.api.peers import client_address, within
from outdialer.api.tokens import read_token, stamp_of
from outdialer.api.wire import rfc3339
from outdialer.domain.directory import DELETION_GRACE_US, Agent, Standing
from outdialer.domain.model import AccessKey
from outdialer.domain.permissions import of_access_key
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Id, Instant
from outdialer.ports.directory import ApiStore
from outdialer.ports.store import StoreUnavailable

KEY_PREFIX = "vb_"
KEY_LENGTH = 35
SHOWN_PREFIX_LENGTH = 11
"""How much of a key is kept in clear, to tell keys apart."""
RECOVERY_ENDPOINT = "DELETE /auth/unregister"
USE_NOTED_EVERY_US = 60 * MICROSECONDS_PER_SECOND
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Principal(Struct, frozen=True):
    """Who sends a request: an agent, or a program with an access key."""

    customer: int
    """Store key."""
    permission: int
    """Bits of ``domain.permissions``."""
    agent: Agent | None = None
    key: AccessKey | None = None
    address: str = ""
    """Where the request came from."""
    proof: bytes = b""
    """What the credential is recognised by: the hash of a key's token, or the stamp of an agent's."""
    tm_expire: Instant | None = None
    """When the agent's token ends."""

    def __repr__(self) -> str:
        """Who, and nothing that a log should not hold."""
        return f"Principal(customer={self.customer}, permission={self.permission})"


Opened: TypeAlias = tuple[Principal, Standing]
"""Who a credential belongs to, and how their customer stands."""

NOBODY = Principal(0, 0)
"""Who sends a request to an operation that asks nobody who they are."""


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
    permission: int | None = None,
    allowed_ips: tuple[str, ...] = (),
    tm_expire: Instant | None = None,
) -> tuple[str, AccessKey]:
    """A new key: its text, to be shown once, and what is kept of it.

    ``random_bytes`` must be the system's strong source. Without a permission it gets the most that it can have.
    """
    token = new_token_text(random_bytes)
    key = AccessKey(
        id=id,
        customer=customer,
        name=name,
        detail=detail,
        permission=of_access_key(customer) if permission is None else permission,
        allowed_ips=allowed_ips,
        token_prefix=token[:SHOWN_PREFIX_LENGTH],
        token_hash=hash_of(token),
        tm_expire=tm_expire,
        tm_create=now,
    )
    return token, key


def new_token_text(random_bytes: Callable[[int], bytes]) -> str:
    """The text of a key."""
    return KEY_PREFIX + "".join(_ALPHABET[byte & 63] for byte in random_bytes(32))


def credential(request: Request) -> str | None:
    """The first credential of a request, or None when it has none."""
    authorization = request.headers.get("authorization", "")
    scheme, _, bearer = authorization.partition(" ")
    candidates = (
        request.cookies.get("token"),
        request.query_params.get("token"),
        bearer.strip() if scheme.lower() == "bearer" else "",
        request.cookies.get("accesskey"),
        request.query_params.get("accesskey"),
    )
    return next((candidate for candidate in candidates if candidate), None)


async def authenticate(request: Request, store: ApiStore, now: Instant, *, while_frozen: bool = False) -> Principal:
    """Who sends the request; ``while_frozen``: also when its customer's deletion is scheduled.

    Raises:
        ApiError: it carries no credential, or one that opens nothing, or its customer is frozen.
    """
    token = credential(request)
    if token is None:
        raise ApiError(
            "AUTHENTICATION_REQUIRED",
            "Authentication is required: send Authorization: Bearer <accesskey or token>.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    address = client_address(request.scope)
    is_key = token.startswith(KEY_PREFIX)
    opened = await (_by_text(token, address, store, now) if is_key else _by_token(token, address, store, now))
    if opened is None or opened[1].at(now) == "deleted":
        raise ApiError("INVALID_CREDENTIALS", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    principal, customer = opened
    if customer.tm_deletion_scheduled is not None and not while_frozen:
        raise _frozen(customer.tm_deletion_scheduled)
    return principal


def _frozen(since: Instant) -> ApiError:
    facts = {
        "deletion_scheduled_at": rfc3339(since),
        "deletion_effective_at": rfc3339(since + DELETION_GRACE_US),
        "recovery_endpoint": RECOVERY_ENDPOINT,
    }
    message = f"The customer is to be deleted on {facts['deletion_effective_at']}; {RECOVERY_ENDPOINT} takes it back."
    return ApiError("ACCOUNT_FROZEN", message, details=(facts,))


async def still_valid(principal: Principal, store: ApiStore, now: Instant) -> bool:
    """Whether the credential behind an open connection still opens the same: ask now and then, and close if not.

    Raises:
        StoreUnavailable: the books cannot be read.
    """
    if principal.agent is not None:
        again = await _by_stamp(principal.agent.id, principal.proof, principal.tm_expire, principal.address, store, now)
    else:
        again = await _by_access_key(principal.proof, principal.address, store, now)
    if again is None or again[1].tm_deletion_scheduled is not None:
        return False
    return (again[0].customer, again[0].permission) == (principal.customer, principal.permission)


async def _by_text(token: str, address: str, store: ApiStore, now: Instant) -> Opened | None:
    if len(token) != KEY_LENGTH or not token.isascii():
        return None
    opened = await _by_access_key(hash_of(token), address, store, now)
    if opened is not None and opened[0].key is not None:
        await _note_use(opened[0].key, store, now)
    return opened


async def _by_access_key(token_hash: bytes, address: str, store: ApiStore, now: Instant) -> Opened | None:
    found = await store.access_key(token_hash)
    if found is None:
        return None
    key, customer = found
    if not _opens(key, token_hash, now) or not _from_there(key, address):
        return None
    return Principal(key.customer, key.permission, key=key, address=address, proof=token_hash), customer


def _opens(key: AccessKey, token_hash: bytes, now: Instant) -> bool:
    if key.tm_delete is not None or (key.tm_expire is not None and key.tm_expire <= now):
        return False
    return token_hash == key.token_hash or (key.tm_old_expire is not None and key.tm_old_expire > now)


def _from_there(key: AccessKey, address: str) -> bool:
    return not key.allowed_ips or within(address, key.allowed_ips)


async def _note_use(key: AccessKey, store: ApiStore, now: Instant) -> None:
    """Keep the time of a use, once a minute at most. What cannot be written is no reason to refuse a reader."""
    before = now - USE_NOTED_EVERY_US
    if key.tm_last_use is None or key.tm_last_use < before:
        with suppress(StoreUnavailable):
            await store.note_access_key_use(key.customer, key.id, now, before)


async def _by_token(token: str, address: str, store: ApiStore, now: Instant) -> Opened | None:
    facts = read_token(token, await store.install_secret(), now)
    if facts is None:
        return None
    return await _by_stamp(facts.agent_id, facts.stamp.encode(), facts.tm_expire, address, store, now)


async def _by_stamp(
    agent_id: Id, stamp: bytes, tm_expire: Instant | None, address: str, store: ApiStore, now: Instant
) -> Opened | None:
    login = await store.login_of(agent_id)
    if login is None or tm_expire is None or tm_expire <= now:
        return None
    if not hmac.compare_digest(stamp, stamp_of(login).encode()):
        return None
    agent, customer = login.agent, await store.customer(login.customer)
    if customer is None:
        return None
    principal = Principal(
        login.customer, agent.permission, agent=agent, address=address, proof=stamp, tm_expire=tm_expire
    )
    return principal, customer.standing
