"""The state tables: complete where they must be, and nothing in them is dead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.carriers.sip.core import call, call_table, transaction
from outdialer.carriers.sip.core.call_table import TABLE, Do, Input, State
from outdialer.carriers.sip.core.timers import Timers
from outdialer.carriers.sip.core.transaction import INVITE_TABLE, OTHER_TABLE

LIVING = [state for state in State if state is not State.OVER]


@pytest.mark.parametrize("state", LIVING)
def test_every_state_of_a_call_can_be_left_without_the_far_end(state: State) -> None:
    """By an order, a timer, or a refused address: no call waits for the far end alone, but an unaccepted answer."""
    ours = {Input.GIVE_UP, Input.SILENCE, Input.PATIENCE, Input.BYE_SILENCE}
    assert any((state, event) in TABLE and TABLE[state, event][0] is not state for event in ours)


@pytest.mark.parametrize("state", [state for state in LIVING if state is not State.ANSWERED])
def test_a_refused_address_ends_a_call_in_any_state(state: State) -> None:
    assert TABLE[state, Input.UNREACHABLE][0] is State.OVER


def test_over_is_final_and_says_so_exactly_once() -> None:
    assert not any(state is State.OVER for state, _ in TABLE)
    for (state, event), (following, actions) in TABLE.items():
        last_words = [action for action in actions if action in (Do.END, Do.FORGET)]
        assert len(last_words) == (following is State.OVER), (state, event)
        assert not last_words or actions[-1] is last_words[0]


def test_only_calls_of_an_earlier_life_end_without_a_word() -> None:
    silent = {state for (state, _), (_, actions) in TABLE.items() if Do.FORGET in actions}
    assert silent == {State.RECALLING, State.LATE, State.CLEARING}


def test_an_answer_is_taken_or_ended_wherever_a_call_can_be_answered() -> None:
    for state in (State.CALLING, State.EARLY, State.HELD, State.CANCELLING, State.RECALLING):
        _, actions = TABLE[state, Input.ANSWER]
        assert {Do.SAY_ANSWERED, Do.SAY_LATE} & set(actions) or actions[-2:] == (Do.BYE, Do.ACK)


def test_whatever_is_ended_and_acknowledged_at_once_is_ended_first() -> None:
    both = [actions for _, actions in TABLE.values() if {Do.ACK, Do.BYE} <= set(actions)]
    assert len(both) == 5
    assert all(actions.index(Do.BYE) < actions.index(Do.ACK) for actions in both)


def test_a_late_answer_is_ended_before_it_is_acknowledged() -> None:
    assert TABLE[State.LATE, Input.ACCEPT] == TABLE[State.LATE, Input.PATIENCE]
    assert TABLE[State.LATE, Input.ACCEPT] == (State.CLEARING, (Do.BYE, Do.ACK))


def test_every_word_of_the_table_is_used() -> None:
    assert {event for _, event in TABLE} == set(Input)
    assert {action for _, actions in TABLE.values() for action in actions} == set(Do) == set(call._ACTIONS)
    assert {state for state, _ in TABLE} | {State.OVER} == set(State)
    assert call_table.TABLE is TABLE


@pytest.mark.parametrize("table", [INVITE_TABLE, OTHER_TABLE])
def test_a_transaction_ends_by_its_own_timers(table: transaction.Table) -> None:
    assert table[transaction.State.CALLING, transaction.Input.GIVE_UP][0] is transaction.State.TERMINATED
    for state, event in table:
        assert state is not transaction.State.TERMINATED, event
    for final in {following for following, _ in table.values()} & {
        transaction.State.COMPLETED,
        transaction.State.ACCEPTED,
    }:
        assert table[final, transaction.Input.FORGET][0] is transaction.State.TERMINATED


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60), st.lists(st.floats(0, 100), max_size=10))
def test_timers_fire_once_in_order_and_never_early(armed: list[tuple[float, bool]], looks: list[float]) -> None:
    timers, fired = Timers(), []
    started = []
    for when, _ in armed:
        started.append(timers.start(when, lambda now, when=when: fired.append((when, now))))  # type: ignore[misc]
    for timer, (_, stop) in zip(started, armed, strict=True):
        if stop:
            timers.stop(timer)
            timers.stop(timer)
    for now in sorted(looks):
        timers.run(now)
        deadline = timers.next_deadline()
        assert deadline is None or deadline > now
    timers.run(101)
    assert [when for when, _ in fired] == sorted(when for when, stop in armed if not stop)
    assert all(now >= when for when, now in fired)
    assert len(timers) == 0
    assert timers.next_deadline() is None


def test_stopped_timers_do_not_pile_up() -> None:
    timers = Timers()
    for number in range(50_000):
        timers.stop(timers.start(1_000 + number, lambda now: None))
    assert len(timers._heap) < 2_500
