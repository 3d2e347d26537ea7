"""Digest authentication (RFC 7616, and RFC 2617 for servers without qop): choosing a challenge, answering it."""

import hashlib
import hmac
from collections.abc import Callable

from msgspec import Struct

from outdialer.carriers.sip.core.headers import split_outside

_HASHES: dict[str, Callable[[bytes], str]] = {
    "sha-256": lambda data: hashlib.sha256(data).hexdigest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}
"""By preference."""


class Challenge(Struct, frozen=True, kw_only=True):
    """One Digest challenge."""

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    """As it was written; empty means MD5."""
    qop: bool
    """Whether ``auth`` is among the offered protections."""
    understood: bool
    """False for an unknown algorithm, or when only ``auth-int`` is offered."""
    stale: bool


def parse_challenges(header: str) -> list[Challenge]:
    """The Digest challenges of WWW-Authenticate or Proxy-Authenticate lines; others are left out."""
    found: list[dict[str, str]] = []
    for line in header.split("\n"):
        current: dict[str, str] | None = None
        for part in split_outside(line, ","):
            name, _, value = part.strip(" \t").partition("=")
            scheme, space, rest = name.strip(" \t").rpartition(" ")
            if space:
                current = {} if scheme.strip(" \t").lower() == "digest" else None
                found.extend([current] if current is not None else [])
            if current is not None:
                current[(rest if space else name).strip(" \t").lower()] = value.strip(" \t").strip('"')
    return [_challenge(fields) for fields in found if "realm" in fields and fields.get("nonce")]


def _challenge(fields: dict[str, str]) -> Challenge:
    protections = [word.strip() for word in fields.get("qop", "").lower().split(",") if word.strip()]
    algorithm = fields.get("algorithm", "")
    return Challenge(
        realm=fields["realm"],
        nonce=fields["nonce"],
        opaque=fields.get("opaque"),
        algorithm=algorithm,
        qop="auth" in protections,
        understood=_base(algorithm) in _HASHES and (not protections or "auth" in protections),
        stale=fields.get("stale", "").lower() == "true",
    )


def choose(challenges: list[Challenge], realm: str) -> Challenge | None:
    """The strongest challenge that we can answer for ``realm`` (empty: any realm), or None."""
    usable = [c for c in challenges if c.understood and (not realm or c.realm == realm)]
    order = list(_HASHES)
    return min(usable, key=lambda c: order.index(_base(c.algorithm)), default=None)


def _base(algorithm: str) -> str:
    return (algorithm.lower() or "md5").removesuffix("-sess")


def authorization(challenge: Challenge, username: str, password: str, method: str, uri: str, secret: bytes) -> str:
    """The value of Authorization or Proxy-Authorization; the client nonce is a keyed hash, nothing is random."""
    digest = _HASHES[_base(challenge.algorithm)]
    client_nonce = hmac.digest(secret, f"cnonce|{challenge.nonce}|{uri}".encode("latin-1"), "sha256")[:8].hex()
    realm, nonce = _unquoted(challenge.realm), _unquoted(challenge.nonce)
    first = digest(b":".join([username.encode(), realm.encode("latin-1"), password.encode()]))
    if challenge.algorithm.lower().endswith("-sess"):
        first = digest(f"{first}:{nonce}:{client_nonce}".encode("latin-1"))
    second = digest(f"{method}:{uri}".encode("latin-1"))
    middle = f"{nonce}:00000001:{client_nonce}:auth" if challenge.qop else nonce
    response = digest(f"{first}:{middle}:{second}".encode("latin-1"))
    fields = [
        f'Digest username="{_quoted(username)}", realm="{challenge.realm}", nonce="{challenge.nonce}", uri="{uri}"',
        f'response="{response}"',
    ]
    if challenge.algorithm:
        fields.append(f"algorithm={challenge.algorithm}")
    if challenge.qop or challenge.algorithm.lower().endswith("-sess"):
        fields.append(f'cnonce="{client_nonce}"')
    if challenge.qop:
        fields.append("qop=auth, nc=00000001")
    if challenge.opaque is not None:
        fields.append(f'opaque="{challenge.opaque}"')
    return ", ".join(fields)


def _unquoted(text: str) -> str:
    """The text that a quoted string's inside stands for."""
    return text.replace('\\"', '"').replace("\\\\", "\\")


def _quoted(text: str) -> str:
    """``text`` as the inside of a quoted string, UTF-8 as Latin-1 text, without control characters."""
    kept = "".join(c for c in text if c.isprintable()).replace("\\", "\\\\").replace('"', '\\"')
    return kept.encode("utf-8", "replace").decode("latin-1")
