"""The garbage collector of a process that answers phones."""

import gc
from collections.abc import Iterator

import pytest

from outdialer.engine import collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_was_loaded_is_left_out_and_the_rest_is_still_collected() -> None:
    collector.settle()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == collector.YOUNG_OBJECTS
    knot: list[object] = []
    knot.append(knot)
    del knot
    assert gc.collect() >= 1
