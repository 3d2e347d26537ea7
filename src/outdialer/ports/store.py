"""The books: what the engine and the REST side need from a store.

Implemented by ``outdialer.store.sqlite.store.SqliteStore``, which implements all of the protocols below; each
consumer asks for the narrow one. Every method takes the customer first, and ``now`` where it writes a time; a
method that returns has its effect durably on disk. Writers may wait for each other and share one commit.

What a store raises: ``StoreUnavailable`` when the disk is full, read-only or broken; nothing else that a caller
should handle, except what a method's docstring names.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from outdialer.domain.attempt import AttemptEvent, AttemptStatus
from outdialer.domain.breaker import Breaker
from outdialer.domain.call import CallEvent
from outdialer.domain.campaign import CampaignEvent
from outdialer.domain.directory import Standing
from outdialer.domain.model import (
    AccessKey,
    Action,
    Call,
    Campaign,
    CampaignCall,
    NewTarget,
    Outdial,
    Outplan,
    Target,
    Trunk,
)
from outdialer.domain.outcome import Outcome
from outdialer.domain.plan import Closure, Line, Plan
from outdialer.domain.retry import TargetVerdict
from outdialer.domain.snapshot import OutplanTerms, Snapshot
from outdialer.domain.units import Id, Instant, Milliseconds


class StoreUnavailable(Exception):
    """The store cannot write at the moment: the disk is full, read-only or failing. Nothing was changed."""


class StoreInUse(Exception):
    """Another engine holds the store's lock; the message names the file and the other process."""


class StoreTooNew(Exception):
    """The store was written by a newer version of the program; the message names both versions."""


class Conflict(Exception):
    """The object was changed by somebody else since it was read, or its state forbids the change."""


class Claim(Struct, frozen=True):
    """A planned line with the identifiers drawn for it."""

    line: Line
    attempt_id: Id
    call_id: Id
    activeflow_id: Id


class Intent(Struct, frozen=True, kw_only=True):
    """A claim that is durably on the books: from now on, and not before, its INVITE may be sent."""

    claim: Claim
    attempt: int
    """Store key, as are ``call`` and ``leg``."""
    call: int
    leg: int
    leg_number: int = 1


class LostClaim(Struct, frozen=True):
    """A line that did not make it, and why: ``changed`` (target or campaign) or ``number_live``."""

    line: Line
    why: str


class ClaimResult(Struct, frozen=True):
    """What became of a batch of claims. Every line is in exactly one of the two."""

    intents: tuple[Intent, ...]
    lost: tuple[LostClaim, ...]


class AttemptKeys(Struct, frozen=True, kw_only=True):
    """The store keys that belong together in one live attempt."""

    attempt: int
    call: int
    leg: int
    campaign: int
    outdial: int
    target: int
    trunk: int
    index: int


class AttemptEnd(Struct, frozen=True, kw_only=True):
    """The last change of an attempt."""

    outcome: Outcome
    verdict: TargetVerdict
    local: bool
    sip_code: int = 0
    q850_cause: int = 0
    ring_ms: Milliseconds = 0
    talk_ms: Milliseconds = 0


class AttemptChange(Struct, frozen=True, kw_only=True):
    """One thing that happened to a live attempt.

    The store applies ``attempt_event`` and ``call_event`` through the state tables of the domain, writes the state,
    its event and its outbox row together, and leaves alone an attempt that is already done.
    """

    keys: AttemptKeys
    at: Instant
    attempt_event: AttemptEvent | None = None
    call_event: CallEvent | None = None
    dialog: bytes = b""
    """With ``ANSWERED``: what ends this dialog after a restart."""
    answered_until: Instant | None = None
    """With ``ANSWERED``: when nothing of this call can be up any more, whatever happens to us."""
    end: AttemptEnd | None = None
    """With ``ENDED``, ``NOT_SENT`` and ``UNRESOLVED``."""


class Unresolved(Struct, frozen=True, kw_only=True):
    """An attempt of an earlier life of the engine that is not done."""

    keys: AttemptKeys
    attempt_id: Id
    leg_number: int
    status: AttemptStatus
    destination: str
    source: str
    source_name: str
    outplan: OutplanTerms
    destinations: tuple[str, str, str, str, str]
    tries: tuple[int, int, int, int, int]
    send_not_after: Instant
    tm_ringing: Instant | None
    tm_progressing: Instant | None
    dialog: bytes
    answered_until: Instant | None


class TrunkRow(Struct, frozen=True):
    """A trunk with its store key."""

    key: int
    trunk: Trunk


class CallScript(Struct, frozen=True, kw_only=True):
    """What a version of a campaign does on answer."""

    campaign_id: Id
    campaign_name: str
    actions: tuple[Action, ...]


class TargetFacts(Struct, frozen=True, kw_only=True):
    """What a call script may say about a target."""

    id: Id
    name: str
    detail: str
    data: str
    outdial_id: Id
    outdial_name: str
    outdial_data: str


class DialerStore(Protocol):
    """What the dialing engine needs."""

    def on_change(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` on the event loop after every committed change that the planner should look at."""

    async def customers(self) -> list[int]:
        """The keys of all customers."""

    async def install_secret(self) -> bytes:
        """The 32 random bytes that this installation's SIP identifiers are derived from."""

    async def recall(self, name: str) -> str | None:
        """What an earlier life wrote down under this name, or None."""

    async def write_down(self, name: str, value: str) -> None:
        """Keep a short text for the next life of the program."""

    async def begin_epoch(self, worker: str, now: Instant) -> int:
        """Fence off every earlier life: take a new epoch, recount the limits from the live attempts.

        From now on this object's writes carry the new epoch, and writes of an older one change nothing.
        """

    async def snapshot(self, customer: int, now: Instant, *, accepting: bool, media_free: int) -> Snapshot:
        """A bounded picture for ``domain.plan.plan``: due targets in order of due time, limits, trunks."""

    async def claim(self, customer: int, claims: Sequence[Claim], plan: Plan, now: Instant) -> ClaimResult:
        """Put a batch of intents on the books in one durable transaction, and the decision behind them.

        Each line: compare-and-set of its target from idle, its try counted, its attempt, call and leg written with
        the intent, one outbox row. A line that loses comes back with its reason and the rest goes on; a target
        whose number is live elsewhere is looked at again five seconds later.
        """

    async def claimed(self, customer: int, claims: Sequence[Claim]) -> tuple[Intent, ...]:
        """Those of these claims of this life that are on the books and not over.

        Asked after a claim that raised ``StoreUnavailable``: its commit may have worked, and only the
        acknowledgement be lost.
        """

    def note_gates(self, customer: int, gates: dict[int, str]) -> None:
        """Remember, in memory only, what keeps campaigns (by key) from dialing more; "" forgets."""

    async def reslot(self, customer: int, attempts: Sequence[int], now: Instant) -> dict[int, Instant]:
        """Reserve a new send slot for live attempts that missed theirs; the new slots by attempt key.

        Each gets the next slot that its trunk and its campaign have free, in the order given, and the limits move
        on, all in one durable transaction. An attempt that is done, whose campaign does not run any more, or whose
        target or list was deleted, is left out.
        """

    async def revoked(self, customer: int, attempts: Sequence[int]) -> list[int]:
        """Those of these attempts whose target or list was deleted."""

    async def close_targets(self, customer: int, closures: Sequence[Closure], now: Instant) -> int:
        """Finish due targets that have nothing left to dial; how many changed."""

    async def record(self, customer: int, changes: Sequence[AttemptChange]) -> list[int]:
        """Write what happened to live attempts, all in one durable transaction; the attempts changed are returned.

        An ended attempt frees its channels in the limits and gives its target the verdict (``REMOVED`` where the
        target was deleted meanwhile), in the same transaction.
        """

    async def apply_campaign_events(
        self, customer: int, events: Sequence[tuple[int, CampaignEvent]], now: Instant
    ) -> list[int]:
        """Let campaigns drain or finish, if that still holds; a finished one starts its next campaign."""

    async def note_late_answer(self, customer: int, attempt_id: Id, at: Instant) -> bool:
        """Remember on an attempt that a 200 came too late; whether the attempt exists."""

    async def unresolved(self, customer: int) -> list[Unresolved]:
        """The attempts of earlier epochs that are not done."""

    async def trunks(self, customer: int) -> list[TrunkRow]:
        """The customer's trunks, deleted ones too: calls may be up on them."""

    async def set_trunk_pause(self, customer: int, trunk: int, breaker: Breaker, now: Instant) -> None:
        """Write down why and until when nothing is sent to a trunk ("" and 0: it is open)."""

    async def call_script(self, customer: int, campaign_version: int) -> CallScript:
        """The actions of an immutable campaign version."""

    async def target_facts(self, customer: int, targets: Sequence[int]) -> dict[int, TargetFacts]:
        """What scripts may say about these targets, by key."""


class Page(Struct, frozen=True):
    """A request for rows, newest first: those strictly after the cursor.

    ``before`` bounds ``tm_create`` from above (exclusive); with ``before_id`` rows of that very instant and a lower
    id follow too, so that no row is lost or shown twice.
    """

    size: int = 100
    before: Instant | None = None
    before_id: Id | None = None
    deleted: bool = False
    """Deleted rows too, among the living ones; lists that keep no order of theirs show living rows alone."""


class CampaignStats(Struct, frozen=True, kw_only=True):
    """Counts of one campaign, read from counter rows."""

    targets_idle: int = 0
    targets_progressing: int = 0
    targets_done: dict[str, int] = {}
    """By ``DoneReason``."""
    attempts: int = 0
    dialing: int = 0
    """Attempts not answered and not over, ringing ones included."""
    ringing: int = 0
    talking: int = 0
    succeeded: int = 0
    failed: dict[str, int] = {}
    """Failed attempts by hangup reason; attempts that were not sent are under ``not_sent``."""
    answered: int = 0
    retries_waiting: int = 0
    """Idle targets that were tried before."""
    next_due: Instant | None = None
    """When the first idle target is due."""
    waiting_for: str = ""
    """The gate that keeps the campaign from dialing more, with its value; "" when none does."""


class AdminStore(Protocol):
    """What people and programs change and read. ``id`` arguments of another customer answer like unknown ones.

    ``create_*`` and ``put_access_key`` change nothing where the customer has an object with that id already: they
    return the one that is there, so that a request may run again after a crash.

    ``save_*`` replaces an object if its stored version is still ``version`` of the given one, and returns it with
    the next version and ``tm_update``. ``delete_*`` marks, and returns the marked object; None: no such object.
    Where ``seen`` names a version, deleting or running an object that has another one by now raises ``Conflict``.
    """

    async def create_outplan(self, customer: int, outplan: Outplan) -> Outplan:
        """Store a new outplan and its first immutable version."""

    async def outplan(self, customer: int, outplan_id: Id) -> Outplan | None:
        """One outplan, deleted or not."""

    async def outplans(self, customer: int, page: Page) -> list[Outplan]:
        """Outplans, newest first; deleted ones where the page asks for them."""

    async def save_outplan(self, customer: int, outplan: Outplan, now: Instant) -> Outplan:
        """Replace an outplan; dialing follows at once.

        Raises:
            Conflict: the stored version is another one.
        """

    async def delete_outplan(
        self, customer: int, outplan_id: Id, now: Instant, seen: int | None = None
    ) -> Outplan | None:
        """Mark an outplan as deleted; campaigns that use it go on with it."""

    async def create_outdial(self, customer: int, outdial: Outdial) -> Outdial:
        """Store a new outdial."""

    async def outdial(self, customer: int, outdial_id: Id) -> Outdial | None:
        """One outdial, deleted or not."""

    async def outdials(self, customer: int, page: Page) -> list[Outdial]:
        """Outdials, newest first; deleted ones where the page asks for them."""

    async def save_outdial(self, customer: int, outdial: Outdial, now: Instant) -> Outdial:
        """Replace an outdial.

        Raises:
            Conflict: the stored version is another one.
        """

    async def delete_outdial(
        self, customer: int, outdial_id: Id, now: Instant, seen: int | None = None
    ) -> Outdial | None:
        """Mark an outdial as deleted: none of its targets is dialled any more."""

    async def create_targets(
        self, customer: int, outdial_id: Id, targets: Sequence[NewTarget], now: Instant
    ) -> list[Target] | None:
        """Store targets, due at once, all in one transaction; None: no such outdial or a deleted one."""

    async def target(self, customer: int, outdial_id: Id, target_id: Id) -> Target | None:
        """One target of the outdial, deleted or not."""

    async def targets(self, customer: int, outdial_id: Id, page: Page) -> list[Target]:
        """The outdial's targets, newest first; deleted ones where the page asks for them."""

    async def delete_target(self, customer: int, outdial_id: Id, target_id: Id, now: Instant) -> Target | None:
        """Mark a target as deleted: it is not dialled from this moment on."""

    async def create_campaign(self, customer: int, campaign: Campaign) -> Campaign:
        """Store a new campaign and its first immutable version, and bind its outdial to it."""

    async def campaign(self, customer: int, campaign_id: Id) -> Campaign | None:
        """One campaign, deleted or not."""

    async def campaigns(self, customer: int, page: Page) -> list[Campaign]:
        """Campaigns, newest first; deleted ones where the page asks for them."""

    async def save_campaign(self, customer: int, campaign: Campaign, now: Instant) -> Campaign:
        """Replace what people edit of a campaign (never its status), make an immutable version, move the binding
        of its outdial.

        Raises:
            Conflict: the stored version is another one.
        """

    async def delete_campaign(
        self, customer: int, campaign_id: Id, now: Instant, seen: int | None = None
    ) -> Campaign | None:
        """Mark a stopped campaign as deleted and free its outdial.

        Raises:
            Conflict: it is not stopped.
        """

    async def order_run(self, customer: int, campaign_id: Id, now: Instant, seen: int | None = None) -> Campaign | None:
        """Start a campaign; one that runs stays as it is. None: no such campaign or a deleted one."""

    async def order_stop(self, customer: int, campaign_id: Id, now: Instant) -> Campaign | None:
        """Stop a campaign: ``stopping`` while calls are up, else ``stop``."""

    async def campaign_stats(self, customer: int, campaign_id: Id) -> CampaignStats | None:
        """The campaign's counts."""

    async def campaigncall(self, customer: int, campaigncall_id: Id) -> CampaignCall | None:
        """One attempt, deleted or not."""

    async def campaigncalls(
        self, customer: int, page: Page, campaign_id: Id | None = None, target_id: Id | None = None
    ) -> list[CampaignCall]:
        """Attempts that are not deleted, of one campaign or of all, of one target or of all."""

    async def delete_campaigncall(self, customer: int, campaigncall_id: Id, now: Instant) -> CampaignCall | None:
        """Mark an attempt as deleted: it is hidden from lists, and still counts.

        Raises:
            Conflict: it is not done.
        """

    async def call(self, customer: int, call_id: Id) -> Call | None:
        """One call, deleted or not."""

    async def calls(self, customer: int, page: Page) -> list[Call]:
        """Calls that are not deleted."""

    async def call_of_activeflow(self, customer: int, activeflow_id: Id) -> Call | None:
        """The call whose script this activeflow is a run of, the activeflow deleted or not."""

    async def delete_activeflow(self, customer: int, activeflow_id: Id, now: Instant) -> Call | None:
        """Mark an activeflow as deleted; its call stays. None: no such activeflow."""

    async def leg_of_call(self, customer: int, call_id: Id) -> int | None:
        """The store key of the call's live leg, or None when it is over or unknown."""

    async def put_trunk(self, customer: int, trunk: Trunk, now: Instant) -> Trunk:
        """Create a trunk, or replace the one with its id. A customer's first trunk carries its campaigns."""

    async def put_access_key(self, key: AccessKey) -> None:
        """Store a new access key."""

    async def access_key(self, token_hash: bytes) -> tuple[AccessKey, Standing] | None:
        """The access key with this SHA-256 of its token or of the one before it, deleted or not.

        With it how its customer stands, read in the same moment.
        """

    async def access_keys(self, customer: int) -> list[AccessKey]:
        """The customer's access keys that are not deleted."""


class ExportStore(Protocol):
    """Reading everything in the order it was written, in steps, beside a running engine."""

    async def campaigncalls_in_order(
        self, customer: int, campaign_id: Id | None, after: int, limit: int
    ) -> list[tuple[int, CampaignCall]]:
        """Attempts with store keys above ``after``, ascending, with their keys."""

    async def targets_in_order(self, customer: int, outdial_id: Id, after: int, limit: int) -> list[tuple[int, Target]]:
        """Targets with store keys above ``after``, ascending, deleted ones included, with their keys."""
