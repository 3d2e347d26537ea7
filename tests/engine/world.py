"""A whole engine over one of the two phone networks, and what tests ask of it.

``World`` joins a store file, an engine and either the simulated carrier or real SIP with the phone network in this
process. Nothing here sleeps: ``until`` looks again whenever the books, the wire or the carrier changed.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import httpx
from msgspec import Struct

from outdialer.api.app import create_app
from outdialer.api.auth import new_access_key
from outdialer.api.events.feed import Feed
from outdialer.api.events.render import Renderer
from outdialer.api.services import ApiServices
from outdialer.carriers.simulator.behaviours import Mix, parse_rule
from outdialer.carriers.simulator.carrier import SimulatorCarrier, WireInvite
from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.cli.ledger import compare
from outdialer.client import AsyncClient, Retries
from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.identity import leg_identity
from outdialer.domain.limits import interval
from outdialer.domain.model import Action, Address, Campaign, CampaignCall, NewTarget, Outdial, Outplan, Target, Trunk
from outdialer.domain.target import TargetStatus
from outdialer.domain.units import MICROSECONDS_PER_MS, MICROSECONDS_PER_SECOND, NIL_ID, Id, Instant
from outdialer.engine.engine import Engine
from outdialer.engine.system import SystemIds, random_bytes
from outdialer.phones.ledger import CallLine, Line, MessageLine
from outdialer.phones.network import PhoneNetwork
from outdialer.ports.carrier import CarrierEvent, DialOrder, Ended, EventSink
from outdialer.ports.media import Media
from outdialer.ports.store import CampaignStats, StoreUnavailable
from outdialer.store.sqlite.check import check
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import Metrics

CUSTOMER = 1
PATIENCE_S = 20.0
SILENCE_MS = 700
"""Timer B of the simulated carrier; real SIP's is 32 s, and ``let_silence_pass`` moves its core's time on."""
CALLER = "+12025550100"

ANSWERS = "answer:ring_after_ms=10,final_after_ms=40"
HANGS_UP = "hangup:ring_after_ms=10,final_after_ms=40,hang_up_after_ms=50"
BUSY = "busy:final_after_ms=20"
RINGS = "no-answer:ring_after_ms=10"

CALLED_OFF = ("not sent: stopped", "not sent: deadline")
"""What became of a call that was called off before its slot; the second where the machine was late for the slot."""

Network: TypeAlias = Literal["simulator", "sip"]
Tries: TypeAlias = tuple[int, int, int, int, int]


def number(n: int) -> str:
    """The n-th fictional number."""
    return f"+1{202 + n // 100}55501{n % 100:02d}"


def numbers(amount: int, start: int = 0) -> list[str]:
    return [number(n) for n in range(start, start + amount)]


class JumpClock:
    """The machine's clock, moved on by tests that cannot wait, and stopped by tests that must not be too late."""

    def __init__(self) -> None:
        self.ahead: Instant = 0
        self._stands_at: Instant | None = None

    def now(self) -> Instant:
        return self._machine() if self._stands_at is None else self._stands_at

    def jump(self, seconds: float) -> None:
        step = int(seconds * MICROSECONDS_PER_SECOND)
        self.ahead += step
        if self._stands_at is not None:
            self._stands_at += step

    def stand(self) -> None:
        """Let no slot come and nobody be due, however long the machine takes for what follows."""
        self._stands_at = self._machine()

    def go_on(self) -> None:
        """Go at the machine's pace again, from the time at which it stood."""
        if self._stands_at is not None:
            self.ahead -= self._machine() - self._stands_at
            self._stands_at = None

    def _machine(self) -> Instant:
        return time.time_ns() // 1_000 + self.ahead


def attempt_of(call_id: str) -> str:
    """The id of the attempt, in hexadecimal, that a Call-ID begins with."""
    return call_id.partition("-")[0]


class Invite(Struct, frozen=True, kw_only=True):
    """An INVITE at the far end."""

    at: Instant
    number: str
    call_id: str
    branch: str
    caller: str

    @property
    def attempt(self) -> str:
        """The attempt's id, which its Call-ID begins with, in hexadecimal."""
        return attempt_of(self.call_id)


class Lists(Struct, frozen=True, kw_only=True):
    """A campaign with what it refers to."""

    campaign: Id
    outplan: Id
    outdial: Id
    targets: tuple[Id, ...]


WRITES = frozenset(
    {
        "claim",
        "reslot",
        "close_targets",
        "record",
        "apply_campaign_events",
        "note_late_answer",
        "set_trunk_pause",
    }
)


class WatchedStore:
    """The store as the engine sees it: tells of every write, and can be made to fail or to hold one back."""

    def __init__(self, inner: SqliteStore, changed: Callable[[], None]) -> None:
        self.inner = inner
        self.failure = ""
        self.refused = 0
        self.held: dict[str, asyncio.Event] = {}
        self.holding: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._changed = changed

    def on_change(self, notify: Callable[[], None]) -> None:
        def both() -> None:
            notify()
            self._changed()

        self.inner.on_change(both)

    def note_gates(self, customer: int, gates: dict[int, str]) -> None:
        self.inner.note_gates(customer, gates)
        self._changed()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        return self._watched(name, method) if name in WRITES else method

    def _watched(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def write(*arguments: Any) -> Any:
            if name in self.held:
                self.holding[name].set()
                await self.held[name].wait()
            if self.failure:
                self.refused += 1
                self._changed()
                raise StoreUnavailable(self.failure)
            result = await method(*arguments)
            self._changed()
            return result

        return write


class LoggedSimulator(SimulatorCarrier):
    """The simulated carrier, noting the caller ids of its orders and telling tests of its events."""

    callers: dict[Id, str]
    hear: Callable[[CarrierEvent], None]

    async def start(self, sink: EventSink) -> None:
        await super().start(_heard_by(self.hear, sink))

    def dial(self, order: DialOrder) -> None:
        self.callers[order.attempt_id] = order.source
        super().dial(order)


class LoggedSip(SipCarrier):
    """The SIP carrier, telling tests of its events."""

    hear: Callable[[CarrierEvent], None]
    bound: tuple[str, int]

    async def start(self, sink: EventSink) -> None:
        await super().start(_heard_by(self.hear, sink))
        self.bound = self.local_address


def _heard_by(hear: Callable[[CarrierEvent], None], sink: EventSink) -> EventSink:
    def both(event: CarrierEvent) -> None:
        sink(event)
        hear(event)

    return both


class World:
    """An engine over a phone network."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.clock = JumpClock()
        self.ids = SystemIds()
        self.metrics = Metrics()
        self.invites: list[Invite] = []
        """The first INVITE of every call, in the order of arrival."""
        self.lines: list[Line] = []
        """Everything the SIP phones logged."""
        self.events: list[CarrierEvent] = []
        self.terms_changed = False
        """Set by tests that change the tries or the interval of a plan in use."""
        self.may_err = False
        """Set by tests in which the caller has to do what the phones find wrong."""
        self.phones: PhoneNetwork | None = None
        self.store: WatchedStore
        self.media: Media
        self.carrier: LoggedSimulator | LoggedSip
        self.engine: Engine
        self._branches: set[tuple[str, str]] = set()
        self._sip_address = ("127.0.0.1", 0)
        self._tries: dict[str, int] = {}
        self.unknown = 0
        """Attempts whose fate nobody can know, in tests that end a life of the engine suddenly."""
        self._event = asyncio.Event()
        self._rest: AsyncClient | None = None
        self._sequence = count()

    # Building

    async def open(
        self,
        *rules: str,
        rate: float = 0,
        channels: int = 0,
        media: Media | None = None,
        media_ports: int = 10_000,
        longest_call_ms: int = 60_000,
        trunk: Trunk | None = None,
        audio: bool = False,
        talk: bool = False,
        started: bool = True,
    ) -> None:
        """Build everything; ``rules`` say how phones behave, the rest answers quickly and listens."""
        self._before = asyncio.all_tasks()
        self.path = self.folder / "books.db"
        inner = await SqliteStore.open(
            self.path, new_id=lambda: self.ids.new(self.clock.now()), random_bytes=random_bytes
        )
        self.store = WatchedStore(inner, self.changed)
        mix = Mix(rules=tuple(parse_rule(rule) for rule in (*rules, f"*={ANSWERS}")))
        self.media = media or SimulatorMedia()
        self._media_ports, self._longest_call_ms = media_ports, longest_call_ms
        host, port = "127.0.0.1", 5060
        if self.network == "sip":
            self.phones = PhoneNetwork(mix=mix, audio=audio, talk=talk)
            await self.phones.start()
            self.phones.subscribe(self._on_line)
            host, port = self.phones.address
        self._mix = mix
        trunk = trunk or Trunk(id=self.ids.new(0), host=host, port=port, rate_per_s=rate, channels=channels)
        self.trunk = await inner.put_trunk(CUSTOMER, trunk, self.clock.now())
        await self.new_life()
        if started:
            await self.engine.start()

    async def new_life(self) -> None:
        """A carrier and an engine on the store as it is, and at the same address as in an earlier life."""
        if isinstance(getattr(self, "carrier", None), LoggedSip):
            assert isinstance(self.carrier, LoggedSip)
            self._sip_address = self.carrier.bound
        secret = await self.store.install_secret()
        if self.network == "sip":
            self.carrier = LoggedSip(clock=self.clock, secret=secret, bind=self._sip_address)
        else:
            carrier = LoggedSimulator(
                clock=self.clock, secret=secret, mix=self._mix, silence_ms=SILENCE_MS, on_invite=self._on_invite
            )
            carrier._tries = self._tries  # The phones live on, and count.
            self.carrier = carrier
            self.carrier.callers = {}
        self.carrier.hear = self._hear
        self.engine = Engine(
            store=self.store,
            carrier=self.carrier,
            media=self.media,
            clock=self.clock,
            ids=self.ids,
            metrics=self.metrics,
            media_ports=self._media_ports,
            longest_call_ms=self._longest_call_ms,
        )

    async def campaign(
        self,
        *people: str | Sequence[str],
        tries: Tries = (1, 0, 0, 0, 0),
        interval_ms: int = 100,
        ring_ms: int = 10_000,
        rate: float = 0,
        channels: int = 0,
        actions: Sequence[Action] = (),
        end_handle: EndHandle = EndHandle.STOP,
        next_campaign: Id = NIL_ID,
        redial_answered: bool = True,
        data: Sequence[str] = (),
        run: bool = True,
    ) -> Lists:
        """A campaign that calls these people: each a number, or several of one person."""
        store, now = self.store.inner, self.clock.now()
        outplan = Outplan(
            id=self._id(),
            source=Address(type="tel", target=CALLER),
            dial_timeout_ms=ring_ms,
            try_interval_ms=interval_ms,
            max_tries=tries,
            redial_answered=redial_answered,
            tm_create=now,
        )
        await store.create_outplan(CUSTOMER, outplan)
        outdial = await store.create_outdial(CUSTOMER, Outdial(id=self._id(), tm_create=now))
        targets = await self.add_people(outdial.id, *people, data=data)
        campaign = await store.create_campaign(
            CUSTOMER,
            Campaign(
                id=self._id(),
                name="campaign",
                outplan_id=outplan.id,
                outdial_id=outdial.id,
                actions=tuple(actions),
                end_handle=end_handle,
                next_campaign_id=next_campaign,
                dial_rate=rate,
                dial_channels=channels,
                tm_create=now,
            ),
        )
        if run:
            await store.order_run(CUSTOMER, campaign.id, self.clock.now())
        return Lists(campaign=campaign.id, outplan=outplan.id, outdial=outdial.id, targets=targets)

    async def add_people(self, outdial: Id, *people: str | Sequence[str], data: Sequence[str] = ()) -> tuple[Id, ...]:
        """Put more people on a list."""
        rows = []
        for index, person in enumerate(people):
            given = [person] if isinstance(person, str) else list(person)
            five = [_address(target) for target in (given + [""] * 5)[:5]]
            rows.append(
                NewTarget(
                    id=self._id(),
                    name=f"person {index}",
                    data=data[index] if index < len(data) else "",
                    destinations=(five[0], five[1], five[2], five[3], five[4]),
                )
            )
        stored = await self.store.inner.create_targets(CUSTOMER, outdial, rows, self.clock.now())
        assert stored is not None
        return tuple(target.id for target in stored)

    def _id(self) -> Id:
        return self.ids.new(self.clock.now())

    async def rest(self) -> AsyncClient:
        """A logged-in client of the REST side over this engine."""
        if self._rest is None:
            now = self.clock.now()
            token, key = new_access_key(random_bytes, id=self._id(), customer=CUSTOMER, now=now, name="test")
            await self.store.put_access_key(key)
            services = ApiServices(
                store=self.store.inner,
                clock=self.clock,
                ids=self.ids,
                feed=Feed(self.store.inner, Renderer),
                hang_up=self.engine.hang_up,
                readiness=self.engine.problems,
                metrics=self.metrics.render,
                customer_added=self.engine.serve_customer,
            )
            self._api = httpx.ASGITransport(app=create_app(services))
            self._rest = self.client(token)
        return self._rest

    def client(self, token: str) -> AsyncClient:
        """A client with another access key, once ``rest`` was asked for."""
        return AsyncClient("http://127.0.0.1", token, transport=self._api, retries=Retries(tries=1))

    # What happened

    def changed(self) -> None:
        """Let everybody who waits look again."""
        self._event.set()
        self._event = asyncio.Event()

    def _hear(self, event: CarrierEvent) -> None:
        self.events.append(event)
        self.changed()

    def _on_invite(self, invite: WireInvite) -> None:
        assert isinstance(self.carrier, LoggedSimulator)
        caller = self.carrier.callers[invite.attempt_id]
        self._note(Invite(at=invite.at, number=invite.number, call_id=invite.call_id, branch="", caller=caller))

    def _on_line(self, line: Line) -> None:
        self.lines.append(line)
        if isinstance(line, MessageLine) and _is_new_invite(line):
            at, caller = line.at + self.clock.ahead, line.from_header.partition("sip:")[2].partition("@")[0]
            self._note(Invite(at=at, number=line.number, call_id=line.call_id, branch=line.branch, caller=caller))
        self.changed()

    def _note(self, invite: Invite) -> None:
        if all(invite.call_id != call_id for call_id, _ in self._branches):
            self.invites.append(invite)
        self._branches.add((invite.call_id, invite.branch))
        self.changed()

    def look_again(self) -> None:
        """Let the planner look at once, as after a jump of the clock."""
        self.engine._ring_all()

    def statuses_known(self) -> set[CampaignStatus]:
        """The campaigns' statuses as the dialer saw them last: it looks again after a change."""
        return {view.status for view in self.engine._offices[0].dialer._views.values()}

    def slots(self) -> int:
        """How many calls wait for their slots."""
        return len(self.engine._offices[0].dialer._sender)

    def dialled(self, *, of: Sequence[str] | None = None) -> list[str]:
        """The numbers rung so far, in order."""
        return [invite.number for invite in self.invites if of is None or invite.number in of]

    def messages(self, method: str, call_id: str = "") -> list[MessageLine]:
        """Requests of this method that the SIP phones heard, retransmissions left out."""
        return [
            line
            for line in self.lines
            if isinstance(line, MessageLine)
            and (line.direction, line.method, line.status, line.retransmission) == ("in", method, 0, False)
            and call_id in ("", line.call_id)
        ]

    def summaries(self) -> list[CallLine]:
        """The SIP phones' summaries of calls that are over."""
        return [line for line in self.lines if isinstance(line, CallLine)]

    async def let_silence_pass(self) -> None:
        """Let Timer B of the calls that nobody answers run out."""
        if isinstance(self.carrier, SipCarrier):
            self.carrier.agent.wake(asyncio.get_running_loop().time() + 33)
            self.carrier._flush()

    def given_up_at(self, call_id: str) -> Instant:
        """When the caller gave up a call that rang: its CANCEL at the wire, its end in the simulator."""
        if self.network == "sip":
            return self.messages("CANCEL", call_id)[0].at + self.clock.ahead
        return next(event.at for event in self.events if isinstance(event, Ended) and event.local)

    # What the books say

    async def attempts(self, campaign: Id | None = None) -> list[CampaignCall]:
        """Of all customers, in the order of each."""
        store = self.store.inner
        owners = [CUSTOMER] if campaign else await store.customers()
        found = [await store.campaigncalls_in_order(owner, campaign, 0, 100_000) for owner in owners]
        return [row for rows in found for _, row in rows]

    async def targets(self, lists: Lists) -> list[Target]:
        return [row for _, row in await self.store.inner.targets_in_order(CUSTOMER, lists.outdial, 0, 100_000)]

    async def status(self, lists: Lists) -> CampaignStatus:
        campaign = await self.store.inner.campaign(CUSTOMER, lists.campaign)
        assert campaign is not None
        return campaign.status

    async def stats(self, lists: Lists) -> CampaignStats:
        stats = await self.store.inner.campaign_stats(CUSTOMER, lists.campaign)
        assert stats is not None
        return stats

    async def reasons(self) -> dict[str, list[str]]:
        """The hangup reasons of each number's attempts that were sent, in order."""
        found: dict[str, list[str]] = defaultdict(list)
        for attempt in [attempt for attempt in await self.attempts() if attempt.charged]:
            found[attempt.destination.target].append(str(attempt.hangup_reason))
        return dict(found)

    # Waiting

    async def until(self, holds: Callable[[], bool | Awaitable[bool]], seconds: float = PATIENCE_S) -> None:
        """Return when ``holds``; looked at whenever something changed."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    event = self._event
                    found = holds()
                    if found if isinstance(found, bool) else await found:
                        return
                    await event.wait()
        except TimeoutError:
            attempts = [f"{a.destination.target} {a.status} {a.hangup_reason}" for a in await self.attempts()]
            raise AssertionError(f"it never came: {len(self.invites)} INVITEs, attempts {attempts}") from None

    async def until_status(self, lists: Lists, status: CampaignStatus = CampaignStatus.STOP) -> None:
        async def has_status() -> bool:
            return await self.status(lists) == status

        await self.until(has_status)

    async def until_talking(self, amount: int = 1) -> None:
        async def talking() -> bool:
            return sum(a.tm_progressing is not None and a.tm_hangup is None for a in await self.attempts()) >= amount

        await self.until(talking)

    async def until_ringing(self, amount: int = 1) -> None:
        async def ringing() -> bool:
            return sum(a.tm_ringing is not None and a.tm_hangup is None for a in await self.attempts()) >= amount

        await self.until(ringing)

    async def until_ended(self, amount: int) -> None:
        async def ended() -> bool:
            return sum(a.tm_hangup is not None for a in await self.attempts()) >= amount

        await self.until(ended)

    async def until_nothing_is_live(self) -> None:
        async def all_ended() -> bool:
            return all(a.tm_hangup is not None for a in await self.attempts())

        await self.until(all_ended)

    async def until_invited(self, amount: int) -> None:
        await self.until(lambda: len(self.invites) >= amount)

    async def nothing_more_for(self, seconds: float) -> None:
        """See that no INVITE comes for this long; the passing of time is what is tested."""
        before = len(self.invites)
        deadline = asyncio.get_running_loop().time() + seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            event = self._event
            try:
                await asyncio.wait_for(event.wait(), left)
            except TimeoutError:
                break
            assert len(self.invites) == before, self.dialled()[before:]

    # The end of every test

    async def close(self) -> None:
        """End everything and hold the books against the wire."""
        try:
            self.store.failure = ""
            await self.engine.drain(0)
            await self._nothing_up()
            await self.engine.stop()
            attempts, secret = await self.attempts(), await self.store.install_secret()
            owners = await self.store.inner.customers()
            asked = {(owner, a.outplan_id) for owner in owners for a in attempts}
            outplans = [await self.store.inner.outplan(owner, plan) for owner, plan in asked]
        finally:
            await self._shut()
        wrong = check(self.path)
        assert not wrong, wrong
        differences = compare(
            [(leg_identity(secret, attempt.id, 1).call_id, attempt) for attempt in attempts], self._branches
        )
        assert differences.equal, str(differences)
        assert differences.unknown == self.unknown, differences.unknown
        self._judge(attempts, {plan.id: plan for plan in outplans if plan is not None})
        leftover = asyncio.all_tasks() - self._before - {asyncio.current_task()}
        assert not leftover, leftover

    async def _nothing_up(self) -> None:
        if isinstance(self.carrier, SimulatorCarrier):
            assert self.carrier.live_legs() == 0
        else:
            assert self.phones is not None
            phones = self.phones
            assert self.carrier.agent.open_legs() == []
            await self.until(lambda: phones.live == 0)
            problems = [line.problems for line in self.summaries() if line.problems]
            assert self.may_err or not problems, problems

    async def _shut(self) -> None:
        if self._rest is not None:
            await self._rest.close()
        await self.engine.stop()
        if self.phones is not None:
            await self.phones.stop()
        await self.store.inner.close()

    def _judge(self, attempts: list[CampaignCall], outplans: dict[Id, Outplan]) -> None:
        wire = {invite.attempt: invite.at for invite in self.invites}
        assert_one_at_a_time(attempts)
        if not self.terms_changed:
            assert_tries_and_intervals(attempts, outplans, wire)


def _is_new_invite(line: MessageLine) -> bool:
    """Whether a call begins here; one after a challenge counts, a retransmission or a re-INVITE does not."""
    fresh = (line.direction, line.method, line.status, line.retransmission) == ("in", "INVITE", 0, False)
    return fresh and ";tag=" not in line.to_header


def assert_one_at_a_time(attempts: list[CampaignCall]) -> None:
    """No two attempts of one number, or of one target, live at the same time."""
    for key in ("number", "target"):
        groups: dict[Any, list[CampaignCall]] = defaultdict(list)
        for attempt in attempts:
            groups[attempt.destination.target if key == "number" else attempt.outdial_target_id].append(attempt)
        for group in groups.values():
            for before, after in pairwise(sorted(group, key=lambda a: a.tm_create)):
                assert before.tm_hangup is not None
                assert before.tm_hangup <= after.tm_create, (key, before, after)


def assert_tries_and_intervals(
    attempts: list[CampaignCall], outplans: dict[Id, Outplan], wire: dict[str, Instant]
) -> None:
    """Nobody above their tries; nobody early, neither on the books nor at the wire."""
    people: dict[Id, list[CampaignCall]] = defaultdict(list)
    for attempt in attempts:
        people[attempt.outdial_target_id].append(attempt)
    for tried in people.values():
        tried.sort(key=lambda a: a.tm_create)
        outplan = outplans[tried[0].outplan_id]
        for index, most in enumerate(outplan.max_tries):
            assert sum(a.charged and a.destination_index == index for a in tried) <= most
        for before, after in pairwise(tried):
            if before.charged:
                assert before.tm_hangup is not None
                due = before.tm_hangup + outplan.try_interval_ms * MICROSECONDS_PER_MS
                assert after.tm_create >= due, (before, after)
                assert wire.get(after.id.hex(), due) >= due, "early at the wire"


def assert_rate(invites: Sequence[Invite], rate: float, allowance_us: int) -> None:
    """Every two INVITEs are an emission interval apart, less the allowance for the way; no window holds too many.

    A window of one second holds at most ``rate`` INVITEs and one more at its edge, of which the allowance takes
    none: it is far below the interval.
    """
    gap = interval(rate)
    times = sorted(invite.at for invite in invites)
    for before, after in pairwise(times):
        assert after - before >= gap - allowance_us, f"{after - before} us apart at {rate} a second"
    for position, start in enumerate(times):
        window = sum(at < start + MICROSECONDS_PER_SECOND - allowance_us for at in times[position:])
        assert window <= rate + 1


def done_by(targets: Sequence[Target]) -> list[str]:
    """Why each target is done, or its status when it is not."""
    return [str(t.done_reason if t.status == TargetStatus.DONE else t.status) for t in targets]


def action(kind: str, **option: Any) -> Action:
    return Action(type=kind, option=option)


def _address(target: str) -> Address:
    kind = "tel" if target.startswith("+") else "sip"
    return Address(type=kind, target=target) if target else Address()
