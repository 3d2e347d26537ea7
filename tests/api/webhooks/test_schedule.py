"""When a failed delivery is tried again: bounds that hold for every chance and every clock."""

from hypothesis import given
from hypothesis import strategies as st

from outdialer.api.webhooks.schedule import (
    DELAYS_S,
    JITTER,
    LONGEST_PAUSE_S,
    MOST_RETRY_AFTER_S,
    TROUBLED_AFTER,
    next_try,
    pause_until,
    retry_after,
)

NOW = 1_767_225_600_000_000
SECOND = 1_000_000
HOUR = 3_600 * SECOND
chances = st.floats(0, 1)


@given(st.lists(chances, min_size=9, max_size=9))
def test_ten_tries_over_days_each_later_than_the_one_before(drawn: list[float]) -> None:
    at, delays = NOW, []
    for tries, chance in enumerate(drawn, start=1):
        due = next_try(tries, at, chance)
        assert due is not None
        delays.append(due - at)
        at = due
    assert next_try(10, at, 0.5) is None
    assert delays == sorted(delays)
    assert 75.5 * HOUR <= at - NOW <= 75.6 * HOUR * (1 + JITTER)


@given(st.integers(1, 9), chances, chances)
def test_chance_spreads_and_never_shortens(tries: int, one: float, other: float) -> None:
    due = next_try(tries, NOW, one)
    assert due is not None
    assert DELAYS_S[tries - 1] * SECOND <= due - NOW <= DELAYS_S[tries - 1] * SECOND * (1 + JITTER)
    assert (due <= (next_try(tries, NOW, other) or 0)) == (one <= other) or abs(one - other) < 1e-3


@given(st.integers(0, 10_000), chances)
def test_pauses_grow_and_stay_within_an_hour(failures: int, chance: float) -> None:
    pause = pause_until(failures, NOW, chance) - NOW
    assert (pause == 0) == (failures < TROUBLED_AFTER)
    assert pause <= LONGEST_PAUSE_S * SECOND * (1 + JITTER)
    assert pause_until(failures + 1, NOW, chance) - NOW >= pause


@given(st.text() | st.from_regex(r"[0-9]{1,40}", fullmatch=True))
def test_retry_after_is_bounded_whatever_it_says(text: str) -> None:
    assert NOW <= retry_after(text, NOW) <= NOW + MOST_RETRY_AFTER_S * SECOND


def test_both_forms_of_retry_after() -> None:
    assert retry_after("120", NOW) == NOW + 120 * SECOND
    assert retry_after(" 0 ", NOW) == NOW
    assert retry_after("Thu, 01 Jan 2026 00:02:00 GMT", NOW) == NOW + 120 * SECOND
    assert retry_after("Wed, 31 Dec 2025 23:59:00 GMT", NOW) == NOW
    assert retry_after("soon", NOW) == NOW
    assert retry_after("-5", NOW) == NOW
    assert retry_after("\u0663", NOW) == NOW
    assert retry_after("999999999999", NOW) == NOW + MOST_RETRY_AFTER_S * SECOND
