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


@pytest.mark.parametrize(("asked", "pause"), [(1, 1), (30, 30), (600, 600), (100_000, 600)])
def test_a_trunk_that_says_for_how_long_is_left_alone_at_once(asked: int, pause: int) -> None:
    opened = after_answer(Breaker(), 503, asked, NOW)
    assert opened.open_until == NOW + pause * SECOND
    assert opened.reason == f"a call was refused with SIP 503, which asks for a pause of {pause} s"
    assert opened.probing


@pytest.mark.parametrize("code", [401, 403, 407])
def test_only_a_503_is_about_a_pause(code: int) -> None:
    assert after_answer(Breaker(), code, 30, NOW).open_until == 0


def test_calls_that_were_on_their_way_hear_of_the_same_pause() -> None:
    opened = after_answer(Breaker(), 503, 30, NOW)
    told = after_answer(opened, 503, 30, NOW + SECOND - 1)
    assert (told.open_until, told.reason, told.refusals) == (opened.open_until, opened.reason, 2)
    for _ in range(10):
        told = after_answer(told, 503, 30, NOW + SECOND - 1)
    assert (told.open_until, told.pauses) == (opened.open_until, 1)


def test_a_longer_pause_asked_for_during_one_is_kept() -> None:
    opened = after_answer(Breaker(), 503, 5, NOW)
    assert after_answer(opened, 503, 60, NOW + SECOND).open_until == NOW + 61 * SECOND
    assert after_answer(opened, 503, 5, NOW + SECOND).open_until == NOW + 6 * SECOND
    assert after_answer(opened, 503, 1, NOW + 5 * SECOND).open_until == NOW + 6 * SECOND


def test_a_probe_that_is_asked_to_wait_waits_as_asked_until_it_becomes_a_row() -> None:
    breaker, now, lengths = Breaker(), NOW, []
    for _ in range(6):
        breaker = after_answer(breaker, 503, 5, now)
        lengths.append((breaker.open_until - now) // SECOND)
        now = breaker.open_until
    assert lengths == [5, 5, 5, 5, 60, 120]


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
