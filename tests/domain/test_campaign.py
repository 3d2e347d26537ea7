"""The campaign's table, pair by pair, and what the planner notices about a campaign's own life."""

from itertools import product

import pytest

from outdialer.domain.campaign import CampaignEvent, CampaignStatus, EndHandle, apply
from outdialer.domain.plan import campaign_event
from outdialer.domain.snapshot import CampaignView
from tests.domain.worlds import a_campaign, an_outplan

EXPECTED = {
    ("stop", "run_ordered"): "run",
    ("stopping", "run_ordered"): "run",
    ("run", "stop_ordered_busy"): "stopping",
    ("run", "stop_ordered_quiet"): "stop",
    ("stopping", "stop_ordered_quiet"): "stop",
    ("stopping", "drained"): "stop",
    ("run", "finished"): "stop",
}


@pytest.mark.parametrize(("status", "event"), list(product(CampaignStatus, CampaignEvent)))
def test_every_pair(status: CampaignStatus, event: CampaignEvent) -> None:
    assert apply(status, event) == EXPECTED.get((status.value, event.value))


def test_the_words_clients_see() -> None:
    assert [status.value for status in CampaignStatus] == ["stop", "run", "stopping"]
    assert [handle.value for handle in EndHandle] == ["stop", "continue"]


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        (a_campaign(status=CampaignStatus.STOPPING, in_use=0), CampaignEvent.DRAINED),
        (a_campaign(status=CampaignStatus.STOPPING, in_use=1), None),
        (a_campaign(status=CampaignStatus.STOP), None),
        (a_campaign(idle=0, progressing=0), CampaignEvent.FINISHED),
        (a_campaign(idle=1, progressing=0), None),
        (a_campaign(idle=0, progressing=1), None),
        (a_campaign(idle=0, progressing=0, in_use=1), None),
        (a_campaign(idle=0, progressing=0, end_handle=EndHandle.CONTINUE), None),
        (a_campaign(idle=1, outplan=None), CampaignEvent.FINISHED),
        (a_campaign(idle=1, outdial=None), CampaignEvent.FINISHED),
        (a_campaign(idle=1, outplan=an_outplan(max_tries=(0, 0, 0, 0, 0))), CampaignEvent.FINISHED),
        (a_campaign(idle=1, outplan=None, in_use=1), None),
        (a_campaign(idle=1, trunk=None), None),
    ],
)
def test_what_the_planner_notices(campaign: CampaignView, expected: CampaignEvent | None) -> None:
    assert campaign_event(campaign) == expected
