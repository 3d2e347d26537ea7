"""``/groupcalls``: calls that ring several destinations for one answer."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource, unavailable
from outdialer.api.wire import ActionBody, AddressBody, AddressView, IdText, TimeText, UuidText
from outdialer.ports.store import Page

AWAITS = "calls to agents"
MAX_DESTINATIONS = 100
Destinations = Annotated[list[AddressBody], Meta(max_length=MAX_DESTINATIONS)]


class GroupcallCreate(Struct, frozen=True):
    """Several destinations to be rung for one answer."""

    source: AddressBody | None = None
    destinations: Destinations | None = None
    flow_id: IdText | None = None
    actions: list[ActionBody] | None = None
    ring_method: Literal["", "ring_all", "linear"] | None = None
    answer_method: Literal["", "hangup_others"] | None = None


class GroupcallView(Struct, frozen=True, kw_only=True):
    """Several destinations that are rung for one answer."""

    id: UuidText
    customer_id: UuidText
    owner_type: str
    owner_id: UuidText
    status: str
    flow_id: UuidText
    source: AddressView
    destinations: list[AddressView]
    master_call_id: UuidText
    master_groupcall_id: UuidText
    ring_method: str
    answer_method: str
    answer_call_id: UuidText
    call_ids: list[UuidText]
    answer_groupcall_id: UuidText
    groupcall_ids: list[UuidText]
    call_count: int
    groupcall_count: int
    dial_index: int
    tm_create: TimeText | UnsetType = UNSET
    tm_update: TimeText | UnsetType = UNSET
    tm_delete: TimeText | UnsetType = UNSET


class GroupcallList(Struct, frozen=True):
    """A page of groupcalls, newest first."""

    result: list[GroupcallView]
    next_page_token: str


groupcalls = Resource(
    "groupcalls", "Calls that ring several destinations for one answer.", "INVALID_ID", "GROUPCALL_NOT_FOUND"
)
_MISSING = ApiError("GROUPCALL_NOT_FOUND", "The groupcall was not found.")


@groupcalls.operation(
    "POST",
    "/groupcalls",
    "INVALID_JSON_BODY",
    "INVALID_ARGUMENT",
    awaits=AWAITS,
    example={"destinations": [{"target": "+12025550123"}, {"target": "+12025550124"}], "ring_method": "ring_all"},
)
async def create_groupcall(context: Context, body: GroupcallCreate) -> GroupcallView:
    """Ring several destinations for one answer."""
    raise unavailable(AWAITS)


@groupcalls.operation("GET", "/groupcalls", "INVALID_REQUEST_PARAMETER", awaits=AWAITS)
async def list_groupcalls(context: Context, page: Page) -> GroupcallList:
    """List groupcalls; there are none yet."""
    return GroupcallList([], "")


@groupcalls.operation("GET", "/groupcalls/{id}", awaits=AWAITS)
async def get_groupcall(context: Context) -> GroupcallView:
    """Read a groupcall; there are none yet."""
    raise _MISSING


@groupcalls.operation("DELETE", "/groupcalls/{id}", awaits=AWAITS)
async def delete_groupcall(context: Context) -> GroupcallView:
    """Hang up and delete a groupcall; there are none yet."""
    raise _MISSING


@groupcalls.operation("POST", "/groupcalls/{id}/hangup", awaits=AWAITS)
async def hang_up_groupcall(context: Context) -> GroupcallView:
    """Hang up a groupcall; there are none yet."""
    raise _MISSING
