"""Many deliveries to receivers that answer badly: none is lost.

The short form runs here. ``OUTDIALER_WEBHOOK_DELIVERIES=10000 pytest tests/api/webhooks/test_ten_thousand.py`` is the
long one.
"""

import asyncio
import os
import random

import msgspec

from outdialer.domain.directory import Tag
from tests.api.conftest import World
from tests.api.fakes import MemoryStore
from tests.api.webhooks.post_office import PostOffice
from tests.web.receiver import Got, Receiver, status

DELIVERIES = int(os.environ.get("OUTDIALER_WEBHOOK_DELIVERIES", "400"))
ENDPOINTS = 2
BAD = 0.2
"""Of the answers: refusals, redirects, wishes to slow down, cut connections and nonsense."""


class Moody:
    """Answers badly one time in five, and notes what it took."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.taken: dict[str, int] = {}
        self.answers = 0

    async def __call__(self, got: Got, writer: asyncio.StreamWriter) -> None:
        self.answers += 1
        if self.chance.random() >= BAD:
            self.taken[got.headers["webhook-id"]] = msgspec.json.decode(got.body)["data"]["name"]
            writer.write(status(204))
            return
        kind = self.chance.choice(["500", "302", "429", "cut", "nonsense"])
        if kind == "cut":
            writer.transport.abort()
        elif kind == "nonsense":
            writer.write(b"\x00" * 50 + b"\r\n\r\n")
        else:
            writer.write(status(int(kind), "Retry-After: 3", "Location: http://169.254.169.254/"))


async def test_none_is_lost(world: World, store: MemoryStore) -> None:
    office = PostOffice(world)
    moody = [Moody(seed) for seed in range(ENDPOINTS)]
    async with Receiver(moody[0]) as one, Receiver(moody[1]) as other:
        for receiver in (one, other):
            await office.endpoint(receiver.url)
        for number in range(DELIVERIES // ENDPOINTS):
            now = office.clock.now()
            tag = Tag(id=(number % 97 + 1).to_bytes(16, "big"), name=str(number), tm_create=now)
            payload = msgspec.json.encode(tag).decode()
            store.add(1, "tag_updated", now, number=number, subject=tag.id, payload=payload)
        async with office.open():
            hurry = asyncio.ensure_future(_hurry(office))
            for mood, receiver in zip(moody, (one, other), strict=True):
                await receiver.until(lambda mood=mood: len(mood.taken) == DELIVERIES // ENDPOINTS, seconds=600)  # type: ignore[misc]
            hurry.cancel()
    for mood in moody:
        names = [int(name) for name in mood.taken.values()]
        assert sorted(names) == list(range(DELIVERIES // ENDPOINTS))
        assert mood.answers > DELIVERIES // ENDPOINTS
        for subject in range(97):
            of_one = [name for name in names if name % 97 == subject]
            assert of_one == sorted(of_one)
    assert office.metrics.webhook_tries.labels("given_up")._value.get() == 0


async def _hurry(office: PostOffice) -> None:
    """Let hours pass, so that retries do not take days."""
    while True:
        office.pass_time(3_600)
        await asyncio.sleep(0.05)
