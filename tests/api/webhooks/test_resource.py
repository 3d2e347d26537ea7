"""``/webhooks`` and the customer's own ``webhook_uri`` over REST, over both stores."""

from typing import Any

import httpx
import msgspec
import pytest

from outdialer.domain.directory import customer_id
from outdialer.domain.units import format_id
from outdialer.ports.webhooks import Progress, Waiting
from tests.api.conftest import World, answered, created, over_both_stores, refused

pytestmark = over_both_stores
PATH = "/v1.0/webhooks"
GOOD = {"uri": "https://crm.company.example/hook"}
OWN = format_id(customer_id(1))


async def test_the_life_of_a_webhook(client: httpx.AsyncClient) -> None:
    made = await created(client, PATH, **GOOD, name="CRM", event_types=["call_hangup"])
    assert made["secret"].startswith("whsec_")
    assert (made["status"], made["method"], made["event_types"]) == ("enabled", "POST", ["call_hangup"])
    one = f"{PATH}/{made['id']}"
    read = await client.get(one)
    assert "secret" not in answered(read)
    assert answered(await client.get(PATH))["result"] == [read.json()]
    changed = await client.put(one, json={"method": "PUT"}, headers={"If-Match": read.headers["etag"]})
    assert (answered(changed)["method"], changed.json()["event_types"]) == ("PUT", ["call_hangup"])
    stale = await client.put(one, json={}, headers={"If-Match": read.headers["etag"]})
    refused(stale, 412, "VERSION_MISMATCH")
    gone = answered(await client.delete(one))
    assert (gone["status"], gone["disabled_reason"]) == ("disabled", "it is deleted")
    assert answered(await client.get(PATH))["result"] == []
    for action in ("enable", "rotate_secret"):
        refused(await client.post(f"{one}/{action}"), 409, "STATE_INVALID", "deleted")


async def test_a_rotation_shows_another_secret_once(client: httpx.AsyncClient) -> None:
    made = await created(client, PATH, **GOOD)
    rotated = await client.post(f"{PATH}/{made['id']}/rotate_secret")
    assert answered(rotated)["secret"] not in ("", made["secret"])
    assert rotated.json()["tm_rotate"]
    assert rotated.headers["cache-control"] == "no-store"
    assert "secret" not in answered(await client.get(f"{PATH}/{made['id']}"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"uri": "http://crm.company.example/"}, ["uri", "https"]),
        ({"uri": "https://127.0.0.1/"}, ["uri", "public"]),
        ({"uri": "https://[::ffff:10.0.0.1]/"}, ["uri", "public"]),
        ({"uri": "https://2130706433/"}, ["uri", "IPv4"]),
        ({"uri": "https://a@crm.company.example/"}, ["uri", "plain URL"]),
        ({"uri": "https://crm.company.example:22/"}, ["uri", "22"]),
        ({"uri": "nowhere"}, ["uri", "nowhere"]),
        ({"uri": ""}, ["uri", "missing"]),
        ({"event_types": ["call_hangup", "call_lost"]}, ["event_types[1]", "call_lost", "call_hangup"]),
    ],
)
async def test_what_is_refused(client: httpx.AsyncClient, change: dict[str, Any], words: list[str]) -> None:
    refused(await client.post(PATH, json={**GOOD, **change}), 400, "INVALID_ARGUMENT", *words)


async def test_there_is_a_bound(client: httpx.AsyncClient) -> None:
    for _ in range(20):
        await created(client, PATH, **GOOD)
    refused(await client.post(PATH, json=GOOD), 429, "RESOURCE_LIMIT_EXCEEDED", "20")


async def test_the_customers_own_uri_is_one_of_them(client: httpx.AsyncClient) -> None:
    refused(await client.get(f"{PATH}/{OWN}"), 404, "WEBHOOK_NOT_FOUND")
    refused(await client.put("/v1.0/customer", json={"webhook_uri": "https://10.0.0.1/"}), 400, "INVALID_ARGUMENT")
    put = answered(await client.put("/v1.0/customer", json={"webhook_uri": GOOD["uri"], "webhook_method": "POST"}))
    assert put["webhook_secret"].startswith("whsec_")
    assert answered(await client.get("/v1.0/customer")) == put
    assert answered(await client.get(f"{PATH}/{OWN}"))["uri"] == GOOD["uri"]
    rotated = answered(await client.post(f"{PATH}/{OWN}/rotate_secret"))
    assert answered(await client.get("/v1.0/customer"))["webhook_secret"] == rotated["secret"]
    for request in (client.put(f"{PATH}/{OWN}", json=GOOD), client.delete(f"{PATH}/{OWN}")):
        refused(await request, 409, "STATE_INVALID", "PUT /customer")
    unset = answered(await client.put("/v1.0/customer", json={"webhook_uri": ""}))
    assert "webhook_secret" not in unset
    await client.put("/v1.0/customer", json={"webhook_uri": GOOD["uri"]})
    assert answered(await client.get("/v1.0/customer"))["webhook_secret"] == rotated["secret"]


async def test_the_secret_is_for_admins(world: World, client: httpx.AsyncClient) -> None:
    await client.put("/v1.0/customer", json={"webhook_uri": GOOD["uri"]})
    agent = {"username": "ada@clinic.example", "password": "correct horse", "permission": 64}
    await created(client, "/v1.0/agents", **agent)
    async with world.anonymous() as stranger:
        login = {"username": agent["username"], "password": agent["password"]}
        token = answered(await stranger.post("/auth/login", json=login))["token"]
    async with world.anonymous({"Authorization": f"Bearer {token}"}) as manager:
        assert "webhook_secret" not in answered(await manager.get("/v1.0/customer"))
        assert answered(await manager.get(PATH))["result"] == []
        refused(await manager.post(PATH, json=GOOD), 403, "PERMISSION_DENIED")


async def test_deliveries_and_enabling(world: World, client: httpx.AsyncClient) -> None:
    made = await created(client, PATH, **GOOD)
    endpoint = bytes.fromhex(made["id"].replace("-", ""))
    now = world.clock.now()
    waits = Waiting(
        event_id="evt_a", type="tag_created", body=b"{}", tries=3, last_try=now, due=now + 1, code=500, why="bad"
    )
    behind = Waiting(event_id="evt_b", type="tag_updated", body=b"{}", due=now)
    progress = Progress(customer=1, endpoint=endpoint, cursor=5, disabled="the receiver answered 410")
    await world.store.keep_webhook_progress([progress_with(progress, waits, behind)])
    one = f"{PATH}/{made['id']}"
    read = answered(await client.get(one))
    assert (read["status"], read["disabled_reason"]) == ("disabled", "the receiver answered 410")
    shown = answered(await client.get(f"{one}/deliveries"))
    assert shown["tried"] == []
    assert [row["event_id"] for row in shown["waiting"]] == ["evt_a", "evt_b"]
    assert (shown["waiting"][0]["tries"], shown["waiting"][0]["status_code"]) == (3, 500)
    assert shown["waiting"][1]["tm_try"] is None
    enabled = answered(await client.post(f"{one}/enable"))
    assert (enabled["status"], enabled["disabled_reason"]) == ("enabled", "")
    assert [row["tries"] for row in answered(await client.get(f"{one}/deliveries"))["waiting"]] == [0, 0]
    await client.delete(one)
    assert answered(await client.get(f"{one}/deliveries"))["waiting"] == []


def progress_with(progress: Progress, *put: Waiting) -> Progress:
    return msgspec.structs.replace(progress, put=put)


async def test_where_events_go_is_shown_to_who_may_read_webhooks(world: World, client: httpx.AsyncClient) -> None:
    answered(await client.put("/v1.0/customer", json={"webhook_uri": f"{GOOD['uri']}?key=canary"}))
    shown = {}
    for permission in (32, 64, 256, 512):
        async with world.anonymous({"Authorization": f"Bearer {await world.key(permission=permission)}"}) as reader:
            customer = answered(await reader.get("/v1.0/customer"))
        shown[permission] = [name for name in ("webhook_uri", "webhook_secret") if name in customer]
    assert shown == {32: ["webhook_uri", "webhook_secret"], 64: ["webhook_uri"], 256: [], 512: []}


async def test_a_refused_url_is_quoted_without_what_opens_it(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"uri": "https://user:canary@crm.company.example/"})
    refused(answer, 400, "INVALID_ARGUMENT", "https://***@crm.company.example/")
    assert "canary" not in answer.text
