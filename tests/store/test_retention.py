"""Old history goes in small steps, and the books stay in order at any moment."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace

from outdialer.domain.outcome import Outcome
from outdialer.domain.units import Instant
from outdialer.ports.idempotency import KEPT_US, KeptAnswer, KeptFull, Reservation
from outdialer.ports.retention import History
from outdialer.ports.store import Intent, Page
from outdialer.store.sqlite import retention
from outdialer.store.sqlite.check import check
from outdialer.store.sqlite.store import SqliteStore
from tests.store.test_machine import Books, at_once
from tests.store.world import (
    BUSY,
    CUSTOMER,
    NOT_SENT,
    NOW,
    SECOND,
    SUCCESS,
    Ids,
    Setting,
    answered,
    claim_due,
    ended,
    furnish,
    new_target,
    numbers,
    open_store,
    ringing,
)

DAY = 86_400 * SECOND
LATER = NOW + 10 * DAY
ALICE, BOB, CAROL = "+12025550101", "+12025550102", "+12025550103"


@contextmanager
def small_steps(rows: int) -> Iterator[None]:
    """Steps of so few rows that every boundary is met."""
    with patch.multiple(
        retention, EVENTS_PER_STEP=rows, ATTEMPTS_PER_STEP=rows, OTHERS_PER_STEP=rows, REQUESTS_PER_STEP=rows
    ):
        yield


async def prune(store: SqliteStore, history: History, before: Instant) -> int:
    """One round over one kind of history; the rows removed."""
    removed, after = 0, 0
    while True:
        step = await store.prune(history, before, after)
        removed += step.removed
        if step.after is None:
            return removed
        assert step.after > after
        after = step.after


async def prune_all(store: SqliteStore, before: Instant) -> dict[str, int]:
    return {history.value: await prune(store, history, before) for history in History}


async def dial(store: SqliteStore, ids: Ids, now: Instant, *outcomes: Outcome, tries_left: bool = True) -> list[Intent]:
    """Claim what is due and end it, the last outcome for all the rest."""
    intents = (await claim_due(store, ids, now)).intents
    for place, intent in enumerate(intents):
        outcome = outcomes[min(place, len(outcomes) - 1)]
        changes = [ringing(intent, now), ended(intent, now, outcome, tries_left=tries_left)]
        await store.record(CUSTOMER, [answered(intent, now), changes[1]] if outcome is SUCCESS else changes)
    return list(intents)


async def on_the_books(store: SqliteStore, intents: list[Intent]) -> list[bool]:
    return [await store.campaigncall(CUSTOMER, intent.claim.attempt_id) is not None for intent in intents]


def rows_of(store: SqliteStore, table: str) -> int:
    count: int = store._connections.quick.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


async def setting_with_history(store: SqliteStore, ids: Ids, people: int) -> tuple[Setting, list[Intent]]:
    """A list all of whose people were reached, and one attempt much later, so that none of them is the newest."""
    setting = await furnish(store, ids, *(number for number, _ in zip(numbers(), range(people), strict=False)))
    intents: list[Intent] = []
    while len(intents) < people:
        intents += await dial(store, ids, NOW + len(intents), SUCCESS)
    await store.order_run(CUSTOMER, setting.campaign.id, LATER)
    await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), "+19995550100")], LATER)
    intents += await dial(store, ids, LATER, SUCCESS)
    return setting, intents


# What goes


async def test_an_attempt_goes_with_all_that_belongs_to_it(store: SqliteStore, ids: Ids) -> None:
    setting, intents = await setting_with_history(store, ids, 3)
    before = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    removed = await prune_all(store, NOW + DAY)
    assert removed["attempts"] == 3
    assert await on_the_books(store, intents) == [False, False, False, True]
    assert await store.call(CUSTOMER, intents[0].claim.call_id) is None
    assert [rows_of(store, table) for table in ("attempts", "calls", "legs", "decisions")] == [1, 1, 1, 1]
    assert await store.campaign_stats(CUSTOMER, setting.campaign.id) == before, "counts say what happened"


async def test_lists_pages_and_exports_show_what_is_left(store: SqliteStore, ids: Ids) -> None:
    setting, intents = await setting_with_history(store, ids, 3)
    await prune_all(store, NOW + DAY)
    newest = intents[-1].claim.attempt_id
    assert [a.id for a in await store.campaigncalls(CUSTOMER, Page())] == [newest]
    assert [a.id for a in await store.campaigncalls(CUSTOMER, Page(), setting.campaign.id)] == [newest]
    assert [a.id for _, a in await store.campaigncalls_in_order(CUSTOMER, None, 0, 10)] == [newest]
    assert [c.id for c in await store.calls(CUSTOMER, Page())] == [intents[-1].claim.call_id]
    targets = await store.targets(CUSTOMER, setting.outdial.id, Page())
    assert [target.tries for target in targets] == [(1, 0, 0, 0, 0)] * 4, "people keep what is known of them"
    assert await store.delete_campaigncall(CUSTOMER, intents[0].claim.attempt_id, LATER) is None
    assert not await store.note_late_answer(CUSTOMER, intents[0].claim.attempt_id, LATER)


async def test_nothing_young_goes(store: SqliteStore, ids: Ids) -> None:
    await setting_with_history(store, ids, 3)
    assert set((await prune_all(store, NOW)).values()) == {0}


async def test_a_step_is_bounded_and_a_round_takes_as_many_as_it_needs(store: SqliteStore, ids: Ids) -> None:
    _, intents = await setting_with_history(store, ids, 250)
    events = rows_of(store, "outbox")
    step = await store.prune(History.EVENTS, LATER, 0)
    assert step.removed == retention.EVENTS_PER_STEP
    assert step.after is not None
    assert await prune(store, History.EVENTS, LATER) == events - step.removed - 3
    first = await store.prune(History.ATTEMPTS, LATER, 0)
    assert (first.removed, first.after) == (retention.ATTEMPTS_PER_STEP, intents[99].attempt)
    assert await prune(store, History.ATTEMPTS, LATER) == 150


async def test_keys_are_never_given_again(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (first,) = await dial(store, ids, NOW, SUCCESS)
    assert (await prune_all(store, LATER))["attempts"] == 0, "the newest attempt stays, however old it is"
    await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), BOB)], LATER)
    await store.order_run(CUSTOMER, setting.campaign.id, LATER)
    (second,) = await dial(store, ids, LATER, SUCCESS)
    assert (second.attempt, second.call, second.leg) > (first.attempt, first.call, first.leg)


# What stays


async def test_a_live_attempt_stays_however_old_it_is(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    live, other = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(other, NOW, SUCCESS)])
    assert (await prune_all(store, LATER))["attempts"] == 0
    assert await store.record(CUSTOMER, [answered(live, LATER), ended(live, LATER, SUCCESS)]) == [live.attempt]


async def test_people_who_may_be_called_again_keep_their_attempts(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB)
    tried, last = await dial(store, ids, NOW, BUSY, SUCCESS)
    await prune_all(store, LATER)
    assert await on_the_books(store, [tried, last]) == [True, True]
    (alice,) = [t for t in await store.targets(CUSTOMER, setting.outdial.id, Page()) if t.due is not None]
    await store.delete_target(CUSTOMER, setting.outdial.id, alice.id, LATER)
    await prune_all(store, LATER)
    assert await on_the_books(store, [tried]) == [True], "a while after the last change, not at once"
    await prune_all(store, LATER + DAY)
    assert await on_the_books(store, [tried]) == [False]


async def test_people_of_a_deleted_list_do_not_keep_theirs(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB, CAROL)
    busy, live, _last = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(busy, NOW, BUSY)])
    await store.delete_outdial(CUSTOMER, setting.outdial.id, NOW + DAY)
    await prune_all(store, NOW + DAY)
    assert await on_the_books(store, [busy]) == [True]
    await prune_all(store, LATER)
    assert await on_the_books(store, [busy, live]) == [False, True]


async def test_an_attempt_does_not_go_before_its_events(store: SqliteStore, ids: Ids) -> None:
    _, intents = await setting_with_history(store, ids, 3)
    assert await prune(store, History.ATTEMPTS, LATER) == 0
    await prune(store, History.EVENTS, LATER)
    assert await prune(store, History.ATTEMPTS, LATER) == 3
    assert await on_the_books(store, intents) == [False, False, False, True]


async def test_an_event_does_not_go_before_older_ones(store: SqliteStore, ids: Ids) -> None:
    """A clock that was wrong for a while holds events back; it never makes young ones go."""
    setting = await furnish(store, ids, ALICE)
    await store.save_outplan(CUSTOMER, setting.outplan, LATER + DAY)
    await dial(store, ids, NOW, SUCCESS)
    events = rows_of(store, "outbox")
    removed = await prune(store, History.EVENTS, LATER)
    assert 0 < removed < events - 3
    assert rows_of(store, "outbox") == events - removed


async def test_attempts_that_were_not_sent_go_too(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (unsent,) = await dial(store, ids, NOW, NOT_SENT)
    (sent,) = await dial(store, ids, NOW + 1, BUSY, tries_left=False)
    await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), BOB)], LATER)
    await store.order_run(CUSTOMER, setting.campaign.id, LATER)
    await dial(store, ids, LATER, SUCCESS)
    await prune_all(store, NOW + DAY)
    assert await on_the_books(store, [unsent, sent]) == [False, False]
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.attempts, stats.failed) == (3, {"busy": 1, "not_sent": 1})


# Versions


async def test_versions_go_when_they_are_replaced_and_nothing_refers_to_them(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await dial(store, ids, NOW, SUCCESS)
    outplan, campaign = setting.outplan, setting.campaign
    for day in range(1, 4):
        outplan = await store.save_outplan(CUSTOMER, replace(outplan, name=f"day {day}"), NOW + day * DAY)
        campaign = await store.save_campaign(CUSTOMER, replace(campaign, name=f"day {day}"), NOW + day * DAY)
    removed = await prune_all(store, NOW + 3 * DAY)
    assert (removed["campaign_versions"], removed["outplan_versions"]) == (1, 1), "one is used, one was just replaced"
    removed = await prune_all(store, LATER)
    assert (removed["campaign_versions"], removed["outplan_versions"]) == (1, 1), "one is used, one is current"
    await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), BOB)], LATER)
    await store.order_run(CUSTOMER, campaign.id, LATER)
    await dial(store, ids, LATER, SUCCESS)
    removed = await prune_all(store, LATER)
    assert (removed["attempts"], removed["campaign_versions"], removed["outplan_versions"]) == (1, 1, 1)
    assert await store.outplan(CUSTOMER, outplan.id) == outplan
    found = await store.campaign(CUSTOMER, campaign.id)
    assert found is not None
    assert (found.name, found.version) == ("day 3", campaign.version)
    again = await store.save_outplan(CUSTOMER, outplan, LATER)
    assert again.version == outplan.version + 1


# At any moment


async def test_power_cuts_between_steps_do_no_harm(tmp_path: Path, ids: Ids) -> None:
    """After each step the files are copied as they lie; every copy is in order, and can be gone on with."""
    store = await open_store(tmp_path / "books.db", inline=False, ids=ids)
    await store.begin_epoch("worker", NOW)
    await setting_with_history(store, ids, 7)
    copies: list[Path] = []
    with small_steps(3):
        for history in History:
            after: int | None = 0
            while after is not None:
                after = (await store.prune(history, LATER, after)).after
                copies.append(copied(tmp_path / "books.db", tmp_path / f"copy-{len(copies)}"))
    left = rows_of(store, "attempts")
    await store.close()
    assert len(copies) > 10
    for copy in copies:
        assert check(copy) == []
    store = await open_store(copies[len(copies) // 2], ids=ids)
    await prune_all(store, LATER)
    assert rows_of(store, "attempts") == left == 1
    await store.close()
    assert check(copies[len(copies) // 2]) == []


def copied(path: Path, folder: Path) -> Path:
    folder.mkdir()
    for part in path.parent.glob(f"{path.name}*"):
        if not part.name.endswith(("-shm", ".lock")):
            shutil.copy(part, folder / part.name)
    return folder / path.name


async def test_a_step_that_fails_changes_nothing(store: SqliteStore, ids: Ids) -> None:
    await setting_with_history(store, ids, 3)
    await prune(store, History.EVENTS, LATER)
    asked = {name: sql for name, sql in retention.SQL.items() if name != "release_decision"}
    with (
        patch.object(retention, "SQL", {**asked, "release_decision": "UPDATE nowhere SET n = :decision"}),
        pytest.raises(sqlite3.OperationalError),
    ):
        await store.prune(History.ATTEMPTS, LATER, 0)
    assert rows_of(store, "attempts") == 4


class BooksThatForget(Books):
    """The store under every order of operations, with steps of removing in between."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds: dict[History, tuple[Instant, int]] = {}
        """Where the rounds are that are not over: what they remove, and behind which key they go on."""
        self.steps = small_steps(2)
        self.steps.__enter__()

    def teardown(self) -> None:
        self.steps.__exit__(None, None, None)
        super().teardown()

    @precondition(lambda self: self.intents)
    @rule(history=st.sampled_from([*History, History.EVENTS, History.ATTEMPTS]), age=st.sampled_from([0, 1, 3600]))
    def remove_a_little(self, history: History, age: int) -> None:
        before, after = self.rounds.pop(history, (self.now - age * SECOND, 0))
        step = at_once(self.store.prune(history, before, after))
        if step.after is not None:
            self.rounds[history] = (before, step.after)

    @rule(age=st.sampled_from([0, 3600]))
    def remove_all_there_is(self, age: int) -> None:
        self.rounds.clear()
        for history in History:
            at_once(prune(self.store, history, self.now - age * SECOND))

    @precondition(lambda self: self.intents)
    @rule(pick=st.integers(0, 1000), outcome=st.sampled_from([SUCCESS, BUSY]), tries_left=st.booleans())
    def end(self, pick: int, outcome: Outcome, tries_left: bool) -> None:
        intent = self.intents[pick % len(self.intents)]
        self._record(ended(intent, self.now, outcome, tries_left=tries_left))

    @rule(name=st.sampled_from("abc"))
    def edit_the_campaign(self, name: str) -> None:
        stored = at_once(self.store.campaign(CUSTOMER, self.setting.campaign.id))
        assert stored is not None
        at_once(self.store.save_campaign(CUSTOMER, replace(stored, name=name), self.now))

    def what_was_told_is_there(self) -> None:
        """Live attempts are; done ones may be gone."""

    @rule()
    def live_attempts_are_there(self) -> None:
        for intent in self.intents:
            attempt = at_once(self.store.campaigncall(CUSTOMER, intent.claim.attempt_id))
            assert attempt is not None or intent.attempt in self.ended


BooksThatForget.TestCase.settings = settings(max_examples=60, stateful_step_count=50)
TestBooksThatForget = BooksThatForget.TestCase


# Requests with an Idempotency-Key


GIGABYTE = 1_000_000_000


def _request(name: bytes, at: Instant) -> Reservation:
    return Reservation(name=name, request="POST /x", fingerprint=b"f", credential=b"c", at=at)


async def test_requests_go_a_day_after_they_came(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "books.db")
    for place in range(10):
        held = await store.reserve_request(CUSTOMER, _request(b"%d" % place, NOW + place), GIGABYTE)
        answer = KeptAnswer(status=200, headers={"ETag": '"1"'}, body=b"{}")
        await store.keep_answer(CUSTOMER, held, answer)
    with small_steps(3):
        assert await prune(store, History.REQUESTS, NOW + 7) == 7
    left = [
        await store.reserve_request(CUSTOMER, _request(b"%d" % place, NOW + KEPT_US), GIGABYTE) for place in range(10)
    ]
    assert [held.answer is not None for held in left] == [False] * 7 + [True] * 3
    assert left[9].answer == answer
    assert (await store.reserve_request(CUSTOMER, _request(b"9", NOW + KEPT_US + 9), GIGABYTE)).answer is None
    await store.close()


async def test_what_requests_take_is_counted_until_they_go(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "books.db")
    for place in range(3):
        held = await store.reserve_request(CUSTOMER, _request(b"%d" % place, NOW + place), 2_000)
        await store.keep_answer(CUSTOMER, held, KeptAnswer(status=200, headers={}, body=b"x" * 300))
        await store.keep_answer(CUSTOMER, held, KeptAnswer(status=200, headers={}, body=b"x" * 200))
    assert check(tmp_path / "books.db") == []
    with pytest.raises(KeptFull):
        await store.reserve_request(CUSTOMER, _request(b"new", NOW + 3), 2_100)
    assert (await store.reserve_request(CUSTOMER, _request(b"1", NOW + 3), 2_100)).at == NOW + 1
    await prune(store, History.REQUESTS, NOW + 1)
    free = await store.reserve_request(CUSTOMER, _request(b"new", NOW + 3), 2_100)
    await store.free_request(CUSTOMER, free)
    assert check(tmp_path / "books.db") == []
    await store.close()


async def test_only_the_very_reservation_is_answered_or_freed(tmp_path: Path) -> None:
    store = await open_store(tmp_path / "books.db")
    old = await store.reserve_request(CUSTOMER, _request(b"a", NOW), GIGABYTE)
    new = await store.reserve_request(CUSTOMER, _request(b"a", NOW + KEPT_US), GIGABYTE)
    assert new.at > old.at
    await store.keep_answer(CUSTOMER, old, KeptAnswer(status=200, headers={}, body=b"old"))
    await store.free_request(CUSTOMER, old)
    assert await store.reserve_request(CUSTOMER, _request(b"a", NOW + KEPT_US + 1), GIGABYTE) == new
    await store.free_request(CUSTOMER, new)
    assert (await store.reserve_request(CUSTOMER, _request(b"a", NOW + KEPT_US + 1), GIGABYTE)).at == NOW + KEPT_US + 1
    await store.close()
