"""``/flows``: call scripts that can be named."""

from collections.abc import Callable, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from outdialer.api.checks import read_actions
from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, merged, new_direct_hash, unless_empty
from outdialer.api.errors import FieldError
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
    read_id,
)
from outdialer.domain.directory import Flow
from outdialer.domain.model import Action
from outdialer.domain.units import NIL_ID, Id, format_id
from outdialer.ports.store import Page


class FlowBody(Struct, frozen=True):
    """A flow as a client writes it; what a change leaves out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    actions: Annotated[list[ActionBody], Meta(max_length=500)] | None = None
    on_complete_flow_id: IdText | None = None


class FlowView(Struct, frozen=True, kw_only=True):
    """A call script. What is empty is left out, except ids and times."""

    id: UuidText
    customer_id: UuidText
    type: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    actions: list[ActionView] | UnsetType = UNSET
    direct_hash: str | UnsetType = UNSET
    on_complete_flow_id: UuidText
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class FlowList(Struct, frozen=True):
    """A page of flows, newest first."""

    result: list[FlowView]
    next_page_token: str


flows = Resource("flows", "Call scripts that can be named.", "INVALID_ID", "FLOW_NOT_FOUND")
_shelf = Shelf(Flow, "flow", "FLOW_NOT_FOUND")
_ACTION_REASONS = ("INVALID_ACTION_TYPE", "FEATURE_UNAVAILABLE")
_EXAMPLE = {"name": "greeting", "actions": [{"type": "talk", "option": {"text": "Good morning", "language": "en-GB"}}]}


def view(flow: Flow, wire: Wire) -> FlowView:
    """A flow as clients read it."""
    return FlowView(
        id=format_id(flow.id),
        customer_id=wire.customer_id,
        type=unless_empty(flow.type),
        name=unless_empty(flow.name),
        detail=unless_empty(flow.detail),
        actions=unless_empty([action_view(action) for action in flow.actions]),
        direct_hash=unless_empty(flow.direct_hash),
        on_complete_flow_id=format_id(flow.on_complete_flow_id),
        tm_create=wire.time(flow.tm_create),
        tm_update=wire.time(flow.tm_update),
        tm_delete=wire.time(flow.tm_delete),
    )


def _identified(actions: Sequence[Action], context: Context) -> tuple[Action, ...]:
    """The actions, each with an id: those without one get a new one."""
    new = context.services.ids.new
    return tuple(structs.replace(action, id=new(context.now)) if action.id == NIL_ID else action for action in actions)


async def _read_follower(context: Context, body: FlowBody) -> Id | None:
    """The flow that a body names as the next one; None when it names none or keeps the stored one."""
    if body.on_complete_flow_id is None:
        return None
    flow_id = read_id(body.on_complete_flow_id, "on_complete_flow_id")
    if flow_id != NIL_ID and await _shelf.find(context, flow_id) is None:
        problem = f'there is no flow {format_id(flow_id)}; write the id of one, or "" for none'
        raise FieldError("on_complete_flow_id", problem)
    return flow_id


async def _merger(context: Context, body: FlowBody) -> Callable[[Flow], Flow]:
    """What merges a body into a flow, once what it refers to is known to be there."""
    follower = await _read_follower(context, body)

    def merge(flow: Flow) -> Flow:
        actions = _identified(read_actions(body.actions, flow.actions), context)
        following = flow.on_complete_flow_id if follower is None else follower
        return merged(flow, body, actions=actions, on_complete_flow_id=following)

    return merge


@flows.operation("POST", "/flows", *CREATE_REASONS, *_ACTION_REASONS, example=_EXAMPLE)
async def create_flow(context: Context, body: FlowBody) -> FlowView:
    """Create a flow.

    Actions without an id get one.
    """
    blank = Flow(id=context.services.ids.new(context.now), tm_create=context.now)
    merge = await _merger(context, body)
    return view(await _shelf.create(context, merge(blank)), context.wire)


@flows.operation("GET", "/flows", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_flows(context: Context, page: Page) -> FlowList:
    """List flows, newest first."""
    rows, token = await _shelf.page(context, page)
    return FlowList([view(row, context.wire) for row in rows], token)


@flows.operation("GET", "/flows/{id}")
async def get_flow(context: Context) -> FlowView:
    """Read a flow, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@flows.operation("PUT", "/flows/{id}", *EDIT_REASONS, *_ACTION_REASONS, versioned=True, example=_EXAMPLE)
async def update_flow(context: Context, body: FlowBody) -> FlowView:
    """Change a flow."""
    return view(await _shelf.change(context, await _merger(context, body)), context.wire)


@flows.operation("DELETE", "/flows/{id}", "STATE_INVALID", versioned=True)
async def delete_flow(context: Context) -> FlowView:
    """Delete a flow."""
    return view(await _shelf.delete(context), context.wire)


@flows.operation("POST", "/flows/{id}/direct-hash-regenerate", "STATE_INVALID", versioned=True)
async def regenerate_flow_direct_hash(context: Context) -> FlowView:
    """Give a flow a new shortcut.

    It is kept for calls that come in, which are not part of this release.
    """
    shortcut = new_direct_hash(context)
    return view(await _shelf.change(context, lambda flow: structs.replace(flow, direct_hash=shortcut)), context.wire)
