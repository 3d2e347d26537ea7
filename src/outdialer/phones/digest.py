"""Digest challenges and their verification (RFC 3261 section 22, RFC 7616, RFC 8760)."""

import hashlib
import hmac

from msgspec import Struct

from outdialer.carriers.simulator.behaviours import Challenge
from outdialer.phones.message import Message, split_list

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}


class Credentials(Struct, frozen=True):
    """What callers must know when a phone challenges them."""

    username: str = "outdialer"
    password: str = "fictional"
    realm: str = "phones.invalid"


def nonce_of(seed: int, call_id: str) -> str:
    """The nonce of a call: a function of its Call-ID, so that it need not be remembered."""
    return hashlib.blake2b(f"{seed}|{call_id}".encode(), digest_size=16).hexdigest()


def challenge_header(challenge: Challenge, realm: str, nonce: str, *, stale: bool) -> str:
    """The header line that asks for credentials; ``stale`` when only the nonce of the last ones was wrong."""
    name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
    again = ", stale=true" if stale else ""
    return f'{name}: Digest realm="{realm}", nonce="{nonce}", algorithm={challenge.algorithm}, qop="auth"{again}'


def verify(message: Message, challenge: Challenge, credentials: Credentials, nonce: str) -> str:
    """What is wrong with the credentials in a request: empty when they are right, ``none`` when there are none."""
    name = "authorization" if challenge.status == 401 else "proxy-authorization"
    given = [_parameters(value) for value in message.headers.get(name, ())]
    ours = [values for values in given if values.get("realm") == credentials.realm]
    if not ours:
        return "another realm" if given else "none"
    values = ours[0]
    if values.get("nonce") != nonce:
        return "another nonce"
    if values.get("username") != credentials.username:
        return "another username"
    if values.get("algorithm", "MD5").upper() != challenge.algorithm:
        return "another algorithm"
    if values.get("uri") != message.uri:
        return "another uri"
    if values.get("qop") != "auth" or not values.get("cnonce") or len(values.get("nc", "")) != 8:
        return "no qop, cnonce or nc"
    expected = _response(message.method, values, credentials, challenge.algorithm)
    given_response = values.get("response", "").encode("utf-8", "surrogateescape")
    return "" if hmac.compare_digest(expected.encode(), given_response) else "wrong response"


def _response(method: str, values: dict[str, str], credentials: Credentials, algorithm: str) -> str:
    """The right response with qop=auth (RFC 7616 section 3.4.1)."""

    def digest(*parts: str) -> str:
        return hashlib.new(
            _HASHES[algorithm], ":".join(parts).encode("utf-8", "surrogateescape"), usedforsecurity=False
        ).hexdigest()

    who = digest(credentials.username, credentials.realm, credentials.password)
    what = digest(method, values["uri"])
    return digest(who, values["nonce"], values["nc"], values["cnonce"], "auth", what)


def _parameters(value: str) -> dict[str, str]:
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "digest":
        return {}
    pairs = (item.strip().partition("=") for item in split_list(rest))
    return {key.strip().lower(): text.strip().strip('"') for key, _, text in pairs}
