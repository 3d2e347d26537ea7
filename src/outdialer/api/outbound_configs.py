"""``/outbound_configs``: where the calls of every customer may go, for whoever runs the installation."""

from msgspec import Struct

from outdialer.api import paging
from outdialer.api.editing import edit, remove
from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, id_parameter, query_id
from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource
from outdialer.api.outbound_config import OutboundConfigUpdate, OutboundConfigView, merge, view
from outdialer.api.wire import Wire
from outdialer.domain.directory import OutboundConfig
from outdialer.ports.directory import NameTaken, Owned
from outdialer.ports.store import Page


class OutboundConfigList(Struct, frozen=True):
    """A page of outbound configs, newest first."""

    result: list[OutboundConfigView]
    next_page_token: str


outbound_configs = Resource(
    "outbound_configs",
    "Where the calls of every customer may go. They are kept here; campaigns do not look at them in this release.",
    "INVALID_ID",
    "OUTBOUND_CONFIG_NOT_FOUND",
)


def _shown(context: Context, owned: Owned[OutboundConfig]) -> OutboundConfigView:
    return view(owned.entry, Wire(owned.customer, context.wire.old_time_format))


async def _read(context: Context) -> Owned[OutboundConfig]:
    owned = await context.store.owned_entry(OutboundConfig, context.id)
    if owned is None:
        raise ApiError("OUTBOUND_CONFIG_NOT_FOUND", "The outbound config was not found.")
    return owned


@outbound_configs.operation(
    "POST",
    "/outbound_configs",
    *CREATE_REASONS,
    "NAME_ALREADY_EXISTS",
    example={"name": "north", "destination_whitelist": ["us", "dk"]},
)
async def create_outbound_config(context: Context, body: OutboundConfigUpdate) -> OutboundConfigView:
    """Create the outbound config of the customer that the credential belongs to, which has one at most."""
    blank = OutboundConfig(id=context.services.ids.new(context.now), tm_create=context.now)
    try:
        stored = await context.store.create_entry(context.customer, merge(blank, body))
    except NameTaken:
        raise ApiError(
            "NAME_ALREADY_EXISTS", "The customer has its outbound config already; change that one."
        ) from None
    context.show_version(stored.version)
    return view(stored, context.wire)


@outbound_configs.operation(
    "GET",
    "/outbound_configs",
    "INVALID_REQUEST_PARAMETER",
    query=(id_parameter("customer_id", "The outbound config of this customer alone."),),
)
async def list_outbound_configs(context: Context, page: Page) -> OutboundConfigList:
    """List the outbound configs of all customers, newest first."""
    customer = query_id(context, "customer_id")
    rows, token = await paging.fetch(page, lambda asked: context.store.owned_entries(OutboundConfig, asked, customer))
    return OutboundConfigList([_shown(context, row) for row in rows], token)


@outbound_configs.operation("GET", "/outbound_configs/{id}")
async def get_outbound_config_by_id(context: Context) -> OutboundConfigView:
    """Read an outbound config, deleted or not."""
    owned = await _read(context)
    context.show_version(owned.entry.version)
    return _shown(context, owned)


@outbound_configs.operation(
    "PUT", "/outbound_configs/{id}", *EDIT_REASONS, versioned=True, example={"destination_whitelist": ["us"]}
)
async def update_outbound_config_by_id(context: Context, body: OutboundConfigUpdate) -> OutboundConfigView:
    """Change an outbound config."""
    owner = (await _read(context)).customer

    async def read() -> OutboundConfig:
        return (await _read(context)).entry

    async def change(config: OutboundConfig) -> OutboundConfig:
        return merge(config, body)

    async def save(config: OutboundConfig) -> OutboundConfig:
        return await context.store.save_entry(owner, config, context.now)

    saved = await edit(context, read, change, save, "outbound config")
    return _shown(context, Owned(customer=owner, entry=saved))


@outbound_configs.operation("DELETE", "/outbound_configs/{id}", "STATE_INVALID", versioned=True)
async def delete_outbound_config(context: Context) -> OutboundConfigView:
    """Delete an outbound config; a second time changes nothing."""
    owner = (await _read(context)).customer

    async def read() -> OutboundConfig:
        return (await _read(context)).entry

    async def delete(seen: int | None) -> OutboundConfig | None:
        return await context.store.delete_entry(owner, OutboundConfig, context.id, context.now, seen)

    deleted = await remove(context, read, delete, "outbound config")
    return _shown(context, Owned(customer=owner, entry=deleted))
