"""Removing what is old from the books, step by step.

A step is one short transaction that walks a range of keys of one kind of history and removes what is over. What the
counters say stays true, because what is removed is counted where it is removed: rows and removed rows together are
what happened (``docs/decisions/0008-history-goes-in-small-steps.md``).
"""

from collections import Counter
from collections.abc import Callable, Sequence

from outdialer.domain.outcome import Result
from outdialer.domain.units import Instant
from outdialer.ports.retention import History, Pruned
from outdialer.store.sqlite.books import Books, Counts, Database, change_exactly
from outdialer.store.sqlite.rows import Row
from outdialer.store.sqlite.statements import execute_each, statements
from outdialer.store.sqlite.writer import ROWS_PER_TRANSACTION

SQL = statements("retention")

EVENTS_PER_STEP = 500
ATTEMPTS_PER_STEP = 100
"""Each has a call, a leg, and a dozen index entries."""
OTHERS_PER_STEP = 500
REQUESTS_PER_STEP = 20
"""Each has an answer, which may be a megabyte."""


class Retention(Books):
    """The side of the store that forgets."""

    async def prune(self, history: History, before: Instant, after: int) -> Pruned:
        """One step: remove what is older than ``before`` among the next rows behind the key ``after``."""
        step = _STEPS[history]
        return await self._write(lambda database: step(database, before, after), rows=ROWS_PER_TRANSACTION, wakes=False)


def _prune_events(database: Database, before: Instant, _after: int) -> Pruned:
    """Events go from the oldest on: one goes when it and everything before it is old and no webhook waits for it."""
    rows = database.execute(SQL["oldest_events"], {"count": EVENTS_PER_STEP}).fetchall()
    needed = database.execute(SQL["first_needed"]).fetchone()["cursor"]
    old = _leading(rows, lambda row: row["tm"] < before and (needed is None or row["key"] <= needed))
    if not old:
        return Pruned(0, None)
    database.execute(SQL["delete_events"], {"last": old[-1]["key"]})
    for customer, events in Counter(row["customer"] for row in old).items():
        counts = Counts(customer)
        counts.add("removed_events", 0, "events", events)
        counts.write(database)
    return Pruned(len(old), old[-1]["key"] if len(old) == EVENTS_PER_STEP else None)


def _leading(rows: Sequence[Row], holds: Callable[[Row], bool]) -> Sequence[Row]:
    """The rows before the first for which it does not hold."""
    for place, row in enumerate(rows):
        if not holds(row):
            return rows[:place]
    return rows


def _prune_attempts(database: Database, before: Instant, after: int) -> Pruned:
    """Done attempts go with their call and its legs when their target is over, never before their events."""
    event = database.execute(SQL["first_event"]).fetchone()
    before = before if event is None else min(before, event["tm"])
    asked = {"before": before, "after": after, "count": ATTEMPTS_PER_STEP}
    rows = database.execute(SQL["attempts_behind"], asked).fetchall()
    over = [row for row in rows if row["over"]]
    keys = [{"customer": row["customer"], "attempt": row["key"], "call": row["call"]} for row in over]
    execute_each(database, SQL["delete_legs"], keys)
    change_exactly(database, SQL["delete_call"], keys)
    change_exactly(database, SQL["delete_attempt"], keys)
    decided = Counter(row["decision"] for row in over)
    change_exactly(database, SQL["release_decision"], [{"decision": key, "attempts": n} for key, n in decided.items()])
    for customer in {row["customer"] for row in over}:
        _count_removed(database, customer, [row for row in over if row["customer"] == customer])
    return Pruned(len(over), _next(rows, ATTEMPTS_PER_STEP, any(row["tm_create"] < before for row in rows)))


def _next(rows: Sequence[Row], asked: int, worth_it: bool) -> int | None:
    """Where the next step begins; None behind the last row, and where everything is young."""
    return rows[-1]["key"] if worth_it and len(rows) == asked else None


def _count_removed(database: Database, customer: int, attempts: Sequence[Row]) -> None:
    """Count what goes under the names under which it counted when it happened."""
    counts = Counts(customer)
    for row in attempts:
        for name in _names(row):
            counts.add("removed", row["campaign"], name)
        if row["charged"]:
            counts.add("removed_tries", row["outdial"], "tries")
        counts.versions(row["campaign_version"], row["outplan_version"], -1)
    counts.write(database)


def _names(row: Row) -> list[str]:
    names = ["attempts", "answered"] if row["answered"] else ["attempts"]
    if row["result"] == Result.SUCCESS:
        return [*names, "succeeded"]
    return [*names, f"failed.{row['hangup_reason']}" if row["charged"] else "not_sent"]


def _prune_decisions(database: Database, before: Instant, after: int) -> Pruned:
    """Decisions go when no attempt on the books refers to them."""
    asked = {"after": after, "count": OTHERS_PER_STEP}
    rows = database.execute(SQL["decisions_behind"], asked).fetchall()
    old = [row for row in rows if row["tm"] < before]
    over = [{"key": row["key"]} for row in old if not row["attempts"]]
    change_exactly(database, SQL["delete_decision"], over)
    return Pruned(len(over), _next(rows, OTHERS_PER_STEP, bool(old)))


def _prune_campaign_versions(database: Database, before: Instant, after: int) -> Pruned:
    return _prune_versions(database, before, after, "campaign_version")


def _prune_outplan_versions(database: Database, before: Instant, after: int) -> Pruned:
    return _prune_versions(database, before, after, "outplan_version")


def _prune_versions(database: Database, before: Instant, after: int, kind: str) -> Pruned:
    """Versions go when a later one took their place long ago and no attempt on the books refers to them."""
    find, delete = _VERSIONS[kind]
    asked = {"before": before, "after": after, "count": OTHERS_PER_STEP}
    rows = database.execute(SQL[find], asked).fetchall()
    over = [{"customer": row["customer"], "key": row["key"], "kind": kind} for row in rows if row["over"]]
    change_exactly(database, SQL[delete], over)
    execute_each(database, SQL["delete_counters"], over)
    return Pruned(len(over), _next(rows, OTHERS_PER_STEP, True))


def _prune_requests(database: Database, before: Instant, after: int) -> Pruned:
    """Requests go a day after they came."""
    rows = database.execute(SQL["requests_behind"], {"after": after, "count": REQUESTS_PER_STEP}).fetchall()
    old = [{"key": row["key"]} for row in rows if row["tm"] < before]
    change_exactly(database, SQL["delete_request"], old)
    return Pruned(len(old), _next(rows, REQUESTS_PER_STEP, bool(old)))


_VERSIONS = {
    "campaign_version": ("campaign_versions_behind", "delete_campaign_version"),
    "outplan_version": ("outplan_versions_behind", "delete_outplan_version"),
}

_STEPS: dict[History, Callable[[Database, Instant, int], Pruned]] = {
    History.EVENTS: _prune_events,
    History.ATTEMPTS: _prune_attempts,
    History.DECISIONS: _prune_decisions,
    History.CAMPAIGN_VERSIONS: _prune_campaign_versions,
    History.OUTPLAN_VERSIONS: _prune_outplan_versions,
    History.REQUESTS: _prune_requests,
}
