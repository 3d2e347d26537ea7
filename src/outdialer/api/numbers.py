"""``/numbers``: phone numbers that belong to a customer."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from outdialer.api.entries import BODY_REASONS, CREATE_REASONS, EDIT_REASONS, Shelf, merged
from outdialer.api.errors import FieldError, shown
from outdialer.api.operations import DELETED, Context, Resource, unavailable
from outdialer.api.wire import AddressBody, IdText, Text255, Text2000, TimeText, UuidText, Wire, read_address, read_id
from outdialer.domain.directory import Number
from outdialer.domain.units import format_id
from outdialer.ports.store import Page

RENTING = "numbers that are rented"


_SEPARATORS = r"[\s().\-/]*"
NUMBER_PATTERN = rf"^{_SEPARATORS}\+{_SEPARATORS}[1-9]({_SEPARATORS}[0-9]){{6,14}}{_SEPARATORS}$"
"""What the document says of the form of a number that ``read_address`` reads."""


class NumberUpdate(Struct, frozen=True):
    """What of a number can be changed; what is left out keeps its value."""

    call_flow_id: IdText | None = None
    message_flow_id: IdText | None = None
    name: Text255 | None = None
    detail: Text2000 | None = None


class NumberCreate(NumberUpdate, frozen=True, kw_only=True):
    """A new number."""

    number: Annotated[
        str, Meta(max_length=64, description="`+` and 7 to 15 digits.", extra_json_schema={"pattern": NUMBER_PATTERN})
    ]
    type: Literal["", "normal", "virtual"] | None = None


class NumberFlowIds(Struct, frozen=True):
    """What happens to calls and messages that come in; what is left out keeps its value."""

    call_flow_id: IdText | None = None
    message_flow_id: IdText | None = None


class NumberMetadataUpdate(Struct, frozen=True):
    """Switches of a number; what is left out keeps its value."""

    rtp_debug: bool | None = None


class NumberRenewal(Struct, frozen=True):
    """Which numbers are to be renewed: those that were renewed last before this time."""

    tm_renew: TimeText


class NumberMetadata(Struct, frozen=True):
    """Switches of a number."""

    rtp_debug: bool


class NumberView(Struct, frozen=True, kw_only=True):
    """A phone number that belongs to a customer."""

    id: UuidText
    customer_id: UuidText
    number: str
    type: Literal["normal", "virtual"]
    call_flow_id: UuidText
    message_flow_id: UuidText
    name: str
    detail: str
    status: Literal["active", "deleted"]
    t38_enabled: bool
    emergency_enabled: bool
    metadata: NumberMetadata
    tm_purchase: TimeText | None
    tm_renew: TimeText | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class NumberList(Struct, frozen=True):
    """A page of numbers, newest first."""

    result: list[NumberView]
    next_page_token: str


class NumbersRenewed(Struct, frozen=True):
    """The numbers that were renewed."""

    result: list[NumberView]


numbers = Resource(
    "numbers",
    "Phone numbers that belong to a customer. They are kept here; calls that come in are not part of this release, and "
    "a campaign's caller id need not be one of them.",
    "INVALID_ID",
    "NUMBER_NOT_FOUND",
)
_shelf = Shelf(Number, "number", "NUMBER_NOT_FOUND")
_EXAMPLE = {"number": "+12025550100", "type": "normal", "name": "office"}


def view(number: Number, wire: Wire) -> NumberView:
    """A number as clients read it."""
    return NumberView(
        id=format_id(number.id),
        customer_id=wire.customer_id,
        number=number.number,
        type="virtual" if number.type == "virtual" else "normal",
        call_flow_id=format_id(number.call_flow_id),
        message_flow_id=format_id(number.message_flow_id),
        name=number.name,
        detail=number.detail,
        status="active" if number.tm_delete is None else "deleted",
        t38_enabled=False,
        emergency_enabled=False,
        metadata=NumberMetadata(rtp_debug=number.rtp_debug),
        tm_purchase=wire.time(number.tm_create),
        tm_renew=wire.time(number.tm_renew),
        tm_create=wire.time(number.tm_create),
        tm_update=wire.time(number.tm_update),
        tm_delete=wire.time(number.tm_delete),
    )


def _merge(number: Number, body: NumberUpdate | NumberFlowIds) -> Number:
    return merged(
        number,
        body,
        call_flow_id=read_id(body.call_flow_id, "call_flow_id", number.call_flow_id),
        message_flow_id=read_id(body.message_flow_id, "message_flow_id", number.message_flow_id),
    )


def _read_number(text: str) -> str:
    address = read_address(AddressBody(type="tel", target=text), "number")
    if not address.target:
        raise FieldError("number", f"{shown(text)} is empty; write + and 7 to 15 digits")
    return address.target


@numbers.operation("POST", "/numbers", *CREATE_REASONS, "NAME_ALREADY_EXISTS", example=_EXAMPLE)
async def create_number(context: Context, body: NumberCreate) -> NumberView:
    """Add a number.

    Nothing is bought or rented by it.
    """
    new_id = context.services.ids.new(context.now)
    number = _read_number(body.number)
    blank = Number(id=new_id, number=number, tm_create=context.now)
    changes = NumberUpdate(body.call_flow_id, body.message_flow_id, body.name, body.detail)
    wanted = structs.replace(_merge(blank, changes), type=body.type or "normal")
    return view(await _shelf.create(context, wanted), context.wire)


@numbers.operation("GET", "/numbers", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_numbers(context: Context, page: Page) -> NumberList:
    """List numbers, newest first."""
    rows, token = await _shelf.page(context, page)
    return NumberList([view(row, context.wire) for row in rows], token)


@numbers.operation(
    "POST", "/numbers/renew", *BODY_REASONS, awaits=RENTING, example={"tm_renew": "2026-01-15T09:30:00.123456Z"}
)
async def renew_numbers(context: Context, body: NumberRenewal) -> NumbersRenewed:
    """Renew numbers."""
    raise unavailable(RENTING)


@numbers.operation("GET", "/numbers/{id}")
async def get_number(context: Context) -> NumberView:
    """Read a number, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@numbers.operation("PUT", "/numbers/{id}", *EDIT_REASONS, versioned=True, example={"name": "office"})
async def update_number(context: Context, body: NumberUpdate) -> NumberView:
    """Change a number."""
    return view(await _shelf.change(context, lambda number: _merge(number, body)), context.wire)


@numbers.operation("PUT", "/numbers/{id}/flow_ids", *EDIT_REASONS, versioned=True, example={"call_flow_id": ""})
async def update_number_flow_ids(context: Context, body: NumberFlowIds) -> NumberView:
    """Change what happens to calls and messages that come in."""
    return view(await _shelf.change(context, lambda number: _merge(number, body)), context.wire)


@numbers.operation("PUT", "/numbers/{id}/metadata", *EDIT_REASONS, versioned=True, example={"rtp_debug": False})
async def update_number_metadata(context: Context, body: NumberMetadataUpdate) -> NumberView:
    """Change the switches of a number."""
    return view(await _shelf.change(context, lambda number: merged(number, body)), context.wire)


@numbers.operation("DELETE", "/numbers/{id}", "STATE_INVALID", versioned=True)
async def delete_number(context: Context) -> NumberView:
    """Delete a number."""
    return view(await _shelf.delete(context), context.wire)
