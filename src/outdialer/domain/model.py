"""The records that the rooms exchange: what a campaign is made of, as the books keep it.

Ids are public identifiers; the store's own integer keys appear only where the dialing path needs them
(``domain.plan``). Times are ``Instant``; None is "not yet" or "never".
"""

from typing import Any

from msgspec import Struct

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallStatus
from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.target import DoneReason, DueReason, TargetStatus
from outdialer.domain.units import NIL_ID, Id, Instant, Milliseconds, format_id

DEFAULT_DIAL_TIMEOUT_MS = 30_000
DEFAULT_TRY_INTERVAL_MS = 3_600_000
DEFAULT_MAX_TRIES = (3, 0, 0, 0, 0)
LOWEST_TRY_INTERVAL_MS = 60_000
"""Floor of the try interval on trunks that are not loopback."""


class Address(Struct, frozen=True, kw_only=True):
    """A party of a call as clients write it. ``target`` "" means that the address is not set."""

    type: str = ""
    """``tel`` or ``sip``; "" when not set."""
    target: str = ""
    target_name: str = ""
    name: str = ""
    detail: str = ""


class Action(Struct, frozen=True, kw_only=True):
    """One step of a call script, as a client sent it; ``flow.actions`` knows what the options mean."""

    id: Id = NIL_ID
    next_id: Id = NIL_ID
    """``NIL_ID``: the following entry of the list."""
    type: str
    option: dict[str, Any] = {}


class Outplan(Struct, frozen=True, kw_only=True):
    """How and when to dial."""

    id: Id
    name: str = ""
    detail: str = ""
    source: Address = Address()
    """Caller id."""
    dial_timeout_ms: Milliseconds = DEFAULT_DIAL_TIMEOUT_MS
    try_interval_ms: Milliseconds = DEFAULT_TRY_INTERVAL_MS
    """From the end of an attempt to the next one."""
    max_tries: tuple[int, int, int, int, int] = DEFAULT_MAX_TRIES
    """Tries per destination; 0 skips it."""
    redial_answered: bool = True
    """Whether a person who answered may be called again after a fail."""
    version: int = 1
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None


class Outdial(Struct, frozen=True, kw_only=True):
    """A list of targets."""

    id: Id
    campaign_id: Id = NIL_ID
    name: str = ""
    detail: str = ""
    data: str = ""
    version: int = 1
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None


class Campaign(Struct, frozen=True, kw_only=True):
    """Who is called, how, and what happens on answer."""

    id: Id
    type: str = "call"
    name: str = ""
    detail: str = ""
    status: CampaignStatus = CampaignStatus.STOP
    service_level: int = 0
    """Percent of the available agents that may be covered with ringing lines."""
    end_handle: EndHandle = EndHandle.STOP
    actions: tuple[Action, ...] = ()
    outplan_id: Id = NIL_ID
    outdial_id: Id = NIL_ID
    queue_id: Id = NIL_ID
    next_campaign_id: Id = NIL_ID
    dial_rate: float = 0
    """Calls a second of this campaign, above the trunk's limit never; 0: the trunk's alone."""
    dial_channels: int = 0
    """Calls of this campaign up at once; 0: the trunk's limit alone."""
    version: int = 1
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None


class NewTarget(Struct, frozen=True, kw_only=True):
    """A target about to be stored; its destinations are checked and normalised."""

    id: Id
    name: str = ""
    detail: str = ""
    data: str = ""
    destinations: tuple[Address, Address, Address, Address, Address]


class Target(Struct, frozen=True, kw_only=True):
    """One person of a list."""

    id: Id
    outdial_id: Id
    name: str = ""
    detail: str = ""
    data: str = ""
    status: TargetStatus = TargetStatus.IDLE
    destinations: tuple[Address, Address, Address, Address, Address]
    tries: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    due: Instant | None = None
    due_reason: DueReason = DueReason.NEW
    done_reason: DoneReason = DoneReason.NONE
    version: int = 1
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None


class CampaignCall(Struct, frozen=True, kw_only=True):
    """One attempt, as people see it: a try of one destination, with the facts of its call."""

    id: Id
    campaign_id: Id
    outplan_id: Id
    outdial_id: Id
    outdial_target_id: Id
    queue_id: Id = NIL_ID
    activeflow_id: Id = NIL_ID
    flow_id: Id = NIL_ID
    reference_type: str = "call"
    reference_id: Id = NIL_ID
    status: AttemptStatus
    result: Result = Result.NONE
    source: Address
    destination: Address
    destination_index: int
    try_count: int
    """The number of this try of this destination, from 1."""
    hangup_reason: HangupReason = HangupReason.NONE
    hangup_detail: str = ""
    sip_code: int = 0
    q850_cause: int = 0
    answered: bool = False
    charged: bool = True
    ring_ms: Milliseconds = 0
    talk_ms: Milliseconds = 0
    target_name: str = ""
    late_answer: bool = False
    """A 200 came after this attempt was given up; it was acknowledged and ended."""
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_ringing: Instant | None = None
    tm_progressing: Instant | None = None
    tm_hangup: Instant | None = None
    tm_delete: Instant | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One call with one far end, as people see it."""

    id: Id
    activeflow_id: Id = NIL_ID
    flow_id: Id = NIL_ID
    campaigncall_id: Id = NIL_ID
    source: Address
    destination: Address
    status: CallStatus
    hangup_by: str = ""
    """``local``, ``remote`` or "" while it lives."""
    hangup_reason: HangupReason = HangupReason.NONE
    hangup_detail: str = ""
    sip_code: int = 0
    q850_cause: int = 0
    answered: bool = False
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_ringing: Instant | None = None
    tm_progressing: Instant | None = None
    tm_hangup: Instant | None = None
    tm_delete: Instant | None = None
    tm_activeflow_end: Instant | None = None
    """When our side ended the run of the script before the call was over; None: it ends with the call."""
    tm_activeflow_delete: Instant | None = None


class Trunk(Struct, frozen=True, kw_only=True):
    """A SIP peer we send calls to, with its limits. The password stays in its file."""

    id: Id
    name: str = ""
    host: str
    port: int = 5060
    domain: str = ""
    username: str = ""
    password_file: str = ""
    realm: str = ""
    rate_per_s: float = 1.0
    channels: int = 10
    max_ring_ms: Milliseconds = 180_000
    prefix: str = ""
    """Goes before every number in the Request-URI."""
    postfix: str = ""
    headers: str = ""
    """Complete header lines of every INVITE."""
    provider: Id = NIL_ID
    """The carrier that this trunk was made from; nil: the trunk of the command line."""
    provider_channels: int = 0
    """Calls that the carrier takes at once from all customers together; 0: no limit."""
    pause_reason: str = ""
    """Why nothing is sent to it at the moment; "" when it is open."""
    paused_until: Instant = 0
    version: int = 1
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None


class AccessKey(Struct, frozen=True, kw_only=True):
    """A credential of a program. Only the SHA-256 of the token is kept."""

    id: Id
    customer: int
    name: str = ""
    detail: str = ""
    permission: int = 0
    """Bits of ``domain.permissions``."""
    allowed_ips: tuple[str, ...] = ()
    """Networks in CIDR form from which it opens anything; none: from everywhere."""
    token_prefix: str
    token_hash: bytes
    old_token_hash: bytes | None = None
    """Of the token that the last rotation replaced; it works until ``tm_old_expire``."""
    tm_old_expire: Instant | None = None
    tm_expire: Instant | None = None
    tm_last_use: Instant | None = None
    """To the minute."""
    tm_create: Instant = 0
    tm_update: Instant | None = None
    tm_delete: Instant | None = None

    @property
    def version(self) -> Instant:
        """Another one after every change: when it was changed last."""
        return self.tm_create if self.tm_update is None else self.tm_update

    def __repr__(self) -> str:
        """Which key it is, and nothing that a log should not hold."""
        return f"AccessKey({format_id(self.id)})"
