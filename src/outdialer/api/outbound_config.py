"""``/outbound_config``: where a customer's calls may go."""

from typing import Annotated

from msgspec import Meta, Struct

from outdialer.api.editing import ATTEMPTS
from outdialer.api.entries import EDIT_REASONS, merged
from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource
from outdialer.api.wire import IdText, Text255, Text2000, TimeText, UuidText, Wire, read_id
from outdialer.domain.directory import THE_ONLY_ONE, OutboundConfig
from outdialer.domain.units import format_id
from outdialer.ports.directory import NameTaken
from outdialer.ports.store import Conflict

Country = Annotated[str, Meta(pattern=r"^[a-z]{2}$", description="ISO 3166 alpha-2 in lower case.")]


class OutboundConfigUpdate(Struct, frozen=True):
    """What is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    destination_whitelist: Annotated[list[Country], Meta(max_length=300)] | None = None
    codecs: Text255 | None = None
    default_outgoing_source_number_id: IdText | None = None


class OutboundConfigView(Struct, frozen=True, kw_only=True):
    """Where a customer's calls may go."""

    id: UuidText
    customer_id: UuidText
    name: str
    detail: str
    destination_whitelist: list[str]
    codecs: str
    default_outgoing_source_number_id: UuidText
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


outbound_config = Resource(
    "outbound_config",
    "Where a customer's calls may go. It is kept here; campaigns do not look at it in this release.",
)


def view(config: OutboundConfig, wire: Wire) -> OutboundConfigView:
    """An outbound config as clients read it."""
    return OutboundConfigView(
        id=format_id(config.id),
        customer_id=wire.customer_id,
        name=config.name,
        detail=config.detail,
        destination_whitelist=list(config.destination_whitelist),
        codecs=config.codecs,
        default_outgoing_source_number_id=format_id(config.default_outgoing_source_number_id),
        tm_create=wire.time(config.tm_create),
        tm_update=wire.time(config.tm_update),
        tm_delete=wire.time(config.tm_delete),
    )


def merge(config: OutboundConfig, body: OutboundConfigUpdate) -> OutboundConfig:
    """The config with the fields that a body names.

    Raises:
        FieldError: the number is not a UUID.
    """
    countries = config.destination_whitelist
    if body.destination_whitelist is not None:
        countries = tuple(dict.fromkeys(body.destination_whitelist))
    name = "default_outgoing_source_number_id"
    source = read_id(body.default_outgoing_source_number_id, name, config.default_outgoing_source_number_id)
    return merged(config, body, destination_whitelist=countries, default_outgoing_source_number_id=source)


async def _own(context: Context) -> OutboundConfig | None:
    return await context.store.entry_named(context.customer, OutboundConfig, THE_ONLY_ONE)


@outbound_config.operation("GET", "/outbound_config", "OUTBOUND_CONFIG_NOT_FOUND")
async def get_outbound_config(context: Context) -> OutboundConfigView:
    """Read where the customer's calls may go."""
    config = await _own(context)
    if config is None:
        raise ApiError("OUTBOUND_CONFIG_NOT_FOUND", "There is no outbound config yet; the first PUT makes it.")
    context.show_version(config.version)
    return view(config, context.wire)


@outbound_config.operation(
    "PUT", "/outbound_config", *EDIT_REASONS, versioned=True, example={"destination_whitelist": ["us", "dk"]}
)
async def update_outbound_config(context: Context, body: OutboundConfigUpdate) -> OutboundConfigView:
    """Change where the customer's calls may go; the first time makes it."""
    for _ in range(ATTEMPTS):
        config = await _own(context)
        if config is not None:
            context.check_version(config.version)
        try:
            stored = await _store(context, config, body)
        except (Conflict, NameTaken):
            continue
        context.show_version(stored.version)
        return view(stored, context.wire)
    raise ApiError("STATE_INVALID", "Others are changing the outbound config; read it and send the change again.")


async def _store(context: Context, config: OutboundConfig | None, body: OutboundConfigUpdate) -> OutboundConfig:
    if config is not None:
        return await context.store.save_entry(context.customer, merge(config, body), context.now)
    blank = OutboundConfig(id=context.services.ids.new(context.now), tm_create=context.now)
    return await context.store.create_entry(context.customer, merge(blank, body))
