"""Whom to dial now: one pure function from a bounded snapshot to a plan.

A campaign passes a row of named gates (``domain.gates``). The line that can leave first is dealt first and campaigns
that could send at the same instant take turns, so that no campaign starves another on a shared trunk and none leaves
the trunk's slots empty. Planning again on a plan's own result plans nothing more.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from outdialer.domain.campaign import CampaignEvent, CampaignStatus, EndHandle
from outdialer.domain.gates import LINE_GATES, STANDING_GATES, Desk, Gate, first_closed
from outdialer.domain.limits import earliest
from outdialer.domain.numbers import person_key, refusal
from outdialer.domain.retry import next_destination
from outdialer.domain.snapshot import LINES_PER_PLAN, CampaignView, DueTarget, Snapshot
from outdialer.domain.target import TargetEvent
from outdialer.domain.units import Instant

SEND_WINDOW_US = 200_000
"""A slot missed by more than this is given up: late calls must not bunch."""


class Line(Struct, frozen=True, kw_only=True):
    """One planned attempt."""

    campaign: int
    campaign_version: int
    outplan_version: int
    outdial: int
    target: int
    target_version: int
    index: int
    try_count: int
    """The number this try will have, from 1."""
    destination: str
    number: str
    """The person key of the destination."""
    trunk: int
    slot: Instant
    """Send not before."""
    covered_by: str
    """Who takes the call when it is answered: ``flow`` or ``agent``."""

    @property
    def send_not_after(self) -> Instant:
        """The send deadline."""
        return self.slot + SEND_WINDOW_US


class Closure(Struct, frozen=True):
    """A due target that turns out to have nothing left to dial."""

    campaign: int
    outdial: int
    target: int
    target_version: int
    event: TargetEvent
    why: str


class Plan(Struct, frozen=True, kw_only=True):
    """What to do now, and when to look again."""

    lines: tuple[Line, ...] = ()
    closures: tuple[Closure, ...] = ()
    campaign_events: tuple[tuple[int, CampaignEvent], ...] = ()
    closed_gates: dict[int, Gate] = {}
    """By campaign: the first gate that was closed when the plan was complete."""
    look_again_at: Instant | None = None
    """None: only when something changes."""


class _Dealer(Desk):
    """The desk with what has been planned so far."""

    def __init__(self, snapshot: Snapshot, now: Instant) -> None:
        super().__init__(snapshot, now)
        self.numbers: set[str] = set()
        self.dealt = {campaign.key: 0 for campaign in snapshot.campaigns}
        self.lines: list[Line] = []
        self.closures: list[Closure] = []


class _Turn(NamedTuple):
    """Whose line is next: the earliest slot; then the fewest lines so far; then who was served longest ago."""

    slot: Instant
    dealt: int
    served: Instant
    campaign: int


_Queues: TypeAlias = dict[int, tuple[CampaignView, Iterator[DueTarget]]]


def plan(snapshot: Snapshot, now: Instant) -> Plan:
    """Decide whom to dial, which targets and campaigns are finished, and when to look again."""
    dealer = _Dealer(snapshot, now)
    closed: dict[int, Gate] = {}
    queues: _Queues = {}
    for campaign in snapshot.campaigns:
        gate = first_closed(STANDING_GATES, dealer, campaign)
        if gate is None:
            queues[campaign.key] = (campaign, iter(campaign.due))
        else:
            closed[campaign.key] = gate
    _deal(dealer, queues, closed)
    return Plan(
        lines=tuple(dealer.lines),
        closures=tuple(dealer.closures),
        campaign_events=tuple(_campaign_events(snapshot, dealer)),
        closed_gates=closed,
        look_again_at=_look_again(closed, snapshot, dealer),
    )


def _deal(dealer: _Dealer, queues: _Queues, closed: dict[int, Gate]) -> None:
    """One line to the campaign whose turn it is until every campaign is closed or the plan is full."""
    turns = [_turn(dealer, campaign) for campaign, _ in queues.values()]
    heapify(turns)
    while turns and len(dealer.lines) < LINES_PER_PLAN:
        turn = heappop(turns)
        campaign, targets = queues[turn.campaign]
        if not turns or turn == _turn(dealer, campaign):  # Alone, nobody else can have taken its slot.
            gate = first_closed(LINE_GATES, dealer, campaign) or _next_line(dealer, campaign, targets)
            if gate is not None:
                closed[campaign.key] = gate
                continue
        heappush(turns, _turn(dealer, campaign) if turns else turn)


def _turn(dealer: _Dealer, campaign: CampaignView) -> _Turn:
    trunk_limit, campaign_limit = dealer.trunk_limits[campaign.trunk or 0], dealer.campaign_limits[campaign.key]
    slot = earliest(dealer.now, trunk_limit, campaign_limit)
    return _Turn(slot, dealer.dealt[campaign.key], campaign_limit.next_slot, campaign.key)


def _next_line(dealer: _Dealer, campaign: CampaignView, targets: Iterator[DueTarget]) -> Gate | None:
    """Plan the campaign's next dialable target; the closed gate when none is left in the snapshot."""
    assert campaign.outplan is not None
    for target in targets:
        index, refused = _dialable(target, campaign.outplan.max_tries)
        if index is None:
            dealer.closures.append(_closure(campaign, target, refused))
            continue
        number = person_key(target.destinations[index])
        if number in dealer.numbers:
            continue
        dealer.numbers.add(number)
        dealer.lines.append(_line(dealer, campaign, target, index, number))
        return None
    return Gate("targets_due", False, f"{campaign.idle} idle", campaign.next_due)


def _dialable(target: DueTarget, max_tries: Sequence[int]) -> tuple[int | None, str]:
    """The index to dial next, past destinations that must never be dialled; where there is none, what refused."""
    left = list(target.destinations)
    refused = ""
    while (index := next_destination(left, target.tries, max_tries)) is not None:
        why = refusal(left[index])
        if not why:
            return index, ""
        refused, left[index] = why, ""
    return None, refused


def _closure(campaign: CampaignView, target: DueTarget, refused: str) -> Closure:
    event = TargetEvent.REFUSED if refused else TargetEvent.EXHAUSTED
    why = refused or "no destination has tries left"
    return Closure(campaign.key, campaign.outdial or 0, target.key, target.version, event, why)


def _line(dealer: _Dealer, campaign: CampaignView, target: DueTarget, index: int, number: str) -> Line:
    assert campaign.outplan is not None
    assert campaign.trunk is not None
    assert campaign.outdial is not None
    trunk_limit = dealer.trunk_limits[campaign.trunk]
    campaign_limit = dealer.campaign_limits[campaign.key]
    slot = earliest(dealer.now, trunk_limit, campaign_limit)
    trunk_limit.reserve(slot)
    campaign_limit.reserve(slot)
    dealer.media_free -= 1
    dealer.setups_free -= 1
    dealer.dealt[campaign.key] += 1
    return Line(
        campaign=campaign.key,
        campaign_version=campaign.version_key,
        outplan_version=campaign.outplan.key,
        outdial=campaign.outdial,
        target=target.key,
        target_version=target.version,
        index=index,
        try_count=target.tries[index] + 1,
        destination=target.destinations[index],
        number=number,
        trunk=campaign.trunk,
        slot=slot,
        covered_by="flow" if campaign.free_agents is None else "agent",
    )


def _campaign_events(snapshot: Snapshot, dealer: _Dealer) -> Iterator[tuple[int, CampaignEvent]]:
    for campaign in snapshot.campaigns:
        event = campaign_event(campaign)
        if event is not None:
            yield campaign.key, event


def campaign_event(campaign: CampaignView) -> CampaignEvent | None:
    """What the planner notices about a campaign's own life: drained, finished, or nothing.

    A campaign without an outplan, without an outdial, or whose outplan allows no try at all has nothing to do.
    """
    if campaign.status == CampaignStatus.STOPPING:
        return CampaignEvent.DRAINED if campaign.in_use == 0 else None
    if campaign.status != CampaignStatus.RUN or campaign.end_handle != EndHandle.STOP or campaign.in_use:
        return None
    has_work = campaign.outplan is not None and campaign.outdial is not None and any(campaign.outplan.max_tries)
    if has_work and campaign.idle + campaign.progressing > 0:
        return None
    return CampaignEvent.FINISHED


def _look_again(closed: dict[int, Gate], snapshot: Snapshot, dealer: _Dealer) -> Instant | None:
    """The earliest instant at which a closed gate opens by itself; now when something was left undone."""
    if len(dealer.lines) >= LINES_PER_PLAN or dealer.closures:
        return dealer.now
    instants = [gate.opens_at for gate in closed.values() if gate.opens_at is not None]
    instants += [
        campaign.next_due
        for campaign in snapshot.campaigns
        if campaign.next_due is not None and campaign.next_due > dealer.now
    ]
    return max(dealer.now, min(instants)) if instants else None
