"""Any order of claims, answers, ends, deletions, stops and new lives leaves the books in order."""

import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.outcome import Outcome
from outdialer.domain.plan import Plan
from outdialer.domain.target import TargetStatus
from outdialer.ports.store import AttemptChange, Intent, Page
from outdialer.store.sqlite.books import Life
from outdialer.store.sqlite.check import check
from tests.store.world import (
    BUSY,
    CUSTOMER,
    NOT_SENT,
    NOW,
    SECOND,
    SUCCESS,
    Ids,
    answered,
    claims_of,
    ended,
    furnish,
    new_target,
    open_store,
    planned,
    ringing,
)

T = TypeVar("T")
PEOPLE = [f"+1202555010{n}" for n in range(5)]
OUTCOMES = [SUCCESS, BUSY, NOT_SENT]


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never has to wait, as those of an inline store are."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("an inline store waited")


class Books(RuleBasedStateMachine):
    """The store under every order of operations, with the little that a caller knows as the model."""

    @initialize(channels=st.sampled_from([1, 3, 0]), rate=st.sampled_from([0.0, 2.0, 1000.0]))
    def open(self, channels: int, rate: float) -> None:
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.path = self.folder / "books.db"
        self.ids = Ids()
        self.now = NOW
        self.store = at_once(open_store(self.path, ids=self.ids))
        at_once(self.store.begin_epoch("worker", self.now))
        self.setting = at_once(
            furnish(self.store, self.ids, *PEOPLE, channels=channels, rate_per_s=rate, max_tries=(2, 0, 0, 0, 0))
        )
        self.intents: list[Intent] = []
        self.ended: dict[int, Outcome] = {}
        self.old_plan = Plan()
        self.old_life = Life()
        self.claim()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            at_once(self.store.close())
            shutil.rmtree(self.folder)

    @rule(numbers=st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4))
    def create_targets(self, numbers: list[str]) -> None:
        targets = [new_target(self.ids(), number) for number in numbers]
        at_once(self.store.create_targets(CUSTOMER, self.setting.outdial.id, targets, self.now))

    @rule(seconds=st.sampled_from([0, 1, 7, 3600]))
    def let_time_pass(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule()
    def claim(self) -> None:
        made = at_once(planned(self.store, self.now))
        self.old_plan = made
        at_once(self.store.close_targets(CUSTOMER, made.closures, self.now))
        at_once(self.store.apply_campaign_events(CUSTOMER, made.campaign_events, self.now))
        self._claim(made)

    @rule(outcomes=st.lists(st.sampled_from([None, *OUTCOMES]), min_size=5, max_size=5), tries_left=st.booleans())
    def dial_for_an_hour(self, outcomes: list[Outcome | None], tries_left: bool) -> None:
        """Claim what is due, give some calls their ends, and leave others up."""
        known = len(self.intents)
        self.run()
        self.claim()
        self.now += SECOND
        for intent, outcome in zip(self.intents[known:], outcomes, strict=False):
            if outcome is not None:
                self._record(ringing(intent, self.now), ended(intent, self.now, outcome, tries_left=tries_left))
        self.now += 3600 * SECOND

    @rule()
    def claim_by_an_old_plan(self) -> None:
        self._claim(self.old_plan)

    def _claim(self, made: Plan) -> None:
        result = at_once(self.store.claim(CUSTOMER, claims_of(made, self.ids), made, self.now))
        assert len(result.intents) + len(result.lost) == len(made.lines)
        self.intents += result.intents
        numbers = [intent.claim.line.number for intent in self.intents if intent.attempt not in self.ended]
        assert len(numbers) == len(set(numbers)), "one number twice in a call"

    def _record(self, *changes: AttemptChange) -> None:
        expected = [c.keys.attempt for c in changes if c.end is not None and c.keys.attempt not in self.ended]
        changed = at_once(self.store.record(CUSTOMER, changes))
        assert set(expected) <= set(changed)
        assert not set(changed) & set(self.ended), "done is done"
        for change in changes:
            if change.end is not None:
                self.ended.setdefault(change.keys.attempt, change.end.outcome)

    @precondition(lambda self: self.intents)
    @rule(pick=st.integers(0, 1000), kind=st.sampled_from([ringing, answered]))
    def progress(self, pick: int, kind: Any) -> None:
        self._record(kind(self.intents[pick % len(self.intents)], self.now))

    @precondition(lambda self: self.intents)
    @rule(pick=st.integers(0, 1000), late=st.booleans(), outcome=st.sampled_from(OUTCOMES), tries_left=st.booleans())
    def end(self, pick: int, late: bool, outcome: Outcome, tries_left: bool) -> None:
        among = [intent for intent in self.intents if late or intent.attempt not in self.ended] or self.intents
        intent = among[pick % len(among)]
        attempt = at_once(self.store.campaigncall(CUSTOMER, intent.claim.attempt_id))
        assert attempt is not None
        if outcome is NOT_SENT and attempt.status == AttemptStatus.PROGRESSING:
            return
        self._record(ended(intent, self.now, outcome, tries_left=tries_left))

    @precondition(lambda self: self.intents)
    @rule(pick=st.integers(0, 1000))
    def a_whole_life_at_once(self, pick: int) -> None:
        intent = self.intents[pick % len(self.intents)]
        self._record(
            ringing(intent, self.now), answered(intent, self.now), ended(intent, self.now, SUCCESS),
            ended(intent, self.now, BUSY),
        )  # fmt: skip

    @rule(pick=st.integers(0, 1000))
    def delete_a_target(self, pick: int) -> None:
        targets = at_once(self.store.targets(CUSTOMER, self.setting.outdial.id, Page()))
        if targets:
            target = targets[pick % len(targets)]
            deleted = at_once(self.store.delete_target(CUSTOMER, self.setting.outdial.id, target.id, self.now))
            assert deleted is not None
            assert deleted.status != TargetStatus.IDLE

    @rule(pick=st.integers(0, 1000))
    def reslot(self, pick: int) -> None:
        wanted = [intent.attempt for intent in self.intents[pick % 7 :]]
        slots = at_once(self.store.reslot(CUSTOMER, wanted, self.now))
        assert not set(slots) & set(self.ended)

    @rule()
    def run(self) -> None:
        at_once(self.store.order_run(CUSTOMER, self.setting.campaign.id, self.now))

    @rule()
    def stop(self) -> None:
        at_once(self.store.order_stop(CUSTOMER, self.setting.campaign.id, self.now))

    @rule(tries=st.integers(1, 3))
    def edit_the_outplan(self, tries: int) -> None:
        stored = at_once(self.store.outplan(CUSTOMER, self.setting.outplan.id))
        assert stored is not None
        at_once(self.store.save_outplan(CUSTOMER, replace(stored, max_tries=(tries, 0, 0, 0, 0)), self.now))

    @rule()
    def begin_a_new_life(self) -> None:
        self.old_life = self.store._life
        at_once(self.store.begin_epoch("worker", self.now))
        left = {one.attempt_id for one in at_once(self.store.unresolved(CUSTOMER))}
        live = {intent.claim.attempt_id for intent in self.intents if intent.attempt not in self.ended}
        assert left == live

    @precondition(lambda self: self.intents and self.old_life.epoch)
    @rule()
    def write_from_an_old_life(self) -> None:
        life, self.store._life = self.store._life, self.old_life
        made = at_once(planned(self.store, self.now))
        assert at_once(self.store.claim(CUSTOMER, claims_of(made, self.ids), made, self.now)).intents == ()
        changes = [ended(intent, self.now, SUCCESS) for intent in self.intents]
        assert at_once(self.store.record(CUSTOMER, changes)) == []
        self.store._life = life

    @rule()
    def open_again(self) -> None:
        at_once(self.store.close())
        self.store = at_once(open_store(self.path, ids=self.ids))
        self.begin_a_new_life()

    @invariant()
    def the_books_are_in_order(self) -> None:
        if hasattr(self, "path"):
            assert check(self.path) == []

    @invariant()
    def what_was_told_is_there(self) -> None:
        for intent in getattr(self, "intents", [])[-5:]:
            attempt = at_once(self.store.campaigncall(CUSTOMER, intent.claim.attempt_id))
            assert attempt is not None
            assert (attempt.status == AttemptStatus.DONE) == (intent.attempt in self.ended)
            if intent.attempt in self.ended:
                assert attempt.result == self.ended[intent.attempt].result


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=50)
TestBooks = Books.TestCase
