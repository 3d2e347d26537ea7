"""The checker finds what it is there to find."""

import sqlite3
from pathlib import Path

import pytest

from outdialer.ports.store import StoreUnavailable
from outdialer.store.sqlite.check import CHECKS, check
from tests.store.world import BUSY, CUSTOMER, NOW, SUCCESS, Ids, claim_due, ended, furnish, open_store

DAMAGES = {
    "one_live_attempt_per_target": (
        "DROP INDEX attempts_live_target; UPDATE attempts SET target = 1 WHERE status <> 'done'"
    ),
    "one_live_call_per_person": (
        "DROP INDEX attempts_live_number; UPDATE attempts SET number = '+12025550100' WHERE status <> 'done'"
    ),
    "tries_are_charged_attempts": "UPDATE targets SET tries_1 = 1 WHERE key = 2",
    "tries_of_lists_are_charged_attempts": "UPDATE targets SET tries_1 = 1 WHERE key = 1",
    "tries_are_numbered_without_gaps": "UPDATE attempts SET try_count = 2 WHERE key = 1",
    "progressing_targets_have_an_attempt": "UPDATE targets SET status = 'progressing', due = NULL WHERE key = 2",
    "live_attempts_have_a_target": "UPDATE targets SET status = 'idle', due = 1 WHERE key = 3",
    "attempts_and_calls_end_together": "UPDATE calls SET status = 'ringing' WHERE key = 1",
    "calls_have_a_leg": "DELETE FROM legs WHERE key = 3",
    "success_ends": "UPDATE targets SET status = 'idle', due = 1, done_reason = '' WHERE key = 1",
    "events_are_numbered_without_gaps": "DELETE FROM outbox WHERE attempt = 1 AND kind = 'ended'",
    "events_are_all_there": "DELETE FROM outbox WHERE key = 1",
    "attempts_have_all_their_events": "DELETE FROM outbox WHERE attempt = 4",
    "history_refers_to_what_is_there": "DELETE FROM decisions",
    "decisions_count_their_attempts": "UPDATE decisions SET attempts = attempts + 1",
    "limits_are_live_attempts": "UPDATE limits SET in_use = in_use + 1 WHERE scope = 'trunk:1'",
    "counters_are_counts": "UPDATE counters SET n = n + 1 WHERE name = 'attempts'",
    "requests_are_counted": "INSERT INTO request_totals (customer, bytes) VALUES (1, 1)",
    "foreign_keys": "UPDATE calls SET customer = 2 WHERE key = 1",
}


async def _books(path: Path) -> None:
    """One target done, one waiting, two in calls."""
    ids = Ids()
    store = await open_store(path, ids=ids)
    await store.begin_epoch("worker", NOW)
    await furnish(store, ids, *(f"+120255501{n:02d}" for n in range(4)))
    one, two, *_ = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(one, NOW, SUCCESS), ended(two, NOW, BUSY)])
    await store.close()
    assert check(path) == []


@pytest.mark.parametrize("name", sorted(DAMAGES))
async def test_a_planted_fault_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / "books.db"
    await _books(path)
    connection = sqlite3.connect(path)
    connection.executescript(DAMAGES[name])
    connection.commit()
    connection.close()
    assert name in {line.split(":")[0] for line in check(path)}


def test_every_check_has_a_planted_fault() -> None:
    assert set(CHECKS) <= set(DAMAGES)


def test_a_file_that_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        check(tmp_path / "nowhere.db")
