"""One call as the phone sees it: its states and what is remembered of it."""

from enum import Enum, auto

from outdialer.carriers.simulator.behaviours import Behaviour
from outdialer.domain.units import Instant
from outdialer.phones.audio import Ear
from outdialer.phones.message import Message
from outdialer.phones.sdp import Offer
from outdialer.phones.timers import Timer

Address = tuple[str, int]
NEVER = float("inf")


class State(Enum):
    """Where a call is."""

    UNHEARD = auto()
    """Its INVITE was lost on the way by the behaviour of the phone."""
    RINGING = auto()
    """The INVITE was heard; no final response yet."""
    ANSWERED = auto()
    """200 is sent, and sent again until the ACK."""
    UP = auto()
    """The ACK came."""
    LEAVING = auto()
    """The phone's BYE is sent, and sent again until it is answered."""
    REFUSED = auto()
    """A final response of 300 and more is sent, and sent again until the ACK."""
    OVER = auto()
    """Nothing of it is left but the answers to retransmissions."""


class Step(Enum):
    """What moves a call on."""

    HEARD = auto()
    ANSWER = auto()
    REFUSE = auto()
    ACK = auto()
    HANG_UP = auto()
    END = auto()


NEXT: dict[tuple[State, Step], State] = {
    (State.UNHEARD, Step.HEARD): State.RINGING,
    (State.UNHEARD, Step.END): State.OVER,
    (State.RINGING, Step.ANSWER): State.ANSWERED,
    (State.RINGING, Step.REFUSE): State.REFUSED,
    (State.RINGING, Step.END): State.OVER,
    (State.ANSWERED, Step.ACK): State.UP,
    (State.ANSWERED, Step.HANG_UP): State.LEAVING,
    (State.ANSWERED, Step.END): State.OVER,
    (State.UP, Step.HANG_UP): State.LEAVING,
    (State.UP, Step.END): State.OVER,
    (State.LEAVING, Step.END): State.OVER,
    (State.REFUSED, Step.END): State.OVER,
}
"""The life of a call. A pair that is not here cannot happen."""


class PhoneCall:
    """What a phone remembers of one INVITE and the dialog it made."""

    __slots__ = (
        "acknowledged_at",
        "answered_at",
        "behaviour",
        "branch",
        "bye",
        "bye_branch",
        "bye_cseq",
        "bye_reply",
        "bye_to",
        "call_id",
        "cancelled",
        "contact_uri",
        "datagrams",
        "description",
        "ear",
        "ended_at",
        "ended_by",
        "event_type",
        "expires_due",
        "final_due",
        "head",
        "invite",
        "invite_at",
        "invite_cseq",
        "keys",
        "last_response",
        "local_header",
        "local_tag",
        "number",
        "offer",
        "pending_cseq",
        "phase",
        "problems",
        "remote_cseq",
        "remote_header",
        "remote_tag",
        "reply_to",
        "resend",
        "resend_interval_ms",
        "resend_until",
        "ring_due",
        "ringing_at",
        "routes",
        "source",
        "state",
        "status",
        "try_number",
    )

    def __init__(
        self, invite: Message, key: tuple[str, str], number: str, try_number: int, behaviour: Behaviour, local_tag: str
    ) -> None:
        self.invite: Message | None = invite
        self.keys = [key]
        self.call_id = invite.call_id
        self.branch = invite.branch
        self.number = number
        self.try_number = try_number
        self.behaviour = behaviour
        self.state = State.UNHEARD
        self.local_tag = local_tag
        self.local_header = f"{invite.to_header};tag={local_tag}"
        self.remote_header = invite.from_header
        self.remote_tag = invite.from_tag
        self.invite_cseq = self.remote_cseq = self.pending_cseq = invite.cseq
        self.source: Address = ("", 0)
        self.reply_to: Address = ("", 0)
        self.head = ""
        self.contact_uri = ""
        self.routes: list[str] = []
        self.offer: Offer | None = None
        self.description = ""
        self.event_type = -1
        self.ear: Ear | None = None
        self.last_response = b""
        self.status = 0
        self.cancelled = False
        self.bye = b""
        self.bye_branch = ""
        self.bye_to: Address = ("", 0)
        self.bye_cseq = 0
        self.bye_reply = b""
        self.resend: Timer | None = None
        self.resend_interval_ms = 0.0
        self.resend_until = NEVER
        self.phase: Timer | None = None
        self.ring_due = self.final_due = self.expires_due = NEVER
        self.invite_at: Instant = 0
        self.ringing_at: Instant = 0
        self.answered_at: Instant = 0
        self.acknowledged_at: Instant = 0
        self.ended_at: Instant = 0
        self.ended_by = ""
        self.problems: list[str] = []
        self.datagrams = 0

    def move(self, step: Step) -> None:
        """Take one step of the table.

        Raises:
            KeyError: the step cannot be taken from here; a fault of this program.
        """
        self.state = NEXT[self.state, step]

    def can(self, step: Step) -> bool:
        """Whether the table has this step from here."""
        return (self.state, step) in NEXT
