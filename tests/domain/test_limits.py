"""Send slots and channels of one scope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.limits import LONGEST_INTERVAL_US, UNLIMITED, Limit, earliest, interval
from tests.domain.worlds import NOW

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("rate", "microseconds"),
    [(1, 1_000_000), (50, 20_000), (0.5, 2_000_000), (3, 333_334), (1000, 1_000), (0, 0), (UNLIMITED, 0)]
    + [(rate, LONGEST_INTERVAL_US) for rate in (1e-12, 1e-300, 5e-324)],
)
def test_the_interval_of_a_rate(rate: float, microseconds: int) -> None:
    assert interval(rate) == microseconds


@given(st.integers(1, 2_000))
def test_no_second_holds_more_calls_than_the_rate(rate: int) -> None:
    limit = Limit(scope="trunk:1", rate_per_s=rate)
    slots = []
    for _ in range(rate + 1):
        slot = earliest(NOW, limit)
        limit.reserve(slot)
        slots.append(slot)
    assert slots[rate] - slots[0] >= SECOND


def test_an_idle_limit_saves_nothing_up() -> None:
    limit = Limit(scope="trunk:1", rate_per_s=1, next_slot=NOW - 60 * SECOND)
    limit.reserve(earliest(NOW, limit))
    assert limit.next_slot == NOW + SECOND


def test_the_earliest_slot_is_one_that_every_limit_has() -> None:
    late, later = Limit(scope="trunk:1", next_slot=NOW + 5), Limit(scope="campaign:1", next_slot=NOW + 9)
    assert earliest(NOW, late, later) == NOW + 9
    assert earliest(NOW, later, late) == NOW + 9
    assert earliest(NOW + 20, late, later) == NOW + 20


@pytest.mark.parametrize(
    ("channels", "in_use", "free"),
    [(0, 0, 77), (0, 1000, 77), (5, 0, 5), (5, 4, 1), (5, 5, 0), (5, 9, 0)],
)
def test_free_channels(channels: int, in_use: int, free: int) -> None:
    assert Limit(scope="trunk:1", channels=channels, in_use=in_use).free_channels(77) == free


def test_reserving_takes_a_channel() -> None:
    limit = Limit(scope="trunk:1", channels=2)
    limit.reserve(NOW)
    assert (limit.in_use, limit.free_channels(0), limit.next_slot) == (1, 1, NOW)
