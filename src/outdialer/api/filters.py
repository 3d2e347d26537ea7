"""Lists of some rows only: the filters of a list's query, and what a row must be to fit."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias

from outdialer.api.operations import Context, QueryParameter
from outdialer.api.paging import MOST_LOOKED_AT

Fits: TypeAlias = Callable[[Any], bool] | None
"""Whether a row belongs to the list; None: each does."""


SHORT_PAGES = (
    f"A request goes through {MOST_LOOKED_AT:,} rows, so a page may be short, and even empty, with a `next_page_token` "
    'that is not "": go on until it is.'
)


def status_filter(statuses: type[StrEnum], example: StrEnum) -> QueryParameter:
    """The parameter ``status`` of a list whose rows have one of these."""
    return QueryParameter(
        "status", f"Those of this status alone. {SHORT_PAGES}", str(example), ("", *map(str, statuses))
    )


def fits_status(context: Context) -> Fits:
    """What the parameter ``status`` asks for; its value is checked against the declared ones before."""
    wanted = context.query.get("status")
    return (lambda row: row.status == wanted) if wanted else None
