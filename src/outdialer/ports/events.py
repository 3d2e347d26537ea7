"""What happened, as the books tell it to whoever passes it on: webhooks, websockets, streams.

Implemented by ``outdialer.store.sqlite.store.SqliteStore``. Every change of a state writes its event in the same
transaction, so a consumer that remembers a cursor misses nothing and sees nothing that was rolled back.
"""

from collections.abc import Callable, Collection
from typing import Protocol, TypeAlias

from msgspec import Struct

from outdialer.domain.model import Call, CampaignCall
from outdialer.domain.units import NIL_ID, Id, Instant

Cursor: TypeAlias = int
"""A place between two events, from 0 to 2**63 - 1; 0 is before the first. Places rise in the order in which the store
lists the events; nothing else may be read from them."""


class AttemptNow(Struct, frozen=True):
    """An attempt with its call, as the books have them when they are asked (not as of any event)."""

    campaigncall: CampaignCall
    call: Call


class OutboxRow(Struct, frozen=True, kw_only=True):
    """One event on the books."""

    before: Cursor
    """The place right before this event."""
    cursor: Cursor
    """The place right after it."""
    customer: int
    """Store key."""
    kind: str
    """Of an attempt ``claimed``, ``ringing``, ``answered``, ``canceling`` or ``terminating`` (our side ends the call
    before or after the answer), or ``ended``; of anything else what clients call it, such as ``outplan_updated``."""
    at: Instant
    number: int
    """Of an attempt: its events are numbered from 1 without a gap. Of anything else: the version it has now."""
    subject: Id = NIL_ID
    """Which object changed; nil for attempts."""
    payload: str = ""
    """The changed object as it was then: its domain struct as JSON, ids in base64. "" for attempts."""
    attempt: AttemptNow | None = None
    """Of attempts' events; None when it is gone by now."""


class EventPage(Struct, frozen=True, kw_only=True):
    """Events in the order in which they were committed."""

    rows: tuple[OutboxRow, ...]
    after: Cursor
    """Where the next page begins."""
    more: bool = False
    """Whether there was more on the books than this page walked."""
    lost: bool = False
    """Whether events after the asked cursor are gone: removed since, or the books are older than the cursor."""


class EventStore(Protocol):
    """Reading events."""

    def on_event(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` on the event loop after every commit that may have written events, from now on.

        It must be cheap. Any number of listeners may be added; none is ever taken away.
        """

    async def newest_event(self) -> Cursor:
        """The place after the last event."""

    async def events_after(self, cursor: Cursor, limit: int, customers: Collection[int] | None = None) -> EventPage:
        """Walk at most ``limit`` committed events after ``cursor`` (all customers' unless some are named)."""
