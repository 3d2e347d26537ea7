"""The sender alone, under a loop whose timers fire when the test says, and late."""

import asyncio
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.limits import interval
from outdialer.domain.plan import SEND_WINDOW_US
from outdialer.domain.snapshot import CampaignView, Snapshot, TrunkView
from outdialer.domain.units import Instant
from outdialer.engine.sender import EARLY_US, Sender
from outdialer.ports.store import Intent
from tests.engine.parts import CampaignStatus, an_intent

START: Instant = 1_800_000_000_000_000


class Bench:
    """A sender with a clock that only timers move, each as late as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, late: Callable[[], int] = lambda: 0) -> None:
        self.wall = START
        self.late = late
        self.sent: list[tuple[Instant, int, Instant]] = []
        """(when, attempt, slot)"""
        self.missed: list[int] = []
        self.sending_takes = 0
        self.was_set = 0.0
        """By how many seconds the clock was set on."""
        self._timer: tuple[Instant, Callable[[], None]] | None = None
        self.sender = Sender(self, self._send, lambda intent: self.missed.append(intent.attempt))
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: self)

    def now(self) -> Instant:
        return self.wall

    def time(self) -> float:
        """The loop's time, in s: it moves with the clock, but is never set."""
        return (self.wall - START) / 1_000_000 - self.was_set

    def call_later(self, delay: float, action: Callable[[], None]) -> "Bench":
        self._timer = (self.wall + round(delay * 1_000_000), action)
        return self

    def cancel(self) -> None:
        self._timer = None

    def _send(self, intent: Intent, slot: Instant) -> None:
        self.sent.append((self.wall, intent.attempt, slot))
        self.wall += self.sending_takes

    def rates(self, trunk: float = 0, campaign: float = 0) -> None:
        self.sender.learn_rates(
            Snapshot(
                trunks=(TrunkView(key=1, rate_per_s=trunk, channels=0),),
                campaigns=(CampaignView(key=1, version_key=1, status=CampaignStatus.RUN, rate_per_s=campaign),),
            )
        )

    def run(self, until: Instant | None = None) -> None:
        """Fire timers in order, each at its time and as much later as ``late`` says."""
        while self._timer is not None and (until is None or self._timer[0] <= until):
            due, action = self._timer
            self._timer = None
            self.wall = max(self.wall, due + self.late())
            action()

    def at(self) -> list[Instant]:
        return [when for when, _, _ in self.sent]


def test_intents_leave_in_the_order_of_their_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    slots = [30_000, 10_000, 20_000, 10_000]
    bench.sender.schedule([(an_intent(n), START + slot) for n, slot in enumerate(slots)])
    assert len(bench.sender) == 4
    bench.run()
    assert [attempt for _, attempt, _ in bench.sent] == [1, 3, 2, 0], "equal slots as they were given"
    assert bench.at() == [START + slot for slot in sorted(slots)]
    assert len(bench.sender) == 0


def test_nothing_leaves_before_its_slot_but_for_a_timers_grain(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, late=lambda: -EARLY_US)
    bench.sender.schedule([(an_intent(1), START + 10_000)])
    bench.run()
    assert bench.at() == [START + 10_000 - EARLY_US]


def test_a_later_batch_with_earlier_slots_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.sender.schedule([(an_intent(1), START + 50_000)])
    bench.sender.schedule([(an_intent(2), START + 10_000)])
    bench.run()
    assert [attempt for _, attempt, _ in bench.sent] == [2, 1]


def test_a_slot_missed_by_more_than_the_window_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, late=lambda: SEND_WINDOW_US + 1)
    bench.sender.schedule([(an_intent(1), START + 10_000)])
    bench.run()
    assert (bench.sent, bench.missed) == ([], [1])


def test_a_slot_missed_by_less_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, late=lambda: SEND_WINDOW_US)
    bench.sender.schedule([(an_intent(1), START + 10_000)])
    bench.run()
    assert (len(bench.sent), bench.missed) == (1, [])


def test_a_late_one_pushes_the_next_back_and_the_planner_learns_the_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    lateness = iter([70_000, *[0] * 10])
    bench = Bench(monkeypatch, late=lambda: next(lateness))
    bench.rates(trunk=10)
    bench.sender.schedule([(an_intent(n), START + n * 100_000) for n in range(3)])
    bench.run()
    assert bench.at() == [START + 70_000, START + 170_000, START + 270_000]
    assert bench.sender.lag("trunk", 1, 10) == 70_000
    assert bench.sender.lag("campaign", 1, 0) == 0, "a campaign without a rate of its own runs behind nothing"


def test_the_distance_counts_from_when_an_invite_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.rates(trunk=100)
    bench.sending_takes = 3_000
    bench.sender.schedule([(an_intent(n), START + n * 10_000) for n in range(4)])
    bench.run()
    assert all(after - (before + 3_000) >= 10_000 for before, after in pairwise(bench.at()))


def test_a_clock_that_is_set_changes_no_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.rates(trunk=10)
    bench.sender.schedule([(an_intent(0), START)])
    bench.run()
    bench.wall += 150_000
    bench.was_set = 0.15
    bench.sender.schedule([(an_intent(1), START + 150_000)])
    bench.run()
    assert bench.at() == [START, START + 250_000], "100 ms after the first, whatever the clock says"


def test_lag_beyond_the_window_is_missed_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    lateness = iter([190_000, *[0] * 10])
    bench = Bench(monkeypatch, late=lambda: next(lateness))
    bench.rates(trunk=10)
    bench.sender.schedule([(an_intent(0), START), (an_intent(1), START + 50_000)])
    bench.run()
    assert ([attempt for _, attempt, _ in bench.sent], bench.missed) == ([0], [1]), "290 ms is too late for 50 ms"
    assert bench.sender.lag("trunk", 1, 10) == 0


def test_everything_can_be_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.sender.schedule([(an_intent(n), START + 10_000) for n in range(3)])
    assert sorted(intent.attempt for intent in bench.sender.take_all()) == [0, 1, 2]
    assert len(bench.sender) == 0
    bench.run()
    assert bench.sent == []


def test_a_campaigns_rate_spaces_its_own_calls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.sender.learn_rates(
        Snapshot(
            trunks=(TrunkView(key=1, rate_per_s=0, channels=0),),
            campaigns=(
                CampaignView(key=1, version_key=1, status=CampaignStatus.RUN, rate_per_s=10),
                CampaignView(key=2, version_key=2, status=CampaignStatus.RUN),
            ),
        )
    )
    bench.sender.schedule([(an_intent(n, campaign=1), START) for n in range(3)])
    bench.sender.schedule([(an_intent(n, campaign=2), START) for n in range(10, 13)])
    bench.run()
    assert bench.at() == [START] * 4 + [START + 100_000, START + 200_000]
    assert [attempt for _, attempt, _ in bench.sent] == [0, 10, 11, 12, 1, 2]


@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([3, 7, 10, 33, 50, 200]),
    campaign_rate=st.sampled_from([0, 5, 20]),
    count=st.integers(1, 40),
)
def test_whatever_timers_do_the_distance_holds_and_nobody_is_lost(
    seed: int, rate: float, campaign_rate: float, count: int
) -> None:
    drawn = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        bench = Bench(patch, late=lambda: drawn.choice([-EARLY_US, 0, 0, 900, 15_000, 120_000, 400_000]))
        bench.rates(trunk=rate, campaign=campaign_rate)
        bench.sending_takes = drawn.randrange(0, 2_000)
        gap = max(interval(rate), interval(campaign_rate))
        bench.sender.schedule([(an_intent(n), START + n * gap) for n in range(count)])
        bench.run()
    assert all(after - before >= gap for before, after in pairwise(bench.at()))
    assert sorted([attempt for _, attempt, _ in bench.sent] + bench.missed) == list(range(count))
    assert all(slot - EARLY_US <= when <= slot + SEND_WINDOW_US for when, _, slot in bench.sent)


def test_the_sender_needs_no_loop_while_nothing_waits() -> None:
    sender: Any = Sender(Bench.__new__(Bench), lambda *_: None, lambda _: None)
    sender.schedule([])
    assert len(sender) == 0
