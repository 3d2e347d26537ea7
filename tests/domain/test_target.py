"""The target's table, pair by pair, and the reason each ending gives."""

from itertools import product

import pytest

from outdialer.domain.target import DONE_REASONS, TABLE, DoneReason, DueReason, TargetEvent, TargetStatus, apply

EXPECTED = {
    ("idle", "claimed"): "progressing",
    ("idle", "exhausted"): "done",
    ("idle", "refused"): "done",
    ("idle", "removed"): "done",
    ("progressing", "succeeded"): "done",
    ("progressing", "retry_later"): "idle",
    ("progressing", "returned"): "idle",
    ("progressing", "exhausted"): "done",
    ("progressing", "refused"): "done",
    ("progressing", "removed"): "done",
}


@pytest.mark.parametrize(("status", "event"), list(product(TargetStatus, TargetEvent)))
def test_every_pair(status: TargetStatus, event: TargetEvent) -> None:
    assert apply(status, event) == EXPECTED.get((status.value, event.value))


@pytest.mark.parametrize("event", TargetEvent)
def test_done_is_terminal(event: TargetEvent) -> None:
    assert apply(TargetStatus.DONE, event) is None


def test_a_live_target_is_not_claimed_twice() -> None:
    assert apply(TargetStatus.PROGRESSING, TargetEvent.CLAIMED) is None


def test_every_event_that_ends_a_target_has_its_reason_and_no_other_has_one() -> None:
    ending = {event for (_, event), status in TABLE.items() if status == TargetStatus.DONE}
    assert set(DONE_REASONS) == ending


def test_done_reasons() -> None:
    assert DONE_REASONS == {
        TargetEvent.SUCCEEDED: DoneReason.SUCCESS,
        TargetEvent.EXHAUSTED: DoneReason.EXHAUSTED,
        TargetEvent.REFUSED: DoneReason.INVALID,
        TargetEvent.REMOVED: DoneReason.REMOVED,
    }


def test_the_words_clients_see() -> None:
    assert [status.value for status in TargetStatus] == ["idle", "progressing", "done"]
    assert [reason.value for reason in DoneReason] == ["", "success", "exhausted", "invalid", "removed"]
    assert [reason.value for reason in DueReason] == ["new", "retry", "returned", "number_live"]
