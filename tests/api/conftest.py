"""A served application over a store, and a client that is logged in.

``store`` is a fixture with a parameter: a module marked ``over_both_stores`` runs over each. Tests that break the
store on purpose, or need rows that only the engine writes, run over the one in memory.
"""

import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from outdialer.api.app import create_app
from outdialer.api.auth import new_access_key
from outdialer.api.events.feed import Feed
from outdialer.api.events.render import Renderer
from outdialer.api.passwords import Passwords
from outdialer.api.services import ApiServices
from outdialer.api.serving import Server
from outdialer.domain.directory import customer_id
from outdialer.ports.directory import ApiStore
from outdialer.store.sqlite.store import SqliteStore
from tests.api.fakes import FakeClock, FakeIds, MemoryStore
from tests.api.seeds import MemorySeeder, Seeder

CUSTOMER = 1
OTHER_CUSTOMER = 2


class Forward:
    """Passes everything on to what ``target`` answers at that moment."""

    def __init__(self, target: Callable[[], Any]) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target(), name)


class Stage:
    """The one world that is being played; applications are costly to build, so all tests share them."""

    world: "World"


@cache
def application(live: bool, old_time_format: bool) -> Server:
    """An application over whatever world is on the stage."""
    services = ApiServices(
        store=Forward(lambda: Stage.world.store),
        clock=Forward(lambda: Stage.world.clock),
        ids=Forward(lambda: Stage.world.ids),
        feed=Feed(Forward(lambda: Stage.world.store), Renderer),
        hang_up=lambda leg, why: Stage.world.hung_up.append((leg, why)),
        customer_added=lambda customer: Stage.world.customer_added(customer),
        readiness=lambda: Stage.world.not_ready,
        metrics=lambda: b"# TYPE outdialer_calls_live gauge\noutdialer_calls_live 0.0\n",
        live=live,
        old_time_format=old_time_format,
        random_bytes=lambda count: Stage.world.random.randbytes(count),
        passwords=Passwords(time_cost=1, memory_kib=8, parallelism=1),
    )
    return create_app(services)


class World:
    """What stands behind the application, for tests to look at and to move."""

    def __init__(self, store: ApiStore) -> None:
        self.store = store
        self.clock = FakeClock()
        self.ids = FakeIds()
        self.hung_up: list[tuple[int, str]] = []
        self.not_ready: list[str] = []
        self.customers_added: list[int] = []
        self.random = random.Random(1)

    async def customer_added(self, customer: int) -> None:
        self.customers_added.append(customer)

    async def key(self, customer: int = CUSTOMER, lifetime_us: int | None = None, **given: Any) -> str:
        now = self.clock.now()
        token, key = new_access_key(
            self.random.randbytes,
            id=self.ids.new(now),
            customer=customer,
            now=now,
            tm_expire=None if lifetime_us is None else now + lifetime_us,
            **given,
        )
        await self.store.put_access_key(key)
        return token

    async def client(self, *, live: bool = False, old_time_format: bool = False) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {await self.key()}"}
        return self.anonymous(headers, live=live, old_time_format=old_time_format)

    def anonymous(
        self, headers: dict[str, str] | None = None, *, live: bool = False, old_time_format: bool = False
    ) -> httpx.AsyncClient:
        Stage.world = self
        app = application(live, old_time_format)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)


over_both_stores = pytest.mark.parametrize("store", ["memory", "sqlite"], indirect=True)


@pytest.fixture
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ApiStore]:
    if getattr(request, "param", "memory") == "memory":
        yield MemoryStore()
        return
    opened = await _two_customers(tmp_path / "books.db")
    yield opened
    await opened.close()


async def _open(path: Path) -> SqliteStore:
    return await SqliteStore.open(path, new_id=lambda: random.randbytes(16), random_bytes=random.randbytes)


async def _two_customers(path: Path) -> SqliteStore:
    await (await _open(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO customers (key, id) VALUES (?, ?)", (OTHER_CUSTOMER, customer_id(OTHER_CUSTOMER))
        )
        connection.commit()
    return await _open(path)


@pytest.fixture
def world(store: ApiStore) -> World:
    return World(store)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with await world.client() as logged_in:
        yield logged_in


@pytest.fixture
def seed(store: ApiStore) -> Seeder:
    assert isinstance(store, MemoryStore)
    return MemorySeeder(store)


async def created(client: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    """What a POST with these fields made."""
    return answered(await client.post(path, json=fields))


def answered(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def refused(response: httpx.Response, http: int, reason: str, *words: str) -> str:
    """The message of a refusal in the one error form, which must hold the words."""
    assert response.status_code == http, response.text
    assert response.headers["content-type"].startswith("application/json")
    error = response.json()["error"]
    assert set(error) == {"status", "reason", "message", "request_id"}
    assert error["reason"] == reason, error
    assert error["request_id"] == response.headers["x-request-id"]
    for word in words:
        assert word in error["message"], error["message"]
    return str(error["message"])
