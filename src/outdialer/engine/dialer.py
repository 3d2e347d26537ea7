"""The dialing loop of one customer: snapshot, plan, claim, send; and again when something changed."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from outdialer.domain.call import CallStatus
from outdialer.domain.campaign import CampaignStatus
from outdialer.domain.plan import SEND_WINDOW_US, Line, Plan, plan
from outdialer.domain.snapshot import CampaignView, DueTarget, Snapshot
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant
from outdialer.engine.calls import DEADLINE, NO_RTP_PORT, STOPPED, TRUNK_PAUSED, CallDesk, LiveCall
from outdialer.engine.crash import reach
from outdialer.engine.lifecycle import Bell, Tasks
from outdialer.engine.scripts import ScriptRun, ScriptShelf, variables_of
from outdialer.engine.sender import Sender
from outdialer.engine.trunks import Trunks
from outdialer.flow.variables import has_references
from outdialer.ports.carrier import Carrier, DialOrder
from outdialer.ports.clock import Clock, Ids
from outdialer.ports.media import Media, NoRtpPort
from outdialer.ports.store import AttemptKeys, Claim, DialerStore, Intent, StoreUnavailable, TargetFacts
from outdialer.telemetry import Metrics, log

LONGEST_SLEEP_S = 5.0
"""The loop looks again after this long even if nobody called: a hint is only a hint."""
STORE_RETRY_S = 0.5
NO_PORT_REST_US = MICROSECONDS_PER_SECOND
"""How long nothing is claimed after the media had no RTP port although its count said so: it may be starting."""


class Outside(Struct, frozen=True, kw_only=True):
    """What the loop works with."""

    store: DialerStore
    carrier: Carrier
    media: Media
    clock: Clock
    ids: Ids
    metrics: Metrics
    media_ports: int
    """How many calls can have audio at once."""


class Dialer:
    """One customer's loop."""

    def __init__(
        self, customer: int, outside: Outside, *, desk: CallDesk, trunks: Trunks, tasks: Tasks, bell: Bell
    ) -> None:
        self._customer = customer
        self._outside = outside
        self._desk = desk
        self._trunks = trunks
        self._tasks = tasks
        self._bell = bell
        self._shelf = ScriptShelf(outside.media, tasks, bell.ring)
        self._sender = Sender(outside.clock, self._send, self._missed)
        self._facts: dict[int, TargetFacts] = {}
        self._views: dict[int, CampaignView] = {}
        self._due: dict[int, DueTarget] = {}
        self._missed_intents: list[Intent] = []
        self._reslotted: dict[int, Intent] = {}
        """Intents that wait for a later slot than their claim's, by attempt: they may wait long."""
        self._in_doubt: list[Claim] = []
        """Claims that failed: the commit may have worked, and only its acknowledgement be lost."""
        self._noted: dict[int, str] = {}
        self._no_port_before: Instant = 0
        self._at_rest = asyncio.Event()
        self.accepting = True
        self.failing = ""
        """Why nothing can be claimed at the moment; "" when it can."""

    async def run(self) -> None:
        """Dial until cancelled."""
        while True:
            await self._bell.wait(await self._tick_or_rest())

    async def _tick_or_rest(self) -> float:
        """One tick; how long to wait for the next, in s."""
        self._at_rest.clear()
        try:
            look_again_at = await self._tick()
        except StoreUnavailable as error:
            self._note_store_failure(str(error))
            return STORE_RETRY_S
        except Exception as error:
            # Whatever is wrong with one row must not end the dialing of all: it is told, and tried again.
            log("task_failed", logging.ERROR, error, task="dialer")
            self.failing = f"the dialer failed: {error!r}"
            return STORE_RETRY_S
        finally:
            self._at_rest.set()
        if self.failing:
            log("store_recovered")
            self.failing = ""
        if look_again_at is None:
            return LONGEST_SLEEP_S
        return min(LONGEST_SLEEP_S, (look_again_at - self._outside.clock.now()) / MICROSECONDS_PER_SECOND)

    async def at_rest(self) -> None:
        """Return when no claim is on its way to the books."""
        await self._at_rest.wait()

    def _note_store_failure(self, why: str) -> None:
        self._outside.metrics.store_failures.inc()
        if not self.failing:
            log("store_unavailable", logging.ERROR, why=why)
        self.failing = why or "the store cannot write"

    async def _tick(self) -> Instant | None:
        outside = self._outside
        started = asyncio.get_running_loop().time()
        await self._settle_doubt()
        await self._reslot_missed()
        await self._drop_revoked()
        now = outside.clock.now()
        no_port = now < self._no_port_before
        media_free = 0 if no_port else outside.media_ports - len(self._desk)
        snapshot = await outside.store.snapshot(self._customer, now, accepting=self.accepting, media_free=media_free)
        snapshot = await self._completed(snapshot)
        decided = plan(snapshot, outside.clock.now())
        await self._write_down(decided)
        if decided.lines:
            await self._claim(decided)
            outside.metrics.tick_seconds.observe(asyncio.get_running_loop().time() - started)
        if no_port:
            return min(self._no_port_before, decided.look_again_at or self._no_port_before)
        return decided.look_again_at

    async def _completed(self, snapshot: Snapshot) -> Snapshot:
        """The store's picture with what only the engine knows: breakers, lag at the wire, scripts, set-ups."""
        if any(not self._trunks.knows(trunk.key) for trunk in snapshot.trunks):
            await self._trunks.refresh()
        campaigns = tuple([await self._campaign_view(view) for view in snapshot.campaigns])
        trunks = tuple(
            self._trunks.completed(view, self._sender.lag("trunk", view.key, view.rate_per_s))
            for view in snapshot.trunks
        )
        snapshot = replace(snapshot, campaigns=campaigns, trunks=trunks, setups_free=self._desk.setups_free())
        self._views = {view.key: view for view in campaigns}
        self._due = {target.key: target for view in campaigns for target in view.due}
        self._sender.learn_rates(snapshot)
        return snapshot

    async def _campaign_view(self, view: CampaignView) -> CampaignView:
        state = self._shelf.state(view.version_key)
        if not state and view.status == CampaignStatus.RUN:
            script = await self._outside.store.call_script(self._customer, view.version_key)
            self._shelf.render(view.version_key, script)
            state = self._shelf.state(view.version_key)
        next_slot = view.next_slot + self._sender.lag("campaign", view.key, view.rate_per_s)
        return replace(view, next_slot=next_slot, script_ready=state == "ready", script_state=state)

    async def _write_down(self, decided: Plan) -> None:
        store, now = self._outside.store, self._outside.clock.now()
        gates = {key: f"{gate.name}: {gate.value}".removesuffix(": ") for key, gate in decided.closed_gates.items()}
        store.note_gates(self._customer, dict.fromkeys(self._noted, "") | gates)
        self._noted = gates
        if decided.closures:
            await store.close_targets(self._customer, decided.closures, now)
        if decided.campaign_events:
            await store.apply_campaign_events(self._customer, decided.campaign_events, now)

    async def _claim(self, decided: Plan) -> None:
        outside = self._outside
        now = outside.clock.now()
        await self._learn_facts(decided)
        claims = [
            Claim(line, outside.ids.new(now), outside.ids.new(now), outside.ids.new(now)) for line in decided.lines
        ]
        reach("before-claim")
        try:
            result = await outside.store.claim(self._customer, claims, decided, now)
        except StoreUnavailable:
            self._in_doubt = claims
            raise
        reach("claimed")
        self._take_on(result.intents)
        if result.lost:
            self._bell.ring()

    def _take_on(self, intents: Sequence[Intent]) -> None:
        self._outside.metrics.attempts_claimed.inc(len(intents))
        for intent in intents:
            self._desk.add(self._live_call(intent))
        self._sender.schedule([(intent, intent.claim.line.slot) for intent in intents])
        if not self.accepting:
            self.stop_sending()

    async def _settle_doubt(self) -> None:
        """Take on what a failed claim did put on the books; what missed its slot meanwhile gets another one."""
        if self._in_doubt:
            intents = await self._outside.store.claimed(self._customer, self._in_doubt)
            self._in_doubt = []
            self._take_on(intents)

    async def _learn_facts(self, decided: Plan) -> None:
        """Read what the scripts say about the targets, where they say anything."""
        wanted = [line.target for line in decided.lines if self._speaks_of_target(line)]
        if wanted:
            self._facts = await self._outside.store.target_facts(self._customer, wanted)

    def _speaks_of_target(self, line: Line) -> bool:
        script = self._shelf.script(line.campaign_version)
        return any(has_references(action.option) for action in script.actions)

    def _live_call(self, intent: Intent) -> LiveCall:
        line = intent.claim.line
        view = self._views[line.campaign]
        assert view.outplan is not None
        target = self._due[line.target]
        tries = tuple(count + (index == line.index) for index, count in enumerate(target.tries))
        keys = AttemptKeys(
            attempt=intent.attempt,
            call=intent.call,
            leg=intent.leg,
            campaign=line.campaign,
            outdial=line.outdial,
            target=line.target,
            trunk=line.trunk,
            index=line.index,
        )
        return LiveCall(
            keys,
            outplan=view.outplan,
            destinations=target.destinations,
            tries=tries,
            longest_ms=self._shelf.longest_ms(line.campaign_version),
            make_script=self._script_maker(intent.claim),
        )

    def _script_maker(self, claim: Claim) -> Callable[[LiveCall], ScriptRun]:
        script = self._shelf.script(claim.line.campaign_version)
        facts = self._facts.pop(claim.line.target, None)

        def make(call: LiveCall) -> ScriptRun:
            return ScriptRun(
                call.keys.leg,
                script,
                variables_of(script, claim, facts),
                media=self._outside.media,
                clock=self._outside.clock,
                tasks=self._tasks,
                hang_up=self._desk.hang_up,
            )

        return make

    def _send(self, intent: Intent, slot: Instant) -> None:
        """The slot is here: one more check, then the INVITE."""
        line = intent.claim.line
        now = self._outside.clock.now()
        self._reslotted.pop(intent.attempt, None)
        call = self._desk.get(intent.leg)
        view = self._views.get(line.campaign)
        if call is None:
            return
        stopped = not self.accepting or view is None or view.status != CampaignStatus.RUN
        if stopped or call.call_status != CallStatus.DIALING:  # Somebody hung up before it was sent.
            self._desk.close_not_sent(intent.leg, STOPPED, now)
            return
        if self._trunks.breaker(line.trunk).open_until > now:
            self._desk.close_not_sent(intent.leg, TRUNK_PAUSED, now)
            return
        try:
            call.rtp = self._outside.media.lease()
        except NoRtpPort:
            self._no_port_before = now + NO_PORT_REST_US
            self._desk.close_not_sent(intent.leg, NO_RTP_PORT, now)
            return
        self._outside.metrics.send_delay_seconds.observe(max(0, now - slot) / MICROSECONDS_PER_SECOND)
        self._outside.carrier.dial(
            DialOrder(
                leg=intent.leg,
                attempt_id=intent.claim.attempt_id,
                leg_number=intent.leg_number,
                destination=line.destination,
                source=call.outplan.source,
                source_name=call.outplan.source_name,
                peer=self._trunks.peer(line.trunk),
                ring_limit_ms=call.outplan.dial_timeout_ms,
                send_not_after=slot + SEND_WINDOW_US,
                rtp_address=call.rtp.address,
                rtp_port=call.rtp.port,
            )
        )

    def _missed(self, intent: Intent) -> None:
        self._outside.metrics.slots_missed.inc()
        self._reslotted.pop(intent.attempt, None)
        self._missed_intents.append(intent)
        self._bell.ring()

    async def _reslot_missed(self) -> None:
        """Reserve a new slot for every attempt that missed its own; what may not be sent any more is closed."""
        intents, self._missed_intents = self._missed_intents, []
        if not intents:
            return
        log("slot_missed", count=len(intents))
        now = self._outside.clock.now()
        try:
            slots = await self._outside.store.reslot(self._customer, [intent.attempt for intent in intents], now)
        except StoreUnavailable:
            self._missed_intents = intents + self._missed_intents
            raise
        self._sender.schedule([(intent, slots[intent.attempt]) for intent in intents if intent.attempt in slots])
        self._reslotted |= {intent.attempt: intent for intent in intents if intent.attempt in slots}
        for intent in intents:
            if intent.attempt not in slots:
                self._desk.close_not_sent(intent.leg, DEADLINE, now)

    async def _drop_revoked(self) -> None:
        """Do not send, however long it waits for its slot, what was deleted meanwhile."""
        if not self._reslotted:
            return
        now = self._outside.clock.now()
        for attempt in await self._outside.store.revoked(self._customer, list(self._reslotted)):
            intent = self._reslotted.pop(attempt, None)
            if intent is not None:
                self._desk.close_not_sent(intent.leg, STOPPED, now)

    def abandon(self) -> None:
        """Let nothing out any more, in this life; the books keep what they hold."""
        self.accepting = False
        self._sender.take_all()

    def stop_sending(self) -> None:
        """Take nothing new on; what waits for its slot is not sent."""
        self.accepting = False
        now = self._outside.clock.now()
        for intent in [*self._sender.take_all(), *self._missed_intents]:
            self._desk.close_not_sent(intent.leg, STOPPED, now)
        self._missed_intents.clear()
        self._reslotted.clear()
        self._bell.ring()
