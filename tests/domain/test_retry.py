"""Which destination is next, and what becomes of a target after an attempt."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.outcome import HangupReason, Outcome, judge, of_not_sent, of_unknown
from outdialer.domain.retry import TargetVerdict, after_attempt, next_destination
from outdialer.domain.target import DueReason, TargetEvent
from tests.domain.worlds import NOW

five = st.lists(st.integers(0, 3), min_size=5, max_size=5)
ENDED = NOW + 123


@given(st.lists(st.sampled_from(["", "+12025550123"]), min_size=5, max_size=5), five, five)
def test_the_lowest_destination_with_tries_left(destinations: list[str], tries: list[int], most: list[int]) -> None:
    usable = [i for i in range(5) if destinations[i] and tries[i] < most[i]]
    assert next_destination(destinations, tries, most) == (min(usable) if usable else None)


@pytest.mark.parametrize(
    ("tries", "max_tries", "index"),
    [
        ((0, 0, 0, 0, 0), (3, 3, 3, 3, 3), 0),
        ((2, 0, 0, 0, 0), (3, 3, 3, 3, 3), 0),
        ((3, 0, 0, 0, 0), (3, 3, 3, 3, 3), 1),
        ((0, 0, 0, 0, 0), (0, 0, 3, 0, 0), 2),
        ((3, 3, 3, 3, 2), (3, 3, 3, 3, 3), 4),
        ((3, 3, 3, 3, 3), (3, 3, 3, 3, 3), None),
        ((4, 0, 0, 0, 0), (3, 0, 0, 0, 0), None),
    ],
)
def test_next_destination(tries: tuple[int, ...], max_tries: tuple[int, ...], index: int | None) -> None:
    assert next_destination(["+12025550123"] * 5, tries, max_tries) == index


def verdict(
    outcome: Outcome, *, tries_left: bool = True, removed: bool = False, redial_answered: bool = True
) -> TargetVerdict:
    return after_attempt(
        outcome,
        ended=ENDED,
        tries_left=tries_left,
        removed=removed,
        try_interval_ms=60_000,
        redial_answered=redial_answered,
    )


SUCCESS = judge(HangupReason.NORMAL, "bye", answered=True)
BUSY = judge(HangupReason.BUSY, "busy", answered=False)
CUT = judge(HangupReason.TIMEOUT, "call-limit", answered=True)
NOT_SENT = of_not_sent("stopped")


@pytest.mark.parametrize(("left", "removed", "redial"), list(product([True, False], repeat=3)))
def test_success_ends_a_target_whatever_else_is_true(left: bool, removed: bool, redial: bool) -> None:
    found = verdict(SUCCESS, tries_left=left, removed=removed, redial_answered=redial)
    assert found == TargetVerdict(TargetEvent.SUCCEEDED)


@pytest.mark.parametrize("outcome", [BUSY, CUT, NOT_SENT, of_unknown(answered=False)])
def test_a_removed_target_is_not_called_again(outcome: Outcome) -> None:
    assert verdict(outcome, removed=True) == TargetVerdict(TargetEvent.REMOVED)


@pytest.mark.parametrize("left", [True, False])
def test_what_was_not_sent_gives_its_try_back_and_is_due_at_once(left: bool) -> None:
    assert verdict(NOT_SENT, tries_left=left) == TargetVerdict(TargetEvent.RETURNED, ENDED, DueReason.RETURNED)


def test_a_destination_that_can_never_be_sent_to_ends_the_target() -> None:
    found = verdict(of_not_sent("bad-destination"), tries_left=True)
    assert found == TargetVerdict(TargetEvent.REFUSED)


@pytest.mark.parametrize("outcome", [BUSY, CUT, of_unknown(answered=True), of_unknown(answered=False)])
def test_a_fail_waits_the_whole_interval_from_the_end(outcome: Outcome) -> None:
    expected = TargetVerdict(TargetEvent.RETRY_LATER, ENDED + 60_000_000, DueReason.RETRY)
    assert verdict(outcome) == expected


@pytest.mark.parametrize("outcome", [BUSY, CUT, of_unknown(answered=False)])
def test_a_target_without_tries_is_done(outcome: Outcome) -> None:
    assert verdict(outcome, tries_left=False) == TargetVerdict(TargetEvent.EXHAUSTED)


@pytest.mark.parametrize("outcome", [CUT, of_unknown(answered=True)])
def test_who_answered_is_left_alone_where_the_outplan_says_so(outcome: Outcome) -> None:
    assert verdict(outcome, redial_answered=False) == TargetVerdict(TargetEvent.EXHAUSTED)
    assert verdict(outcome, redial_answered=True).event is TargetEvent.RETRY_LATER


def test_who_did_not_answer_is_called_again_all_the_same() -> None:
    assert verdict(BUSY, redial_answered=False).event is TargetEvent.RETRY_LATER
