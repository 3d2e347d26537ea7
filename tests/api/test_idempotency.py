"""A request that comes again has one effect and the same answer."""

import asyncio
import hashlib
import json
from typing import Any

import httpx
import pytest

from outdialer.api.idempotency import HEADER, REPLAYED, Once
from outdialer.api.operations import Operation
from outdialer.api.wire import parse_time
from outdialer.domain.units import MICROSECONDS_PER_SECOND
from outdialer.ports.directory import ApiStore
from outdialer.ports.idempotency import KeptAnswer, Reservation
from outdialer.ports.store import Page, StoreUnavailable
from tests.api.conftest import (
    CUSTOMER,
    OTHER_CUSTOMER,
    World,
    answered,
    application,
    created,
    over_both_stores,
    refused,
)
from tests.api.fakes import MemoryStore
from tests.api.stock import one_of
from tests.api.test_routes import OPERATIONS, path_of

pytestmark = over_both_stores
POSTS = [operation for operation in OPERATIONS if operation.idempotent]
TOLD_PLAINLY = False, False
"""The application that is not live and tells times as they are."""
GIGABYTE = 1_000_000_000
DAY_US = 86_400 * MICROSECONDS_PER_SECOND
KEY = {HEADER: "5b1f8c0e-6c1d-4a57-9f0e-3f4a2f6a9b11"}
TAGS = "/v1.0/tags"
every_post = pytest.mark.parametrize("operation", POSTS, ids=lambda operation: operation.name)


class Forgetful:
    """A store whose server dies before it has written an answer down: ``dead`` answers are lost."""

    def __init__(self, store: ApiStore) -> None:
        self._store = store
        self.dead = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def keep_answer(self, customer: int, reserved: Reservation, answer: KeptAnswer) -> None:
        if self.dead:
            self.dead -= 1
            raise StoreUnavailable("the server died")
        await self._store.keep_answer(customer, reserved, answer)


def same(first: httpx.Response, second: httpx.Response) -> None:
    """The same answer, but for the name of the request."""
    assert (first.status_code, _named("", first)) == (second.status_code, _named("", second))
    assert first.headers.get("etag") == second.headers.get("etag")


def _named(name: str, response: httpx.Response) -> Any:
    document = response.json()
    if "error" in document:
        assert document["error"]["request_id"] == response.headers["x-request-id"]
        document["error"]["request_id"] = name
    return document


async def _path(operation: Operation, client: httpx.AsyncClient, store: ApiStore) -> str | None:
    if operation.tag in ("calls", "activeflows") and not isinstance(store, MemoryStore):
        return None
    return path_of(operation, ids=await one_of(client, store, operation.tag))


@every_post
async def test_twice_is_once(client: httpx.AsyncClient, store: ApiStore, operation: Operation) -> None:
    path = await _path(operation, client, store)
    if path is None:
        return
    first = await client.post(path, json=operation.example or {}, headers=KEY)
    events = await store.newest_event()
    second = await client.post(path, json=operation.example or {}, headers=KEY)
    same(first, second)
    assert await store.newest_event() == events
    assert (REPLAYED in first.headers, second.headers.get(REPLAYED)) == (False, "true")


@every_post
async def test_a_death_between_effect_and_answer(world: World, store: ApiStore, operation: Operation) -> None:
    forgetful = Forgetful(store)
    world.store = forgetful
    async with await world.client() as client:
        path = await _path(operation, client, store)
        if path is None:
            return
        answers = [await client.post(path, json=operation.example or {}, headers=KEY)]
        events = await store.newest_event()
        answers += [await client.post(path, json=operation.example or {}, headers=KEY) for _ in range(2)]
    same(answers[0], answers[1])
    same(answers[0], answers[2])
    assert await store.newest_event() == events
    assert [REPLAYED in answer.headers for answer in answers] == [False, False, True]


async def test_a_hundred_at_once_have_one_effect(client: httpx.AsyncClient, store: ApiStore) -> None:
    sent = [client.post(TAGS, json={"name": "a"}, headers=KEY) for _ in range(100)]
    answers = await asyncio.gather(*sent)
    assert len({answer.content for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert sum(REPLAYED in answer.headers for answer in answers) == 99
    assert len(answered(await client.get(TAGS))["result"]) == 1


async def test_targets_in_bulk_come_once(client: httpx.AsyncClient, world: World, store: ApiStore) -> None:
    outdial = await created(client, "/v1.0/outdials")
    path = f"/v1.0/outdials/{outdial['id']}/targets/bulk"
    rows = [{"destination_0": {"target": f"+1202555{n:04d}"}} for n in range(300)] + [{"name": "nobody"}]
    world.store = Forgetful(store)
    answers = [answered(await client.post(path, json={"targets": rows}, headers=KEY)) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    stored = [row.id for row in await store.targets(CUSTOMER, bytes.fromhex(outdial["id"].replace("-", "")), Page(400))]
    assert len(stored) == 300


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (TAGS, {"name": "b"}, ["another body"]),
        ("/v1.0/flows", {"name": "a"}, ["POST /v1.0/tags"]),
    ],
)
async def test_another_request_with_the_key(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], words: list[str]
) -> None:
    await client.post(TAGS, json={"name": "a"}, headers=KEY)
    refused(await client.post(path, json=body, headers=KEY), 409, "IDEMPOTENCY_KEY_REUSED", *words)
    same_again = await client.post(TAGS, json={"name": "a"}, headers=KEY)
    assert same_again.headers[REPLAYED] == "true"


async def test_customers_do_not_share_keys(world: World, client: httpx.AsyncClient) -> None:
    mine = await client.post(TAGS, json={"name": "a"}, headers=KEY)
    async with world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}) as other:
        theirs = await other.post(TAGS, json={"name": "b"}, headers=KEY)
    assert REPLAYED not in theirs.headers
    assert answered(theirs)["id"] != answered(mine)["id"]
    assert answered(theirs)["customer_id"] != answered(mine)["customer_id"]


async def test_another_key_of_the_customer_gets_the_same_answer(world: World, client: httpx.AsyncClient) -> None:
    first = await client.post(TAGS, json={"name": "a"}, headers=KEY)
    async with world.anonymous({"Authorization": f"Bearer {await world.key()}"}) as other:
        same(first, await other.post(TAGS, json={"name": "a"}, headers=KEY))


async def test_after_a_day_it_is_a_new_request(world: World, client: httpx.AsyncClient) -> None:
    path = "/v1.0/accesskeys"
    first = answered(await client.post(path, json={}, headers=KEY))
    world.clock.at += DAY_US - 60_000_000
    assert answered(await client.post(path, json={}, headers=KEY)) == first
    world.clock.at += 61_000_000
    second = answered(await client.post(path, json={}, headers=KEY))
    assert second["id"] != first["id"]
    assert second["token"] != first["token"]


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_secret_is_made_again_and_kept_nowhere(
    world: World, client: httpx.AsyncClient, store: ApiStore, lost: int
) -> None:
    forgetful = Forgetful(store)
    forgetful.dead = lost
    world.store = forgetful
    path = "/v1.0/accesskeys"
    first = await client.post(path, json={"name": "importer"}, headers=KEY)
    async with world.anonymous({"Authorization": f"Bearer {await world.key()}"}) as other:
        stranger = await other.post(path, json={"name": "importer"}, headers=KEY)
        refused(stranger, 409, "IDEMPOTENCY_KEY_REUSED", "secret")
    again = await client.post(path, json={"name": "importer"}, headers=KEY)
    third = await client.post(path, json={"name": "importer"}, headers=KEY)
    assert answered(first) == answered(again) == answered(third)
    assert third.headers["cache-control"] == "no-store"
    async with world.anonymous({"Authorization": f"Bearer {answered(again)['token']}"}) as made:
        answered(await made.get(TAGS))
    if isinstance(store, MemoryStore):
        assert answered(first)["token"] not in repr(store.requests)


async def test_what_is_kept_of_a_secret_is_sealed(client: httpx.AsyncClient, store: ApiStore) -> None:
    path = "/v1.0/accesskeys"
    made = await client.post(path, json={"name": "importer"}, headers=KEY)
    name = hashlib.sha256(KEY[HEADER].encode()).digest()
    asked = Reservation(name=name, request="", fingerprint=b"", credential=b"", at=made_at(made))
    held = await store.reserve_request(CUSTOMER, asked, GIGABYTE)
    assert held.answer is not None
    assert len(held.answer.body) == len(made.content)
    for known in (answered(made)["token"], "importer", "token"):
        assert known.encode() not in held.answer.body
    assert (await client.post(path, json={"name": "importer"}, headers=KEY)).content == made.content


def made_at(response: httpx.Response) -> int:
    return parse_time(response.json()["tm_create"])


async def test_a_refused_request_may_be_corrected(client: httpx.AsyncClient) -> None:
    for bad in ({"routing_method": "best"}, {"name": 5}):
        assert (await client.post("/v1.0/queues", json=bad, headers=KEY)).status_code == 400
    answered(await client.post("/v1.0/queues", json={}, headers=KEY))


async def test_an_answer_of_the_state_is_kept(client: httpx.AsyncClient) -> None:
    extension = {"extension": "2001", "password": "x"}
    made = await created(client, "/v1.0/extensions", **extension)
    first = await client.post("/v1.0/extensions", json=extension, headers=KEY)
    refused(first, 409, "NAME_ALREADY_EXISTS")
    answered(await client.delete(f"/v1.0/extensions/{made['id']}"))
    same(first, await client.post("/v1.0/extensions", json=extension, headers=KEY))


async def test_a_failure_is_not_kept_and_leaves_one_effect(world: World, client: httpx.AsyncClient) -> None:
    store = world.store

    class Failing:
        failures = 1

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def create_entry(self, customer: int, entry: Any) -> Any:
            made = await store.create_entry(customer, entry)
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("the acknowledgement was lost")
            return made

    world.store = Failing()
    refused(await client.post(TAGS, json={"name": "a"}, headers=KEY), 503, "SERVICE_UNAVAILABLE")
    answered(await client.post(TAGS, json={"name": "a"}, headers=KEY))
    assert len(answered(await client.get(TAGS))["result"]) == 1


@pytest.mark.parametrize("key", [b"", b"a b", b"x" * 256, "é".encode(), b"\x7f", b"a\tb"])
async def test_keys_that_cannot_be_read(client: httpx.AsyncClient, key: bytes) -> None:
    response = await client.post(TAGS, json={}, headers={HEADER.encode(): key})
    refused(response, 400, "INVALID_REQUEST_PARAMETER", HEADER, "255")


async def test_two_keys_are_none(client: httpx.AsyncClient) -> None:
    response = await client.post(TAGS, json={}, headers=[(HEADER, "a"), (HEADER, "b")])
    refused(response, 400, "INVALID_REQUEST_PARAMETER", HEADER)


@pytest.mark.parametrize("key", ["a", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "!~"])
async def test_keys_that_can_be_read(client: httpx.AsyncClient, key: str) -> None:
    answers = [answered(await client.post(TAGS, json={}, headers={HEADER: key})) for _ in range(2)]
    assert answers[0] == answers[1]


async def test_without_a_key_nothing_is_remembered(client: httpx.AsyncClient, store: ApiStore) -> None:
    made = [await created(client, TAGS, name="a") for _ in range(2)]
    assert made[0]["id"] != made[1]["id"]
    if isinstance(store, MemoryStore):
        assert store.requests == {}


async def test_bytes_of_the_body_decide(client: httpx.AsyncClient) -> None:
    document = {"name": "a", "detail": "b"}
    await client.post(TAGS, content=json.dumps(document), headers=KEY)
    spaced = await client.post(TAGS, content=json.dumps(document, indent=1), headers=KEY)
    refused(spaced, 409, "IDEMPOTENCY_KEY_REUSED")


async def test_a_rotation_that_runs_again_leaves_the_old_token_its_grace(
    world: World, client: httpx.AsyncClient, store: ApiStore
) -> None:
    made = await created(client, "/v1.0/accesskeys", name="importer")
    world.store = Forgetful(store)
    path = f"/v1.0/accesskeys/{made['id']}/rotate"
    rotated = [answered(await client.post(path, json={"grace": 3_600}, headers=KEY)) for _ in range(2)]
    assert rotated[0] == rotated[1]
    for token in (made["token"], rotated[0]["token"]):
        async with world.anonymous({"Authorization": f"Bearer {token}"}) as either:
            answered(await either.get(TAGS))


async def test_a_customer_keeps_so_much_and_no_more(
    world: World, client: httpx.AsyncClient, store: ApiStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await client.post(TAGS, json={"name": "a"}, headers=KEY)
    monkeypatch.setattr(application(*TOLD_PLAINLY), "_once", Once(store, 2_000))
    names = ["b", "c", "d", "e", "f"]
    answers = [await client.post(TAGS, json={"name": name}, headers={HEADER: name}) for name in names]
    codes = [answer.status_code for answer in answers]
    assert codes == sorted(codes)
    assert {codes[0], codes[-1]} == {200, 429}
    refused(answers[-1], 429, "RESOURCE_LIMIT_EXCEEDED", HEADER, "nothing has been done")
    same(first, await client.post(TAGS, json={"name": "a"}, headers=KEY))
    answered(await client.post(TAGS, json={"name": "g"}))
    made = answered(await client.get(TAGS))["result"]
    assert sorted(row["name"] for row in made) == ["a", *names[: codes.count(200)], "g"]
    async with world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}) as other:
        answered(await other.post(TAGS, json={"name": "h"}, headers=KEY))
