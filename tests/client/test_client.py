"""Both clients against a whole program on loopback, and the one that awaits without a socket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from outdialer.client import (
    AsyncClient,
    Client,
    InvalidRequest,
    NotFound,
    Retries,
    Unauthenticated,
    Unreachable,
    VersionMismatch,
)
from outdialer.client.resources.shared import AddressBody
from outdialer.client.resources.targets import TargetCreate
from tests.client.conftest import Running

ABSENT = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
ACTIONS = [{"type": "talk", "option": {"text": "Good morning"}}]


@pytest.fixture(params=["loopback", "in the process"])
async def client(request: pytest.FixtureRequest, running: Running) -> AsyncIterator[AsyncClient]:
    made = AsyncClient(running.url, running.key) if request.param == "loopback" else running.app.client(running.key)
    async with made:
        yield made


async def test_the_order_of_a_first_time_user(client: AsyncClient) -> None:
    outplan = await client.outplans.create(name="gentle", source={"target": "+12025550100"}, dial_timeout=20_000)
    assert (outplan.dial_timeout, outplan.source.type, outplan.etag) == (20_000, "tel", '"1"')
    outdial = await client.outdials.create(name="spring", data={"source": "crm"})
    ada = await client.targets.create(outdial.id, name="Ada", destination_0=AddressBody(target="+12025550123"))
    assert (await client.targets.get(outdial.id, ada.id)).destination_0.target == "+12025550123"
    campaign = await client.campaigns.create(
        name="spring", type="call", end_handle="stop", actions=ACTIONS, outplan_id=outplan.id, outdial_id=outdial.id
    )
    assert campaign.tm_create is not None
    assert campaign.tm_create.tzinfo is not None
    assert (await client.campaigns.run(campaign.id)).status == "run"
    assert (await client.campaigns.stop(campaign.id)).status in ("stop", "stopping")
    assert (await client.campaigns.get_stats(campaign.id)).attempts <= 1


async def test_lists_are_read_page_by_page(client: AsyncClient) -> None:
    made = [(await client.tags.create(name=f"tag {number}")).id for number in range(5)]
    assert [tag.id async for tag in client.tags.list(page_size=2)] == made[::-1]
    newest = client.tags.list(page_size=1)
    assert (await anext(newest)).id == made[-1]


async def test_a_long_list_is_added_in_pieces(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outdialer.client.client.TARGETS_PER_REQUEST", 2)
    outdial = await client.outdials.create()
    people: list[Any] = [TargetCreate(destination_0=AddressBody(target=f"+1202555012{n}")) for n in range(4)]
    results = await client.targets.add(outdial.id, [*people, {"destination_0": {"target": "x"}}])
    assert [row.index for row in results] == [0, 1, 2, 3, 4]
    assert [row.error is None for row in results] == [True, True, True, True, False]
    assert results[4].error is not None
    assert results[4].error.field == "destination_0.target"
    assert len([target async for target in client.targets.list(outdial.id)]) == 4


async def test_refusals_are_exceptions_that_say_everything(client: AsyncClient, running: Running) -> None:
    with pytest.raises(NotFound) as absent:
        await client.campaigns.get(ABSENT)
    assert (absent.value.http_status, absent.value.reason) == (404, "CAMPAIGN_NOT_FOUND")
    assert absent.value.request_id.startswith("req_")
    with pytest.raises(InvalidRequest, match="end_handle"):
        await client.campaigns.create(end_handle="never")  # type: ignore[arg-type]
    async with AsyncClient(running.url, "vb_wrong") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.campaigns.get(ABSENT)
        assert (await stranger.health.ping()).message == "pong"


async def test_a_change_can_be_guarded(client: AsyncClient) -> None:
    read = await client.outplans.create(name="a")
    changed = await client.outplans.update(read.id, name="b", if_match=read.etag)
    with pytest.raises(VersionMismatch):
        await client.outplans.update(read.id, name="c", if_match=read.etag)
    await client.outplans.update(read.id, name="c", if_match=changed.etag)


async def test_what_was_read_can_be_sent_back(client: AsyncClient) -> None:
    outplan = await client.outplans.create(source={"target": "+12025550100"})
    again = await client.outplans.create(source=outplan.source)
    assert again.source == outplan.source


def _blocking(running: Running) -> list[str]:
    """Everything above in short, by the client that blocks."""
    with Client(running.url, running.key) as client:
        outplan = client.outplans.create(name="gentle", source={"target": "+12025550100"})
        outdial = client.outdials.create(name="spring")
        results = client.targets.add(outdial.id, [{"destination_0": {"target": "+12025550123"}}])
        assert results[0].error is None
        campaign = client.campaigns.create(outplan_id=outplan.id, outdial_id=outdial.id, actions=ACTIONS)
        assert client.campaigns.run(campaign.id).status == "run"
        assert client.campaigns.stop(campaign.id).status != "run"
        for number in range(3):
            client.tags.create(name=f"tag {number}")
        with pytest.raises(NotFound):
            client.calls.hang_up(ABSENT)
        assert client.tags.delete(next(client.tags.list()).id).tm_delete is not None
        return [tag.name for tag in client.tags.list(page_size=1)]


async def test_the_client_that_blocks(running: Running) -> None:
    assert await asyncio.to_thread(_blocking, running) == ["tag 1", "tag 0"]


async def test_a_server_that_is_not_there() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with AsyncClient(url, "vb_x", retries=Retries(tries=1)) as client:
            with pytest.raises(Unreachable, match=url):
                await client.health.ping()


async def test_objects_are_json_again(client: AsyncClient) -> None:
    tag = await client.tags.create(name="x")
    assert msgspec.json.decode(msgspec.json.encode(tag))["name"] == "x"
