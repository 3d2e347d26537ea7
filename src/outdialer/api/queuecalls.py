"""``/queuecalls``: people in a queue. There are none until campaigns can use queues."""

from msgspec import UNSET, Struct, UnsetType

from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource
from outdialer.api.wire import TimeText, UuidText
from outdialer.ports.store import Page

AWAITS = "queues that campaigns use"


class QueuecallView(Struct, frozen=True, kw_only=True):
    """One person in a queue. What is empty or zero is left out, except ids and times."""

    id: UuidText
    customer_id: UuidText
    reference_type: str | UnsetType = UNSET
    reference_id: UuidText
    status: str | UnsetType = UNSET
    service_agent_id: UuidText
    duration_waiting: int | UnsetType = UNSET
    duration_service: int | UnsetType = UNSET
    tm_create: TimeText | None
    tm_service: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class QueuecallList(Struct, frozen=True):
    """A page of queuecalls, newest first."""

    result: list[QueuecallView]
    next_page_token: str


queuecalls = Resource("queuecalls", "People in a queue.", "INVALID_ID", "QUEUECALL_NOT_FOUND")
_MISSING = ApiError("QUEUECALL_NOT_FOUND", "The queuecall was not found.")


@queuecalls.operation("GET", "/queuecalls", "INVALID_REQUEST_PARAMETER", awaits=AWAITS)
async def list_queuecalls(context: Context, page: Page) -> QueuecallList:
    """List queuecalls; there are none yet."""
    return QueuecallList([], "")


@queuecalls.operation("GET", "/queuecalls/{id}", awaits=AWAITS)
async def get_queuecall(context: Context) -> QueuecallView:
    """Read a queuecall; there are none yet."""
    raise _MISSING


@queuecalls.operation("DELETE", "/queuecalls/{id}", awaits=AWAITS)
async def delete_queuecall(context: Context) -> QueuecallView:
    """Delete a queuecall; there are none yet."""
    raise _MISSING


@queuecalls.operation("POST", "/queuecalls/{id}/kick", awaits=AWAITS)
async def kick_queuecall(context: Context) -> QueuecallView:
    """Take somebody out of a queue; there is nobody yet."""
    raise _MISSING


@queuecalls.operation("POST", "/queuecalls/reference_id/{id}/kick", awaits=AWAITS)
async def kick_queuecall_of_call(context: Context) -> QueuecallView:
    """Take the person of a call out of a queue; there is nobody yet."""
    raise _MISSING
