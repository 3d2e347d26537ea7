"""When a trunk that refuses everybody is left alone, and for how long."""

import pytest

from outdialer.domain.breaker import Breaker, after_answer, after_failure
from tests.domain.worlds import NOW

SECOND = 1_000_000
REFUSING = (401, 403, 407, 503)


def refused(times: int, code: int = 503, start: Breaker | None = None, now: int = NOW) -> Breaker:
    breaker = start or Breaker()
    for _ in range(times):
        breaker = after_answer(breaker, code, 0, now)
    return breaker


@pytest.mark.parametrize("code", REFUSING)
def test_five_refusals_in_a_row_open_it_and_four_do_not(code: int) -> None:
    assert refused(4, code).open_until == 0
    opened = refused(5, code)
    assert opened.open_until == NOW + 30 * SECOND
    assert opened.reason == f"5 calls in a row were refused with SIP {code}"
    assert opened.probing


@pytest.mark.parametrize("code", [code for code in range(200, 700) if code not in REFUSING])
def test_any_other_final_answer_closes_it(code: int) -> None:
    assert after_answer(refused(4), code, 0, NOW) == Breaker()
    assert after_answer(refused(5), code, 0, NOW) == Breaker()


def test_no_answer_says_nothing_about_the_trunk() -> None:
    assert after_answer(refused(4), 0, 0, NOW) == refused(4)


def test_refusals_that_arrive_during_the_pause_do_not_lengthen_it() -> None:
    opened = refused(5)
    more = refused(3, start=opened, now=NOW + SECOND)
    assert (more.open_until, more.pauses) == (opened.open_until, opened.pauses)
    assert more.refusals == 8


def test_after_the_pause_one_refusal_opens_it_again_for_twice_as_long() -> None:
    breaker, now, lengths = refused(5), NOW, []
    for _ in range(8):
        lengths.append((breaker.open_until - now) // SECOND)
        now = breaker.open_until
        breaker = after_answer(breaker, 403, 0, now)
    assert lengths == [30, 60, 120, 240, 480, 600, 600, 600]


def test_after_the_pause_a_call_that_gets_through_closes_it() -> None:
    assert after_answer(refused(5), 486, 0, NOW + 31 * SECOND) == Breaker()


@pytest.mark.parametrize(("retry_after", "pause"), [(10, 30), (90, 90), (100_000, 600)])
def test_the_far_end_may_ask_for_a_longer_pause(retry_after: int, pause: int) -> None:
    assert after_answer(refused(4), 503, retry_after, NOW).open_until == NOW + pause * SECOND


def test_an_address_that_cannot_be_used_opens_it_at_once() -> None:
    breaker = after_failure(Breaker(), "no route to host", NOW)
    assert (breaker.open_until, breaker.reason, breaker.probing) == (NOW + 30 * SECOND, "no route to host", True)


def test_a_long_outage_overflows_nothing() -> None:
    breaker, now = refused(5), NOW
    for _ in range(2_000):
        now = max(now, breaker.open_until)
        breaker = after_answer(breaker, 503, 0, now)
    assert breaker.open_until == now + 600 * SECOND


def test_a_fresh_breaker_is_closed() -> None:
    assert Breaker() == Breaker(refusals=0, pauses=0, open_until=0, reason="")
    assert not Breaker().probing


def test_after_a_pause_for_a_useless_address_one_refusal_is_enough() -> None:
    failed = after_failure(Breaker(), "no route to host", NOW)
    again = after_answer(failed, 503, 0, failed.open_until)
    assert (again.open_until, again.pauses) == (failed.open_until + 60 * SECOND, 2)
