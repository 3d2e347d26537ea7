"""Lists: which rows a request asks for, and the token for those that follow.

A token is ``<time>_<id>`` of the last row: rows of the very same instant are told apart by their id, so that none is
lost or shown twice while rows are added. A bare time in either form works too, as clients write it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from outdialer.api.errors import ApiError, shown
from outdialer.api.wire import parse_time, parse_uuid, rfc3339
from outdialer.domain.units import Id, Instant, format_id
from outdialer.ports.store import Page

MAX_PAGE_SIZE = 100
MOST_LOOKED_AT = 2_000
"""Rows that one request of a filtered list goes through."""
_LOOKED_AT_ONCE = 500


class Row(Protocol):
    """What a list is ordered by."""

    @property
    def id(self) -> Id:
        """The public identifier."""

    @property
    def tm_create(self) -> Instant:
        """When it was made."""


R = TypeVar("R", bound=Row)


def read_page(page_size: str | None, page_token: str | None) -> Page:
    """The page that the query parameters ask for; a size outside 1 to 100 means 100.

    Raises:
        ApiError: a parameter cannot be read.
    """
    before, before_id = _read_token(page_token) if page_token else (None, None)
    return Page(size=_read_size(page_size), before=before, before_id=before_id)


def _read_size(text: str | None) -> int:
    if not text:
        return MAX_PAGE_SIZE
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        raise ApiError("INVALID_REQUEST_PARAMETER", f"page_size: {shown(text)} is not a whole number from 1 to 100.")
    if len(digits) > 9 or text.startswith("-"):
        return MAX_PAGE_SIZE
    size = int(digits)
    return size if 1 <= size <= MAX_PAGE_SIZE else MAX_PAGE_SIZE


def _read_token(text: str) -> tuple[Instant, Id | None]:
    time_text, mark, id_text = text.partition("_")
    try:
        return parse_time(time_text), (parse_uuid(id_text) if mark else None)
    except (ValueError, OverflowError):
        raise ApiError(
            "INVALID_REQUEST_PARAMETER",
            f"page_token: {shown(text)} is neither a next_page_token nor a time such as 2026-01-15T09:30:00.123456Z.",
        ) from None


async def fetch(
    page: Page, read: Callable[[Page], Awaitable[Sequence[R]]], fits: Callable[[R], bool] | None = None
) -> tuple[Sequence[R], str]:
    """The rows of a page and the token for the next one, "" when nothing follows; with ``fits``, those that fit."""
    if fits is not None:
        return await _sift(page, read, fits)
    rows = await read(replace(page, size=page.size + 1))
    if len(rows) <= page.size:
        return rows, ""
    return rows[: page.size], _token(rows[page.size - 1])


async def _sift(
    page: Page, read: Callable[[Page], Awaitable[Sequence[R]]], fits: Callable[[R], bool]
) -> tuple[Sequence[R], str]:
    """What fits among the next ``MOST_LOOKED_AT`` rows. No index stands behind a filter, because each would be
    written with every call; so the page may be short, and even empty, with a token for what was not looked at."""
    found: list[R] = []
    looked_at, size, after = 0, page.size + 1, page
    while True:
        rows = await read(replace(after, size=size))
        found += [row for row in rows if fits(row)]
        if len(found) > page.size:
            return found[: page.size], _token(found[page.size - 1])
        if len(rows) < size:
            return found, ""
        looked_at += len(rows)
        if looked_at >= MOST_LOOKED_AT:
            return found, _token(rows[-1])
        after = replace(page, before=rows[-1].tm_create, before_id=rows[-1].id)
        size = min(_LOOKED_AT_ONCE, MOST_LOOKED_AT - looked_at)


def _token(last: Row) -> str:
    return f"{rfc3339(last.tm_create)}_{format_id(last.id)}"
