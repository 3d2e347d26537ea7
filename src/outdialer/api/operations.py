"""What an operation is, and how a request becomes a call of its handler.

A resource module declares its operations on a ``Resource``; routes, checks of ids, bodies and credentials, the error
form and the OpenAPI document all come from these declarations, so they cannot disagree.
"""

import re
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from outdialer.api.auth import Principal
from outdialer.api.body import MAX_BODY_BYTES, MAX_STRANGERS_BODY_BYTES
from outdialer.api.errors import ApiError, shown
from outdialer.api.paging import read_page
from outdialer.api.services import ApiServices
from outdialer.api.wire import Wire, parse_uuid
from outdialer.domain.permissions import sees_masked
from outdialer.domain.units import NIL_ID, Id, Instant
from outdialer.ports.store import Page

BASE = "/v1.0"
EXAMPLE_ID = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
JSON_MEDIA_TYPE = "application/json; charset=utf-8"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Empty(Struct, frozen=True):
    """An answer without a body."""


class QueryParameter(Struct, frozen=True):
    """A parameter of the query that an operation reads, beside those of pages."""

    name: str
    description: str
    example: str = ""
    values: tuple[str, ...] = ()
    """The whole set of what it may be, with "" for as good as not sent; empty: any text."""
    pattern: str = ""
    """What the document says of its form (ECMA 262); who reads it refuses what has another. "": any text."""
    address: bool = False
    """Whether its value is a number or an address: whoever sees those masked may not ask about one."""


DELETED = QueryParameter("deleted", "`true`: deleted rows too, among the living ones.", "true", ("", "false", "true"))
"""On lists that hide what is deleted."""


class Raw(Struct, frozen=True):
    """An answer that is not a struct of ours: its bytes as they go out."""

    content: bytes
    media_type: str
    headers: Mapping[str, str] = {}


class Streamed(Struct, frozen=True):
    """An answer that goes out piece by piece, for as long as the iterator lasts."""

    pieces: AsyncGenerator[bytes, None]
    media_type: str
    gone: Callable[[], None]
    """Called when the client has gone away; the pieces must end then."""
    headers: Mapping[str, str] = {}


Handler: TypeAlias = Callable[..., Awaitable[Struct]]


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: str
    path: str
    """With placeholders: ``/v1.0/campaigns/{id}``."""
    name: str
    """Its ``operationId``."""
    tag: str
    summary: str
    description: str
    handler: Handler
    body: type[Struct] | None
    answer: type[Struct]
    paged: bool
    versioned: bool
    """Whether ``If-Match`` is honoured."""
    secured: bool
    reasons: tuple[str, ...]
    """Errors beyond those that every operation may answer."""
    body_limit: int
    media_type: str
    example: Any
    placeholders: tuple[str, ...]
    """The names of what stands in the path for something else, from left to right."""
    query: tuple[QueryParameter, ...] = ()
    awaits: str = ""
    """What must be there before the operation can do its work; until then it is refused. "": it works."""
    while_frozen: bool = False
    """Whether a customer may use it whose deletion is scheduled."""
    bare_refusals: bool = False
    """Whether every refusal is 400 with an empty body, so that nothing can be learned from it."""

    @property
    def idempotent(self) -> bool:
        """Whether an ``Idempotency-Key`` is honoured: whatever makes something for a customer."""
        return self.method == "POST" and self.secured


def wire_of(principal: Principal, services: ApiServices) -> Wire:
    """How answers to somebody are written."""
    return Wire(principal.customer, services.old_time_format, sees_masked(principal.permission))


class Context:
    """What a handler knows of its request."""

    def __init__(
        self,
        services: ApiServices,
        principal: Principal,
        now: Instant,
        ids: Mapping[str, Id],
        if_match: str | None = None,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        last_event_id: str | None = None,
    ) -> None:
        self.services = services
        self.store = services.store
        self.principal = principal
        self.customer = principal.customer
        self.now = now
        self.ids = ids
        self.if_match = if_match
        self.path = path or {}
        self.query = query or {}
        self.last_event_id = last_event_id
        """The header ``Last-Event-ID``, which whoever follows events again sends."""
        self.wire = wire_of(principal, services)
        self.headers: dict[str, str] = {}
        self.again = False
        """Whether this very request may have had its effect already (``Idempotency-Key``)."""

    @property
    def id(self) -> Id:
        """The id of the object that the path names."""
        return self.ids["id"]

    def show_version(self, version: int) -> None:
        """Send the object's version as its ``ETag``."""
        self.headers["ETag"] = f'"{version}"'

    def check_version(self, version: int) -> None:
        """Compare ``If-Match`` (RFC 9110 section 13.1.1), where it was sent.

        Raises:
            ApiError: the object has another version.
        """
        if self.if_match is None:
            return
        wanted = [tag.strip() for tag in self.if_match.split(",")]
        if "*" not in wanted and f'"{version}"' not in wanted:
            raise ApiError(
                "VERSION_MISMATCH",
                f'If-Match: the object has the version "{version}" now, not {shown(self.if_match)}; read it again.',
            )


class Resource:
    """The operations of one resource module."""

    def __init__(self, tag: str, description: str, *reasons: str) -> None:
        self.tag = tag
        self.description = description
        self.reasons = reasons
        self.operations: list[Operation] = []

    def operation(
        self,
        method: str,
        path: str,
        *reasons: str,
        base: str = BASE,
        secured: bool = True,
        versioned: bool = False,
        body_limit: int | None = None,
        media_type: str = JSON_MEDIA_TYPE,
        example: Any = None,
        query: tuple[QueryParameter, ...] = (),
        awaits: str = "",
        while_frozen: bool = False,
        bare_refusals: bool = False,
        name: str = "",
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated function as an operation; its annotations name the body and the answer."""

        def declare(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler)
            usual_limit = MAX_BODY_BYTES if secured else MAX_STRANGERS_BODY_BYTES
            unavailable = ("FEATURE_UNAVAILABLE",) if awaits else ()
            summary, _, description = (handler.__doc__ or "").strip().partition("\n")
            self.operations.append(
                Operation(
                    method=method,
                    path=f"{base}{path}",
                    placeholders=tuple(_PLACEHOLDER.findall(path)),
                    name=name or handler.__name__,
                    tag=self.tag,
                    summary=summary.strip().rstrip("."),
                    description=" ".join(description.split()),
                    handler=handler,
                    body=hints.get("body"),
                    answer=hints["return"],
                    paged=hints.get("page") is Page,
                    versioned=versioned,
                    secured=secured,
                    reasons=(*reasons, *unavailable, *(self.reasons if "{id}" in path else ())),
                    body_limit=usual_limit if body_limit is None else body_limit,
                    media_type=media_type,
                    example=example,
                    query=query,
                    awaits=awaits,
                    while_frozen=while_frozen,
                    bare_refusals=bare_refusals,
                )
            )
            return handler

        return declare


def unavailable(what: str) -> ApiError:
    """The refusal of an operation that waits for a part of the product."""
    return ApiError("FEATURE_UNAVAILABLE", f"This needs {what}, which this release does not have yet.")


def path_ids(operation: Operation, path: Mapping[str, str]) -> dict[str, Id]:
    """The ids in a request's path.

    Raises:
        ApiError: one is not a UUID, or nil.
    """
    return {name: _path_id(path[name]) for name in operation.placeholders if name.endswith("id")}


def _path_id(text: str) -> Id:
    try:
        found = parse_uuid(text)
    except ValueError:
        found = NIL_ID
    if found == NIL_ID:
        raise ApiError("INVALID_ID", f"The provided id is not a valid UUID: {shown(text)}.")
    return found


def _check_choices(operation: Operation, query: Mapping[str, str]) -> None:
    """Check the parameters of the query that may be this or that alone; "" is as good as none.

    Raises:
        ApiError: one is something else.
    """
    for parameter in operation.query:
        text = query.get(parameter.name)
        if text and parameter.values and text not in parameter.values:
            known = ", ".join(value for value in parameter.values if value)
            raise ApiError("INVALID_REQUEST_PARAMETER", f"{parameter.name}: {shown(text)} is not one of {known}.")


def page_of(operation: Operation, query: Mapping[str, str]) -> Page:
    """The page that a request asks for.

    Raises:
        ApiError: a parameter cannot be read.
    """
    _check_choices(operation, query)
    page = read_page(query.get("page_size"), query.get("page_token"))
    return replace(page, deleted=DELETED in operation.query and query.get("deleted") == "true")
