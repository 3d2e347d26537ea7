"""Campaigns in the books: editing them, ordering them to run or stop, and their counts."""

from collections.abc import Sequence
from typing import Any

import msgspec

from outdialer.domain.campaign import CampaignEvent, CampaignStatus, apply
from outdialer.domain.model import Campaign
from outdialer.domain.plan import campaign_event
from outdialer.domain.units import NIL_ID, Id, Instant
from outdialer.ports.store import CampaignStats, Conflict, Page
from outdialer.store.sqlite import planning, rows
from outdialer.store.sqlite.books import (
    SHARED,
    Books,
    Database,
    ease_limit,
    expect_version,
    is_current,
    read_terms,
    resource_happened,
)
from outdialer.store.sqlite.outdials import move_binding
from outdialer.store.sqlite.paging import page_of, page_row
from outdialer.store.sqlite.statements import statements

SQL = statements("campaigns")


class Campaigns(Books):
    """Who is called, how, and what happens on answer."""

    async def create_campaign(self, customer: int, campaign: Campaign) -> Campaign:
        """Store a new campaign and its first version, and bind its outdial to it.

        An outplan or outdial that the customer does not have stays unset.
        """

        def create(database: Database) -> Campaign:
            if (there := _one(database, customer, campaign.id)) is not None:
                return there
            row = _bindable(customer, campaign)
            key = database.execute(SQL["insert"], row).lastrowid
            _insert_version(database, {**row, "campaign": key, "now": campaign.tm_create})
            created = _known(database, customer, campaign.id)
            _happened(database, customer, "campaign_created", created, campaign.tm_create)
            return created

        return await self._write(create)

    async def campaign(self, customer: int, campaign_id: Id) -> Campaign | None:
        """One campaign, deleted or not."""
        return self._read_one(lambda database: _one(database, customer, campaign_id))

    async def campaigns(self, customer: int, page: Page) -> list[Campaign]:
        """Campaigns, newest first."""
        asked = page_row(customer, page)
        return await self._read_long(
            lambda database: [
                rows.campaign(row) for row in page_of(database, SQL["page"], SQL["page_of_deleted"], asked, page)
            ]
        )

    async def save_campaign(self, customer: int, campaign: Campaign, now: Instant) -> Campaign:
        """Replace what people edit, never the status; ``Conflict`` when it is not the stored version."""

        def save(database: Database) -> Campaign:
            row = {**_bindable(customer, campaign), "now": now}
            changed = database.execute(SQL["next_version"], row).fetchone()
            if changed is None:
                raise Conflict("the campaign was changed or deleted meanwhile")
            _insert_version(database, {**row, "campaign": changed["key"], "version": campaign.version + 1})
            ease_limit(database, customer, f"campaign:{changed['key']}", campaign.dial_rate, now)
            saved = _known(database, customer, campaign.id)
            _happened(database, customer, "campaign_updated", saved, now)
            return saved

        return await self._write(save)

    async def delete_campaign(
        self, customer: int, campaign_id: Id, now: Instant, seen: int | None = None
    ) -> Campaign | None:
        """Mark a stopped campaign as deleted and free its outdial; ``Conflict`` when it is not stopped."""

        def delete(database: Database) -> Campaign | None:
            row = _row(database, customer, campaign_id)
            if row is None or row["tm_delete"] is not None:
                return None if row is None else rows.campaign(row)
            expect_version(row["version"], seen)
            if row["status"] != CampaignStatus.STOP:
                raise Conflict(f"the campaign's status is {row['status']}: stop it first")
            change = {"customer": customer, "campaign": row["key"], "now": now, "keep": None}
            database.execute(SQL["mark_deleted"], change)
            move_binding(database, "unbind", change)
            deleted = _known(database, customer, campaign_id)
            _happened(database, customer, "campaign_deleted", deleted, now)
            return deleted

        return await self._write(delete)

    async def order_run(self, customer: int, campaign_id: Id, now: Instant, seen: int | None = None) -> Campaign | None:
        """Start a campaign; one that runs stays as it is. None: no such campaign or a deleted one."""
        return await self._write(lambda database: order(database, customer, campaign_id, _RUN, now, seen))

    async def order_stop(self, customer: int, campaign_id: Id, now: Instant) -> Campaign | None:
        """Stop a campaign: ``stopping`` while calls are up, else ``stop``."""
        return await self._write(lambda database: order(database, customer, campaign_id, None, now))

    async def apply_campaign_events(
        self, customer: int, events: Sequence[tuple[int, CampaignEvent]], now: Instant
    ) -> list[int]:
        """Let campaigns drain or finish, if that still holds; a finished one starts its next campaign."""

        def notice(database: Database) -> list[int]:
            if not is_current(database, self._life):
                return []
            return [key for key, event in events if _notice(database, customer, key, event, now)]

        return await self._write(notice)

    async def campaign_stats(self, customer: int, campaign_id: Id) -> CampaignStats | None:
        """The campaign's counts."""
        return self._read(lambda database: self._stats(database, customer, campaign_id))

    def _stats(self, database: Database, customer: int, campaign_id: Id) -> CampaignStats | None:
        row = _row(database, customer, campaign_id)
        if row is None:
            return None
        attempts = _counters(database, customer, "campaign", row["key"])
        targets = {} if row["outdial"] is None else _counters(database, customer, "outdial", row["outdial"])
        next_due = None if row["outdial"] is None else planning.first_due(database, customer, row["outdial"])
        return CampaignStats(
            targets_idle=targets.get("idle", 0),
            targets_progressing=targets.get("progressing", 0),
            targets_done=_named(targets, "done."),
            attempts=attempts.get("attempts", 0),
            dialing=attempts.get("dialing", 0),
            ringing=attempts.get("ringing", 0),
            talking=attempts.get("talking", 0),
            succeeded=attempts.get("succeeded", 0),
            failed=_named(attempts, "failed.") | _named(attempts, "not_sent", "not_sent"),
            answered=attempts.get("answered", 0),
            retries_waiting=targets.get("retries_waiting", 0),
            next_due=next_due,
            waiting_for=self._waiting_for(customer, row),
        )

    def _waiting_for(self, customer: int, row: rows.Row) -> str:
        if row["status"] != CampaignStatus.RUN:
            return f"campaign_status: {row['status']}"
        return self._closed_gates.get((customer, row["key"]), "")

    def note_gates(self, customer: int, gates: dict[int, str]) -> None:
        """Remember, in memory only, what keeps campaigns (by key) from dialing more; "" forgets."""
        for campaign, gate in gates.items():
            self._closed_gates[customer, campaign] = gate


_RUN = CampaignEvent.RUN_ORDERED


def _counters(database: Database, customer: int, kind: str, scope: int) -> dict[str, int]:
    asked = {"customer": customer, "kind": kind, "scope": scope}
    return {row["name"]: row["n"] for row in database.execute(SHARED["counters"], asked)}


def _named(counters: dict[str, int], prefix: str, name: str = "") -> dict[str, int]:
    """The counters above zero whose names start with ``prefix``, without it, or under ``name``."""
    return {name or key.removeprefix(prefix): n for key, n in counters.items() if key.startswith(prefix) and n}


def _bindable(customer: int, campaign: Campaign) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(campaign),
        "customer": customer,
        "status": str(campaign.status),
        "end_handle": str(campaign.end_handle),
        "actions": rows.to_json(campaign.actions),
    }


def _insert_version(database: Database, row: dict[str, Any]) -> None:
    """Write an immutable version and move the binding of the campaign's outdial."""
    database.execute(SQL["insert_version"], row)
    version = _row(database, row["customer"], row["id"])
    assert version is not None
    outdial = version["outdial"]
    move_binding(database, "unbind", {**row, "keep": outdial})
    if outdial is not None:
        move_binding(database, "bind", {**row, "outdial": outdial})


def _row(database: Database, customer: int, campaign_id: Id) -> rows.Row | None:
    row: rows.Row | None = database.execute(SQL["one"], {"customer": customer, "id": campaign_id}).fetchone()
    return row


def _one(database: Database, customer: int, campaign_id: Id) -> Campaign | None:
    row = _row(database, customer, campaign_id)
    return None if row is None else rows.campaign(row)


def _known(database: Database, customer: int, campaign_id: Id) -> Campaign:
    campaign = _one(database, customer, campaign_id)
    assert campaign is not None
    return campaign


def _happened(database: Database, customer: int, kind: str, campaign: Campaign, at: Instant) -> None:
    resource_happened(database, customer, kind, campaign.id, campaign.version, at, campaign)


def order(
    database: Database,
    customer: int,
    campaign_id: Id,
    event: CampaignEvent | None,
    now: Instant,
    seen: int | None = None,
) -> Campaign | None:
    """Apply an order; None as the event is a stop, whose kind depends on the calls that are up."""
    row = _row(database, customer, campaign_id)
    if row is None or row["tm_delete"] is not None:
        return None
    expect_version(row["version"], seen)
    if event is not None and database.execute(SQL["frozen"], {"customer": customer}).fetchone() is not None:
        raise Conflict("the customer is frozen")
    if event is None:
        limit = database.execute(SQL["in_use"], {"customer": customer, "scope": f"campaign:{row['key']}"}).fetchone()
        busy = limit is not None and limit["in_use"] > 0
        event = CampaignEvent.STOP_ORDERED_BUSY if busy else CampaignEvent.STOP_ORDERED_QUIET
    _move(database, customer, row, event, now)
    return _known(database, customer, campaign_id)


def _move(database: Database, customer: int, row: rows.Row, event: CampaignEvent, now: Instant) -> bool:
    """Change a campaign's status if the table says so, with its event."""
    status = apply(CampaignStatus(row["status"]), event)
    if status is None:
        return False
    change = {"customer": customer, "campaign": row["key"], "status": str(status), "now": now}
    database.execute(SQL["set_status"], change)
    _happened(database, customer, f"campaign_status_{status}", _known(database, customer, row["id"]), now)
    return True


def _notice(database: Database, customer: int, key: int, event: CampaignEvent, now: Instant) -> bool:
    row = planning.one_campaign(database, customer, key)
    if row is None:
        return False
    view = planning.view(row, None, lambda version: read_terms(database, customer, version))
    if campaign_event(view) != event or not _move(database, customer, row, event, now):
        return False
    if event == CampaignEvent.FINISHED and row["next_campaign_id"] != NIL_ID:
        following = _row(database, customer, row["next_campaign_id"])
        if following is not None and following["tm_delete"] is None:
            _move(database, customer, following, CampaignEvent.RUN_ORDERED, now)
    return True
