"""The conditions of ``condition_variable`` and ``condition_datetime`` actions."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from outdialer.domain.units import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def variable_holds(option: Mapping[str, object]) -> bool:
    """Whether ``variable OP value`` holds; ``variable`` is already a value, a non-number compares as "no"."""
    value = str(option.get("variable") or "")
    compare = OPERATORS[str(option.get("condition") or "")]
    kind = option.get("value_type") or "string"
    if kind == "number":
        try:
            return compare(float(value), _number(option.get("value_number")))
        except ValueError:
            return False
    if kind == "length":
        return compare(len(value), int(_number(option.get("value_length"))))
    return compare(value, str(option.get("value_string") or ""))


def datetime_holds(option: Mapping[str, object], now: Instant) -> bool:
    """Whether ``option OP now`` holds in UTC for each part that is given.

    ``month`` and ``day`` count when above 0; ``hour`` and ``minute`` when 0 or more (-1 skips them, absent is 0);
    ``weekdays`` (0 is Sunday) must contain today when it is not empty.
    """
    moment = _EPOCH + timedelta(microseconds=now)
    weekdays = option.get("weekdays")
    if isinstance(weekdays, list) and weekdays and (moment.isoweekday() % 7) not in [_number(day) for day in weekdays]:
        return False
    compare = OPERATORS[str(option.get("condition") or "")]
    parts = (("month", moment.month, 1), ("day", moment.day, 1), ("hour", moment.hour, 0), ("minute", moment.minute, 0))
    return all(
        compare(given, actual) for name, actual, lowest in parts if (given := int(_number(option.get(name)))) >= lowest
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | str) and value != "" else 0.0
