"""Snapshots for the planner's tests, and what a store makes of a plan."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from outdialer.domain.campaign import CampaignEvent, CampaignStatus
from outdialer.domain.limits import interval
from outdialer.domain.numbers import person_key, refusal
from outdialer.domain.plan import Line, Plan
from outdialer.domain.snapshot import CampaignView, DueTarget, OutplanTerms, Snapshot, TrunkView

NOW = 1_700_000_000_000_000
EMERGENCY = "sip:911@127.0.0.1"


def number(i: int) -> str:
    """A fictional number."""
    return f"+1202555{100 + i % 100:04}"


def an_outplan(**changes: Any) -> OutplanTerms:
    base = OutplanTerms(key=31, dial_timeout_ms=30_000, try_interval_ms=60_000, max_tries=(3, 2, 1, 0, 1))
    return replace(base, **changes)


def a_target(key: int, *destinations: str, tries: Sequence[int] = (0, 0, 0, 0, 0)) -> DueTarget:
    """A due target; without destinations one number that is its own."""
    given = destinations or (number(key),)
    padded = (*given, "", "", "", "", "")[:5]
    return DueTarget(key, 1, padded, tuple(tries))  # type: ignore[arg-type]


def targets(count: int, start: int = 1) -> tuple[DueTarget, ...]:
    return tuple(a_target(key) for key in range(start, start + count))


def a_campaign(**changes: Any) -> CampaignView:
    """A running campaign that nothing keeps from dialing one target on trunk 7."""
    base = CampaignView(
        key=1,
        version_key=21,
        status=CampaignStatus.RUN,
        outplan=an_outplan(),
        outdial=41,
        trunk=7,
        due=targets(1),
        idle=1,
    )
    return replace(base, **changes)


def a_trunk(**changes: Any) -> TrunkView:
    return replace(TrunkView(key=7, rate_per_s=0, channels=0), **changes)


def a_snapshot(*campaigns: CampaignView, trunks: Sequence[TrunkView] | None = None, **changes: Any) -> Snapshot:
    base = Snapshot(campaigns=campaigns, trunks=tuple(trunks) if trunks is not None else (a_trunk(),))
    return replace(base, **changes)


def expected_index(target: DueTarget, max_tries: Sequence[int]) -> int | None:
    """The rule in the test's own words: the lowest index that is set, not forbidden and has tries left."""
    for index, destination in enumerate(target.destinations):
        if destination and target.tries[index] < max_tries[index] and not refusal(destination):
            return index
    return None


def _expected_number(campaign: CampaignView, target: DueTarget) -> str | None:
    index = expected_index(target, campaign.outplan.max_tries) if campaign.outplan else None
    return None if index is None else person_key(target.destinations[index])


def applied(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """What the store shows after it wrote a plan down; numbers that are live now are looked at later."""
    live = {line.number for line in plan.lines}
    gone = {line.target for line in plan.lines} | {closure.target for closure in plan.closures}
    over = {key for key, event in plan.campaign_events if event in (CampaignEvent.DRAINED, CampaignEvent.FINISHED)}
    return replace(
        snapshot,
        campaigns=tuple(_campaign_after(campaign, plan, live, gone, over) for campaign in snapshot.campaigns),
        trunks=tuple(_trunk_after(trunk, plan) for trunk in snapshot.trunks),
        media_free=snapshot.media_free - len(plan.lines),
        setups_free=snapshot.setups_free - len(plan.lines),
    )


def _next_slot(lines: list[Line], rate: float, before: int) -> int:
    return max(line.slot for line in lines) + interval(rate) if lines else before


def _trunk_after(trunk: TrunkView, plan: Plan) -> TrunkView:
    lines = [line for line in plan.lines if line.trunk == trunk.key]
    next_slot = _next_slot(lines, trunk.rate_per_s, trunk.next_slot)
    return replace(trunk, in_use=trunk.in_use + len(lines), next_slot=next_slot)


def _campaign_after(campaign: CampaignView, plan: Plan, live: set[str], gone: set[int], over: set[int]) -> CampaignView:
    lines = [line for line in plan.lines if line.campaign == campaign.key]
    taken = [target for target in campaign.due if target.key in gone]
    return replace(
        campaign,
        status=CampaignStatus.STOP if campaign.key in over else campaign.status,
        in_use=campaign.in_use + len(lines),
        next_slot=_next_slot(lines, campaign.rate_per_s, campaign.next_slot),
        idle=campaign.idle - len(taken),
        progressing=campaign.progressing + len(lines),
        due=tuple(
            target
            for target in campaign.due
            if target.key not in gone and _expected_number(campaign, target) not in live
        ),
    )


rates = st.sampled_from([0, 0, 0.5, 1, 3, 10, 50, 400])
near = st.integers(-1_000_000, 1_500_000).map(lambda offset: NOW + offset)
destination = st.one_of(
    st.integers(0, 25).map(number),
    st.integers(0, 25).map(lambda i: f"sip:{number(i)}@127.0.0.1"),
    st.sampled_from(["", "", EMERGENCY, "sip:bob@127.0.0.1", "+19005550123"]),
)
five_counts = st.tuples(*[st.integers(0, 2)] * 5)
max_tries = st.one_of(st.just((3, 3, 3, 3, 3)), five_counts)


@st.composite
def campaigns(draw: st.DrawFn, key: int, trunk_keys: list[int], *, plain: bool = False) -> CampaignView:
    """A campaign; a plain one has nothing that closes it before its lines are counted."""
    length = draw(st.integers(0, 8))
    due = tuple(
        DueTarget(key * 100 + i, draw(st.integers(1, 3)), *draw(st.tuples(st.tuples(*[destination] * 5), five_counts)))
        for i in range(length)
    )
    status = CampaignStatus.RUN if plain else draw(st.sampled_from([CampaignStatus.RUN] * 4 + list(CampaignStatus)))
    terms = an_outplan(key=key + 30, max_tries=draw(max_tries))
    return CampaignView(
        key=key,
        version_key=key + 20,
        status=status,
        outplan=terms if plain else draw(st.sampled_from([terms] * 9 + [None])),
        outdial=key + 40 if plain else draw(st.sampled_from([key + 40] * 9 + [None])),
        trunk=draw(st.sampled_from(trunk_keys if plain else trunk_keys * 9 + [None, 99])),
        rate_per_s=draw(rates),
        channels=draw(st.integers(0, 6)),
        next_slot=draw(near),
        in_use=draw(st.integers(0, 4)),
        idle=length + draw(st.integers(0, 2)),
        progressing=draw(st.integers(0, 4)),
        due=due,
        next_due=draw(st.one_of(st.none(), near)),
        free_agents=None if plain else draw(st.one_of(st.none(), st.integers(0, 8))),
        service_level=draw(st.integers(0, 200)),
        script_ready=plain or draw(st.integers(0, 9)) > 0,
    )


@st.composite
def trunks(draw: st.DrawFn, key: int) -> TrunkView:
    return TrunkView(
        key=key,
        rate_per_s=draw(rates),
        channels=draw(st.integers(0, 8)),
        next_slot=draw(near),
        in_use=draw(st.integers(0, 4)),
        paused_until=draw(st.sampled_from([0, 0, 0, NOW, NOW + 700_000])),
        probing=draw(st.integers(0, 9)) == 0,
    )


@st.composite
def snapshots(draw: st.DrawFn, *, plain: bool = False) -> Snapshot:
    keys = list(range(1, draw(st.integers(1, 3)) + 1))
    campaign_keys = list(range(1, draw(st.integers(0, 4)) + 1))
    return Snapshot(
        campaigns=tuple(draw(campaigns(key, keys, plain=plain)) for key in campaign_keys),
        trunks=tuple(draw(trunks(key)) for key in keys),
        accepting=plain or draw(st.integers(0, 9)) > 0,
        media_free=draw(st.sampled_from([500, 500, 0, 1, 7])),
        setups_free=draw(st.sampled_from([500, 500, 0, 1, 7])),
    )
