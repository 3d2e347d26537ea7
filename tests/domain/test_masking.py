from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.masking import masked_address, masked_document, masked_number, masked_text

MASKED = [
    ("+12025550123", "+1********23"),
    ("+442079460123", "+44********23"),
    ("+353201234567", "+353*******67"),
    ("+77001234567", "+7********67"),
    ("+1 (202) 555-0123", "+1********23"),
    ("12025550123", "*********23"),
    ("+1202555", "+1****55"),
    ("sip:jane@127.0.0.1:5060", "sip:***@127.0.0.1:5060"),
    ("sip:+12025550123@host.example;user=phone?x=+12025550123", "sip:***@host.example"),
    ("SIPS:a@b", "SIPS:***@b"),
    ("sip:12025550123", "sip:***"),
    ("tel:+12025550123;phone-context=x", "tel:+1********23"),
    ("2001", "***"),
    ("jane", "***"),
    ("", ""),
    ("0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001", "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"),
]


@pytest.mark.parametrize(("text", "shown"), MASKED)
def test_an_address_is_masked(text: str, shown: str) -> None:
    assert masked_address(text) == shown


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_masked_number_tells_its_country_its_length_and_two_digits(number: str) -> None:
    masked = masked_number(number)
    assert len(masked) == len(number)
    assert masked[-2:] == number[-2:]
    assert masked.count("*") >= len(number) - 1 - 3 - 2
    assert masked.rstrip("0123456789").rstrip("*") in number[:4]


@given(
    st.recursive(
        st.just("+12025550123") | st.just("sip:jane@host"),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["target", "data", "option"]), inner),
    )
)
def test_no_depth_hides_a_number(document: Any) -> None:
    masked = str(masked_document(document))
    assert "2025550123" not in masked
    assert "jane" not in masked


def test_what_is_no_address_stays() -> None:
    document = {
        "id": "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001",
        "tm_create": "2026-01-15T09:30:00.123456Z",
        "old": "2022-04-29 07:01:45.808944",
        "detail": "call after 16:30 on 2026-01-15, or in 100 200 s; flat 12, 1.500.000 steps",
        "target_name": "Jane",
        "version": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "next_page_token": "2026-01-15T09:30:00.123456Z_0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001",
        "url": "https://prompts.example/2026/hello.wav",
        "tries": 12025550123,
        "none": None,
    }
    assert masked_document(document) == document


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (
            '{"phone":"+12025550123","n":[5,12025550123],"+12025550123":1}',
            '{"phone":"+1********23","n":[5,"*********23"],"+1********23":1}',
        ),
        ('[ "sip:jane@host" ]', '["sip:***@host"]'),
        ('{"ref": "\\ud800"}', '{"ref":"\\ud800"}'),
        ("{12025550123", "***"),
        ("[" * 100_000, "***"),
        ("[" + "9" * 5_000 + "]", "***"),
        ("prefers the evening", "prefers the evening"),
        ("", ""),
    ],
    ids=range(8),
)
def test_numbers_in_the_json_of_free_data_are_masked(data: str, shown: str) -> None:
    assert masked_document({"data": data}) == {"data": shown}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +12025550123 after six", "call +1********23 after six"),
        ("+1 (202) 555-0123 or 2025550123.", "+1********23 or ********23."),
        ("at 202-555-0123/202.555.0124", "at ********23/********24"),
        ("(202) 555-0123", "********23"),
        ("12025550123,12025550124;tel:+12025550125", "*********23,*********24;tel:+1********25"),
        ("12 34 56 12025550123 x", "***************23 x"),
        ("202-555-0123 202-555-0124x5", "******************24x5"),
        ("write to sip:jane@host.example, please", "write to sip:***@host.example, please"),
        (
            "https://crm.example/contact/12025550123?n=+12025550123",
            "https://crm.example/contact/*********23?n=+1********23",
        ),
        ("https://user:word@prompts.example/a.wav", "https://***@prompts.example/a.wav"),
        ("since 2026-01-15 09:30 12025550123", "since 2026-01-15 09:30 *********23"),
        ("tel +1.202.555.0123x5", "tel +1********23x5"),
    ],
)
def test_a_number_inside_of_a_text_is_masked(text: str, shown: str) -> None:
    assert masked_text(text) == shown
    assert masked_document({"name": text, "option": [{text: [text]}]}) == {"name": shown, "option": [{shown: [shown]}]}


def test_a_number_without_quotes_in_a_field_for_addresses() -> None:
    assert masked_document({"option": {"target": 12025550123, "duration": 1_000}}) == {
        "option": {"target": "*********23", "duration": 1_000}
    }


@given(st.text(), st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text())
def test_no_text_around_a_number_saves_it(before: str, number: str, after: str) -> None:
    around = f"{before} {number} {after}"
    assert number not in masked_text(around)


@given(st.text(alphabet="0123456789-.()/ +:@T", max_size=200))
def test_masking_a_text_again_changes_nothing_that_matters(text: str) -> None:
    masked = masked_text(text)
    assert masked_text(masked) == masked
