"""What an ended call means: its hangup reason, and whether the attempt was a success.

Only ``normal`` is a success, and an unanswered call is never ``normal``, whatever its cause code says. The reasons
are the REST contract's closed list; ``hangup_detail`` beside it says what exactly happened.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class HangupReason(StrEnum):
    """Why a call ended, as clients see it."""

    NONE = ""
    NORMAL = "normal"
    FAILED = "failed"
    BUSY = "busy"
    CANCEL = "cancel"
    TIMEOUT = "timeout"
    NOANSWER = "noanswer"
    DIALOUT = "dialout"
    AMD = "amd"


class Result(StrEnum):
    """What became of an attempt."""

    NONE = ""
    SUCCESS = "success"
    FAIL = "fail"


class Outcome(Struct, frozen=True, kw_only=True):
    """The verdict on one ended attempt."""

    reason: HangupReason
    result: Result
    detail: str
    answered: bool
    charged: bool = True
    """False only when the sender itself knows that nothing was sent: the try is given back."""
    dialable: bool = True
    """False when nothing can ever be sent to this destination."""


RING_LIMIT = "ring-limit"
NO_RESPONSE = "no-response"
CALL_LIMIT = "call-limit"
ANSWERING_MACHINE = "answering-machine"
FLOW_FAILED = "flow-failed"
MEDIA_LOST = "media-lost"
NO_MEDIA = "no-media"
NO_ACK = "no-ack"
REFUSED_ADDRESS = "refused-address"
BAD_DESTINATION = "bad-destination"
UNKNOWN = "unknown after a restart"

_LOCAL_UNANSWERED: dict[str, HangupReason] = {
    RING_LIMIT: HangupReason.NOANSWER,
    NO_RESPONSE: HangupReason.DIALOUT,
    NO_MEDIA: HangupReason.FAILED,
    NO_ACK: HangupReason.FAILED,
    REFUSED_ADDRESS: HangupReason.FAILED,
}
"""Any other hang-up of ours before the answer (operator, drain) is ``cancel``."""

_LOCAL_ANSWERED: dict[str, HangupReason] = {
    CALL_LIMIT: HangupReason.TIMEOUT,
    ANSWERING_MACHINE: HangupReason.AMD,
    FLOW_FAILED: HangupReason.FAILED,
    MEDIA_LOST: HangupReason.FAILED,
    NO_MEDIA: HangupReason.FAILED,
    NO_ACK: HangupReason.FAILED,
    REFUSED_ADDRESS: HangupReason.FAILED,
}
"""Any other end of an answered call is ``normal``."""

_BY_SIP_CODE: dict[int, HangupReason] = {
    401: HangupReason.NOANSWER,
    403: HangupReason.NOANSWER,
    407: HangupReason.NOANSWER,
    603: HangupReason.NOANSWER,
    480: HangupReason.NOANSWER,
    483: HangupReason.NOANSWER,
    486: HangupReason.BUSY,
    600: HangupReason.BUSY,
}
"""Final SIP answers of an unanswered call; every other one is ``failed``."""

_BY_Q850_CAUSE: dict[int, HangupReason] = {
    17: HangupReason.BUSY,
    19: HangupReason.NOANSWER,
    21: HangupReason.NOANSWER,
}
"""ITU-T Q.850 causes, which override the SIP code; every other one but 0 (absent) is ``failed``."""


def judge(reason: HangupReason, detail: str, *, answered: bool, charged: bool = True) -> Outcome:
    """The outcome that a hangup reason, known or not, comes to: ``normal`` is success, everything else is fail."""
    result = Result.SUCCESS if reason == HangupReason.NORMAL else Result.FAIL
    return Outcome(reason=reason, result=result, detail=detail, answered=answered, charged=charged)


def of_ended(*, answered: bool, local: bool, why: str, sip_code: int, q850_cause: int) -> Outcome:
    """The outcome of a call that the carrier reported as ended.

    Args:
        answered: a person had answered.
        local: our side ended it.
        why: the carrier's or the engine's word for what happened.
        sip_code: the final response to the INVITE, 0 when none came.
        q850_cause: ITU-T Q.850 cause from a Reason header (RFC 3326), 0 when there was none.
    """
    if answered:
        reason = _LOCAL_ANSWERED.get(why, HangupReason.NORMAL) if local else HangupReason.NORMAL
        return judge(reason, why, answered=True)
    if local:
        return judge(_LOCAL_UNANSWERED.get(why, HangupReason.CANCEL), why, answered=False)
    return _of_refusal(why, sip_code, q850_cause)


def _of_refusal(why: str, sip_code: int, q850_cause: int) -> Outcome:
    if q850_cause:
        reason = _BY_Q850_CAUSE.get(q850_cause, HangupReason.FAILED)
        return judge(reason, f"{why} (SIP {sip_code}, cause {q850_cause})".strip(), answered=False)
    if not sip_code:
        return judge(HangupReason.DIALOUT, why, answered=False)
    return judge(_BY_SIP_CODE.get(sip_code, HangupReason.FAILED), f"{why} (SIP {sip_code})".strip(), answered=False)


def of_not_sent(why: str) -> Outcome:
    """The outcome of an attempt whose INVITE never left: fail, but not charged."""
    outcome = judge(HangupReason.FAILED, f"not sent: {why}", answered=False, charged=False)
    return replace(outcome, dialable=why != BAD_DESTINATION)


def of_unknown(*, answered: bool) -> Outcome:
    """The outcome of an attempt of an earlier life that nobody can tell about: fail, and charged."""
    return judge(HangupReason.FAILED, UNKNOWN, answered=answered)
