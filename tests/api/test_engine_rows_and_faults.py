"""What needs rows that the engine writes, or a store that fails on purpose."""

import httpx
from msgspec import structs

from outdialer.api.wire import parse_uuid
from outdialer.domain.units import format_id
from tests.api.conftest import CUSTOMER, answered, created, refused
from tests.api.fakes import MemoryStore
from tests.api.seeds import ATTEMPT, LIVE_ATTEMPT, Seeder
from tests.api.test_campaigns import UNKNOWN, order, ready_campaign


async def test_a_put_goes_on_when_somebody_was_faster(client: httpx.AsyncClient, store: MemoryStore) -> None:
    outplan = await created(client, "/v1.0/outplans")
    path = f"/v1.0/outplans/{outplan['id']}"
    store.conflicts = 2
    assert answered(await client.put(path, json={"name": "x"}))["name"] == "x"
    store.conflicts = 3
    refused(await client.put(path, json={"name": "y"}), 409, "STATE_INVALID", "Others")


async def test_a_stop_waits_for_calls(client: httpx.AsyncClient, seed: Seeder) -> None:
    campaign = await ready_campaign(client)
    await order(client, campaign, "run")
    seed.attempt(CUSTOMER, structs.replace(LIVE_ATTEMPT, campaign_id=parse_uuid(campaign["id"])))
    assert (await order(client, campaign, "stop"))["status"] == "stopping"
    path = f"/v1.0/campaigns/{campaign['id']}"
    refused(await client.delete(path), 409, "STATE_INVALID", "stop")
    assert (await order(client, campaign, "run"))["status"] == "run"
    refused(await client.delete(path), 409, "STATE_INVALID", "stop")


async def test_stats_and_attempts(client: httpx.AsyncClient, seed: Seeder) -> None:
    campaign = await ready_campaign(client)
    path = f"/v1.0/campaigns/{campaign['id']}"
    targets = f"/v1.0/outdials/{campaign['outdial_id']}/targets"
    await created(client, targets, destination_0={"target": "+12025550123"})
    seed.attempt(CUSTOMER, structs.replace(ATTEMPT, campaign_id=parse_uuid(campaign["id"])))
    seed.attempt(CUSTOMER, structs.replace(ATTEMPT, id=parse_uuid(UNKNOWN)))
    stats = answered(await client.get(f"{path}/stats"))
    assert (stats["targets_idle"], stats["attempts"], stats["targets_done"], stats["failed"]) == (1, 1, {}, {})
    assert stats["tm_next_due"].endswith("Z")
    rows = answered(await client.get(f"{path}/campaigncalls"))["result"]
    assert [row["id"] for row in rows] == [format_id(ATTEMPT.id)]
    for part in ("", "/stats", "/campaigncalls"):
        refused(await client.get(f"/v1.0/campaigns/{UNKNOWN}{part}"), 404, "CAMPAIGN_NOT_FOUND")


async def test_bulk_stores_nothing_when_the_store_fails(client: httpx.AsyncClient, store: MemoryStore) -> None:
    outdial = await created(client, "/v1.0/outdials")
    path = f"/v1.0/outdials/{outdial['id']}/targets"
    store.away = True
    rows = [{"destination_0": {"target": f"+1202555010{n}"}} for n in range(9)]
    refused(await client.post(f"{path}/bulk", json={"targets": rows}), 503, "SERVICE_UNAVAILABLE")
    store.away = False
    assert answered(await client.get(path))["result"] == []
