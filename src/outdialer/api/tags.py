"""``/tags``: skills and teams, which join queues to agents."""

from msgspec import Struct

from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, merged
from outdialer.api.operations import DELETED, Context, Resource
from outdialer.api.wire import Text255, Text2000, TimeText, UuidText, Wire
from outdialer.domain.directory import Tag
from outdialer.domain.units import format_id
from outdialer.ports.store import Page


class TagBody(Struct, frozen=True):
    """A tag as a client writes it; what a change leaves out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None


class TagView(Struct, frozen=True, kw_only=True):
    """A skill or a team."""

    id: UuidText
    customer_id: UuidText
    name: str
    detail: str
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class TagList(Struct, frozen=True):
    """A page of tags, newest first."""

    result: list[TagView]
    next_page_token: str


tags = Resource(
    "tags", "Skills and teams: a queue takes agents that hold any of its tags.", "INVALID_ID", "TAG_NOT_FOUND"
)
_shelf = Shelf(Tag, "tag", "TAG_NOT_FOUND")


def view(tag: Tag, wire: Wire) -> TagView:
    """A tag as clients read it."""
    return TagView(
        id=format_id(tag.id),
        customer_id=wire.customer_id,
        name=tag.name,
        detail=tag.detail,
        tm_create=wire.time(tag.tm_create),
        tm_update=wire.time(tag.tm_update),
        tm_delete=wire.time(tag.tm_delete),
    )


@tags.operation("POST", "/tags", *CREATE_REASONS, example={"name": "speaks Danish"})
async def create_tag(context: Context, body: TagBody) -> TagView:
    """Create a tag."""
    blank = Tag(id=context.services.ids.new(context.now), tm_create=context.now)
    return view(await _shelf.create(context, merged(blank, body)), context.wire)


@tags.operation("GET", "/tags", "INVALID_REQUEST_PARAMETER", query=(DELETED,))
async def list_tags(context: Context, page: Page) -> TagList:
    """List tags, newest first."""
    rows, token = await _shelf.page(context, page)
    return TagList([view(row, context.wire) for row in rows], token)


@tags.operation("GET", "/tags/{id}")
async def get_tag(context: Context) -> TagView:
    """Read a tag, deleted or not."""
    return view(await _shelf.read(context), context.wire)


@tags.operation("PUT", "/tags/{id}", *EDIT_REASONS, versioned=True, example={"name": "speaks Danish"})
async def update_tag(context: Context, body: TagBody) -> TagView:
    """Change a tag."""
    return view(await _shelf.change(context, lambda tag: merged(tag, body)), context.wire)


@tags.operation("DELETE", "/tags/{id}", "STATE_INVALID", versioned=True)
async def delete_tag(context: Context) -> TagView:
    """Delete a tag.

    Queues and agents that name it keep the id.
    """
    return view(await _shelf.delete(context), context.wire)
