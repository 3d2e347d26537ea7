"""The websocket, over a real server and a real client."""

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from outdialer.api.events.follower import Ending
from outdialer.api.wire import Wire
from outdialer.domain.directory import Tag
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER, over_both_stores
from tests.api.events.conftest import Served, made
from tests.api.fakes import START, MemoryStore

PATHS = ("/v1.0/ws", "/v1.0/service_agents/ws")
OTHER = f"customer_id:{Wire(OTHER_CUSTOMER).customer_id}"


async def subscribe(socket: ClientConnection, *topics: str, kind: str = "subscribe") -> None:
    """Subscribe, and wait until the server has read it: what a client sends is read in order."""
    await socket.send(json.dumps({"type": kind, "topics": topics}))
    await (await socket.ping())


async def frame(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with suppress(ConnectionClosedError):
        async for _ in socket:
            pass
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


@over_both_stores
@pytest.mark.parametrize("path", PATHS)
async def test_bare_objects_come_once(served: Served, token: str, path: str) -> None:
    async with connect(served.url(path, "ws", token=token)) as socket:
        await subscribe(socket, f"{served.customer}:tag", f"{served.customer}:tag:tag_created", served.customer)
        first = await made(served, token, "/v1.0/tags", name="a")
        second = await made(served, token, "/v1.0/tags", name="b")
        assert [await frame(socket), await frame(socket)] == [first, second]


async def test_a_key_or_a_token_may_stand_in_any_slot(served: Served, token: str) -> None:
    await made(served, token, "/v1.0/agents", username="a@b.example", password="x", permission=64)
    async with served.client(token) as client:
        login = await client.post("/auth/login", json={"username": "a@b.example", "password": "x"})
    for credential in (token, login.json()["token"]):
        for query in ({"token": credential}, {"accesskey": credential}):
            async with connect(served.url(PATHS[0], "ws", **query)) as socket:
                await subscribe(socket, served.customer)
        for headers in (
            {"Authorization": f"Bearer {credential}"},
            {"Cookie": f"token={credential}"},
            {"Cookie": f"accesskey={credential}"},
        ):
            async with connect(served.url(PATHS[0], "ws"), additional_headers=headers) as socket:
                await subscribe(socket, served.customer)


@pytest.mark.parametrize(("credential", "reason"), [("", "AUTHENTICATION_REQUIRED"), ("vb_no", "INVALID_CREDENTIALS")])
async def test_without_a_good_credential_the_handshake_is_refused(
    served: Served, caplog: pytest.LogCaptureFixture, credential: str, reason: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(served.url(PATHS[0], "ws", token=credential)).__aenter__()
    answer = refused.value.response
    assert answer.status_code == 401
    assert json.loads(answer.body or b"")["error"]["reason"] == reason
    assert not caplog.records, "strangers fill no log"


async def test_topics_decide(served: Served, token: str) -> None:
    kept = await made(served, token, "/v1.0/tags", name="kept")
    async with connect(served.url(PATHS[0], "ws", token=token)) as socket:
        await subscribe(socket, f"{served.customer}:tag:tag_deleted", f"{served.customer}:flow:{'0' * 8}")
        await made(served, token, "/v1.0/flows", name="not told")
        async with served.client(token) as client:
            await client.put(f"/v1.0/tags/{kept['id']}", json={"name": "not told"})
            gone = (await client.delete(f"/v1.0/tags/{kept['id']}")).json()
        assert await frame(socket) == gone
        await subscribe(socket, f"{served.customer}:tag:tag_deleted", kind="unsubscribe")
        await subscribe(socket, f"{served.customer}:outplan")
        other = await made(served, token, "/v1.0/tags")
        async with served.client(token) as client:
            await client.delete(f"/v1.0/tags/{other['id']}")
        outplan = await made(served, token, "/v1.0/outplans")
        assert (await frame(socket))["id"] == outplan["id"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", '{"type": "subscribe"}', '{"type": "subscribe", "topics": "x"}', '{"type": 1, "topics": []}',
     '{"type": "dance", "topics": ["x"]}', "\u00e9", "[" * 10_000,
     '{"type": "subscribe", "topics": ' + "[" * 30_000 + "]" * 30_000 + "}"],
)  # fmt: skip
async def test_what_is_not_understood_is_ignored(served: Served, token: str, text: str) -> None:
    async with connect(served.url(PATHS[0], "ws", token=token)) as socket:
        await socket.send(text)
        await socket.send(text.encode())
        await subscribe(socket, served.customer)
        tag = await made(served, token, "/v1.0/tags")
        assert await frame(socket) == tag


@pytest.mark.parametrize(
    "topic",
    ["", "customer_id", "customer_id:", "*", 5, None, {}, OTHER, f"{OTHER}:call", "agent_id:x", "customer_id:x:call"],
)
async def test_a_topic_of_somebody_else_ends_the_connection(served: Served, token: str, topic: Any) -> None:
    async with connect(served.url(PATHS[0], "ws", token=token)) as socket:
        await socket.send(json.dumps({"type": "subscribe", "topics": [served.customer, topic]}))
        code, reason = await closed(socket)
        assert (code, "topic" in reason) == (1008, True)
    assert served.feed.followers_of(1) == 0


async def test_what_begins_like_ones_own_is_not_ones_own(served: Served, token: str) -> None:
    for topic in (f"{served.customer}0", f"{served.customer[:-1]}", f"{served.customer} "):
        async with connect(served.url(PATHS[0], "ws", token=token)) as socket:
            await socket.send(json.dumps({"type": "subscribe", "topics": [topic]}))
            assert (await closed(socket))[0] == 1008


async def test_customers_hear_nothing_of_each_other(served: Served, token: str) -> None:
    foreign = await served.world.key(OTHER_CUSTOMER)
    async with connect(served.url(PATHS[0], "ws", token=foreign)) as socket:
        await subscribe(socket, OTHER)
        await made(served, token, "/v1.0/tags", name="not yours")
        own = await made(served, foreign, "/v1.0/tags", name="yours")
        assert await frame(socket) == own


async def test_an_agent_follows_itself_and_nobody_else(served: Served, token: str) -> None:
    agent = await made(served, token, "/v1.0/agents", username="a@b.example", password="x", permission=16)
    own = f"agent_id:{agent['id']}"
    async with served.client(token) as client:
        login = await client.post("/auth/login", json={"username": "a@b.example", "password": "x"})
        credential = login.json()["token"]
        async with connect(served.url(PATHS[1], "ws", token=credential)) as socket:
            await socket.send(json.dumps({"type": "subscribe", "topics": [served.customer]}))
            assert (await closed(socket))[0] == 1008
        async with connect(served.url(PATHS[1], "ws", token=credential)) as socket:
            await subscribe(socket, f"{own}:agent:agent_status_updated")
            await made(served, token, "/v1.0/agents", username="c@b.example", password="x", permission=16)
            changed = await client.put(f"/v1.0/agents/{agent['id']}/status", json={"status": "available"})
            assert await frame(socket) == changed.json()


async def test_a_viewer_sees_no_number_and_no_secret_place(served: Served, token: str) -> None:
    await made(served, token, "/v1.0/agents", username="a@b.example", password="x", permission=512)
    async with served.client(token) as client:
        login = await client.post("/auth/login", json={"username": "a@b.example", "password": "x"})
    async with connect(served.url(PATHS[0], "ws", token=login.json()["token"])) as socket:
        await subscribe(socket, served.customer)
        await made(served, token, "/v1.0/extensions", extension="2001", password="x")
        await made(served, token, "/v1.0/outplans", source={"target": "+12025550123"})
        seen = await frame(socket)
        assert seen["source"]["target"] not in ("", "+12025550123")


async def test_the_server_says_good_bye(served: Served, token: str) -> None:
    async with connect(served.url(PATHS[0], "ws", token=token)) as socket:
        await subscribe(socket, served.customer)
        await served.feed.stop()
        code, reason = await closed(socket)
        assert (code, "stops" in reason) == (1012, True)


async def test_a_revoked_key_hears_nothing_more(served: Served, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdialer.api.events.welcome.ASK_EVERY_S", 0.0)
    key = await made(served, token, "/v1.0/accesskeys")
    async with connect(served.url(PATHS[0], "ws", token=key["token"])) as socket:
        await subscribe(socket, served.customer)
        async with served.client(token) as client:
            await client.delete(f"/v1.0/accesskeys/{key['id']}")
        await made(served, token, "/v1.0/tags")
        code, reason = await closed(socket)
        assert (code, "credential" in reason) == (1008, True)


async def test_who_reads_too_slowly_is_told_so(
    served: Served, store: MemoryStore, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdialer.api.events.follower.MOST_WAITING_BYTES", 100_000)
    tag = Tag(id=bytes(16), name="a", detail="x" * 50_000)
    big = {"subject": tag.id, "payload": msgspec.json.encode(tag).decode()}
    address = served.url(PATHS[0], "ws", token=token)
    async with connect(address, max_queue=1, ping_interval=None) as slow, connect(address) as quick:
        await subscribe(slow, served.customer)
        follower = next(iter(served.feed._followers))
        await subscribe(quick, served.customer)
        told = 0
        while follower.ending is None:
            for _ in range(20):
                store.add(CUSTOMER, "tag_created", START, **big)
            for _ in range(20):
                await frame(quick)
            told += 20
            assert told < 5_000
        assert await closed(slow) == (1013, str(Ending.SLOW))


async def test_a_follower_that_goes_away_is_forgotten(served: Served, token: str) -> None:
    async with connect(served.url(PATHS[0], "ws", token=token)) as socket:
        await subscribe(socket, served.customer)
        assert served.feed.followers_of(1) == 1
    await made(served, token, "/v1.0/tags")
    assert served.feed.followers_of(1) == 0


async def test_one_connection_too_many_is_refused_before_it_opens(served: Served, token: str) -> None:
    served.feed.most = 1
    async with connect(served.url(PATHS[0], "ws", token=token)):
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url(PATHS[0], "ws", token=token))
        assert refused.value.response.status_code == 429
        async with connect(served.url(PATHS[0], "ws", token=await served.world.key(OTHER_CUSTOMER))):
            pass


async def test_no_credential_is_logged(served: Served, token: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with connect(served.url(PATHS[0], "ws", token=token), logger=logging.getLogger("the client's own")) as socket:
        await subscribe(socket, served.customer)
    with pytest.raises(InvalidStatus):
        await connect(served.url(PATHS[0], "ws", token=f"{token}x")).__aenter__()
    ours = [record for record in caplog.records if not record.name.startswith(("the client", "websockets.client"))]
    assert token not in "".join(record.getMessage() for record in ours)


async def test_other_paths_have_no_websocket(served: Served, token: str) -> None:
    for path in ("/v1.0/campaigns", "/v1.0/ws/", "/"):
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.url(path, "ws", token=token)).__aenter__()
        assert refused.value.response.status_code == 404
    async with served.client(token) as client:
        for path in PATHS:
            answer = await client.get(path)
            assert (answer.status_code, "websocket" in answer.text) == (404, True)
