"""``/queues``: where answered calls wait for an agent."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, merged, new_direct_hash, read_ids, unless_empty
from outdialer.api.errors import FieldError, shown
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import IdText, Text255, Text2000, TimeText, UuidText, Wire, closed, read_id
from outdialer.domain.directory import Queue
from outdialer.domain.units import format_id
from outdialer.ports.store import Page

MAX_TIMEOUT_MS = 604_800_000
MAX_TAGS = 100
ROUTING_METHODS = ("random", "ringall")
"""``ringall`` is understood, stored, and acts as ``random``."""
Timeout = Annotated[int, Meta(ge=0, le=MAX_TIMEOUT_MS, description="Ms; 0: no limit.")]
TagIds = Annotated[list[IdText], Meta(max_length=MAX_TAGS)]
RoutingMethod = Annotated[
    str, Meta(max_length=64, description="`random`.", extra_json_schema={"enum": ["", *ROUTING_METHODS]})
]


class QueueBody(Struct, frozen=True):
    """A queue as a client writes it; what a change leaves out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    routing_method: RoutingMethod | None = None
    tag_ids: TagIds | None = None
    wait_flow_id: IdText | None = None
    wait_timeout: Timeout | None = None
    service_timeout: Timeout | None = None


class QueueTagIds(Struct, frozen=True):
    """Which agents a queue takes: those that hold any of the tags; all, when there are none."""

    tag_ids: TagIds | None = None


class QueueRoutingMethod(Struct, frozen=True):
    """How a queue chooses among its agents."""

    routing_method: RoutingMethod | None = None


class QueueView(Struct, frozen=True, kw_only=True):
    """Where answered calls wait for an agent. What is empty or zero is left out, except ids and times."""

    id: UuidText
    customer_id: UuidText
    name: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    routing_method: Annotated[str, closed(ROUTING_METHODS)] | UnsetType = UNSET
    tag_ids: list[UuidText] | UnsetType = UNSET
    direct_hash: str | UnsetType = UNSET
    wait_flow_id: UuidText
    wait_timeout: int | UnsetType = UNSET
    service_timeout: int | UnsetType = UNSET
    wait_queuecall_ids: list[UuidText] | UnsetType = UNSET
    service_queuecall_ids: list[UuidText] | UnsetType = UNSET
    total_incoming_count: int | UnsetType = UNSET
    total_serviced_count: int | UnsetType = UNSET
    total_abandoned_count: int | UnsetType = UNSET
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class QueueList(Struct, frozen=True):
    """A page of queues, newest first."""

    result: list[QueueView]
    next_page_token: str


queues = Resource(
    "queues",
    "Where answered calls wait for an agent. Campaigns cannot use them in this release.",
    "INVALID_ID",
    "QUEUE_NOT_FOUND",
)
_shelf = Shelf(Queue, "queue", "QUEUE_NOT_FOUND")
_ROUTING = "INVALID_ROUTING_METHOD"
_EXAMPLE = {"name": "sales", "routing_method": "random", "tag_ids": [], "wait_timeout": 60_000}


def view(queue: Queue, wire: Wire) -> QueueView:
    """A queue as clients read it."""
    return QueueView(
        id=format_id(queue.id),
        customer_id=wire.customer_id,
        name=unless_empty(queue.name),
        detail=unless_empty(queue.detail),
        routing_method=unless_empty(queue.routing_method),
        tag_ids=unless_empty([format_id(tag) for tag in queue.tag_ids]),
        direct_hash=unless_empty(queue.direct_hash),
        wait_flow_id=format_id(queue.wait_flow_id),
        wait_timeout=unless_empty(queue.wait_timeout_ms),
        service_timeout=unless_empty(queue.service_timeout_ms),
        tm_create=wire.time(queue.tm_create),
        tm_update=wire.time(queue.tm_update),
        tm_delete=wire.time(queue.tm_delete),
    )


def _routing(sent: str | None, default: str) -> str:
    if not sent:
        return default
    if sent not in ROUTING_METHODS:
        raise FieldError("routing_method", f"{shown(sent)} is not a routing method; write random", _ROUTING)
    return sent


def _merge(queue: Queue, body: QueueBody) -> Queue:
    return merged(
        queue,
        body,
        routing_method=_routing(body.routing_method, queue.routing_method),
        tag_ids=read_ids(body.tag_ids, "tag_ids", queue.tag_ids),
        wait_flow_id=read_id(body.wait_flow_id, "wait_flow_id", queue.wait_flow_id),
        wait_timeout_ms=queue.wait_timeout_ms if body.wait_timeout is None else body.wait_timeout,
        service_timeout_ms=queue.service_timeout_ms if body.service_timeout is None else body.service_timeout,
    )


@queues.operation("POST", "/queues", *CREATE_REASONS, _ROUTING, example=_EXAMPLE)
async def create_queue(context: Context, body: QueueBody) -> QueueView:
    """Create a queue."""
    blank = Queue(id=context.services.ids.new(context.now), tm_create=context.now)
    return view(await _shelf.create(context, _merge(blank, body)), context.wire)


@queues.operation("GET", "/queues", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_queues(context: Context, page: Page) -> QueueList:
    """List queues, newest first."""
    rows, token = await _shelf.page(context, page)
    return QueueList([view(row, context.wire) for row in rows], token)


@queues.operation("GET", "/queues/{id}")
async def get_queue(context: Context) -> QueueView:
    """Read a queue, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@queues.operation("PUT", "/queues/{id}", *EDIT_REASONS, _ROUTING, versioned=True, example=_EXAMPLE)
async def update_queue(context: Context, body: QueueBody) -> QueueView:
    """Change a queue."""
    return view(await _shelf.change(context, lambda queue: _merge(queue, body)), context.wire)


@queues.operation("PUT", "/queues/{id}/tag_ids", *EDIT_REASONS, versioned=True, example={"tag_ids": []})
async def update_queue_tag_ids(context: Context, body: QueueTagIds) -> QueueView:
    """Change which agents a queue takes."""
    return view(
        await _shelf.change(context, lambda queue: _merge(queue, QueueBody(tag_ids=body.tag_ids))), context.wire
    )


@queues.operation(
    "PUT",
    "/queues/{id}/routing_method",
    *EDIT_REASONS,
    _ROUTING,
    versioned=True,
    example={"routing_method": "random"},
)
async def update_queue_routing_method(context: Context, body: QueueRoutingMethod) -> QueueView:
    """Change how a queue chooses among its agents."""
    wanted = QueueBody(routing_method=body.routing_method)
    return view(await _shelf.change(context, lambda queue: _merge(queue, wanted)), context.wire)


@queues.operation("DELETE", "/queues/{id}", "STATE_INVALID", versioned=True)
async def delete_queue(context: Context) -> QueueView:
    """Delete a queue."""
    return view(await _shelf.delete(context), context.wire)


@queues.operation("POST", "/queues/{id}/direct-hash-regenerate", "STATE_INVALID", versioned=True)
async def regenerate_queue_direct_hash(context: Context) -> QueueView:
    """Give a queue a new shortcut.

    It is kept for calls that come in, which are not part of this release.
    """
    shortcut = new_direct_hash(context)
    return view(await _shelf.change(context, lambda queue: structs.replace(queue, direct_hash=shortcut)), context.wire)
