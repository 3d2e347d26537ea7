"""Server-Sent Events, over a real server and a real client."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from outdialer.api.events.follower import Ending, Follower
from outdialer.api.events.stream import written
from outdialer.api.wire import Wire
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER, over_both_stores
from tests.api.events.conftest import Served, made
from tests.api.events.test_rendering import told
from tests.api.fakes import MemoryStore

PATH = "/v1.0/events"


class Listener:
    """Reads one stream."""

    def __init__(self, events: AsyncIterator[ServerSentEvent]) -> None:
        self._events = events

    async def next(self) -> ServerSentEvent:
        while not (event := await asyncio.wait_for(anext(self._events), 10)).data:
            pass  # A block without data is no event: it says when to come again.
        return event

    async def ends(self) -> None:
        with pytest.raises(StopAsyncIteration):
            await self.next()


@asynccontextmanager
async def listening(served: Served, token: str, last: str | None = None, **query: str) -> AsyncIterator[Listener]:
    """A stream whose follower has joined."""
    headers = {} if last is None else {"Last-Event-ID": last}
    joined = served.next_follower()
    async with (
        served.client(token) as client,
        aconnect_sse(client, "GET", PATH, params=query, headers=headers) as source,
    ):
        source.response.raise_for_status()
        events = source.aiter_sse()
        await asyncio.wait_for(joined.wait(), 10)
        yield Listener(events)


def seen(event: ServerSentEvent) -> tuple[str, Any]:
    return event.event, json.loads(event.data)


@over_both_stores
async def test_events_with_their_names_and_ids(served: Served, token: str) -> None:
    async with listening(served, token) as stream:
        tag = await made(served, token, "/v1.0/tags", name="a\nb")
        outplan = await made(served, token, "/v1.0/outplans")
        first, second = await stream.next(), await stream.next()
    assert [seen(first), seen(second)] == [("tag_created", tag), ("outplan_created", outplan)]
    assert [first.id, second.id] == [event.id for event in await told(served.world.store)]


async def test_topics_decide(served: Served, token: str) -> None:
    topics = f"{served.customer}:flow,{served.customer}:tag:tag_deleted"
    async with listening(served, token, topics=topics) as stream:
        await made(served, token, "/v1.0/tags")
        flow = await made(served, token, "/v1.0/flows")
        assert seen(await stream.next()) == ("flow_created", flow)


@pytest.mark.parametrize("topics", ["x", "customer_id:x", "agent_id:", ","])
async def test_topics_of_others_are_refused(served: Served, token: str, topics: str) -> None:
    async with served.client(token) as client:
        answer = await client.get(PATH, params={"topics": topics})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["reason"] == "INVALID_REQUEST_PARAMETER"
    assert served.customer in error["message"]


@over_both_stores
@pytest.mark.parametrize("by_query", [False, True])
async def test_a_stream_goes_on_where_it_was_cut(served: Served, token: str, by_query: bool) -> None:
    names = [str(number) for number in range(250)]
    async with served.client(token) as client:
        for name in names:
            assert (await client.post("/v1.0/tags", json={"name": name})).status_code == 200
    events = await told(served.world.store)
    last = events[3].id
    given: dict[str, Any] = {"last_event_id": last} if by_query else {"last": last}
    async with listening(served, token, **given) as stream:
        names.append((await made(served, token, "/v1.0/tags", name="live"))["name"])
        got = [await stream.next() for _ in names[4:]]
    assert [json.loads(event.data)["name"] for event in got] == names[4:]
    assert [event.id for event in got][:-1] == [event.id for event in events[4:]]


async def test_what_is_not_kept_any_more_is_a_gap(served: Served, store: MemoryStore, token: str) -> None:
    for number in range(5):
        await made(served, token, "/v1.0/tags", name=str(number))
    events = await told(store)
    store.forget(3)
    async with listening(served, token, last=events[0].id) as stream:
        assert (await stream.next()).event == "gap"
        assert [seen(await stream.next())[1]["name"] for _ in range(2)] == ["3", "4"]
    async with listening(served, token, last=events[3].id) as stream:
        assert seen(await stream.next())[1]["name"] == "4"


@pytest.mark.parametrize("last", ["x", "evt_", "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa"])
async def test_an_id_that_is_not_ours_is_a_gap(served: Served, token: str, last: str) -> None:
    await made(served, token, "/v1.0/tags")
    async with listening(served, token, last=last) as stream:
        assert (await stream.next()).event == "gap"
        tag = await made(served, token, "/v1.0/tags")
        assert seen(await stream.next()) == ("tag_created", tag)


async def test_customers_hear_nothing_of_each_other(served: Served, token: str) -> None:
    foreign = await served.world.key(OTHER_CUSTOMER)
    await made(served, token, "/v1.0/tags", name="not yours")
    (event,) = await told(served.world.store)
    await made(served, token, "/v1.0/tags", name="not yours")
    async with listening(served, foreign, last=event.id) as stream:
        own = await made(served, foreign, "/v1.0/tags", name="yours")
        assert seen(await stream.next()) == ("tag_created", own)


async def test_a_stream_lives(served: Served, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdialer.api.events.stream.HEARTBEAT_S", 0.01)
    async with served.client(token) as client, client.stream("GET", PATH) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        lines = response.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        assert [await anext(lines) for _ in range(5)] == ["", ":", "", ":", ""]


async def test_a_stream_ends_with_the_server(served: Served, token: str) -> None:
    async with listening(served, token) as stream:
        await served.feed.stop()
        await stream.ends()
    async with served.client(token) as client:
        late = await client.get(PATH)
    assert str(Ending.STOPPED) in late.text


async def test_a_revoked_key_hears_nothing_more(served: Served, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdialer.api.events.welcome.ASK_EVERY_S", 0.0)
    key = await made(served, token, "/v1.0/accesskeys")
    async with listening(served, key["token"]) as stream:
        async with served.client(token) as client:
            await client.delete(f"/v1.0/accesskeys/{key['id']}")
        await made(served, token, "/v1.0/tags")
        await stream.next()
        await stream.ends()
    assert served.feed.followers_of(CUSTOMER) == 0


async def test_a_client_that_goes_away_is_forgotten(served: Served, token: str) -> None:
    async with listening(served, token):
        assert served.feed.followers_of(CUSTOMER) == 1
        left = served.next_leaver()
    await asyncio.wait_for(left.wait(), 10)
    assert served.feed.followers_of(CUSTOMER) == 0


async def test_many_are_too_many(served: Served, token: str) -> None:
    served.feed.most = 1
    async with listening(served, token):
        async with served.client(token) as client:
            refused: httpx.Response = await client.get(PATH)
        assert refused.status_code == 429
        assert refused.json()["error"]["reason"] == "RESOURCE_LIMIT_EXCEEDED"
        assert "1 connections of this customer" in refused.json()["error"]["message"]
        async with listening(served, await served.world.key(OTHER_CUSTOMER)):
            assert served.feed.followers_of(OTHER_CUSTOMER) == 1


async def test_who_catches_up_counts_already_and_who_never_begins_does_not(served: Served) -> None:
    served.feed.most = 2
    wire = Wire(CUSTOMER)
    catching_up, about_to = Follower(wire, written), Follower(wire, written)
    assert [served.feed.admit(one) for one in (catching_up, about_to, Follower(wire, written))] == [True, True, False]
    del about_to
    assert served.feed.followers_of(CUSTOMER) == 1
    served.feed.leave(catching_up)
    assert served.feed.followers_of(CUSTOMER) == 0
