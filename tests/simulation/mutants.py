"""Mistakes planted in a running engine, to see that the simulation finds them. None of this is in the engine."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from outdialer.domain import outcome as outcomes
from outdialer.domain import retry
from outdialer.domain.plan import Plan
from outdialer.domain.target import DueReason, TargetEvent
from outdialer.engine import calls
from outdialer.engine.dialer import Dialer
from outdialer.ports.carrier import DialOrder
from outdialer.ports.store import Claim
from outdialer.store.sqlite import claiming, outdials, planning, recording
from outdialer.store.sqlite import store as stores

Plant = Callable[[pytest.MonkeyPatch], None]


def _change(planter: pytest.MonkeyPatch, statements: dict[str, str], name: str, *changes: tuple[str, str]) -> None:
    text = statements[name]
    for old, new in changes:
        assert old in text, (name, old)
        text = text.replace(old, new)
    planter.setitem(statements, name, text)


def no_compare_and_set(planter: pytest.MonkeyPatch) -> None:
    """A claim takes whatever was planned, as it was planned; and no unique index stands behind it."""
    read, prepare = claiming._read, stores._prepare

    def blind(database: Any, customer: int, lines: Sequence[Any]) -> Any:
        state = read(database, customer, lines)
        state.live_numbers.clear()
        return state

    def without_indexes(database: Any, *arguments: Any) -> None:
        prepare(database, *arguments)
        database.execute("DROP INDEX IF EXISTS attempts_live_target")
        database.execute("DROP INDEX IF EXISTS attempts_live_number")

    def always(state: Any, line: Any) -> str:
        gone = line.target not in state.targets or f"trunk:{line.trunk}" not in state.rates
        return claiming.CHANGED if gone or line.campaign not in state.campaigns else ""

    planter.setattr(claiming, "_read", blind)
    planter.setattr(claiming._State, "judge", always)
    planter.setattr(stores, "_prepare", without_indexes)
    _change(planter, claiming.SQL, "candidates", ("t.status = 'idle' AND ", ""))
    _change(planter, claiming.SQL, "claim_target", (" AND version = :target_version AND status = 'idle'", ""))


def unknown_is_retried_at_once(planter: pytest.MonkeyPatch) -> None:
    """What job queues do: what died is due again."""
    judge = retry.after_attempt

    def at_once(outcome: outcomes.Outcome, **facts: Any) -> Any:
        verdict = judge(outcome, **facts)
        if outcome.detail == outcomes.UNKNOWN and verdict.event == TargetEvent.RETRY_LATER:
            return replace(verdict, due=facts["ended"], due_reason=DueReason.RETRY)
        return verdict

    planter.setattr(calls, "after_attempt", at_once)


def deletion_is_ignored(planter: pytest.MonkeyPatch) -> None:
    """A deleted target is only marked, and nobody looks at the mark."""

    def mark(database: Any, customer: int, row: Any, now: int) -> None:
        change = {"customer": customer, "target": row["key"], "now": now}
        database.execute("UPDATE targets SET tm_delete = :now WHERE customer = :customer AND key = :target", change)

    planter.setattr(outdials, "_delete_target", mark)
    _change(planter, planning.SQL, "due_targets", (" AND tm_delete IS NULL", ""))
    _change(planter, claiming.SQL, "candidates", (" AND t.tm_delete IS NULL", ""))
    _change(planter, claiming.SQL, "claim_target", (" AND tm_delete IS NULL", ""))


def a_channel_is_released_twice(planter: pytest.MonkeyPatch) -> None:
    """An end frees two channels."""
    _change(planter, recording.SQL, "free_channels", ("in_use - :channels", "max(0, in_use - 2 * :channels)"))


def sent_before_commit(planter: pytest.MonkeyPatch) -> None:
    """The INVITE leaves first, and is put on the books when it is out."""

    async def claim(dialer: Dialer, decided: Plan) -> None:
        outside, loop = dialer._outside, dialer
        now = outside.clock.now()
        await loop._learn_facts(decided)
        claims = [
            Claim(line, outside.ids.new(now), outside.ids.new(now), outside.ids.new(now)) for line in decided.lines
        ]
        port = outside.media.lease()
        for offset, drawn in enumerate(claims):
            order = DialOrder(
                leg=1_000_000 + offset,
                attempt_id=drawn.attempt_id,
                leg_number=1,
                destination=drawn.line.destination,
                source="",
                peer=dialer._trunks.peer(drawn.line.trunk),
                ring_limit_ms=5_000,
                send_not_after=now,
                rtp_address=port.address,
                rtp_port=port.port,
            )
            outside.carrier.dial(order)
        await outside.store.claim(dialer._customer, claims, decided, now)

    planter.setattr(Dialer, "_claim", claim)


MUTANTS: tuple[Plant, ...] = (
    no_compare_and_set,
    unknown_is_retried_at_once,
    deletion_is_ignored,
    a_channel_is_released_twice,
    sent_before_commit,
)

EXPECTED: dict[str, frozenset[str]] = {
    "no_compare_and_set": frozenset({"two live attempts of a number", "two live attempts of a target"}),
    "unknown_is_retried_at_once": frozenset({"early by the books", "early on the wire"}),
    "deletion_is_ignored": frozenset({"claimed after deletion"}),
    "a_channel_is_released_twice": frozenset({"channels on the books", "channels on the wire"}),
    "sent_before_commit": frozenset({"INVITE without a committed attempt"}),
}
"""The rules that each mutant breaks, whatever else it breaks."""
