"""``/agents`` and ``/me``: people who take calls or run the place."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from outdialer.api import paging
from outdialer.api.credentials import (
    NewPassword,
    Permission,
    Username,
    hashed,
    not_allowed,
    read_permission,
    read_username,
)
from outdialer.api.editing import alive, edit, found, remove
from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, merged, new_direct_hash, read_ids, unless_empty
from outdialer.api.errors import ApiError, FieldError, shown
from outdialer.api.operations import EXAMPLE_ID, Context, QueryParameter, Resource
from outdialer.api.queues import TagIds
from outdialer.api.wire import (
    IDS_PATTERN,
    AddressBody,
    AddressView,
    Text255,
    Text2000,
    TimeText,
    UuidText,
    Wire,
    address_view,
    closed,
    parse_uuid,
    read_destination,
)
from outdialer.domain.directory import Agent, Extension
from outdialer.domain.model import Address
from outdialer.domain.permissions import MANAGERS, READERS, allows, may_grant
from outdialer.domain.units import Id, format_id
from outdialer.ports.directory import AgentFilter, LastAdmin, NameTaken
from outdialer.ports.store import Page

STATUSES = ("available", "away", "busy", "offline", "ringing", "")
MAX_ADDRESSES = 20
RingMethod = Annotated[str, Meta(max_length=64, description="`ringall`.", extra_json_schema={"enum": ["", "ringall"]})]
AddressBodies = Annotated[list[AddressBody], Meta(max_length=MAX_ADDRESSES)]
AgentStatusText = Literal["available", "away", "busy", "offline", "ringing", ""]


class AgentUpdate(Struct, frozen=True):
    """What agents may change of themselves; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    ring_method: RingMethod | None = None


class AgentCreate(AgentUpdate, frozen=True, kw_only=True):
    """A new agent. It is offline."""

    username: Annotated[Username, Meta(description="An e-mail address, unique over all customers.")]
    password: NewPassword
    permission: Permission | None = None
    tag_ids: TagIds | None = None
    addresses: AddressBodies | None = None


class AgentAddresses(Struct, frozen=True):
    """Where an agent is rung: `tel`, `sip`, or `extension` with the id of one."""

    addresses: AddressBodies | None = None


class AgentTagIds(Struct, frozen=True):
    """Skills and teams of an agent."""

    tag_ids: TagIds | None = None


class AgentStatus(Struct, frozen=True):
    """Whether an agent takes calls."""

    status: AgentStatusText | None = None


class AgentPermission(Struct, frozen=True):
    """What an agent may do."""

    permission: Permission | None = None


class AgentPassword(Struct, frozen=True):
    """Another password. Every token of the agent ends."""

    password: NewPassword


class AgentView(Struct, frozen=True, kw_only=True):
    """A person who takes calls or runs the place. Times that are not set are left out."""

    id: UuidText
    customer_id: UuidText
    username: str
    name: str
    detail: str
    ring_method: Annotated[str, closed(("ringall",))]
    status: Annotated[str, closed(STATUSES)]
    permission: int
    tag_ids: list[UuidText]
    addresses: list[AddressView]
    direct_hash: str
    tm_create: TimeText | UnsetType = UNSET
    tm_update: TimeText | UnsetType = UNSET
    tm_delete: TimeText | UnsetType = UNSET


class AgentList(Struct, frozen=True):
    """A page of agents, newest first."""

    result: list[AgentView]
    next_page_token: str


agents = Resource("agents", "People who take calls or run the place.", "INVALID_ID", "AGENT_NOT_FOUND")
_EXAMPLE = {
    "username": "ada@company.example",
    "password": "correct horse battery",
    "name": "Ada",
    "permission": 16,
    "addresses": [{"type": "tel", "target": "+12025550111"}],
}
_CHANGE_REASONS = ("STATE_INVALID", "ADDRESS_ALREADY_ASSIGNED")


def view(agent: Agent, wire: Wire) -> AgentView:
    """An agent as clients read it."""
    return AgentView(
        id=format_id(agent.id),
        customer_id=wire.customer_id,
        username=agent.username,
        name=agent.name,
        detail=agent.detail,
        ring_method=agent.ring_method,
        status=agent.status,
        permission=agent.permission,
        tag_ids=[format_id(tag) for tag in agent.tag_ids],
        addresses=[address_view(address) for address in agent.addresses],
        direct_hash=agent.direct_hash,
        tm_create=unless_empty(wire.time(agent.tm_create) or ""),
        tm_update=unless_empty(wire.time(agent.tm_update) or ""),
        tm_delete=unless_empty(wire.time(agent.tm_delete) or ""),
    )


def _ring_method(sent: str | None, default: str) -> str:
    if sent not in (None, "", "ringall"):
        raise FieldError("ring_method", f"{shown(sent)} is not a ring method; write ringall", "INVALID_RING_METHOD")
    return sent or default


async def _addresses(
    context: Context, sent: Sequence[AddressBody] | None, default: tuple[Address, ...]
) -> tuple[Address, ...]:
    if sent is None:
        return default
    return tuple([await _address(context, body, f"addresses[{index}]") for index, body in enumerate(sent)])


async def _address(context: Context, body: AddressBody, field: str) -> Address:
    if body.type == "extension":
        return await _extension_address(context, body, field)
    address = read_destination(body, field)
    if not address.target:
        raise FieldError(f"{field}.target", "it is empty; write a number or a SIP URI, or leave the address out")
    return address


async def _extension_address(context: Context, body: AddressBody, field: str) -> Address:
    try:
        extension_id = parse_uuid((body.target or "").strip())
    except ValueError:
        raise FieldError(f"{field}.target", f"{shown(body.target)} is not the UUID of an extension") from None
    extension = await context.store.entry(context.customer, Extension, extension_id)
    if extension is None or extension.tm_delete is not None:
        raise FieldError(f"{field}.target", f"there is no extension {format_id(extension_id)}")
    texts = {name: getattr(body, name) or "" for name in ("target_name", "name", "detail")}
    return Address(type="extension", target=format_id(extension_id), **texts)


async def _read(context: Context) -> Agent:
    return found(await context.store.agent(context.customer, context.id), "AGENT_NOT_FOUND", "agent")


def _check_self_or(context: Context, needed: int) -> None:
    """Agents may use some operations on themselves.

    Raises:
        ApiError: it is somebody else, and the principal has none of the needed bits.
    """
    principal = context.principal
    is_self = principal.agent is not None and principal.agent.id == context.id
    if not is_self and not allows(principal.permission, needed):
        raise not_allowed("touching another agent")


async def _read_governed(context: Context) -> Agent:
    """The agent that the path names, if the principal stands above it.

    Raises:
        ApiError: there is none, or it may do more than the principal may hand out.
    """
    agent = await _read(context)
    if not may_grant(context.principal.permission, agent.permission):
        raise not_allowed("changing an agent that may do more than you")
    return agent


async def _change(
    context: Context,
    change: Callable[[Agent], Awaitable[Agent]],
    read: Callable[[Context], Awaitable[Agent]] = _read,
) -> AgentView:
    try:
        saved = await edit(
            context,
            lambda: read(context),
            change,
            lambda changed: context.store.save_agent(context.customer, changed, context.now),
            "agent",
        )
    except LastAdmin:
        raise _last_admin() from None
    except NameTaken as error:
        raise _taken(error) from None
    return view(saved, context.wire)


def _last_admin() -> ApiError:
    return ApiError("STATE_INVALID", "This is the customer's last admin; make somebody else an admin first.")


def _taken(error: NameTaken) -> ApiError:
    return ApiError("AGENT_ALREADY_EXISTS" if error.field == "username" else "ADDRESS_ALREADY_ASSIGNED")


@agents.operation(
    "POST",
    "/agents",
    *CREATE_REASONS,
    "INVALID_USERNAME_FORMAT",
    "INVALID_RING_METHOD",
    "AGENT_ALREADY_EXISTS",
    "ADDRESS_ALREADY_ASSIGNED",
    example=_EXAMPLE,
)
async def create_agent(context: Context, body: AgentCreate) -> AgentView:
    """Create an agent.

    Nobody can hand out more than their own permission.
    """
    username = read_username(body.username)
    agent = Agent(
        id=context.services.ids.new(context.now),
        username=username,
        name=body.name or "",
        detail=body.detail or "",
        ring_method=_ring_method(body.ring_method, "ringall"),
        permission=read_permission(context, body.permission, 0),
        tag_ids=read_ids(body.tag_ids, "tag_ids", ()),
        addresses=await _addresses(context, body.addresses, ()),
        tm_create=context.now,
    )
    kept = await hashed(context, body.password)
    try:
        stored = await context.store.create_agent(context.customer, agent, kept)
    except NameTaken as error:
        raise _taken(error) from None
    context.show_version(stored.version)
    return view(stored, context.wire)


@agents.operation(
    "GET",
    "/agents",
    "INVALID_REQUEST_PARAMETER",
    query=(
        QueryParameter(
            "tag_ids", "Ids with commas between: agents that hold any of these tags.", EXAMPLE_ID, pattern=IDS_PATTERN
        ),
        QueryParameter("status", "Agents of this status alone.", "available", STATUSES),
    ),
)
async def list_agents(context: Context, page: Page) -> AgentList:
    """List agents, newest first."""
    wanted = AgentFilter(_tag_filter(context), context.query.get("status") or None)
    rows, token = await paging.fetch(page, lambda asked: context.store.agents(context.customer, asked, wanted))
    return AgentList([view(row, context.wire) for row in rows], token)


def _tag_filter(context: Context) -> tuple[Id, ...] | None:
    text = context.query.get("tag_ids")
    if not text:
        return None
    try:
        return tuple(parse_uuid(part.strip()) for part in text.split(","))
    except ValueError:
        raise ApiError(
            "INVALID_REQUEST_PARAMETER", f"tag_ids: {shown(text)} is not a list of UUIDs with commas between."
        ) from None


@agents.operation("GET", "/agents/{id}")
async def get_agent(context: Context) -> AgentView:
    """Read an agent, deleted or not; agents may read themselves."""
    _check_self_or(context, READERS)
    agent = await _read(context)
    context.show_version(agent.version)
    return view(agent, context.wire)


@agents.operation(
    "PUT", "/agents/{id}", *EDIT_REASONS, "INVALID_RING_METHOD", versioned=True, example={"name": "Ada L."}
)
async def update_agent(context: Context, body: AgentUpdate) -> AgentView:
    """Change an agent's name, detail and ring method; agents may change their own."""
    _check_self_or(context, MANAGERS)

    async def change(agent: Agent) -> Agent:
        return merged(agent, body, ring_method=_ring_method(body.ring_method, agent.ring_method))

    return await _change(context, change)


@agents.operation(
    "PUT",
    "/agents/{id}/addresses",
    *EDIT_REASONS,
    *_CHANGE_REASONS,
    versioned=True,
    example={"addresses": [{"target": "+12025550112"}]},
)
async def update_agent_addresses(context: Context, body: AgentAddresses) -> AgentView:
    """Change where an agent is rung."""

    async def change(agent: Agent) -> Agent:
        return structs.replace(agent, addresses=await _addresses(context, body.addresses, agent.addresses))

    return await _change(context, change)


@agents.operation("PUT", "/agents/{id}/tag_ids", *EDIT_REASONS, versioned=True, example={"tag_ids": []})
async def update_agent_tag_ids(context: Context, body: AgentTagIds) -> AgentView:
    """Change an agent's skills and teams."""

    async def change(agent: Agent) -> Agent:
        return structs.replace(agent, tag_ids=read_ids(body.tag_ids, "tag_ids", agent.tag_ids))

    return await _change(context, change)


@agents.operation("PUT", "/agents/{id}/status", *EDIT_REASONS, versioned=True, example={"status": "available"})
async def update_agent_status(context: Context, body: AgentStatus) -> AgentView:
    """Change whether an agent takes calls; agents may change their own."""
    _check_self_or(context, MANAGERS)

    async def change(agent: Agent) -> Agent:
        return merged(agent, body)

    return await _change(context, change)


@agents.operation("PUT", "/agents/{id}/permission", *EDIT_REASONS, versioned=True, example={"permission": 16})
async def update_agent_permission(context: Context, body: AgentPermission) -> AgentView:
    """Change what an agent may do.

    The last admin stays one.
    """

    async def change(agent: Agent) -> Agent:
        return structs.replace(agent, permission=read_permission(context, body.permission, agent.permission))

    return await _change(context, change, _read_governed)


@agents.operation(
    "PUT", "/agents/{id}/password", *EDIT_REASONS, versioned=True, example={"password": "correct horse battery"}
)
async def update_agent_password(context: Context, body: AgentPassword) -> AgentView:
    """Change an agent's password: every token of the agent ends."""
    kept = await hashed(context, body.password)

    async def same(agent: Agent) -> Agent:
        return agent

    async def save(agent: Agent) -> Agent:
        seen = None if context.if_match is None else agent.version
        changed = await context.store.set_agent_password(context.customer, agent.id, kept, context.now, seen)
        return alive(found(changed, "AGENT_NOT_FOUND", "agent"), "agent")

    return view(await edit(context, lambda: _read_governed(context), same, save, "agent"), context.wire)


@agents.operation("DELETE", "/agents/{id}", "STATE_INVALID", versioned=True)
async def delete_agent(context: Context) -> AgentView:
    """Delete an agent, whose tokens end; the last admin stays."""
    try:
        deleted = await remove(
            context,
            lambda: _read_governed(context),
            lambda seen: context.store.delete_agent(context.customer, context.id, context.now, seen),
            "agent",
        )
    except LastAdmin:
        raise _last_admin() from None
    return view(deleted, context.wire)


@agents.operation("POST", "/agents/{id}/direct-hash-regenerate", "STATE_INVALID", versioned=True)
async def regenerate_agent_direct_hash(context: Context) -> AgentView:
    """Give an agent a new shortcut.

    It is kept for calls that come in, which are not part of this release.
    """
    shortcut = new_direct_hash(context)

    async def change(agent: Agent) -> Agent:
        return structs.replace(agent, direct_hash=shortcut)

    return await _change(context, change)


@agents.operation("GET", "/me")
async def get_me(context: Context) -> AgentView:
    """Read who sends this request.

    A program with an access key is shown as an agent that has the key's id, name and permission.
    """
    principal = context.principal
    if principal.agent is not None:
        return view(principal.agent, context.wire)
    key = principal.key
    assert key is not None
    name = key.name or "access key"
    stand_in = Agent(
        id=key.id,
        username="",
        name=name,
        detail=key.detail,
        status="",
        permission=principal.permission,
        tm_create=key.tm_create,
        tm_update=key.tm_update,
    )
    return view(stand_in, context.wire)
