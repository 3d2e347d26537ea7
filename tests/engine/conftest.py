"""Every behaviour over both phone networks.

A test that takes ``network`` or ``make_world`` runs over the simulated carrier and over real SIP. One that cannot
stands in ``ONE_NETWORK``, or its file does, with the reason; ``test_both_networks`` holds that against the tests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.engine.world import Network, World

NETWORKS: tuple[Network, ...] = ("simulator", "sip")

ONE_NETWORK: dict[str, tuple[Network, str]] = {
    "test_voice.py": ("sip", "audio is heard in RTP packets; the simulator has none"),
    "test_a_late_answer_is_counted_as_not_answered_and_ended": (
        "sip",
        "a 200 that crosses a CANCEL needs two ends of a wire; the simulator takes a hang-up at once",
    ),
    "test_an_answer_that_nobody_may_take_before_it_is_on_the_books": (
        "sip",
        "repeated 200s and their ACK are SIP's; the simulator has neither",
    ),
    "test_a_challenge_for_credentials_is_no_second_call": (
        "sip",
        "the simulator has no challenges: a digest phone just answers",
    ),
    "test_a_carrier_beyond_this_machine_is_sent_nothing_and_the_campaign_says_why": (
        "sip",
        "the simulator sends no packets to any address",
    ),
    "test_a_trunk_whose_address_is_unknown_is_paused_and_burns_no_try": (
        "sip",
        "the simulator looks up no addresses",
    ),
}
"""Test or file -> (the network it runs over, why not over the other one)."""


def networks_of(file: str, test: str) -> tuple[Network, ...]:
    """What a test runs over."""
    only = ONE_NETWORK.get(test) or ONE_NETWORK.get(file)
    return NETWORKS if only is None else (only[0],)


MakeWorld = Callable[..., Awaitable[World]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "network" in metafunc.fixturenames:
        file = Path(str(metafunc.module.__file__)).name
        metafunc.parametrize("network", networks_of(file, metafunc.function.__name__))


@pytest.fixture
async def make_world(network: Network, tmp_path: Path) -> AsyncIterator[MakeWorld]:
    """Start worlds; each is ended and judged after the test."""
    worlds: list[World] = []

    async def make(*rules: str, **options: object) -> World:
        folder = tmp_path / f"world{len(worlds)}"
        folder.mkdir()
        worlds.append(World(network, folder))
        await worlds[-1].open(*rules, **options)  # type: ignore[arg-type]
        return worlds[-1]

    yield make
    for world in worlds:
        await world.close()
