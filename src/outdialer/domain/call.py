"""The life of a call (one SIP dialog with one far end), and the only code that changes its status.

Theory of operation. A call rings or not, is answered or not, and ends. A hang-up of ours takes time, because the
far end has to confirm it: meanwhile the call is ``canceling`` (before the answer) or ``terminating`` (after it).
"""

from enum import StrEnum


class CallStatus(StrEnum):
    """Where a call stands, as clients see it."""

    DIALING = "dialing"
    RINGING = "ringing"
    PROGRESSING = "progressing"
    TERMINATING = "terminating"
    CANCELING = "canceling"
    HANGUP = "hangup"


class CallEvent(StrEnum):
    """What can happen to a call."""

    RINGING = "ringing"
    ANSWERED = "answered"
    HANGUP_ORDERED = "hangup_ordered"
    ENDED = "ended"


TABLE: dict[tuple[CallStatus, CallEvent], CallStatus] = {
    (CallStatus.DIALING, CallEvent.RINGING): CallStatus.RINGING,
    (CallStatus.DIALING, CallEvent.ANSWERED): CallStatus.PROGRESSING,
    (CallStatus.DIALING, CallEvent.HANGUP_ORDERED): CallStatus.CANCELING,
    (CallStatus.DIALING, CallEvent.ENDED): CallStatus.HANGUP,
    (CallStatus.RINGING, CallEvent.ANSWERED): CallStatus.PROGRESSING,
    (CallStatus.RINGING, CallEvent.HANGUP_ORDERED): CallStatus.CANCELING,
    (CallStatus.RINGING, CallEvent.ENDED): CallStatus.HANGUP,
    (CallStatus.PROGRESSING, CallEvent.HANGUP_ORDERED): CallStatus.TERMINATING,
    (CallStatus.PROGRESSING, CallEvent.ENDED): CallStatus.HANGUP,
    (CallStatus.CANCELING, CallEvent.ENDED): CallStatus.HANGUP,
    (CallStatus.TERMINATING, CallEvent.ENDED): CallStatus.HANGUP,
}


def apply(status: CallStatus, event: CallEvent) -> CallStatus | None:
    """The status after ``event``, or None when it changes nothing here (late, repeated or impossible)."""
    return TABLE.get((status, event))
