"""An event as clients get it, and its id, which is the same on every channel and at every delivery."""

import base64
import hmac
from functools import lru_cache

from msgspec import Struct

from outdialer.domain.directory import customer_id
from outdialer.domain.units import NIL_ID, Id, Instant, format_id
from outdialer.ports.events import Cursor

ID_PREFIX = "evt_"
EVENTS_KEPT = 4_096
"""Events whose topics are remembered: each follower asks for them."""
_ROUNDS = 4
_HALF = 8


class ClientEvent(Struct, frozen=True, kw_only=True):
    """One state change of one object."""

    id: str
    """``evt_`` and 26 characters; the same on every delivery and channel. It can be resumed from."""
    type: str
    """What happened, such as ``campaigncall_updated``."""
    customer: int
    """Store key."""
    resource_id: Id
    """Of the object."""
    owner_id: Id = NIL_ID
    """The agent whom the object belongs to; nil: nobody."""
    at: Instant
    data: bytes
    """The object right after the change: the JSON that its GET answered then."""
    cursor: Cursor
    """The place right after the outbox row that this event comes from; a row may make two events."""

    @property
    def resource(self) -> str:
        """What kind of object it is: the type up to its first underscore."""
        return self.type.partition("_")[0]

    @property
    def topics(self) -> tuple[str, ...]:
        """The names under which the event can be subscribed to."""
        return _topics(self.customer, self.owner_id, self.resource, self.type, self.resource_id)


@lru_cache(EVENTS_KEPT)
def _topics(customer: int, owner_id: Id, resource: str, event_type: str, resource_id: Id) -> tuple[str, ...]:
    owners = [f"customer_id:{format_id(customer_id(customer))}"]
    if owner_id != NIL_ID:
        owners.append(f"agent_id:{format_id(owner_id)}")
    names = (f"{resource}:", f"{resource}:{event_type}:")
    return tuple(f"{owner}:{name}{format_id(resource_id)}" for owner in owners for name in names)


class EventIds:
    """Makes the ids of events, and reads them back.

    An id hides where the event stands, so that nobody learns from two of them how much happened between, and nobody
    can make one up: eight bytes of place, one of position in its row and seven of zeros go through four Feistel
    rounds of HMAC-SHA-256 (Luby and Rackoff: a strong pseudorandom permutation).
    """

    def __init__(self, secret: bytes) -> None:
        self._keys = [hmac.digest(secret, b"event id round %d" % number, "sha256") for number in range(_ROUNDS)]

    def of(self, cursor: Cursor, position: int) -> str:
        """The id of the event at a position (from 0) of the row right after ``cursor``."""
        left, right = cursor.to_bytes(_HALF, "big"), bytes([position]) + bytes(_HALF - 1)
        for key in self._keys:
            left, right = right, _mixed(left, right, key)
        return ID_PREFIX + base64.b32encode(left + right).decode().rstrip("=").lower()

    def read(self, event_id: str) -> tuple[Cursor, int] | None:
        """The cursor before its row and the position of an event's id; None when we never made it."""
        try:
            raw = base64.b32decode(event_id.removeprefix(ID_PREFIX).upper() + "======")
        except ValueError:
            return None
        if len(raw) != 2 * _HALF:
            return None
        left, right = raw[:_HALF], raw[_HALF:]
        for key in reversed(self._keys):
            left, right = _mixed(right, left, key), left
        cursor, position = int.from_bytes(left, "big"), right[0]
        return (cursor, position) if self.of(cursor, position) == event_id else None


def _mixed(half: bytes, other: bytes, key: bytes) -> bytes:
    mask = hmac.digest(key, other, "sha256")[:_HALF]
    return bytes(a ^ b for a, b in zip(half, mask, strict=True))
