"""What a person is told about the pace of a campaign."""

from datetime import UTC, datetime

import msgspec
import pytest

from outdialer.cli.progress import Pace, waiting_for
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


@pytest.mark.parametrize(
    ("gate", "due", "shown"),
    [
        ("targets_due: 4 idle", datetime(2022, 4, 29, 7, 1, 45, tzinfo=UTC), ", the next at 2022-04-29 07:01:45 UTC"),
        ("targets_due: 0 idle", None, ""),
        ("trunk_rate: 1 a second", datetime(2022, 4, 29, 7, 1, 45, tzinfo=UTC), ""),
    ],
)
def test_waiting_for_a_try_says_when_it_is(gate: str, due: datetime | None, shown: str) -> None:
    assert waiting_for(msgspec.structs.replace(_stats(0, 4), waiting_for=gate, tm_next_due=due)) == gate + shown
