"""The list of what runs over one phone network only is complete and true."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

from tests.engine.conftest import NETWORKS, ONE_NETWORK, networks_of

BEHAVIOURS = (
    "campaigns",
    "campaigncall",
    "events",
    "tenants",
    "retries",
    "limits",
    "routed",
    "changes",
    "trouble",
    "reasons",
    "voice",
)
"""The files whose tests are about the whole engine; the others test its parts."""
DOORS = {"make_world", "make_voice"}
"""The fixtures through which a test gets an engine; both follow the table."""


def behaviour_tests() -> Iterator[tuple[str, str, set[str]]]:
    """(file, test, fixtures) of every test of the whole engine."""
    for name in BEHAVIOURS:
        module = importlib.import_module(f"tests.engine.test_{name}")
        for test, function in inspect.getmembers(module, inspect.iscoroutinefunction):
            if test.startswith("test_"):
                yield f"test_{name}.py", test, set(inspect.signature(function).parameters)


def test_every_behaviour_runs_over_both_networks_or_is_listed() -> None:
    once = {}
    for file, test, fixtures in behaviour_tests():
        assert fixtures & DOORS, f"{file}: {test} gets its engine from somewhere else"
        if networks_of(file, test) != NETWORKS:
            once[test] = file
    for name, (network, reason) in ONE_NETWORK.items():
        print(f"{name}: over {network} only, because {reason}")
        assert reason
        assert name in once or name in once.values(), f"{name} is listed, but there is no such test"
    assert all(test in ONE_NETWORK or file in ONE_NETWORK for test, file in once.items())


def test_every_file_with_engines_is_known() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        if any(f"{door}:" in path.read_text() for door in DOORS) and path.name != Path(__file__).name:
            assert path.stem.removeprefix("test_") in BEHAVIOURS
