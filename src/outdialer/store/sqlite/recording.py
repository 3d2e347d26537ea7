"""What happens to live attempts, written with everything it entails in one transaction.

The rows are read once, the changes are applied in order through the domain's tables, and the outcome is written
once per row. A change that the tables refuse (late, repeated, impossible) changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from outdialer.domain import attempt, call, target
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallEvent, CallStatus
from outdialer.domain.outcome import Result
from outdialer.domain.target import DONE_REASONS, DoneReason, TargetEvent, TargetStatus
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import AttemptChange, AttemptEnd, AttemptKeys
from outdialer.store.sqlite.books import SHARED, Counts, Database, Life, change_exactly, is_current
from outdialer.store.sqlite.rows import Row, to_json, tries_of
from outdialer.store.sqlite.statements import execute_each, statements

SQL = statements("recording")
NO_INDEX = -1


class _Working(Struct):
    """An attempt with its call while changes are applied to it."""

    row: Row
    keys: AttemptKeys
    status: AttemptStatus
    call_status: CallStatus
    event_number: int
    answered: bool
    tm: Instant
    tm_ringing: Instant | None
    tm_progressing: Instant | None
    tm_hangup_order: Instant | None = None
    changed: bool = False
    answer: AttemptChange | None = None
    end: AttemptEnd | None = None

    @property
    def phases(self) -> dict[str, int]:
        """How the attempt counts among its campaign's live ones."""
        dialing = self.status == AttemptStatus.DIALING
        return {
            "dialing": int(dialing),
            "ringing": int(dialing and self.tm_ringing is not None),
            "talking": int(self.status == AttemptStatus.PROGRESSING),
            "answered": int(self.answered),
        }


def record(database: Database, life: Life, customer: int, changes: Sequence[AttemptChange]) -> list[int]:
    """Apply changes to live attempts; the keys of those changed."""
    if not is_current(database, life):
        return []
    asked = {"customer": customer, "attempts": to_json(list({change.keys.attempt for change in changes}))}
    rows = {row["key"]: row for row in database.execute(SQL["live_attempts"], asked)}
    attempts: dict[int, _Working] = {}
    events: list[dict[str, Any]] = []
    counts = Counts(customer)
    for change in changes:
        working = attempts.get(change.keys.attempt)
        if working is None:
            row = rows.get(change.keys.attempt)
            if row is None:
                continue
            working = attempts[row["key"]] = _working(row, change.keys)
        before = working.phases
        for kind in _apply(working, change):
            working.event_number += 1
            events.append(_event_row(customer, working, kind, change.at))
        for name, now in working.phases.items():
            counts.campaign(working.row["campaign"], name, now - before[name])
    changed = [working for working in attempts.values() if working.changed]
    _write_attempts(database, customer, changed)
    _end_targets(database, customer, [working for working in changed if working.end is not None], counts)
    execute_each(database, SHARED["attempt_happened"], events)
    counts.write(database)
    return [working.row["key"] for working in changed]


def _working(row: Row, keys: AttemptKeys) -> _Working:
    return _Working(
        row=row,
        keys=keys,
        status=AttemptStatus(row["status"]),
        call_status=CallStatus(row["call_status"]),
        event_number=row["event_number"],
        answered=bool(row["answered"]),
        tm=0,
        tm_ringing=row["tm_ringing"],
        tm_progressing=row["tm_progressing"],
    )


def _apply(working: _Working, change: AttemptChange) -> list[str]:
    """Apply one change; the events that it makes."""
    if working.status == AttemptStatus.DONE:
        return []
    events: list[str] = []
    attempt_status = attempt.apply(working.status, change.attempt_event) if change.attempt_event else None
    call_event = CallEvent.ENDED if attempt_status == AttemptStatus.DONE else change.call_event
    call_status = call.apply(working.call_status, call_event) if call_event else None
    if attempt_status == AttemptStatus.DONE and change.end is None:
        raise ValueError(f"{change.attempt_event} of attempt {change.keys.attempt} came without its end")
    if call_status == CallStatus.RINGING:
        working.tm_ringing = change.at
        events.append("ringing")
    if call_status in (CallStatus.CANCELING, CallStatus.TERMINATING):
        working.tm_hangup_order = change.at
        events.append(str(call_status))
    if attempt_status == AttemptStatus.PROGRESSING:
        working.tm_progressing, working.answered, working.answer = change.at, True, change
        events.append("answered")
    if attempt_status == AttemptStatus.DONE and change.end is not None:
        working.end = change.end
        working.answered = working.answered or change.end.outcome.answered
        events.append("ended")
    if attempt_status is not None or call_status is not None:
        working.changed, working.tm = True, change.at
        working.status = attempt_status or working.status
        working.call_status = call_status or working.call_status
    return events


def _event_row(customer: int, working: _Working, kind: str, at: Instant) -> dict[str, Any]:
    return {
        "customer": customer,
        "kind": kind,
        "attempt": working.row["key"],
        "event_number": working.event_number,
        "tm": at,
    }


def _write_attempts(database: Database, customer: int, changed: Sequence[_Working]) -> None:
    living = [_row(customer, working) for working in changed if working.end is None]
    ended = [{**_row(customer, working), **_end_row(working.end)} for working in changed if working.end is not None]
    change_exactly(database, SQL["update_attempt"], living)
    change_exactly(database, SQL["update_call"], living)
    change_exactly(database, SQL["end_attempt"], ended)
    change_exactly(database, SQL["end_call"], ended)
    answers = [working.answer for working in changed if working.answer is not None]
    change_exactly(database, SQL["answer_leg"], [_answer_row(customer, answer) for answer in answers])


def _row(customer: int, working: _Working) -> dict[str, Any]:
    return {
        "customer": customer,
        "attempt": working.row["key"],
        "call": working.row["call"],
        "status": str(working.status),
        "call_status": str(working.call_status),
        "event_number": working.event_number,
        "answered": int(working.answered),
        "tm": working.tm,
        "tm_ringing": working.tm_ringing,
        "tm_progressing": working.tm_progressing,
        "tm_activeflow_end": working.tm_hangup_order,
    }


def _end_row(end: AttemptEnd) -> dict[str, Any]:
    return {
        "result": str(end.outcome.result),
        "reason": str(end.outcome.reason),
        "detail": end.outcome.detail,
        "charged": int(end.outcome.charged),
        "hangup_by": "local" if end.local else "remote",
        "sip_code": end.sip_code,
        "q850_cause": end.q850_cause,
        "ring_ms": end.ring_ms,
        "talk_ms": end.talk_ms,
    }


def _answer_row(customer: int, answer: AttemptChange) -> dict[str, Any]:
    return {
        "customer": customer,
        "leg": answer.keys.leg,
        "dialog": answer.dialog,
        "answered_until": answer.answered_until,
    }


def _end_targets(database: Database, customer: int, ended: Sequence[_Working], counts: Counts) -> None:
    """Give the targets of ended attempts their verdicts, and free the channels."""
    channels: dict[str, int] = {}
    targets = []
    for working in ended:
        row, end = working.row, working.end
        assert end is not None
        for scope in (f"campaign:{row['campaign']}", f"trunk:{row['trunk']}"):
            channels[scope] = channels.get(scope, 0) + 1
        counts.campaign(row["campaign"], _result_name(end))
        targets.append(_target_row(customer, row, end, working.tm, counts))
    change_exactly(database, SQL["end_target"], [row for row in targets if row is not None])
    rows = [{"customer": customer, "scope": scope, "channels": taken} for scope, taken in channels.items()]
    change_exactly(database, SQL["free_channels"], rows)


def _result_name(end: AttemptEnd) -> str:
    if end.outcome.result == Result.SUCCESS:
        return "succeeded"
    return f"failed.{end.outcome.reason}" if end.outcome.charged else "not_sent"


def _target_row(customer: int, row: Row, end: AttemptEnd, at: Instant, counts: Counts) -> dict[str, Any] | None:
    """What the verdict makes of the target, or None when it is not in progress any more."""
    succeeded = end.verdict.event == TargetEvent.SUCCEEDED
    event = TargetEvent.REMOVED if row["removed"] and not succeeded else end.verdict.event
    status = target.apply(TargetStatus(row["target_status"]), event)
    if status is None:
        return None
    reason = DONE_REASONS.get(event, DoneReason.NONE)
    idle = status == TargetStatus.IDLE
    returned = 0 if end.outcome.charged else 1
    counts.outdial(row["outdial"], TargetStatus.PROGRESSING, -1)
    counts.outdial(row["outdial"], status if idle else f"{status}.{reason}")
    if idle and sum(tries_of(row)) > returned:
        counts.outdial(row["outdial"], "retries_waiting")
    return {
        "customer": customer,
        "target": row["target"],
        "target_status": str(status),
        "due": (at if end.verdict.due is None else end.verdict.due) if idle else None,
        "due_reason": str(end.verdict.due_reason) if idle else None,
        "done_reason": str(reason),
        "returned_index": row["destination_index"] if returned else NO_INDEX,
        "tm": at,
    }


def note_late_answer(database: Database, life: Life, customer: int, attempt_id: Id, at: Instant) -> bool:
    """Remember that a 200 came after the attempt was given up."""
    if not is_current(database, life):
        return False
    row = {"customer": customer, "attempt_id": attempt_id, "late": 1, "at": at}
    return database.execute(SQL["note_late_answer"], row).rowcount == 1
