"""Lists: which rows a request asks for, and the token for those that follow.

A token is ``<time>_<id>`` of the last row: rows of the very same instant are told apart by their id, so that none is
lost or shown twice while rows are added. A bare time in either form works too, as clients write it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from outdialer.api.errors import ApiError, shown
from outdialer.api.wire import parse_time, parse_uuid, rfc3339
from outdialer.domain.units import Id, Instant, format_id
from outdialer.ports.store import Page

MAX_PAGE_SIZE = 100


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


async def fetch(page: Page, read: Callable[[Page], Awaitable[Sequence[R]]]) -> tuple[Sequence[R], str]:
    """The rows of a page and the token for the next one, "" when nothing follows."""
    rows = await read(Page(size=page.size + 1, before=page.before, before_id=page.before_id))
    if len(rows) <= page.size:
        return rows, ""
    shown_rows = rows[: page.size]
    last = shown_rows[-1]
    return shown_rows, f"{rfc3339(last.tm_create)}_{format_id(last.id)}"
