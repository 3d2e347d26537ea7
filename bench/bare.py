"""The engine's own SQL driven bare: the store's transaction functions in a tight loop on one connection.

No event loop, no threads, no waiting: what is left is the cost of the books themselves. This is the ceiling that the
whole engine is compared with.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any

from bench.lists import CUSTOMER
from outdialer.domain.attempt import AttemptEvent
from outdialer.domain.call import CallEvent
from outdialer.domain.outcome import of_ended
from outdialer.domain.plan import Plan, plan
from outdialer.domain.retry import TargetVerdict
from outdialer.domain.snapshot import OutplanTerms, Snapshot
from outdialer.domain.target import TargetEvent
from outdialer.domain.units import Instant
from outdialer.engine.system import SystemClock, SystemIds
from outdialer.ports.store import AttemptChange, AttemptEnd, AttemptKeys, Claim, ClaimResult, Intent
from outdialer.store.sqlite import claiming, dialing, planning, recording
from outdialer.store.sqlite.books import read_terms
from outdialer.store.sqlite.connect import connect

BATCH = 200
FOLD_ROWS = 100_000
"""As the store's writer does when it is busy."""


class BareBooks:
    """One connection to a furnished file."""

    def __init__(self, path: Path) -> None:
        self.database = connect(path)
        self.clock = SystemClock()
        self._ids = SystemIds()
        self._terms: dict[int, OutplanTerms] = {}
        self._folded_at = self.database.total_changes
        self._life = self._in_transaction(dialing._begin, "bench", self.clock.now())

    def claim(self, count: int = BATCH) -> ClaimResult:
        """Read what is due, plan it, and claim up to ``count`` targets durably."""
        now = self.clock.now()
        decided = self._plan(count, now)
        claims = [Claim(line, *(self._ids.new(now) for _ in range(3))) for line in decided.lines]
        result: ClaimResult = self._in_transaction(claiming.claim, self._life, CUSTOMER, claims, decided, now)
        return result

    def answer(self, intents: tuple[Intent, ...]) -> None:
        """Write that all were answered."""
        now = self.clock.now()
        self._record([_answer(keys_of(intent), now) for intent in intents])

    def end(self, intents: tuple[Intent, ...]) -> None:
        """Write that all have ended, as successes."""
        now = self.clock.now()
        self._record([_end(keys_of(intent), now) for intent in intents])

    def fold(self) -> None:
        """Fold the write-ahead log back when it has grown."""
        if self.database.total_changes - self._folded_at >= FOLD_ROWS:
            self._folded_at = self.database.total_changes
            self.database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _plan(self, count: int, now: Instant) -> Plan:
        self.database.execute("BEGIN")
        trunks = planning.trunk_views(self.database, CUSTOMER)
        campaigns = planning.campaign_views(self.database, CUSTOMER, trunks, self._terms_of, now)
        self.database.execute("COMMIT")
        return plan(Snapshot(campaigns=campaigns, trunks=trunks, media_free=count), now)

    def _terms_of(self, version: int) -> OutplanTerms:
        if version not in self._terms:
            self._terms[version] = read_terms(self.database, CUSTOMER, version)
        return self._terms[version]

    def _record(self, changes: list[AttemptChange]) -> None:
        changed = self._in_transaction(recording.record, self._life, CUSTOMER, changes)
        assert len(changed) == len(changes)

    def _in_transaction(self, operation: Any, *arguments: Any) -> Any:
        self.database.execute("BEGIN IMMEDIATE")
        result = operation(self.database, *arguments)
        self.database.execute("COMMIT")
        return result


def keys_of(intent: Intent) -> AttemptKeys:
    """The keys that changes of an intent's attempt name."""
    line = intent.claim.line
    return AttemptKeys(
        attempt=intent.attempt,
        call=intent.call,
        leg=intent.leg,
        campaign=line.campaign,
        outdial=line.outdial,
        target=line.target,
        trunk=line.trunk,
        index=line.index,
    )


def _answer(keys: AttemptKeys, now: Instant) -> AttemptChange:
    return AttemptChange(
        keys=keys,
        at=now,
        attempt_event=AttemptEvent.ANSWERED,
        call_event=CallEvent.ANSWERED,
        dialog=b"simulated",
        answered_until=now,
    )


def _end(keys: AttemptKeys, now: Instant) -> AttemptChange:
    outcome = of_ended(answered=True, local=False, why="bye", sip_code=200, q850_cause=0)
    end = AttemptEnd(outcome=outcome, verdict=TargetVerdict(TargetEvent.SUCCEEDED), local=False, sip_code=200)
    return AttemptChange(keys=keys, at=now, attempt_event=AttemptEvent.ENDED, call_event=CallEvent.ENDED, end=end)


def drive(path: str) -> dict[str, float]:
    """Claim, answer and end every target of a file in batches; attempts, wall seconds and CPU seconds."""
    books = BareBooks(Path(path))
    attempts = 0
    started, cpu = time.perf_counter(), time.process_time()
    while intents := books.claim().intents:
        books.answer(intents)
        books.end(intents)
        books.fold()
        attempts += len(intents)
    result = {
        "attempts": attempts,
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
    }
    books.database.close()
    return result


def yardstick(folder: str, *, times: int = 60) -> dict[str, float]:
    """The median time of one insert of 200 rows of 1 KB with its commit (WAL, synchronous FULL), in s."""
    database = connect(Path(folder) / "yardstick.db")
    database.execute("CREATE TABLE yard (key INTEGER PRIMARY KEY, row BLOB NOT NULL)")
    taken = [_one_yard(database) for _ in range(times)]
    database.close()
    return {"seconds": sorted(taken)[times // 2]}


def _one_yard(database: sqlite3.Connection) -> float:
    started = time.perf_counter()
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO yard (row) VALUES (?)", [(bytes(1_024),)] * 200)
    database.execute("COMMIT")
    return time.perf_counter() - started
