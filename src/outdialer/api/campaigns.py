"""``/campaigns``: who is called, how, and what happens on answer."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from outdialer.api import campaigncalls as attempts
from outdialer.api import paging
from outdialer.api.campaigncalls import CampaigncallList
from outdialer.api.checks import check_campaign, read_actions, read_references
from outdialer.api.editing import edit, found, remove
from outdialer.api.errors import ApiError
from outdialer.api.filters import fits_status, status_filter
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import (
    ActionBody,
    ActionView,
    IdText,
    Text255,
    Text2000,
    TimeText,
    UuidText,
    Wire,
    action_view,
    closed,
)
from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.model import Campaign
from outdialer.domain.units import format_id
from outdialer.ports.store import CampaignStats, Page

ServiceLevel = Annotated[int, Meta(ge=0, le=100, description="Percent of the available agents to dial for.")]
Actions = Annotated[list[ActionBody], Meta(max_length=500)]
DialRate = Annotated[float, Meta(ge=0, le=1_000, description="Calls a second; 0: as many as the trunk allows.")]
DialChannels = Annotated[int, Meta(ge=0, le=100_000, description="Calls up at once; 0: as many as the trunk allows.")]
CampaignType = Literal["", "call", "flow"]
EndHandleText = Literal["", "stop", "continue"]


class CampaignUpdate(Struct, frozen=True):
    """What of a campaign is edited together; what is left out keeps its value, and so do "" as type and end_handle."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    type: CampaignType | None = None
    service_level: ServiceLevel | None = None
    end_handle: EndHandleText | None = None
    dial_rate: DialRate | None = None
    dial_channels: DialChannels | None = None


class CampaignCreate(CampaignUpdate, frozen=True):
    """A new campaign. References may be set now or later."""

    actions: Actions | None = None
    outplan_id: IdText | None = None
    outdial_id: IdText | None = None
    queue_id: IdText | None = None
    next_campaign_id: IdText | None = None


class CampaignStatusOrder(Struct, frozen=True):
    """Run or stop."""

    status: Literal["run", "stop"]


class CampaignServiceLevel(Struct, frozen=True):
    """How many agents to dial for."""

    service_level: ServiceLevel | None = None


class CampaignActions(Struct, frozen=True):
    """What happens on answer. Calls that are up keep the list that they started with."""

    actions: Actions | None = None


class CampaignResources(Struct, frozen=True):
    """What a campaign refers to; what is left out keeps its value, "" unsets it."""

    outplan_id: IdText | None = None
    outdial_id: IdText | None = None
    queue_id: IdText | None = None
    next_campaign_id: IdText | None = None


class CampaignNext(Struct, frozen=True):
    """The campaign that is started when this one has come to its end; "" for none."""

    next_campaign_id: IdText | None = None


class CampaignView(Struct, frozen=True, kw_only=True):
    """Who is called, how, and what happens on answer."""

    id: UuidText
    customer_id: UuidText
    type: Annotated[str, closed(("call", "flow"))]
    name: str
    detail: str
    status: Annotated[str, closed(CampaignStatus, "`stopping` while calls are up after a stop.")]
    service_level: int
    end_handle: Annotated[str, closed(EndHandle)]
    actions: list[ActionView]
    outplan_id: UuidText
    outdial_id: UuidText
    queue_id: UuidText
    next_campaign_id: UuidText
    dial_rate: float
    dial_channels: int
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class CampaignList(Struct, frozen=True):
    """A page of campaigns, newest first."""

    result: list[CampaignView]
    next_page_token: str


class CampaignStatsView(Struct, frozen=True, kw_only=True):
    """Where a campaign stands, in numbers."""

    targets_idle: int
    targets_progressing: int
    targets_done: Annotated[dict[str, int], Meta(description="By reason: success, exhausted, invalid, removed.")]
    attempts: int
    dialing: Annotated[int, Meta(description="Attempts neither answered nor over, ringing ones included.")]
    ringing: int
    talking: int
    succeeded: int
    failed: Annotated[dict[str, int], Meta(description="By hangup reason; `not_sent` for attempts never sent.")]
    answered: int
    retries_waiting: int
    tm_next_due: TimeText | None
    waiting_for: Annotated[str, Meta(description="What keeps the campaign from dialing more, with its value.")]


_REASONS = ("INVALID_ID", "CAMPAIGN_NOT_FOUND")
campaigns = Resource("campaigns", "Who is called, how, and what happens on answer.", *_REASONS)
_BODY_REASONS = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")
_EDIT_REASONS = (*_BODY_REASONS, "STATE_INVALID")
_ACTIONS_EXAMPLE = {"actions": [{"type": "talk", "option": {"text": "Good morning", "language": "en-GB"}}]}


def view(campaign: Campaign, wire: Wire) -> CampaignView:
    """A campaign as clients read it."""
    return CampaignView(
        id=format_id(campaign.id),
        customer_id=wire.customer_id,
        type=campaign.type,
        name=campaign.name,
        detail=campaign.detail,
        status=campaign.status,
        service_level=campaign.service_level,
        end_handle=campaign.end_handle,
        actions=[action_view(action) for action in campaign.actions],
        outplan_id=format_id(campaign.outplan_id),
        outdial_id=format_id(campaign.outdial_id),
        queue_id=format_id(campaign.queue_id),
        next_campaign_id=format_id(campaign.next_campaign_id),
        dial_rate=campaign.dial_rate,
        dial_channels=campaign.dial_channels,
        tm_create=wire.time(campaign.tm_create),
        tm_update=wire.time(campaign.tm_update),
        tm_delete=wire.time(campaign.tm_delete),
    )


def stats_view(stats: CampaignStats, wire: Wire) -> CampaignStatsView:
    """A campaign's counts as clients read them."""
    counts = {name: getattr(stats, name) for name in CampaignStats.__struct_fields__ if name != "next_due"}
    return CampaignStatsView(**counts, tm_next_due=wire.time(stats.next_due))


def _with_basics(campaign: Campaign, body: CampaignUpdate) -> Campaign:
    sent = {name: getattr(body, name) for name in CampaignUpdate.__struct_fields__}
    given = {name: value for name, value in sent.items() if value is not None}
    kind, end = body.type or campaign.type, EndHandle(body.end_handle or campaign.end_handle)
    return structs.replace(campaign, **given | {"type": kind, "end_handle": end})


async def _read(context: Context) -> Campaign:
    return found(await context.store.campaign(context.customer, context.id), "CAMPAIGN_NOT_FOUND", "campaign")


async def _edit(context: Context, change: Callable[[Campaign], Awaitable[Campaign]]) -> CampaignView:
    saved = await edit(
        context,
        lambda: _read(context),
        change,
        lambda changed: context.store.save_campaign(context.customer, changed, context.now),
        "campaign",
    )
    return view(saved, context.wire)


@campaigns.operation(
    "POST",
    "/campaigns",
    *_BODY_REASONS,
    "INVALID_ACTION_TYPE",
    "FEATURE_UNAVAILABLE",
    example={"name": "spring", "type": "call", "end_handle": "stop", **_ACTIONS_EXAMPLE},
)
async def create_campaign(context: Context, body: CampaignCreate) -> CampaignView:
    """Create a campaign.

    It is stopped at first.
    """
    blank = Campaign(
        id=context.services.ids.new(context.now),
        actions=read_actions(body.actions, ()),
        tm_create=context.now,
    )
    references = structs.asdict(body)
    wanted = read_references(_with_basics(blank, body), references)
    await check_campaign(context, wanted, blank)
    stored = await context.store.create_campaign(context.customer, wanted)
    context.show_version(stored.version)
    return view(stored, context.wire)


@campaigns.operation(
    "GET",
    "/campaigns",
    "INVALID_REQUEST_PARAMETER",
    query=(status_filter(CampaignStatus, CampaignStatus.RUN), DELETED),
)
async def list_campaigns(context: Context, page: Page) -> CampaignList:
    """List campaigns, newest first."""
    rows, token = await paging.fetch(
        page, lambda asked: context.store.campaigns(context.customer, asked), fits_status(context)
    )
    return CampaignList([view(row, context.wire) for row in rows], token)


@campaigns.operation("GET", "/campaigns/{id}")
async def get_campaign(context: Context) -> CampaignView:
    """Read a campaign, deleted or not."""
    campaign = await _read(context)
    context.show_version(campaign.version)
    return view(campaign, context.wire)


@campaigns.operation(
    "PUT", "/campaigns/{id}", *_EDIT_REASONS, "FEATURE_UNAVAILABLE", versioned=True, example={"dial_rate": 2.5}
)
async def update_campaign(context: Context, body: CampaignUpdate) -> CampaignView:
    """Change a campaign.

    One that runs follows within a second.
    """

    async def change(campaign: Campaign) -> Campaign:
        changed = _with_basics(campaign, body)
        await check_campaign(context, changed, campaign)
        return changed

    return await _edit(context, change)


@campaigns.operation("DELETE", "/campaigns/{id}", "STATE_INVALID", versioned=True)
async def delete_campaign(context: Context) -> CampaignView:
    """Delete a stopped campaign and free its outdial."""

    async def read() -> Campaign:
        campaign = await _read(context)
        if campaign.tm_delete is None and campaign.status is not CampaignStatus.STOP:
            raise ApiError("STATE_INVALID", "The campaign is not stopped; stop it and wait until its status is stop.")
        return campaign

    deleted = await remove(
        context,
        read,
        lambda seen: context.store.delete_campaign(context.customer, context.id, context.now, seen),
        "campaign",
    )
    return view(deleted, context.wire)


@campaigns.operation(
    "PUT", "/campaigns/{id}/status", *_EDIT_REASONS, "FEATURE_UNAVAILABLE", versioned=True, example={"status": "run"}
)
async def update_campaign_status(context: Context, body: CampaignStatusOrder) -> CampaignView:
    """Start or stop a campaign.

    A stop cuts no call: while calls are up the status is ``stopping``. Running a campaign that runs, or stopping one
    that is stopped, changes nothing.
    """

    async def checked(campaign: Campaign) -> Campaign:
        if body.status == "run" and campaign.status is not CampaignStatus.RUN:
            await check_campaign(context, campaign, None)
        return campaign

    async def ordered(campaign: Campaign) -> Campaign:
        if body.status == "run":
            store, seen = context.store, campaign.version
            changed = await store.order_run(context.customer, campaign.id, context.now, seen)
        else:
            changed = await context.store.order_stop(context.customer, campaign.id, context.now)
        if changed is None:
            raise ApiError("STATE_INVALID", "The campaign was deleted meanwhile.")
        return changed

    return view(await edit(context, lambda: _read(context), checked, ordered, "campaign"), context.wire)


@campaigns.operation(
    "PUT", "/campaigns/{id}/service_level", *_EDIT_REASONS, versioned=True, example={"service_level": 100}
)
async def update_campaign_service_level(context: Context, body: CampaignServiceLevel) -> CampaignView:
    """Change how many agents a campaign dials for."""

    async def change(campaign: Campaign) -> Campaign:
        level = campaign.service_level if body.service_level is None else body.service_level
        return structs.replace(campaign, service_level=level)

    return await _edit(context, change)


@campaigns.operation(
    "PUT",
    "/campaigns/{id}/actions",
    *_EDIT_REASONS,
    "INVALID_ACTION_TYPE",
    "FEATURE_UNAVAILABLE",
    versioned=True,
    example=_ACTIONS_EXAMPLE,
)
async def update_campaign_actions(context: Context, body: CampaignActions) -> CampaignView:
    """Change what happens on answer."""

    async def change(campaign: Campaign) -> Campaign:
        return structs.replace(campaign, actions=read_actions(body.actions, campaign.actions))

    return await _edit(context, change)


@campaigns.operation(
    "PUT",
    "/campaigns/{id}/resource_info",
    *_EDIT_REASONS,
    "FEATURE_UNAVAILABLE",
    versioned=True,
    example={"outplan_id": "", "outdial_id": ""},
)
async def update_campaign_resource_info(context: Context, body: CampaignResources) -> CampaignView:
    """Change what a campaign refers to."""

    async def change(campaign: Campaign) -> Campaign:
        changed = read_references(campaign, structs.asdict(body))
        await check_campaign(context, changed, campaign)
        return changed

    return await _edit(context, change)


@campaigns.operation(
    "PUT", "/campaigns/{id}/next_campaign_id", *_EDIT_REASONS, versioned=True, example={"next_campaign_id": ""}
)
async def update_campaign_next_campaign_id(context: Context, body: CampaignNext) -> CampaignView:
    """Change which campaign follows this one."""

    async def change(campaign: Campaign) -> Campaign:
        changed = read_references(campaign, structs.asdict(body))
        await check_campaign(context, changed, campaign)
        return changed

    return await _edit(context, change)


@campaigns.operation(
    "GET",
    "/campaigns/{id}/campaigncalls",
    "INVALID_REQUEST_PARAMETER",
    query=(attempts.TARGET, attempts.STATUS, DELETED),
)
async def list_campaign_campaigncalls(context: Context, page: Page) -> CampaigncallList:
    """List the attempts of a campaign, newest first."""
    await _read(context)
    return await attempts.listed(context, page, context.id)


@campaigns.operation("GET", "/campaigns/{id}/stats")
async def get_campaign_stats(context: Context) -> CampaignStatsView:
    """Read where a campaign stands, in numbers."""
    stats = await context.store.campaign_stats(context.customer, context.id)
    if stats is None:
        raise ApiError("CAMPAIGN_NOT_FOUND", "The campaign was not found.")
    return stats_view(stats, context.wire)
