"""``/extensions``: phones that register, such as agents'."""

from typing import Annotated

from msgspec import Meta, Struct, structs

from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, check_plain, merged, new_direct_hash
from outdialer.api.errors import FieldError
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import PLAIN_PATTERN, PlainText255, Text255, Text2000, TimeText, UuidText, Wire
from outdialer.domain.directory import Extension
from outdialer.domain.units import format_id
from outdialer.ports.store import Page

Password = Annotated[PlainText255, Meta(description='Never shown again; "" keeps the old one.')]


class ExtensionUpdate(Struct, frozen=True):
    """What of an extension can be changed; what is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    password: Password | None = None


class ExtensionCreate(ExtensionUpdate, frozen=True, kw_only=True):
    """A new extension."""

    password: Annotated[
        str,
        Meta(
            max_length=255,
            description="Never shown again.",
            extra_json_schema={"pattern": PLAIN_PATTERN, "minLength": 1},
        ),
    ]
    extension: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Its number or name: letters, digits, `.`, `_`, `-`.")
    ]


class ExtensionView(Struct, frozen=True, kw_only=True):
    """A phone that registers. The password is never shown."""

    id: UuidText
    customer_id: UuidText
    name: str
    detail: str
    extension: str
    domain_name: Annotated[str, Meta(description="The customer's id.")]
    username: str
    password: Annotated[str, Meta(description="Always empty.")]
    direct_hash: str
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class ExtensionList(Struct, frozen=True):
    """A page of extensions, newest first."""

    result: list[ExtensionView]
    next_page_token: str


extensions = Resource(
    "extensions",
    "Phones that register. They are kept here; registering them is not part of this release.",
    "INVALID_ID",
    "EXTENSION_NOT_FOUND",
)
_shelf = Shelf(Extension, "extension", "EXTENSION_NOT_FOUND")


def view(extension: Extension, wire: Wire) -> ExtensionView:
    """An extension as clients read it."""
    return ExtensionView(
        id=format_id(extension.id),
        customer_id=wire.customer_id,
        name=extension.name,
        detail=extension.detail,
        extension=extension.extension,
        domain_name=wire.customer_id,
        username=extension.extension,
        password="",
        direct_hash=extension.direct_hash,
        tm_create=wire.time(extension.tm_create),
        tm_update=wire.time(extension.tm_update),
        tm_delete=wire.time(extension.tm_delete),
    )


def _merge(extension: Extension, body: ExtensionUpdate) -> Extension:
    check_plain(body, "password")
    changed = merged(extension, body, password=body.password or extension.password)
    if not changed.password:
        raise FieldError("password", "it is empty; write one")
    return changed


@extensions.operation(
    "POST",
    "/extensions",
    *CREATE_REASONS,
    "NAME_ALREADY_EXISTS",
    example={"extension": "2001", "password": "correct horse", "name": "Ada's desk"},
)
async def create_extension(context: Context, body: ExtensionCreate) -> ExtensionView:
    """Create an extension."""
    new_id = context.services.ids.new(context.now)
    blank = Extension(id=new_id, extension=body.extension, tm_create=context.now)
    return view(await _shelf.create(context, _merge(blank, body)), context.wire)


@extensions.operation("GET", "/extensions", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_extensions(context: Context, page: Page) -> ExtensionList:
    """List extensions, newest first."""
    rows, token = await _shelf.page(context, page)
    return ExtensionList([view(row, context.wire) for row in rows], token)


@extensions.operation("GET", "/extensions/{id}")
async def get_extension(context: Context) -> ExtensionView:
    """Read an extension, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@extensions.operation("PUT", "/extensions/{id}", *EDIT_REASONS, versioned=True, example={"name": "Ada's desk"})
async def update_extension(context: Context, body: ExtensionUpdate) -> ExtensionView:
    """Change an extension."""
    return view(await _shelf.change(context, lambda extension: _merge(extension, body)), context.wire)


@extensions.operation("DELETE", "/extensions/{id}", "STATE_INVALID", versioned=True)
async def delete_extension(context: Context) -> ExtensionView:
    """Delete an extension; its number is free again."""
    return view(await _shelf.delete(context), context.wire)


@extensions.operation("POST", "/extensions/{id}/direct-hash-regenerate", "STATE_INVALID", versioned=True)
async def regenerate_extension_direct_hash(context: Context) -> ExtensionView:
    """Give an extension a new shortcut.

    It is kept for calls that come in, which are not part of this release.
    """
    shortcut = new_direct_hash(context)
    return view(
        await _shelf.change(context, lambda extension: structs.replace(extension, direct_hash=shortcut)), context.wire
    )
