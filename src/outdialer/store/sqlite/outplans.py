"""Outplans in the books."""

import msgspec
from msgspec.structs import replace

from outdialer.domain.model import Outplan
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite import rows
from outdialer.store.sqlite.books import Books, Database, expect_version, resource_happened
from outdialer.store.sqlite.paging import page_of, page_row
from outdialer.store.sqlite.statements import statements

SQL = statements("outplans")


class Outplans(Books):
    """How and when to dial. Every change makes an immutable version, which attempts refer to."""

    async def create_outplan(self, customer: int, outplan: Outplan) -> Outplan:
        """Store a new outplan and its first version."""

        def create(database: Database) -> Outplan:
            if (there := _one(database, customer, outplan.id)) is not None:
                return there
            row = {**msgspec.structs.asdict(outplan), "customer": customer}
            key = database.execute(SQL["insert"], row).lastrowid
            assert key is not None
            _insert_version(database, customer, key, outplan, outplan.tm_create)
            resource_happened(
                database, customer, "outplan_created", outplan.id, outplan.version, outplan.tm_create, outplan
            )
            return outplan

        return await self._write(create)

    async def outplan(self, customer: int, outplan_id: Id) -> Outplan | None:
        """One outplan, deleted or not."""
        return self._read_one(lambda database: _one(database, customer, outplan_id))

    async def outplans(self, customer: int, page: Page) -> list[Outplan]:
        """Outplans, newest first."""
        asked = page_row(customer, page)
        return await self._read_long(
            lambda database: [
                rows.outplan(row) for row in page_of(database, SQL["page"], SQL["page_of_deleted"], asked, page)
            ]
        )

    async def save_outplan(self, customer: int, outplan: Outplan, now: Instant) -> Outplan:
        """Replace an outplan; ``Conflict`` when it is not the stored version."""

        def save(database: Database) -> Outplan:
            row = {**msgspec.structs.asdict(outplan), "customer": customer, "now": now}
            changed = database.execute(SQL["replace"], row).fetchone()
            if changed is None:
                raise Conflict("the outplan was changed or deleted meanwhile")
            _insert_version(database, customer, changed["key"], replace(outplan, version=outplan.version + 1), now)
            saved = _one(database, customer, outplan.id)
            assert saved is not None
            resource_happened(database, customer, "outplan_updated", saved.id, saved.version, now, saved)
            return saved

        return await self._write(save)

    async def delete_outplan(
        self, customer: int, outplan_id: Id, now: Instant, seen: int | None = None
    ) -> Outplan | None:
        """Mark an outplan as deleted; campaigns that use it go on with it."""

        def delete(database: Database) -> Outplan | None:
            stored = _one(database, customer, outplan_id)
            if stored is None or stored.tm_delete is not None:
                return stored
            expect_version(stored.version, seen)
            database.execute(SQL["mark_deleted"], {"customer": customer, "id": outplan_id, "now": now})
            deleted = _one(database, customer, outplan_id)
            if deleted is not None:
                resource_happened(database, customer, "outplan_deleted", outplan_id, deleted.version, now, deleted)
            return deleted

        return await self._write(delete)


def _insert_version(database: Database, customer: int, key: int, outplan: Outplan, now: Instant) -> None:
    row = {
        "customer": customer,
        "outplan": key,
        "version": outplan.version,
        "terms": rows.terms_text(outplan),
        "now": now,
    }
    database.execute(SQL["insert_version"], row)


def _one(database: Database, customer: int, outplan_id: Id) -> Outplan | None:
    row = database.execute(SQL["one"], {"customer": customer, "id": outplan_id}).fetchone()
    return None if row is None else rows.outplan(row)
