import httpx

from tests.api_tmp_sqlite.conftest import World, answered, created, refused
from tests.api_tmp_sqlite.fakes import MemoryStore


async def test_ping_health_ready(client: httpx.AsyncClient, world: World) -> None:
    assert answered(await client.get("/ping")) == {"message": "pong"}
    assert answered(await client.get("/health")) == {"status": "ok"}
    assert answered(await client.get("/ready")) == {"status": "ready"}
    world.not_ready = ["the trunk is paused: 503", "the disk is full"]
    refused(await client.get("/ready"), 503, "SERVICE_UNAVAILABLE", "paused", "full")
    assert answered(await client.get("/health")) == {"status": "ok"}


async def test_metrics_hold_the_engines_numbers_and_ours(client: httpx.AsyncClient) -> None:
    await created(client, "/v1.0/outplans")
    response = await client.get("/metrics")
    counted = 'outdialer_api_requests_total{operation="create_outplan",status="200"} '
    assert response.headers["content-type"].startswith("text/plain")
    assert "outdialer_calls_live 0.0" in response.text
    before = float(response.text.partition(counted)[2].partition("\n")[0])
    await created(client, "/v1.0/outplans")
    assert f"{counted}{before + 1}" in (await client.get("/metrics")).text


async def test_a_store_that_is_away_is_503_with_retry_after(client: httpx.AsyncClient, store: MemoryStore) -> None:
    store.away = True
    response = await client.get("/v1.0/campaigns")
    refused(response, 503, "SERVICE_UNAVAILABLE", "disk full")
    assert int(response.headers["retry-after"]) > 0
    assert answered(await client.get("/ping"))
