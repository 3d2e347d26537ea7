"""``/campaigncalls``: the attempts, with the facts of their calls."""

from typing import Annotated

from msgspec import Meta, Struct

from outdialer.api import paging
from outdialer.api.editing import found
from outdialer.api.entries import id_parameter, query_id
from outdialer.api.errors import ApiError
from outdialer.api.filters import fits_status, status_filter
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import AddressView, TimeText, UuidText, Wire, address_view, closed
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.model import CampaignCall
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.units import Id, format_id
from outdialer.ports.store import Conflict, Page


class CampaigncallView(Struct, frozen=True, kw_only=True):
    """One attempt: one try of one destination."""

    id: UuidText
    customer_id: UuidText
    campaign_id: UuidText
    outplan_id: UuidText
    outdial_id: UuidText
    outdial_target_id: UuidText
    queue_id: UuidText
    activeflow_id: UuidText
    flow_id: UuidText
    reference_type: Annotated[str, closed(("none", "call"))]
    reference_id: Annotated[UuidText, Meta(description="The call.")]
    status: Annotated[str, closed(AttemptStatus, "`progressing`: the person has answered.")]
    result: Annotated[str, closed(Result, "Only the reason `normal` is a success.")]
    source: AddressView
    destination: AddressView
    destination_index: int
    try_count: Annotated[int, Meta(description="The number of this try of this destination, from 1.")]
    hangup_reason: Annotated[str, closed(HangupReason)]
    hangup_detail: Annotated[str, Meta(description="What exactly happened.")]
    sip_code: Annotated[int, Meta(description="Final response to the INVITE; 0: none.")]
    q850_cause: int
    answered: bool
    charged: Annotated[bool, Meta(description="False: nothing was sent, and the try was given back.")]
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_ringing: TimeText | None
    tm_progressing: TimeText | None
    tm_hangup: TimeText | None
    tm_delete: TimeText | None


class CampaigncallList(Struct, frozen=True):
    """A page of attempts, newest first."""

    result: list[CampaigncallView]
    next_page_token: str


campaigncalls = Resource(
    "campaigncalls", "The attempts, with the facts of their calls.", "INVALID_ID", "CAMPAIGNCALL_NOT_FOUND"
)
STATUS = status_filter(AttemptStatus, AttemptStatus.PROGRESSING)
TARGET = id_parameter("outdial_target_id", "Attempts of this person alone.")


def view(attempt: CampaignCall, wire: Wire) -> CampaigncallView:
    """An attempt as clients read it."""
    return CampaigncallView(
        id=format_id(attempt.id),
        customer_id=wire.customer_id,
        campaign_id=format_id(attempt.campaign_id),
        outplan_id=format_id(attempt.outplan_id),
        outdial_id=format_id(attempt.outdial_id),
        outdial_target_id=format_id(attempt.outdial_target_id),
        queue_id=format_id(attempt.queue_id),
        activeflow_id=format_id(attempt.activeflow_id),
        flow_id=format_id(attempt.flow_id),
        reference_type=attempt.reference_type,
        reference_id=format_id(attempt.reference_id),
        status=attempt.status,
        result=attempt.result,
        source=address_view(attempt.source),
        destination=address_view(attempt.destination),
        destination_index=attempt.destination_index,
        try_count=attempt.try_count,
        hangup_reason=attempt.hangup_reason,
        hangup_detail=attempt.hangup_detail,
        sip_code=attempt.sip_code,
        q850_cause=attempt.q850_cause,
        answered=attempt.answered,
        charged=attempt.charged,
        tm_create=wire.time(attempt.tm_create),
        tm_update=wire.time(attempt.tm_update),
        tm_ringing=wire.time(attempt.tm_ringing),
        tm_progressing=wire.time(attempt.tm_progressing),
        tm_hangup=wire.time(attempt.tm_hangup),
        tm_delete=wire.time(attempt.tm_delete),
    )


async def listed(context: Context, page: Page, campaign: Id | None) -> CampaigncallList:
    """The attempts of a campaign, or of all, that the query asks for."""
    target = query_id(context, TARGET.name)
    rows, token = await paging.fetch(
        page, lambda asked: context.store.campaigncalls(context.customer, asked, campaign, target), fits_status(context)
    )
    return CampaigncallList([view(row, context.wire) for row in rows], token)


async def _read(context: Context) -> CampaignCall:
    stored = await context.store.campaigncall(context.customer, context.id)
    return found(stored, "CAMPAIGNCALL_NOT_FOUND", "campaigncall")


@campaigncalls.operation(
    "GET",
    "/campaigncalls",
    "INVALID_REQUEST_PARAMETER",
    query=(id_parameter("campaign_id", "Attempts of this campaign alone."), TARGET, STATUS, DELETED),
)
async def list_campaigncalls(context: Context, page: Page) -> CampaigncallList:
    """List attempts of all campaigns, or of one, newest first."""
    return await listed(context, page, query_id(context, "campaign_id"))


@campaigncalls.operation("GET", "/campaigncalls/{id}")
async def get_campaigncall(context: Context) -> CampaigncallView:
    """Read an attempt, deleted or not."""
    return view(await _read(context), context.wire)


@campaigncalls.operation("DELETE", "/campaigncalls/{id}", "STATE_INVALID")
async def delete_campaigncall(context: Context) -> CampaigncallView:
    """Hide an attempt that is done from the lists.

    It still counts.
    """
    attempt = await _read(context)
    if attempt.tm_delete is None:
        attempt = await _delete(context, attempt)
    return view(attempt, context.wire)


async def _delete(context: Context, attempt: CampaignCall) -> CampaignCall:
    unfinished = ApiError("STATE_INVALID", "The campaigncall is not done; it can be deleted when its call is over.")
    if attempt.status is not AttemptStatus.DONE:
        raise unfinished
    try:
        deleted = await context.store.delete_campaigncall(context.customer, attempt.id, context.now)
    except Conflict:
        raise unfinished from None
    return found(deleted, "CAMPAIGNCALL_NOT_FOUND", "campaigncall")
