"""The books as an engine in trouble sees them: slow, away for a while, or silent after a commit."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from outdialer.domain.plan import Plan
from outdialer.ports.store import AttemptChange, ClaimResult, StoreUnavailable
from outdialer.simulation.seeds import Mixture
from outdialer.simulation.trace import Trace
from outdialer.store.sqlite.store import SqliteStore

WRITES = frozenset(
    {
        "begin_epoch",
        "claim",
        "reslot",
        "close_targets",
        "record",
        "apply_campaign_events",
        "note_late_answer",
        "set_trunk_pause",
    }
)
READS = frozenset({"revoked", "snapshot", "unresolved", "trunks", "call_script", "target_facts", "claimed"})
LONGEST_WRITE_MS = 600


class TroubledStore:
    """Implements ``ports.store.DialerStore`` over a real store; every commit is traced when it happens."""

    def __init__(self, inner: SqliteStore, trace: Trace, mixture: Mixture, chance: random.Random) -> None:
        self.inner = inner
        self.calm = False
        """Whether nothing goes wrong any more."""
        self.away = False
        self._trace = trace
        self._mixture = mixture
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if name in WRITES:
            return self._troubled(name, method)
        return self._reachable(method) if name in READS else method

    def _reachable(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def read(*arguments: Any, **named: Any) -> Any:
            self._refuse_while_away()
            return await method(*arguments, **named)

        return read

    def _troubled(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def write(*arguments: Any) -> Any:
            await self._take_time()
            self._refuse_while_away()
            result = await method(*arguments)
            _note(self._trace, name, arguments, result)
            await self._take_time()
            if self._happens(self._mixture.lost_commit):
                self._trace.add("ack lost", of=name)
                raise StoreUnavailable("the connection broke during the commit")
            return result

        return write

    def _refuse_while_away(self) -> None:
        if self.away:
            raise StoreUnavailable("the store is away")

    async def _take_time(self) -> None:
        if self._happens(self._mixture.slow_store):
            await asyncio.sleep(self._chance.randrange(LONGEST_WRITE_MS) / 1_000)
        elif self._chance.random() < 0.5:
            await asyncio.sleep(self._chance.randrange(3_000) / 1_000_000)

    def _happens(self, share: float) -> bool:
        return not self.calm and share > 0 and self._chance.random() < share


def _note(trace: Trace, name: str, arguments: tuple[Any, ...], result: Any) -> None:
    if name == "claim":
        _note_claim(trace, arguments[2], result)
    elif name == "record":
        _note_changes(trace, arguments[1], result)
    elif name == "reslot":
        trace.add("reslot", slots=dict(sorted(result.items())))
    elif name == "apply_campaign_events":
        trace.add("campaigns", events=[(key, str(event)) for key, event in arguments[1]], changed=result)
    elif name == "close_targets":
        trace.add("closed", targets=[(c.target, str(c.event)) for c in arguments[1]], changed=result)
    else:
        trace.add("written", what=name, result=result)


def _note_claim(trace: Trace, plan: Plan, result: ClaimResult) -> None:
    closed = {key: f"{gate.name}: {gate.value}" for key, gate in sorted(plan.closed_gates.items())}
    trace.add("decision", lines=len(plan.lines), closed=closed, look_again_at=plan.look_again_at)
    for intent in result.intents:
        line = intent.claim.line
        trace.add(
            "claim",
            attempt=intent.claim.attempt_id.hex(),
            key=intent.attempt,
            target=line.target,
            campaign=line.campaign,
            outdial=line.outdial,
            trunk=line.trunk,
            index=line.index,
            try_count=line.try_count,
            number=line.number,
            slot=line.slot,
        )
    for lost in result.lost:
        trace.add("claim lost", target=lost.line.target, why=lost.why)


def _note_changes(trace: Trace, changes: list[AttemptChange], changed: list[int]) -> None:
    for change in changes:
        facts: dict[str, Any] = {"key": change.keys.attempt, "changed": change.keys.attempt in changed}
        facts["event"] = str(change.attempt_event or change.call_event)
        facts["tm"] = change.at
        if change.end is not None:
            outcome, verdict = change.end.outcome, change.end.verdict
            facts |= {"result": str(outcome.result), "reason": str(outcome.reason), "detail": outcome.detail}
            facts |= {"charged": outcome.charged, "target": change.keys.target, "due": verdict.due}
        trace.add("record", **facts)
