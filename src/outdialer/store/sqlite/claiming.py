"""Claims: putting a batch of intents on the books, all in one transaction.

We are the only writer while the transaction runs, so what may be claimed is read first and decided here; the writes
then must succeed. Their guards and the schema's partial unique indexes would stop the whole batch if they did not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallStatus
from outdialer.domain.gates import Gate
from outdialer.domain.limits import Limit, earliest, interval
from outdialer.domain.plan import SEND_WINDOW_US, Closure, Line, Plan
from outdialer.domain.target import DONE_REASONS, DueReason, TargetEvent, TargetStatus, apply
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant
from outdialer.ports.store import Claim, ClaimResult, Intent, LostClaim
from outdialer.store.sqlite.books import Counts, Database, Life, change_exactly, is_current
from outdialer.store.sqlite.rows import Row, to_json
from outdialer.store.sqlite.statements import execute_each, statements

SQL = statements("claiming")

NUMBER_LIVE_WAIT_US = 5 * MICROSECONDS_PER_SECOND
"""When a target is looked at again whose number is in another call."""
CHANGED = "changed"
NUMBER_LIVE = "number_live"
_CLAIMED = str(apply(TargetStatus.IDLE, TargetEvent.CLAIMED))


def describe(gate: Gate) -> str:
    """A closed gate with the value that decides."""
    return f"{gate.name}: {gate.value}" if gate.value else gate.name


def claim(
    database: Database, life: Life, customer: int, claims: Sequence[Claim], plan: Plan, now: Instant
) -> ClaimResult:
    """Claim what still can be claimed, and say why the rest cannot."""
    if not is_current(database, life):
        return ClaimResult((), tuple(LostClaim(claim.line, CHANGED) for claim in claims))
    books = _read(database, customer, [claim.line for claim in claims])
    won: list[Claim] = []
    lost: list[LostClaim] = []
    for candidate in claims:
        why = books.judge(candidate.line)
        if why:
            lost.append(LostClaim(candidate.line, why))
        else:
            won.append(candidate)
    _put_off(database, customer, lost, now)
    intents = _write(database, life, customer, won, plan, now) if won else ()
    _count(database, customer, won, books)
    reserve(database, customer, ((c.line.campaign, c.line.trunk, c.line.slot, 1) for c in won), books.rates)
    return ClaimResult(intents, tuple(lost))


class _State(Struct):
    """What the books say about a batch of lines. A target and a number are taken out when a line wins them."""

    targets: dict[int, Row]
    tried: frozenset[int]
    """Targets that were tried before."""
    campaigns: dict[int, Row]
    rates: dict[str, float]
    """Calls a second by scope, for those scopes that may dial."""
    live_numbers: set[str]
    trunk_limits: dict[int, Limit]
    """The channels of the trunks as they are now: somebody may have lowered them since the plan was made."""

    def judge(self, line: Line) -> str:
        """Why the line loses; "" when it wins, and then what it takes is gone."""
        target = self.targets.get(line.target)
        campaign = self.campaigns.get(line.campaign)
        trunk = self.trunk_limits.get(line.trunk)
        if target is None or target["version"] != line.target_version or trunk is None or not trunk.free_channels(1):
            return CHANGED
        if campaign is None or not _same_versions(campaign, line):
            return CHANGED
        if line.number in self.live_numbers:
            return NUMBER_LIVE
        self.live_numbers.add(line.number)
        trunk.in_use += 1
        del self.targets[line.target]
        return ""


def _same_versions(campaign: Row, line: Line) -> bool:
    return (campaign["version_key"], campaign["outplan_version"], campaign["outdial"]) == (
        line.campaign_version,
        line.outplan_version,
        line.outdial,
    )


def _read(database: Database, customer: int, lines: Sequence[Line]) -> _State:
    asked = {
        "customer": customer,
        "targets": to_json([line.target for line in lines]),
        "campaigns": to_json(list({line.campaign for line in lines})),
        "trunks": to_json(list({line.trunk for line in lines})),
        "numbers": to_json([line.number for line in lines]),
    }
    campaigns = {row["key"]: row for row in database.execute(SQL["running_campaigns"], asked)}
    rates = {f"campaign:{key}": row["dial_rate"] for key, row in campaigns.items()}
    trunks = {row["key"]: _trunk_limit(row) for row in database.execute(SQL["open_trunks"], asked)}
    rates |= {limit.scope: limit.rate_per_s for limit in trunks.values()}
    targets = {row["key"]: row for row in database.execute(SQL["candidates"], asked)}
    return _State(
        targets=targets,
        tried=frozenset(key for key, row in targets.items() if row["tries"]),
        campaigns=campaigns,
        rates=rates,
        live_numbers={row["number"] for row in database.execute(SQL["live_numbers"], asked)},
        trunk_limits=trunks,
    )


def _trunk_limit(row: Row) -> Limit:
    return Limit(
        scope=f"trunk:{row['key']}", rate_per_s=row["rate_per_s"], channels=row["channels"], in_use=row["in_use"]
    )


def _put_off(database: Database, customer: int, lost: Sequence[LostClaim], now: Instant) -> None:
    rows = [
        {
            "customer": customer,
            "target": loss.line.target,
            "target_version": loss.line.target_version,
            "due": now + NUMBER_LIVE_WAIT_US,
            "due_reason": DueReason.NUMBER_LIVE.value,
            "now": now,
        }
        for loss in lost
        if loss.why == NUMBER_LIVE
    ]
    execute_each(database, SQL["put_off_target"], rows)


def _write(
    database: Database, life: Life, customer: int, won: Sequence[Claim], plan: Plan, now: Instant
) -> tuple[Intent, ...]:
    last = database.execute(SQL["last_keys"]).fetchone()
    intents = tuple(
        Intent(claim=claim, attempt=last["attempt"] + n, call=last["call"] + n, leg=last["leg"] + n)
        for n, claim in enumerate(won, start=1)
    )
    common = {
        "customer": customer,
        "epoch": life.epoch,
        "worker": life.worker,
        "decision": _decide(database, customer, len(won), plan, now),
        "status": _CLAIMED,
        "attempt_status": AttemptStatus.DIALING.value,
        "call_status": CallStatus.DIALING.value,
        "kind": "claimed",
        "event_number": 1,
        "tm": now,
        "now": now,
    }
    rows = [{**common, **_intent_row(intent)} for intent in intents]
    change_exactly(database, SQL["claim_target"], rows)
    execute_each(database, SQL["insert_attempt"], rows)
    execute_each(database, SQL["insert_call"], rows)
    batch = {**rows[0], "last_attempt": intents[-1].attempt}
    database.execute(SQL["insert_legs"], batch)
    database.execute(SQL["claims_happened"], batch)
    return intents


def _intent_row(intent: Intent) -> dict[str, Any]:
    line = intent.claim.line
    return {
        "attempt": intent.attempt,
        "call": intent.call,
        "leg": intent.leg,
        "leg_number": intent.leg_number,
        "attempt_id": intent.claim.attempt_id,
        "call_id": intent.claim.call_id,
        "activeflow_id": intent.claim.activeflow_id,
        "campaign": line.campaign,
        "campaign_version": line.campaign_version,
        "outplan_version": line.outplan_version,
        "outdial": line.outdial,
        "target": line.target,
        "target_version": line.target_version,
        "trunk": line.trunk,
        "destination": line.destination,
        "number": line.number,
        "destination_index": line.index,
        "try_count": line.try_count,
        "send_not_before": line.slot,
        "send_not_after": line.send_not_after,
        "covered_by": line.covered_by,
    }


def _decide(database: Database, customer: int, lines: int, plan: Plan, now: Instant) -> int:
    closed = {str(key): describe(gate) for key, gate in plan.closed_gates.items()}
    body = to_json({"lines": lines, "closed": closed})
    row = {"customer": customer, "now": now, "attempts": lines, "body": body}
    key = database.execute(SQL["decide"], row).lastrowid
    assert key is not None
    return key


def _count(database: Database, customer: int, won: Sequence[Claim], books: _State) -> None:
    counts = Counts(customer)
    lines = [claimed.line for claimed in won]
    kinds = Counter((line.outdial, line.campaign, line.campaign_version, line.outplan_version) for line in lines)
    for (outdial, campaign, campaign_version, outplan_version), taken in kinds.items():
        counts.outdial(outdial, TargetStatus.IDLE, -taken)
        counts.outdial(outdial, TargetStatus.PROGRESSING, taken)
        counts.campaign(campaign, "attempts", taken)
        counts.campaign(campaign, "dialing", taken)
        counts.versions(campaign_version, outplan_version, taken)
    for outdial, retried in Counter(line.outdial for line in lines if line.target in books.tried).items():
        counts.outdial(outdial, "retries_waiting", -retried)
    counts.write(database)


def reserve(
    database: Database, customer: int, taken: Iterable[tuple[int, int, Instant, int]], rates: dict[str, float]
) -> None:
    """Move the limits of campaigns and trunks on.

    Args:
        database: in the claim's transaction.
        customer: whose limits.
        taken: per call its campaign, its trunk, its send slot and the channels it takes (1, or 0 when it has one).
        rates: calls a second by scope.
    """
    last: dict[str, Instant] = {}
    channels: dict[str, int] = {}
    for campaign, trunk, slot, channel in taken:
        for scope in (f"campaign:{campaign}", f"trunk:{trunk}"):
            last[scope] = max(slot, last.get(scope, 0))
            channels[scope] = channels.get(scope, 0) + channel
    rows = [
        {"customer": customer, "scope": scope, "next_slot": slot + interval(rates[scope]), "channels": channels[scope]}
        for scope, slot in last.items()
    ]
    execute_each(database, SQL["reserve"], rows)


def reslot(database: Database, life: Life, customer: int, attempts: Sequence[int], now: Instant) -> dict[int, Instant]:
    """Give live attempts that are not answered, of campaigns that run, the next free send slots."""
    if not is_current(database, life):
        return {}
    asked = {"customer": customer, "attempts": to_json(list(dict.fromkeys(attempts)))}
    limits: dict[str, Limit] = {}
    slots: dict[int, Instant] = {}
    taken: list[tuple[int, int, Instant, int]] = []
    live = {row["key"]: row for row in database.execute(SQL["reslot_attempts"], asked)}
    for row in (live[key] for key in dict.fromkeys(attempts) if key in live):
        campaign = _limit(limits, f"campaign:{row['campaign']}", row["dial_rate"], row["campaign_slot"])
        trunk = _limit(limits, f"trunk:{row['trunk']}", row["rate_per_s"], row["trunk_slot"])
        slot = slots[row["key"]] = earliest(now, campaign, trunk)
        campaign.reserve(slot)
        trunk.reserve(slot)
        taken.append((row["campaign"], row["trunk"], slot, 0))
    change_exactly(database, SQL["reslot"], [_reslot_row(customer, key, slot, now) for key, slot in slots.items()])
    reserve(database, customer, taken, {scope: limit.rate_per_s for scope, limit in limits.items()})
    return slots


def _limit(limits: dict[str, Limit], scope: str, rate_per_s: float, next_slot: Instant) -> Limit:
    return limits.setdefault(scope, Limit(scope=scope, rate_per_s=rate_per_s, next_slot=next_slot))


def _reslot_row(customer: int, attempt: int, slot: Instant, now: Instant) -> dict[str, Any]:
    return {
        "customer": customer,
        "attempt": attempt,
        "slot": slot,
        "send_not_after": slot + SEND_WINDOW_US,
        "now": now,
    }


def close_targets(database: Database, life: Life, customer: int, closures: Sequence[Closure], now: Instant) -> int:
    """Finish idle targets that have nothing left to dial."""
    if not is_current(database, life):
        return 0
    asked = {"customer": customer, "targets": to_json([closure.target for closure in closures])}
    candidates = {row["key"]: row for row in database.execute(SQL["candidates"], asked)}
    counts = Counts(customer)
    closed = 0
    for closure in closures:
        target = candidates.pop(closure.target, None)
        status = apply(TargetStatus.IDLE, closure.event)
        if target is None or target["version"] != closure.target_version or status is None:
            continue
        reason = DONE_REASONS[closure.event]
        change_exactly(database, SQL["close_target"], [_closure_row(customer, closure, status, reason, now)])
        counts.outdial(closure.outdial, TargetStatus.IDLE, -1)
        counts.outdial(closure.outdial, f"{status}.{reason}")
        if target["tries"]:
            counts.outdial(closure.outdial, "retries_waiting", -1)
        closed += 1
    counts.write(database)
    return closed


def _closure_row(customer: int, closure: Closure, status: str, reason: str, now: Instant) -> dict[str, Any]:
    return {
        "customer": customer,
        "target": closure.target,
        "target_version": closure.target_version,
        "status": str(status),
        "done_reason": str(reason),
        "now": now,
    }
