"""Outdials (lists) and their targets in the books."""

from collections.abc import Sequence
from typing import Any

import msgspec

from outdialer.domain.model import NewTarget, Outdial, Target
from outdialer.domain.target import DONE_REASONS, DoneReason, DueReason, TargetEvent, TargetStatus, apply
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite import rows
from outdialer.store.sqlite.books import Books, Counts, Database, expect_version, resource_happened
from outdialer.store.sqlite.paging import page_of, page_row
from outdialer.store.sqlite.statements import execute_each, statements

SQL = statements("outdials")


def move_binding(database: Database, statement: str, change: dict[str, Any]) -> None:
    """Run ``bind`` or ``unbind``, and tell of every list that it changed."""
    for changed in database.execute(SQL[statement], change).fetchall():
        outdial = _one(database, change["customer"], changed["id"])
        assert outdial is not None
        at = change["now"]
        resource_happened(database, change["customer"], "outdial_updated", outdial.id, outdial.version, at, outdial)


class Outdials(Books):
    """Whom to dial."""

    async def create_outdial(self, customer: int, outdial: Outdial) -> Outdial:
        """Store a new outdial."""

        def create(database: Database) -> Outdial:
            if (there := _one(database, customer, outdial.id)) is not None:
                return there
            database.execute(SQL["insert"], {**msgspec.structs.asdict(outdial), "customer": customer})
            created = _one(database, customer, outdial.id)
            assert created is not None
            resource_happened(
                database, customer, "outdial_created", outdial.id, outdial.version, outdial.tm_create, created
            )
            return created

        return await self._write(create)

    async def outdial(self, customer: int, outdial_id: Id) -> Outdial | None:
        """One outdial, deleted or not."""
        return self._read_one(lambda database: _one(database, customer, outdial_id))

    async def outdials(self, customer: int, page: Page) -> list[Outdial]:
        """Outdials, newest first."""
        asked = page_row(customer, page)
        return await self._read_long(
            lambda database: [
                rows.outdial(row) for row in page_of(database, SQL["page"], SQL["page_of_deleted"], asked, page)
            ]
        )

    async def save_outdial(self, customer: int, outdial: Outdial, now: Instant) -> Outdial:
        """Replace an outdial; ``Conflict`` when it is not the stored version."""

        def save(database: Database) -> Outdial:
            row = {**msgspec.structs.asdict(outdial), "customer": customer, "now": now}
            if database.execute(SQL["replace"], row).fetchone() is None:
                raise Conflict("the outdial was changed or deleted meanwhile")
            saved = _one(database, customer, outdial.id)
            assert saved is not None
            resource_happened(database, customer, "outdial_updated", saved.id, saved.version, now, saved)
            return saved

        return await self._write(save)

    async def delete_outdial(
        self, customer: int, outdial_id: Id, now: Instant, seen: int | None = None
    ) -> Outdial | None:
        """Mark an outdial as deleted: none of its targets is dialled any more."""

        def delete(database: Database) -> Outdial | None:
            stored = _one(database, customer, outdial_id)
            if stored is None or stored.tm_delete is not None:
                return stored
            expect_version(stored.version, seen)
            database.execute(SQL["mark_deleted"], {"customer": customer, "id": outdial_id, "now": now})
            deleted = _one(database, customer, outdial_id)
            if deleted is not None:
                resource_happened(database, customer, "outdial_deleted", outdial_id, deleted.version, now, deleted)
            return deleted

        return await self._write(delete)

    async def create_targets(
        self, customer: int, outdial_id: Id, targets: Sequence[NewTarget], now: Instant
    ) -> list[Target] | None:
        """Store targets, due at once; None: no such outdial or a deleted one."""

        def create(database: Database) -> list[Target] | None:
            outdial = database.execute(SQL["one"], {"customer": customer, "id": outdial_id}).fetchone()
            if outdial is None or outdial["tm_delete"] is not None:
                return None
            if targets and _target(database, customer, outdial_id, targets[0].id) is not None:
                return [_new_target(new, outdial_id, now) for new in targets]
            common = _new_target_row(customer, outdial["key"], now)
            execute_each(database, SQL["insert_target"], [{**common, **_own_columns(new)} for new in targets])
            counts = Counts(customer)
            counts.outdial(outdial["key"], TargetStatus.IDLE, len(targets))
            counts.write(database)
            return [_new_target(new, outdial_id, now) for new in targets]

        return await self._write(create, rows=len(targets))

    async def target(self, customer: int, outdial_id: Id, target_id: Id) -> Target | None:
        """One target of the outdial, deleted or not."""
        return self._read_one(lambda database: _target(database, customer, outdial_id, target_id))

    async def targets(self, customer: int, outdial_id: Id, page: Page) -> list[Target]:
        """The outdial's targets, newest first."""
        asked = {**page_row(customer, page), "outdial_id": outdial_id}
        living, deleted = SQL["page_of_targets"], SQL["page_of_deleted_targets"]
        return await self._read_long(
            lambda database: [rows.target(row) for row in page_of(database, living, deleted, asked, page)]
        )

    async def delete_target(self, customer: int, outdial_id: Id, target_id: Id, now: Instant) -> Target | None:
        """Mark a target as deleted: it is not dialled from this moment on."""

        def delete(database: Database) -> Target | None:
            asked = {"customer": customer, "outdial_id": outdial_id, "id": target_id}
            row = database.execute(SQL["one_target"], asked).fetchone()
            if row is not None and row["tm_delete"] is None:
                _delete_target(database, customer, row, now)
            return _target(database, customer, outdial_id, target_id)

        return await self._write(delete)

    async def targets_in_order(self, customer: int, outdial_id: Id, after: int, limit: int) -> list[tuple[int, Target]]:
        """Targets with store keys above ``after``, ascending, deleted ones included, with their keys."""
        asked = {"customer": customer, "outdial_id": outdial_id, "after": after, "count": limit}
        return await self._read_long(
            lambda database: [
                (row["key"], rows.target(row)) for row in database.execute(SQL["targets_in_order"], asked)
            ]
        )


def _one(database: Database, customer: int, outdial_id: Id) -> Outdial | None:
    row = database.execute(SQL["one"], {"customer": customer, "id": outdial_id}).fetchone()
    return None if row is None else rows.outdial(row)


def _target(database: Database, customer: int, outdial_id: Id, target_id: Id) -> Target | None:
    asked = {"customer": customer, "outdial_id": outdial_id, "id": target_id}
    row = database.execute(SQL["one_target"], asked).fetchone()
    return None if row is None else rows.target(row)


def _new_target_row(customer: int, outdial: int, now: Instant) -> dict[str, Any]:
    return {
        "customer": customer,
        "outdial": outdial,
        "status": TargetStatus.IDLE.value,
        "due": now,
        "due_reason": DueReason.NEW.value,
        "done_reason": DoneReason.NONE.value,
    }


def _own_columns(new: NewTarget) -> dict[str, Any]:
    first, second, third, fourth, fifth = new.destinations
    return {
        "id": new.id,
        "name": new.name,
        "detail": new.detail,
        "data": new.data,
        "destination_0": first.target,
        "destination_1": second.target,
        "destination_2": third.target,
        "destination_3": fourth.target,
        "destination_4": fifth.target,
        "addresses": rows.addresses_text(new.destinations),
    }


def _new_target(new: NewTarget, outdial_id: Id, now: Instant) -> Target:
    return Target(
        id=new.id,
        outdial_id=outdial_id,
        name=new.name,
        detail=new.detail,
        data=new.data,
        destinations=new.destinations,
        due=now,
        tm_create=now,
    )


def _delete_target(database: Database, customer: int, row: rows.Row, now: Instant) -> None:
    """Mark the target; an idle one is done with it, one in a call when the call ends."""
    status = apply(TargetStatus(row["status"]), TargetEvent.REMOVED) if row["status"] == TargetStatus.IDLE else None
    reason = row["done_reason"] if status is None else DONE_REASONS[TargetEvent.REMOVED].value
    change = {
        "customer": customer,
        "target": row["key"],
        "status": str(status or row["status"]),
        "done_reason": reason,
        "due": None if status is not None else row["due"],
        "now": now,
    }
    database.execute(SQL["mark_target_deleted"], change)
    if status is not None:
        counts = Counts(customer)
        counts.outdial(row["outdial"], TargetStatus.IDLE, -1)
        counts.outdial(row["outdial"], f"{status}.{reason}")
        if sum(rows.tries_of(row)):
            counts.outdial(row["outdial"], "retries_waiting", -1)
        counts.write(database)
