"""``/calls``: calls as SIP knows them, and hanging them up."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api import paging
from outdialer.api.editing import found
from outdialer.api.filters import fits_status, status_filter
from outdialer.api.operations import Context, Resource
from outdialer.api.wire import ActionView, AddressView, TimeText, UuidText, Wire, address_view, closed
from outdialer.domain.call import CallStatus
from outdialer.domain.model import Call
from outdialer.domain.outcome import HangupReason
from outdialer.domain.units import NIL_ID, format_id
from outdialer.ports.store import Page

NIL_TEXT = format_id(NIL_ID)


class CallView(Struct, frozen=True, kw_only=True):
    """One call with one far end. A call that is not over has no ``hangup_reason`` and no ``hangup_by``."""

    id: UuidText
    customer_id: UuidText
    owner_type: str
    owner_id: UuidText
    flow_id: UuidText
    activeflow_id: UuidText
    campaigncall_id: Annotated[UuidText, Meta(description="The attempt that this call belongs to.")]
    type: str
    master_call_id: UuidText
    recording_id: UuidText
    groupcall_id: UuidText
    source: AddressView
    destination: AddressView
    status: Annotated[str, closed(CallStatus)]
    action: ActionView
    direction: Annotated[str, closed(("outgoing", "incoming"))]
    hangup_by: Annotated[str, closed(("remote", "local"))] | UnsetType = UNSET
    hangup_reason: Annotated[str, closed(HangupReason)] | UnsetType = UNSET
    hangup_detail: str | UnsetType = UNSET
    sip_code: int
    q850_cause: int
    answered: bool
    tm_progressing: TimeText | None
    tm_ringing: TimeText | None
    tm_hangup: TimeText | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class CallList(Struct, frozen=True):
    """A page of calls, newest first."""

    result: list[CallView]
    next_page_token: str


calls = Resource("calls", "Calls as SIP knows them.", "INVALID_ID", "CALL_NOT_FOUND")


def view(call: Call, wire: Wire) -> CallView:
    """A call as clients read it."""
    return CallView(
        id=format_id(call.id),
        customer_id=wire.customer_id,
        owner_type="",
        owner_id=NIL_TEXT,
        flow_id=format_id(call.flow_id),
        activeflow_id=format_id(call.activeflow_id),
        campaigncall_id=format_id(call.campaigncall_id),
        type="flow",
        master_call_id=NIL_TEXT,
        recording_id=NIL_TEXT,
        groupcall_id=NIL_TEXT,
        source=address_view(call.source),
        destination=address_view(call.destination),
        status=call.status,
        action=ActionView(id=NIL_TEXT, next_id=NIL_TEXT),
        direction="outgoing",
        hangup_by=call.hangup_by or UNSET,
        hangup_reason=call.hangup_reason or UNSET,
        hangup_detail=call.hangup_detail or UNSET,
        sip_code=call.sip_code,
        q850_cause=call.q850_cause,
        answered=call.answered,
        tm_progressing=wire.time(call.tm_progressing),
        tm_ringing=wire.time(call.tm_ringing),
        tm_hangup=wire.time(call.tm_hangup),
        tm_create=wire.time(call.tm_create),
        tm_update=wire.time(call.tm_update),
        tm_delete=wire.time(call.tm_delete),
    )


async def read_call(context: Context) -> Call:
    """The call that the path names.

    Raises:
        ApiError: there is none.
    """
    return found(await context.store.call(context.customer, context.id), "CALL_NOT_FOUND", "call")


@calls.operation(
    "GET", "/calls", "INVALID_REQUEST_PARAMETER", query=(status_filter(CallStatus, CallStatus.PROGRESSING),)
)
async def list_calls(context: Context, page: Page) -> CallList:
    """List calls, newest first."""
    rows, token = await paging.fetch(
        page, lambda asked: context.store.calls(context.customer, asked), fits_status(context)
    )
    return CallList([view(row, context.wire) for row in rows], token)


@calls.operation("GET", "/calls/{id}")
async def get_call(context: Context) -> CallView:
    """Read a call."""
    return view(await read_call(context), context.wire)


async def hang_up(context: Context, call: Call) -> None:
    """Order a call to be ended; nothing is done about one that is over."""
    leg = await context.store.leg_of_call(context.customer, call.id)
    if leg is not None:
        context.services.hang_up(leg, "operator")


@calls.operation("POST", "/calls/{id}/hangup")
async def hang_up_call(context: Context) -> CallView:
    """End a call: CANCEL before the answer, BYE after it.

    The answer shows the call as it is at this moment; one that is ending or over stays as it is.
    """
    await hang_up(context, await read_call(context))
    return view(await read_call(context), context.wire)
