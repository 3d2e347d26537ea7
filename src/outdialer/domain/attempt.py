"""The life of an attempt (a campaigncall), and the only code that changes its status.

Theory of operation. An attempt is born ``dialing`` by the claim, before anything is sent. It becomes
``progressing`` when the person answers and ``done`` when the call is over. ``done`` is terminal: whatever arrives
later, late or twice, changes nothing (``apply`` answers None). The carrier's events drive this machine; the
attempt's end in turn drives the target's (``domain.target``).
"""

from enum import StrEnum


class AttemptStatus(StrEnum):
    """Where an attempt stands, as clients see it."""

    DIALING = "dialing"
    PROGRESSING = "progressing"
    DONE = "done"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    ANSWERED = "answered"
    """The person answered."""
    ENDED = "ended"
    """The call is over, with an outcome."""
    NOT_SENT = "not_sent"
    """The living sender knows that nothing left the process."""
    UNRESOLVED = "unresolved"
    """Of an earlier life: nobody knows what happened, and nothing of it can be up any more."""


TABLE: dict[tuple[AttemptStatus, AttemptEvent], AttemptStatus] = {
    (AttemptStatus.DIALING, AttemptEvent.ANSWERED): AttemptStatus.PROGRESSING,
    (AttemptStatus.DIALING, AttemptEvent.ENDED): AttemptStatus.DONE,
    (AttemptStatus.DIALING, AttemptEvent.NOT_SENT): AttemptStatus.DONE,
    (AttemptStatus.DIALING, AttemptEvent.UNRESOLVED): AttemptStatus.DONE,
    (AttemptStatus.PROGRESSING, AttemptEvent.ENDED): AttemptStatus.DONE,
    (AttemptStatus.PROGRESSING, AttemptEvent.UNRESOLVED): AttemptStatus.DONE,
}


def apply(status: AttemptStatus, event: AttemptEvent) -> AttemptStatus | None:
    """The status after ``event``, or None when it changes nothing here (late, repeated or impossible)."""
    return TABLE.get((status, event))
