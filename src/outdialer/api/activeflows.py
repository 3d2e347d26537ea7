"""``/activeflows``: runs of a call script. Campaigns run theirs inside the engine; none is started here yet."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource, unavailable
from outdialer.api.wire import ActionBody, ActionView, IdText, TimeText, UuidText
from outdialer.ports.store import Page

AWAITS = "call scripts that run outside of campaigns"
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
    status: str | UnsetType = UNSET
    reference_type: str | UnsetType = UNSET
    reference_id: UuidText
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
_MISSING = ApiError("ACTIVEFLOW_NOT_FOUND", "The activeflow was not found.")


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


@activeflows.operation("GET", "/activeflows", "INVALID_REQUEST_PARAMETER", awaits=AWAITS)
async def list_activeflows(context: Context, page: Page) -> ActiveflowList:
    """List activeflows; there are none yet."""
    return ActiveflowList([], "")


@activeflows.operation("GET", "/activeflows/{id}", awaits=AWAITS)
async def get_activeflow(context: Context) -> ActiveflowView:
    """Read an activeflow; there are none yet."""
    raise _MISSING


@activeflows.operation("DELETE", "/activeflows/{id}", awaits=AWAITS)
async def delete_activeflow(context: Context) -> ActiveflowView:
    """Stop and delete an activeflow; there are none yet."""
    raise _MISSING


@activeflows.operation("POST", "/activeflows/{id}/stop", awaits=AWAITS)
async def stop_activeflow(context: Context) -> ActiveflowView:
    """Stop an activeflow; there are none yet."""
    raise _MISSING
