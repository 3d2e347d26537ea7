"""In words: why a person was called, or not, and whether they are called again.

It reads the objects of the books as well as those of the client, which have the same fields.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from outdialer.cli.progress import waiting_for
from outdialer.client.resources.campaigncalls import Campaigncall
from outdialer.client.resources.campaigns import Campaign, CampaignStats
from outdialer.client.resources.shared import Address
from outdialer.client.resources.targets import Target
from outdialer.domain import model
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.outcome import Result
from outdialer.domain.target import DoneReason, DueReason, TargetStatus

Tried: TypeAlias = model.CampaignCall | Campaigncall
Person: TypeAlias = model.Target | Target

_NEVER_AGAIN = {
    DoneReason.SUCCESS: "somebody answered, and the call ended as calls do",
    DoneReason.EXHAUSTED: "no try is left",
    DoneReason.INVALID: "no destination that is left may be dialled",
    DoneReason.REMOVED: "taken off the list",
}
_NOT_YET = {
    DueReason.NEW: "the first try",
    DueReason.RETRY: "the time between tries has to pass",
    DueReason.RETURNED: "the last try was not sent, and was given back",
    DueReason.NUMBER_LIVE: "the number was in another call",
}


def outcome_of(person: Person) -> str:
    """Where somebody stands, in a word: why they are done, else the status."""
    return str(person.done_reason or person.status)


def why_of(person: Person, last: Tried | None) -> str:
    """How the last attempt ended; before the first one, why its try is due."""
    return how_it_ended(last) if last else str(person.due_reason)


def how_it_ended(attempt: Tried) -> str:
    """What an attempt ended with. A fail after the answer says so: it decides whether there is another try."""
    if attempt.status != AttemptStatus.DONE:
        return "being called"
    after_answer = ", after the answer" if _failed_after_answer(attempt) else ""
    return f"{attempt.hangup_reason}: {attempt.hangup_detail}{after_answer}"


def _failed_after_answer(attempt: Tried) -> bool:
    return attempt.answered and attempt.result == Result.FAIL


def whether_again(person: Target, last: Tried | None) -> str:
    """Whether somebody is called again, and why or why not."""
    if person.status == TargetStatus.PROGRESSING:
        return "is being called now"
    if person.status == TargetStatus.DONE:
        return f"is not called again: {_never_again(DoneReason(person.done_reason), last)}"
    when = f"{person.tm_due:%Y-%m-%d %H:%M:%S}" if person.tm_due else ""
    reason = _NOT_YET.get(DueReason(person.due_reason or DueReason.NEW))
    return f"is called{' again' if last else ''} at {when} UTC at the earliest: {reason}"


def _never_again(reason: DoneReason, last: Tried | None) -> str:
    if reason == DoneReason.EXHAUSTED and last and _failed_after_answer(last):
        return "the person has answered before, and is not to be called again or has no try left"
    return _NEVER_AGAIN[reason]


def what_the_campaign_does(campaign: Campaign | None, stats: CampaignStats | None) -> str:
    """What a person who waits for a try waits for besides; ``campaign`` is the one that calls the list."""
    if campaign is None or stats is None:
        return "no campaign calls this list"
    if campaign.status != "run":
        return f"the campaign {campaign.name or campaign.id} does not run: outdialer campaign run {campaign.id}"
    held = f", and waits for {waiting_for(stats)}" if stats.waiting_for else ""
    return f"the campaign {campaign.name or campaign.id} runs{held}"


class Try(Struct, frozen=True):
    """One attempt as it is told."""

    tm_create: datetime | None
    destination: Address
    try_count: int
    result: str
    why: str
    id: str


class Story(Struct, frozen=True, kw_only=True):
    """All that happened to one person, and what will."""

    id: str
    name: str
    outcome: str
    why: str
    again: str
    """In words."""
    campaign: str
    """What the campaign of the list does, in words; "" where it does not matter any more."""
    tm_due: datetime | None
    attempts: tuple[Try, ...]
    """Oldest first."""


def story(person: Target, attempts: Sequence[Campaigncall], campaign: str) -> Story:
    """What is told of a person; ``attempts`` newest first."""
    last = attempts[0] if attempts else None
    return Story(
        id=person.id,
        name=person.name,
        outcome=outcome_of(person),
        why=why_of(person, last),
        again=whether_again(person, last),
        campaign=campaign,
        tm_due=person.tm_due,
        attempts=tuple(
            Try(one.tm_create, one.destination, one.try_count, one.result, how_it_ended(one), one.id)
            for one in reversed(attempts)
        ),
    )
