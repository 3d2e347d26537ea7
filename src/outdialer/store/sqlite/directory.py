"""Entries of every kind in the books: tags, flows, queues, extensions, trunks, carriers, routes, numbers."""

import sqlite3
from typing import Any, TypeVar

import msgspec

from outdialer.domain.directory import KINDS, Entry
from outdialer.domain.units import Id, Instant
from outdialer.ports.directory import MOST_ENTRIES, LimitReached, NameTaken, Owned
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite.books import Books, Database, expect_version, resource_happened
from outdialer.store.sqlite.paging import page_of, page_row
from outdialer.store.sqlite.routing import entry_of, follow, is_routing
from outdialer.store.sqlite.rows import to_json
from outdialer.store.sqlite.statements import statements

E = TypeVar("E", bound=Entry)
SQL = statements("directory")
_COLUMNS = Entry.__struct_fields__


class Directory(Books):
    """What a customer keeps beside its campaigns. Of it, the dialing engine looks at what carriers and routes make."""

    async def create_entry(self, customer: int, entry: E) -> E:
        """Store a new entry; ``NameTaken`` and ``LimitReached`` when it cannot be."""

        def create(database: Database) -> E:
            there = _one(database, customer, type(entry), entry.id)
            if there is not None:
                return there
            row = _row_of(customer, entry)
            if database.execute(SQL["count_entries"], {**row, "most": MOST_ENTRIES}).fetchone()["n"] >= MOST_ENTRIES:
                raise LimitReached
            _named(database, SQL["insert_entry"], row)
            _happened(database, customer, "created", entry, entry.tm_create)
            follow(database, entry, entry.tm_create)
            return entry

        return await self._write(create, wakes=is_routing(type(entry)))

    async def entry(self, customer: int, kind: type[E], entry_id: Id) -> E | None:
        """One entry, deleted or not."""
        return self._read_one(lambda database: _one(database, customer, kind, entry_id))

    async def entry_named(self, customer: int, kind: type[E], unique_name: str) -> E | None:
        """The living entry with this unique name."""
        asked = {"customer": customer, "kind": KINDS[kind], "unique_name": unique_name}

        def query(database: Database) -> E | None:
            row = database.execute(SQL["entry_named"], asked).fetchone()
            return None if row is None else entry_of(row, kind)

        return self._read_one(query)

    async def entries(self, customer: int, kind: type[E], page: Page, related: Id | None = None) -> list[E]:
        """Entries, newest first; where ``related`` is given, those related to it."""
        asked = {**page_row(customer, page), "kind": KINDS[kind], "related": related}
        living, deleted = SQL["page_of_entries"], SQL["page_of_deleted_entries"]
        return await self._read_long(
            lambda database: [entry_of(row, kind) for row in page_of(database, living, deleted, asked, page)]
        )

    async def save_entry(self, customer: int, entry: E, now: Instant) -> E:
        """Replace an entry; ``Conflict`` when it is not the stored version, ``NameTaken`` for its name."""

        def save(database: Database) -> E:
            if not _named(database, SQL["replace_entry"], {**_row_of(customer, entry), "now": now}):
                raise Conflict("the entry was changed or deleted meanwhile")
            saved = _one(database, customer, type(entry), entry.id)
            assert saved is not None
            _happened(database, customer, "updated", saved, now)
            follow(database, saved, now)
            return saved

        return await self._write(save, wakes=is_routing(type(entry)))

    async def delete_entry(
        self, customer: int, kind: type[E], entry_id: Id, now: Instant, seen: int | None = None
    ) -> E | None:
        """Mark an entry as deleted; None: no such entry."""

        def delete(database: Database) -> E | None:
            stored = _one(database, customer, kind, entry_id)
            if stored is None or stored.tm_delete is not None:
                return stored
            expect_version(stored.version, seen)
            row = {"customer": customer, "kind": KINDS[kind], "id": entry_id, "now": now}
            database.execute(SQL["mark_entry_deleted"], row)
            deleted = _one(database, customer, kind, entry_id)
            if deleted is not None:
                _happened(database, customer, "deleted", deleted, now)
                follow(database, deleted, now)
            return deleted

        return await self._write(delete, wakes=is_routing(kind))

    async def owned_entry(self, kind: type[E], entry_id: Id) -> Owned[E] | None:
        """One entry of whatever customer, deleted or not."""
        asked = {"kind": KINDS[kind], "id": entry_id}

        def query(database: Database) -> Owned[E] | None:
            row = database.execute(SQL["owned_entry"], asked).fetchone()
            return None if row is None else Owned(row["customer"], entry_of(row, kind))

        return self._read_one(query)

    async def owned_entries(self, kind: type[E], page: Page, customer_id: Id | None = None) -> list[Owned[E]]:
        """Entries of all customers, or of one, that are not deleted, newest first."""
        asked = {**page_row(0, page), "kind": KINDS[kind], "customer_id": customer_id}
        return await self._read_long(
            lambda database: [
                Owned(row["customer"], entry_of(row, kind))
                for row in database.execute(SQL["page_of_owned_entries"], asked)
            ]
        )


def _row_of(customer: int, entry: Entry) -> dict[str, Any]:
    fields = msgspec.structs.asdict(entry)
    body = {name: value for name, value in fields.items() if name not in _COLUMNS}
    columns = {name: fields[name] for name in _COLUMNS}
    named = {
        "kind": KINDS[type(entry)],
        "unique_name": entry.unique_name,
        "related": entry.related,
        "body": to_json(body),
    }
    return {**columns, **named, "customer": customer}


def _one(database: Database, customer: int, kind: type[E], entry_id: Id) -> E | None:
    asked = {"customer": customer, "kind": KINDS[kind], "id": entry_id}
    row = database.execute(SQL["one_entry"], asked).fetchone()
    return None if row is None else entry_of(row, kind)


def _named(database: Database, statement: str, row: dict[str, Any]) -> int:
    """Run a statement that may claim a unique name; how many rows it changed."""
    try:
        return database.execute(statement, row).rowcount
    except sqlite3.IntegrityError as error:
        if "unique_name" in str(error):
            raise NameTaken(row["kind"]) from error
        raise


def _happened(database: Database, customer: int, what: str, entry: Entry, at: Instant) -> None:
    kind = f"{KINDS[type(entry)]}_{what}"
    resource_happened(database, customer, kind, entry.id, entry.version, at, entry.published)
