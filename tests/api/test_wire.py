import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.api.wire import old_time, parse_time, parse_uuid, rfc3339
from outdialer.domain.directory import customer_id
from outdialer.domain.units import format_id

YEAR_9999 = 253_402_300_799_999_999


@given(st.integers(min_value=0, max_value=YEAR_9999))
def test_times_survive_both_forms(instant: int) -> None:
    assert parse_time(rfc3339(instant)) == instant
    assert parse_time(old_time(instant)) == instant


def test_times_as_written() -> None:
    assert rfc3339(1_651_215_705_808_944) == "2022-04-29T07:01:45.808944Z"
    assert old_time(1_651_215_705_808_944) == "2022-04-29 07:01:45.808944"
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert parse_time("1970-01-01T00:00:00.1Z") == 100_000
    assert parse_time("1970-01-01T00:00:00.123456789Z") == 123_456


@given(st.text(max_size=40))
def test_other_text_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_time("x" + text)


@given(st.uuids())
def test_uuids_in_every_spelling(uuid: object) -> None:
    text = str(uuid)
    assert parse_uuid(text) == parse_uuid(text.upper()) == parse_uuid(text.replace("-", ""))


@pytest.mark.parametrize("text", ["", "x", "0" * 31, "0" * 33, "{" + "0" * 32 + "}", "0_" * 16, " " + "0" * 32])
def test_no_uuids(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_uuid(text)


def test_customers_have_ids_of_their_own() -> None:
    assert format_id(customer_id(1)) == "00000000-0000-8000-8000-000000000001"
    assert len({customer_id(number) for number in range(1_000)}) == 1_000
