"""Instants, lengths and identifiers."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.units import NIL_ID, after, format_id, parse_id


def test_after_counts_milliseconds_in_microseconds() -> None:
    assert after(1_700_000_000_000_000, 1_500) == 1_700_000_001_500_000


def test_the_nil_id() -> None:
    assert format_id(NIL_ID) == "00000000-0000-0000-0000-000000000000"


@given(st.uuids())
def test_an_id_survives_its_text(value: UUID) -> None:
    assert format_id(value.bytes) == str(value)
    assert parse_id(str(value).upper()) == value.bytes


@pytest.mark.parametrize("text", ["", "12", "not-a-uuid", "00000000-0000-0000-0000-00000000000g"])
def test_what_is_not_an_id(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_id(text)
