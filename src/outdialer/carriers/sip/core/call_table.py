"""The life of one call as a table: (state, what came in) -> (state, what is done).

An answer whose dialog is on nobody's books is ended first and acknowledged then: whoever dies in between leaves a far
end that has hung up, and not one that was acknowledged and will not speak of itself again.

Anything not in the table changes nothing. ``call`` carries the actions out.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a call is."""

    CALLING = "calling"
    """INVITE sent, nothing heard."""
    EARLY = "early"
    """The far end has it: a provisional response came."""
    HELD = "held"
    """To be cancelled, but no provisional came yet: the CANCEL waits for one (RFC 3261 section 9.1)."""
    CANCELLING = "cancelling"
    """CANCEL sent."""
    ANSWERED = "answered"
    """A 2xx came; its ACK waits until the answer is on the books, for 64*T1 at most."""
    UP = "up"
    """Answered and acknowledged."""
    ENDING = "ending"
    """BYE sent."""
    RECALLING = "recalling"
    """A leg of an earlier life: CANCEL sent, any answer is late."""
    LATE = "late"
    """A leg of an earlier life was answered: it is ended when that is on the books."""
    CLEARING = "clearing"
    """A leg of an earlier life, or one answered too late: BYE sent."""
    OVER = "over"


class Input(StrEnum):
    """What can happen to a call."""

    PROVISIONAL = "a provisional response"
    RINGING = "180 or 183"
    ANSWER = "a 2xx to the INVITE"
    ACCEPT = "the order to acknowledge it"
    REFUSAL = "a final 3xx-6xx to the INVITE"
    CHALLENGE = "a 401 or 407 that may be answered"
    SILENCE = "timer B"
    GIVE_UP = "ring limit or an order to hang up"
    PATIENCE = "64*T1 after the CANCEL"
    CANCEL_UNKNOWN = "481 to every CANCEL, and no answer for T1 + T2 after it"
    FAR_BYE = "a BYE came"
    BYE_DONE = "200 or 481 to our BYE: nothing is up any more"
    BYE_REFUSED = "another final response to our BYE"
    BYE_SILENCE = "timer F of our BYE"
    UNREACHABLE = "the next hop is an address that must not be sent to"


class Do(StrEnum):
    """What a row does, in order."""

    SAY_TRYING = "event Trying, once"
    SAY_RINGING = "event Ringing, once"
    RETRY = "INVITE again, with credentials"
    SILENCE_INVITE = "stop resending the INVITE"
    CANCEL = "send CANCEL"
    KEEP_DIALOG = "learn the dialog from the answer"
    SAY_ANSWERED = "event Answered, or hang up when there is no common audio"
    ACK = "send ACK"
    BYE = "send BYE"
    SAY_LATE = "event LateAnswer, and go on at once when nobody asked about the call"
    NOTE_REFUSED = "keep code, cause and Retry-After"
    NOTE_SILENCE = "no answer at all"
    NOTE_FAR_BYE = "the far end hung up"
    NOTE_UNREACHABLE = "its address is refused"
    END = "event Ended, and forget"
    FORGET = "forget without an event"


TABLE: dict[tuple[State, Input], tuple[State, tuple[Do, ...]]] = {
    (State.CALLING, Input.PROVISIONAL): (State.EARLY, (Do.SAY_TRYING,)),
    (State.CALLING, Input.RINGING): (State.EARLY, (Do.SAY_TRYING, Do.SAY_RINGING)),
    (State.CALLING, Input.ANSWER): (State.ANSWERED, (Do.KEEP_DIALOG, Do.SAY_ANSWERED)),
    (State.CALLING, Input.CHALLENGE): (State.CALLING, (Do.RETRY,)),
    (State.CALLING, Input.REFUSAL): (State.OVER, (Do.NOTE_REFUSED, Do.END)),
    (State.CALLING, Input.SILENCE): (State.OVER, (Do.NOTE_SILENCE, Do.END)),
    (State.CALLING, Input.GIVE_UP): (State.HELD, (Do.SILENCE_INVITE,)),
    (State.CALLING, Input.FAR_BYE): (State.HELD, (Do.NOTE_FAR_BYE, Do.SILENCE_INVITE)),
    (State.CALLING, Input.UNREACHABLE): (State.OVER, (Do.NOTE_UNREACHABLE, Do.END)),
    (State.EARLY, Input.RINGING): (State.EARLY, (Do.SAY_RINGING,)),
    (State.EARLY, Input.ANSWER): (State.ANSWERED, (Do.KEEP_DIALOG, Do.SAY_ANSWERED)),
    (State.EARLY, Input.CHALLENGE): (State.CALLING, (Do.RETRY,)),
    (State.EARLY, Input.REFUSAL): (State.OVER, (Do.NOTE_REFUSED, Do.END)),
    (State.EARLY, Input.GIVE_UP): (State.CANCELLING, (Do.CANCEL,)),
    (State.EARLY, Input.FAR_BYE): (State.CANCELLING, (Do.NOTE_FAR_BYE, Do.CANCEL)),
    (State.EARLY, Input.UNREACHABLE): (State.OVER, (Do.NOTE_UNREACHABLE, Do.END)),
    (State.HELD, Input.PROVISIONAL): (State.CANCELLING, (Do.SAY_TRYING, Do.CANCEL)),
    (State.HELD, Input.RINGING): (State.CANCELLING, (Do.SAY_TRYING, Do.SAY_RINGING, Do.CANCEL)),
    (State.HELD, Input.ANSWER): (State.ENDING, (Do.KEEP_DIALOG, Do.BYE, Do.ACK)),
    (State.HELD, Input.REFUSAL): (State.OVER, (Do.NOTE_REFUSED, Do.END)),
    (State.HELD, Input.SILENCE): (State.OVER, (Do.NOTE_SILENCE, Do.END)),
    (State.HELD, Input.UNREACHABLE): (State.OVER, (Do.NOTE_UNREACHABLE, Do.END)),
    (State.CANCELLING, Input.RINGING): (State.CANCELLING, (Do.SAY_RINGING,)),
    (State.CANCELLING, Input.ANSWER): (State.ENDING, (Do.KEEP_DIALOG, Do.BYE, Do.ACK)),
    (State.CANCELLING, Input.REFUSAL): (State.OVER, (Do.NOTE_REFUSED, Do.END)),
    (State.CANCELLING, Input.PATIENCE): (State.OVER, (Do.END,)),
    (State.CANCELLING, Input.UNREACHABLE): (State.OVER, (Do.NOTE_UNREACHABLE, Do.END)),
    (State.ANSWERED, Input.ACCEPT): (State.UP, (Do.ACK,)),
    (State.ANSWERED, Input.GIVE_UP): (State.ENDING, (Do.BYE, Do.ACK)),
    (State.ANSWERED, Input.FAR_BYE): (State.OVER, (Do.NOTE_FAR_BYE, Do.END)),
    (State.UP, Input.GIVE_UP): (State.ENDING, (Do.BYE,)),
    (State.UP, Input.FAR_BYE): (State.OVER, (Do.NOTE_FAR_BYE, Do.END)),
    (State.UP, Input.UNREACHABLE): (State.OVER, (Do.NOTE_UNREACHABLE, Do.END)),
    (State.ENDING, Input.FAR_BYE): (State.OVER, (Do.END,)),
    (State.ENDING, Input.BYE_DONE): (State.OVER, (Do.END,)),
    (State.ENDING, Input.BYE_REFUSED): (State.OVER, (Do.END,)),
    (State.ENDING, Input.BYE_SILENCE): (State.OVER, (Do.END,)),
    (State.ENDING, Input.UNREACHABLE): (State.OVER, (Do.NOTE_UNREACHABLE, Do.END)),
    (State.RECALLING, Input.ANSWER): (State.LATE, (Do.KEEP_DIALOG, Do.SAY_LATE)),
    (State.RECALLING, Input.REFUSAL): (State.OVER, (Do.NOTE_REFUSED, Do.END)),
    (State.RECALLING, Input.CANCEL_UNKNOWN): (State.OVER, (Do.END,)),
    (State.RECALLING, Input.PATIENCE): (State.OVER, (Do.FORGET,)),
    (State.RECALLING, Input.UNREACHABLE): (State.OVER, (Do.FORGET,)),
    (State.LATE, Input.ACCEPT): (State.CLEARING, (Do.BYE, Do.ACK)),
    (State.LATE, Input.PATIENCE): (State.CLEARING, (Do.BYE, Do.ACK)),
    (State.LATE, Input.FAR_BYE): (State.OVER, (Do.END,)),
    (State.LATE, Input.UNREACHABLE): (State.OVER, (Do.FORGET,)),
    (State.CLEARING, Input.FAR_BYE): (State.OVER, (Do.END,)),
    (State.CLEARING, Input.BYE_DONE): (State.OVER, (Do.END,)),
    (State.CLEARING, Input.BYE_REFUSED): (State.OVER, (Do.FORGET,)),
    (State.CLEARING, Input.BYE_SILENCE): (State.OVER, (Do.FORGET,)),
    (State.CLEARING, Input.UNREACHABLE): (State.OVER, (Do.FORGET,)),
}
