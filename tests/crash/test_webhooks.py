"""Servers that are killed while they deliver a running campaign's events: none is lost, and none overtakes another."""

import asyncio
import signal
import sqlite3
from collections import defaultdict
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from outdialer.api.events.render import Renderer
from outdialer.api.wire import Wire
from outdialer.ports.events import EventStore
from outdialer.store.sqlite.store import SqliteStore
from tests.crash.test_requests import Lives
from tests.web.receiver import Got, Receiver, status

pytestmark = pytest.mark.slow

PEOPLE = 40
KILLS_AFTER = (15, 70, 160)
"""Deliveries that came before each kill."""
EVERY = 5
"""One in this many events is refused at first."""


async def furnish(client: httpx.AsyncClient, hook: str) -> None:
    """Start a campaign that stops when it is through, and let a webhook be told of it."""

    async def made(path: str, **fields: Any) -> str:
        response = await client.post(path, json=fields)
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    await made("/webhooks", uri=hook)
    source = {"target": "+12025550100"}
    outplan = await made("/outplans", source=source, dial_timeout=1_500, try_interval=100, max_try_count_0=1)
    outdial = await made("/outdials")
    for number in range(PEOPLE):
        await made(f"/outdials/{outdial}/targets", destination_0={"target": f"+120255501{number:02}"})
    campaign = await made("/campaigns", outplan_id=outplan, outdial_id=outdial, end_handle="stop")
    assert (await client.put(f"/campaigns/{campaign}/status", json={"status": "run"})).status_code == 200


async def expected(db: Path) -> list[tuple[str, bytes]]:
    """What clients are to be told, in order, from the books themselves: ids of events with their objects'."""
    store: EventStore = await SqliteStore.open_reader(db)
    secret = await store.install_secret()  # type: ignore[attr-defined]
    renderer = Renderer(secret)
    page = await store.events_after(_first(db), 1_000_000)
    found = [(event.id, event.resource_id) for row in page.rows for event in renderer.events(row, Wire(row.customer))]
    await store.close()  # type: ignore[attr-defined]
    return found


def _first(db: Path) -> int:
    """The place after the creation of the webhook."""
    with closing(sqlite3.connect(db)) as books:
        return int(books.execute("SELECT key FROM outbox WHERE kind = 'webhook_created'").fetchone()[0])


class Answers:
    """Answers badly now and then, but never twice to the same event, so that the second try comes within seconds."""

    def __init__(self) -> None:
        self.good: list[tuple[str, str]] = []
        self.asked: set[str] = set()
        self.stopped = False

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        name = got.headers["webhook-id"]
        first = name not in self.asked
        self.asked.add(name)
        if first and len(self.asked) % EVERY == 0:
            writer.write(status(500))
            return
        body = msgspec.json.decode(got.body)
        self.good.append((name, body["data"]["id"]))
        self.stopped = self.stopped or body["type"] == "campaign_status_stop"
        writer.write(status(204))

    def have(self, wanted: list[tuple[str, bytes]]) -> bool:
        return {name for name, _ in wanted} <= {name for name, _ in self.good}


async def test_killed_servers_deliver_everything_in_order(tmp_path: Path) -> None:
    lives, answers = Lives(tmp_path / "books.db"), Answers()
    async with Receiver(answers) as receiver:
        for count in KILLS_AFTER:
            async with lives.serve() as server:
                if not receiver.got:
                    await furnish(server.client, receiver.url)
                await receiver.until(partial(_reached, receiver, count))
                server.process.send_signal(signal.SIGKILL)
                await server.died()
        async with lives.serve():
            await receiver.until(lambda: answers.stopped, seconds=90)
            wanted = await expected(tmp_path / "books.db")
            await receiver.until(partial(answers.have, wanted), seconds=90)
    judge(wanted, answers.good)


def _reached(receiver: Receiver, count: int) -> bool:
    return len(receiver.got) >= count


def judge(wanted: list[tuple[str, bytes]], good: list[tuple[str, str]]) -> None:
    told, order = defaultdict(list), defaultdict(list)
    for name, subject in dict.fromkeys(good):
        told[subject.replace("-", "")].append(name)
    for name, resource_id in wanted:
        order[resource_id.hex()].append(name)
    assert told == order
    assert len(wanted) > 3 * PEOPLE
