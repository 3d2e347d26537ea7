"""The two kinds of time in this code base, and the identifier form.

Every instant is an ``Instant``: an integer of microseconds since 1970-01-01T00:00:00Z.
Every length of time that a person or the REST contract sets is in milliseconds and says so in its name (``_ms``).
"""

from typing import TypeAlias
from uuid import UUID

Instant: TypeAlias = int
"""Microseconds since the Unix epoch, UTC."""

Milliseconds: TypeAlias = int
"""A length of time in ms."""

Id: TypeAlias = bytes
"""A public identifier: the sixteen bytes of a UUID. ``NIL_ID`` means "not set"."""

NIL_ID: Id = bytes(16)
MICROSECONDS_PER_MS = 1_000
MICROSECONDS_PER_SECOND = 1_000_000


def after(start: Instant, length_ms: Milliseconds) -> Instant:
    """The instant ``length_ms`` milliseconds after ``start``."""
    return start + length_ms * MICROSECONDS_PER_MS


def format_id(value: Id) -> str:
    """The lower-case hyphenated UUID text of sixteen bytes."""
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_id(text: str) -> Id:
    """The sixteen bytes of a UUID text.

    Raises:
        ValueError: ``text`` is not a UUID.
    """
    return UUID(text).bytes
