"""The SIP identifiers of a leg, as pure functions of (attempt id, leg number, install secret).

A restarted engine must be able to speak for a call that it does not remember: to cancel it, or to acknowledge
and end an answer that arrives late. So nothing on the wire is random. A Call-ID carries its attempt and leg in
clear plus a keyed hash (BLAKE2b, RFC 7693, four times as fast as HMAC here), so that it can also be checked without
any memory (RFC 3261 sections 8.1.1.4 and 19.3 ask for global uniqueness; a UUID and 64 keyed bits give it).
"""

import hashlib
import hmac
from typing import NamedTuple

from outdialer.domain.units import Id

BRANCH_COOKIE = "z9hG4bK"
"""Prefix of every branch, RFC 3261 section 8.1.1.7."""


class LegIdentity(NamedTuple):
    """What names one leg on the wire."""

    call_id: str
    from_tag: str


class CallIdParts(NamedTuple):
    """Who a verified Call-ID belongs to."""

    attempt_id: Id
    leg_number: int


_HEX_DIGITS = 16
"""Of a keyed hash: 64 bits."""


def _keyed(secret: bytes, text: str, hashes: int = 1) -> str:
    return hashlib.blake2b(text.encode(), key=secret, digest_size=hashes * _HEX_DIGITS // 2).hexdigest()


def leg_identity(secret: bytes, attempt_id: Id, leg_number: int) -> LegIdentity:
    """The Call-ID and From tag of a leg. ``secret`` has 64 bytes at most."""
    leg = f"{attempt_id.hex()}-{leg_number}"
    keyed = _keyed(secret, f"leg:{leg}", hashes=2)
    return LegIdentity(call_id=f"{leg}-{keyed[:_HEX_DIGITS]}", from_tag=keyed[_HEX_DIGITS:])


def branch(secret: bytes, attempt_id: Id, leg_number: int, method: str, sequence: int) -> str:
    """The Via branch of the request ``method`` with CSeq number ``sequence`` on a leg.

    A CANCEL and the ACK of a non-2xx answer use the INVITE's (RFC 3261 sections 9.1 and 17.1.1.3).
    """
    return f"{BRANCH_COOKIE}{_keyed(secret, f'branch:{method}|{attempt_id.hex()}|{leg_number}|{sequence}')}"


def verify_call_id(secret: bytes, call_id: str) -> CallIdParts | None:
    """Whose Call-ID this is, or None when this installation did not make it."""
    parts = call_id.split("-")
    if not call_id.isascii() or len(parts) != 3 or len(parts[0]) != 32 or not parts[1].isdecimal() or len(parts[1]) > 3:
        return None
    try:
        attempt_id = bytes.fromhex(parts[0])
    except ValueError:
        return None
    found = CallIdParts(attempt_id, int(parts[1]))
    if not hmac.compare_digest(leg_identity(secret, *found).call_id, call_id):
        return None
    return found
