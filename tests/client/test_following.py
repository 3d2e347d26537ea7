"""Following events: what is told, where it goes on after a loss, and when it gives up."""

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from httpx_sse import ServerSentEvent

from outdialer.client import AsyncClient, Client, Event, Retries, Unauthenticated, UnexpectedAnswer, Unreachable
from outdialer.client.exchange import Outcome
from outdialer.client.following import FIRST_WAIT_S, Following
from tests.client.conftest import Running

LOST = httpx.ReadError("the connection broke")


def following(retries: Retries = Retries(tries=3)) -> Following:  # noqa: B008
    return Following(("a", "b"), "", "http://127.0.0.1", retries)


def test_it_goes_on_after_the_last_event() -> None:
    it = following()
    assert it.query == {"topics": "a,b"}
    assert "Last-Event-ID" not in it.headers
    assert it.read(ServerSentEvent(retry=50)) is None
    event = it.read(ServerSentEvent(event="tag_created", data='{"id": "x"}', id="evt_1"))
    assert event == Event("evt_1", "tag_created", {"id": "x"})
    assert it.headers["Last-Event-ID"] == "evt_1"
    assert it.read(ServerSentEvent(event="gap", data='{"reason": "gone"}', id="evt_1")) == Event(
        "", "gap", {"reason": "gone"}
    )
    assert it.wait_s(None) == 0.05


def test_it_gives_up_after_as_many_failures_in_a_row_as_a_request() -> None:
    it = following()
    for _ in range(3):
        assert it.wait_s(LOST) == FIRST_WAIT_S
        assert it.wait_s(LOST) == FIRST_WAIT_S
        it.read(ServerSentEvent(event="x", data="{}", id="evt_1"))
    it.wait_s(LOST)
    it.wait_s(httpx.Response(503))
    with pytest.raises(Unreachable, match="broke"):
        it.wait_s(LOST)


def test_a_server_that_ends_streams_in_order_is_come_back_to() -> None:
    it = following()
    assert [it.wait_s(None) for _ in range(10)] == [FIRST_WAIT_S] * 10
    assert it.wait_s(httpx.Response(429, headers={"Retry-After": "7"})) == 7


@pytest.mark.parametrize("final", [httpx.Response(401), httpx.Response(429, headers={"Retry-After": "31"})])
def test_refusals_that_stay_end_it(final: Outcome) -> None:
    with pytest.raises(Exception, match="without saying why"):
        following().wait_s(final)


def test_what_is_no_event_of_ours_is_told() -> None:
    with pytest.raises(UnexpectedAnswer):
        following().read(ServerSentEvent(event="x", data="<html>"))


def _scripted() -> Iterator[httpx.Response]:
    stream = {"Content-Type": "text/event-stream"}
    yield httpx.Response(200, headers=stream, content=b'retry: 1\n\nid: evt_1\nevent: a_created\ndata: {"n": 1}\n\n')
    yield httpx.Response(200, headers=stream, content=b'retry: 1\n\nid: evt_2\nevent: a_deleted\ndata: {"n": 2}\n\n')
    yield httpx.Response(401, json={"error": {"reason": "INVALID_CREDENTIALS", "message": "Revoked."}})


class Script:
    """Answers in order, and what was asked."""

    def __init__(self) -> None:
        self.last: list[str | None] = []
        self._answers = _scripted()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.last.append(request.headers.get("last-event-id"))
        return next(self._answers)


def test_a_blocking_client_comes_back_and_ends_when_its_key_does() -> None:
    script = Script()
    with Client(key="vb_x", transport=httpx.MockTransport(script)) as client:
        events = client.events()
        assert [next(events).type, next(events).type] == ["a_created", "a_deleted"]
        with pytest.raises(Unauthenticated):
            next(events)
    assert script.last == [None, "evt_1", "evt_2"]


async def test_an_awaiting_client_comes_back_and_ends_when_its_key_does() -> None:
    script = Script()
    async with AsyncClient(key="vb_x", transport=httpx.MockTransport(script)) as client:
        events = client.events()
        assert [(await anext(events)).type, (await anext(events)).type] == ["a_created", "a_deleted"]
        with pytest.raises(Unauthenticated):
            await anext(events)
    assert script.last == [None, "evt_1", "evt_2"]


async def test_events_of_a_real_server_and_none_is_missed(running: Running) -> None:
    async with AsyncClient(running.url, running.key) as client:
        events = client.events()
        first = asyncio.ensure_future(anext(events))
        while not first.done():
            await client.tags.create(name="before")
        told = await first
        assert told.type == "tag_created"
        missed = await client.tags.create(name="missed")
        async for event in client.events(last_event_id=told.id):
            if event.data["id"] == missed.id:
                break
        assert json.loads(json.dumps(event.data))["name"] == "missed"
