"""Each gate alone: what opens it, what closes it, the value it shows and when it opens."""

from collections.abc import Sequence
from typing import Any

import pytest

from outdialer.domain.campaign import CampaignStatus
from outdialer.domain.gates import LINE_GATES, NO_TRUNK, STANDING_GATES, Desk, Gate, first_closed
from outdialer.domain.plan import plan
from outdialer.domain.snapshot import CampaignView, TrunkView
from tests.domain.worlds import NOW, a_campaign, a_snapshot, a_trunk, an_outplan, targets

ORDER = (
    "engine",
    "campaign_status",
    "outplan",
    "outdial",
    "tries",
    "trunk",
    "trunk_pause",
    "script",
    "targets_due",
    "agents",
    "trunk_channels",
    "campaign_channels",
    "media_ports",
    "setups",
    "trunk_rate",
    "campaign_rate",
)


def gates_of(campaign: CampaignView, trunks: Sequence[TrunkView] | None = None, **changes: Any) -> dict[str, Gate]:
    """Every gate's answer by name."""
    desk = Desk(a_snapshot(campaign, trunks=trunks, **changes), NOW)
    return {gate.name: gate for function in STANDING_GATES + LINE_GATES for gate in [function(desk, campaign)]}


def test_the_order_of_the_gates() -> None:
    assert tuple(gates_of(a_campaign())) == ORDER


def test_an_unhindered_campaign_passes_them_all() -> None:
    assert all(gate.open for gate in gates_of(a_campaign()).values())


CLOSED: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any], int | None]] = [
    # gate, value, campaign, trunk, snapshot, opens at
    ("engine", "draining", {}, {}, {"accepting": False}, None),
    ("campaign_status", "stop", {"status": CampaignStatus.STOP}, {}, {}, None),
    ("campaign_status", "stopping", {"status": CampaignStatus.STOPPING}, {}, {}, None),
    ("outplan", "not set", {"outplan": None}, {}, {}, None),
    ("outdial", "not set", {"outdial": None}, {}, {}, None),
    ("tries", "0,0,0,0,0", {"outplan": an_outplan(max_tries=(0, 0, 0, 0, 0))}, {}, {}, None),
    ("trunk", NO_TRUNK, {"trunk": None}, {}, {}, None),
    ("trunk", NO_TRUNK, {"trunk": 8}, {}, {}, None),
    ("trunk_pause", "refused", {}, {"paused_until": NOW + 1, "pause_reason": "refused"}, {}, NOW + 1),
    ("script", "rendering", {"script_ready": False, "script_state": "rendering"}, {}, {}, None),
    ("targets_due", "3 idle", {"due": (), "idle": 3, "next_due": NOW + 5}, {}, {}, NOW + 5),
    ("targets_due", "0 idle", {"due": (), "idle": 0}, {}, {}, None),
    ("agents", "0 of 0", {"free_agents": 0}, {}, {}, None),
    ("agents", "2 of 2", {"free_agents": 2, "in_use": 2}, {}, {}, None),
    ("agents", "1 of 1", {"free_agents": 3, "service_level": 50, "in_use": 1}, {}, {}, None),
    ("agents", "0 of 0", {"free_agents": 1, "service_level": 99}, {}, {}, None),
    ("trunk_channels", "2 of 2", {}, {"channels": 2, "in_use": 2}, {}, None),
    ("trunk_channels", "3 of 2", {}, {"channels": 2, "in_use": 3}, {}, None),
    ("trunk_channels", "1 of 1", {}, {"channels": 5, "in_use": 1, "probing": True}, {}, None),
    ("campaign_channels", "4 of 4", {"channels": 4, "in_use": 4}, {}, {}, None),
    ("media_ports", "0 free", {}, {}, {"media_free": 0}, None),
    ("setups", "0 free", {}, {}, {"setups_free": 0}, None),
    ("trunk_rate", "2 a second", {}, {"rate_per_s": 2, "next_slot": NOW + 500_000}, {}, NOW + 250_000),
    ("campaign_rate", "0.1 a second", {"rate_per_s": 0.1, "next_slot": NOW + 900_000}, {}, {}, NOW + 650_000),
]


@pytest.mark.parametrize(("name", "value", "campaign", "trunk", "world", "opens_at"), CLOSED)
def test_a_closed_gate_says_why_and_until_when_and_nobody_is_called(
    name: str, value: str, campaign: dict[str, Any], trunk: dict[str, Any], world: dict[str, Any], opens_at: int | None
) -> None:
    snapshot = a_snapshot(a_campaign(**campaign), trunks=[a_trunk(**trunk)], **world)
    found = plan(snapshot, NOW)
    assert found.lines == ()
    assert found.closed_gates == {1: Gate(name, False, value, opens_at)}


OPEN: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("trunk_pause", {}, {"paused_until": NOW, "pause_reason": "refused"}, {}),
    ("tries", {"outplan": an_outplan(max_tries=(1, 0, 0, 0, 0))}, {}, {}),
    ("agents", {"free_agents": None, "in_use": 50}, {}, {}),
    ("agents", {"free_agents": 3, "in_use": 2}, {}, {}),
    ("agents", {"free_agents": 2, "service_level": 150, "in_use": 2}, {}, {}),
    ("trunk_channels", {}, {"channels": 2, "in_use": 1}, {}),
    ("trunk_channels", {}, {"channels": 0, "in_use": 900}, {}),
    ("trunk_channels", {}, {"channels": 5, "in_use": 0, "probing": True}, {}),
    ("campaign_channels", {"channels": 4, "in_use": 3}, {}, {}),
    ("campaign_channels", {"channels": 0, "in_use": 900}, {}, {}),
    ("media_ports", {}, {}, {"media_free": 1}),
    ("setups", {}, {}, {"setups_free": 1}),
    ("trunk_rate", {}, {"rate_per_s": 2, "next_slot": NOW + 499_999}, {}),
    ("campaign_rate", {"rate_per_s": 2, "next_slot": NOW + 499_999}, {}, {}),
]


@pytest.mark.parametrize(("name", "campaign", "trunk", "world"), OPEN)
def test_an_open_gate_lets_a_line_through(
    name: str, campaign: dict[str, Any], trunk: dict[str, Any], world: dict[str, Any]
) -> None:
    view = a_campaign(**campaign)
    gate = gates_of(view, [a_trunk(**trunk)], **world)[name]
    assert gate.open
    assert gate.opens_at is None
    assert len(plan(a_snapshot(view, trunks=[a_trunk(**trunk)], **world), NOW).lines) == 1


def test_the_limits_of_the_trunk_that_the_campaign_uses_count() -> None:
    full = a_trunk(key=8, channels=1, in_use=1)
    assert len(plan(a_snapshot(a_campaign(), trunks=[full, a_trunk()]), NOW).lines) == 1
    assert plan(a_snapshot(a_campaign(trunk=8), trunks=[full, a_trunk()]), NOW).lines == ()


def test_the_first_closed_gate_is_the_one_that_is_named() -> None:
    campaign = a_campaign(status=CampaignStatus.STOP, outplan=None, due=())
    desk = Desk(a_snapshot(campaign), NOW)
    gate = first_closed(STANDING_GATES, desk, campaign)
    assert gate is not None
    assert gate.name == "campaign_status"
    assert first_closed(LINE_GATES, desk, campaign) is None


def test_every_line_takes_from_each_limit_until_a_gate_closes() -> None:
    campaign = a_campaign(due=targets(9), idle=9)
    counts = [
        (a_snapshot(campaign, trunks=[a_trunk(channels=3)]), "trunk_channels"),
        (a_snapshot(a_campaign(due=targets(9), idle=9, channels=3)), "campaign_channels"),
        (a_snapshot(campaign, media_free=3), "media_ports"),
        (a_snapshot(campaign, setups_free=3), "setups"),
        (a_snapshot(a_campaign(due=targets(9), idle=9, free_agents=3)), "agents"),
        (a_snapshot(campaign, trunks=[a_trunk(rate_per_s=5)]), "trunk_rate"),
        (a_snapshot(a_campaign(due=targets(9), idle=9, rate_per_s=5)), "campaign_rate"),
    ]
    for snapshot, gate in counts:
        found = plan(snapshot, NOW)
        assert len(found.lines) == 3, gate
        assert found.closed_gates[1].name == gate
