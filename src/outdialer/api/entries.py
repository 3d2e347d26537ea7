"""What all resources of the directory do alike: create, list, read, change and delete an entry."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from outdialer.api import paging
from outdialer.api.editing import edit, found, remove
from outdialer.api.errors import ApiError, FieldError, quoted, shown
from outdialer.api.operations import EXAMPLE_ID, Context, QueryParameter
from outdialer.api.wire import ID_PATTERN, parse_uuid, read_id
from outdialer.domain.directory import Entry
from outdialer.domain.permissions import OPERATOR_CUSTOMER
from outdialer.domain.units import Id
from outdialer.ports.store import Page

E = TypeVar("E", bound=Entry)
S = TypeVar("S", bound=Struct)
T = TypeVar("T")
BODY_REASONS = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")
CREATE_REASONS = (*BODY_REASONS, "RESOURCE_LIMIT_EXCEEDED")
EDIT_REASONS = (*BODY_REASONS, "STATE_INVALID")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Shelf(Generic[E]):
    """The entries of one kind. ``shared``: they are the installation's, whoever its super admin is."""

    def __init__(self, kind: type[E], name: str, reason: str, *, shared: bool = False) -> None:
        self._kind = kind
        self._name = name
        self._reason = reason
        self._shared = shared

    def _owner(self, context: Context) -> int:
        return OPERATOR_CUSTOMER if self._shared else context.customer

    async def create(self, context: Context, entry: E) -> E:
        """Store a new entry."""
        stored = await context.store.create_entry(self._owner(context), entry)
        context.show_version(stored.version)
        return stored

    async def page(self, context: Context, page: Page, related: Id | None = None) -> tuple[Sequence[E], str]:
        """The entries of a page and the token for the next one."""
        owner = self._owner(context)
        return await paging.fetch(page, lambda asked: context.store.entries(owner, self._kind, asked, related))

    async def find(self, context: Context, entry_id: Id) -> E | None:
        """A living entry by its id."""
        entry = await context.store.entry(self._owner(context), self._kind, entry_id)
        return None if entry is None or entry.tm_delete is not None else entry

    async def read(self, context: Context) -> E:
        """The entry that the path names, deleted or not.

        Raises:
            ApiError: there is none.
        """
        entry = await self._stored(context)
        context.show_version(entry.version)
        return entry

    async def _stored(self, context: Context) -> E:
        stored = await context.store.entry(self._owner(context), self._kind, context.id)
        return found(stored, self._reason, self._name)

    async def change(self, context: Context, merge: Callable[[E], E]) -> E:
        """Merge a change into the entry that the path names.

        Raises:
            ApiError: there is none, it is deleted, or it has another version than ``If-Match`` asks for.
        """
        owner = self._owner(context)

        async def merged(entry: E) -> E:
            return merge(entry)

        return await edit(
            context,
            lambda: self.read(context),
            merged,
            lambda changed: context.store.save_entry(owner, changed, context.now),
            self._name,
        )

    async def delete(self, context: Context) -> E:
        """Mark the entry that the path names as deleted; a second time changes nothing.

        Raises:
            ApiError: there is none, or it has another version than ``If-Match`` asks for.
        """
        owner = self._owner(context)
        return await remove(
            context,
            lambda: self._stored(context),
            lambda seen: context.store.delete_entry(owner, self._kind, context.id, context.now, seen),
            self._name,
        )


def merged(stored: S, body: Struct, **decided: Any) -> S:
    """``stored`` with the fields that a body names; what is None there keeps its value. ``decided`` goes before."""
    fields = (name for name in body.__struct_fields__ if name in stored.__struct_fields__)
    sent = {name: getattr(body, name) for name in fields}
    given = {name: value for name, value in sent.items() if value is not None}
    return structs.replace(stored, **(given | decided))


def read_ids(sent: Sequence[str] | None, field: str, default: tuple[Id, ...]) -> tuple[Id, ...]:
    """References in a body, each once; left out keeps ``default``.

    Raises:
        FieldError: one is not a UUID.
    """
    if sent is None:
        return default
    return tuple(dict.fromkeys(read_id(text, f"{field}[{index}]") for index, text in enumerate(sent)))


def id_parameter(name: str, description: str) -> QueryParameter:
    """A parameter of the query that ``query_id`` reads."""
    return QueryParameter(name, description, EXAMPLE_ID, pattern=ID_PATTERN)


def query_id(context: Context, name: str) -> Id | None:
    """An id in the query; None when it is not there.

    Raises:
        ApiError: it is not a UUID.
    """
    text = context.query.get(name)
    if not text:
        return None
    try:
        return parse_uuid(text)
    except ValueError:
        raise ApiError("INVALID_REQUEST_PARAMETER", f"{name}: {shown(text)} is not a UUID.") from None


def new_direct_hash(context: Context) -> str:
    """A new shortcut that nobody can guess: 24 hexadecimal digits."""
    drawn = [context.services.ids.new(context.now) for _ in range(2)]
    return hashlib.sha256(b"".join(drawn)).hexdigest()[:24]


def check_plain(body: Struct, *names: str) -> None:
    """Check that texts which will stand in SIP messages hold no control characters.

    Raises:
        FieldError: one does.
    """
    for name in names:
        text = getattr(body, name) or ""
        if _CONTROL.search(text):
            raise FieldError(name, f"{quoted(name, text)} holds control characters; write plain text")


def unless_empty(value: T) -> T | UnsetType:
    """A value that is left out of an answer when it is empty."""
    return value or UNSET
