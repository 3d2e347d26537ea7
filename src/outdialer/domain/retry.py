"""Which destination of a target is next, and what becomes of a target after an attempt."""

from collections.abc import Sequence

from msgspec import Struct

from outdialer.domain.outcome import Outcome, Result
from outdialer.domain.target import DueReason, TargetEvent
from outdialer.domain.units import Instant, Milliseconds, after

DESTINATIONS = 5
"""A target has destinations 0 to 4."""


class TargetVerdict(Struct, frozen=True):
    """What an ended attempt does to its target. ``due`` is None when the target is done."""

    event: TargetEvent
    due: Instant | None = None
    due_reason: DueReason = DueReason.NEW


def next_destination(destinations: Sequence[str], tries: Sequence[int], max_tries: Sequence[int]) -> int | None:
    """The lowest index that has a destination and tries left, or None when the target is used up.

    Args:
        destinations: five normalised destinations, "" where there is none.
        tries: charged attempts so far, by index.
        max_tries: tries allowed, by index; 0 skips the index.
    """
    for index in range(DESTINATIONS):
        if destinations[index] and tries[index] < max_tries[index]:
            return index
    return None


def after_attempt(
    outcome: Outcome,
    *,
    ended: Instant,
    tries_left: bool,
    removed: bool,
    try_interval_ms: Milliseconds,
    redial_answered: bool,
) -> TargetVerdict:
    """What becomes of the target whose attempt ended at ``ended``.

    Args:
        outcome: the verdict on the attempt.
        ended: when the attempt ended, or when an unknown one was resolved.
        tries_left: whether any destination has tries left, this attempt counted if it is charged.
        removed: whether the target was deleted while it was being called.
        try_interval_ms: the outplan's pause between the end of an attempt and the next.
        redial_answered: whether a person who answered may be called again after a fail.
    """
    if outcome.result == Result.SUCCESS:
        return TargetVerdict(TargetEvent.SUCCEEDED)
    if removed:
        return TargetVerdict(TargetEvent.REMOVED)
    if not outcome.dialable:
        return TargetVerdict(TargetEvent.REFUSED)
    if not outcome.charged:
        return TargetVerdict(TargetEvent.RETURNED, ended, DueReason.RETURNED)
    if not tries_left or (outcome.answered and not redial_answered):
        return TargetVerdict(TargetEvent.EXHAUSTED)
    return TargetVerdict(TargetEvent.RETRY_LATER, after(ended, try_interval_ms), DueReason.RETRY)
