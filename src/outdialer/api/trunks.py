"""``/trunks``: how a customer's own exchange proves who it is when it calls us.

Nothing is dialled through these; carriers for calls that go out are ``/providers`` and ``/routes``.
"""

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, check_plain, merged
from outdialer.api.errors import FieldError, shown
from outdialer.api.extensions import Password
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import PlainText255, Text255, Text2000, TimeText, UuidText, Wire
from outdialer.domain.directory import InboundTrunk
from outdialer.domain.units import format_id
from outdialer.ports.store import Page

AuthType = Literal["basic", "ip"]
AddressText = Annotated[str, Meta(max_length=64)]


class TrunkUpdate(Struct, frozen=True):
    """What of a trunk can be changed; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    auth_types: Annotated[list[AuthType], Meta(max_length=2)] | None = None
    username: PlainText255 | None = None
    password: Password | None = None
    allowed_ips: Annotated[list[AddressText], Meta(max_length=100, description="Addresses or networks.")] | None = None


class TrunkCreate(TrunkUpdate, frozen=True):
    """A new trunk."""

    domain_name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.-]{0,253}$")] | None = None


class TrunkView(Struct, frozen=True, kw_only=True):
    """How a customer's exchange proves who it is. The password is never shown."""

    id: UuidText
    customer_id: UuidText
    name: str
    detail: str
    domain_name: str
    auth_types: list[str]
    username: str
    password: Annotated[str, Meta(description="Always empty.")]
    allowed_ips: list[str]
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class TrunkList(Struct, frozen=True):
    """A page of trunks, newest first."""

    result: list[TrunkView]
    next_page_token: str


trunks = Resource(
    "trunks",
    "How customers' exchanges prove who they are. They are kept here; calls that come in are not part of this release.",
    "INVALID_ID",
    "TRUNK_NOT_FOUND",
)
_shelf = Shelf(InboundTrunk, "trunk", "TRUNK_NOT_FOUND")
_EXAMPLE = {"name": "office", "domain_name": "office.example", "auth_types": ["ip"], "allowed_ips": ["192.0.2.7"]}


def view(trunk: InboundTrunk, wire: Wire) -> TrunkView:
    """A trunk as clients read it."""
    return TrunkView(
        id=format_id(trunk.id),
        customer_id=wire.customer_id,
        name=trunk.name,
        detail=trunk.detail,
        domain_name=trunk.domain_name,
        auth_types=list(trunk.auth_types),
        username=trunk.username,
        password="",
        allowed_ips=list(trunk.allowed_ips),
        tm_create=wire.time(trunk.tm_create),
        tm_update=wire.time(trunk.tm_update),
        tm_delete=wire.time(trunk.tm_delete),
    )


def _networks(sent: Sequence[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    if sent is None:
        return default
    for index, text in enumerate(sent):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            problem = f"{shown(text)} is not an address or network; write 192.0.2.7 or 192.0.2.0/24"
            raise FieldError(f"allowed_ips[{index}]", problem) from None
    return tuple(dict.fromkeys(sent))


def _merge(trunk: InboundTrunk, body: TrunkUpdate) -> InboundTrunk:
    check_plain(body, "username", "password")
    kinds = trunk.auth_types if body.auth_types is None else tuple(dict.fromkeys(body.auth_types))
    networks = _networks(body.allowed_ips, trunk.allowed_ips)
    return merged(trunk, body, auth_types=kinds, allowed_ips=networks, password=body.password or trunk.password)


@trunks.operation("POST", "/trunks", *CREATE_REASONS, "NAME_ALREADY_EXISTS", example=_EXAMPLE)
async def create_trunk(context: Context, body: TrunkCreate) -> TrunkView:
    """Create a trunk."""
    blank = InboundTrunk(id=context.services.ids.new(context.now), tm_create=context.now)
    return view(await _shelf.create(context, _merge(blank, body)), context.wire)


@trunks.operation("GET", "/trunks", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_trunks(context: Context, page: Page) -> TrunkList:
    """List trunks, newest first."""
    rows, token = await _shelf.page(context, page)
    return TrunkList([view(row, context.wire) for row in rows], token)


@trunks.operation("GET", "/trunks/{id}")
async def get_trunk(context: Context) -> TrunkView:
    """Read a trunk, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@trunks.operation("PUT", "/trunks/{id}", *EDIT_REASONS, versioned=True, example={"allowed_ips": ["192.0.2.0/24"]})
async def update_trunk(context: Context, body: TrunkUpdate) -> TrunkView:
    """Change a trunk."""
    return view(await _shelf.change(context, lambda trunk: _merge(trunk, body)), context.wire)


@trunks.operation("DELETE", "/trunks/{id}", "STATE_INVALID", versioned=True)
async def delete_trunk(context: Context) -> TrunkView:
    """Delete a trunk; its domain is free again."""
    return view(await _shelf.delete(context), context.wire)
