"""Kills engines over real SIP and holds the phones' log against the books (``tools/kill_run.py`` is the long form).

All processes of this file run beside each other once; the tests then judge what is left.
"""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from msgspec import Struct

from outdialer.cli.exits import DRAINED
from outdialer.engine.crash import POINTS
from outdialer.store.sqlite.check import check
from tests.crash.checkers import Ledgers, Violation, at_rest, read_books, read_wire, safety, voice_stops
from tests.crash.engine_process import RETRY_AT_ONCE, SEND_FIRST
from tests.crash.harness import (
    CALLS_S,
    ENGINE,
    MEDIA,
    POINT,
    READY_S,
    ROOT,
    Kill,
    Outcome,
    Plan,
    describe,
    make_folder,
    no_call_is_up,
    now,
    people,
    phones,
    random_kills,
    run,
    until,
)
from tests.once import once

pytestmark = pytest.mark.slow

KILLS = 28
"""In each of two worlds."""
GONE_S = 5.0
"""How long the media process may outlive the engine, on any machine; one that stays is given up after twice as long.
That no voice goes on is seen at the phones."""

WORLDS = tuple(Plan(kills=random_kills(KILLS, seed), seed=seed) for seed in (7, 8))

ANSWER = Plan(
    kills=(Kill(what=POINT, point="answer-seen", passes=5), Kill(what=POINT, point="answer-seen", passes=9)),
    seed=9,
    people=60,
    mix="answer",
)

SENDS_FIRST = Plan(
    kills=(Kill(what=POINT, point="sent", passes=12), Kill(what=POINT, point="trying", passes=6)),
    seed=10,
    people=150,
    mutant=SEND_FIRST,
)

# Few people, because those who were never called come first.
RETRIES_AT_ONCE = Plan(
    kills=(
        Kill(what=POINT, point="ringing", passes=12),
        Kill(what=POINT, point="ringing", passes=12),
        Kill(what=ENGINE, calls=15, delay_s=0.5),
    ),
    seed=11,
    people=40,
    mutant=RETRY_AT_ONCE,
)


class Drained(Struct, frozen=True):
    """A command that was told to stop."""

    code: int
    told_at: int
    ledgers: Ledgers
    db: Path


class Runs(Struct, frozen=True):
    """All that happened."""

    worlds: tuple[Outcome, Outcome]
    answer: Outcome
    sends_first: Outcome
    retries_at_once: Outcome
    drained: Drained


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return once(tmp_path_factory, "crash", lambda folder: asyncio.run(everything(folder)))


async def everything(folder: Path) -> Runs:
    async def short_ones() -> tuple[Outcome, Outcome, Outcome, Drained]:
        answer = asyncio.ensure_future(run(ANSWER, folder / "answer"))
        sends_first = await run(SENDS_FIRST, folder / "send-first", to_the_end=False)
        retries_at_once = await run(RETRIES_AT_ONCE, folder / "retry-at-once", to_the_end=False)
        drained = await drain(folder / "drain")
        return await answer, sends_first, retries_at_once, drained

    first, second, short = await asyncio.gather(
        run(WORLDS[0], folder / "first"), run(WORLDS[1], folder / "second"), short_ones()
    )
    return Runs((first, second), *short)


async def drain(folder: Path) -> Drained:
    """``outdialer run`` in full swing gets a SIGTERM."""
    make_folder(folder)
    plan = Plan(kills=(), seed=12, people=400)
    rows = [f"person {n},{first},{second}" for n, (first, second) in enumerate(distinct(people(plan.people)))]
    (folder / "list.csv").write_text("\n".join(["name,destination_0,destination_1", *rows]) + "\n")
    db = folder / "books.db"
    async with phones(folder / "phones.jsonl", plan) as port:
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "outdialer.cli.main", "run", str(folder / "list.csv"), "--db", str(db)),
            *("--trunk", f"sip:127.0.0.1:{port}", "--from", "+12025550100", "--play", str(SOUND), "--rate", "50"),
            *("--channels", "200", "--ring", "2", "--tries", "2,1", "--retry-after", "2", "--grace", "10"),
            env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            await until(lambda: live_attempts(db) >= 25, READY_S + CALLS_S)
            told_at = now()
            command.send_signal(signal.SIGTERM)
            async with asyncio.timeout(2 * READY_S):
                code = await command.wait()
        finally:
            if command.returncode is None:
                command.kill()
                await command.wait()
        await until(lambda: no_call_is_up(folder / "phones.jsonl"), READY_S)
    return Drained(code, told_at, Ledgers(read_wire(folder / "phones.jsonl"), read_books(db), plan.terms), db)


SOUND = ROOT / "src" / "outdialer" / "media" / "data" / "demo.wav"


def distinct(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A list must not have a number twice."""
    return list({first: (first, second) for first, second in pairs}.values())


def live_attempts(db: Path) -> int:
    if not db.exists():
        return 0
    connection = sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True)
    try:
        question = "SELECT count(*) FROM attempts WHERE status <> 'done' AND send_not_before <= ?"
        return int(connection.execute(question, (now(),)).fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def rules(violations: list[Violation]) -> set[str]:
    return {violation.rule for violation in violations}


@pytest.mark.parametrize("number", [0, 1])
def test_nobody_is_rung_by_mistake_and_no_attempt_is_lost(runs: Runs, number: int) -> None:
    outcome = runs.worlds[number]
    print(describe(outcome))
    assert safety(outcome.ledgers) == []


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_is_stuck_when_the_campaign_has_ended(runs: Runs, number: int) -> None:
    outcome = runs.worlds[number]
    assert at_rest(outcome.ledgers) == []
    assert check(outcome.db) == []
    assert outcome.complaints() == []


def test_there_were_enough_kills_with_enough_calls_up(runs: Runs) -> None:
    up = [calls for outcome in runs.worlds for calls in outcome.calls_up]
    assert len(up) >= 50
    assert sum(up) / len(up) >= 10


def test_every_point_of_an_attempt_was_hit(runs: Runs) -> None:
    kills = [killed for outcome in runs.worlds for killed in outcome.kills if killed.hit]
    assert {killed.kill.point for killed in kills if killed.kill.what == POINT} == set(POINTS)


def test_every_kind_of_kill_was_there(runs: Runs) -> None:
    kinds = [killed.kill.what for outcome in runs.worlds for killed in outcome.kills]
    assert all(kinds.count(kind) >= 2 for kind in ("engine", "media", "both", "starting", "point"))


def test_voices_stop_with_the_engine(runs: Runs) -> None:
    for outcome in runs.worlds:
        assert voice_stops(outcome.wire, [killed.at for killed in outcome.kills if killed.kill.what != MEDIA]) == []
        outlived = [killed.media_gone_s for killed in outcome.kills if killed.media_gone_s is not None]
        assert outlived
        assert max(outlived) <= GONE_S


def test_an_answer_that_comes_after_the_restart_is_acknowledged_ended_and_noted(runs: Runs) -> None:
    outcome = runs.answer
    assert [killed.hit for killed in outcome.kills] == [True, True]
    assert safety(outcome.ledgers) + at_rest(outcome.ledgers) + outcome.complaints() == []
    for killed in outcome.kills:
        waiting = [
            call
            for call in outcome.wire.calls
            if call.answered and call.answered_at < killed.at <= call.acknowledged_at and call.ended_at > killed.at
        ]
        attempts = [outcome.ledgers.attempts[call.attempt] for call in waiting]
        seen_again = [attempt for attempt in attempts if attempt.late_answer]
        assert seen_again
        assert all(attempt.unknown and attempt.charged for attempt in seen_again)
        assert all(call.ended_by == "caller" for call in waiting)


def test_sending_before_the_commit_is_found_out(runs: Runs) -> None:
    assert "invite without attempt" in rules(safety(runs.sends_first.ledgers))


def test_calling_the_unknown_again_at_once_is_found_out(runs: Runs) -> None:
    assert {"rung early", "overlap"} <= rules(safety(runs.retries_at_once.ledgers))


def test_a_term_signal_drains(runs: Runs) -> None:
    drained = runs.drained
    attempts = drained.ledgers.books.attempts
    assert drained.code == DRAINED
    # Who is left would take seven seconds more.
    assert max(attempt.tm_create for attempt in attempts) <= drained.told_at + 3_000_000
    assert max(invite.at for invite in drained.ledgers.wire.invites) <= drained.told_at + 3_000_000
    assert all(attempt.status == "done" for attempt in attempts)
    assert not any(attempt.unknown for attempt in attempts)
    assert not any(drained.ledgers.books.in_use.values())
    assert safety(drained.ledgers) == []
    stuck = {"target stuck", "campaign stuck"}
    assert rules(at_rest(drained.ledgers)) <= stuck
    assert check(drained.db) == []


def test_one_row_too_few_on_the_books_is_found(runs: Runs, tmp_path: Path) -> None:
    outcome = runs.worlds[0]
    sent = next(attempt for attempt in outcome.books.attempts if outcome.ledgers.invites[attempt.id])
    db = tmp_path / "books.db"
    shutil.copy(outcome.db, db)
    connection = sqlite3.connect(db)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM attempts WHERE key = ?", (sent.key,))
    connection.commit()
    connection.close()
    assert "invite without attempt" in rules(safety(Ledgers(outcome.wire, read_books(db), outcome.plan.terms)))


def test_one_line_too_few_in_the_log_is_found(runs: Runs, tmp_path: Path) -> None:
    outcome = runs.worlds[0]
    refused = next(a for a in outcome.books.attempts if a.sip_code and outcome.ledgers.invites[a.id])
    call_id = outcome.ledgers.invites[refused.id][0].call_id
    log = tmp_path / "phones.jsonl"
    with outcome.log.open() as lines, log.open("w") as kept:
        kept.writelines(line for line in lines if not ('"INVITE"' in line and call_id in line))
    assert "attempt without invite" in rules(safety(Ledgers(read_wire(log), outcome.books, outcome.plan.terms)))
