from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.model import Action
from outdialer.flow.actions import EXECUTABLE, MAX_ACTIONS, ActionType, ProblemKind, validate_actions
from outdialer.flow.machine import EXECUTABLE_ACTIONS

ID = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
GOOD: dict[str, list[dict[str, Any]]] = {
    "talk": [
        {"text": "Hello"},
        {"text": "x" * 5_000, "language": "en-US", "digits_handle": "next", "async": True, "gender": 5},
    ],
    "play": [{"stream_urls": ["file.wav"]}, {"stream_urls": ["http://127.0.0.1/a.wav"] * 100}],
    "sleep": [{"duration": 0}, {"duration": 3_600_000}],
    "hangup": [{}, {"reason": "busy", "reference_id": ID}],
    "beep": [{}, {"anything": {}}],
    "answer": [{}],
    "stop": [{}],
    "goto": [{"target_id": ID}, {"target_id": ID, "loop_count": 1_000}],
    "branch": [{}, {"variable": "x", "default_target_id": "", "target_ids": {"1": ID, "2": ID}}],
    "variable_set": [{"key": "a"}, {"key": "a", "value": ""}],
    "condition_variable": [
        {"condition": "==", "variable": "${x}", "value_type": "number", "value_number": 1.5, "false_target_id": ID},
        {"condition": ">=", "variable": "", "value_length": 3},
    ],
    "condition_datetime": [
        {"condition": "<", "hour": 17, "minute": -1, "day": 0, "month": 12, "weekdays": [0, 6]},
    ],
}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("talk", {}, "text"),
    ("talk", {"text": None}, "text"),
    ("talk", {"text": ""}, "text"),
    ("talk", {"text": "  "}, "text"),
    ("talk", {"text": "x" * 5_001}, "text"),
    ("talk", {"text": ["a"]}, "text"),
    ("talk", {"text": "a", "digits_handle": "prev"}, "digits_handle"),
    ("talk", {"text": "a", "async": "yes"}, "async"),
    ("talk", {"text": "a", "language": 1}, "language"),
    ("play", {}, "stream_urls"),
    ("play", {"stream_urls": []}, "stream_urls"),
    ("play", {"stream_urls": "a.wav"}, "stream_urls"),
    ("play", {"stream_urls": ["a.wav", 5]}, "stream_urls"),
    ("play", {"stream_urls": [""]}, "stream_urls"),
    ("sleep", {}, "duration"),
    ("sleep", {"duration": -1}, "duration"),
    ("sleep", {"duration": 3_600_001}, "duration"),
    ("sleep", {"duration": True}, "duration"),
    ("sleep", {"duration": 1.5}, "duration"),
    ("hangup", {"reference_id": "x"}, "reference_id"),
    ("goto", {}, "target_id"),
    ("goto", {"target_id": 5}, "target_id"),
    ("goto", {"target_id": ID, "loop_count": -1}, "loop_count"),
    ("branch", {"target_ids": [ID]}, "target_ids"),
    ("branch", {"target_ids": {"1": "x"}}, "target_ids"),
    ("branch", {"variable": 1}, "variable"),
    ("variable_set", {"value": "a"}, "key"),
    ("variable_set", {"key": "a", "value": 1}, "value"),
    ("condition_variable", {"variable": "a"}, "condition"),
    ("condition_variable", {"condition": "=", "variable": "a"}, "condition"),
    ("condition_variable", {"condition": "=="}, "variable"),
    ("condition_variable", {"condition": "==", "variable": "a", "value_number": "1"}, "value_number"),
    ("condition_variable", {"condition": "==", "variable": "a", "value_type": "bool"}, "value_type"),
    ("condition_datetime", {"condition": "==", "hour": 24}, "hour"),
    ("condition_datetime", {"condition": "==", "minute": 60}, "minute"),
    ("condition_datetime", {"condition": "==", "weekdays": [7]}, "weekdays"),
]


def test_each_executable_type_has_a_good_example() -> None:
    assert set(GOOD) == set(EXECUTABLE)


@pytest.mark.parametrize(("kind", "option"), [(kind, option) for kind, options in GOOD.items() for option in options])
def test_good_options(kind: str, option: dict[str, Any]) -> None:
    assert validate_actions([Action(type=kind, option=option)]) == []


@pytest.mark.parametrize(("kind", "option", "name"), BAD)
def test_bad_options_name_the_field_and_what_is_right(kind: str, option: dict[str, Any], name: str) -> None:
    problems = validate_actions([Action(type="answer"), Action(type=kind, option=option)])
    assert [problem.field for problem in problems] == [f"actions[1].option.{name}"]
    assert problems[0].kind is ProblemKind.INVALID
    assert "write " in problems[0].message
    assert "missing" in problems[0].message or "cannot be used" in problems[0].message


@pytest.mark.parametrize("kind", ["", "sing", "TALK", "empty", "talk "])
def test_unknown_types(kind: str) -> None:
    problem = validate_actions([Action(type=kind)])[0]
    assert (problem.kind, problem.field) == (ProblemKind.UNKNOWN_TYPE, "actions[0].type")
    assert "talk" in problem.message


@pytest.mark.parametrize("kind", sorted(set(ActionType) - set(EXECUTABLE)))
def test_types_that_do_not_run_yet_are_named(kind: str) -> None:
    problem = validate_actions([Action(type=kind)])[0]
    assert (problem.kind, problem.field) == (ProblemKind.UNAVAILABLE, "actions[0].type")
    assert kind in problem.message


def test_an_id_names_one_action() -> None:
    own = bytes(range(16))
    problems = validate_actions([Action(type="stop", id=own), Action(type="stop"), Action(type="stop", id=own)])
    assert [problem.field for problem in problems] == ["actions[2].id"]


def test_too_many() -> None:
    assert validate_actions([Action(type="stop")] * MAX_ACTIONS) == []
    assert validate_actions([Action(type="stop")] * (MAX_ACTIONS + 1))[0].field == "actions"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(kind=st.sampled_from(sorted(EXECUTABLE)), data=st.data())
def test_any_option_gets_a_verdict(kind: ActionType, data: st.DataObject) -> None:
    names = st.sampled_from([*EXECUTABLE[kind], "other"])
    option = data.draw(st.dictionaries(names, VALUES, max_size=4))
    for problem in validate_actions([Action(type=kind, option=option)], "x"):
        assert problem.field.startswith("x[0].option.")
        assert problem.message


def test_what_is_executable_is_what_the_machine_runs() -> None:
    assert {str(kind) for kind in EXECUTABLE} == EXECUTABLE_ACTIONS
