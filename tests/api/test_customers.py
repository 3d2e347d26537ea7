"""Tenants: how they come, what they see, and how they go; over both stores."""

from typing import Any

import httpx
import pytest

from outdialer.api.auth import authenticate, still_valid
from outdialer.ports.directory import ApiStore
from outdialer.ports.store import Conflict
from tests.api.conftest import OTHER_CUSTOMER, World, answered, created, over_both_stores, refused
from tests.api.test_accesskeys import carrying

pytestmark = over_both_stores
PATH = "/v1.0/customers"
DAY = 86_400_000_000
OWNER = {"username": "owner@clinic.example", "password": "correct horse"}


def as_holder(world: World, made: dict[str, Any]) -> httpx.AsyncClient:
    return world.anonymous({"Authorization": f"Bearer {made['accesskey']['token']}"})


async def test_a_customer_comes_with_a_key_that_opens_its_own_books_alone(
    world: World, client: httpx.AsyncClient
) -> None:
    mine = await created(client, "/v1.0/outplans", name="mine")
    made = await created(client, PATH, name="Clinic", email="office@clinic.example")
    assert made["status"] == "active"
    assert made["accesskey"]["customer_id"] == made["id"]
    assert made["accesskey"]["permission"] == 32
    async with as_holder(world, made) as tenant:
        assert answered(await tenant.get("/v1.0/customer"))["name"] == "Clinic"
        assert answered(await tenant.get("/v1.0/outplans"))["result"] == []
        refused(await tenant.get(f"/v1.0/outplans/{mine['id']}"), 404, "OUTPLAN_NOT_FOUND")
        refused(await tenant.get(PATH), 403, "PERMISSION_DENIED")
        theirs = await created(tenant, "/v1.0/outplans", name="theirs")
    refused(await client.get(f"/v1.0/outplans/{theirs['id']}"), 404, "OUTPLAN_NOT_FOUND")
    again = answered(await client.get(f"{PATH}/{made['id']}"))
    assert "accesskey" not in again
    assert again["name"] == "Clinic"
    assert world.customers_added == [int(made["id"][-12:], 16)]


async def test_a_customer_comes_with_an_admin(world: World, client: httpx.AsyncClient) -> None:
    made = await created(client, PATH, name="Clinic", accesskey=False, **OWNER)
    assert "accesskey" not in made
    async with world.anonymous() as stranger:
        token = answered(await stranger.post("/auth/login", json=OWNER))["token"]
    async with world.anonymous({"Authorization": f"Bearer {token}"}) as owner:
        me = answered(await owner.get("/v1.0/me"))
        assert (me["customer_id"], me["permission"]) == (made["id"], 32)
        answered(await owner.post("/v1.0/accesskeys", json={}))
    known = len(answered(await client.get(PATH))["result"])
    refused(await client.post(PATH, json=OWNER), 409, "AGENT_ALREADY_EXISTS")
    refused(await client.post(PATH, json={**OWNER, "username": "x"}), 400, "INVALID_USERNAME_FORMAT", "username")
    refused(await client.post(PATH, json={**OWNER, "password": ""}), 400, "INVALID_ARGUMENT", "password")
    refused(await client.post(PATH, json={"accesskey": False}), 400, "INVALID_ARGUMENT", "accesskey")
    refused(await client.post(PATH, json={"email": "x"}), 400, "INVALID_ARGUMENT", "email")
    assert len(answered(await client.get(PATH))["result"]) == known


async def test_customers_are_listed_in_pages_and_changed(client: httpx.AsyncClient) -> None:
    made = [await created(client, PATH, name=str(number)) for number in range(3)]
    first = answered(await client.get(f"{PATH}?page_size=2"))
    assert [row["id"] for row in first["result"]] == [made[2]["id"], made[1]["id"]]
    rest = answered(await client.get(f"{PATH}?page_size=100&page_token={first['next_page_token']}"))
    assert rest["result"][0]["name"] == "0"
    one = f"{PATH}/{made[0]['id']}"
    read = await client.get(one)
    changed = await client.put(one, json={"name": "new"}, headers={"If-Match": read.headers["etag"]})
    assert answered(changed)["name"] == "new"
    stale = await client.put(one, json={"name": "old"}, headers={"If-Match": read.headers["etag"]})
    refused(stale, 412, "VERSION_MISMATCH")
    for unknown in ("00000000-0000-8000-8000-00000000ffff", "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"):
        for method in ("GET", "PUT", "DELETE"):
            refused(await client.request(method, f"{PATH}/{unknown}", json={}), 404, "CUSTOMER_NOT_FOUND")


async def _running(tenant: httpx.AsyncClient) -> str:
    outplan = await created(tenant, "/v1.0/outplans")
    outdial = await created(tenant, "/v1.0/outdials")
    ids = {"outplan_id": outplan["id"], "outdial_id": outdial["id"]}
    campaign = await created(tenant, "/v1.0/campaigns", **ids, end_handle="continue", actions=[{"type": "beep"}])
    path = f"/v1.0/campaigns/{campaign['id']}"
    assert answered(await tenant.put(f"{path}/status", json={"status": "run"}))["status"] == "run"
    return path


async def test_a_frozen_customer_dials_nobody_and_can_only_come_back(
    world: World, client: httpx.AsyncClient, store: ApiStore
) -> None:
    made = await created(client, PATH, name="Clinic", **OWNER)
    key = int(made["id"][-12:], 16)
    async with as_holder(world, made) as tenant:
        campaign = await _running(tenant)
        stays_open = await authenticate(carrying(made["accesskey"]["token"]), store, world.clock.now())
        frozen = answered(await client.delete(f"{PATH}/{made['id']}"))
        assert (frozen["status"], frozen["tm_delete"]) == ("frozen", None)
        again = answered(await client.delete(f"{PATH}/{made['id']}"))
        assert again["tm_deletion_scheduled"] == frozen["tm_deletion_scheduled"]
        assert not await still_valid(stays_open, store, world.clock.now())
        response = await tenant.get(campaign)
        error = response.json()["error"]
        assert (response.status_code, error["reason"], error["status"]) == (
            403,
            "ACCOUNT_FROZEN",
            "PERMISSION_DENIED",
        )
        (facts,) = error["details"]
        assert facts["deletion_scheduled_at"] == frozen["tm_deletion_scheduled"]
        assert facts["deletion_effective_at"] > facts["deletion_scheduled_at"]
        method, path = facts["recovery_endpoint"].split()
        with pytest.raises(Conflict):
            await store.order_run(key, bytes.fromhex(campaign[-36:].replace("-", "")), world.clock.now())
        assert answered(await tenant.request(method, path))["status"] == "active"
        assert answered(await tenant.get(campaign))["status"] == "stop"


async def test_after_thirty_days_nothing_opens_the_books(world: World, client: httpx.AsyncClient) -> None:
    made = await created(client, PATH, name="Clinic", **OWNER)
    one = f"{PATH}/{made['id']}"
    async with as_holder(world, made) as tenant:
        answered(await client.delete(one))
        world.clock.at += 29 * DAY
        assert answered(await client.post(f"{one}/recover"))["status"] == "active"
        answered(await client.delete(one))
        world.clock.at += 31 * DAY
        refused(await tenant.get("/v1.0/campaigns"), 401, "INVALID_CREDENTIALS")
        refused(await tenant.delete("/auth/unregister"), 401, "INVALID_CREDENTIALS")
    async with world.anonymous() as stranger:
        login = await stranger.post("/auth/login", json=OWNER)
    assert (login.status_code, login.content) == (400, b"")
    assert answered(await client.get(one))["status"] == "deleted"
    refused(await client.post(f"{one}/recover"), 409, "STATE_INVALID")


async def test_the_customer_that_runs_the_installation_stays(client: httpx.AsyncClient) -> None:
    own = answered(await client.get("/v1.0/customer"))["id"]
    refused(await client.delete(f"{PATH}/{own}"), 409, "STATE_INVALID")
    refused(await client.post("/auth/unregister", json={"confirmation_phrase": "DELETE"}), 409, "STATE_INVALID")


async def test_a_customer_leaves_itself(world: World, client: httpx.AsyncClient) -> None:
    path = "/auth/unregister"
    async with world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}) as tenant:
        for body in (
            {},
            {"confirmation_phrase": "delete"},
            {"password": "x"},
            {"confirmation_phrase": "DELETE", "immediate": True},
        ):
            refused(await tenant.post(path, json=body), 400, "INVALID_ARGUMENT")
        assert answered(await tenant.post(path, json={"confirmation_phrase": "DELETE"}))["status"] == "frozen"
        refused_again = await tenant.post(path, json={"confirmation_phrase": "DELETE"})
        assert refused_again.json()["error"]["reason"] == "ACCOUNT_FROZEN"
        assert answered(await tenant.delete(path))["status"] == "active"
    made = await created(client, PATH, accesskey=False, **OWNER)
    async with world.anonymous() as stranger:
        token = answered(await stranger.post("/auth/login", json=OWNER))["token"]
    async with world.anonymous({"Authorization": f"Bearer {token}"}) as owner:
        refused(await owner.post(path, json={"password": "wrong"}), 400, "INVALID_ARGUMENT")
        assert answered(await owner.post(path, json={"password": OWNER["password"]}))["id"] == made["id"]
