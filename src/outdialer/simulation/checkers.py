"""Judges a world by its trace and its file, and by nothing else: no code of the engine, the domain or the store.

``judge`` walks through what happened in order and keeps books of its own; ``judge_file`` reads the store's file as
it was left. Each violation names its rule.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from math import ceil, inf
from pathlib import Path
from typing import Any

from msgspec import Struct

from outdialer.simulation.trace import Entry

SECOND = 1_000_000
STOP_ALLOWANCE = 1 * SECOND
"""How long after a stop or a deletion an INVITE that was committed before may still leave."""


class Violation(Struct, frozen=True):
    """Something that must not be: when, which rule, and who broke it."""

    at: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.at / SECOND:.6f} {self.rule}: {self.text}"


class _History:
    """The values of one limit and since when each held."""

    def __init__(self) -> None:
        self._values: list[tuple[int, float]] = []

    def set(self, at: int, value: float) -> None:
        """From now on it is ``value``; 0 is no limit."""
        self._values.append((at, value or inf))

    def highest_since(self, at: int) -> float:
        """The highest value that held at ``at`` or later."""
        before = [value for since, value in self._values if since <= at]
        return max([*before[-1:], *(value for since, value in self._values if since > at)], default=inf)


class _Attempt(Struct):
    """An attempt as its claim was committed."""

    claim: Entry
    interval_us: int
    invite: Entry | None = None
    over: Entry | None = None
    """When the phone was done with it."""
    ended: bool = False
    charged: bool = True
    tm_end: int = 0
    end_entry: Entry | None = None


class _Campaign(Struct):
    outplan: str
    outdial: str
    follower: str
    stopped_at: int | None = 0


class Names:
    """Who is who: the store's keys and the public ids, and the destinations of targets."""

    def __init__(self, database: sqlite3.Connection) -> None:
        def keys(table: str) -> dict[str, int]:
            return {row["id"].hex(): row["key"] for row in database.execute(f"SELECT key, id FROM {table}")}

        self.campaigns = keys("campaigns")
        self.targets = keys("targets")
        self.outdials = keys("outdials")
        self.destinations = {
            row["key"]: tuple(bool(row[f"destination_{index}"]) for index in range(5))
            for row in database.execute("SELECT * FROM targets")
        }


def open_file(path: Path) -> sqlite3.Connection:
    """The store's file, to read."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database


class _Judge:
    """Walks through a trace with books of its own."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.found: list[Violation] = []
        self.now: Entry
        self.campaigns: dict[int, _Campaign] = {}
        self.outplans: dict[str, Entry] = {}
        self.rates: dict[str, _History] = defaultdict(_History)
        self.channels: dict[str, _History] = defaultdict(_History)
        self.deleted: dict[str, int] = {}
        self.attempts: dict[str, _Attempt] = {}
        self.by_key: dict[int, _Attempt] = {}
        self.open: dict[int, _Attempt] = {}
        self.tries: dict[int, list[int]] = defaultdict(lambda: [0] * 5)
        self.reached: set[int] = set()
        self.last_charged: dict[int, _Attempt] = {}
        self.up: dict[str, _Attempt] = {}
        self.by_call: dict[str, _Attempt] = {}
        self.last_invite: dict[str, tuple[Entry, int]] = {}
        self.life = 0

    def walk(self, entries: list[Entry]) -> None:
        """Look at everything in order."""
        for entry in entries:
            self.now = entry
            take = getattr(self, f"_take_{entry.kind.replace(' ', '_')}", None)
            if take is not None:
                take(entry, **entry.about)

    def _breach(self, rule: str, text: str) -> None:
        self.found.append(Violation(self.now.at, rule, text))

    # What people do

    def _take_trunk(self, entry: Entry, rate: float, channels: int) -> None:
        self.rates["trunk"].set(entry.at, rate)
        self.channels["trunk"].set(entry.at, channels)

    def _take_outplan(self, entry: Entry, id: str, **_: Any) -> None:
        self.outplans[id] = entry

    def _take_campaign(
        self, entry: Entry, *, id: str, outplan: str, outdial: str, follower: str, rate: float, channels: int
    ) -> None:
        key = self.names.campaigns[id]
        campaign = self.campaigns.setdefault(key, _Campaign(outplan, outdial, follower))
        campaign.outplan, campaign.outdial, campaign.follower = outplan, outdial, follower
        self.rates[f"campaign {key}"].set(entry.at, rate)
        self.channels[f"campaign {key}"].set(entry.at, channels)

    def _take_ordered(self, entry: Entry, order: str, campaign: str, status: str) -> None:
        known = self.campaigns[self.names.campaigns[campaign]]
        if order == "run":
            known.stopped_at = None
        elif known.stopped_at is None:
            known.stopped_at = entry.at

    def _take_campaigns(self, entry: Entry, events: list[tuple[int, str]], changed: list[int]) -> None:
        for key, event in events:
            if key not in changed:
                continue
            if event == "drained" and self._open_in("campaign", key):
                self._breach("stopped while calls were up", f"campaign {key}")
            if event == "finished":
                self.campaigns[key].stopped_at = entry.at
                follower = self.names.campaigns.get(self.campaigns[key].follower)
                if follower is not None:
                    self.campaigns[follower].stopped_at = None

    def _take_deleted(self, entry: Entry, target: str) -> None:
        self.deleted.setdefault(f"target {self.names.targets[target]}", entry.at)

    def _take_list_deleted(self, entry: Entry, outdial: str) -> None:
        self.deleted.setdefault(f"outdial {self.names.outdials[outdial]}", entry.at)

    # What is committed

    def _take_life(self, entry: Entry, life: int) -> None:
        self.life = life

    def _take_claim(self, entry: Entry, **line: Any) -> None:
        campaign = self.campaigns[line["campaign"]]
        terms = self.outplans[campaign.outplan].about
        who = f"target {line['target']}, attempt {line['key']}"
        self._claim_is_allowed(line, campaign, who)
        self._claim_is_in_order(line, terms, who)
        attempt = _Attempt(entry, terms["interval_ms"] * 1_000)
        self.attempts[line["attempt"]] = self.by_key[line["key"]] = attempt
        self.open[line["key"]] = attempt
        self.tries[line["target"]][line["index"]] += 1
        for scope, key in (("trunk", line["trunk"]), ("campaign", line["campaign"])):
            allowed = self.channels["trunk" if scope == "trunk" else f"campaign {key}"].highest_since(entry.at)
            if self._open_in(scope, key) > allowed:
                self._breach("channels on the books", f"{scope} {key}: {self._open_in(scope, key)} of {allowed}")

    def _open_in(self, scope: str, key: int) -> int:
        return sum(attempt.claim.about[scope] == key for attempt in self.open.values())

    def _claim_is_allowed(self, line: dict[str, Any], campaign: _Campaign, who: str) -> None:
        if campaign.stopped_at is not None:
            self._breach("claimed after a stop", who)
        if f"target {line['target']}" in self.deleted or f"outdial {line['outdial']}" in self.deleted:
            self._breach("claimed after deletion", who)
        if line["target"] in self.reached:
            self._breach("claimed after success", who)
        for other in self.open.values():
            if other.claim.about["target"] == line["target"]:
                self._breach("two live attempts of a target", who)
            if other.claim.about["number"] == line["number"]:
                self._breach("two live attempts of a number", who)

    def _claim_is_in_order(self, line: dict[str, Any], terms: dict[str, Any], who: str) -> None:
        tried, allowed = self.tries[line["target"]], terms["tries"]
        if line["try_count"] != tried[line["index"]] + 1:
            self._breach("tries are not counted", f"{who}: try {line['try_count']} after {tried}")
        if line["try_count"] > allowed[line["index"]]:
            self._breach("over the tries", f"{who}: try {line['try_count']} of {allowed}")
        there = self.names.destinations[line["target"]]
        first = next((index for index in range(5) if there[index] and tried[index] < allowed[index]), None)
        if first != line["index"]:
            self._breach("out of order", f"{who}: index {line['index']} before {first}")

    def _take_record(self, entry: Entry, key: int, changed: bool, event: str, tm: int, **end: Any) -> None:
        attempt = self.by_key.get(key)
        if attempt is None:
            self._breach("recorded without a claim", f"attempt {key}")
            return
        if not changed:
            return
        if attempt.ended:
            # A change within the same commit as the end, before it, is told before it.
            self._breach("changed after its end", f"attempt {key}: {event}")
        if "result" in end:
            self._end(entry, attempt, key, tm, end)

    def _end(self, entry: Entry, attempt: _Attempt, key: int, tm: int, end: dict[str, Any]) -> None:
        line = attempt.claim.about
        attempt.ended, attempt.charged = True, end["charged"]
        attempt.tm_end, attempt.end_entry = tm, entry
        self.open.pop(key, None)
        if (end["result"] == "success") != (end["reason"] == "normal"):
            self._breach("only normal is a success", f"attempt {key}: {end['reason']} is {end['result']}")
        if end["result"] == "success":
            self.reached.add(line["target"])
        if attempt.charged:
            self.last_charged[line["target"]] = attempt
        else:
            self.tries[line["target"]][line["index"]] -= 1
            if attempt.invite is not None:
                self._breach("sent but not charged", f"attempt {key}")
        if attempt.invite is not None and attempt.over is None:
            self._closed_while_up(entry, attempt, key)

    def _closed_while_up(self, entry: Entry, attempt: _Attempt, key: int) -> None:
        """Never, but for one way: the machine's clock was set forward while no engine ran, past the bound."""
        if _set_forward(attempt.claim, entry) > SECOND:
            self.up.pop(next(call_id for call_id, known in self.up.items() if known is attempt))
        else:
            self._breach("closed while up", f"attempt {key}")

    # The wire

    def _take_invite(self, entry: Entry, call_id: str, attempt: str, number: str, trunk: int) -> None:
        known = self.attempts.get(attempt)
        if known is None:
            self._breach("INVITE without a committed attempt", call_id)
            return
        line, who = known.claim.about, f"attempt {known.claim.about['key']}"
        if known.invite is not None:
            self._breach("INVITE twice", who)
        if known.ended:
            self._breach("INVITE after the end", who)
        if line["number"] != number:
            self._breach("another number than claimed", who)
        for other in self.up.values():
            if other.claim.about["number"] == number:
                self._breach("two calls of a number on the wire", f"{who} and {other.claim.about['key']}")
            if other.claim.about["target"] == line["target"]:
                self._breach("two calls of a target on the wire", f"{who} and {other.claim.about['key']}")
        known.invite = entry
        self.up[call_id] = self.by_call[call_id] = known
        self._invite_is_allowed(entry, line, who)
        self._invite_is_not_early(entry, known, who)
        self._limits_hold(entry, known, line, who)

    def _invite_is_allowed(self, entry: Entry, line: dict[str, Any], who: str) -> None:
        stopped_at = self.campaigns[line["campaign"]].stopped_at
        if stopped_at is not None and entry.at > stopped_at + STOP_ALLOWANCE:
            self._breach("INVITE after a stop", f"{who}, {(entry.at - stopped_at) / SECOND:.3f} s")
        for name in (f"target {line['target']}", f"outdial {line['outdial']}"):
            if name in self.deleted and entry.at > self.deleted[name] + STOP_ALLOWANCE:
                self._breach("INVITE after deletion", f"{who}, {(entry.at - self.deleted[name]) / SECOND:.3f} s")

    def _invite_is_not_early(self, entry: Entry, known: _Attempt, who: str) -> None:
        before = self.last_charged.get(known.claim.about["target"])
        if before is None or before.end_entry is None:
            return
        passed = entry.clock - before.tm_end
        if passed < before.interval_us:
            self._breach("early by the books", f"{who}: {passed / SECOND:.3f} s of {before.interval_us / SECOND}")
        if before.over is not None:
            since = (before.claim, before.over, before.end_entry)
            really = entry.at - before.over.at + max(_set_forward(earlier, entry) for earlier in since)
            if really < before.interval_us:
                self._breach("early on the wire", f"{who}: {really / SECOND:.3f} s of {before.interval_us / SECOND}")

    def _limits_hold(self, entry: Entry, known: _Attempt, line: dict[str, Any], who: str) -> None:
        for name, scope in (("trunk", "trunk"), ("campaign", f"campaign {line['campaign']}")):
            since = known.claim.at
            rate, channels = self.rates[scope].highest_since(since), self.channels[scope].highest_since(since)
            last, life = self.last_invite.get(scope, (None, 0))
            if last is not None:
                gap = entry.at - last.at + (_set_forward(last, entry) if life != self.life else 0)
                if gap < ceil(SECOND / rate):
                    self._breach("rate", f"{who}: {gap} us after the INVITE before on {scope} at {rate} a second")
            self.last_invite[scope] = entry, self.life
            up = sum(other.claim.about[name] == line[name] for other in self.up.values())
            if up > channels:
                self._breach("channels on the wire", f"{who}: {up} of {channels} on {scope}")

    def _take_far(self, entry: Entry, call_id: str, state: str, **_: Any) -> None:
        if state == "over":
            attempt = self.up.pop(call_id, None)
            if attempt is not None:
                attempt.over = entry


def _set_forward(before: Entry, after: Entry) -> int:
    """How far the engine's clock was set forward between two entries, in microseconds."""
    return max(0, (after.clock - after.at) - (before.clock - before.at))


def judge(entries: list[Entry], path: Path) -> list[Violation]:
    """What a trace and the file that it left break."""
    database = open_file(path)
    try:
        walker = _Judge(Names(database))
        walker.walk(entries)
        end = entries[-1].at if entries else 0
        return walker.found + judge_file(database, end)
    finally:
        database.close()


FILE_RULES = {
    "tries are charged attempts": """
        SELECT 'target ' || t.key FROM targets AS t
        WHERE t.tries_0 + t.tries_1 + t.tries_2 + t.tries_3 + t.tries_4
              <> (SELECT count(*) FROM attempts AS a WHERE a.target = t.key AND a.charged)""",
    "status and result": """
        SELECT 'attempt ' || key || ' ' || status || ' ' || result FROM attempts
        WHERE status NOT IN ('dialing', 'progressing', 'done') OR result NOT IN ('', 'success', 'fail')
              OR (status = 'done') <> (result <> '') OR (result = 'success' AND hangup_reason <> 'normal')""",
    "one end": """
        SELECT 'attempt ' || a.key FROM attempts AS a WHERE a.status = 'done'
        AND 1 <> (SELECT count(*) FROM outbox AS o WHERE o.attempt = a.key AND o.kind = 'ended')""",
    "nothing after the end": """
        SELECT 'attempt ' || o.attempt FROM outbox AS o JOIN outbox AS e ON e.attempt = o.attempt AND e.kind = 'ended'
        WHERE o.event_number > e.event_number""",
    "channels are live attempts": """
        SELECT scope || ': ' || in_use FROM limits
        WHERE in_use <> (SELECT count(*) FROM attempts WHERE status <> 'done'
                         AND scope IN ('trunk:' || trunk, 'campaign:' || campaign))""",
    "a success ends": """
        SELECT 'target ' || t.key FROM targets AS t JOIN attempts AS a ON a.target = t.key AND a.result = 'success'
        WHERE t.status <> 'done'""",
    "progressing has an attempt": """
        SELECT 'target ' || t.key FROM targets AS t WHERE (t.status = 'progressing')
        <> EXISTS (SELECT 1 FROM attempts AS a WHERE a.target = t.key AND a.status <> 'done')""",
}


def judge_file(database: sqlite3.Connection, at: int) -> list[Violation]:
    """What the file breaks by itself."""
    found = []
    for rule, statement in FILE_RULES.items():
        found += [Violation(at, rule, row[0]) for row in database.execute(statement)]
    return found + _counted(database, at)


def _counted(database: sqlite3.Connection, at: int) -> list[Violation]:
    """The counters against the rows that they count."""
    rows: Counter[tuple[str, int, str]] = Counter()
    for row in database.execute("SELECT outdial, status, done_reason FROM targets"):
        name = f"done.{row['done_reason']}" if row["status"] == "done" else row["status"]
        rows["outdial", row["outdial"], name] += 1
    for row in database.execute("SELECT campaign, status, result, charged, hangup_reason FROM attempts"):
        rows["campaign", row["campaign"], "attempts"] += 1
        if row["status"] == "done":
            failed = f"failed.{row['hangup_reason']}" if row["charged"] else "not_sent"
            rows["campaign", row["campaign"], "succeeded" if row["result"] == "success" else failed] += 1
        else:
            rows["campaign", row["campaign"], "dialing" if row["status"] == "dialing" else "talking"] += 1
    kept = {(row["kind"], row["scope"], row["name"]): row["n"] for row in database.execute("SELECT * FROM counters")}
    own = {key for key in kept if key[0] in ("outdial", "campaign")}
    judged = {key for key in own if key[2] not in ("retries_waiting", "ringing", "answered")} | set(rows)
    return [
        Violation(at, "counts add up", f"{json.dumps(key)}: {kept.get(key, 0)} kept, {rows[key]} there")
        for key in sorted(judged)
        if kept.get(key, 0) != rows[key]
    ]
