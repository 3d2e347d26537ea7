"""Old history is removed beside the dialing, and never against a failing store."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outdialer.carriers.simulator.behaviours import Mix, parse_rule
from outdialer.carriers.simulator.carrier import SimulatorCarrier
from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.domain.model import Action, Address, Campaign, NewTarget, Outdial, Outplan, Trunk
from outdialer.domain.units import Id, Instant
from outdialer.engine import retention as forgetting
from outdialer.engine.engine import Engine
from outdialer.engine.lifecycle import Tasks
from outdialer.engine.retention import DAY_US, Keep, Retention
from outdialer.engine.system import SystemIds, random_bytes
from outdialer.ports.retention import History, Pruned
from outdialer.ports.store import Page, StoreUnavailable
from outdialer.store.sqlite.check import check
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import Metrics
from tests.engine.parts import TestClock
from tests.engine.world import ANSWERS, CUSTOMER, HANGS_UP, JumpClock, numbers

PATIENCE_S = 20.0
NOW: Instant = 1_800_000_000_000_000
NOBODY = Address()


# What is removed, and when


REQUESTS = (History.REQUESTS, NOW - DAY_US)


def test_only_old_requests_are_removed_unless_more_was_asked_for() -> None:
    assert list(Keep().horizons(NOW)) == [REQUESTS]


def test_events_go_after_their_days_and_all_else_after_those_of_attempts() -> None:
    horizons = dict(Keep(events_days=7, attempts_days=400).horizons(NOW))
    assert list(horizons) == list(History)
    assert horizons.pop(History.EVENTS) == NOW - 7 * DAY_US
    assert horizons.pop(History.REQUESTS) == NOW - DAY_US
    assert set(horizons.values()) == {NOW - 400 * DAY_US}


def test_events_alone() -> None:
    assert list(Keep(events_days=7).horizons(NOW)) == [(History.EVENTS, NOW - 7 * DAY_US), REQUESTS]


@pytest.mark.parametrize("events_days", [0, 9])
def test_events_are_never_kept_longer_than_their_attempts(events_days: int) -> None:
    horizons = dict(Keep(events_days=events_days, attempts_days=2).horizons(NOW))
    assert horizons[History.EVENTS] == NOW - 2 * DAY_US


# The task


class FakeStore:
    """A store with so many steps of each history; notes what it is asked for."""

    def __init__(self, steps: int = 1) -> None:
        self.steps = steps
        self.asked: list[tuple[History, Instant, int]] = []
        self.failures = 0
        self.error: Exception = StoreUnavailable("disk full")
        self._changed = asyncio.Event()

    async def prune(self, history: History, before: Instant, after: int) -> Pruned:
        self.asked.append((history, before, after))
        self._changed.set()
        if self.failures:
            self.failures -= 1
            raise self.error
        return Pruned(10, after + 1 if after + 1 < self.steps else None)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


class Forgetting:
    """The task at work on a fake store, with rests of next to nothing."""

    def __init__(self, store: FakeStore, *, rest_s: float = 0.0) -> None:
        self.store = store
        self.clock = TestClock(NOW)
        self.metrics = Metrics()
        self.fails = False
        keep = Keep(events_days=7, attempts_days=400)
        self.retention = Retention(store, self.clock, self.metrics, keep, first_rest_s=0, rest_s=rest_s)
        self.tasks = Tasks()

    def failing(self) -> bool:
        self.store._changed.set()
        return self.fails

    async def __aenter__(self) -> "Forgetting":
        self.tasks.start(self.retention.run(self.failing), "retention")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.tasks.cancel()

    def removed(self, history: History) -> float:
        value = self.metrics.registry.get_sample_value("outdialer_history_removed_total", {"history": history})
        return value or 0.0


@pytest.fixture(autouse=True)
def short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "SHORTEST_REST_S", 0.0)
    monkeypatch.setattr(forgetting, "FAILING_REST_S", 0.0)


async def test_a_round_steps_through_everything_in_order(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "outdialer")
    async with Forgetting(FakeStore(steps=3), rest_s=3_600) as work:
        await work.store.until(lambda: len(work.store.asked) == 3 * len(History))
        assert [asked[0] for asked in work.store.asked] == [history for history in History for _ in range(3)]
        assert [asked[2] for asked in work.store.asked] == [0, 1, 2] * len(History)
        assert len({asked[1] for asked in work.store.asked}) == 3, "one horizon a round, whatever the clock does"
        await work.store.until(lambda: work.removed(History.OUTPLAN_VERSIONS) == 30)
        assert work.removed(History.EVENTS) == 30


async def test_rounds_follow_the_clock() -> None:
    async with Forgetting(FakeStore()) as work:
        await work.store.until(lambda: len(work.store.asked) > 3)
        work.clock.time += DAY_US
        later = NOW + DAY_US - 7 * DAY_US
        await work.store.until(lambda: (History.EVENTS, later, 0) in work.store.asked)


async def test_nothing_is_touched_while_the_store_fails() -> None:
    work = Forgetting(FakeStore())
    work.fails = True
    looked = 0

    def failing() -> bool:
        nonlocal looked
        looked += 1
        return work.failing()

    work.tasks.start(work.retention.run(failing), "retention")
    await work.store.until(lambda: looked > 5)
    assert work.store.asked == []
    work.fails = False
    await work.store.until(lambda: len(work.store.asked) >= len(History))
    await work.tasks.cancel()


@pytest.mark.parametrize("error", [StoreUnavailable("disk full"), KeyError("a row that nobody expected")])
async def test_a_round_that_fails_is_followed_by_another(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    store.failures, store.error = 2, error
    async with Forgetting(store):
        await store.until(lambda: len(store.asked) == 2 + len(History))
    assert [asked[0] for asked in store.asked[:3]] == [History.EVENTS] * 3
    assert [asked[0] for asked in store.asked[2:]] == list(History)
    assert {record.getMessage() for record in caplog.records} <= {"store_unavailable", "task_failed", "history_removed"}


async def test_a_busy_store_gets_longer_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times what the step took, its waiting included."""
    rests: list[float] = []
    work = Forgetting(FakeStore())
    moments = iter([0.0, 100.0, 100.0, 103.0])

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    class Loop:
        def time(self) -> float:
            return next(moments)

    monkeypatch.setattr(work.retention._bell, "wait", rest)
    monkeypatch.setattr("outdialer.engine.retention.asyncio.get_running_loop", Loop)
    await work.retention._remove(History.EVENTS, NOW, lambda: False)
    await work.retention._remove(History.ATTEMPTS, NOW, lambda: False)
    assert rests == [400.0, 12.0]


# A whole engine


class Told:
    """The store, telling of every step of removing that removed something."""

    def __init__(self, inner: SqliteStore) -> None:
        self.inner = inner
        self.removed = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def prune(self, history: History, before: Instant, after: int) -> Pruned:
        step = await self.inner.prune(history, before, after)
        if history == History.ATTEMPTS and step.removed:
            self.removed.set()
        return step


async def test_an_engine_forgets_while_it_dials(tmp_path: Path) -> None:
    """Calls of three days ago go; the call that is up since then, and the new ones, stay and end well."""
    clock, ids, metrics = JumpClock(), SystemIds(), Metrics()
    path = tmp_path / "books.db"
    inner = await SqliteStore.open(path, new_id=lambda: ids.new(clock.now()), random_bytes=random_bytes)
    people = numbers(30)
    lists = [await a_campaign(inner, ids, clock, people[:20]), await a_campaign(inner, ids, clock, people[20:])]
    talker = f"{people[19]}={ANSWERS}"
    mix = Mix(rules=(parse_rule(talker), parse_rule(f"*={HANGS_UP}")))
    carrier = SimulatorCarrier(clock=clock, secret=await inner.install_secret(), mix=mix)
    store = Told(inner)
    keep = Keep(events_days=1, attempts_days=1)
    engine = Engine(
        store=store,
        carrier=carrier,
        media=SimulatorMedia(),
        clock=clock,
        ids=ids,
        metrics=metrics,
        retention=Retention(store, clock, metrics, keep, first_rest_s=0, rest_s=0.01),
    )
    await engine.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await inner.order_run(CUSTOMER, lists[0], clock.now())
            await until_over(inner, engine, lists[0], 19)
            clock.jump(3 * 86_400)
            await inner.order_run(CUSTOMER, lists[1], clock.now())
            await until_over(inner, engine, lists[1], 10)
            await store.removed.wait()
        assert engine.live_calls() == 1
        left = await inner.campaigncalls(CUSTOMER, Page())
        assert sorted(attempt.destination.target for attempt in left) == sorted(people[19:])
    finally:
        await engine.drain(0)
        await engine.stop()
        await inner.close()
    assert check(path) == []


async def a_campaign(store: SqliteStore, ids: SystemIds, clock: JumpClock, people: list[str]) -> Id:
    now = clock.now()
    trunk = Trunk(id=bytes(16), host="127.0.0.1", port=5060, rate_per_s=0, channels=0)
    await store.put_trunk(CUSTOMER, trunk, now)
    source = Address(type="tel", target="+12025550100")
    outplan = await store.create_outplan(CUSTOMER, Outplan(id=ids.new(now), source=source, tm_create=now))
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids.new(now), tm_create=now))
    targets = [
        NewTarget(
            id=ids.new(now),
            destinations=(Address(type="tel", target=person), NOBODY, NOBODY, NOBODY, NOBODY),
        )
        for person in people
    ]
    await store.create_targets(CUSTOMER, outdial.id, targets, now)
    campaign = Campaign(
        id=ids.new(now),
        outplan_id=outplan.id,
        outdial_id=outdial.id,
        actions=(Action(type="sleep", option={"duration": 60_000}),),
        tm_create=now,
    )
    await store.create_campaign(CUSTOMER, campaign)
    return campaign.id


async def until_over(store: SqliteStore, engine: Engine, campaign: Id, amount: int) -> None:
    """Return when so many attempts of a campaign have ended."""
    changed = asyncio.Event()

    def ring() -> None:
        engine._ring_all()
        changed.set()

    store.on_change(ring)
    while True:
        stats = await store.campaign_stats(CUSTOMER, campaign)
        assert stats is not None
        if stats.succeeded + sum(stats.failed.values()) >= amount:
            return
        changed.clear()
        await changed.wait()
