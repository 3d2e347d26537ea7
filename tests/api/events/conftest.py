"""A served application on loopback, with its feed telling what happens."""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import httpx
import pytest

from outdialer.api.app import create_app
from outdialer.api.events.feed import Feed
from outdialer.api.events.follower import Follower
from outdialer.api.events.render import Renderer
from outdialer.api.passwords import Passwords
from outdialer.api.services import ApiServices
from outdialer.api.serving import Server
from outdialer.api.wire import Wire
from outdialer.app import http_server, listening_socket
from outdialer.ports.directory import ApiStore
from tests.api.conftest import CUSTOMER, Forward, World


class Stage:
    """The one world that is being served."""

    served: "Served"


@cache
def application() -> Server:
    return create_app(
        ApiServices(
            store=Forward(lambda: Stage.served.world.store),
            clock=Forward(lambda: Stage.served.world.clock),
            ids=Forward(lambda: Stage.served.world.ids),
            feed=Forward(lambda: Stage.served.feed),  # type: ignore[arg-type]
            hang_up=lambda leg, why: None,
            readiness=list,
            metrics=lambda: b"",
            passwords=Passwords(time_cost=1, memory_kib=8, parallelism=1),
        )
    )


class WatchedFeed(Feed):
    """A feed that says when somebody comes or goes."""

    def __init__(self, store: ApiStore) -> None:
        super().__init__(store, Renderer)
        self.joined = asyncio.Event()
        self.left = asyncio.Event()

    async def join(self, follower: Follower) -> None:
        await super().join(follower)
        self.joined.set()

    def leave(self, follower: Follower) -> None:
        super().leave(follower)
        self.left.set()


class Served:
    """A world whose application is served on loopback."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.feed = WatchedFeed(world.store)
        self.customer = f"customer_id:{Wire(CUSTOMER).customer_id}"
        self._server = http_server(application())
        self.address = ("127.0.0.1", 0)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        Stage.served = self
        listener = listening_socket(self.address)
        self.address = listener.getsockname()
        self.feed.start()
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        await self.feed.stop()
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait_for(self._serving, 10)

    def next_follower(self) -> asyncio.Event:
        """Set when somebody follows from now on."""
        self.feed.joined = asyncio.Event()
        return self.feed.joined

    def next_leaver(self) -> asyncio.Event:
        """Set when somebody follows no more from now on."""
        self.feed.left = asyncio.Event()
        return self.feed.left

    def url(self, path: str, scheme: str = "http", **query: str) -> str:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return f"{scheme}://{self.address[0]}:{self.address[1]}{path}" + (f"?{text}" if text else "")

    def client(self, token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.url(""), headers=headers, timeout=10)


@pytest.fixture
async def served(store: ApiStore) -> AsyncIterator[Served]:
    served = Served(World(store))
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def token(served: Served) -> str:
    return await served.world.key()


async def made(served: Served, token: str, path: str, **fields: Any) -> dict[str, Any]:
    """What a POST with these fields made."""
    async with served.client(token) as client:
        response = await client.post(path, json=fields)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body
