"""References in the options of actions."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outdialer.flow.variables import has_references, substitute

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_a_reference_becomes_its_value() -> None:
    values = {"voipbin.outdialtarget.name": "Jo", "x": "1"}
    assert substitute("Hello ${voipbin.outdialtarget.name}!", values) == "Hello Jo!"
    assert substitute("${x}${x}-${x}", values) == "11-1"
    assert substitute("${unknown}", values) == ""
    assert substitute("${}", values) == ""


def test_what_is_no_reference_stays() -> None:
    for text in ("$x", "{x}", "${x", "$ {x}", "}", "", "100 %"):
        assert substitute(text, {"x": "1"}) == text
        assert not has_references(text)


def test_a_value_is_not_looked_at_again() -> None:
    assert substitute("${a}", {"a": "${b}", "b": "no"}) == "${b}"


def test_references_deep_in_an_option_are_replaced_and_the_rest_keeps_its_type() -> None:
    option = {"stream_urls": ["a.wav", "${f}"], "n": 5, "on": True, "none": None, "deep": {"x": ["${f}"]}}
    assert has_references(option)
    assert substitute(option, {"f": "b.wav"}) == {
        "stream_urls": ["a.wav", "b.wav"],
        "n": 5,
        "on": True,
        "none": None,
        "deep": {"x": ["b.wav"]},
    }
    assert option["stream_urls"] == ["a.wav", "${f}"], "the option itself is left alone"


def test_keys_are_not_replaced() -> None:
    assert substitute({"${k}": 1}, {"k": "x"}) == {"${k}": 1}
    assert not has_references({"${k}": 1})


@given(value=JSON, variables=st.dictionaries(st.text(), st.text()))
def test_a_value_without_references_is_returned_equal(value: Any, variables: dict[str, str]) -> None:
    if not has_references(value):
        assert substitute(value, variables) == value


@given(value=JSON)
def test_with_no_variables_no_reference_is_left(value: Any) -> None:
    assert not has_references(substitute(value, {})) or "${" in repr(value)
