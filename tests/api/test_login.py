"""Logging in: what comes back, and that nothing is learned from what does not."""

import asyncio
import json
import re

import httpx
import pytest

from outdialer.api.errors import ApiError
from outdialer.api.passwords import LOGGING_IN, MOST_LOGINS, MOST_OF_CUSTOMER, Passwords
from tests.api.conftest import World, answered, created

LOGIN = {"username": "ada@clinic.example", "password": "correct horse"}
PATH = "/auth/login"
FAILURES = [
    json.dumps({**LOGIN, "password": "wrong"}),
    json.dumps({**LOGIN, "username": "nobody@clinic.example"}),
    json.dumps({**LOGIN, "username": "x" * 300}),
    json.dumps({**LOGIN, "password": "x" * 2_000}),
    json.dumps({**LOGIN, "password": ""}),
    json.dumps({**LOGIN, "password": None}),
    json.dumps({**LOGIN, "password": 5}),
    json.dumps({"username": LOGIN["username"]}),
    "{}",
    "[]",
    "",
    "{",
    '{"username": "a", "username": "b", "password": "c"}',
    '{"username": "\\ud800", "password": "c"}',
]


@pytest.fixture
async def ada(client: httpx.AsyncClient) -> str:
    return str((await created(client, "/v1.0/agents", **LOGIN, permission=64))["id"])


async def test_a_token_for_seven_days_in_the_answer_and_in_the_cookie(world: World, ada: str) -> None:
    async with world.anonymous() as stranger:
        response = await stranger.post(PATH, json={**LOGIN, "username": " Ada@Clinic.Example "})
        token = answered(response)["token"]
        assert answered(response) == {"username": "ada@clinic.example", "token": token}
        cookie, *attributes = response.headers["set-cookie"].split("; ")
        assert cookie == f"token={token}"
        assert sorted(attributes) == ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Strict", "Secure"]
        assert response.headers["cache-control"] == "no-store"
        headers = {"Cookie": f"token={token}"}
        assert answered(await stranger.get("/v1.0/me", headers=headers))["id"] == ada
        world.clock.at += 604_799_000_000
        assert answered(await stranger.get("/v1.0/me", headers=headers))["id"] == ada
        world.clock.at += 1_000_000
        assert (await stranger.get("/v1.0/me", headers=headers)).status_code == 401


@pytest.mark.parametrize("body", FAILURES, ids=range(len(FAILURES)))
async def test_every_failure_is_400_with_nothing_in_it(world: World, ada: str, body: str) -> None:
    async with world.anonymous() as stranger:
        response = await stranger.post(PATH, content=body)
    assert (response.status_code, response.content) == (400, b"")
    assert "set-cookie" not in response.headers


async def test_an_unknown_username_costs_as_much_as_a_wrong_password(
    world: World, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    real = Passwords._fits

    def noting(self: Passwords, kept: str | None, password: str) -> bool:
        asked.append(kept is not None)
        return real(self, kept, password)

    monkeypatch.setattr(Passwords, "_fits", noting)
    async with world.anonymous() as stranger:
        await stranger.post(PATH, json={**LOGIN, "password": "wrong"})
        await stranger.post(PATH, json={**LOGIN, "username": "nobody@clinic.example"})
    assert asked == [True, False], "both compute one hash"


@pytest.mark.parametrize("path", ["login", "boot", "signup", "unregister", "x"])
async def test_below_the_prefix_there_are_decoys_alone(client: httpx.AsyncClient, ada: str, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        response = await client.request(method, f"/v1.0/auth/{path}", json=LOGIN)
        assert response.status_code == 404
        assert response.json()["error"]["reason"] == "ROUTE_NOT_FOUND"


async def test_a_token_is_for_nothing_but_what_it_is(world: World, ada: str) -> None:
    async with world.anonymous() as stranger:
        token = answered(await stranger.post(PATH, json=LOGIN))["token"]
        head, claims, signature = token.split(".")
        none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
        for forged in (f"{none}.{claims}.", f"{head}.{claims}.", f"{head}.{claims[:-2]}AA.{signature}", token + "A"):
            response = await stranger.get("/v1.0/me", headers={"Authorization": f"Bearer {forged}"})
            assert response.status_code == 401, forged
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)


@pytest.mark.parametrize(("customer", "most"), [(7, MOST_OF_CUSTOMER), (LOGGING_IN, MOST_LOGINS)])
async def test_nobody_makes_all_others_wait_with_passwords(customer: int, most: int) -> None:
    passwords = Passwords(time_cost=1, memory_kib=8, parallelism=1)
    asked = [passwords.fits(None, "x", customer) for _ in range(most + 3)]
    *found, other = await asyncio.gather(*asked, passwords.hash("x", 8), return_exceptions=True)
    refused = [one for one in found if isinstance(one, ApiError)]
    assert (len(refused), found.count(False)) == (3, most)
    assert {one.reason for one in refused} == {"RATE_LIMIT_EXCEEDED"}
    assert refused[0].headers == {"Retry-After": "1"}
    assert isinstance(other, str), "another customer is served"
    assert not await passwords.fits(None, "x", customer), "and so is this one, later"
