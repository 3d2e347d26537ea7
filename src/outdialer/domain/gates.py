"""The gates a campaign passes before a line is dialled, in order.

A gate answers not just yes or no but with the value that decides and the instant it opens, because "why is nobody
called?" and forecasts stand on the same answers.
"""

from collections.abc import Callable

from msgspec import Struct

from outdialer.domain.campaign import CampaignStatus
from outdialer.domain.limits import Limit, interval
from outdialer.domain.snapshot import CampaignView, Snapshot, TrunkView
from outdialer.domain.units import Instant

HORIZON_US = 500_000
"""A claim takes at most the send slots of the next 500 ms: what is claimed later can still be stopped."""
NO_TRUNK = "not set, and no route of this customer leads to a provider with a host name"
LOOK_AHEAD_US = 250_000
"""How long before the next free slot the planner wants to be asked again."""


def latest_slot(now: Instant, rate_per_s: float) -> Instant:
    """The latest next slot that reservations under this rate can have led to.

    One that lies further ahead was reserved under a lower rate, which holds no longer.
    """
    return now + HORIZON_US + interval(rate_per_s)


class Gate(Struct, frozen=True):
    """What one gate said: whether it is open, the value that decides, and when it opens (None: not by itself).

    The gates that are asked before every line show their value only when they are closed.
    """

    name: str
    open: bool
    value: str
    opens_at: Instant | None = None


class Desk:
    """The planner's working copy of the limits while lines are dealt out: every line takes something away."""

    def __init__(self, snapshot: Snapshot, now: Instant) -> None:
        self.now = now
        self.accepting = snapshot.accepting
        self.media_free = snapshot.media_free
        self.setups_free = snapshot.setups_free
        self.trunks = {trunk.key: trunk for trunk in snapshot.trunks}
        self.trunk_limits = {trunk.key: _trunk_limit(trunk) for trunk in snapshot.trunks}
        self.campaign_limits = {campaign.key: _campaign_limit(campaign) for campaign in snapshot.campaigns}


def _trunk_limit(trunk: TrunkView) -> Limit:
    return Limit(
        scope=f"trunk:{trunk.key}",
        rate_per_s=trunk.rate_per_s,
        channels=1 if trunk.probing else trunk.channels,
        next_slot=trunk.next_slot,
        in_use=trunk.in_use,
    )


def _campaign_limit(campaign: CampaignView) -> Limit:
    return Limit(
        scope=f"campaign:{campaign.key}",
        rate_per_s=campaign.rate_per_s,
        channels=campaign.channels,
        next_slot=campaign.next_slot,
        in_use=campaign.in_use,
    )


def _engine_accepts(desk: Desk, _campaign: CampaignView) -> Gate:
    return Gate("engine", desk.accepting, "accepting" if desk.accepting else "draining")


def _campaign_runs(_desk: Desk, campaign: CampaignView) -> Gate:
    return Gate("campaign_status", campaign.status == CampaignStatus.RUN, campaign.status)


def _has_outplan(_desk: Desk, campaign: CampaignView) -> Gate:
    return Gate("outplan", campaign.outplan is not None, "set" if campaign.outplan else "not set")


def _has_outdial(_desk: Desk, campaign: CampaignView) -> Gate:
    return Gate("outdial", campaign.outdial is not None, "set" if campaign.outdial is not None else "not set")


def _allows_tries(_desk: Desk, campaign: CampaignView) -> Gate:
    tries = campaign.outplan.max_tries if campaign.outplan else ()
    return Gate("tries", any(tries), ",".join(map(str, tries)))


def _has_trunk(desk: Desk, campaign: CampaignView) -> Gate:
    return Gate("trunk", campaign.trunk in desk.trunks, "set" if campaign.trunk in desk.trunks else NO_TRUNK)


def _trunk_is_open(desk: Desk, campaign: CampaignView) -> Gate:
    trunk = desk.trunks[campaign.trunk or 0]
    is_open = trunk.paused_until <= desk.now
    return Gate("trunk_pause", is_open, trunk.pause_reason, None if is_open else trunk.paused_until)


def _has_agents(desk: Desk, campaign: CampaignView) -> Gate:
    if campaign.free_agents is None:
        return Gate("agents", True, "no queue")
    allowed = campaign.free_agents * campaign.service_level // 100
    covered = desk.campaign_limits[campaign.key].in_use
    return _line_gate("agents", covered < allowed, covered, "of", allowed)


def _has_script(_desk: Desk, campaign: CampaignView) -> Gate:
    return Gate("script", campaign.script_ready, campaign.script_state)


def _has_target_due(desk: Desk, campaign: CampaignView) -> Gate:
    waiting = bool(campaign.due)
    return Gate("targets_due", waiting, f"{campaign.idle} idle", None if waiting else campaign.next_due)


def _has_trunk_channel(desk: Desk, campaign: CampaignView) -> Gate:
    return _channel_gate("trunk_channels", desk.trunk_limits[campaign.trunk or 0])


def _has_campaign_channel(desk: Desk, campaign: CampaignView) -> Gate:
    return _channel_gate("campaign_channels", desk.campaign_limits[campaign.key])


def _channel_gate(name: str, limit: Limit) -> Gate:
    return _line_gate(name, limit.free_channels(1) > 0, limit.in_use, "of", limit.channels)


def _has_media(desk: Desk, _campaign: CampaignView) -> Gate:
    return _line_gate("media_ports", desk.media_free > 0, desk.media_free, "free")


def _may_set_up(desk: Desk, _campaign: CampaignView) -> Gate:
    return _line_gate("setups", desk.setups_free > 0, desk.setups_free, "free")


def _line_gate(name: str, is_open: bool, *value: object) -> Gate:
    return Gate(name, is_open, "" if is_open else " ".join(map(str, value)))


def _has_trunk_slot(desk: Desk, campaign: CampaignView) -> Gate:
    return _slot_gate("trunk_rate", desk.trunk_limits[campaign.trunk or 0], desk.now)


def _has_campaign_slot(desk: Desk, campaign: CampaignView) -> Gate:
    return _slot_gate("campaign_rate", desk.campaign_limits[campaign.key], desk.now)


def _slot_gate(name: str, limit: Limit, now: Instant) -> Gate:
    if limit.next_slot < now + HORIZON_US:
        return Gate(name, True, "")
    return Gate(name, False, f"{limit.rate_per_s:g} a second", limit.next_slot - LOOK_AHEAD_US)


GateFunction = Callable[[Desk, CampaignView], Gate]

STANDING_GATES: tuple[GateFunction, ...] = (
    _engine_accepts,
    _campaign_runs,
    _has_outplan,
    _has_outdial,
    _allows_tries,
    _has_trunk,
    _trunk_is_open,
    _has_script,
    _has_target_due,
)
"""Asked once per campaign and plan."""

LINE_GATES: tuple[GateFunction, ...] = (
    _has_agents,
    _has_trunk_channel,
    _has_campaign_channel,
    _has_media,
    _may_set_up,
    _has_trunk_slot,
    _has_campaign_slot,
)
"""Asked before every line, because every line takes something away."""


def first_closed(gates: tuple[GateFunction, ...], desk: Desk, campaign: CampaignView) -> Gate | None:
    """The first gate of the row that is closed for the campaign, or None when all are open."""
    for gate_function in gates:
        gate = gate_function(desk, campaign)
        if not gate.open:
            return gate
    return None
