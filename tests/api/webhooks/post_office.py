"""Deliverers over a store, with a clock that tests move, and receivers on loopback."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec

from outdialer.api.events.render import Renderer
from outdialer.api.webhooks.delivery import Deliverer
from outdialer.api.webhooks.sending import Sender
from outdialer.api.webhooks.signing import secret_of
from outdialer.domain.directory import Tag, Webhook
from outdialer.domain.units import Id, format_id
from outdialer.ports.store import StoreUnavailable
from outdialer.telemetry import Metrics
from outdialer.web.client import Reach, WebClient
from tests.api.conftest import World
from tests.web.receiver import NETWORKS, Got, Receiver

SECOND = 1_000_000
HOUR = 3_600 * SECOND


class Stubborn:
    """A store whose progress can be made to fail, so that a life ends without having written anything down."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.failing = False
        self.reads = 0
        self.news = asyncio.Condition()

    def __getattr__(self, name: str) -> Any:
        if name == "events_after":
            self.reads += 1
        return getattr(self._store, name)

    async def keep_webhook_progress(self, progress: Any) -> None:
        try:
            if self.failing:
                raise StoreUnavailable("disk full")
            await self._store.keep_webhook_progress(progress)
        finally:
            async with self.news:
                self.news.notify_all()


class PostOffice:
    """Makes endpoints and events, and lives of deliverers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = Stubborn(world.store)
        self.clock = world.clock
        self.metrics = Metrics()
        self.deliverers: list[Deliverer] = []
        self.numbers = iter(range(1, 1_000_000))

    @contextlib.asynccontextmanager
    async def open(self, keep_us: int = 0) -> AsyncIterator[Deliverer]:
        """One life; it ends as a kill would end it while the store is failing."""
        secret = await self.world.store.install_secret()
        deliverer = Deliverer(
            store=self.store,
            sender=Sender(secret, lambda: WebClient(Reach(networks=NETWORKS))),
            renderer=Renderer(secret),
            clock=self.clock,
            chance=random.Random(1).random,
            metrics=self.metrics,
            keep_us=keep_us,
        )
        deliverer.start()
        self.deliverers.append(deliverer)
        try:
            yield deliverer
        finally:
            self.deliverers.remove(deliverer)
            await deliverer.stop()

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is true that can only become so before progress is written down."""
        async with asyncio.timeout(20), self.store.news:
            while not await holds():
                await self.store.news.wait()

    async def until_disabled(self, endpoint: Id) -> None:
        async def holds() -> bool:
            return not (await self.world.store.webhook_state(1, endpoint)).enabled

        await self.until(holds)

    async def until_tried(self, endpoint: Id, tries: int) -> None:
        async def holds() -> bool:
            return len(self.deliverers[-1].tried(1, endpoint)) >= tries

        await self.until(holds)

    def pass_time(self, seconds: float) -> None:
        self.clock.at += int(seconds * SECOND)
        for deliverer in self.deliverers:
            deliverer.changed()

    async def endpoint(self, url: str, *event_types: str, customer: int = 1) -> Webhook:
        now = self.clock.now()
        made = Webhook(id=self.world.ids.new(now), tm_create=now, uri=url, event_types=event_types)
        webhook = await self.world.store.create_entry(customer, made)
        await self.world.store.webhook_endpoints()
        for deliverer in self.deliverers:
            deliverer.changed()
        return webhook

    async def tag(self, name: str = "", customer: int = 1) -> Tag:
        """Something happens: ``tag_created``."""
        now = self.clock.now()
        made = Tag(id=self.world.ids.new(now), name=name or f"tag {next(self.numbers)}", tm_create=now)
        return await self.world.store.create_entry(customer, made)

    async def rename(self, tag: Tag, name: str) -> Tag:
        """Something more happens to it: ``tag_updated``."""
        renamed = msgspec.structs.replace(tag, name=name)
        return await self.world.store.save_entry(1, renamed, self.clock.now())

    async def secret(self, endpoint: Id) -> str:
        state = await self.world.store.webhook_state(1, endpoint)
        return secret_of(await self.world.store.install_secret(), endpoint, state.secret_number)


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Of each request its event's type and its object's name."""
    bodies = [msgspec.json.decode(got.body) for got in receiver.got]
    return [(body["type"], body["data"]["name"]) for body in bodies]


def ids(receiver: Receiver) -> list[str]:
    return [got.headers["webhook-id"] for got in receiver.got]


def about(got: Got) -> str:
    """The id of the object."""
    return str(msgspec.json.decode(got.body)["data"]["id"])


def names_of(receiver: Receiver) -> list[str]:
    return [name for _, name in told(receiver)]


def count_is(receiver: Receiver, count: int) -> Callable[[], bool]:
    return lambda: len(receiver.got) >= count


def text(tag: Tag) -> str:
    return format_id(tag.id)
