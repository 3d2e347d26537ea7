"""``/activeflows``: runs of a call script, one for each call of a campaign; none is started without a call yet.

An activeflow is kept with its call: the script begins with the answer and is over when the call ends or is being ended.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api import paging
from outdialer.api.calls import NIL_TEXT, hang_up
from outdialer.api.editing import found
from outdialer.api.operations import Context, Resource, unavailable
from outdialer.api.wire import ActionBody, ActionView, IdText, TimeText, UuidText, Wire
from outdialer.domain.call import CallStatus
from outdialer.domain.model import Call
from outdialer.domain.units import Instant, format_id
from outdialer.ports.store import Page

AWAITS = "call scripts that run without a call"
MAX_VARIABLES = 100
Variables = Annotated[dict[str, str], Meta(max_length=MAX_VARIABLES)]


class ActiveflowCreate(Struct, frozen=True):
    """A script to be run: a flow's, or the given actions."""

    id: IdText | None = None
    flow_id: IdText | None = None
    actions: list[ActionBody] | None = None
    variables: Variables | None = None
    webhook_uri: Annotated[str, Meta(max_length=2_048)] | None = None
    webhook_method: Annotated[str, Meta(max_length=16)] | None = None


class ActiveflowView(Struct, frozen=True, kw_only=True):
    """One run of a call script."""

    id: UuidText
    customer_id: UuidText
    flow_id: UuidText
    status: (
        Annotated[Literal["running", "ended"], Meta(description="Left out until the person answers.")] | UnsetType
    ) = UNSET
    reference_type: Literal["call"] | UnsetType = UNSET
    reference_id: Annotated[UuidText, Meta(description="The call.")]
    reference_activeflow_id: UuidText
    on_complete_flow_id: UuidText
    webhook_uri: str | UnsetType = UNSET
    webhook_method: str | UnsetType = UNSET
    current_action: ActionView
    forward_action_id: UuidText
    executed_actions: list[ActionView] | UnsetType = UNSET
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class ActiveflowList(Struct, frozen=True):
    """A page of activeflows, newest first."""

    result: list[ActiveflowView]
    next_page_token: str


activeflows = Resource("activeflows", "Runs of a call script.", "INVALID_ID", "ACTIVEFLOW_NOT_FOUND")
_NAMED = ("ACTIVEFLOW_NOT_FOUND", "activeflow")


def view(call: Call, wire: Wire) -> ActiveflowView:
    """The run of a call's script as clients read it; which action it is at is not kept."""
    return ActiveflowView(
        id=format_id(call.activeflow_id),
        customer_id=wire.customer_id,
        flow_id=format_id(call.flow_id),
        status=_status(call),
        reference_type="call",
        reference_id=format_id(call.id),
        reference_activeflow_id=NIL_TEXT,
        on_complete_flow_id=NIL_TEXT,
        current_action=ActionView(id=NIL_TEXT, next_id=NIL_TEXT),
        forward_action_id=NIL_TEXT,
        tm_create=wire.time(call.tm_create),
        tm_update=wire.time(_changed(call)),
        tm_delete=wire.time(call.tm_activeflow_delete),
    )


def _changed(call: Call) -> Instant | None:
    """When the run was changed last: what else happens to its call does not concern it."""
    return call.tm_activeflow_delete or call.tm_activeflow_end or call.tm_hangup or call.tm_progressing


def _status(call: Call) -> Literal["running", "ended"] | UnsetType:
    if call.tm_activeflow_end is not None:
        return "ended"
    if call.status in (CallStatus.DIALING, CallStatus.RINGING):
        return UNSET
    return "running" if call.status is CallStatus.PROGRESSING else "ended"


async def _read(context: Context) -> Call:
    return found(await context.store.call_of_activeflow(context.customer, context.id), *_NAMED)


@activeflows.operation(
    "POST",
    "/activeflows",
    "INVALID_JSON_BODY",
    "INVALID_ARGUMENT",
    awaits=AWAITS,
    example={"flow_id": "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001", "variables": {"name": "Ada"}},
)
async def create_activeflow(context: Context, body: ActiveflowCreate) -> ActiveflowView:
    """Run a call script without a call."""
    raise unavailable(AWAITS)


@activeflows.operation("GET", "/activeflows", "INVALID_REQUEST_PARAMETER")
async def list_activeflows(context: Context, page: Page) -> ActiveflowList:
    """List the runs of call scripts, newest first.

    Where many were deleted, a page may be short, and even empty, with a `next_page_token` that is not "": go on until
    it is.
    """
    rows, token = await paging.fetch(page, lambda asked: context.store.calls(context.customer, asked), _is_shown)
    return ActiveflowList([view(row, context.wire) for row in rows], token)


def _is_shown(call: Call) -> bool:
    return call.tm_activeflow_delete is None


@activeflows.operation("GET", "/activeflows/{id}")
async def get_activeflow(context: Context) -> ActiveflowView:
    """Read a run of a call script, deleted or not."""
    return view(await _read(context), context.wire)


@activeflows.operation("DELETE", "/activeflows/{id}")
async def delete_activeflow(context: Context) -> ActiveflowView:
    """End the call that runs the script, and hide the run from the lists.

    The call itself stays.
    """
    await hang_up(context, await _read(context))
    now = context.services.clock.now()  # After the order to hang up, which ends the run.
    deleted = await context.store.delete_activeflow(context.customer, context.id, now)
    return view(found(deleted, *_NAMED), context.wire)


@activeflows.operation("POST", "/activeflows/{id}/stop")
async def stop_activeflow(context: Context) -> ActiveflowView:
    """End the call that runs the script: CANCEL before the answer, BYE after it.

    The answer shows the run as it is at this moment; one that has ended stays as it is.
    """
    await hang_up(context, await _read(context))
    return view(await _read(context), context.wire)
