"""The tokens that agents get when they log in: JWT (RFC 7519) signed with HS256.

Claims: ``type`` (``agent``), ``agent`` (its id and its customer's), ``expire`` (a time), and ``stamp``, which is bound
to the password and the permission: changing either ends all tokens.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import jwt
import msgspec
from msgspec import Struct

from outdialer.api.wire import parse_time, parse_uuid, rfc3339
from outdialer.domain.directory import Login, customer_id
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Id, Instant, format_id

TOKEN_LIFETIME_S = 7 * 86_400
MAX_TOKEN_LENGTH = 4_096
_ALGORITHM = "HS256"


class AgentClaim(Struct, frozen=True):
    """Who logged in."""

    id: str
    customer_id: str


class Claims(Struct, frozen=True):
    """What a token says."""

    type: str
    agent: AgentClaim
    expire: str
    stamp: str


class TokenFacts(Struct, frozen=True):
    """What a token that is genuine and has not expired says."""

    agent_id: Id
    stamp: str
    tm_expire: Instant


def _key(install_secret: bytes) -> bytes:
    return hmac.digest(install_secret, b"agent tokens", "sha256")


def stamp_of(login: Login) -> str:
    """What changes with the password and with the permission."""
    return hashlib.sha256(f"{login.password_hash} {login.agent.permission}".encode()).hexdigest()[:16]


def new_token(login: Login, install_secret: bytes, now: Instant) -> str:
    """A token for an agent, good for ``TOKEN_LIFETIME_S``."""
    claims = Claims(
        type="agent",
        agent=AgentClaim(format_id(login.agent.id), format_id(customer_id(login.customer))),
        expire=rfc3339(now + TOKEN_LIFETIME_S * MICROSECONDS_PER_SECOND),
        stamp=stamp_of(login),
    )
    document: dict[str, Any] = msgspec.to_builtins(claims)
    return jwt.encode(document, _key(install_secret), algorithm=_ALGORITHM)


def read_token(token: str, install_secret: bytes, now: Instant) -> TokenFacts | None:
    """What a token says, or None when it is not ours or has expired."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    try:
        document: Mapping[str, Any] = jwt.decode(token, _key(install_secret), algorithms=[_ALGORITHM])
        claims = msgspec.convert(document, Claims)
        facts = TokenFacts(parse_uuid(claims.agent.id), claims.stamp, parse_time(claims.expire))
        genuine = claims.type == "agent" and facts.tm_expire > now
    except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError):
        return None
    return facts if genuine else None
