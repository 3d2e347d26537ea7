"""The life of a campaign, and the only code that changes its status.

Theory of operation. People order ``run`` and ``stop``; the planner notices that a stopping campaign has no call up
any more (``DRAINED``) and that a running one has nothing left to do (``FINISHED``). A stop never cuts a call: while
calls are up the campaign is ``stopping``.
"""

from enum import StrEnum


class CampaignStatus(StrEnum):
    """Where a campaign stands, as clients see it."""

    STOP = "stop"
    RUN = "run"
    STOPPING = "stopping"


class CampaignEvent(StrEnum):
    """What can happen to a campaign."""

    RUN_ORDERED = "run_ordered"
    STOP_ORDERED_BUSY = "stop_ordered_busy"
    """Stop was ordered while calls are up."""
    STOP_ORDERED_QUIET = "stop_ordered_quiet"
    """Stop was ordered and no call is up."""
    DRAINED = "drained"
    FINISHED = "finished"


class EndHandle(StrEnum):
    """What a campaign does when nothing is due, waiting for a retry or in progress."""

    STOP = "stop"
    CONTINUE = "continue"


TABLE: dict[tuple[CampaignStatus, CampaignEvent], CampaignStatus] = {
    (CampaignStatus.STOP, CampaignEvent.RUN_ORDERED): CampaignStatus.RUN,
    (CampaignStatus.STOPPING, CampaignEvent.RUN_ORDERED): CampaignStatus.RUN,
    (CampaignStatus.RUN, CampaignEvent.STOP_ORDERED_BUSY): CampaignStatus.STOPPING,
    (CampaignStatus.RUN, CampaignEvent.STOP_ORDERED_QUIET): CampaignStatus.STOP,
    (CampaignStatus.STOPPING, CampaignEvent.STOP_ORDERED_QUIET): CampaignStatus.STOP,
    (CampaignStatus.STOPPING, CampaignEvent.DRAINED): CampaignStatus.STOP,
    (CampaignStatus.RUN, CampaignEvent.FINISHED): CampaignStatus.STOP,
}


def apply(status: CampaignStatus, event: CampaignEvent) -> CampaignStatus | None:
    """The status after ``event``, or None when it changes nothing here (repeated or impossible)."""
    return TABLE.get((status, event))
