"""The events on the books, read in the order in which they were committed.

There is one writer, so the outbox's keys come in the order of the commits and have no gap: a cursor is a key.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import closing

from outdialer.domain.units import NIL_ID
from outdialer.ports.events import AttemptNow, Cursor, EventPage, OutboxRow
from outdialer.store.sqlite import rows
from outdialer.store.sqlite.books import Books, Database
from outdialer.store.sqlite.rows import Row, to_json
from outdialer.store.sqlite.statements import statements

SQL = statements("events")
PAGE_BYTES = 262_144
"""A page ends with the event whose object goes beyond it: many may be reading one at the same time."""


class Events(Books):
    """What happened."""

    _secret: bytes

    def on_event(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` on the event loop after every commit, from now on."""
        if self._connections.writer is not None:
            self._connections.writer.listeners.append(notify)

    async def newest_event(self) -> Cursor:
        """The place after the last event."""
        return self._read(_newest)

    async def events_after(self, cursor: Cursor, limit: int, customers: Collection[int] | None = None) -> EventPage:
        """Walk at most ``limit`` committed events after ``cursor`` (all customers' unless some are named).

        They are fewer where their objects are large.
        """
        return await self._read_long(lambda database: self._page(database, cursor, limit, customers))

    def _page(self, database: Database, cursor: Cursor, limit: int, customers: Collection[int] | None) -> EventPage:
        walked, more = _walk(database, cursor, limit)
        wanted = [row for row in walked if customers is None or row["customer"] in customers]
        attempts = self._attempts(database, {row["attempt"] for row in wanted if row["attempt"] is not None})
        newest = _newest(database)
        return EventPage(
            rows=tuple(_event(row, attempts.get(row["attempt"])) for row in wanted),
            after=walked[-1]["key"] if walked else newest,
            more=more,
            lost=cursor > newest or cursor + 1 < (walked[0]["key"] if walked else newest + 1),
        )

    def _attempts(self, database: Database, keys: Collection[int]) -> dict[int, AttemptNow]:
        asked = {"attempts": to_json(sorted(keys))}
        calls = {row["attempt"]: rows.call(row) for row in database.execute(SQL["calls_of_attempts"], asked)}
        found: Sequence[Row] = database.execute(SQL["attempts_by_key"], asked).fetchall()
        return {row["key"]: AttemptNow(rows.campaigncall(row), calls[row["key"]]) for row in found}


def _walk(database: Database, cursor: Cursor, limit: int) -> tuple[list[Row], bool]:
    """The rows after ``cursor``, and whether there are more."""
    walked: list[Row] = []
    size = 0
    with closing(database.execute(SQL["events_after"], {"after": cursor, "count": limit + 1})) as found:
        for row in found:
            if len(walked) == limit or size > PAGE_BYTES:
                return walked, True
            walked.append(row)
            size += len(row["payload"] or "")
    return walked, False


def _newest(database: Database) -> Cursor:
    row = database.execute(SQL["newest_event"]).fetchone()
    return int(row["key"])


def _event(row: Row, attempt: AttemptNow | None) -> OutboxRow:
    return OutboxRow(
        before=row["key"] - 1,
        cursor=row["key"],
        customer=row["customer"],
        kind=row["kind"],
        at=row["tm"],
        number=row["event_number"],
        subject=row["subject"] or NIL_ID,
        payload=row["payload"] or "",
        attempt=attempt,
    )
