"""The call's table, pair by pair: what is not listed changes nothing."""

from itertools import product

import pytest

from outdialer.domain.call import CallEvent, CallStatus, apply

EXPECTED = {
    ("dialing", "ringing"): "ringing",
    ("dialing", "answered"): "progressing",
    ("dialing", "hangup_ordered"): "canceling",
    ("dialing", "ended"): "hangup",
    ("ringing", "answered"): "progressing",
    ("ringing", "hangup_ordered"): "canceling",
    ("ringing", "ended"): "hangup",
    ("progressing", "hangup_ordered"): "terminating",
    ("progressing", "ended"): "hangup",
    ("canceling", "ended"): "hangup",
    ("terminating", "ended"): "hangup",
}


@pytest.mark.parametrize(("status", "event"), list(product(CallStatus, CallEvent)))
def test_every_pair(status: CallStatus, event: CallEvent) -> None:
    assert apply(status, event) == EXPECTED.get((status.value, event.value))


@pytest.mark.parametrize("event", CallEvent)
def test_hangup_is_terminal(event: CallEvent) -> None:
    assert apply(CallStatus.HANGUP, event) is None


@pytest.mark.parametrize("status", [status for status in CallStatus if status != CallStatus.HANGUP])
def test_every_living_call_can_end(status: CallStatus) -> None:
    assert apply(status, CallEvent.ENDED) is CallStatus.HANGUP


def test_an_answer_that_crosses_the_cancel_does_not_revive_the_call() -> None:
    assert apply(CallStatus.CANCELING, CallEvent.ANSWERED) is None


def test_the_words_clients_see() -> None:
    words = ["dialing", "ringing", "progressing", "terminating", "canceling", "hangup"]
    assert [status.value for status in CallStatus] == words
