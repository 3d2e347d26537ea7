"""The life of a target (one person of a list), and the only code that changes its status.

Theory of operation. A target is ``idle`` while it may be dialled, ``progressing`` while one attempt of it is live
and ``done`` when nobody will dial it again; ``done`` carries a reason. Attempts drive this machine.
"""

from enum import StrEnum


class TargetStatus(StrEnum):
    """Where a target stands, as clients see it."""

    IDLE = "idle"
    PROGRESSING = "progressing"
    DONE = "done"


class TargetEvent(StrEnum):
    """What can happen to a target."""

    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    RETRY_LATER = "retry_later"
    """An attempt failed and tries are left."""
    RETURNED = "returned"
    """The attempt was not sent: its try is given back."""
    EXHAUSTED = "exhausted"
    REFUSED = "refused"
    """No destination that is left may be dialled at all."""
    REMOVED = "removed"


class DoneReason(StrEnum):
    """Why a target is done."""

    NONE = ""
    SUCCESS = "success"
    EXHAUSTED = "exhausted"
    INVALID = "invalid"
    REMOVED = "removed"


class DueReason(StrEnum):
    """Why a target's next try is due when it is."""

    NEW = "new"
    RETRY = "retry"
    """The try interval after the last attempt."""
    RETURNED = "returned"
    NUMBER_LIVE = "number_live"
    """The same number was in a call; looked at again a little later."""


TABLE: dict[tuple[TargetStatus, TargetEvent], TargetStatus] = {
    (TargetStatus.IDLE, TargetEvent.CLAIMED): TargetStatus.PROGRESSING,
    (TargetStatus.IDLE, TargetEvent.EXHAUSTED): TargetStatus.DONE,
    (TargetStatus.IDLE, TargetEvent.REFUSED): TargetStatus.DONE,
    (TargetStatus.IDLE, TargetEvent.REMOVED): TargetStatus.DONE,
    (TargetStatus.PROGRESSING, TargetEvent.SUCCEEDED): TargetStatus.DONE,
    (TargetStatus.PROGRESSING, TargetEvent.RETRY_LATER): TargetStatus.IDLE,
    (TargetStatus.PROGRESSING, TargetEvent.RETURNED): TargetStatus.IDLE,
    (TargetStatus.PROGRESSING, TargetEvent.EXHAUSTED): TargetStatus.DONE,
    (TargetStatus.PROGRESSING, TargetEvent.REFUSED): TargetStatus.DONE,
    (TargetStatus.PROGRESSING, TargetEvent.REMOVED): TargetStatus.DONE,
}

DONE_REASONS: dict[TargetEvent, DoneReason] = {
    TargetEvent.SUCCEEDED: DoneReason.SUCCESS,
    TargetEvent.EXHAUSTED: DoneReason.EXHAUSTED,
    TargetEvent.REFUSED: DoneReason.INVALID,
    TargetEvent.REMOVED: DoneReason.REMOVED,
}
"""The reason a target is done, by the event that ended it."""


def apply(status: TargetStatus, event: TargetEvent) -> TargetStatus | None:
    """The status after ``event``, or None when it changes nothing here (late, repeated or impossible)."""
    return TABLE.get((status, event))
