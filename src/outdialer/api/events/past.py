"""Attempts and calls as they were when an event of theirs happened.

The books keep one row for an attempt and tiny events; nothing of an attempt changes but by its events, so what it
was follows from what it is: later facts are taken away, and the state is the one that the tables give.
"""

from msgspec import structs

from outdialer.domain import attempt, call
from outdialer.domain.attempt import AttemptEvent, AttemptStatus
from outdialer.domain.call import CallEvent, CallStatus
from outdialer.domain.model import Call, CampaignCall
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.units import Instant
from outdialer.ports.events import AttemptNow

_UNENDED = {
    "hangup_reason": HangupReason.NONE,
    "hangup_detail": "",
    "sip_code": 0,
    "q850_cause": 0,
    "tm_hangup": None,
    "tm_delete": None,
}


def as_claimed(now: AttemptNow) -> AttemptNow:
    """As it was born."""
    return _unended(now, None, answered=False, ringing=None, progressing=None)


def as_ringing(now: AttemptNow, at: Instant) -> AttemptNow:
    """As it was when it began to ring."""
    born = _unended(now, at, answered=False, ringing=at, progressing=None)
    ringing = structs.replace(born.call, status=call.apply(born.call.status, CallEvent.RINGING))
    return AttemptNow(born.campaigncall, ringing)


def as_answered(now: AttemptNow, at: Instant) -> AttemptNow:
    """As it was when the person answered."""
    born = _unended(now, at, answered=True, ringing=now.campaigncall.tm_ringing, progressing=at)
    return AttemptNow(
        structs.replace(born.campaigncall, status=attempt.apply(born.campaigncall.status, AttemptEvent.ANSWERED)),
        structs.replace(born.call, status=call.apply(born.call.status, CallEvent.ANSWERED)),
    )


def as_canceling(now: AttemptNow, at: Instant) -> AttemptNow:
    """As it was when our side gave it up before an answer."""
    born = _unended(now, at, answered=False, ringing=now.campaigncall.tm_ringing, progressing=None)
    status = call.apply(born.call.status, CallEvent.HANGUP_ORDERED)
    return AttemptNow(born.campaigncall, structs.replace(born.call, status=status, tm_activeflow_end=at))


def as_terminating(now: AttemptNow, at: Instant) -> AttemptNow:
    """As it was when our side ended it after the answer."""
    answered = as_answered(now, now.campaigncall.tm_progressing or at)
    status = call.apply(answered.call.status, CallEvent.HANGUP_ORDERED)
    ending = structs.replace(answered.call, status=status, tm_update=at, tm_activeflow_end=at)
    return AttemptNow(structs.replace(answered.campaigncall, tm_update=at), ending)


def as_ended(now: AttemptNow, at: Instant) -> AttemptNow:
    """As it was when it was over: before it was hidden, before a late answer was noted."""
    return AttemptNow(
        structs.replace(now.campaigncall, tm_update=at, tm_delete=None),
        structs.replace(now.call, tm_update=at, tm_delete=None, tm_activeflow_delete=None),
    )


def script_changed(kind: str, now: Call, at: Instant) -> bool:
    """Whether an event of an attempt changed the run of its script, which begins with the answer and ends once.

    It ends by our order, with the call, or because it is deleted, which has an event of its own.
    """
    ended, deleted = now.tm_activeflow_end, now.tm_activeflow_delete
    if kind == "answered":
        return ended is None or ended >= at
    if kind == "ended":
        return ended is None
    return kind == "claimed" or ended is None or ended != deleted


def _unended(
    now: AttemptNow, at: Instant | None, *, answered: bool, ringing: Instant | None, progressing: Instant | None
) -> AttemptNow:
    facts = {
        **_UNENDED,
        "answered": answered,
        "tm_update": at,
        "tm_ringing": ringing,
        "tm_progressing": progressing,
    }
    campaigncall: CampaignCall = structs.replace(
        now.campaigncall,
        **facts,
        status=AttemptStatus.DIALING,
        result=Result.NONE,
        charged=True,
        ring_ms=0,
        talk_ms=0,
        late_answer=False,
    )
    born: Call = structs.replace(
        now.call,
        **facts,
        status=CallStatus.DIALING,
        hangup_by="",
        tm_activeflow_end=None,
        tm_activeflow_delete=None,
    )
    return AttemptNow(campaigncall, born)
