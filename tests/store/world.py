"""A small world to put into a store: ids from a counter, a clock that is a number, and the usual objects."""

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from outdialer.domain.attempt import AttemptEvent
from outdialer.domain.call import CallEvent
from outdialer.domain.model import Address, Campaign, NewTarget, Outdial, Outplan, Trunk
from outdialer.domain.outcome import HangupReason, Outcome, judge, of_not_sent
from outdialer.domain.plan import Plan, plan
from outdialer.domain.retry import after_attempt
from outdialer.domain.units import Id, Instant
from outdialer.ports.store import (
    AttemptChange,
    AttemptEnd,
    AttemptKeys,
    Claim,
    ClaimResult,
    Intent,
)
from outdialer.store.sqlite.store import SqliteStore

NOW: Instant = 1_800_000_000_000_000
SECOND = 1_000_000
MINUTE_MS = 60_000
CUSTOMER = 1
NOBODY = Address()


class Ids:
    """Identifiers that count."""

    def __init__(self, start: int = 1) -> None:
        self._next = start

    def __call__(self) -> Id:
        self._next += 1
        return self._next.to_bytes(16, "big")


def fixed_bytes(count: int) -> bytes:
    return bytes(range(count))


async def open_store(path: Path, *, inline: bool = True, ids: Ids | None = None) -> SqliteStore:
    return await SqliteStore.open(path, new_id=ids or Ids(), random_bytes=os.urandom, inline=inline)


def address(target: str) -> Address:
    return Address(type="tel", target=target) if target else NOBODY


def new_target(id_: Id, *destinations: str, name: str = "") -> NewTarget:
    five = [address(destination) for destination in destinations] + [NOBODY] * 5
    return NewTarget(id=id_, name=name, destinations=(five[0], five[1], five[2], five[3], five[4]))


def numbers(start: int = 0) -> Iterator[str]:
    """Numbers of the fictional exchanges, ten thousand of them."""
    for n in range(start, 10_000_000):
        yield f"+1{200 + n // 100 % 700}555{100 + n % 100:04d}"


class Setting(Struct, kw_only=True):
    """A campaign with a list, a plan and a trunk, all in one store."""

    store: SqliteStore
    ids: Ids
    campaign: Campaign
    outplan: Outplan
    outdial: Outdial
    trunk: Trunk


async def furnish(
    store: SqliteStore,
    ids: Ids,
    *destinations: str,
    max_tries: tuple[int, int, int, int, int] = (3, 0, 0, 0, 0),
    rate_per_s: float = 1000,
    channels: int = 1000,
    next_campaign_id: Id = bytes(16),
    running: bool = True,
    now: Instant = NOW,
) -> Setting:
    """A running campaign whose list holds one target for each destination."""
    trunk = await store.put_trunk(
        CUSTOMER,
        Trunk(id=(7).to_bytes(16, "big"), name="t", host="127.0.0.1", rate_per_s=rate_per_s, channels=channels),
        now,
    )
    outplan = await store.create_outplan(
        CUSTOMER,
        Outplan(
            id=ids(),
            name="plan",
            source=Address(type="tel", target="+12025550100", target_name="Us"),
            try_interval_ms=MINUTE_MS,
            max_tries=max_tries,
            tm_create=now,
        ),
    )
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids(), name="list", tm_create=now))
    await store.create_targets(CUSTOMER, outdial.id, [new_target(ids(), d) for d in destinations], now)
    campaign = await store.create_campaign(
        CUSTOMER,
        Campaign(
            id=ids(),
            name="campaign",
            outplan_id=outplan.id,
            outdial_id=outdial.id,
            next_campaign_id=next_campaign_id,
            tm_create=now,
        ),
    )
    if running:
        ordered = await store.order_run(CUSTOMER, campaign.id, now)
        assert ordered is not None
        campaign = ordered
    return Setting(store=store, ids=ids, campaign=campaign, outplan=outplan, outdial=outdial, trunk=trunk)


async def planned(store: SqliteStore, now: Instant) -> Plan:
    return plan(await store.snapshot(CUSTOMER, now, accepting=True, media_free=1000), now)


def claims_of(made: Plan, ids: Ids) -> list[Claim]:
    return [Claim(line, ids(), ids(), ids()) for line in made.lines]


async def claim_due(store: SqliteStore, ids: Ids, now: Instant) -> ClaimResult:
    made = await planned(store, now)
    return await store.claim(CUSTOMER, claims_of(made, ids), made, now)


def keys_of(intent: Intent) -> AttemptKeys:
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


def ringing(intent: Intent, at: Instant) -> AttemptChange:
    return AttemptChange(keys=keys_of(intent), at=at, call_event=CallEvent.RINGING)


def answered(intent: Intent, at: Instant) -> AttemptChange:
    return AttemptChange(
        keys=keys_of(intent),
        at=at,
        attempt_event=AttemptEvent.ANSWERED,
        call_event=CallEvent.ANSWERED,
        dialog=b"dialog",
        answered_until=at + 3600 * SECOND,
    )


def end_of(outcome: Outcome, at: Instant, *, tries_left: bool = True) -> AttemptEnd:
    verdict = after_attempt(
        outcome,
        ended=at,
        tries_left=tries_left,
        removed=False,
        try_interval_ms=MINUTE_MS,
        redial_answered=True,
    )
    return AttemptEnd(outcome=outcome, verdict=verdict, local=False, sip_code=486, ring_ms=1500)


def ended(intent: Intent, at: Instant, outcome: Outcome, *, tries_left: bool = True) -> AttemptChange:
    event = AttemptEvent.ENDED if outcome.charged else AttemptEvent.NOT_SENT
    return AttemptChange(
        keys=keys_of(intent),
        at=at,
        attempt_event=event,
        call_event=CallEvent.ENDED,
        end=end_of(outcome, at, tries_left=tries_left),
    )


SUCCESS = judge(HangupReason.NORMAL, "", answered=True)
BUSY = judge(HangupReason.BUSY, "SIP 486", answered=False)
NOT_SENT = of_not_sent("too late")
