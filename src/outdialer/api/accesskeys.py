"""``/accesskeys``: credentials of programs."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api import paging
from outdialer.api.auth import new_access_key
from outdialer.api.editing import alive, found
from outdialer.api.entries import BODY_REASONS, EDIT_REASONS, merged, unless_empty
from outdialer.api.operations import Context, Resource
from outdialer.api.wire import Text255, Text2000, TimeText, UuidText, Wire
from outdialer.domain.model import AccessKey
from outdialer.domain.units import MICROSECONDS_PER_SECOND, format_id
from outdialer.ports.store import Page

LEAST_LIFETIME_S = 86_400
MOST_LIFETIME_S = 3_153_600_000
DEFAULT_LIFETIME_S = 31_536_000
"""A year: a key for which nobody said how long."""


class AccesskeyUpdate(Struct, frozen=True):
    """What of an access key is for people; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None


class AccesskeyCreate(AccesskeyUpdate, frozen=True):
    """A new access key."""

    expire: (
        Annotated[
            int,
            Meta(
                ge=LEAST_LIFETIME_S,
                le=MOST_LIFETIME_S,
                description="Seconds until it opens nothing; a year if left out.",
            ),
        ]
        | None
    ) = None


class AccesskeyView(Struct, frozen=True, kw_only=True):
    """A credential of a program. Its token is in the answer to its creation, and nowhere else."""

    id: UuidText
    customer_id: UuidText
    name: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    token: str | UnsetType = UNSET
    token_prefix: Annotated[str, Meta(description="Its first 11 characters.")] | UnsetType = UNSET
    tm_expire: TimeText | None
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
        tm_expire=wire.time(key.tm_expire),
        tm_create=wire.time(key.tm_create),
        tm_update=wire.time(key.tm_update),
        tm_delete=wire.time(key.tm_delete),
    )


async def _read(context: Context) -> AccessKey:
    stored = await context.store.access_key_of(context.customer, context.id)
    return found(stored, "ACCESSKEY_NOT_FOUND", "access key")


@accesskeys.operation("POST", "/accesskeys", *BODY_REASONS, example={"name": "importer", "expire": 31_536_000})
async def create_accesskey(context: Context, body: AccesskeyCreate) -> AccesskeyView:
    """Create an access key.

    The answer shows its token; nothing shows it again.
    """
    lifetime = DEFAULT_LIFETIME_S if body.expire is None else body.expire
    token, key = new_access_key(
        context.services.random_bytes,
        id=context.services.ids.new(context.now),
        customer=context.customer,
        now=context.now,
        name=body.name or "",
        detail=body.detail or "",
        tm_expire=context.now + lifetime * MICROSECONDS_PER_SECOND,
    )
    await context.store.put_access_key(key)
    context.headers["Cache-Control"] = "no-store"
    return view(key, context.wire, token)


@accesskeys.operation("GET", "/accesskeys", "INVALID_REQUEST_PARAMETER")
async def list_accesskeys(context: Context, page: Page) -> AccesskeyList:
    """List access keys, newest first."""
    rows, token = await paging.fetch(page, lambda asked: context.store.access_keys_page(context.customer, asked))
    return AccesskeyList([view(row, context.wire) for row in rows], token)


@accesskeys.operation("GET", "/accesskeys/{id}")
async def get_accesskey(context: Context) -> AccesskeyView:
    """Read an access key, deleted or not."""
    return view(await _read(context), context.wire)


@accesskeys.operation("PUT", "/accesskeys/{id}", *EDIT_REASONS, example={"name": "importer"})
async def update_accesskey(context: Context, body: AccesskeyUpdate) -> AccesskeyView:
    """Change the name and detail of an access key."""
    key = alive(await _read(context), "access key")
    renamed = await context.store.rename_access_key(context.customer, merged(key, body), context.now)
    return view(found(renamed, "ACCESSKEY_NOT_FOUND", "access key"), context.wire)


@accesskeys.operation("DELETE", "/accesskeys/{id}")
async def delete_accesskey(context: Context) -> AccesskeyView:
    """Revoke an access key: it opens nothing from this moment on."""
    revoked = await context.store.revoke_access_key(context.customer, context.id, context.now)
    return view(found(revoked, "ACCESSKEY_NOT_FOUND", "access key"), context.wire)
