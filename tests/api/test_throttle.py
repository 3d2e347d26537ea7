"""Rate limits, with a clock that stands still until a test moves it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from outdialer.api.app import create_app
from outdialer.api.events.feed import Feed
from outdialer.api.events.render import Renderer
from outdialer.api.passwords import Passwords
from outdialer.api.services import ApiServices
from outdialer.api.serving import Server
from outdialer.api.throttle import IN_PROCESS, MOST_SENDERS, RequestRates, Throttle, address_of
from outdialer.domain.throttle import Rate
from tests.api.conftest import OTHER_CUSTOMER, World

PATH = "/v1.0/tags"
SECOND = 1_000_000
Ask = Callable[..., httpx.AsyncClient]


@pytest.fixture
def app_of(world: World) -> Callable[[RequestRates], Server]:
    world.clock.step = 0

    def make(rates: RequestRates) -> Server:
        return create_app(
            ApiServices(
                store=world.store,
                clock=world.clock,
                ids=world.ids,
                feed=Feed(world.store, Renderer),
                hang_up=lambda leg, why: None,
                readiness=list,
                metrics=lambda: b"",
                passwords=Passwords(time_cost=1, memory_kib=8, parallelism=1),
                rates=rates,
            )
        )

    return make


def from_address(app: Server, host: str, token: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(host, 1))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers)


def limited(response: httpx.Response, by: str, seconds: int) -> None:
    assert response.status_code == 429
    assert response.headers["retry-after"] == str(seconds)
    error = response.json()["error"]
    assert (error["status"], error["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    assert error["details"] == [{"limited_by": by}]
    assert error["request_id"] == response.headers["x-request-id"]


async def test_an_address_is_refused_before_its_credential_is_read(world: World, app_of: Any) -> None:
    app = app_of(RequestRates(address=Rate(0.5, 3)))
    async with from_address(app, "192.0.2.1", await world.key()) as client:
        assert [(await client.get(PATH)).status_code for _ in range(3)] == [200] * 3
        limited(await client.get(PATH), "ip", 2)
        limited(await client.get(PATH, headers={"Authorization": "Bearer vb_bad"}), "ip", 2)
        for free in ("/health", "/ready", "/metrics", "/ping", "/openapi.json"):
            assert (await client.get(free)).status_code == 200
    async with from_address(app, "192.0.2.2", await world.key()) as other:
        assert (await other.get(PATH)).status_code == 200
        world.clock.at += 2 * SECOND
    async with from_address(app, "192.0.2.1", await world.key()) as client:
        assert (await client.get(PATH)).status_code == 200
        limited(await client.get(PATH), "ip", 2)


async def test_a_key_and_a_customer(world: World, app_of: Any) -> None:
    app = app_of(RequestRates(key=Rate(1, 2), customer=Rate(1, 3)))
    first, second, foreign = await world.key(), await world.key(), await world.key(OTHER_CUSTOMER)
    async with from_address(app, "192.0.2.1") as client:

        async def ask(token: str) -> httpx.Response:
            return await client.get(PATH, headers={"Authorization": f"Bearer {token}"})

        assert [(await ask(first)).status_code for _ in range(2)] == [200] * 2
        limited(await ask(first), "key", 1)
        assert (await ask(second)).status_code == 200
        limited(await ask(second), "customer", 1)
        assert (await ask(foreign)).status_code == 200


async def test_logins_are_slow_and_nobody_is_locked_out(world: World, app_of: Any) -> None:
    app = app_of(RequestRates(login=Rate(1, 2)))
    agent = {"username": "ada@clinic.example", "password": "correct horse", "permission": 64}
    async with from_address(app, IN_PROCESS, await world.key()) as admin:
        assert (await admin.post("/v1.0/agents", json=agent)).status_code == 200
    async with from_address(app, "192.0.2.1") as guesser:
        for _ in range(2):
            wrong = await guesser.post("/auth/login", json={**agent, "password": "x"})
            assert (wrong.status_code, wrong.content) == (400, b"")
        limited(await guesser.post("/auth/login", json={**agent, "password": "x"}), "ip", 1)
    async with from_address(app, "192.0.2.2") as ada:
        assert (await ada.post("/auth/login", json=agent)).status_code == 200


async def test_wrong_credentials_make_an_address_slow(world: World, app_of: Any) -> None:
    app = app_of(RequestRates(address=Rate(10, 30)))
    async with from_address(app, "192.0.2.1") as guesser:
        answers = [await guesser.get(PATH, headers={"Authorization": "Bearer vb_x"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_this_program_itself_is_not_limited(world: World, app_of: Any) -> None:
    one = Rate(0.1, 1)
    app = app_of(RequestRates(address=one, login=one, key=one, customer=one))
    async with from_address(app, IN_PROCESS, await world.key()) as client:
        assert {(await client.get(PATH)).status_code for _ in range(20)} == {200}


def test_memory_is_bounded_and_the_quiet_are_forgotten_first(world: World) -> None:
    world.clock.step = 0
    throttle = Throttle(RequestRates(address=Rate(1, 2)))
    for number in range(MOST_SENDERS + 500):
        throttle.check_address(_scope(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"), world.clock.now())
        if number % 1_000 == 0:
            throttle.addresses.charge("203.0.113.9", world.clock.at, 10)
    assert len(throttle.addresses) == MOST_SENDERS
    with pytest.raises(Exception, match="RATE_LIMIT_EXCEEDED"):
        throttle.check_address(_scope("203.0.113.9"), world.clock.now())


def _scope(host: str) -> Any:
    return {"client": (host, 1), "path": PATH}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a:b", "a:b"),
    ],
)
def test_a_network_of_ipv6_is_one_sender(host: str, address: str) -> None:
    assert address_of(_scope(host)) == address


def test_who_has_no_address_is_one_sender() -> None:
    scope: Any = {"client": None, "path": PATH}
    assert address_of(scope) == ""
