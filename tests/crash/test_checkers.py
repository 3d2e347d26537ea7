"""The checkers find what they are there for: each rule is broken once in a small world where all is well."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.crash.checkers import (
    UNKNOWN,
    Attempt,
    Books,
    Invite,
    Ledgers,
    Terms,
    Wire,
    WireCall,
    at_rest,
    safety,
    voice_stops,
)

SECOND = 1_000_000
ANA, BEN = "+12025550123", "+12025550124"
FIRST, SECOND_TRY, OTHER = "a1" * 16, "a2" * 16, "b1" * 16
TERMS = Terms(try_interval_us=2 * SECOND, max_tries=(2, 1, 0, 0, 0))


def attempt(id: str, key: int, target: int, number: str, start_s: float, end_s: float, **given: object) -> Attempt:
    base = Attempt(
        key=key,
        id=id,
        target=target,
        index=0,
        try_count=1,
        number=number,
        destination=number,
        status="done",
        result="fail",
        detail="refused (SIP 486)",
        sip_code=486,
        answered=False,
        charged=True,
        late_answer=False,
        tm_create=int((start_s - 0.1) * SECOND),
        tm_hangup=int(end_s * SECOND),
    )
    return replace(base, **given)


def call(id: str, number: str, start_s: float, end_s: float, **given: object) -> tuple[Invite, WireCall]:
    call_id = f"{id}-1-check"
    base = WireCall(
        call_id=call_id,
        number=number,
        behaviour="busy",
        answered=False,
        status=486,
        invite_at=int(start_s * SECOND),
        answered_at=0,
        acknowledged_at=0,
        ended_at=int(end_s * SECOND),
        ended_by="phone",
        heard_ms=0,
        problems=(),
    )
    return Invite(int(start_s * SECOND), call_id, f"branch-{id}", number), replace(base, **given)


def world() -> Ledgers:
    """Ana was busy, then reached; Ben did not answer twice, and is out of tries."""
    wire = [
        call(FIRST, ANA, 1, 2),
        call(SECOND_TRY, ANA, 5, 8, answered=True, status=200, answered_at=6 * SECOND, acknowledged_at=6 * SECOND),
        call(OTHER, BEN, 1, 2),
    ]
    books = Books(
        attempts=(
            attempt(FIRST, 1, 1, ANA, 1, 2.5),
            attempt(OTHER, 2, 2, BEN, 1, 2.5),
            attempt(SECOND_TRY, 3, 1, ANA, 5, 8, result="success", detail="bye", answered=True, sip_code=200),
        ),
        targets=((1, "done"), (2, "done")),
        in_use={"trunk:1": 0},
        running_campaigns=0,
    )
    return Ledgers(Wire(tuple(invite for invite, _ in wire), tuple(ended for _, ended in wire)), books, TERMS)


def rules(ledgers: Ledgers) -> set[str]:
    return {violation.rule for violation in safety(ledgers) + at_rest(ledgers)}


def with_attempt(ledgers: Ledgers, number: int, **changes: object) -> Ledgers:
    attempts = list(ledgers.books.attempts)
    attempts[number] = replace(attempts[number], **changes)
    return Ledgers(ledgers.wire, replace(ledgers.books, attempts=tuple(attempts)), TERMS)


def with_call(ledgers: Ledgers, number: int, **changes: object) -> Ledgers:
    calls = list(ledgers.wire.calls)
    calls[number] = replace(calls[number], **changes)
    return Ledgers(replace(ledgers.wire, calls=tuple(calls)), ledgers.books, TERMS)


def with_invites(ledgers: Ledgers, *invites: Invite) -> Ledgers:
    return Ledgers(replace(ledgers.wire, invites=invites), ledgers.books, TERMS)


def with_books(ledgers: Ledgers, **changes: object) -> Ledgers:
    return Ledgers(ledgers.wire, replace(ledgers.books, **changes), TERMS)


def one_more_attempt(ledgers: Ledgers, **changes: object) -> Ledgers:
    extra = attempt("c1" * 16, 9, 2, BEN, 9, 10, detail=UNKNOWN, **changes)
    return with_books(ledgers, attempts=(*ledgers.books.attempts, extra))


def test_a_world_where_all_is_well() -> None:
    assert rules(world()) == set()


Break = Callable[[Ledgers], Ledgers]

BROKEN: dict[str, Break] = {
    "invite without attempt": lambda w: with_books(w, attempts=w.books.attempts[:2]),
    "invite before its attempt": lambda w: with_attempt(w, 1, tm_create=2 * SECOND),
    "wrong number": lambda w: with_attempt(w, 1, destination=ANA),
    "invited twice": lambda w: with_invites(w, *w.wire.invites, replace(w.wire.invites[2], branch="another")),
    "sent but not charged": lambda w: with_attempt(w, 1, charged=False),
    "attempt without invite": lambda w: with_invites(w, *w.wire.invites[:2]),
    "rung early": lambda w: with_attempt(w, 0, tm_hangup=int(3.001 * SECOND)),
    "over their tries": lambda w: one_more_attempt(one_more_attempt(w)),
    "out of order": lambda w: with_attempt(w, 0, index=1),
    "overlap": lambda w: with_call(w, 0, ended_at=int(5.001 * SECOND)),
    "called after success": lambda w: with_attempt(w, 0, result="success"),
    "attempt stuck": lambda w: with_attempt(w, 1, status="dialing"),
    "target stuck": lambda w: with_books(w, targets=((1, "done"), (2, "progressing"))),
    "channel stuck": lambda w: with_books(w, in_use={"trunk:1": 1}),
    "campaign stuck": lambda w: with_books(w, running_campaigns=1),
    "call stuck": lambda w: with_call(w, 2, ended_by="stop"),
    "closed while up": lambda w: with_attempt(w, 1, tm_hangup=2 * SECOND - 1),
    "answer not acknowledged": lambda w: with_call(w, 1, acknowledged_at=0),
    "answer not noted": lambda w: with_attempt(w, 2, answered=False, sip_code=0),
    "answer made up": lambda w: with_attempt(w, 0, answered=True),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_is_seen_broken(rule: str) -> None:
    assert rule in rules(BROKEN[rule](world()))


def test_the_early_side_has_no_tolerance() -> None:
    assert "rung early" in rules(with_attempt(world(), 0, tm_hangup=3 * SECOND + 1))
    assert "rung early" not in rules(with_attempt(world(), 0, tm_hangup=3 * SECOND))


def test_the_wire_decides_as_well_when_somebody_is_rung_early() -> None:
    assert "rung early" in rules(with_call(world(), 0, ended_at=3 * SECOND + 1))


def test_an_unknown_attempt_counts_as_a_try() -> None:
    assert rules(one_more_attempt(world())) == set()
    assert "over their tries" in rules(one_more_attempt(one_more_attempt(world())))


def test_an_attempt_that_was_not_sent_counts_for_nothing() -> None:
    not_sent = one_more_attempt(one_more_attempt(world(), charged=False), charged=False)
    assert rules(not_sent) == set()


def test_a_second_invite_after_a_challenge_is_right() -> None:
    again = replace(world().wire.invites[2], branch="another")
    challenged = with_call(with_invites(world(), *world().wire.invites, again), 2, status=401)
    assert "invited twice" not in rules(challenged)


@pytest.mark.parametrize(
    ("kills", "excused"),
    [((), False), ((9,), True), ((11,), False), ((7,), False), ((5.5, 9), False)],
    ids=["nobody died", "soon after", "long after", "while it was up", "it came to a later life"],
)
def test_only_a_life_that_died_soon_after_may_not_have_noted_an_answer(kills: tuple[float, ...], excused: bool) -> None:
    unknown = with_attempt(world(), 2, answered=False, sip_code=0, result="fail", detail=UNKNOWN)
    ledgers = Ledgers(unknown.wire, unknown.books, TERMS, tuple(int(at * SECOND) for at in kills))
    assert ("answer not noted" in rules(ledgers)) is not excused


def test_a_call_without_an_end_is_stuck() -> None:
    ledgers = world()
    wire = replace(ledgers.wire, calls=ledgers.wire.calls[:2])
    assert "call stuck" in rules(Ledgers(wire, ledgers.books, TERMS))


@pytest.mark.parametrize(("heard_ms", "wrong"), [(1_900, False), (2_100, True)])
def test_a_voice_that_goes_on_after_a_kill_is_seen(heard_ms: int, wrong: bool) -> None:
    wire = with_call(world(), 1, heard_ms=heard_ms).wire
    assert bool(voice_stops(wire, [7 * SECOND])) == wrong
