"""What several resources use.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from outdialer.client.exchange import Versioned


class Action(Struct, frozen=True, kw_only=True):
    """A step of a call script, as it was sent."""

    id: str
    next_id: str
    type: str = ""
    option: dict[str, Any] | None = None
    tm_execute: datetime | None = None


class ActionBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a call script as a client writes it."""

    type: str | None = None
    id: str | None = None
    next_id: str | None = None
    option: dict[str, Any] | None = None


class Address(Struct, frozen=True, kw_only=True):
    """A party of a call: all five keys, or an empty object when it is not set."""

    type: str = ""
    target: str = ""
    target_name: str = ""
    name: str = ""
    detail: str = ""


class AddressBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A party as a client writes it; the type is inferred from the target where it is left out."""

    type: str | None = None
    target: str | None = None
    target_name: str | None = None
    name: str | None = None
    detail: str | None = None


class CustomerMetadata(Struct, frozen=True, kw_only=True):
    """Switches of a customer."""

    rtp_debug: bool


class OutboundConfig(Versioned, kw_only=True):
    """Where a customer's calls may go."""

    id: str
    customer_id: str
    name: str
    detail: str
    destination_whitelist: list[str]
    codecs: str
    default_outgoing_source_number_id: str
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None
