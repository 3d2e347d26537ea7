"""``/outplans``: how and when to dial."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta, Struct, structs

from outdialer.api import paging
from outdialer.api.editing import edit, found, remove
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import (
    AddressBody,
    AddressView,
    Text255,
    Text2000,
    TimeText,
    UuidText,
    Wire,
    address_view,
    read_address,
)
from outdialer.domain.model import (
    DEFAULT_DIAL_TIMEOUT_MS,
    DEFAULT_MAX_TRIES,
    LOWEST_TRY_INTERVAL_MS,
    Outplan,
)
from outdialer.domain.units import Id, Milliseconds, format_id
from outdialer.ports.store import Page

MAX_DIAL_TIMEOUT_MS = 600_000
MAX_TRY_INTERVAL_MS = 31_536_000_000
SECONDS_BELOW = 1_000
"""A dial timeout below this many ms is read as seconds: nobody rings for under a second."""

Tries = Annotated[int, Meta(ge=0, le=100, description="Tries of this destination; 0 skips it.")]
DialTimeout = Annotated[
    int,
    Meta(
        ge=0,
        le=86_400_000,
        description="Ring time in ms. 1 to 999 is read as seconds, more than 600,000 is stored as 600,000, "
        "0 stands for the default of 30,000.",
    ),
]
TryInterval = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_TRY_INTERVAL_MS,
        description="Ms from the end of an attempt to the next one; 3,600,000 when left out. At least 60,000 where "
        "trunks are not on loopback.",
    ),
]


class OutplanDialInfo(Struct, frozen=True):
    """What of an outplan concerns dialing; what is left out keeps its value."""

    source: AddressBody | None = None
    dial_timeout: DialTimeout | None = None
    try_interval: TryInterval | None = None
    max_try_count_0: Tries | None = None
    max_try_count_1: Tries | None = None
    max_try_count_2: Tries | None = None
    max_try_count_3: Tries | None = None
    max_try_count_4: Tries | None = None
    redial_answered: Annotated[bool, Meta(description="Whether who answered may be called again.")] | None = None


class OutplanCreate(OutplanDialInfo, frozen=True):
    """A new outplan. When all five try counts are left out, the first destination is tried three times."""

    name: Text255 | None = None
    detail: Text2000 | None = None


class OutplanUpdate(Struct, frozen=True):
    """What of an outplan is for people; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    redial_answered: bool | None = None


class OutplanView(Struct, frozen=True, kw_only=True):
    """How and when to dial."""

    id: UuidText
    customer_id: UuidText
    name: str
    detail: str
    source: AddressView
    dial_timeout: int
    try_interval: int
    max_try_count_0: int
    max_try_count_1: int
    max_try_count_2: int
    max_try_count_3: int
    max_try_count_4: int
    redial_answered: bool
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class OutplanList(Struct, frozen=True):
    """A page of outplans, newest first."""

    result: list[OutplanView]
    next_page_token: str


outplans = Resource("outplans", "How and when to dial.", "INVALID_ID", "OUTPLAN_NOT_FOUND")
_BODY_REASONS = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")
_EXAMPLE = {
    "name": "gentle",
    "source": {"target": "+12025550100"},
    "dial_timeout": 25_000,
    "try_interval": 900_000,
    "max_try_count_0": 3,
    "max_try_count_1": 1,
}


def view(outplan: Outplan, wire: Wire) -> OutplanView:
    """An outplan as clients read it."""
    tries = outplan.max_tries
    return OutplanView(
        id=format_id(outplan.id),
        customer_id=wire.customer_id,
        name=outplan.name,
        detail=outplan.detail,
        source=address_view(outplan.source),
        dial_timeout=outplan.dial_timeout_ms,
        try_interval=outplan.try_interval_ms,
        max_try_count_0=tries[0],
        max_try_count_1=tries[1],
        max_try_count_2=tries[2],
        max_try_count_3=tries[3],
        max_try_count_4=tries[4],
        redial_answered=outplan.redial_answered,
        tm_create=wire.time(outplan.tm_create),
        tm_update=wire.time(outplan.tm_update),
        tm_delete=wire.time(outplan.tm_delete),
    )


def ring_ms(sent: int) -> Milliseconds:
    """The ring time that a client's ``dial_timeout`` stands for."""
    if sent == 0:
        return DEFAULT_DIAL_TIMEOUT_MS
    return min(sent * 1_000 if sent < SECONDS_BELOW else sent, MAX_DIAL_TIMEOUT_MS)


def retry_ms(sent: int, *, live: bool) -> Milliseconds:
    """The try interval that is stored: never below the floor where trunks are not on loopback."""
    return max(sent, LOWEST_TRY_INTERVAL_MS) if live else sent


def _with_dial_info(outplan: Outplan, body: OutplanDialInfo, context: Context) -> Outplan:
    sent = (
        body.max_try_count_0,
        body.max_try_count_1,
        body.max_try_count_2,
        body.max_try_count_3,
        body.max_try_count_4,
    )
    old = outplan.max_tries
    tries = tuple(stored if new is None else new for new, stored in zip(sent, old, strict=True))
    interval = outplan.try_interval_ms if body.try_interval is None else body.try_interval
    return structs.replace(
        outplan,
        source=read_address(body.source, "source", outplan.source),
        dial_timeout_ms=outplan.dial_timeout_ms if body.dial_timeout is None else ring_ms(body.dial_timeout),
        try_interval_ms=retry_ms(interval, live=context.services.live),
        max_tries=tries,
        redial_answered=outplan.redial_answered if body.redial_answered is None else body.redial_answered,
    )


def _first_tries(body: OutplanCreate) -> tuple[int, int, int, int, int]:
    given = (
        body.max_try_count_0,
        body.max_try_count_1,
        body.max_try_count_2,
        body.max_try_count_3,
        body.max_try_count_4,
    )
    return DEFAULT_MAX_TRIES if all(count is None for count in given) else (0, 0, 0, 0, 0)


async def _read(context: Context, outplan_id: Id) -> Outplan:
    stored = await context.store.outplan(context.customer, outplan_id)
    return found(stored, "OUTPLAN_NOT_FOUND", "outplan")


async def _edit(context: Context, change: Callable[[Outplan], Awaitable[Outplan]]) -> Outplan:
    store = context.store
    return await edit(
        context,
        lambda: _read(context, context.id),
        change,
        lambda changed: store.save_outplan(context.customer, changed, context.now),
        "outplan",
    )


@outplans.operation("POST", "/outplans", *_BODY_REASONS, example=_EXAMPLE)
async def create_outplan(context: Context, body: OutplanCreate) -> OutplanView:
    """Create an outplan."""
    blank = Outplan(
        id=context.services.ids.new(context.now),
        name=body.name or "",
        detail=body.detail or "",
        max_tries=_first_tries(body),
        tm_create=context.now,
    )
    outplan = await context.store.create_outplan(context.customer, _with_dial_info(blank, body, context))
    context.show_version(outplan.version)
    return view(outplan, context.wire)


@outplans.operation("GET", "/outplans", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_outplans(context: Context, page: Page) -> OutplanList:
    """List outplans, newest first."""
    rows, token = await paging.fetch(page, lambda asked: context.store.outplans(context.customer, asked))
    return OutplanList([view(row, context.wire) for row in rows], token)


@outplans.operation("GET", "/outplans/{id}")
async def get_outplan(context: Context) -> OutplanView:
    """Read an outplan, deleted or not."""
    outplan = await _read(context, context.id)
    context.show_version(outplan.version)
    return view(outplan, context.wire)


@outplans.operation(
    "PUT", "/outplans/{id}", *_BODY_REASONS, "STATE_INVALID", versioned=True, example={"name": "gentle"}
)
async def update_outplan(context: Context, body: OutplanUpdate) -> OutplanView:
    """Change the name and detail of an outplan."""

    async def change(outplan: Outplan) -> Outplan:
        return structs.replace(
            outplan,
            name=outplan.name if body.name is None else body.name,
            detail=outplan.detail if body.detail is None else body.detail,
            redial_answered=outplan.redial_answered if body.redial_answered is None else body.redial_answered,
        )

    return view(await _edit(context, change), context.wire)


@outplans.operation(
    "PUT", "/outplans/{id}/dial_info", *_BODY_REASONS, "STATE_INVALID", versioned=True, example={"dial_timeout": 30_000}
)
async def update_outplan_dial_info(context: Context, body: OutplanDialInfo) -> OutplanView:
    """Change how an outplan dials.

    Campaigns that run with it follow within a second.
    """

    async def change(outplan: Outplan) -> Outplan:
        return _with_dial_info(outplan, body, context)

    return view(await _edit(context, change), context.wire)


@outplans.operation("DELETE", "/outplans/{id}", "STATE_INVALID", versioned=True)
async def delete_outplan(context: Context) -> OutplanView:
    """Delete an outplan.

    It leaves the lists and stays readable by id; a campaign that runs with it goes on.
    """
    deleted = await remove(
        context,
        lambda: _read(context, context.id),
        lambda seen: context.store.delete_outplan(context.customer, context.id, context.now, seen),
        "outplan",
    )
    return view(deleted, context.wire)
