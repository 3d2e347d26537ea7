"""Tags, queues, agents, keys and logins, over both stores: the ways a first-time user goes."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import World, answered, created, over_both_stores, refused

pytestmark = over_both_stores
AGENT = {
    "username": "ada@clinic.example",
    "password": "correct horse",
    "name": "Ada",
    "detail": "",
    "ring_method": "ringall",
    "permission": 64,
    "tag_ids": [],
    "addresses": [{"type": "tel", "target": "+12025550111"}],
}
MADE_AND_CHANGED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("/v1.0/tags", {"name": "a", "detail": "b"}, {"name": "c"}),
    ("/v1.0/flows", {"name": "a", "actions": [{"type": "beep"}]}, {"name": "c"}),
    ("/v1.0/queues", {"name": "a", "routing_method": "random"}, {"name": "c"}),
    ("/v1.0/agents", AGENT, {"name": "c"}),
    ("/v1.0/extensions", {"extension": "2001", "password": "x", "name": "a", "detail": ""}, {"name": "c"}),
    ("/v1.0/accesskeys", {"name": "a", "expire": 86_400}, {"name": "c"}),
]


@pytest.mark.parametrize(("path", "body", "change"), MADE_AND_CHANGED, ids=lambda value: str(value)[:16])
async def test_a_resource_lives_and_goes(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    made = await created(client, path, **body)
    assert made["name"] == body["name"]
    one = f"{path}/{made['id']}"
    assert answered(await client.get(one))["id"] == made["id"]
    assert made["id"] in [row["id"] for row in answered(await client.get(path))["result"]]
    assert answered(await client.put(one, json=change))["name"] == change["name"]
    gone = answered(await client.delete(one))
    assert gone["tm_delete"] is not None
    assert made["id"] not in [row["id"] for row in answered(await client.get(path))["result"]]


async def test_an_agent_logs_in_and_does_only_what_it_may(world: World, client: httpx.AsyncClient) -> None:
    agent = await created(client, "/v1.0/agents", **{**AGENT, "permission": 16})
    assert "password" not in agent
    async with world.anonymous() as stranger:
        login = {"username": AGENT["username"], "password": AGENT["password"]}
        token = answered(await stranger.post("/auth/login", json=login))["token"]
        wrong = await stranger.post("/auth/login", json={**login, "password": "wrong"})
        assert (wrong.status_code, wrong.content) == (400, b"")
    async with world.anonymous({"Authorization": f"Bearer {token}"}) as ada:
        assert answered(await ada.get("/v1.0/me"))["id"] == agent["id"]
        refused(await ada.get("/v1.0/campaigns"), 403, "PERMISSION_DENIED")
        refused(await ada.post("/v1.0/accesskeys", json={}), 403, "PERMISSION_DENIED")
        own = f"/v1.0/agents/{agent['id']}/status"
        assert answered(await ada.put(own, json={"status": "available"}))["status"] == "available"


async def test_a_deleted_key_opens_nothing_any_more(world: World, client: httpx.AsyncClient) -> None:
    made = await created(client, "/v1.0/accesskeys", name="short", expire=86_400)
    async with world.anonymous({"Authorization": f"Bearer {made['token']}"}) as other:
        assert (await other.get("/v1.0/campaigns")).status_code == 200
        answered(await client.delete(f"/v1.0/accesskeys/{made['id']}"))
        refused(await other.get("/v1.0/campaigns"), 401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize(("path", "body", "_change"), MADE_AND_CHANGED, ids=lambda value: str(value)[:16])
async def test_another_customers_object_is_like_none(
    world: World, client: httpx.AsyncClient, path: str, body: dict[str, Any], _change: dict[str, Any]
) -> None:
    made = await created(client, path, **body)
    async with world.anonymous({"Authorization": f"Bearer {await world.key(2)}"}) as other:
        foreign = await other.get(f"{path}/{made['id']}")
        unknown = await other.get(f"{path}/{'1' * 8}-1111-4111-8111-{'1' * 12}")
        assert foreign.status_code == unknown.status_code == 404
        foreign_error, unknown_error = foreign.json()["error"], unknown.json()["error"]
        assert {**foreign_error, "request_id": ""} == {**unknown_error, "request_id": ""}


@pytest.mark.parametrize(
    ("change", "http", "reason"),
    [
        ({"ring_method": "linear"}, 400, "INVALID_RING_METHOD"),
        ({"username": "nobody"}, 400, "INVALID_USERNAME_FORMAT"),
        ({"username": "first@clinic.example"}, 409, "AGENT_ALREADY_EXISTS"),
    ],
)
async def test_agents_that_are_refused(
    client: httpx.AsyncClient, change: dict[str, Any], http: int, reason: str
) -> None:
    await created(client, "/v1.0/agents", **{**AGENT, "username": "first@clinic.example", "addresses": []})
    refused(await client.post("/v1.0/agents", json={**AGENT, **change}), http, reason)


async def test_a_queue_takes_one_routing_method(client: httpx.AsyncClient) -> None:
    refused(await client.post("/v1.0/queues", json={"routing_method": "best"}), 400, "INVALID_ROUTING_METHOD")
