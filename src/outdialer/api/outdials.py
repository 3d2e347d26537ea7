"""``/outdials``: lists of people."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from outdialer.api import paging
from outdialer.api.editing import edit, found, remove
from outdialer.api.entries import id_parameter, query_id
from outdialer.api.errors import FieldError, shown
from outdialer.api.filters import SHORT_PAGES
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import IdText, Text255, Text2000, TimeText, UuidText, Wire, read_data, read_id
from outdialer.domain.model import Outdial
from outdialer.domain.units import NIL_ID, Id, format_id
from outdialer.ports.store import Page

Data = Annotated[str | dict[str, Any], Meta(description="Free data: text, or an object, which is stored as JSON text.")]


class OutdialCreate(Struct, frozen=True):
    """A new list. The campaign may be created first or later."""

    campaign_id: IdText | None = None
    name: Text255 | None = None
    detail: Text2000 | None = None
    data: Data | None = None


class OutdialUpdate(Struct, frozen=True):
    """What of a list is for people; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None


class OutdialCampaign(Struct, frozen=True):
    """The campaign that a list belongs to; "" frees it."""

    campaign_id: IdText | None = None


class OutdialData(Struct, frozen=True):
    """The free data of a list."""

    data: Data | None = None


class OutdialView(Struct, frozen=True, kw_only=True):
    """A list of people."""

    id: UuidText
    customer_id: UuidText
    campaign_id: UuidText
    name: str
    detail: str
    data: str
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class OutdialList(Struct, frozen=True):
    """A page of outdials, newest first."""

    result: list[OutdialView]
    next_page_token: str


outdials = Resource("outdials", "Lists of people.", "INVALID_ID", "OUTDIAL_NOT_FOUND")
_BODY_REASONS = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")


def view(outdial: Outdial, wire: Wire) -> OutdialView:
    """An outdial as clients read it."""
    return OutdialView(
        id=format_id(outdial.id),
        customer_id=wire.customer_id,
        campaign_id=format_id(outdial.campaign_id),
        name=outdial.name,
        detail=outdial.detail,
        data=outdial.data,
        tm_create=wire.time(outdial.tm_create),
        tm_update=wire.time(outdial.tm_update),
        tm_delete=wire.time(outdial.tm_delete),
    )


async def read_outdial(context: Context) -> Outdial:
    """The outdial that the path names.

    Raises:
        ApiError: there is none.
    """
    return found(await context.store.outdial(context.customer, context.id), "OUTDIAL_NOT_FOUND", "outdial")


async def _existing_campaign(context: Context, text: str | None, default: Id) -> Id:
    campaign_id = read_id(text, "campaign_id", default)
    if campaign_id in (NIL_ID, default):
        return campaign_id
    campaign = await context.store.campaign(context.customer, campaign_id)
    if campaign is None or campaign.tm_delete is not None:
        raise FieldError("campaign_id", f'there is no campaign {shown(text)}; write the id of one, or "" for none')
    return campaign_id


async def _edit(context: Context, change: Callable[[Outdial], Awaitable[Outdial]]) -> OutdialView:
    saved = await edit(
        context,
        lambda: read_outdial(context),
        change,
        lambda changed: context.store.save_outdial(context.customer, changed, context.now),
        "outdial",
    )
    return view(saved, context.wire)


@outdials.operation("POST", "/outdials", *_BODY_REASONS, example={"name": "spring list", "data": {"source": "crm"}})
async def create_outdial(context: Context, body: OutdialCreate) -> OutdialView:
    """Create an outdial."""
    outdial = Outdial(
        id=context.services.ids.new(context.now),
        campaign_id=await _existing_campaign(context, body.campaign_id, NIL_ID),
        name=body.name or "",
        detail=body.detail or "",
        data=read_data(body.data, "data"),
        tm_create=context.now,
    )
    stored = await context.store.create_outdial(context.customer, outdial)
    context.show_version(stored.version)
    return view(stored, context.wire)


@outdials.operation(
    "GET",
    "/outdials",
    "INVALID_REQUEST_PARAMETER",
    query=(id_parameter("campaign_id", f"Those of this campaign alone. {SHORT_PAGES}"), DELETED),
)
async def list_outdials(context: Context, page: Page) -> OutdialList:
    """List outdials, newest first."""
    campaign = query_id(context, "campaign_id")
    rows, token = await paging.fetch(
        page,
        lambda asked: context.store.outdials(context.customer, asked),
        None if campaign is None else lambda row: row.campaign_id == campaign,
    )
    return OutdialList([view(row, context.wire) for row in rows], token)


@outdials.operation("GET", "/outdials/{id}")
async def get_outdial(context: Context) -> OutdialView:
    """Read an outdial, deleted or not."""
    outdial = await read_outdial(context)
    context.show_version(outdial.version)
    return view(outdial, context.wire)


@outdials.operation(
    "PUT", "/outdials/{id}", *_BODY_REASONS, "STATE_INVALID", versioned=True, example={"name": "spring"}
)
async def update_outdial(context: Context, body: OutdialUpdate) -> OutdialView:
    """Change the name and detail of an outdial."""

    async def change(outdial: Outdial) -> Outdial:
        return structs.replace(
            outdial,
            name=outdial.name if body.name is None else body.name,
            detail=outdial.detail if body.detail is None else body.detail,
        )

    return await _edit(context, change)


@outdials.operation(
    "PUT",
    "/outdials/{id}/campaign_id",
    *_BODY_REASONS,
    "STATE_INVALID",
    versioned=True,
    example={"campaign_id": ""},
)
async def update_outdial_campaign_id(context: Context, body: OutdialCampaign) -> OutdialView:
    """Bind an outdial to a campaign, or free it."""

    async def change(outdial: Outdial) -> Outdial:
        campaign_id = await _existing_campaign(context, body.campaign_id, outdial.campaign_id)
        return structs.replace(outdial, campaign_id=campaign_id)

    return await _edit(context, change)


@outdials.operation(
    "PUT", "/outdials/{id}/data", *_BODY_REASONS, "STATE_INVALID", versioned=True, example={"data": {"source": "crm"}}
)
async def update_outdial_data(context: Context, body: OutdialData) -> OutdialView:
    """Change the free data of an outdial."""

    async def change(outdial: Outdial) -> Outdial:
        return structs.replace(outdial, data=read_data(body.data, "data", outdial.data))

    return await _edit(context, change)


@outdials.operation("DELETE", "/outdials/{id}", "STATE_INVALID", versioned=True)
async def delete_outdial(context: Context) -> OutdialView:
    """Delete an outdial.

    None of its targets is dialled any more.
    """
    deleted = await remove(
        context,
        lambda: read_outdial(context),
        lambda seen: context.store.delete_outdial(context.customer, context.id, context.now, seen),
        "outdial",
    )
    return view(deleted, context.wire)
