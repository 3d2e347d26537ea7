"""``/providers``: carriers, for whoever runs the installation."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, check_plain, merged
from outdialer.api.errors import FieldError, shown
from outdialer.api.operations import DELETED, Context, Resource, unavailable
from outdialer.api.wire import PlainText255, Text255, Text2000, TimeText, UuidText, Wire, closed
from outdialer.domain.directory import Provider
from outdialer.domain.routing import host_and_port
from outdialer.domain.units import format_id
from outdialer.ports.store import Page

MAX_HEADERS = 50
MAX_HEADER = 1_000
"""Characters of a header's value."""
SETUP = "the set-up of accounts at carriers"
Affix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+*#._-]{0,64}$")]
Hostname = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9.-]{0,253}(:[0-9]{1,5})?$", description="A host name or address, with its port.")
]
Headers = Annotated[
    dict[str, str],
    Meta(
        max_length=MAX_HEADERS, description="Header lines of every INVITE to it, beside those that a call has anyway."
    ),
]
OUR_HEADERS = frozenset(
    {
        *("accept", "allow", "authorization", "call-id", "contact", "content-disposition", "content-encoding"),
        *("content-length", "content-type", "cseq", "expires", "from", "max-forwards", "proxy-authorization"),
        *("proxy-require", "record-route", "replaces", "require", "route", "session-expires", "supported", "to"),
        *("user-agent", "via"),
    }
)
"""What the SIP side writes itself, or could not keep its word about."""
Rate = Annotated[
    float, Meta(ge=0, le=1_000, description="Additional. Calls a second, of all customers together; 0: no limit.")
]
Channels = Annotated[
    int, Meta(ge=0, le=100_000, description="Additional. Calls up at once, of all customers together; 0: no limit.")
]
MaxRing = Annotated[
    int, Meta(ge=1_000, le=600_000, description="Additional. How long it may ring when nobody cancels, ms (Expires).")
]


class ProviderBody(Struct, frozen=True):
    """A carrier as a client writes it; what a change leaves out keeps its value."""

    type: Literal["", "sip"] | None = None
    hostname: Hostname | None = None
    tech_prefix: Affix | None = None
    tech_postfix: Affix | None = None
    tech_headers: Headers | None = None
    name: Text255 | None = None
    detail: Text2000 | None = None
    codecs: PlainText255 | None = None
    rate_per_s: Rate | None = None
    channels: Channels | None = None
    max_ring_ms: MaxRing | None = None


class ProviderCredentials(Struct, frozen=True):
    """What opens an account at a carrier."""

    api_key: Text255 | None = None


class ProviderSetup(Struct, frozen=True):
    """An account at a carrier to be set up."""

    carrier: Literal["", "telnyx"] | None = None
    name: Text255 | None = None
    detail: Text2000 | None = None
    credentials: ProviderCredentials | None = None


class ProviderMetadata(Struct, frozen=True):
    """Kept empty."""


class ProviderView(Struct, frozen=True, kw_only=True):
    """A carrier."""

    id: UuidText
    type: Annotated[str, closed(("sip",))]
    hostname: str
    tech_prefix: str
    tech_postfix: str
    tech_headers: dict[str, str]
    metadata: ProviderMetadata
    name: str
    detail: str
    codecs: str
    rate_per_s: float
    channels: int
    max_ring_ms: int
    health_status: Annotated[str, closed(("unknown",), "Carriers are not probed in this release.")]
    health_checked_at: TimeText | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class ProviderList(Struct, frozen=True):
    """A page of carriers, newest first."""

    result: list[ProviderView]
    next_page_token: str


providers = Resource(
    "providers",
    "Carriers. A route sends a customer's campaigns to one. The trunk that the server was started with is the "
    "installation's own: it is not listed here, and goes before the routes of the first customer.",
    "INVALID_ID",
    "PROVIDER_NOT_FOUND",
)
shelf = Shelf(Provider, "provider", "PROVIDER_NOT_FOUND", shared=True)


def view(provider: Provider, wire: Wire) -> ProviderView:
    """A carrier as clients read it."""
    return ProviderView(
        id=format_id(provider.id),
        type=provider.type,
        hostname=provider.hostname,
        tech_prefix=provider.tech_prefix,
        tech_postfix=provider.tech_postfix,
        tech_headers=provider.tech_headers,
        metadata=ProviderMetadata(),
        name=provider.name,
        detail=provider.detail,
        codecs=provider.codecs,
        rate_per_s=provider.rate_per_s,
        channels=provider.channels,
        max_ring_ms=provider.max_ring_ms,
        health_status="unknown",
        health_checked_at=None,
        tm_create=wire.time(provider.tm_create),
        tm_update=wire.time(provider.tm_update),
        tm_delete=wire.time(provider.tm_delete),
    )


def _merge(provider: Provider, body: ProviderBody) -> Provider:
    check_plain(body, "codecs")
    _check_hostname(body.hostname or "")
    for name, value in (body.tech_headers or {}).items():
        _check_header(name, value)
    return merged(provider, body, type=body.type or provider.type)


def _check_hostname(hostname: str) -> None:
    try:
        host_and_port(hostname)
    except ValueError:
        problem = f"{shown(hostname)} is no address; write a host, or host:port with a port from 1 to 65535"
        raise FieldError("hostname", problem) from None


def _check_header(name: str, value: str) -> None:
    plain = value.isascii() and value.isprintable() and len(value) <= MAX_HEADER
    if not name.isascii() or not name.replace("-", "").isalnum() or not plain:
        right = f"a name of letters, digits and -, and up to {MAX_HEADER} characters of plain ASCII text"
        problem = f"{shown(name)} with its value is not a header; write {right}"
        raise FieldError("tech_headers", problem)
    if name.lower() in OUR_HEADERS or len(name) == 1:
        raise FieldError("tech_headers", f"{shown(name)} is written by the server itself; choose another one")


@providers.operation("POST", "/providers", *CREATE_REASONS, example={"name": "carrier", "hostname": "sip.example"})
async def create_provider(context: Context, body: ProviderBody) -> ProviderView:
    """Create a carrier."""
    blank = Provider(id=context.services.ids.new(context.now), tm_create=context.now)
    return view(await shelf.create(context, _merge(blank, body)), context.wire)


@providers.operation("GET", "/providers", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_providers(context: Context, page: Page) -> ProviderList:
    """List carriers, newest first."""
    rows, token = await shelf.page(context, page)
    return ProviderList([view(row, context.wire) for row in rows], token)


@providers.operation("POST", "/providers/setup", "INVALID_JSON_BODY", awaits=SETUP, example={"carrier": "telnyx"})
async def set_up_provider(context: Context, body: ProviderSetup) -> ProviderView:
    """Set up an account at a carrier."""
    raise unavailable(SETUP)


@providers.operation("GET", "/providers/{id}")
async def get_provider(context: Context) -> ProviderView:
    """Read a carrier, deleted or not."""
    return view(await shelf.read(context), context.wire)


@providers.operation("PUT", "/providers/{id}", *EDIT_REASONS, versioned=True, example={"tech_prefix": "00"})
async def update_provider(context: Context, body: ProviderBody) -> ProviderView:
    """Change a carrier."""
    return view(await shelf.change(context, lambda provider: _merge(provider, body)), context.wire)


@providers.operation("DELETE", "/providers/{id}", "STATE_INVALID", versioned=True)
async def delete_provider(context: Context) -> ProviderView:
    """Delete a carrier."""
    return view(await shelf.delete(context), context.wire)
