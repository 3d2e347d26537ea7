"""Attempts (campaigncalls) and calls as people see them."""

from outdialer.domain.model import Call, CampaignCall
from outdialer.domain.numbers import person_key
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite import rows
from outdialer.store.sqlite.books import Books, Database, resource_happened
from outdialer.store.sqlite.paging import page_of, page_row
from outdialer.store.sqlite.statements import statements

SQL = statements("calls")


class Calls(Books):
    """What was dialled, and what became of it."""

    _secret: bytes

    async def campaigncall(self, customer: int, campaigncall_id: Id) -> CampaignCall | None:
        """One attempt, deleted or not."""
        return self._read_one(lambda database: self._one_attempt(database, customer, campaigncall_id))

    async def campaigncalls(
        self, customer: int, page: Page, campaign_id: Id | None = None, target_id: Id | None = None
    ) -> list[CampaignCall]:
        """Attempts of one campaign or of all, of one target or of all, newest first."""
        if target_id is not None:
            return await self._campaigncalls_of_target(customer, page, campaign_id, target_id)
        living, deleted = SQL["page_of_attempts"], SQL["page_of_deleted_attempts"]
        if campaign_id is not None:
            living, deleted = SQL["page_of_campaign"], SQL["page_of_campaign_deleted"]
        asked = {**page_row(customer, page), "campaign_id": campaign_id}
        return await self._read_long(
            lambda database: [rows.campaigncall(row) for row in page_of(database, living, deleted, asked, page)]
        )

    async def _campaigncalls_of_target(
        self, customer: int, page: Page, campaign_id: Id | None, target_id: Id
    ) -> list[CampaignCall]:
        asked = {**page_row(customer, page), "campaign_id": campaign_id, "target_id": target_id}

        def query(database: Database) -> list[CampaignCall]:
            people = database.execute(SQL["destinations_of_target"], asked).fetchall()
            numbers = sorted({person_key(text) for person in people for text in person if text})
            wanted = {**asked, "numbers": rows.to_json(numbers), "deleted": page.deleted}
            found = [rows.campaigncall(row) for row in database.execute(SQL["attempts_of_target"], wanted)]
            return sorted(found, key=lambda attempt: (attempt.tm_create, attempt.id), reverse=True)[: page.size]

        return await self._read_long(query)

    async def campaigncalls_in_order(
        self, customer: int, campaign_id: Id | None, after: int, limit: int
    ) -> list[tuple[int, CampaignCall]]:
        """Attempts with store keys above ``after``, ascending, deleted ones included, with their keys."""
        statement = SQL["attempts_in_order"] if campaign_id is None else SQL["attempts_of_campaign_in_order"]
        asked = {"customer": customer, "campaign_id": campaign_id, "after": after, "count": limit}
        return await self._read_long(
            lambda database: [(row["key"], rows.campaigncall(row)) for row in database.execute(statement, asked)]
        )

    async def delete_campaigncall(self, customer: int, campaigncall_id: Id, now: Instant) -> CampaignCall | None:
        """Mark an attempt as deleted: hidden from lists, still counted; ``Conflict`` when it is not done."""

        def delete(database: Database) -> CampaignCall | None:
            found = self._one_attempt(database, customer, campaigncall_id)
            if found is None or found.tm_delete is not None:
                return found
            row = {"customer": customer, "id": campaigncall_id, "now": now}
            if not database.execute(SQL["mark_attempt_deleted"], row).rowcount:
                raise Conflict(f"the campaigncall's status is {found.status}: it can be deleted when it is done")
            deleted = self._one_attempt(database, customer, campaigncall_id)
            resource_happened(database, customer, "campaigncall_deleted", campaigncall_id, 0, now, deleted)
            return deleted

        return await self._write(delete, wakes=False)

    def _one_attempt(self, database: Database, customer: int, campaigncall_id: Id) -> CampaignCall | None:
        row = database.execute(SQL["one_attempt"], {"customer": customer, "id": campaigncall_id}).fetchone()
        return None if row is None else rows.campaigncall(row)

    async def call(self, customer: int, call_id: Id) -> Call | None:
        """One call, deleted or not."""

        def query(database: Database) -> Call | None:
            row = database.execute(SQL["one_call"], {"customer": customer, "id": call_id}).fetchone()
            return None if row is None else rows.call(row)

        return self._read_one(query)

    async def calls(self, customer: int, page: Page) -> list[Call]:
        """Calls that are not deleted."""
        asked = page_row(customer, page)
        return await self._read_long(
            lambda database: [rows.call(row) for row in database.execute(SQL["page_of_calls"], asked)]
        )

    async def call_of_activeflow(self, customer: int, activeflow_id: Id) -> Call | None:
        """The call whose script this activeflow is a run of."""
        return self._read(lambda database: _of_activeflow(database, customer, activeflow_id))

    async def delete_activeflow(self, customer: int, activeflow_id: Id, now: Instant) -> Call | None:
        """Mark an activeflow as deleted, which ends it; its call stays."""

        def delete(database: Database) -> Call | None:
            row = {"customer": customer, "activeflow_id": activeflow_id, "now": now}
            marked = database.execute(SQL["mark_activeflow_deleted"], row).rowcount
            deleted = _of_activeflow(database, customer, activeflow_id)
            if marked:
                resource_happened(database, customer, "activeflow_deleted", activeflow_id, 0, now, deleted)
            return deleted

        return await self._write(delete, wakes=False)

    async def leg_of_call(self, customer: int, call_id: Id) -> int | None:
        """The store key of the call's live leg, or None when it is over or unknown."""

        def query(database: Database) -> int | None:
            row = database.execute(SQL["live_leg"], {"customer": customer, "id": call_id}).fetchone()
            return None if row is None else row["key"]

        return self._read_one(query)


def _of_activeflow(database: Database, customer: int, activeflow_id: Id) -> Call | None:
    asked = {"customer": customer, "activeflow_id": activeflow_id}
    row = database.execute(SQL["call_of_activeflow"], asked).fetchone()
    return None if row is None else rows.call(row)
