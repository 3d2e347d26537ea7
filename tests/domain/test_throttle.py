from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.throttle import Rate, admit, charge

SECOND = 1_000_000
START = 1_767_225_600_000_000
RATES = st.builds(Rate, st.floats(0.1, 2_000), st.integers(1, 500))


def test_a_burst_passes_and_then_the_average_holds() -> None:
    rate, done_at = Rate(10, 20), 0
    for _ in range(20):
        done_at, wait = admit(rate, done_at, START)
        assert wait == 0
    after, wait = admit(rate, done_at, START)
    assert (after, wait) == (done_at, SECOND // 10)
    done_at, wait = admit(rate, done_at, START + wait)
    assert wait == 0
    assert admit(rate, done_at, START + SECOND // 10)[1] == SECOND // 10


def test_no_rate_is_no_limit() -> None:
    done_at = 0
    for _ in range(1_000):
        done_at, wait = admit(Rate(), done_at, START)
        assert wait == 0


@given(rate=RATES, gaps=st.lists(st.integers(0, SECOND), max_size=200))
def test_never_more_than_the_burst_and_the_rate(rate: Rate, gaps: list[int]) -> None:
    done_at, now, passed = 0, START, 0
    for gap in gaps:
        now += gap
        done_at, wait = admit(rate, done_at, now)
        passed += wait == 0
        if wait:
            assert admit(rate, done_at, now + wait)[1] == 0
            assert admit(rate, done_at, now + wait - 1)[1] == 1
    assert passed <= rate.burst + (now - START) * rate.per_s / SECOND + 1e-6


@given(rate=RATES, charges=st.lists(st.integers(1, 1_000), min_size=1, max_size=20))
def test_what_is_charged_delays_and_is_forgotten_in_the_end(rate: Rate, charges: list[int]) -> None:
    done_at = 0
    for requests in charges:
        done_at = charge(rate, done_at, START, requests)
    _, wait = admit(rate, done_at, START)
    assert (wait > 0) == (sum(charges) >= rate.burst)
    assert admit(rate, done_at, START + wait)[1] == 0
    assert wait <= (rate.burst + 1) * SECOND / rate.per_s + 1_000
