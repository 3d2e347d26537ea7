"""How a request for a page is bound to a statement."""

from typing import Any

from outdialer.ports.store import Page
from outdialer.store.sqlite.books import Database
from outdialer.store.sqlite.rows import Row

END_OF_TIME = (1 << 63) - 1
BEFORE_ANY_ID = b""


def page_row(customer: int, page: Page) -> dict[str, Any]:
    """The parameters of a ``page`` statement: rows strictly before the cursor (tm_create, id), newest first."""
    return {
        "customer": customer,
        "before": END_OF_TIME if page.before is None else page.before,
        "before_id": BEFORE_ANY_ID if page.before_id is None else page.before_id,
        "size": page.size,
    }


def page_of(database: Database, living: str, deleted: str, asked: dict[str, Any], page: Page) -> list[Row]:
    """The rows of a page: those of the statement ``living``, with those of ``deleted`` among them where asked for.

    Each statement goes down its own partial index and stops at the page's size, so that the living rows' index, which
    every list walks, does not hold what was deleted.
    """
    rows: list[Row] = database.execute(living, asked).fetchall()
    if not page.deleted:
        return rows
    rows += database.execute(deleted, asked).fetchall()
    rows.sort(key=lambda row: (row["tm_create"], row["id"]), reverse=True)
    return rows[: page.size]
