"""``/providercalls``: test calls through one carrier, for whoever runs the installation."""

from typing import Literal

from msgspec import Struct

from outdialer.api.entries import id_parameter, query_id
from outdialer.api.errors import ApiError
from outdialer.api.groupcalls import Destinations
from outdialer.api.operations import Context, Resource, unavailable
from outdialer.api.wire import ActionBody, AddressBody, AddressView, IdText, TimeText, UuidText
from outdialer.ports.store import Page

AWAITS = "calls through a chosen carrier"


class ProvidercallCreate(Struct, frozen=True):
    """A test call through one carrier."""

    provider_id: IdText | None = None
    flow_id: IdText | None = None
    actions: list[ActionBody] | None = None
    source: AddressBody | None = None
    destinations: Destinations | None = None
    anonymous: Literal["", "yes", "no", "auto"] | None = None


class ProvidercallView(Struct, frozen=True, kw_only=True):
    """A test call through one carrier."""

    id: UuidText
    customer_id: UuidText
    provider_id: UuidText
    flow_id: UuidText
    source: AddressView
    destinations: list[AddressView]
    anonymous: str
    call_ids: list[UuidText]
    groupcall_ids: list[UuidText]
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class ProvidercallList(Struct, frozen=True):
    """A page of test calls, newest first."""

    result: list[ProvidercallView]
    next_page_token: str


providercalls = Resource("providercalls", "Test calls through one carrier.", "INVALID_ID", "PROVIDERCALL_NOT_FOUND")
_MISSING = ApiError("PROVIDERCALL_NOT_FOUND", "The providercall was not found.")


@providercalls.operation(
    "POST",
    "/providercalls",
    "INVALID_JSON_BODY",
    "INVALID_ARGUMENT",
    "INVALID_ANONYMOUS_VALUE",
    awaits=AWAITS,
    example={"provider_id": "", "destinations": [{"target": "+12025550123"}]},
)
async def create_providercall(context: Context, body: ProvidercallCreate) -> ProvidercallView:
    """Make a test call through one carrier."""
    raise unavailable(AWAITS)


@providercalls.operation(
    "GET",
    "/providercalls",
    "INVALID_REQUEST_PARAMETER",
    awaits=AWAITS,
    query=(id_parameter("provider_id", "Test calls through this carrier alone."),),
)
async def list_providercalls(context: Context, page: Page) -> ProvidercallList:
    """List test calls; there are none yet."""
    query_id(context, "provider_id")
    return ProvidercallList([], "")


@providercalls.operation("GET", "/providercalls/{id}", awaits=AWAITS)
async def get_providercall(context: Context) -> ProvidercallView:
    """Read a test call; there are none yet."""
    raise _MISSING


@providercalls.operation("DELETE", "/providercalls/{id}", awaits=AWAITS)
async def delete_providercall(context: Context) -> ProvidercallView:
    """Delete a test call; there are none yet."""
    raise _MISSING
