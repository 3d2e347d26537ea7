"""Events read from the file: in order, by customer, and whether some are gone."""

import pytest

from outdialer.ports.events import OutboxRow
from outdialer.ports.retention import History
from outdialer.store.sqlite.events import PAGE_BYTES
from outdialer.store.sqlite.store import SqliteStore
from tests.store.test_retention import DAY, prune
from tests.store.world import BUSY, CUSTOMER, NOW, SUCCESS, Ids, claim_due, ended, furnish

PEOPLE = ("+12025550101", "+12025550102", "+12025550103")


@pytest.mark.parametrize("page_bytes", [PAGE_BYTES, 0])
async def test_pages_walk_everything_once(
    store: SqliteStore, ids: Ids, monkeypatch: pytest.MonkeyPatch, page_bytes: int
) -> None:
    """Also where the first object fills a page."""
    monkeypatch.setattr("outdialer.store.sqlite.events.PAGE_BYTES", page_bytes)
    told: list[int] = []
    store.on_event(lambda: told.append(1))
    await furnish(store, ids, *PEOPLE)
    for number, intent in enumerate((await claim_due(store, ids, NOW)).intents):
        await store.record(CUSTOMER, [ended(intent, NOW + 1 + number, SUCCESS if number else BUSY)])
    assert told
    cursor = 0
    rows: list[OutboxRow] = []
    while True:
        page = await store.events_after(cursor, 2)
        assert not page.lost
        rows += page.rows
        assert page_bytes or sum(bool(row.payload) for row in page.rows) <= 1
        cursor = page.after
        if not page.more:
            break
    assert cursor == await store.newest_event()
    assert [row.before for row in rows[1:]] == [row.cursor for row in rows[:-1]]
    assert [row.kind for row in rows if row.attempt is not None] == ["claimed"] * 3 + ["ended"] * 3
    for row in rows:
        if row.attempt is not None:
            shown = await store.campaigncall(CUSTOMER, row.attempt.campaigncall.id)
            assert shown == row.attempt.campaigncall
            assert shown is not None
            assert await store.call(CUSTOMER, shown.reference_id) == row.attempt.call
    assert (await store.events_after(0, 1_000, {CUSTOMER + 1})).rows == ()
    assert (await store.events_after(cursor, 10)).rows == ()


async def test_what_is_gone_is_said(store: SqliteStore, ids: Ids) -> None:
    assert not (await store.events_after(0, 10)).lost
    await furnish(store, ids, *PEOPLE)
    newest = await store.newest_event()
    assert not (await store.events_after(newest, 10)).lost
    assert (await store.events_after(newest + 1, 10)).lost, "the books are older than who asks"
    await prune(store, History.EVENTS, NOW + DAY)
    assert await store.newest_event() == newest
    assert (await store.events_after(newest - 1, 10)).lost
    assert not (await store.events_after(newest, 10)).lost
