"""Why somebody is or is not called again, in words."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from outdialer.cli.reasons import Tried, what_the_campaign_does, whether_again
from outdialer.client.resources.campaigns import Campaign, CampaignStats
from outdialer.client.resources.targets import Target
from outdialer.domain.model import CampaignCall
from outdialer.domain.outcome import HangupReason, Result
from tests.cli.test_results import ATTEMPT

DUE = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
FAILED = msgspec.structs.replace(ATTEMPT, result=Result.FAIL, hangup_reason=HangupReason.BUSY)
AFTER_ANSWER = msgspec.structs.replace(FAILED, answered=True)


def _filled(kind: Any, **facts: Any) -> Any:
    """An object of the client that has these fields, and something empty in all others."""
    empty = {field.name: None for field in msgspec.structs.fields(kind)}
    return kind(**{**empty, **facts})


@pytest.mark.parametrize(
    ("facts", "last", "words"),
    [
        ({"status": "idle", "due_reason": "new"}, None, "is called at 2026-01-15 09:30:00 UTC at the earliest: the f"),
        ({"status": "idle", "due_reason": "retry"}, FAILED, "is called again at 2026-01-15 09:30:00 UTC"),
        ({"status": "idle", "due_reason": "returned"}, FAILED, "the last try was not sent"),
        ({"status": "idle", "due_reason": "number_live"}, None, "the number was in another call"),
        ({"status": "progressing"}, FAILED, "is being called now"),
        ({"status": "done", "done_reason": "success"}, ATTEMPT, "is not called again: somebody answered"),
        ({"status": "done", "done_reason": "exhausted"}, FAILED, "is not called again: no try is left"),
        ({"status": "done", "done_reason": "exhausted"}, AFTER_ANSWER, "the person has answered before"),
        ({"status": "done", "done_reason": "invalid"}, None, "no destination that is left may be dialled"),
        ({"status": "done", "done_reason": "removed"}, None, "taken off the list"),
    ],
)
def test_whether_somebody_is_called_again(facts: dict[str, Any], last: CampaignCall | None, words: str) -> None:
    tried: Tried | None = last
    assert words in whether_again(_filled(Target, tm_due=DUE, **facts), tried)


def test_what_the_campaign_does() -> None:
    campaign = _filled(Campaign, id="0198", name="spring", status="run")
    held = _filled(CampaignStats, waiting_for="rate: 1 a second")
    assert what_the_campaign_does(None, None) == "no campaign calls this list"
    assert what_the_campaign_does(campaign, held) == "the campaign spring runs, and waits for rate: 1 a second"
    stopped = msgspec.structs.replace(campaign, status="stopping")
    assert "spring does not run: outdialer campaign run 0198" in what_the_campaign_does(stopped, held)
