"""The attempt's table, pair by pair: what is not listed changes nothing."""

from itertools import product

import pytest

from outdialer.domain.attempt import AttemptEvent, AttemptStatus, apply

EXPECTED = {
    ("dialing", "answered"): "progressing",
    ("dialing", "ended"): "done",
    ("dialing", "not_sent"): "done",
    ("dialing", "unresolved"): "done",
    ("progressing", "ended"): "done",
    ("progressing", "unresolved"): "done",
}


@pytest.mark.parametrize(("status", "event"), list(product(AttemptStatus, AttemptEvent)))
def test_every_pair(status: AttemptStatus, event: AttemptEvent) -> None:
    assert apply(status, event) == EXPECTED.get((status.value, event.value))


@pytest.mark.parametrize("event", AttemptEvent)
def test_done_is_terminal(event: AttemptEvent) -> None:
    assert apply(AttemptStatus.DONE, event) is None


def test_an_answered_attempt_was_sent() -> None:
    assert apply(AttemptStatus.PROGRESSING, AttemptEvent.NOT_SENT) is None


def test_the_words_clients_see() -> None:
    assert [status.value for status in AttemptStatus] == ["dialing", "progressing", "done"]
