"""Judges a run by what the far end wrote down and what is on the books, and by nothing else.

Nothing of the engine, the store or the carrier is used here: two ledgers are read and held against each other. The
*wire* is the phones' JSON Lines log; the *books* are the SQLite file. Times are microseconds since the Unix epoch.

``safety`` holds at every instant, also right after a kill; ``at_rest`` holds once a campaign has run to its end.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

UNKNOWN = "unknown after a restart"
CHALLENGES = (401, 407)
VOICE_AFTER_KILL_US = 1_000_000
NOTED_WITHIN_US = 2_000_000
"""By when an answer is on the books that crossed our own hang-up, on a busy machine."""
UNDER_WAY_US = 200_000
"""How long a BYE may wait at a phone; the next life does not come to send one as soon as that."""


class Violation(Struct, frozen=True):
    """Something that must not be: which rule, and who broke it."""

    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


class Terms(Struct, frozen=True):
    """What was asked for: the pause between two tries, and the tries by index."""

    try_interval_us: int
    max_tries: tuple[int, ...]


class Invite(Struct, frozen=True):
    """An INVITE that started a call, as the phones received it first."""

    at: int
    call_id: str
    branch: str
    number: str

    @property
    def attempt(self) -> str:
        """The attempt's id in hex, which its Call-ID begins with."""
        return self.call_id.partition("-")[0]


class WireCall(Struct, frozen=True, kw_only=True):
    """A phone's summary of one call."""

    call_id: str
    number: str
    behaviour: str
    answered: bool
    status: int
    invite_at: int
    answered_at: int
    acknowledged_at: int
    ended_at: int
    """When one side hung up, and the other has agreed or is the phone."""
    ended_by: str
    heard_ms: int
    """How long the phone heard a voice."""
    problems: tuple[str, ...]

    @property
    def attempt(self) -> str:
        """As ``Invite.attempt``."""
        return self.call_id.partition("-")[0]


class Wire(Struct, frozen=True):
    """What the phones saw."""

    invites: tuple[Invite, ...]
    calls: tuple[WireCall, ...]

    def up_at(self, at: int) -> int:
        """How many calls were ringing or answered at an instant."""
        return sum(call.invite_at <= at < call.ended_at for call in self.calls)


class Attempt(Struct, frozen=True, kw_only=True):
    """One attempt on the books."""

    key: int
    id: str
    target: int
    index: int
    try_count: int
    number: str
    destination: str
    status: str
    result: str
    detail: str
    sip_code: int
    answered: bool
    charged: bool
    late_answer: bool
    tm_create: int
    tm_hangup: int | None

    @property
    def unknown(self) -> bool:
        """Whether it was closed without anybody knowing what became of it."""
        return self.detail == UNKNOWN


class Books(Struct, frozen=True):
    """What the store says."""

    attempts: tuple[Attempt, ...]
    targets: tuple[tuple[int, str], ...]
    """(key, status)"""
    in_use: dict[str, int]
    """Channels taken, by scope."""
    running_campaigns: int


def read_wire(log: Path) -> Wire:
    """Read the phones' log; a last line that is not complete yet is left out."""
    invites: list[Invite] = []
    calls: list[WireCall] = []
    byes: dict[str, int] = {}
    acks: dict[str, int] = {}
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break
            if '"event":"call"' in line:
                calls.append(_wire_call(json.loads(line)))
            elif '"dir":"out","method":"BYE","status":0' in line:
                record = json.loads(line)
                byes.setdefault(record["call_id"], record["at"])
            elif '"dir":"in","method":"ACK"' in line:
                record = json.loads(line)
                acks.setdefault(record["call_id"], record["at"])
            elif '"INVITE"' in line:
                record = json.loads(line)
                if _starts_a_call(record):
                    invites.append(Invite(record["at"], record["call_id"], record["branch"], record["number"]))
    return Wire(tuple(invites), tuple(_completed(call, byes, acks) for call in calls))


def _completed(call: WireCall, byes: dict[str, int], acks: dict[str, int]) -> WireCall:
    """A phone that hangs up is gone from its BYE on; and an ACK counts that comes after the end."""
    acknowledged_at = call.acknowledged_at or acks.get(call.call_id, 0)
    return replace(call, ended_at=byes.get(call.call_id, call.ended_at), acknowledged_at=acknowledged_at)


def _starts_a_call(record: dict[str, Any]) -> bool:
    request = record["dir"] == "in" and record["method"] == "INVITE" and not record["status"]
    return request and not record["retransmission"] and ";tag=" not in record["to"]


def _wire_call(record: dict[str, Any]) -> WireCall:
    audio = record["audio"]
    return WireCall(
        call_id=record["call_id"],
        number=record["number"],
        behaviour=record["behaviour"],
        answered=record["answered"],
        status=record["status"],
        invite_at=record["invite_at"],
        answered_at=record["answered_at"],
        acknowledged_at=record["acknowledged_at"],
        ended_at=record["ended_at"],
        ended_by=record["ended_by"],
        heard_ms=audio["duration_ms"] if audio else 0,
        problems=tuple(record["problems"]),
    )


def read_books(path: Path) -> Books:
    """Read the store's file beside whoever has it open."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")
        attempts = connection.execute("SELECT * FROM attempts ORDER BY key")
        return Books(
            attempts=tuple(_attempt(row) for row in attempts),
            targets=tuple((row["key"], row["status"]) for row in connection.execute("SELECT * FROM targets")),
            in_use={row["scope"]: row["in_use"] for row in connection.execute("SELECT * FROM limits")},
            running_campaigns=connection.execute("SELECT count(*) FROM campaigns WHERE status <> 'stop'").fetchone()[0],
        )
    finally:
        connection.close()


def _attempt(row: sqlite3.Row) -> Attempt:
    return Attempt(
        key=row["key"],
        id=row["id"].hex(),
        target=row["target"],
        index=row["destination_index"],
        try_count=row["try_count"],
        number=row["number"],
        destination=row["destination"],
        status=row["status"],
        result=row["result"],
        detail=row["hangup_detail"],
        sip_code=row["sip_code"],
        answered=bool(row["answered"]),
        charged=bool(row["charged"]),
        late_answer=bool(row["late_answer"]),
        tm_create=row["tm_create"],
        tm_hangup=row["tm_hangup"],
    )


class Ledgers:
    """Both ledgers of a run, joined by the attempt's id."""

    def __init__(self, wire: Wire, books: Books, terms: Terms, kills: tuple[int, ...] = ()) -> None:
        """``kills`` says when the engine died, in order."""
        self.wire, self.books, self.terms, self.kills = wire, books, terms, kills
        self.attempts = {attempt.id: attempt for attempt in books.attempts}
        self.invites: dict[str, list[Invite]] = defaultdict(list)
        self.calls: dict[str, list[WireCall]] = defaultdict(list)
        for invite in wire.invites:
            self.invites[invite.attempt].append(invite)
        for call in wire.calls:
            self.calls[call.attempt].append(call)


Check: TypeAlias = Callable[[Ledgers], Iterator[Violation]]


def safety(ledgers: Ledgers) -> list[Violation]:
    """What must hold at every instant."""
    return [violation for check in SAFETY for violation in check(ledgers)]


def at_rest(ledgers: Ledgers) -> list[Violation]:
    """What must hold when a campaign has come to its end, on top of ``safety``."""
    return [violation for check in AT_REST for violation in check(ledgers)]


def invites_have_attempts(ledgers: Ledgers) -> Iterator[Violation]:
    """Every INVITE has an attempt that was on the books before, for that very number."""
    for invite in ledgers.wire.invites:
        attempt = ledgers.attempts.get(invite.attempt)
        if attempt is None:
            yield Violation("invite without attempt", invite.call_id)
        elif attempt.tm_create > invite.at:
            yield Violation("invite before its attempt", invite.call_id)
        elif attempt.destination != invite.number:
            yield Violation("wrong number", f"attempt {attempt.key} called another number than its own")


def attempts_have_one_invite(ledgers: Ledgers) -> Iterator[Violation]:
    """One INVITE for each attempt, and one more after a challenge; none only when not sent or unknown."""
    for attempt in ledgers.books.attempts:
        branches = {invite.branch for invite in ledgers.invites[attempt.id]}
        challenged = any(call.status in CHALLENGES for call in ledgers.calls[attempt.id])
        if len(branches) > 1 + challenged:
            yield Violation("invited twice", f"attempt {attempt.key}: {len(branches)} INVITEs")
        if branches and not attempt.charged:
            yield Violation("sent but not charged", f"attempt {attempt.key}: {attempt.detail}")
        if not branches and attempt.status == "done" and attempt.charged and not attempt.unknown:
            yield Violation("attempt without invite", f"attempt {attempt.key}: {attempt.detail}")


def nobody_is_rung_early(ledgers: Ledgers) -> Iterator[Violation]:
    """An INVITE comes a full interval after the end of the target's charged attempt before: by books and by wire."""
    interval = ledgers.terms.try_interval_us
    before: dict[int, Attempt] = {}
    for attempt in ledgers.books.attempts:
        earlier = before.get(attempt.target)
        for invite in ledgers.invites[attempt.id] if earlier else ():
            assert earlier is not None
            ends = [call.ended_at for call in ledgers.calls[earlier.id]]
            ends.append(earlier.tm_hangup if earlier.tm_hangup is not None else invite.at)
            missing = max(ends) + interval - invite.at
            if missing > 0:
                yield Violation("rung early", f"attempt {attempt.key}, {missing / 1_000:.1f} ms after {earlier.key}")
        if attempt.charged:
            before[attempt.target] = attempt


def nobody_is_over_their_tries(ledgers: Ledgers) -> Iterator[Violation]:
    """Neither the charged attempts nor the attempts rung exceed the tries, and a lower index comes first."""
    tried: dict[tuple[int, int], int] = defaultdict(int)
    highest: dict[int, int] = defaultdict(int)
    for attempt in ledgers.books.attempts:
        if not attempt.charged and not ledgers.invites[attempt.id]:
            continue
        tried[attempt.target, attempt.index] += 1
        if attempt.index < highest[attempt.target]:
            yield Violation("out of order", f"attempt {attempt.key} went back to destination {attempt.index}")
        highest[attempt.target] = max(highest[attempt.target], attempt.index)
    for (target, index), count in tried.items():
        if count > ledgers.terms.max_tries[index]:
            yield Violation("over their tries", f"target {target} destination {index}: {count}")


def calls_to_a_number_do_not_overlap(ledgers: Ledgers) -> Iterator[Violation]:
    """A phone never has two of our calls at once."""
    by_number: dict[str, list[WireCall]] = defaultdict(list)
    for call in ledgers.wire.calls:
        by_number[call.number].append(call)
    for calls in by_number.values():
        calls.sort(key=lambda call: call.invite_at)
        for earlier, later in pairwise(calls):
            challenged = earlier.call_id == later.call_id and earlier.status in CHALLENGES
            if later.invite_at < earlier.ended_at and not challenged:
                text = f"{later.call_id} rang {(earlier.ended_at - later.invite_at) / 1_000:.1f} ms before"
                yield Violation("overlap", f"{text} {earlier.call_id} had ended")


def a_success_ends(ledgers: Ledgers) -> Iterator[Violation]:
    """Whoever was reached is not called again."""
    reached: dict[int, Attempt] = {}
    for attempt in ledgers.books.attempts:
        earlier = reached.get(attempt.target)
        if earlier is not None:
            yield Violation("called after success", f"attempt {attempt.key} after {earlier.key}")
        if attempt.result == "success":
            reached[attempt.target] = attempt


def nothing_is_stuck(ledgers: Ledgers) -> Iterator[Violation]:
    """Everybody is done, no channel is taken, and no call is up at the phones."""
    books = ledgers.books
    for attempt in books.attempts:
        if attempt.status != "done":
            yield Violation("attempt stuck", f"attempt {attempt.key} is {attempt.status}")
    for key, status in books.targets:
        if status != "done":
            yield Violation("target stuck", f"target {key} is {status}")
    for scope, count in books.in_use.items():
        if count:
            yield Violation("channel stuck", f"{scope}: {count}")
    if books.running_campaigns:
        yield Violation("campaign stuck", f"{books.running_campaigns} not stopped")
    summarised = {call.call_id for call in ledgers.wire.calls}
    for invite in ledgers.wire.invites:
        if invite.call_id not in summarised:
            yield Violation("call stuck", f"{invite.call_id} has no end")
    for call in ledgers.wire.calls:
        if call.ended_by in ("stop", "no-ack"):
            yield Violation("call stuck", f"{call.call_id} was ended by {call.ended_by}")


def nothing_is_closed_while_it_is_up(ledgers: Ledgers) -> Iterator[Violation]:
    """No attempt is closed on the books before its call has ended at the phone."""
    for attempt in ledgers.books.attempts:
        for call in ledgers.calls[attempt.id]:
            if attempt.tm_hangup is not None and attempt.tm_hangup < call.ended_at:
                text = f"attempt {attempt.key} ({attempt.detail}) was up {call.ended_at - attempt.tm_hangup} us longer"
                yield Violation("closed while up", text)


def _died_before_it_was_noted(ledgers: Ledgers, attempt: Attempt, call: WireCall) -> bool:
    """Whether the life that called had given the call up and ended it, and died with its changes not yet written.

    An answer that crosses our hang-up is ended at once, and noted beside that. One that comes to a later life, or that
    is taken, has no such excuse: it is noted before it is acknowledged.
    """
    death = next((at for at in ledgers.kills if at > call.invite_at), None)
    if death is None or not attempt.unknown:
        return False
    ended_by_that_life = call.acknowledged_at <= death and call.ended_at <= death + UNDER_WAY_US
    return ended_by_that_life and death <= call.ended_at + NOTED_WITHIN_US


def answers_are_acknowledged_and_noted(ledgers: Ledgers) -> Iterator[Violation]:
    """A 200 is acknowledged whenever it comes, and its attempt says that it came."""
    for attempt in ledgers.books.attempts:
        for call in ledgers.calls[attempt.id]:
            if not call.answered:
                continue
            if not call.acknowledged_at:
                yield Violation("answer not acknowledged", f"attempt {attempt.key} ({attempt.detail})")
            noted = attempt.answered or attempt.late_answer or attempt.sip_code == 200
            if not noted and not _died_before_it_was_noted(ledgers, attempt, call):
                yield Violation("answer not noted", f"attempt {attempt.key} ({attempt.detail})")


def successes_were_answered(ledgers: Ledgers) -> Iterator[Violation]:
    """Nobody is on the books as reached who did not answer."""
    for attempt in ledgers.books.attempts:
        heard = any(call.answered for call in ledgers.calls[attempt.id])
        if (attempt.answered or attempt.late_answer) and not heard:
            yield Violation("answer made up", f"attempt {attempt.key} ({attempt.detail})")


SAFETY: tuple[Check, ...] = (
    invites_have_attempts,
    attempts_have_one_invite,
    nobody_is_rung_early,
    nobody_is_over_their_tries,
    calls_to_a_number_do_not_overlap,
    a_success_ends,
)

AT_REST: tuple[Check, ...] = (
    nothing_is_stuck,
    nothing_is_closed_while_it_is_up,
    answers_are_acknowledged_and_noted,
    successes_were_answered,
)


def voice_stops(wire: Wire, kills: list[int]) -> list[Violation]:
    """No phone hears a voice longer than a second after the engine was killed.

    Args:
        wire: what the phones saw.
        kills: when the engine was killed.
    """
    found = []
    for call in wire.calls:
        if not call.acknowledged_at or not call.answered:
            continue
        cut = next((at for at in kills if call.acknowledged_at <= at < call.ended_at), None)
        if cut is not None and call.heard_ms * 1_000 > cut - call.acknowledged_at + VOICE_AFTER_KILL_US:
            found.append(Violation("voice after kill", f"{call.call_id} heard {call.heard_ms} ms"))
    return found
