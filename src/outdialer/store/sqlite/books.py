"""What every part of the store stands on: the connections, the writer, and the epoch that fences."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from outdialer.domain.gates import latest_slot
from outdialer.domain.snapshot import OutplanTerms
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import Conflict, StoreUnavailable
from outdialer.store.sqlite.connect import is_storage_failure
from outdialer.store.sqlite.rows import outplan_terms, to_json
from outdialer.store.sqlite.statements import execute_each, statements
from outdialer.store.sqlite.writer import Writer

T = TypeVar("T")
Database: TypeAlias = sqlite3.Connection

SHARED = statements("shared")
TERMS_KEPT = 10_000
"""Immutable outplan versions kept decoded; beyond that all are forgotten and read again."""


class Life(Struct, frozen=True):
    """One life of an engine: its epoch, and the worker that lives it. Epoch 0 has not begun."""

    epoch: int = 0
    worker: int = 0


class Connections(Struct, frozen=True):
    """A store's ways to its file. ``slow`` is None where everything runs on the caller's thread."""

    writer: Writer | None
    quick: Database
    """For reads that take less than a millisecond; used on the event loop."""
    long: Database
    """For reads that may take longer; used by ``slow`` alone."""
    slow: ThreadPoolExecutor | None


class Books:
    """Reading and writing, and what is remembered between the two."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._life = Life()
        self._terms: dict[tuple[int, int], OutplanTerms] = {}
        self._closed_gates: dict[tuple[int, int], str] = {}

    async def _write(self, operation: Callable[[Database], T], *, rows: int = 1, wakes: bool = True) -> T:
        """Run ``operation`` durably; ``wakes``: the planner should look at what it changed."""
        writer = self._connections.writer
        if writer is None:
            raise StoreUnavailable("the store was opened for reading")
        return await writer.run(operation, rows=rows, wakes=wakes)

    def _read(self, query: Callable[[Database], T]) -> T:
        """Run a short query at once."""
        return _in_one_picture(self._connections.quick, query)

    def _read_one(self, query: Callable[[Database], T]) -> T:
        """Run a short query of a single statement at once: that sees one state without a transaction around it."""
        return _ask(self._connections.quick, query)

    async def _read_long(self, query: Callable[[Database], T]) -> T:
        """Run a query beside the event loop."""
        if self._connections.slow is None:
            return _in_one_picture(self._connections.long, query)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._connections.slow, _in_one_picture, self._connections.long, query)

    def _terms_of(self, customer: int, version: int) -> OutplanTerms:
        """The terms of an outplan version, remembered; only committed rows are seen here."""
        terms = self._terms.get((customer, version))
        if terms is None:
            terms = read_terms(self._connections.quick, customer, version)
            if len(self._terms) >= TERMS_KEPT:
                self._terms.clear()
            self._terms[customer, version] = terms
        return terms


def read_terms(database: Database, customer: int, version: int) -> OutplanTerms:
    """The terms of an outplan version."""
    row = database.execute(SHARED["outplan_version"], {"customer": customer, "key": version}).fetchone()
    if row is None:
        raise LookupError(f"no outplan version {version}")
    return outplan_terms(row)


def _in_one_picture(database: Database, query: Callable[[Database], T]) -> T:
    """Run ``query`` so that all its statements see the same state."""

    def between(database: Database) -> T:
        database.execute("BEGIN")
        try:
            return query(database)
        finally:
            database.execute("COMMIT")

    return _ask(database, between)


def _ask(database: Database, query: Callable[[Database], T]) -> T:
    """Run ``query``; trouble with the disk is the store's, anything else a fault of the statement."""
    try:
        return query(database)
    except sqlite3.Error as error:
        if is_storage_failure(error):
            raise StoreUnavailable(str(error)) from error
        raise


def is_current(database: Database, life: Life) -> bool:
    """Whether no later life has begun. Asked in the transaction that writes."""
    row = database.execute(SHARED["current_epoch"]).fetchone()
    return life.epoch > 0 and row["epoch"] == life.epoch


class Counts:
    """Changes of counter rows, gathered while a transaction works and written once at its end."""

    def __init__(self, customer: int) -> None:
        self._customer = customer
        self._changes: Counter[tuple[str, int, str]] = Counter()

    def outdial(self, outdial: int, name: str, by: int = 1) -> None:
        """Count targets of a list."""
        self._changes["outdial", outdial, str(name)] += by

    def campaign(self, campaign: int, name: str, by: int = 1) -> None:
        """Count attempts of a campaign."""
        self._changes["campaign", campaign, str(name)] += by

    def versions(self, campaign_version: int, outplan_version: int, by: int = 1) -> None:
        """Count the attempts on the books that refer to a version of a campaign and to one of an outplan."""
        self.add("campaign_version", campaign_version, "attempts", by)
        self.add("outplan_version", outplan_version, "attempts", by)

    def add(self, kind: str, scope: int, name: str, by: int = 1) -> None:
        """Count anything."""
        self._changes[kind, scope, name] += by

    def write(self, database: Database) -> None:
        """Add the changes to the rows."""
        rows = [
            {"customer": self._customer, "kind": kind, "scope": scope, "name": name, "by": by}
            for (kind, scope, name), by in self._changes.items()
            if by
        ]
        execute_each(database, SHARED["count"], rows)


def resource_happened(
    database: Database, customer: int, kind: str, subject: Id, version: int, at: Instant, resource: Any
) -> None:
    """Write the event of a changed object, with the object as it is now."""
    row = {"customer": customer, "kind": kind, "subject": subject, "event_number": version, "tm": at}
    database.execute(SHARED["resource_happened"], {**row, "payload": to_json(resource)})


def expect_version(stored: int, seen: int | None) -> None:
    """Refuse to change what was changed since it was seen; None: nobody says what was seen.

    Raises:
        Conflict: the stored version is another one.
    """
    if seen not in (None, stored):
        raise Conflict(f"version {seen} was seen, {stored} is stored")


def change_exactly(database: Database, statement: str, rows: list[dict[str, Any]]) -> None:
    """Run a guarded statement that must change exactly one row for each of ``rows``.

    Raises:
        RuntimeError: a guard said otherwise than the transaction has read; the transaction must be given up.
    """
    changed = execute_each(database, statement, rows) if rows else 0
    if changed != len(rows):
        raise RuntimeError(f"{changed} of {len(rows)} rows changed by: {statement}")


def ease_limit(database: Database, customer: int, scope: str, rate_per_s: float, now: Instant) -> None:
    """Let a changed rate hold at once: forget slots that only a lower rate can have reserved so far ahead."""
    row = {"customer": customer, "scope": scope, "latest": latest_slot(now, rate_per_s)}
    database.execute(SHARED["ease_limit"], row)
