"""What the books keep of webhooks, where their schema and their retention decide."""

import sqlite3
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from outdialer.domain.directory import Webhook, customer_id
from outdialer.ports.retention import History
from outdialer.ports.webhooks import Progress, Waiting
from outdialer.store.sqlite.migrate import migrations
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import CUSTOMER, NOW, SECOND, SUCCESS, Ids, claim_due, ended, furnish, numbers, open_store

LATER = NOW + 30 * 86_400 * SECOND


async def webhook(store: SqliteStore, ids: Ids) -> bytes:
    made = await store.create_entry(CUSTOMER, Webhook(id=ids(), tm_create=NOW, uri="https://a.example/"))
    return made.id


async def history(store: SqliteStore, ids: Ids, people: int) -> None:
    await furnish(store, ids, *(number for number, _ in zip(numbers(), range(people), strict=False)))
    for intent in (await claim_due(store, ids, NOW)).intents:
        await store.record(CUSTOMER, [ended(intent, NOW, SUCCESS)])


async def outbox(store: SqliteStore) -> list[int]:
    return [row.cursor for row in (await store.events_after(0, 10_000)).rows]


async def test_events_stay_until_every_enabled_webhook_has_taken_them(store: SqliteStore, ids: Ids) -> None:
    endpoint = await webhook(store, ids)
    (begin,) = [one.cursor for one in await store.webhook_endpoints()]
    await history(store, ids, 10)
    before = await outbox(store)
    await store.prune(History.EVENTS, LATER, 0)
    assert await outbox(store) == [key for key in before if key > begin]
    taken = before[len(before) // 2]
    await store.keep_webhook_progress([Progress(customer=CUSTOMER, endpoint=endpoint, cursor=taken)])
    await store.prune(History.EVENTS, LATER, 0)
    assert await outbox(store) == [key for key in before if key > taken]


async def test_a_webhook_that_is_disabled_or_gone_keeps_nothing_back(store: SqliteStore, ids: Ids) -> None:
    one, other = await webhook(store, ids), await webhook(store, ids)
    await history(store, ids, 3)
    await store.keep_webhook_progress([Progress(customer=CUSTOMER, endpoint=one, cursor=1, disabled="410")])
    await store.delete_entry(CUSTOMER, Webhook, other, NOW)
    await store.prune(History.EVENTS, LATER, 0)
    assert await outbox(store) == []
    assert (await store.events_after(1, 10)).lost


async def test_what_waits_goes_with_its_webhook(store: SqliteStore, ids: Ids) -> None:
    endpoint = await webhook(store, ids)
    waits = Waiting(event_id="evt_a", type="tag_created", body=b"{}", due=NOW)
    progress = Progress(customer=CUSTOMER, endpoint=endpoint, cursor=1, put=(waits,))
    await store.keep_webhook_progress([progress])
    assert await store.webhook_body(CUSTOMER, endpoint, "evt_a") == b"{}"
    await store.keep_webhook_progress([replace(progress, put=(replace(waits, body=b"", tries=1),))])
    assert await store.webhook_body(CUSTOMER, endpoint, "evt_a") == b"{}", "what is sent is written once"
    await store.delete_entry(CUSTOMER, Webhook, endpoint, NOW)
    await store.keep_webhook_progress([progress])
    assert await store.webhook_waiting(CUSTOMER, endpoint, 10) == []


async def test_a_uri_from_before_begins_with_the_migration(tmp_path: Path, ids: Ids) -> None:
    path, own = tmp_path / "old.db", customer_id(CUSTOMER)
    place = next(number for number, script in enumerate(migrations()) if "TABLE webhook_states" in script)
    with closing(sqlite3.connect(path)) as old:
        for number, script in enumerate(migrations()[:place], start=1):
            old.executescript(f"{script}; PRAGMA user_version = {number};")
        old.execute("INSERT INTO meta (name, value) VALUES ('install_secret', ?)", (bytes(32),))
        old.execute("INSERT INTO customers (key, id, webhook_uri) VALUES (1, ?, 'https://a.example/')", (own,))
        old.execute("INSERT INTO outbox (customer, kind, event_number, tm) VALUES (1, 'x', 1, 1)")
        old.commit()
    store = await open_store(path, ids=ids)
    (endpoint,) = await store.webhook_endpoints()
    assert (endpoint.id, endpoint.uri, endpoint.cursor) == (own, "https://a.example/", 1)
    await store.close()
