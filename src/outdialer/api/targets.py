"""``/outdials/{id}/targets``: the people of a list, one at a time or ten thousand at once."""

import asyncio
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api import paging
from outdialer.api.body import MAX_BULK_BODY_BYTES, MAX_ROWS, to_struct
from outdialer.api.editing import alive, found
from outdialer.api.errors import ApiError, FieldError
from outdialer.api.filters import fits_status, status_filter
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.outdials import Data, read_outdial
from outdialer.api.wire import (
    AddressBody,
    AddressView,
    Text255,
    Text2000,
    TimeText,
    UuidText,
    Wire,
    address_view,
    closed,
    read_data,
    read_destination,
)
from outdialer.domain.model import Address, NewTarget, Target
from outdialer.domain.target import DoneReason, DueReason, TargetStatus
from outdialer.domain.units import Id, format_id
from outdialer.ports.store import Page

_ROWS_PER_TURN = 20
"""Rows that are checked before other work of the event loop has its turn."""


class TargetCreate(Struct, frozen=True):
    """A person of a list: at least one destination that may be dialled."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    data: Data | None = None
    destination_0: AddressBody | None = None
    destination_1: AddressBody | None = None
    destination_2: AddressBody | None = None
    destination_3: AddressBody | None = None
    destination_4: AddressBody | None = None


class TargetBulk(Struct, frozen=True):
    """Many people at once."""

    targets: Annotated[
        list[Any],
        Meta(max_length=MAX_ROWS, extra_json_schema={"items": {"$ref": "#/components/schemas/TargetCreate"}}),
    ]


class TargetView(Struct, frozen=True, kw_only=True):
    """A person of a list."""

    id: UuidText
    outdial_id: UuidText
    name: str
    detail: str
    data: str
    status: Annotated[str, closed(TargetStatus)]
    done_reason: Annotated[str, closed(DoneReason, "Why it is done.")]
    due_reason: Annotated[str, closed(("", *DueReason), "What `tm_due` stands for.")]
    destination_0: AddressView
    destination_1: AddressView
    destination_2: AddressView
    destination_3: AddressView
    destination_4: AddressView
    try_count_0: int
    try_count_1: int
    try_count_2: int
    try_count_3: int
    try_count_4: int
    tm_due: Annotated[TimeText, Meta(description="When it may be dialled next.")] | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class TargetList(Struct, frozen=True):
    """A page of targets, newest first."""

    result: list[TargetView]
    next_page_token: str


class RowError(Struct, frozen=True):
    """Why a row was refused."""

    status: str
    reason: str
    field: str
    message: str


class RowResult(Struct, frozen=True):
    """What became of one row: its target's id, or the error."""

    index: int
    id: UuidText | UnsetType = UNSET
    error: RowError | UnsetType = UNSET


class TargetBulkResult(Struct, frozen=True):
    """What became of each row, in the order of the request."""

    result: list[RowResult]


_REASONS = ("INVALID_ID", "OUTDIAL_NOT_FOUND")
targets = Resource("targets", "The people of a list.", *_REASONS)
_BODY_REASONS = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")
_EXAMPLE = {
    "name": "Jane",
    "data": {"ref": 1},
    "destination_0": {"target": "+12025550123"},
    "destination_1": {"target": "sip:jane@127.0.0.1:5070"},
}


def view(target: Target, wire: Wire) -> TargetView:
    """A target as clients read it."""
    parties = [address_view(address) for address in target.destinations]
    tries = target.tries
    return TargetView(
        id=format_id(target.id),
        outdial_id=format_id(target.outdial_id),
        name=target.name,
        detail=target.detail,
        data=target.data,
        status=target.status,
        done_reason=target.done_reason,
        due_reason=target.due_reason if target.due is not None else "",
        destination_0=parties[0],
        destination_1=parties[1],
        destination_2=parties[2],
        destination_3=parties[3],
        destination_4=parties[4],
        try_count_0=tries[0],
        try_count_1=tries[1],
        try_count_2=tries[2],
        try_count_3=tries[3],
        try_count_4=tries[4],
        tm_due=wire.time(target.due),
        tm_create=wire.time(target.tm_create),
        tm_update=wire.time(target.tm_create if target.tm_update is None else target.tm_update),
        tm_delete=wire.time(target.tm_delete),
    )


def read_target(body: TargetCreate, target_id: Id) -> NewTarget:
    """A target to be stored, from what a client sent.

    Raises:
        FieldError: a destination cannot be used, stands twice, or there is none.
    """
    sent = (body.destination_0, body.destination_1, body.destination_2, body.destination_3, body.destination_4)
    parties = [read_destination(address, f"destination_{index}") for index, address in enumerate(sent)]
    _refuse_doubles(parties)
    if not any(party.target for party in parties):
        raise FieldError("destination_0", "At least one destination_N target is required, such as +12025550123")
    return NewTarget(
        id=target_id,
        name=body.name or "",
        detail=body.detail or "",
        data=read_data(body.data, "data"),
        destinations=(parties[0], parties[1], parties[2], parties[3], parties[4]),
    )


def _refuse_doubles(parties: list[Address]) -> None:
    seen: dict[str, int] = {}
    for index, party in enumerate(parties):
        if party.target and party.target in seen:
            first = seen[party.target]
            raise FieldError(
                f"destination_{index}.target", f"{party.target} is destination_{first} already; name each number once"
            )
        seen[party.target] = index


@targets.operation("POST", "/outdials/{id}/targets", *_BODY_REASONS, "STATE_INVALID", example=_EXAMPLE)
async def create_target(context: Context, body: TargetCreate) -> TargetView:
    """Add a person to a list.

    Due at once.
    """
    alive(await read_outdial(context), "outdial")
    target = read_target(body, context.services.ids.new(context.now))
    return view((await _store(context, [target]))[0], context.wire)


@targets.operation(
    "POST",
    "/outdials/{id}/targets/bulk",
    *_BODY_REASONS,
    "STATE_INVALID",
    body_limit=MAX_BULK_BODY_BYTES,
    example={"targets": [_EXAMPLE]},
)
async def create_targets_in_bulk(context: Context, body: TargetBulk) -> TargetBulkResult:
    """Add up to 10,000 people to a list at once.

    The good rows are stored all together in one transaction; each bad row is reported with its index, the field and
    the reason.
    """
    alive(await read_outdial(context), "outdial")
    results: list[RowResult] = []
    good: list[NewTarget] = []
    for index, row in enumerate(body.targets):
        result, target = _read_row(context, index, row)
        results.append(result)
        good.extend([target] if target else [])
        if index % _ROWS_PER_TURN == _ROWS_PER_TURN - 1:
            await asyncio.sleep(0)
    if good:
        await _store(context, good)
    return TargetBulkResult(results)


def _read_row(context: Context, index: int, row: Any) -> tuple[RowResult, NewTarget | None]:
    try:
        target = read_target(to_struct(row, TargetCreate), context.services.ids.new(context.now))
    except FieldError as error:
        facts = RowError(status=error.status, reason=error.reason, field=error.field, message=error.message)
        return RowResult(index, error=facts), None
    return RowResult(index, id=format_id(target.id)), target


async def _store(context: Context, good: list[NewTarget]) -> list[Target]:
    stored = await context.store.create_targets(context.customer, context.id, good, context.now)
    if stored is None:
        raise ApiError("STATE_INVALID", "The outdial was deleted meanwhile; nothing was stored.")
    return stored


@targets.operation(
    "GET",
    "/outdials/{id}/targets",
    "INVALID_REQUEST_PARAMETER",
    query=(status_filter(TargetStatus, TargetStatus.DONE), DELETED),
)
async def list_targets(context: Context, page: Page) -> TargetList:
    """List the people of a list, newest first."""
    await read_outdial(context)
    rows, token = await paging.fetch(
        page, lambda asked: context.store.targets(context.customer, context.id, asked), fits_status(context)
    )
    return TargetList([view(row, context.wire) for row in rows], token)


async def _read(context: Context) -> Target:
    target = await context.store.target(context.customer, context.id, context.ids["target_id"])
    if target is None:
        await read_outdial(context)  # Which of the two is missing.
    return found(target, "OUTDIAL_TARGET_NOT_FOUND", "target")


@targets.operation("GET", "/outdials/{id}/targets/{target_id}", "OUTDIAL_TARGET_NOT_FOUND")
async def get_target(context: Context) -> TargetView:
    """Read a person of a list, deleted or not."""
    return view(await _read(context), context.wire)


@targets.operation("DELETE", "/outdials/{id}/targets/{target_id}", "OUTDIAL_TARGET_NOT_FOUND")
async def delete_target(context: Context) -> TargetView:
    """Delete a person of a list.

    Not dialled from this moment on.
    """
    target = await _read(context)
    if target.tm_delete is None:
        deleted = await context.store.delete_target(context.customer, context.id, target.id, context.now)
        target = found(deleted, "OUTDIAL_TARGET_NOT_FOUND", "target")
    return view(target, context.wire)
