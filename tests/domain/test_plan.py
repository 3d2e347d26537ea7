"""The planner: whom it dials, in which order, at which slot, and when it looks again."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from outdialer.domain.campaign import CampaignEvent, CampaignStatus, EndHandle
from outdialer.domain.gates import HORIZON_US, LOOK_AHEAD_US, Gate
from outdialer.domain.limits import interval
from outdialer.domain.numbers import person_key, refusal
from outdialer.domain.plan import SEND_WINDOW_US, Closure, Line, Plan, plan
from outdialer.domain.snapshot import LINES_PER_PLAN, CampaignView, Snapshot, TrunkView
from outdialer.domain.target import TargetEvent
from tests.domain.worlds import (
    EMERGENCY,
    NOW,
    a_campaign,
    a_snapshot,
    a_target,
    a_trunk,
    an_outplan,
    applied,
    expected_index,
    number,
    snapshots,
    targets,
)

SECOND = 1_000_000


def slots(found: Plan, campaign: int | None = None) -> list[int]:
    return [line.slot - NOW for line in found.lines if campaign in (None, line.campaign)]


# One line in full


def test_a_line_says_everything_that_the_claim_needs() -> None:
    target = replace(a_target(5, "+12025550105", "+12025550106", tries=(3, 1, 0, 0, 0)), version=4)
    found = plan(a_snapshot(a_campaign(due=(target,))), NOW)
    assert found.lines == (
        Line(
            campaign=1,
            campaign_version=21,
            outplan_version=31,
            outdial=41,
            target=5,
            target_version=4,
            index=1,
            try_count=2,
            destination="+12025550106",
            number="+12025550106",
            trunk=7,
            slot=NOW,
            covered_by="flow",
        ),
    )
    assert found.closures == ()
    assert found.campaign_events == ()


def test_a_line_of_a_queue_is_covered_by_an_agent() -> None:
    (line,) = plan(a_snapshot(a_campaign(free_agents=1)), NOW).lines
    assert line.covered_by == "agent"


def test_the_send_deadline() -> None:
    (line,) = plan(a_snapshot(a_campaign()), NOW).lines
    assert line.send_not_after == line.slot + 200_000
    assert SEND_WINDOW_US == 200_000
    assert HORIZON_US == 500_000


def test_targets_are_taken_in_the_order_they_come() -> None:
    due = tuple(a_target(key) for key in (9, 2, 5))
    found = plan(a_snapshot(a_campaign(due=due, idle=3)), NOW)
    assert [line.target for line in found.lines] == [9, 2, 5]


# Slots


def test_slots_of_a_trunk_are_an_interval_apart_within_the_horizon() -> None:
    found = plan(a_snapshot(a_campaign(due=targets(9), idle=9), trunks=[a_trunk(rate_per_s=10)]), NOW)
    assert slots(found) == [0, 100_000, 200_000, 300_000, 400_000]
    assert found.look_again_at == NOW + 250_000


def test_slots_go_on_where_the_last_plan_stopped() -> None:
    trunk = a_trunk(rate_per_s=10, next_slot=NOW + 130_000)
    found = plan(a_snapshot(a_campaign(due=targets(9), idle=9), trunks=[trunk]), NOW)
    assert slots(found) == [130_000, 230_000, 330_000, 430_000]


def test_without_a_rate_everything_goes_at_once() -> None:
    assert slots(plan(a_snapshot(a_campaign(due=targets(3), idle=3)), NOW)) == [0, 0, 0]


def test_a_slow_campaign_leaves_no_slot_of_a_shared_trunk_empty() -> None:
    slow = a_campaign(key=1, rate_per_s=1, next_slot=NOW + 400_000, due=targets(9), idle=9)
    quick = a_campaign(key=2, due=targets(9, start=50), idle=9)
    found = plan(a_snapshot(slow, quick, trunks=[a_trunk(rate_per_s=10)]), NOW)
    assert slots(found) == [0, 100_000, 200_000, 300_000, 400_000]
    assert slots(found, campaign=2)[:4] == [0, 100_000, 200_000, 300_000]


def test_campaigns_take_turns_on_a_shared_trunk() -> None:
    first = a_campaign(key=1, due=targets(9), idle=9)
    second = a_campaign(key=2, due=targets(9, start=50), idle=9)
    found = plan(a_snapshot(first, second, trunks=[a_trunk(channels=6)]), NOW)
    assert Counter(line.campaign for line in found.lines) == {1: 3, 2: 3}


def test_over_many_plans_nobody_starves_on_a_slow_shared_trunk() -> None:
    campaigns = [a_campaign(key=key, due=targets(20, start=20 * key), idle=20) for key in (1, 2, 3)]
    snapshot, now = a_snapshot(*campaigns, trunks=[a_trunk(rate_per_s=1)]), NOW
    served: Counter[int] = Counter()
    for _ in range(12):
        found = plan(snapshot, now)
        served.update(line.campaign for line in found.lines)
        snapshot = applied(snapshot, found)
        assert found.look_again_at is not None
        now = found.look_again_at + LOOK_AHEAD_US
    assert served == {1: 4, 2: 4, 3: 4}


# Bounds


def test_a_plan_is_bounded_and_looks_again_at_once() -> None:
    due = tuple(a_target(key, f"sip:p{key}@127.0.0.1") for key in range(LINES_PER_PLAN + 1))
    found = plan(a_snapshot(a_campaign(due=due, idle=len(due)), media_free=10_000), NOW)
    assert len(found.lines) == LINES_PER_PLAN
    assert found.look_again_at == NOW


def test_nothing_to_do_and_nothing_to_wait_for() -> None:
    assert plan(a_snapshot(), NOW) == Plan()


# Numbers, refusals, exhaustion


def test_no_number_is_dialled_twice_over_all_campaigns_and_forms() -> None:
    first = a_campaign(key=1, due=(a_target(1, number(1)), a_target(2, number(1))), idle=2)
    second = a_campaign(key=2, due=(a_target(3, f"sip:{number(1)}@127.0.0.1"), a_target(4, number(2))), idle=2)
    found = plan(a_snapshot(first, second), NOW)
    assert sorted(line.number for line in found.lines) == [number(1), number(2)]
    assert found.closures == ()


def test_a_target_without_tries_is_closed_and_the_next_one_dialled() -> None:
    used_up = replace(a_target(1, tries=(3, 0, 0, 0, 0)), version=6)
    found = plan(a_snapshot(a_campaign(due=(used_up, a_target(2)), idle=2)), NOW)
    assert found.closures == (Closure(1, 41, 1, 6, TargetEvent.EXHAUSTED, "no destination has tries left"),)
    assert [line.target for line in found.lines] == [2]
    assert found.look_again_at == NOW


def test_a_target_whose_only_destination_is_forbidden_is_closed() -> None:
    found = plan(a_snapshot(a_campaign(due=(a_target(1, EMERGENCY),))), NOW)
    expected = Closure(1, 41, 1, 1, TargetEvent.REFUSED, "emergency numbers are never dialled")
    assert found.closures == (expected,)
    assert found.lines == ()
    assert found.look_again_at == NOW


def test_a_forbidden_destination_is_skipped_for_the_next_one() -> None:
    found = plan(a_snapshot(a_campaign(due=(a_target(1, "+19005550123", number(1)),))), NOW)
    assert [(line.index, line.destination) for line in found.lines] == [(1, number(1))]
    assert found.closures == ()


def test_tries_of_other_destinations_do_not_save_a_forbidden_one() -> None:
    target = a_target(1, EMERGENCY, number(1), tries=(0, 2, 0, 0, 0))
    (closure,) = plan(a_snapshot(a_campaign(due=(target,))), NOW).closures
    assert closure.event is TargetEvent.REFUSED


# A campaign's own life


def test_what_campaigns_do_by_themselves_is_in_the_plan() -> None:
    campaigns = [
        a_campaign(key=1, status=CampaignStatus.STOPPING),
        a_campaign(key=2, due=(), idle=0),
        a_campaign(key=3, due=(), idle=0, end_handle=EndHandle.CONTINUE),
        a_campaign(key=4),
    ]
    found = plan(a_snapshot(*campaigns), NOW)
    assert found.campaign_events == ((1, CampaignEvent.DRAINED), (2, CampaignEvent.FINISHED))


# When to look again


@pytest.mark.parametrize(
    ("campaign", "trunk", "expected"),
    [
        (a_campaign(due=(), next_due=NOW + 9), a_trunk(), NOW + 9),
        (a_campaign(due=(), next_due=NOW - 9), a_trunk(), NOW),
        (a_campaign(due=(), next_due=None), a_trunk(), None),
        (a_campaign(next_due=NOW + 9), a_trunk(), NOW + 9),
        (a_campaign(next_due=NOW - 9), a_trunk(), NOW),
        (a_campaign(), a_trunk(paused_until=NOW + 8), NOW + 8),
        (a_campaign(next_due=NOW + 5), a_trunk(paused_until=NOW + 8), NOW + 5),
        (a_campaign(), a_trunk(channels=1, in_use=1), None),
        (a_campaign(), a_trunk(rate_per_s=1, next_slot=NOW + 2 * SECOND), NOW + 1_750_000),
        (a_campaign(rate_per_s=1, next_slot=NOW + 2 * SECOND), a_trunk(), NOW + 1_750_000),
    ],
)
def test_look_again(campaign: CampaignView, trunk: TrunkView, expected: int | None) -> None:
    assert plan(a_snapshot(campaign, trunks=[trunk]), NOW).look_again_at == expected


def test_the_earliest_of_several_gates_decides() -> None:
    campaigns = [a_campaign(key=key, due=(), next_due=NOW + 10 - key) for key in (1, 2, 3)]
    assert plan(a_snapshot(*campaigns), NOW).look_again_at == NOW + 7


def test_closed_gates_are_told_for_each_campaign() -> None:
    campaigns = [a_campaign(key=1), a_campaign(key=2, outplan=None, idle=1, end_handle=EndHandle.CONTINUE)]
    assert plan(a_snapshot(*campaigns), NOW).closed_gates == {
        1: Gate("targets_due", False, "1 idle"),
        2: Gate("outplan", False, "not set"),
    }


# Any snapshot


@given(snapshots())
def test_lines_and_live_calls_keep_within_every_channel_limit(snapshot: Snapshot) -> None:
    found = plan(snapshot, NOW)
    by_trunk = Counter(line.trunk for line in found.lines)
    by_campaign = Counter(line.campaign for line in found.lines)
    assert len(found.lines) <= min(snapshot.media_free, snapshot.setups_free)
    for trunk in snapshot.trunks:
        limit = 1 if trunk.probing else trunk.channels
        assert not by_trunk[trunk.key] or not limit or by_trunk[trunk.key] + trunk.in_use <= limit
        assert not by_trunk[trunk.key] or trunk.paused_until <= NOW
    for campaign in snapshot.campaigns:
        count = by_campaign[campaign.key]
        assert not count or not campaign.channels or count + campaign.in_use <= campaign.channels
        if count and campaign.free_agents is not None:
            assert count + campaign.in_use <= campaign.free_agents * campaign.service_level // 100


@given(snapshots())
def test_slots_are_an_interval_apart_and_within_now_and_the_horizon(snapshot: Snapshot) -> None:
    found = plan(snapshot, NOW)
    assert all(NOW <= line.slot < NOW + HORIZON_US for line in found.lines)
    for trunk in snapshot.trunks:
        _check_slots([line.slot for line in found.lines if line.trunk == trunk.key], trunk.rate_per_s, trunk.next_slot)
    for campaign in snapshot.campaigns:
        own = [line.slot for line in found.lines if line.campaign == campaign.key]
        _check_slots(own, campaign.rate_per_s, campaign.next_slot)


def _check_slots(taken: list[int], rate: float, next_slot: int) -> None:
    assert all(slot >= next_slot for slot in taken)
    assert all(later - sooner >= interval(rate) for sooner, later in pairwise(taken))


@given(snapshots())
def test_planning_again_on_the_result_plans_nothing_more(snapshot: Snapshot) -> None:
    found = plan(snapshot, NOW)
    again = plan(applied(snapshot, found), NOW)
    assert (again.lines, again.closures) == ((), ())


@given(snapshots())
def test_lines_are_of_due_targets_of_running_campaigns_and_each_person_once(snapshot: Snapshot) -> None:
    found = plan(snapshot, NOW)
    views = {campaign.key: campaign for campaign in snapshot.campaigns}
    assert len({line.target for line in found.lines}) == len(found.lines)
    assert len({line.number for line in found.lines}) == len(found.lines)
    assert snapshot.accepting or not found.lines
    for line in found.lines:
        campaign = views[line.campaign]
        target = next(target for target in campaign.due if target.key == line.target)
        assert campaign.status is CampaignStatus.RUN
        assert campaign.script_ready
        assert campaign.outplan is not None
        assert (line.campaign_version, line.outplan_version) == (campaign.version_key, campaign.outplan.key)
        assert (line.outdial, line.trunk, line.target_version) == (campaign.outdial, campaign.trunk, target.version)
        assert line.index == expected_index(target, campaign.outplan.max_tries)
        assert line.destination == target.destinations[line.index]
        assert line.number == person_key(line.destination)
        assert line.try_count == target.tries[line.index] + 1
        assert not refusal(line.destination)


@given(snapshots())
def test_only_targets_with_nothing_to_dial_are_closed(snapshot: Snapshot) -> None:
    found = plan(snapshot, NOW)
    views = {campaign.key: campaign for campaign in snapshot.campaigns}
    for closure in found.closures:
        campaign = views[closure.campaign]
        target = next(target for target in campaign.due if target.key == closure.target)
        assert campaign.status is CampaignStatus.RUN
        assert campaign.outplan is not None
        assert expected_index(target, campaign.outplan.max_tries) is None
        left = zip(target.destinations, target.tries, campaign.outplan.max_tries, strict=True)
        forbidden = any(destination and tries < most for destination, tries, most in left)
        assert closure.event is (TargetEvent.REFUSED if forbidden else TargetEvent.EXHAUSTED)


@given(snapshots(), st.randoms(use_true_random=False))
def test_the_order_of_the_campaigns_does_not_matter(snapshot: Snapshot, random: st.DataObject) -> None:
    campaigns = list(snapshot.campaigns)
    random.shuffle(campaigns)  # type: ignore[attr-defined]
    one, other = plan(snapshot, NOW), plan(replace(snapshot, campaigns=tuple(campaigns)), NOW)
    assert one.lines == other.lines
    assert one.look_again_at == other.look_again_at
    assert one.closed_gates == other.closed_gates


@given(snapshots(plain=True), st.data())
def test_more_capacity_never_plans_fewer_lines(snapshot: Snapshot, data: st.DataObject) -> None:
    assume(snapshot.campaigns)
    more = data.draw(st.sampled_from(_more_capacity(snapshot)))
    assert len(plan(more, NOW).lines) >= len(plan(snapshot, NOW).lines)


def _more_capacity(snapshot: Snapshot) -> list[Snapshot]:
    """The snapshot with one limit wider, in each way there is."""
    wider = [
        replace(snapshot, media_free=snapshot.media_free + 1),
        replace(snapshot, setups_free=snapshot.setups_free + 1),
    ]
    for place, trunk in enumerate(snapshot.trunks):
        for changed in (
            replace(trunk, channels=trunk.channels and trunk.channels + 1),
            replace(trunk, in_use=max(0, trunk.in_use - 1)),
            replace(trunk, paused_until=0),
            replace(trunk, probing=False),
        ):
            rest = snapshot.trunks
            wider.append(replace(snapshot, trunks=(*rest[:place], changed, *rest[place + 1 :])))
    for place, campaign in enumerate(snapshot.campaigns):
        for view in (
            replace(campaign, channels=campaign.channels and campaign.channels + 1),
            replace(campaign, in_use=max(0, campaign.in_use - 1)),
        ):
            others = snapshot.campaigns
            wider.append(replace(snapshot, campaigns=(*others[:place], view, *others[place + 1 :])))
    return wider


@given(st.integers(0, 40), st.integers(1, 200), st.integers(1, 200), st.integers(1, 9))
def test_a_higher_rate_never_plans_fewer_lines(count: int, rate: int, other: int, campaigns: int) -> None:
    views = [a_campaign(key=key, due=targets(count, start=100 * key)) for key in range(1, campaigns + 1)]
    totals = [
        len(plan(a_snapshot(*views, trunks=[a_trunk(rate_per_s=value)]), NOW).lines) for value in sorted((rate, other))
    ]
    assert totals == sorted(totals)


@given(snapshots())
def test_the_next_look_is_never_in_the_past_and_never_forgotten(snapshot: Snapshot) -> None:
    found = plan(snapshot, NOW)
    opening = [gate.opens_at for gate in found.closed_gates.values() if gate.opens_at is not None]
    coming = [view.next_due for view in snapshot.campaigns if view.next_due is not None and view.next_due > NOW]
    if found.look_again_at is not None:
        assert found.look_again_at >= NOW
    for instant in opening + coming:
        assert found.look_again_at is not None
        assert found.look_again_at <= max(NOW, instant)


@given(snapshots(), st.integers(1, 3_000_000))
def test_nobody_sleeps_through_a_slot(snapshot: Snapshot, later: int) -> None:
    """If waiting alone lets a line be planned, the planner asked to be woken in time for its slot."""
    found = plan(snapshot, NOW)
    afterwards = plan(applied(snapshot, found), NOW + later)
    for line in afterwards.lines:
        assert found.look_again_at is not None
        assert found.look_again_at <= max(NOW + later, line.slot - LOOK_AHEAD_US)


@given(snapshots())
def test_a_plan_depends_on_nothing_but_its_arguments(snapshot: Snapshot) -> None:
    assert plan(snapshot, NOW) == plan(snapshot, NOW)


def test_an_outplan_without_tries_for_a_destination_skips_it() -> None:
    target = a_target(1, number(1), number(2))
    campaign = a_campaign(due=(target,), outplan=an_outplan(max_tries=(0, 1, 0, 0, 0)))
    assert [line.index for line in plan(a_snapshot(campaign), NOW).lines] == [1]
