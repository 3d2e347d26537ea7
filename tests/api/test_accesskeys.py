"""Access keys: rotation, networks, permissions and the last use, over both stores."""

from typing import Any

import httpx
import pytest

from outdialer.api.auth import Principal, authenticate, hash_of, still_valid
from outdialer.api.errors import ApiError
from outdialer.api.http import Message, Request
from outdialer.domain.model import AccessKey
from outdialer.domain.permissions import ADMIN, OPERATOR, VIEWER
from outdialer.ports.directory import ApiStore
from outdialer.ports.store import StoreUnavailable
from tests.api.conftest import OTHER_CUSTOMER, World, answered, created, over_both_stores, refused

pytestmark = over_both_stores
PATH = "/v1.0/accesskeys"
SECOND = 1_000_000


def carrying(token: str, address: str = "192.0.2.9") -> Request:
    """A request that carries one token and comes from one place."""

    async def nothing() -> Message:
        raise AssertionError("nobody reads its body")

    headers = [(b"authorization", f"Bearer {token}".encode())]
    return Request({"client": (address, 1), "headers": headers, "query_string": b""}, nothing, 0)


async def opens(world: World, token: str) -> bool:
    async with world.anonymous({"Authorization": f"Bearer {token}"}) as holder:
        response = await holder.get("/v1.0/campaigns")
    if response.status_code != 200:
        refused(response, 401, "INVALID_CREDENTIALS")
    return response.status_code == 200


async def rotated(client: httpx.AsyncClient, key: dict[str, Any], **body: Any) -> dict[str, Any]:
    return answered(await client.post(f"{PATH}/{key['id']}/rotate", json=body))


async def test_the_old_token_works_until_its_grace_is_over(world: World, client: httpx.AsyncClient) -> None:
    key = await created(client, PATH, name="importer")
    new = await rotated(client, key, grace=60)
    assert (new["id"], new["name"]) == (key["id"], "importer")
    assert new["token"].startswith(new["token_prefix"])
    assert new["token"] != key["token"]
    assert await opens(world, key["token"])
    assert await opens(world, new["token"])
    world.clock.at += 60 * SECOND
    assert not await opens(world, key["token"])
    assert await opens(world, new["token"])


async def test_without_a_grace_the_old_token_ends_at_once(world: World, client: httpx.AsyncClient) -> None:
    key = await created(client, PATH)
    new = await rotated(client, key, grace=0)
    assert new["tm_old_expire"] is None
    assert not await opens(world, key["token"])
    assert await opens(world, new["token"])


async def test_two_tokens_live_at_most(world: World, client: httpx.AsyncClient) -> None:
    first = await created(client, PATH)
    second = await rotated(client, first)
    third = await rotated(client, first)
    assert [await opens(world, key["token"]) for key in (first, second, third)] == [False, True, True]
    answered(await client.delete(f"{PATH}/{first['id']}"))
    assert [await opens(world, key["token"]) for key in (first, second, third)] == [False] * 3
    refused(await client.post(f"{PATH}/{first['id']}/rotate", json={}), 409, "STATE_INVALID")


async def test_a_day_is_the_grace_that_nobody_names_and_the_end_stays(client: httpx.AsyncClient) -> None:
    key = await created(client, PATH, expire=90_000)
    new = await rotated(client, key)
    assert new["tm_expire"] == key["tm_expire"]
    assert new["tm_old_expire"] > key["tm_create"]
    assert (await rotated(client, key, expire=180_000))["tm_expire"] > key["tm_expire"]
    for grace in (-1, 2_592_001):
        refused(
            await client.post(f"{PATH}/{key['id']}/rotate", json={"grace": grace}), 400, "INVALID_ARGUMENT", "grace"
        )


async def test_of_two_rotations_at_once_one_wins(
    client: httpx.AsyncClient, store: ApiStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await created(client, PATH)
    found = await store.access_key(hash_of(key["token"]))
    assert found is not None
    stored, _ = found
    await rotated(client, key)

    async def as_it_was(*_: object) -> AccessKey:
        return stored

    monkeypatch.setattr(store, "access_key_of", as_it_was)
    refused(await client.post(f"{PATH}/{key['id']}/rotate", json={}), 409, "STATE_INVALID")


async def test_a_key_opens_nothing_from_elsewhere(world: World, client: httpx.AsyncClient, store: ApiStore) -> None:
    key = await created(client, PATH, allowed_ips=["192.0.2.7/24", "2001:db8::5"])
    assert key["allowed_ips"] == ["192.0.2.0/24", "2001:db8::5/128"]
    now = world.clock.now()
    assert not await opens(world, key["token"])
    for address in ("192.0.2.9", "2001:db8::5", "::ffff:192.0.2.250"):
        assert (await authenticate(carrying(key["token"], address), store, now)).address
    for address in ("192.0.3.1", "2001:db8::6", "", "nonsense"):
        with pytest.raises(ApiError, match="INVALID_CREDENTIALS"):
            await authenticate(carrying(key["token"], address), store, now)
    changed = answered(await client.put(f"{PATH}/{key['id']}", json={"allowed_ips": []}))
    assert changed["allowed_ips"] == []
    assert await opens(world, key["token"])
    for wrong in (["x"], ["192.0.2.0/33"], [""], ["host.example"]):
        refused(await client.post(PATH, json={"allowed_ips": wrong}), 400, "INVALID_ARGUMENT", "allowed_ips[0]")


async def test_a_key_may_do_what_it_is_given(world: World, client: httpx.AsyncClient) -> None:
    looking = await created(client, PATH, permission=VIEWER)
    assert looking["permission"] == VIEWER
    async with world.anonymous({"Authorization": f"Bearer {looking['token']}"}) as viewer:
        answered(await viewer.get("/v1.0/campaigns"))
        why = refused(await viewer.post("/v1.0/outplans", json={}), 403, "PERMISSION_DENIED")
        assert "is for super admin (1), owner (32), manager (64); this credential has permission 512." in why
        assert answered(await viewer.get("/v1.0/me"))["permission"] == VIEWER
    refused(await client.post(PATH, json={"permission": 3}), 400, "INVALID_ARGUMENT", "permission")


async def test_nobody_makes_or_takes_over_a_key_above_its_own(world: World, client: httpx.AsyncClient) -> None:
    mighty = await created(client, PATH)
    admin = await created(client, PATH, permission=ADMIN)
    async with world.anonymous({"Authorization": f"Bearer {admin['token']}"}) as owner:
        assert (await created(owner, PATH))["permission"] == ADMIN
        assert (await created(owner, PATH, permission=OPERATOR))["permission"] == OPERATOR
        refused(await owner.post(PATH, json={"permission": 33}), 400, "INVALID_ARGUMENT")
        refused(await owner.post(PATH, json={"permission": 65535}), 403, "PERMISSION_DENIED")
        refused(await owner.post(f"{PATH}/{mighty['id']}/rotate", json={}), 403, "PERMISSION_DENIED")
        refused(await owner.put(f"{PATH}/{mighty['id']}", json={"allowed_ips": []}), 403, "PERMISSION_DENIED")
        refused(await owner.delete(f"{PATH}/{mighty['id']}"), 403, "PERMISSION_DENIED")
    tenant = world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"})
    async with tenant:
        assert (await created(tenant, PATH))["permission"] == ADMIN


async def test_the_last_use_is_kept_to_the_minute(world: World, client: httpx.AsyncClient) -> None:
    key = await created(client, PATH)
    assert key["tm_last_use"] is None
    seen = []
    for seconds in (0, 30, 31):
        world.clock.at += seconds * SECOND
        assert await opens(world, key["token"])
        seen.append(answered(await client.get(f"{PATH}/{key['id']}"))["tm_last_use"])
    assert seen[0] == seen[1] < seen[2]


async def test_an_open_connection_learns_that_its_credential_has_ended(
    world: World, client: httpx.AsyncClient, store: ApiStore
) -> None:
    async def principal(token: str) -> Principal:
        return await authenticate(carrying(token), store, world.clock.now())

    async def valid(who: Principal) -> bool:
        return await still_valid(who, store, world.clock.now())

    key = await created(client, PATH)
    old = await principal(key["token"])
    assert await valid(old)
    new = await principal((await rotated(client, key, grace=60))["token"])
    assert [await valid(old), await valid(new)] == [True, True]
    world.clock.at += 60 * SECOND
    assert [await valid(old), await valid(new)] == [False, True]
    answered(await client.put(f"{PATH}/{key['id']}", json={"allowed_ips": ["192.0.2.10"]}))
    assert not await valid(new)
    answered(await client.put(f"{PATH}/{key['id']}", json={"allowed_ips": ["192.0.2.9"]}))
    assert await valid(new)
    answered(await client.delete(f"{PATH}/{key['id']}"))
    assert not await valid(new)


async def _logged_in(world: World, store: ApiStore, username: str) -> Principal:
    async with world.anonymous() as stranger:
        login = await stranger.post("/auth/login", json={"username": username, "password": "correct horse"})
    return await authenticate(carrying(answered(login)["token"]), store, world.clock.now())


@pytest.mark.parametrize("end", ["password", "permission", "delete", "time"])
async def test_what_ends_the_tokens_of_an_agent(
    world: World, client: httpx.AsyncClient, store: ApiStore, end: str
) -> None:
    body = {"username": "ada@clinic.example", "password": "correct horse", "permission": 64}
    agent = await created(client, "/v1.0/agents", **body)
    who = await _logged_in(world, store, "ada@clinic.example")
    assert await still_valid(who, store, world.clock.now())
    one = f"/v1.0/agents/{agent['id']}"
    if end == "password":
        answered(await client.put(f"{one}/password", json={"password": "another"}))
    elif end == "permission":
        answered(await client.put(f"{one}/permission", json={"permission": 16}))
    elif end == "delete":
        answered(await client.delete(one))
    else:
        world.clock.at += 7 * 86_400 * SECOND
    assert not await still_valid(who, store, world.clock.now())


async def test_a_use_that_cannot_be_written_down_refuses_nobody(
    world: World, store: ApiStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("disk full")

    token = await world.key()
    monkeypatch.setattr(store, "note_access_key_use", away)
    assert await opens(world, token)
