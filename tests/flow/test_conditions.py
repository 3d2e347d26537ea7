"""The two conditions that scripts can ask."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.units import Instant
from outdialer.flow.actions import CONDITIONS
from outdialer.flow.conditions import OPERATORS, datetime_holds, variable_holds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ORDER = {"==": (0,), "!=": (-1, 1), ">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}
"""What each operator says of left compared to right."""


def at(*parts: int) -> Instant:
    return (datetime(*parts, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # type: ignore[misc, arg-type]


def test_every_operator_that_may_be_written_is_known() -> None:
    assert set(CONDITIONS) <= set(OPERATORS)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(("left", "right", "order"), [("5", 5, 0), ("4", 5, -1), ("6.5", 5, 1), (" 7 ", 7.0, 0)])
def test_numbers(condition: str, left: str, right: float, order: int) -> None:
    option = {"variable": left, "condition": condition, "value_type": "number", "value_number": right}
    assert variable_holds(option) == (order in ORDER[condition])


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("left", ["", "abc", "1,5", "--1"])
def test_what_is_no_number_holds_for_no_comparison(condition: str, left: str) -> None:
    option = {"variable": left, "condition": condition, "value_type": "number", "value_number": 0}
    assert variable_holds(option) is False


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(
    ("left", "right", "order"), [("abc", "abc", 0), ("abc", "abd", -1), ("b", "ab", 1), ("", "", 0)]
)
def test_texts(condition: str, left: str, right: str, order: int) -> None:
    for kind in ("string", "", None):
        option = {"variable": left, "condition": condition, "value_type": kind, "value_string": right}
        assert variable_holds(option) == (order in ORDER[condition])


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(("left", "right", "order"), [("1234", 4, 0), ("", 1, -1), ("12", 1, 1)])
def test_lengths(condition: str, left: str, right: int, order: int) -> None:
    option = {"variable": left, "condition": condition, "value_type": "length", "value_length": right}
    assert variable_holds(option) == (order in ORDER[condition])


def test_what_is_left_out_is_empty_or_zero() -> None:
    assert variable_holds({"variable": "", "condition": "=="})
    assert variable_holds({"variable": "0", "condition": "==", "value_type": "number"})
    assert variable_holds({"variable": "", "condition": "==", "value_type": "length"})


NOON = at(2026, 3, 4, 12, 30)
"""A Wednesday."""


def of_day(**option: Any) -> dict[str, object]:
    return {"month": 0, "day": 0, "hour": -1, "minute": -1, "condition": "==", **option}


@pytest.mark.parametrize(
    ("option", "holds"),
    [
        (of_day(hour=12), True),
        (of_day(hour=13), False),
        (of_day(hour=13, condition=">"), True),
        (of_day(hour=12, condition=">"), False),
        (of_day(hour=12, condition=">="), True),
        (of_day(hour=9, condition="<="), True),
        (of_day(minute=30), True),
        (of_day(minute=0), False),
        (of_day(day=4, month=3), True),
        (of_day(day=4, month=4), False),
        (of_day(weekdays=[3]), True),
        (of_day(weekdays=[0, 6]), False),
        (of_day(weekdays=[]), True),
        (of_day(weekdays=[1, 2, 3, 4, 5], hour=17, condition=">"), True),
        ({"condition": "==", "hour": -1}, False),
        ({"condition": "==", "hour": 12, "minute": 30}, True),
    ],
)
def test_a_moment(option: dict[str, object], holds: bool) -> None:
    assert datetime_holds(option, NOON) == holds


def test_weekdays_count_from_sunday() -> None:
    sunday = at(2026, 3, 1, 0, 0)
    for days in range(7):
        today = sunday + days * 86_400_000_000
        assert [day for day in range(7) if datetime_holds(of_day(weekdays=[day]), today)] == [days]


@given(now=st.integers(0, 4_000_000_000_000_000), hour=st.integers(0, 23), condition=st.sampled_from(CONDITIONS))
def test_the_hour_is_utc(now: Instant, hour: int, condition: str) -> None:
    actual = now // 3_600_000_000 % 24
    order = (hour > actual) - (hour < actual)
    assert datetime_holds(of_day(hour=hour, condition=condition), now) == (order in ORDER[condition])


@given(now=st.integers(0, 4_000_000_000_000_000), condition=st.sampled_from(CONDITIONS))
def test_a_condition_that_asks_nothing_holds(now: Instant, condition: str) -> None:
    assert datetime_holds(of_day(condition=condition), now)
