"""The small parts of the engine: the recorder, recovery's bounds, trunks, the bell, tasks, identifiers."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.breaker import PAUSE_S, REFUSALS_IN_A_ROW
from outdialer.domain.call import CallEvent
from outdialer.domain.snapshot import TrunkView
from outdialer.domain.units import MICROSECONDS_PER_SECOND
from outdialer.engine import recorder as recording
from outdialer.engine.calls import CallDesk, LiveCall
from outdialer.engine.lifecycle import Bell, Tasks
from outdialer.engine.recorder import CHANGES_PER_COMMIT, Recorder
from outdialer.engine.recovery import TRANSACTION_LIMIT_MS, Recovery, dead_by
from outdialer.engine.system import SystemClock, SystemIds, uuid7
from outdialer.engine.trunks import Trunks
from outdialer.ports.carrier import NotSent, Peer, RememberedLeg
from outdialer.ports.store import AttemptChange, Unresolved
from outdialer.telemetry import Metrics
from tests.engine.parts import FakeStore, TestClock, keys, terms

PATIENCE_S = 10


def change(n: int, at: int = 1) -> AttemptChange:
    return AttemptChange(keys=keys(n), at=at, call_event=CallEvent.RINGING)


# Recorder


class Recording:
    """A recorder at work."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.recorder = Recorder(self.store, 1, Metrics())  # type: ignore[arg-type]
        self.then: list[int] = []
        self.tasks = Tasks()

    async def __aenter__(self) -> "Recording":
        self.tasks.start(self.recorder.run(), "recorder")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.tasks.cancel()

    def put(self, n: int) -> None:
        self.recorder.put(change(n), lambda: self.then.append(n))


async def test_changes_are_written_in_order_and_share_a_commit() -> None:
    async with Recording() as work:
        for n in range(CHANGES_PER_COMMIT + 10):
            work.put(n)
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert work.store.batches == [CHANGES_PER_COMMIT, 10]
        assert [c.keys.attempt for c in work.store.recorded] == list(range(CHANGES_PER_COMMIT + 10))
        assert work.then == list(range(CHANGES_PER_COMMIT + 10))


async def test_what_could_not_be_written_is_tried_again_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "RETRY_S", 0.01)
    async with Recording() as work:
        work.store.failures = 3
        work.put(1)
        work.put(2)
        while not work.recorder.failing:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        assert work.recorder.failing == "disk full"
        assert work.then == []
        work.put(3)
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert [c.keys.attempt for c in work.store.recorded] == [1, 2, 3]
        assert work.then == [1, 2, 3]
        assert work.recorder.failing == ""


async def test_nothing_runs_before_its_change_is_durable() -> None:
    async with Recording() as work:
        work.put(1)
        assert work.then == []
        await asyncio.wait_for(work.store.written.wait(), PATIENCE_S)
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert work.then == [1]


async def test_what_a_change_entails_may_put_another() -> None:
    async with Recording() as work:
        work.recorder.put(change(1), lambda: work.put(2))
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        while work.then != [2]:
            await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert [c.keys.attempt for c in work.store.recorded] == [1, 2]


async def test_a_change_that_the_store_refuses_for_ever_is_left_out_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with Recording() as work:
        work.store.poison = 3
        for n in range(6):
            work.put(n)
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert [c.keys.attempt for c in work.store.recorded] == [0, 1, 2, 4, 5]
        assert work.then == [0, 1, 2, 4, 5]
        assert [record.getMessage() for record in caplog.records] == ["task_failed"]
        work.put(7)
        work.put(8)
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert work.store.batches[-1] == 2, "together again"


async def test_a_mistake_in_what_a_change_entails_touches_no_other_call(caplog: pytest.LogCaptureFixture) -> None:
    def mistake() -> None:
        raise ZeroDivisionError

    async with Recording() as work:
        work.recorder.put(change(1), mistake)
        work.put(2)
        await asyncio.wait_for(work.recorder.written(), PATIENCE_S)
        assert work.then == [2]
        assert [record.getMessage() for record in caplog.records] == ["task_failed"]


# Recovery


def unresolved(**changes: Any) -> Unresolved:
    given: dict[str, Any] = {
        "keys": keys(),
        "attempt_id": bytes(15) + b"a",
        "leg_number": 1,
        "status": AttemptStatus.DIALING,
        "destination": "+12025550123",
        "source": "",
        "source_name": "",
        "outplan": terms(),
        "destinations": ("+12025550123", "", "", "", ""),
        "tries": (1, 0, 0, 0, 0),
        "send_not_after": 1_000_000,
        "tm_ringing": None,
        "tm_progressing": None,
        "dialog": b"",
        "answered_until": None,
    }
    return Unresolved(**(given | changes))


LATER = 10**15
"""The start of a life long after the attempt of the earlier one."""


class Clearing:
    """A desk whose closings are noted, and a recovery over it."""

    def __init__(self) -> None:
        self.clock = TestClock(0)
        self.recorded: list[AttemptChange] = []
        self.pauses: list[str] = []
        self.desk = CallDesk(
            carrier=None,  # type: ignore[arg-type]
            media=None,  # type: ignore[arg-type]
            metrics=Metrics(),
            longest_call_ms=1_000,
            record=lambda what, _then: self.recorded.append(what),
            trunk_answered=lambda *_: None,
            trunk_unusable=lambda _trunk, why, _at: self.pauses.append(why),
            late_answer=lambda *_: None,
            media_lost=lambda _why: None,
            changed=lambda: None,
            now=self.clock.now,
        )
        self.recovery = Recovery(self.clock, self.desk)
        self.asked: list[RememberedLeg] = []

    def start(self, *attempts: Unresolved) -> None:
        self.recovery.start(
            list(attempts), lambda trunk: Peer(trunk=trunk, host="127.0.0.1", max_ring_ms=7_000), self.asked.extend
        )


def test_an_unanswered_leg_is_dead_after_its_deadline_timer_b_and_the_longest_ring() -> None:
    bound = 1_000_000 + (TRANSACTION_LIMIT_MS + 7_000) * 1_000
    assert dead_by(unresolved(), 7_000, LATER) == bound
    assert dead_by(unresolved(tm_ringing=5), 7_000, LATER) == bound


def test_an_answered_leg_is_dead_when_its_script_must_have_ended() -> None:
    answered = unresolved(status=AttemptStatus.PROGRESSING, answered_until=77_000_000)
    assert dead_by(answered, 7_000, LATER) == 77_000_000


def test_a_clock_set_back_between_two_lives_makes_nobody_wait_for_it() -> None:
    assert dead_by(unresolved(send_not_after=LATER), 7_000, 5) == 5 + (TRANSACTION_LIMIT_MS + 7_000) * 1_000
    talking = unresolved(status=AttemptStatus.PROGRESSING, tm_progressing=LATER, answered_until=LATER + 900)
    assert dead_by(talking, 7_000, 5) == 905


async def test_an_unresolved_attempt_is_closed_at_its_bound_and_not_before() -> None:
    work = Clearing()
    work.clock.time = 1_000_000 + (TRANSACTION_LIMIT_MS + 7_000) * 1_000 - 1
    work.start(unresolved())
    assert [leg.attempt_id for leg in work.asked] == [bytes(15) + b"a"]
    assert len(work.desk) == 1
    work.recovery._close(1, dead_by(unresolved(), 7_000, LATER))
    assert work.recorded == [], "one microsecond early"
    work.clock.time += 1
    work.recovery._close(1, dead_by(unresolved(), 7_000, LATER))
    [closed] = work.recorded
    assert closed.end is not None
    assert (closed.end.outcome.reason, closed.end.outcome.charged) == ("failed", True)
    assert closed.end.verdict.due == work.clock.time + 60_000_000, "a full interval from the resolution"
    work.recovery.stop()


async def test_a_clock_that_goes_back_closes_nothing_early() -> None:
    work = Clearing()
    bound = dead_by(unresolved(), 7_000, LATER)
    work.clock.time = bound - 10
    work.start(unresolved())
    work.clock.time = bound - 3_600 * MICROSECONDS_PER_SECOND
    work.recovery._close(1, bound)
    assert work.recorded == []
    assert len(work.desk) == 1
    work.recovery.stop()


async def test_recovery_without_anything_unresolved_asks_nobody() -> None:
    work = Clearing()
    work.start()
    assert (work.asked, len(work.desk)) == ([], 0)


async def test_an_answered_attempt_of_an_earlier_life_stays_answered_when_closed() -> None:
    work = Clearing()
    work.start(unresolved(status=AttemptStatus.PROGRESSING, answered_until=1, tm_progressing=0))
    work.clock.time = 2
    work.desk.close_unresolved(1, work.clock.time)
    [closed] = work.recorded
    assert closed.end is not None
    assert closed.end.outcome.answered
    assert closed.end.outcome.result == "fail"
    work.desk.close_unresolved(1, work.clock.time)
    assert len(work.recorded) == 1, "once"
    work.recovery.stop()


# What was not sent


@pytest.mark.parametrize(
    ("why", "hung_up", "pauses"),
    [("unresolved", False, ["unresolved"]), ("deadline", False, []), ("drain", True, []), ("operator", True, [])],
)
async def test_only_the_trunks_own_trouble_pauses_it(why: str, hung_up: bool, pauses: list[str]) -> None:
    work = Clearing()
    call = LiveCall(keys(), outplan=terms(), destinations=("+12025550123", "", "", "", ""), tries=(1, 0, 0, 0, 0))
    work.desk.add(call)
    if hung_up:
        call.apply_call(CallEvent.HANGUP_ORDERED)
    work.desk.on_carrier_event(NotSent(1, 5, why))
    assert work.pauses == pauses
    [closed] = work.recorded
    assert closed.end is not None
    assert not closed.end.outcome.charged
    assert closed.end.verdict.due == 5


# Trunks


async def test_a_trunk_is_paused_on_the_books_once_and_reopened() -> None:
    store, tasks = FakeStore(), Tasks()
    trunks = Trunks(store, 1, tasks)  # type: ignore[arg-type]
    await trunks.refresh()
    assert (trunks.knows(1), trunks.knows(2)) == (True, False)
    assert trunks.peer(1).host == "127.0.0.1"
    for n in range(REFUSALS_IN_A_ROW + 3):
        trunks.answered(1, 503, 0, n)
    await asyncio.wait_for(store.written.wait(), PATIENCE_S)
    store.written.clear()
    view = trunks.completed(TrunkView(key=1, rate_per_s=1, channels=9, next_slot=5), 70)
    opens = REFUSALS_IN_A_ROW - 1 + PAUSE_S * MICROSECONDS_PER_SECOND
    assert (view.paused_until, view.probing, view.next_slot) == (opens, True, 75)
    assert "503" in view.pause_reason
    trunks.answered(1, 486, 0, opens + 1)
    await asyncio.wait_for(store.written.wait(), PATIENCE_S)
    assert [pause.reason != "" for pause in store.pauses] == [True, False]
    assert not trunks.completed(TrunkView(key=1, rate_per_s=1, channels=9), 0).probing
    await tasks.cancel()


async def test_a_pause_that_cannot_be_written_holds_all_the_same() -> None:
    store, tasks = FakeStore(), Tasks()
    store.failures = 1
    trunks = Trunks(store, 1, tasks)  # type: ignore[arg-type]
    trunks.unusable(1, "unresolved", 0)
    await asyncio.gather(*tasks._tasks)
    assert trunks.breaker(1).open_until == PAUSE_S * MICROSECONDS_PER_SECOND
    assert store.pauses == []


async def test_a_pause_of_an_earlier_life_holds() -> None:
    trunks = Trunks(FakeStore(), 1, Tasks())  # type: ignore[arg-type]
    stored = TrunkView(key=1, rate_per_s=1, channels=9, paused_until=99, pause_reason="403", probing=True)
    assert trunks.completed(stored, 0) == stored
    trunks.answered(1, 403, 0, 100)
    assert trunks.breaker(1).open_until > 99 + PAUSE_S * MICROSECONDS_PER_SECOND, "the probe failed: twice as long"


# Bell and tasks


async def test_a_ring_before_the_wait_is_remembered_and_many_are_one() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    await asyncio.wait_for(bell.wait(None), PATIENCE_S)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bell.wait(None), 0.02)


async def test_a_bell_wakes_its_waiter_or_the_deadline_does() -> None:
    bell = Bell()
    waiting = asyncio.get_running_loop().create_task(bell.wait(60))
    asyncio.get_running_loop().call_soon(bell.ring)
    await asyncio.wait_for(waiting, PATIENCE_S)
    await asyncio.wait_for(bell.wait(0.01), PATIENCE_S)
    await asyncio.wait_for(bell.wait(-5), PATIENCE_S)


async def test_tasks_are_held_and_errors_are_told(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    async def fail() -> None:
        raise ValueError("broken")

    running = [tasks.start(work(), "work"), tasks.start(fail(), "fail"), tasks.start(asyncio.Event().wait(), "long")]  # type: ignore[arg-type]
    await asyncio.wait(running[:2])
    assert done == [1]
    assert [record.getMessage() for record in caplog.records] == ["task_failed"]
    await asyncio.wait_for(tasks.cancel(), PATIENCE_S)
    assert running[2].cancelled()


# Identifiers


@given(now=st.integers(0, 2**48 * 1_000 - 1), random_part=st.binary(min_size=10, max_size=10))
def test_a_version_7_uuid_holds_its_time_and_its_randomness(now: int, random_part: bytes) -> None:
    made = UUID(bytes=uuid7(now, random_part))
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == now // 1_000
    low = made.int & 0x3FFF_FFFF_FFFF_FFFF
    assert low == int.from_bytes(random_part, "big") & 0x3FFF_FFFF_FFFF_FFFF
    assert (made.int >> 64) & 0xFFF == int.from_bytes(random_part, "big") >> 68


def test_identifiers_of_later_milliseconds_sort_later_and_none_repeats() -> None:
    ids = SystemIds()
    drawn = [ids.new(1_000 * n) for n in range(2_000)]
    assert drawn == sorted(drawn)
    assert len(set(drawn)) == 2_000
    assert len({ids.new(7) for _ in range(2_000)}) == 2_000


def test_the_clock_counts_microseconds() -> None:
    assert SystemClock().now() > 1_700_000_000_000_000
