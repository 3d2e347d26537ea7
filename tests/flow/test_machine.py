"""The call script machine: ladders of actions and events, and what holds for every script."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.model import Action
from outdialer.domain.units import NIL_ID, Id, format_id
from outdialer.flow.actions import CONDITIONS, EXECUTABLE, MAX_SLEEP_MS, validate_actions
from outdialer.flow.machine import (
    BEEP,
    END_OF_SCRIPT,
    EXECUTABLE_ACTIONS,
    STEPS_WITHOUT_WAITING,
    Begin,
    Command,
    Event,
    Failed,
    Finished,
    FlowState,
    HangUp,
    Play,
    Say,
    Tone,
    Wait,
    step,
)

NOW = 1_800_000_000_000_000


def identified(n: int) -> Id:
    return bytes([0xAA]) * 15 + bytes([n])


def name(n: int) -> str:
    return format_id(identified(n))


def act(kind: str, *, id: int = 0, next: int = 0, **option: Any) -> Action:
    return Action(
        id=identified(id) if id else NIL_ID, next_id=identified(next) if next else NIL_ID, type=kind, option=option
    )


class Ladder:
    """A script, its state and everything it commanded."""

    def __init__(self, *actions: Action, variables: dict[str, str] | None = None) -> None:
        self.script = actions
        self.state = FlowState(variables=variables or {})
        self.commands: list[Command] = []

    def feed(self, event: Event) -> list[Command]:
        self.state, commands = step(self.script, self.state, event, NOW)
        self.commands += commands
        return list(commands)

    def begin(self) -> list[Command]:
        return self.feed(Begin())

    def finish(self) -> list[Command]:
        """What was last begun is over."""
        return self.feed(Finished(self.state.order))

    def play_out(self, steps: int = 5_000) -> list[Command]:
        """Answer everything until the script has ended."""
        self.begin()
        for _ in range(steps):
            if self.state.ended:
                return self.commands
            self.finish()
        raise AssertionError("it does not end")


def ending(why: str) -> list[Command]:
    return [HangUp(why=why)]


# Ladders


def test_every_executable_action_has_a_runner_and_the_other_way_round() -> None:
    assert {str(kind) for kind in EXECUTABLE} == EXECUTABLE_ACTIONS


def test_an_empty_script_ends_at_once() -> None:
    assert Ladder().begin() == ending(END_OF_SCRIPT)


def test_talk_is_spoken_and_waited_for() -> None:
    ladder = Ladder(act("talk", text="Hello", language="en-GB", voice_id="alba"))
    assert ladder.begin() == [Say(order=1, text="Hello", language="en-GB", voice="alba")]
    assert ladder.state.waiting
    assert ladder.finish() == ending(END_OF_SCRIPT)
    assert ladder.state.ended


def test_an_asynchronous_talk_is_not_waited_for() -> None:
    ladder = Ladder(act("talk", text="Hello", **{"async": True}), act("sleep", duration=5))
    assert ladder.begin() == [Say(order=1, text="Hello"), Wait(order=2, length_ms=5)]
    assert ladder.feed(Finished(1)) == [], "its end is nobody's business"
    assert ladder.feed(Finished(2)) == ending(END_OF_SCRIPT)


def test_an_asynchronous_talk_that_fails_fails_nothing() -> None:
    ladder = Ladder(act("talk", text="Hello", **{"async": True}), act("sleep", duration=5))
    ladder.begin()
    assert ladder.feed(Failed(1, "no voice")) == []
    assert not ladder.state.ended


def test_play_beep_and_sleep_wait_each() -> None:
    ladder = Ladder(act("play", stream_urls=["a.wav", "b.wav"]), act("beep"), act("sleep", duration=700))
    assert ladder.begin() == [Play(order=1, sources=("a.wav", "b.wav"))]
    assert ladder.finish() == [Tone(order=2, tones=BEEP)]
    assert ladder.finish() == [Wait(order=3, length_ms=700)]
    assert ladder.finish() == ending(END_OF_SCRIPT)


def test_hangup_ends_the_script_with_its_reason() -> None:
    assert Ladder(act("hangup"), act("beep")).begin() == ending("hangup")
    assert Ladder(act("hangup", reason="busy")).begin() == ending("busy")
    assert Ladder(act("stop"), act("beep")).begin() == ending("stop")


def test_answer_takes_no_time() -> None:
    assert Ladder(act("answer"), act("answer"), act("beep")).begin() == [Tone(order=1, tones=BEEP)]


def test_next_id_chooses_what_follows() -> None:
    ladder = Ladder(act("beep", next=3), act("hangup", reason="never"), act("hangup", id=3, reason="here"))
    ladder.begin()
    assert ladder.finish() == ending("here")


def test_goto_jumps_as_often_as_told_and_goes_on() -> None:
    ladder = Ladder(act("beep", id=1), act("goto", target_id=name(1), loop_count=2), act("hangup", reason="after"))
    commands = ladder.play_out()
    assert [type(command) for command in commands] == [Tone, Tone, Tone, HangUp]
    assert commands[-1] == HangUp(why="after")


def test_goto_without_a_count_does_not_jump() -> None:
    ladder = Ladder(act("goto", target_id=name(2)), act("hangup", reason="straight on"), act("beep", id=2))
    assert ladder.begin() == ending("straight on")


def test_a_script_that_goes_in_circles_without_waiting_fails() -> None:
    ladder = Ladder(act("answer", id=1, next=1))
    assert ladder.begin() == ending("flow-failed")
    assert str(STEPS_WITHOUT_WAITING) in ladder.state.error


def test_a_circle_that_waits_may_go_on() -> None:
    ladder = Ladder(act("sleep", id=1, next=1, duration=1))
    ladder.begin()
    for _ in range(STEPS_WITHOUT_WAITING * 2):
        assert [type(command) for command in ladder.finish()] == [Wait]


@pytest.mark.parametrize(
    "bad",
    [
        act("goto", target_id=name(9), loop_count=1),
        act("goto", target_id="", loop_count=1),
        act("goto", target_id=format_id(NIL_ID), loop_count=1),
        act("beep", next=9),
        act("branch", variable="x"),
        act("condition_variable", variable="a", condition="==", value_string="b"),
        act("condition_datetime", condition="==", hour=3, minute=-1, false_target_id=name(9)),
    ],
)
def test_a_jump_to_nowhere_fails_the_script(bad: Action) -> None:
    ladder = Ladder(bad, act("answer"))
    assert ladder.begin()[-1] == HangUp(why="flow-failed")
    assert ladder.state.ended
    assert ladder.state.error


def test_a_failed_prompt_fails_the_script() -> None:
    ladder = Ladder(act("play", stream_urls=["a.wav"]), act("beep"))
    ladder.begin()
    assert ladder.feed(Failed(1, "no such file")) == ending("flow-failed")
    assert ladder.state.error == "no such file"


def test_branch_follows_the_variable_and_forgets_it() -> None:
    def decide(digits: str) -> Ladder:
        ladder = Ladder(
            act("branch", target_ids={"1": name(1), "2": name(2)}, default_target_id=name(3)),
            act("hangup", id=1, reason="one"),
            act("hangup", id=2, reason="two"),
            act("hangup", id=3, reason="other"),
            variables={"voipbin.call.digits": digits},
        )
        ladder.begin()
        return ladder

    assert [decide(digits).commands for digits in ("1", "2", "9", "")] == [
        ending("one"),
        ending("two"),
        ending("other"),
        ending("other"),
    ]
    assert decide("1").state.variables["voipbin.call.digits"] == ""


def test_branch_may_look_at_any_variable() -> None:
    ladder = Ladder(
        act("branch", variable="lang", target_ids={"fr": name(1)}, default_target_id=name(2)),
        act("hangup", id=2, reason="english"),
        act("hangup", id=1, reason="french"),
        variables={"lang": "fr"},
    )
    assert ladder.begin() == ending("french")


def test_variables_are_set_and_spoken() -> None:
    ladder = Ladder(
        act("variable_set", key="who", value="${name} Smith"),
        act("talk", text="Hello ${who}"),
        variables={"name": "Jo"},
    )
    assert ladder.begin() == [Say(order=1, text="Hello Jo Smith")]


def test_conditions_fall_through_or_jump() -> None:
    def decide(value: str) -> list[Command]:
        return Ladder(
            act("condition_variable", variable="${x}", condition="==", value_string="yes", false_target_id=name(2)),
            act("hangup", reason="true"),
            act("hangup", id=2, reason="false"),
            variables={"x": value},
        ).begin()

    assert decide("yes") == ending("true")
    assert decide("no") == ending("false")


def test_the_time_of_day_is_the_machines_now() -> None:
    script = (
        act("condition_datetime", condition="==", hour=8, minute=-1, false_target_id=name(2)),
        act("hangup", reason="eight"),
        act("hangup", id=2, reason="another hour"),
    )
    at_eight = NOW // 86_400_000_000 * 86_400_000_000 + 8 * 3_600_000_000
    assert step(script, FlowState(), Begin(), at_eight)[1] == (HangUp(why="eight"),)
    assert step(script, FlowState(), Begin(), at_eight + 3_600_000_000)[1] == (HangUp(why="another hour"),)


# Events that come late, twice or from elsewhere


def test_begin_counts_once() -> None:
    ladder = Ladder(act("sleep", duration=1), act("beep"))
    ladder.begin()
    assert ladder.begin() == []
    ladder.finish()
    assert ladder.begin() == []


def test_nothing_happens_before_the_beginning_or_after_the_end() -> None:
    ladder = Ladder(act("beep"))
    assert ladder.feed(Finished(0)) == []
    assert ladder.feed(Failed(0, "x")) == []
    ladder.play_out()
    ended = ladder.state
    for event in (Begin(), Finished(1), Finished(2), Failed(1, "x")):
        assert ladder.feed(event) == []
        assert ladder.state is ended


@pytest.mark.parametrize("order", [0, 1, 3, -1])
def test_an_answer_to_another_command_changes_nothing(order: int) -> None:
    ladder = Ladder(act("beep"), act("beep"), act("beep"))
    ladder.begin()
    ladder.finish()
    assert ladder.state.order == 2
    before = ladder.state
    assert ladder.feed(Finished(order)) == []
    assert ladder.feed(Failed(order, "late")) == []
    assert ladder.state == before


# Every script

IDS = st.integers(0, 6)
NAMES = st.sampled_from(["", *(name(n) for n in range(1, 8))])
WORDS = st.sampled_from(["1", "yes", "Hello", "${x}", "${voipbin.call.digits}", " 12 ", "nan", "inf", "1e400"])
OPTIONS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "answer": st.just({}),
    "beep": st.just({}),
    "stop": st.just({}),
    "talk": st.fixed_dictionaries({"text": WORDS}, optional={"async": st.booleans(), "voice_id": WORDS}),
    "play": st.fixed_dictionaries({"stream_urls": st.lists(WORDS, min_size=1, max_size=3)}),
    "sleep": st.fixed_dictionaries({"duration": st.integers(0, MAX_SLEEP_MS)}),
    "hangup": st.fixed_dictionaries({}, optional={"reason": WORDS}),
    "goto": st.fixed_dictionaries({"target_id": NAMES}, optional={"loop_count": st.integers(0, 4)}),
    "branch": st.fixed_dictionaries(
        {"target_ids": st.dictionaries(WORDS, NAMES, max_size=2)},
        optional={"variable": st.sampled_from(["x", "y", ""]), "default_target_id": NAMES},
    ),
    "variable_set": st.fixed_dictionaries({"key": st.sampled_from(["x", "y"])}, optional={"value": WORDS}),
    "condition_variable": st.fixed_dictionaries(
        {"condition": st.sampled_from(CONDITIONS), "variable": WORDS},
        optional={
            "value_type": st.sampled_from(["string", "number", "length"]),
            "value_string": WORDS,
            "value_number": st.floats() | st.integers(),
            "value_length": st.integers(0, 9),
            "false_target_id": NAMES,
        },
    ),
    "condition_datetime": st.fixed_dictionaries(
        {"condition": st.sampled_from(CONDITIONS)},
        optional={
            "minute": st.integers(-1, 59),
            "hour": st.integers(-1, 23),
            "day": st.integers(-1, 31),
            "month": st.integers(-1, 12),
            "weekdays": st.lists(st.integers(0, 6), max_size=3),
            "false_target_id": NAMES,
        },
    ),
}


@st.composite
def scripts(draw: st.DrawFn) -> tuple[Action, ...]:
    """Lists of actions that the REST side would take; jumps may well lead nowhere or in circles."""
    kinds = draw(st.lists(st.sampled_from(sorted(OPTIONS)), max_size=7))
    actions = tuple(
        Action(
            id=identified(n),
            next_id=identified(draw(st.integers(1, 8))) if draw(st.integers(0, 5)) == 0 else NIL_ID,
            type=kind,
            option=draw(OPTIONS[kind]),
        )
        for n, kind in enumerate(kinds, start=1)
    )
    assert validate_actions(actions) == []
    return actions


def test_the_drawn_scripts_know_every_action() -> None:
    assert set(OPTIONS) == EXECUTABLE_ACTIONS


@given(script=scripts(), answers=st.lists(st.booleans(), max_size=20))
def test_every_script_ends_or_waits_and_survives_as_json(script: tuple[Action, ...], answers: list[bool]) -> None:
    state = FlowState(variables={"x": "1"})
    event: Event = Begin()
    orders: list[int] = []
    for good in [True, *answers]:
        again = msgspec.json.decode(msgspec.json.encode(state), type=FlowState)
        after, commands = step(script, state, event, NOW)
        assert step(script, again, event, NOW) == (after, commands), "a restart in between changes nothing"
        assert len(commands) <= STEPS_WITHOUT_WAITING + 1
        assert after.waiting != after.ended, "it waits or it has ended"
        orders += [command.order for command in commands if not isinstance(command, HangUp)]
        assert orders == list(range(1, len(orders) + 1)), "every command has its own number, in order"
        hang_ups = [command for command in commands if isinstance(command, HangUp)]
        assert len(hang_ups) == after.ended
        assert (bool(after.error)) == (after.ended and hang_ups[0].why == "flow-failed") or not after.error
        _late_events_change_nothing(script, after)
        if after.ended:
            assert commands[-1] == hang_ups[0], "the last command of a script"
            return
        state, event = after, Finished(after.order) if good else Failed(after.order, "broken")
        if not good:
            ended, last = step(script, state, event, NOW)
            assert last == (HangUp(why="flow-failed"),)
            assert ended.error == "broken"
            return


def _late_events_change_nothing(script: tuple[Action, ...], state: FlowState) -> None:
    late: list[Event] = [Begin(), Finished(state.order - 1), Finished(state.order + 1), Failed(state.order + 1, "x")]
    if state.ended:
        late += [Finished(state.order), Failed(state.order, "x")]
    for event in late:
        assert step(script, state, event, NOW) == (state, ())
