"""``/accesskeys``: credentials of programs."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from outdialer.api import paging
from outdialer.api.auth import SHOWN_PREFIX_LENGTH, hash_of, new_access_key, new_token_text
from outdialer.api.credentials import Permission, read_permission
from outdialer.api.editing import alive, edit, found, remove
from outdialer.api.entries import BODY_REASONS, EDIT_REASONS, merged, unless_empty
from outdialer.api.errors import ApiError, FieldError, shown
from outdialer.api.operations import Context, Resource
from outdialer.api.peers import read_network
from outdialer.api.wire import Text255, Text2000, TimeText, UuidText, Wire
from outdialer.domain.model import AccessKey
from outdialer.domain.permissions import ADMIN, may_grant, of_access_key
from outdialer.domain.units import MICROSECONDS_PER_SECOND, format_id
from outdialer.ports.store import Page

LEAST_LIFETIME_S = 86_400
MOST_LIFETIME_S = 3_153_600_000
DEFAULT_LIFETIME_S = 31_536_000
"""A year: a key for which nobody said how long."""


DEFAULT_GRACE_S = 86_400
MOST_GRACE_S = 2_592_000
MAX_NETWORKS = 50
Lifetime = Annotated[
    int, Meta(ge=LEAST_LIFETIME_S, le=MOST_LIFETIME_S, description="Seconds from now until it opens nothing.")
]
Networks = Annotated[
    list[Annotated[str, Meta(max_length=64)]],
    Meta(
        max_length=MAX_NETWORKS,
        description="Networks (`192.0.2.0/24`, `2001:db8::/32`) or addresses from which it opens anything; "
        "empty: from everywhere.",
    ),
]


class AccesskeyUpdate(Struct, frozen=True):
    """What of an access key can be changed; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    allowed_ips: Networks | None = None


class AccesskeyCreate(AccesskeyUpdate, frozen=True):
    """A new access key. Left out, `expire` is a year and `permission` that of the customer's admin."""

    expire: Lifetime | None = None
    permission: Permission | None = None


class AccesskeyRotate(Struct, frozen=True):
    """Another token for an access key. Left out, `expire` leaves the key's end as it is."""

    grace: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=MOST_GRACE_S,
                description="Seconds for which the token of before works too; a day if left out, 0: it ends at once.",
            ),
        ]
        | None
    ) = None
    expire: Lifetime | None = None


class AccesskeyView(Struct, frozen=True, kw_only=True):
    """A credential of a program. Its token is in the answer to its creation or rotation, and nowhere else."""

    id: UuidText
    customer_id: UuidText
    name: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    token_prefix: Annotated[str, Meta(description="Its first 11 characters.")] | UnsetType = UNSET
    permission: Annotated[int, Meta(description="What it may do, as of agents.")]
    allowed_ips: list[str]
    tm_expire: TimeText | None
    tm_old_expire: Annotated[TimeText, Meta(description="Until when the token before the last rotation works.")] | None
    tm_last_use: Annotated[TimeText, Meta(description="To the minute.")] | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class AccesskeyList(Struct, frozen=True):
    """A page of access keys, newest first."""

    result: list[AccesskeyView]
    next_page_token: str


accesskeys = Resource("accesskeys", "Credentials of programs.", "INVALID_ID", "ACCESSKEY_NOT_FOUND")


def view(key: AccessKey, wire: Wire, token: str | UnsetType = UNSET) -> AccesskeyView:
    """An access key as clients read it."""
    return AccesskeyView(
        id=format_id(key.id),
        customer_id=wire.customer_id,
        name=unless_empty(key.name),
        detail=unless_empty(key.detail),
        token=token,
        token_prefix=unless_empty(key.token_prefix),
        permission=key.permission,
        allowed_ips=list(key.allowed_ips),
        tm_expire=wire.time(key.tm_expire),
        tm_old_expire=wire.time(key.tm_old_expire),
        tm_last_use=wire.time(key.tm_last_use),
        tm_create=wire.time(key.tm_create),
        tm_update=wire.time(key.tm_update),
        tm_delete=wire.time(key.tm_delete),
    )


async def _read(context: Context) -> AccessKey:
    stored = await context.store.access_key_of(context.customer, context.id)
    return found(stored, "ACCESSKEY_NOT_FOUND", "access key")


async def _governed(context: Context) -> AccessKey:
    """The key that the path names, if the principal stands above it.

    Raises:
        ApiError: there is none, or it may do more than the principal may hand out.
    """
    key = await _read(context)
    if not may_grant(context.principal.permission, key.permission):
        raise ApiError("PERMISSION_DENIED", "This key may do more than you, so you cannot change it.")
    return key


async def _read_governed(context: Context) -> AccessKey:
    """The same, if it is not revoked.

    Raises:
        ApiError: it is, or as ``_governed``.
    """
    return alive(await _governed(context), "access key")


def _permission(context: Context, sent: int | None) -> int:
    """What a new key may do: what is asked for, else the most that both the customer's keys and the maker can be."""
    if sent is None:
        most = of_access_key(context.customer)
        return most if may_grant(context.principal.permission, most) else ADMIN
    return read_permission(context, sent, 0)


def _networks(sent: Sequence[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    if sent is None:
        return default
    return tuple(dict.fromkeys(_network(text, f"allowed_ips[{index}]") for index, text in enumerate(sent)))


def _network(text: str, field: str) -> str:
    try:
        return read_network(text)
    except ValueError:
        raise FieldError(field, f"{shown(text)} is not a network; write one such as 192.0.2.0/24") from None


@accesskeys.operation("POST", "/accesskeys", *BODY_REASONS, example={"name": "importer", "expire": 31_536_000})
async def create_accesskey(context: Context, body: AccesskeyCreate) -> AccesskeyView:
    """Create an access key.

    The answer shows its token; nothing shows it again. It can be given no more than its maker may do.
    """
    lifetime = DEFAULT_LIFETIME_S if body.expire is None else body.expire
    token, key = new_access_key(
        context.services.random_bytes,
        id=context.services.ids.new(context.now),
        customer=context.customer,
        now=context.now,
        name=body.name or "",
        detail=body.detail or "",
        permission=_permission(context, body.permission),
        allowed_ips=_networks(body.allowed_ips, ()),
        tm_expire=context.now + lifetime * MICROSECONDS_PER_SECOND,
    )
    await context.store.put_access_key(key)
    return _with_token(context, key, token)


@accesskeys.operation("GET", "/accesskeys", "INVALID_REQUEST_PARAMETER")
async def list_accesskeys(context: Context, page: Page) -> AccesskeyList:
    """List access keys, newest first."""
    rows, token = await paging.fetch(page, lambda asked: context.store.access_keys_page(context.customer, asked))
    return AccesskeyList([view(row, context.wire) for row in rows], token)


@accesskeys.operation("GET", "/accesskeys/{id}")
async def get_accesskey(context: Context) -> AccesskeyView:
    """Read an access key, deleted or not."""
    key = await _read(context)
    context.show_version(key.version)
    return view(key, context.wire)


@accesskeys.operation("PUT", "/accesskeys/{id}", *EDIT_REASONS, versioned=True, example={"name": "importer"})
async def update_accesskey(context: Context, body: AccesskeyUpdate) -> AccesskeyView:
    """Change an access key's name, detail and networks."""

    async def change(key: AccessKey) -> AccessKey:
        return merged(key, body, allowed_ips=_networks(body.allowed_ips, key.allowed_ips))

    async def save(changed: AccessKey) -> AccessKey:
        return await context.store.rename_access_key(context.customer, changed, context.now)

    return view(await edit(context, lambda: _read_governed(context), change, save, "access key"), context.wire)


@accesskeys.operation("POST", "/accesskeys/{id}/rotate", *EDIT_REASONS, versioned=True, example={"grace": 3_600})
async def rotate_accesskey(context: Context, body: AccesskeyRotate) -> AccesskeyView:
    """Give an access key another token.

    The answer shows it; nothing shows it again. The token of before works for `grace` seconds more; one before that
    ends at once.
    """
    key, now = await _read_governed(context), context.now
    token = new_token_text(context.services.random_bytes)
    if context.again and key.token_hash == hash_of(token):
        return _with_token(context, key, token)
    context.check_version(key.version)
    grace = DEFAULT_GRACE_S if body.grace is None else body.grace
    rotated = structs.replace(
        key,
        token_prefix=token[:SHOWN_PREFIX_LENGTH],
        token_hash=hash_of(token),
        old_token_hash=key.token_hash if grace else None,
        tm_old_expire=now + grace * MICROSECONDS_PER_SECOND if grace else None,
        tm_expire=key.tm_expire if body.expire is None else now + body.expire * MICROSECONDS_PER_SECOND,
    )
    stored = await context.store.rotate_access_key(context.customer, rotated, key.token_hash, now)
    return _with_token(context, stored, token)


def _with_token(context: Context, key: AccessKey, token: str) -> AccesskeyView:
    """The only answer that shows a token."""
    context.show_version(key.version)
    context.headers["Cache-Control"] = "no-store"
    return view(key, context.wire, token)


@accesskeys.operation("DELETE", "/accesskeys/{id}", "STATE_INVALID", versioned=True)
async def delete_accesskey(context: Context) -> AccesskeyView:
    """Revoke an access key: neither of its tokens opens anything from this moment on."""
    revoked = await remove(
        context,
        lambda: _governed(context),
        lambda seen: context.store.revoke_access_key(context.customer, context.id, context.now, seen),
        "access key",
    )
    return view(revoked, context.wire)
