"""What a person is told about the pace of a campaign."""

import pytest

from outdialer.cli.progress import Pace
from outdialer.client.resources.campaigns import CampaignStats


def _stats(done: int, waiting: int) -> CampaignStats:
    return CampaignStats(
        targets_idle=waiting,
        targets_progressing=0,
        targets_done={"success": done},
        attempts=done,
        dialing=0,
        ringing=0,
        talking=0,
        succeeded=done,
        failed={},
        answered=done,
        retries_waiting=0,
        tm_next_due=None,
        waiting_for="",
    )


@pytest.mark.parametrize(
    ("first", "now", "elapsed_s", "left"),
    [
        (_stats(0, 100), _stats(20, 80), 20.0, "80 s"),
        (_stats(60, 40), _stats(60, 40), 20.0, "not known yet"),
        (_stats(60, 40), _stats(80, 20), 20.0, "20 s"),
        (_stats(0, 100), _stats(20, 80), 5.0, "not known yet"),
        (_stats(2, 0), _stats(2, 0), 0.0, "0 s"),
    ],
    ids=["from the start", "going on, nothing yet", "going on", "too early", "nobody left"],
)
def test_what_was_done_before_says_nothing_about_the_pace(
    first: CampaignStats, now: CampaignStats, elapsed_s: float, left: str
) -> None:
    assert Pace(first, now, elapsed_s).left == left
