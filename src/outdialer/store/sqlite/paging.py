"""How a request for a page is bound to a statement."""

from typing import Any

from outdialer.ports.store import Page

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
