"""``/routes``: which carrier takes whose calls, for whoever runs the installation."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from outdialer.api import providers
from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, id_parameter, merged, query_id
from outdialer.api.errors import FieldError
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import IdText, Text255, Text2000, TimeText, UuidText, Wire, read_id
from outdialer.domain.directory import Route, customer_id, customer_key
from outdialer.domain.units import NIL_ID, Id, format_id
from outdialer.ports.store import Page

Target = Annotated[
    Literal["", "all"],
    Meta(description="`all`. Country codes are refused: one carrier takes all numbers of a customer."),
]
Rate = Annotated[
    float,
    Meta(ge=0, le=1_000, description="Additional. The customer's share of the provider's calls a second; 0: all."),
]
Channels = Annotated[
    int, Meta(ge=0, le=100_000, description="Additional. The customer's share of the provider's calls at once; 0: all.")
]


class RouteUpdate(Struct, frozen=True):
    """What of a route can be changed; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    provider_id: IdText | None = None
    priority: Annotated[int, Meta(ge=0, le=1_000_000, description="Lower ones are tried first.")] | None = None
    target: Target | None = None
    rate_per_s: Rate | None = None
    channels: Channels | None = None


class RouteCreate(RouteUpdate, frozen=True):
    """A new route. Without a customer it is the caller's own."""

    customer_id: IdText | None = None


class RouteView(Struct, frozen=True, kw_only=True):
    """Which carrier takes a customer's calls."""

    id: UuidText
    customer_id: Annotated[UuidText, Meta(description="Whose calls.")]
    name: str
    detail: str
    provider_id: UuidText
    priority: int
    target: str
    rate_per_s: float
    channels: int
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class RouteList(Struct, frozen=True):
    """A page of routes, newest first."""

    result: list[RouteView]
    next_page_token: str


routes = Resource(
    "routes",
    "Which carrier takes a customer's calls: of its routes that lead to a provider with a host name, the one with the "
    "lowest priority carries its campaigns, at once and until it is changed or deleted; calls that are up go on. "
    "Several routes to one provider need a share each, and the shares may not exceed what the provider allows.",
    "INVALID_ID",
    "ROUTE_NOT_FOUND",
)
_shelf = Shelf(Route, "route", "ROUTE_NOT_FOUND", shared=True)


def view(route: Route, wire: Wire) -> RouteView:
    """A route as clients read it."""
    return RouteView(
        id=format_id(route.id),
        customer_id=format_id(route.customer_id),
        name=route.name,
        detail=route.detail,
        provider_id=format_id(route.provider_id),
        priority=route.priority,
        target=route.target,
        rate_per_s=route.rate_per_s,
        channels=route.channels,
        tm_create=wire.time(route.tm_create),
        tm_update=wire.time(route.tm_update),
        tm_delete=wire.time(route.tm_delete),
    )


def _merge(route: Route, body: RouteUpdate) -> Route:
    provider = read_id(body.provider_id, "provider_id", route.provider_id)
    target = body.target or route.target
    return merged(route, body, provider_id=provider, customer_id=route.customer_id, target=target)


async def _customer(context: Context, body: RouteCreate) -> Id:
    """The public id of the customer that a new route is for."""
    own = customer_id(context.customer)
    asked = read_id(body.customer_id, "customer_id")
    public_id = own if asked == NIL_ID else asked
    key = customer_key(public_id)
    customer = None if key is None else await context.store.customer(key)
    if customer is None or customer.status_at(context.now) == "deleted":
        raise FieldError("customer_id", f'there is no customer {format_id(public_id)}; write the id of one, or ""')
    return public_id


async def _check_provider(context: Context, body: RouteUpdate) -> None:
    provider = read_id(body.provider_id, "provider_id")
    if provider != NIL_ID and await providers.shelf.find(context, provider) is None:
        raise FieldError("provider_id", f'there is no provider {format_id(provider)}; write the id of one, or ""')


@routes.operation("POST", "/routes", *CREATE_REASONS, example={"name": "first choice", "priority": 1, "target": "all"})
async def create_route(context: Context, body: RouteCreate) -> RouteView:
    """Create a route."""
    await _check_provider(context, body)
    blank = Route(
        id=context.services.ids.new(context.now),
        tm_create=context.now,
        customer_id=await _customer(context, body),
    )
    return view(await _shelf.create(context, _merge(blank, body)), context.wire)


@routes.operation(
    "GET",
    "/routes",
    "INVALID_REQUEST_PARAMETER",
    query=(id_parameter("customer_id", "Routes of this customer alone."), DELETED),
)
async def list_routes(context: Context, page: Page) -> RouteList:
    """List routes, newest first."""
    rows, token = await _shelf.page(context, page, query_id(context, "customer_id"))
    return RouteList([view(row, context.wire) for row in rows], token)


@routes.operation("GET", "/routes/{id}")
async def get_route(context: Context) -> RouteView:
    """Read a route, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@routes.operation("PUT", "/routes/{id}", *EDIT_REASONS, versioned=True, example={"priority": 2})
async def update_route(context: Context, body: RouteUpdate) -> RouteView:
    """Change a route."""
    await _check_provider(context, body)
    return view(await _shelf.change(context, lambda route: _merge(route, body)), context.wire)


@routes.operation("DELETE", "/routes/{id}", "STATE_INVALID", versioned=True)
async def delete_route(context: Context) -> RouteView:
    """Delete a route."""
    return view(await _shelf.delete(context), context.wire)
