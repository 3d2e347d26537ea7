"""What one plan may depend on: a bounded picture of the campaigns, their due targets and the limits."""

from msgspec import Struct

from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.units import Instant, Milliseconds

LINES_PER_PLAN = 500
"""Bound of one claim transaction."""


class DueTarget(Struct, frozen=True):
    """A target whose next try is due, as the store offers it: oldest due first."""

    key: int
    version: int
    destinations: tuple[str, str, str, str, str]
    """Normalised; "" where there is none."""
    tries: tuple[int, int, int, int, int]


class OutplanTerms(Struct, frozen=True, kw_only=True):
    """The immutable version of an outplan that attempts are claimed under."""

    key: int
    """Store key of this version."""
    source: str = ""
    source_name: str = ""
    dial_timeout_ms: Milliseconds
    try_interval_ms: Milliseconds
    max_tries: tuple[int, int, int, int, int]
    redial_answered: bool = True


class TrunkView(Struct, frozen=True, kw_only=True):
    """What the planner knows of a trunk."""

    key: int
    rate_per_s: float
    channels: int
    next_slot: Instant = 0
    in_use: int = 0
    paused_until: Instant = 0
    pause_reason: str = ""
    probing: bool = False
    """After a pause, until a call got through: one call at a time."""


class CampaignView(Struct, frozen=True, kw_only=True):
    """What the planner knows of a campaign that is running or stopping."""

    key: int
    version_key: int
    status: CampaignStatus
    end_handle: EndHandle = EndHandle.STOP
    outplan: OutplanTerms | None = None
    outdial: int | None = None
    trunk: int | None = None
    rate_per_s: float = 0
    channels: int = 0
    next_slot: Instant = 0
    in_use: int = 0
    idle: int = 0
    """Targets of the outdial that are idle, due or not."""
    progressing: int = 0
    """Targets of the outdial with a live attempt."""
    due: tuple[DueTarget, ...] = ()
    next_due: Instant | None = None
    """When the first idle target that is not in ``due`` will be due."""
    free_agents: int | None = None
    """Free agents of the campaign's queue; None where there is no queue."""
    service_level: int = 100
    script_ready: bool = True
    """Whether everything that the campaign says on answer is rendered."""
    script_state: str = "ready"
    """``ready``, ``rendering``, or why the script cannot be played."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """All that one plan may depend on."""

    campaigns: tuple[CampaignView, ...] = ()
    trunks: tuple[TrunkView, ...] = ()
    accepting: bool = True
    """False while the engine drains."""
    media_free: int = LINES_PER_PLAN
    """RTP ports that can be leased."""
    setups_free: int = LINES_PER_PLAN
    """Calls that may be set up beside those that the far ends have not said anything about yet."""
