"""Reading, normalising and refusing destinations. The numbers are fictional, or ones that are refused."""

from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.numbers import (
    LONGEST_EMERGENCY_NUMBER,
    DestinationError,
    _emergency_numbers,
    normalise,
    person_key,
    refusal,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+12025550123", "+12025550123"),
        ("  +1 (202) 555-0123 ", "+12025550123"),
        ("+1.202.555.0123", "+12025550123"),
        ("+1/202/555/0123", "+12025550123"),
        ("+1234567", "+1234567"),
        ("+123456789012345", "+123456789012345"),
        ("sip:bob@example.com", "sip:bob@example.com"),
        ("SIP:Bob@Example.COM:05060;Transport=UDP", "sip:Bob@example.com:5060;transport=udp"),
        ("sips:bob@example.com", "sips:bob@example.com"),
        ("bob@127.0.0.1:5070", "sip:bob@127.0.0.1:5070"),
        ("sip:[::1]:5060", "sip:[::1]:5060"),
        ("sip:example.com", "sip:example.com"),
        ("sip:+12025550123@example.com;user=phone", "sip:+12025550123@example.com;user=phone"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "12025550123",
        "+123456",
        "+1234567890123456",
        "+02025550123",
        "+1202555012x",
        "+1202555\u0660123",
        "tel:+12025550123",
        "tel:911",
        "http://example.com",
        "sip:",
        "sip:@example.com",
        "sip:bob@",
        "sip:bob@example.com:0",
        "sip:bob@example.com:65536",
        "sip:bob@example.com:x",
        "sip:bob:secret@example.com",
        "sip:bob@exa mple.com",
        "sip:bob@example.com\r\nVia: x",
        "sip:bob@example.com?Route=x",
        "sip:" + "b" * 252 + "@h",
        "@",
        "sip:bob@evil@example.com",
    ],
)
def test_what_is_no_destination(text: str) -> None:
    with pytest.raises(DestinationError):
        normalise(text)


def test_what_was_written_is_named_as_it_was_written() -> None:
    with pytest.raises(DestinationError, match=r"^'mailto:ada@' is not"):
        normalise("mailto:ada@")


def test_the_length_that_is_allowed() -> None:
    longest = "sip:b@" + "h" * 249
    assert normalise(longest) == longest
    with pytest.raises(DestinationError, match="longer than 255"):
        normalise(longest + "h")


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_and_nothing_else_is_raised(text: str) -> None:
    try:
        once = normalise(text)
    except DestinationError:
        return
    assert normalise(once) == once
    assert refusal(once) in ("", refusal(once))
    assert person_key(once)


@given(st.text(alphabet="sip:+0123456789@.;-%[]ab", max_size=30))
def test_texts_that_look_like_destinations(text: str) -> None:
    test_normalising_twice_changes_nothing_and_nothing_else_is_raised.hypothesis.inner_test(text)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("destination", "key"),
    [
        ("+12025550123", "+12025550123"),
        ("sip:+12025550123@example.com", "+12025550123"),
        ("sips:+12025550123@other.example:5061;user=phone", "+12025550123"),
        ("sip:+1-202-555-0123@example.com", "+12025550123"),
        ("sip:%2B12025550123@example.com", "+12025550123"),
        ("sip:+12025550123;ext=1@example.com", "+12025550123"),
        ("sip:bob@example.com;transport=udp", "sip:bob@example.com"),
        ("sip:bob;a=1@example.com;transport=udp", "sip:bob;a=1@example.com"),
        ("sip:bob@example.com:5070", "sip:bob@example.com:5070"),
        ("sip:1001@example.com", "sip:1001@example.com"),
        ("sip:example.com", "sip:example.com"),
    ],
)
def test_who_is_behind_a_destination(destination: str, key: str) -> None:
    assert person_key(destination) == key


@pytest.mark.parametrize("suffix", range(100))
def test_fictional_numbers_may_be_dialled(suffix: int) -> None:
    number = f"+120255501{suffix:02}"
    assert refusal(number) == ""
    assert refusal(f"sip:{number}@127.0.0.1") == ""


@pytest.mark.parametrize(
    "destination",
    [
        "sip:bob@example.com",
        "sip:example.com",
        "sip:10.0.0.1",
        "sip:1.1.1.2:5060",
        "sip:[::1]:5060",
        "sip:1001@127.0.0.1",
        "sip:1@127.0.0.1",
        "sip:00@127.0.0.1",
        "sip:9-1-1-bob@127.0.0.1",
    ],
)
def test_ordinary_uris_may_be_dialled(destination: str) -> None:
    assert refusal(normalise(destination)) == ""


EMERGENCY = ["911", "112", "999", "000", "110", "119", "100", "101", "108", "190"]


@pytest.mark.parametrize("user", EMERGENCY)
@pytest.mark.parametrize("form", ["sip:{}@127.0.0.1", "sips:{}@gw.example:5061", "sip:{};x=1@h", "sip:{}"])
def test_emergency_numbers_are_refused_in_every_form(user: str, form: str) -> None:
    assert refusal(normalise(form.format(user))) == "emergency numbers are never dialled"


@pytest.mark.parametrize(
    "user", ["+1911", "1911", "+44999", "+49112", "9-1-1", "(911)", "9.1.1", "%39%31%31", "9%2D1%2D1", "0044999"]
)
def test_emergency_numbers_are_refused_however_they_are_written(user: str) -> None:
    assert refusal(normalise(f"sip:{user}@127.0.0.1")) == "emergency numbers are never dialled"


@pytest.mark.parametrize(
    "user",
    [
        *["%20911", "9%2011", "911%00", "%09911", "%2539%2531%2531", "911%E2%80%8B", "9/11", "'911'", "911!", "911%23"],
        *["911,1", "911;x=1", "911%2C1", "911?x=y", "911&", "911=", "911p1", "911w", "tel%3A911", "SIP%3a911"],
        *["*911", "*67911", "*67*911", "%2331%23911", "9911", "0112", "9-911", "+1%20911"],
    ],
)
def test_emergency_numbers_are_refused_behind_marks_codes_and_blanks(user: str) -> None:
    """A far end may take any of these for the number in it."""
    assert refusal(f"sip:{user}@127.0.0.1") == "emergency numbers are never dialled"


def test_a_host_is_no_emergency_number_because_of_its_dots() -> None:
    assert refusal("sip:911.") == "emergency numbers are never dialled"
    assert refusal("sip:1.1.2.0") == ""


def test_no_emergency_number_is_longer_than_those_that_are_looked_up() -> None:
    _shortest, longest = import_module("re._parser").parse(_emergency_numbers().pattern).getwidth()
    assert longest == LONGEST_EMERGENCY_NUMBER


PREMIUM = ["+19005550123", "+449098790123", "+499003123456", "+33899123456"]


@pytest.mark.parametrize("number", PREMIUM)
@pytest.mark.parametrize("form", ["{}", "sip:{}@127.0.0.1", "sip:{};phone-context=x@127.0.0.1"])
def test_premium_numbers_are_refused_in_every_form(number: str, form: str) -> None:
    assert refusal(normalise(form.format(number))) == "premium-rate numbers are never dialled"


@pytest.mark.parametrize("prefix", ["", "00", "011"])
@pytest.mark.parametrize("number", PREMIUM)
def test_premium_numbers_are_refused_behind_an_international_prefix(number: str, prefix: str) -> None:
    user = prefix + number.removeprefix("+")
    assert refusal(f"sip:{user}@127.0.0.1") == "premium-rate numbers are never dialled"


@pytest.mark.parametrize(
    "user", ["+1-900-555-0123", "1.900.555.0123", "%2B19005550123", "1%20900%205550123", "*6719005550123"]
)
def test_premium_numbers_are_refused_however_they_are_written(user: str) -> None:
    assert refusal(normalise(f"sip:{user}@127.0.0.1")) == "premium-rate numbers are never dialled"


def test_a_trunk_prefix_is_no_country_code() -> None:
    """0 49 900... is a national number behind a 0, not Germany's +49 900..."""
    assert refusal("sip:0499003123456@127.0.0.1") == ""


def test_international_premium_rate_numbers_are_refused() -> None:
    assert refusal("+979123456789") == "premium-rate numbers are never dialled"
