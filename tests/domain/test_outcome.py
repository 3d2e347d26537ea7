"""What an ended call means: every SIP code, every cause, every word the carrier or the engine says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain import outcome as words
from outdialer.domain.outcome import HangupReason, Outcome, Result, judge, of_ended, of_not_sent, of_unknown

BY_CODE = {
    401: "noanswer",
    403: "noanswer",
    407: "noanswer",
    603: "noanswer",
    480: "noanswer",
    483: "noanswer",
    486: "busy",
    600: "busy",
}
"""Every other final answer is ``failed``."""
BY_CAUSE = {17: "busy", 19: "noanswer", 21: "noanswer"}
"""Every other cause is ``failed``; 16 and 26 too, because nobody answered."""


def refused(sip_code: int = 0, q850_cause: int = 0, why: str = "refused") -> Outcome:
    return of_ended(answered=False, local=False, why=why, sip_code=sip_code, q850_cause=q850_cause)


def hung_up(why: str, *, answered: bool, local: bool, sip_code: int = 0, q850_cause: int = 0) -> Outcome:
    return of_ended(answered=answered, local=local, why=why, sip_code=sip_code, q850_cause=q850_cause)


@pytest.mark.parametrize("code", list(range(300, 700)))
def test_every_final_answer_of_an_unanswered_call(code: int) -> None:
    found = refused(code)
    assert found.reason == BY_CODE.get(code, "failed")
    assert found.result is Result.FAIL
    assert not found.answered
    assert found.charged
    assert f"SIP {code}" in found.detail


@pytest.mark.parametrize("cause", range(1, 128))
@pytest.mark.parametrize("code", [0, 486, 503])
def test_a_cause_overrides_the_code(code: int, cause: int) -> None:
    found = refused(code, cause)
    assert found.reason == BY_CAUSE.get(cause, "failed")
    assert found.result is Result.FAIL
    assert f"cause {cause}" in found.detail
    assert f"SIP {code}" in found.detail


def test_no_answer_at_all_is_dialout() -> None:
    found = refused(0, 0, "no-response")
    assert (found.reason, found.detail, found.result) == (HangupReason.DIALOUT, "no-response", Result.FAIL)


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (words.RING_LIMIT, HangupReason.NOANSWER),
        (words.NO_RESPONSE, HangupReason.DIALOUT),
        ("operator", HangupReason.CANCEL),
        ("drain", HangupReason.CANCEL),
        ("", HangupReason.CANCEL),
        (words.CALL_LIMIT, HangupReason.CANCEL),
    ],
)
@pytest.mark.parametrize(("code", "cause"), [(0, 0), (487, 0), (487, 16), (200, 16), (486, 17)])
def test_our_own_hang_up_before_the_answer(why: str, reason: HangupReason, code: int, cause: int) -> None:
    found = hung_up(why, answered=False, local=True, sip_code=code, q850_cause=cause)
    assert (found.reason, found.result, found.detail) == (reason, Result.FAIL, why)


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (words.CALL_LIMIT, HangupReason.TIMEOUT),
        (words.ANSWERING_MACHINE, HangupReason.AMD),
        (words.FLOW_FAILED, HangupReason.FAILED),
        (words.MEDIA_LOST, HangupReason.FAILED),
        ("flow-ended", HangupReason.NORMAL),
        ("operator", HangupReason.NORMAL),
        (words.RING_LIMIT, HangupReason.NORMAL),
        ("", HangupReason.NORMAL),
    ],
)
def test_our_own_hang_up_after_the_answer(why: str, reason: HangupReason) -> None:
    found = hung_up(why, answered=True, local=True, sip_code=200)
    assert (found.reason, found.detail, found.answered) == (reason, why, True)
    assert (found.result is Result.SUCCESS) == (reason is HangupReason.NORMAL)


@pytest.mark.parametrize("why", ["bye", "", words.CALL_LIMIT, words.FLOW_FAILED])
@pytest.mark.parametrize("cause", [0, 16, 17, 41])
def test_the_person_hung_up(why: str, cause: int) -> None:
    found = hung_up(why, answered=True, local=False, sip_code=200, q850_cause=cause)
    assert (found.reason, found.result, found.answered) == (HangupReason.NORMAL, Result.SUCCESS, True)


@given(st.booleans(), st.text(max_size=20), st.integers(0, 999), st.integers(0, 300))
def test_an_unanswered_call_is_never_normal(local: bool, why: str, code: int, cause: int) -> None:
    found = hung_up(why, answered=False, local=local, sip_code=code, q850_cause=cause)
    assert found.reason not in (HangupReason.NORMAL, HangupReason.NONE)
    assert found.result is Result.FAIL
    assert found.charged


@pytest.mark.parametrize("reason", HangupReason)
@pytest.mark.parametrize("answered", [True, False])
def test_only_normal_is_success(reason: HangupReason, answered: bool) -> None:
    expected = Result.SUCCESS if reason is HangupReason.NORMAL else Result.FAIL
    assert judge(reason, "", answered=answered).result is expected


def test_not_sent_is_a_fail_that_is_not_charged() -> None:
    found = of_not_sent("a stop")
    assert (found.reason, found.result, found.charged, found.answered) == ("failed", Result.FAIL, False, False)
    assert found.detail == "not sent: a stop"


@pytest.mark.parametrize(("why", "dialable"), [("bad-destination", False), ("deadline", True), ("stopped", True)])
def test_only_a_bad_destination_can_never_be_sent_to(why: str, dialable: bool) -> None:
    assert of_not_sent(why).dialable is dialable


@pytest.mark.parametrize("why", ["no-media", "no-ack", "refused-address"])
@pytest.mark.parametrize("answered", [True, False])
def test_a_call_that_the_carrier_gave_up_failed(why: str, answered: bool) -> None:
    found = hung_up(why, answered=answered, local=True)
    assert (found.reason, found.result) == (HangupReason.FAILED, Result.FAIL)


@pytest.mark.parametrize("answered", [True, False])
def test_unknown_is_a_charged_fail(answered: bool) -> None:
    found = of_unknown(answered=answered)
    assert (found.reason, found.result, found.charged, found.answered) == ("failed", Result.FAIL, True, answered)
    assert found.detail == words.UNKNOWN


def test_the_words_clients_see() -> None:
    reasons = ["", "normal", "failed", "busy", "cancel", "timeout", "noanswer", "dialout", "amd"]
    assert [reason.value for reason in HangupReason] == reasons
    assert [result.value for result in Result] == ["", "success", "fail"]
