"""The calls that are up: turns carrier and media events into changes on the books and steps of call scripts."""

import asyncio
from collections.abc import Callable
from functools import partial

from outdialer.domain import attempt as attempts
from outdialer.domain import call as call_states
from outdialer.domain import outcome as outcomes
from outdialer.domain.attempt import AttemptEvent, AttemptStatus
from outdialer.domain.call import CallEvent, CallStatus
from outdialer.domain.outcome import Outcome
from outdialer.domain.retry import after_attempt, next_destination
from outdialer.domain.snapshot import OutplanTerms
from outdialer.domain.units import MICROSECONDS_PER_MS, Instant, Milliseconds, after
from outdialer.engine.crash import reach
from outdialer.engine.scripts import ScriptRun
from outdialer.flow.machine import Finished
from outdialer.ports.carrier import Answered, Carrier, CarrierEvent, Ended, LateAnswer, NotSent, Ringing, Sent, Trying
from outdialer.ports.media import Media, MediaEvent, MediaLost, PlaybackFinished, RtpPort
from outdialer.ports.store import AttemptChange, AttemptEnd, AttemptKeys
from outdialer.telemetry import Metrics

MOST_UNHEARD = 200
"""Calls that the far end has not said anything about yet, those that wait for their slots too."""
AFTER_CALL_MS = 30_000
"""How long after the longest possible end of an answered call something of it may still be up."""

DEADLINE = "deadline"
STOPPED = "stopped"
NO_RTP_PORT = "no-rtp-port"
TRUNK_PAUSED = "trunk-paused"
OUR_OWN_REASONS = frozenset({DEADLINE, STOPPED, NO_RTP_PORT, TRUNK_PAUSED})
"""Why an attempt was not sent, as an order to hang up; every other reason is the trunk's, and pauses the trunk."""


class LiveCall:
    """One attempt from its claim to its end, as the engine sees it."""

    def __init__(
        self,
        keys: AttemptKeys,
        *,
        outplan: OutplanTerms,
        destinations: tuple[str, ...],
        tries: tuple[int, ...],
        attempt_status: AttemptStatus = AttemptStatus.DIALING,
        tm_ringing: Instant | None = None,
        tm_progressing: Instant | None = None,
        longest_ms: Milliseconds | None = None,
        make_script: Callable[["LiveCall"], ScriptRun] | None = None,
    ) -> None:
        self.keys = keys
        self.outplan = outplan
        self.destinations = destinations
        self.tries = tries
        """Charged tries by index, this attempt counted."""
        self.attempt_status = attempt_status
        self.call_status = CallStatus.DIALING
        self.tm_ringing = tm_ringing
        self.tm_progressing = tm_progressing
        self.longest_ms = longest_ms
        self.make_script = make_script
        """None for a call of an earlier life: it is only brought to its end."""
        self.heard = make_script is None
        """Whether the far end has said anything yet; an earlier life's call is not waited for."""
        self.rtp: RtpPort | None = None
        self.script: ScriptRun | None = None
        self.limit_timer: asyncio.TimerHandle | None = None

    def apply_attempt(self, event: AttemptEvent) -> bool:
        """Take a step in the attempt's state table; whether it changed anything."""
        status = attempts.apply(self.attempt_status, event)
        if status is None:
            return False
        self.attempt_status = status
        return True

    def apply_call(self, event: CallEvent) -> bool:
        """Take a step in the call's state table; whether it changed anything."""
        status = call_states.apply(self.call_status, event)
        if status is None:
            return False
        self.call_status = status
        return True


class CallDesk:
    """All live calls of one customer, by leg."""

    def __init__(
        self,
        *,
        carrier: Carrier,
        media: Media,
        metrics: Metrics,
        longest_call_ms: Milliseconds,
        record: Callable[[AttemptChange, Callable[[], None] | None], None],
        trunk_answered: Callable[[int, int, int, Instant], None],
        trunk_unusable: Callable[[int, str, Instant], None],
        late_answer: Callable[[LateAnswer], None],
        media_lost: Callable[[str], None],
        changed: Callable[[], None],
        now: Callable[[], Instant],
    ) -> None:
        self._carrier = carrier
        self._media = media
        self._metrics = metrics
        self._longest_call_ms = longest_call_ms
        self._record = record
        self._trunk_answered = trunk_answered
        self._trunk_unusable = trunk_unusable
        self._late_answer = late_answer
        self._media_lost = media_lost
        self._changed = changed
        self._now = now
        self._calls: dict[int, LiveCall] = {}
        self._unheard = 0

    def __len__(self) -> int:
        """How many attempts are live."""
        return len(self._calls)

    def add(self, call: LiveCall) -> None:
        """Take charge of a claimed or recovered attempt."""
        self._calls[call.keys.leg] = call
        self._unheard += not call.heard
        self._metrics.calls_live.set(len(self._calls))

    def setups_free(self) -> int:
        """How many more calls may be set up at once: more INVITEs than a far end can hear only make it later."""
        return MOST_UNHEARD - self._unheard

    def _heard(self, call: LiveCall) -> None:
        """The far end has said something, or never will; the planner hears of it when there is room for many."""
        if call.heard:
            return
        call.heard = True
        self._unheard -= 1
        if self._unheard == MOST_UNHEARD // 2:
            self._changed()

    def get(self, leg: int) -> LiveCall | None:
        """The live call on a leg."""
        return self._calls.get(leg)

    def own_calls(self) -> list[LiveCall]:
        """The calls of this life of the engine."""
        return [call for call in self._calls.values() if call.make_script is not None]

    def hang_up(self, leg: int, why: str) -> None:
        """End a call for a reason of ours."""
        call = self._calls.get(leg)
        if call is not None and call.apply_call(CallEvent.HANGUP_ORDERED):
            self._record(AttemptChange(keys=call.keys, at=self._now(), call_event=CallEvent.HANGUP_ORDERED), None)
            self._carrier.hang_up(leg, why)

    def hang_up_all(self, why: str, *, answered: bool) -> None:
        """End every call that is not answered, and with ``answered`` those that are, too."""
        for call in self.own_calls():
            if answered or call.attempt_status == AttemptStatus.DIALING:
                self.hang_up(call.keys.leg, why)

    def abandon(self) -> None:
        """Do nothing more for any call, in this life; the books keep what they hold."""
        for call in self._calls.values():
            if call.limit_timer is not None:
                call.limit_timer.cancel()
            if call.script is not None:
                call.script.close()
        self._calls.clear()
        self._unheard = 0

    def on_carrier_event(self, event: CarrierEvent) -> None:
        """Something happened to a leg."""
        if isinstance(event, LateAnswer):
            self._late_answer(event)
            return
        call = self._calls.get(event.leg)
        if call is None:
            return
        if not isinstance(event, Sent):
            self._heard(call)
        if isinstance(event, Answered):
            self._answered(call, event)
        elif isinstance(event, Ended):
            self._ended(call, event)
        elif isinstance(event, Ringing):
            self._ringing(call, event)
        elif isinstance(event, NotSent):
            self._not_sent(call, event)
        else:
            assert isinstance(event, Sent | Trying)
            reach("sent" if isinstance(event, Sent) else "trying")

    def on_media_event(self, event: MediaEvent) -> None:
        """Something happened to a leg's audio, or to all audio."""
        if isinstance(event, MediaLost):
            for call in self.own_calls():
                if call.rtp is not None:
                    call.rtp = None  # The port died with the process: another leg may be given its number.
                    self.hang_up(call.keys.leg, outcomes.MEDIA_LOST)
            self._media_lost(event.why)
        elif isinstance(event, PlaybackFinished):
            listening = self._calls.get(event.leg)
            if listening is not None and listening.script is not None:
                listening.script.feed(Finished(event.order))

    def close_not_sent(self, leg: int, why: str, at: Instant) -> None:
        """Nothing of this attempt was sent, and nothing will be."""
        call = self._calls.get(leg)
        if call is not None and call.apply_attempt(AttemptEvent.NOT_SENT):
            self._close(call, AttemptEvent.NOT_SENT, outcomes.of_not_sent(why), at, local=True)

    def close_unresolved(self, leg: int, at: Instant) -> None:
        """Nobody knows what became of an attempt of an earlier life; nothing of it can be up any more."""
        call = self._calls.get(leg)
        answered = call is not None and call.attempt_status == AttemptStatus.PROGRESSING
        if call is not None and call.apply_attempt(AttemptEvent.UNRESOLVED):
            outcome = outcomes.of_unknown(answered=answered)
            self._close(call, AttemptEvent.UNRESOLVED, outcome, at, local=True)

    def _ringing(self, call: LiveCall, event: Ringing) -> None:
        reach("ringing")
        if call.apply_call(CallEvent.RINGING):
            call.tm_ringing = event.at
            self._record(AttemptChange(keys=call.keys, at=event.at, call_event=CallEvent.RINGING), None)

    def _answered(self, call: LiveCall, event: Answered) -> None:
        reach("answer-seen")
        if call.make_script is None or not call.apply_call(CallEvent.ANSWERED):
            return
        if not call.apply_attempt(AttemptEvent.ANSWERED):
            return
        call.tm_progressing = event.at
        longest_ms = min(call.longest_ms or self._longest_call_ms, self._longest_call_ms)
        change = AttemptChange(
            keys=call.keys,
            at=event.at,
            attempt_event=AttemptEvent.ANSWERED,
            call_event=CallEvent.ANSWERED,
            dialog=event.dialog,
            answered_until=after(event.at, longest_ms + AFTER_CALL_MS),
        )
        self._record(change, partial(self._accept, call, event))

    def _accept(self, call: LiveCall, event: Answered) -> None:
        """The answer is on the books: acknowledge it and start to talk."""
        reach("answer-recorded")
        leg = call.keys.leg
        if self._calls.get(leg) is not call or call.call_status != CallStatus.PROGRESSING:
            return
        self._carrier.accept(leg)
        reach("accepted")
        if self._calls.get(leg) is not call:
            return  # The far end could not be reached with the ACK: the call ended meanwhile.
        self._metrics.calls_talking.inc()
        loop = asyncio.get_running_loop()
        call.limit_timer = loop.call_later(self._longest_call_ms / 1_000, self.hang_up, leg, outcomes.CALL_LIMIT)
        if call.rtp is not None:
            self._media.open(leg, call.rtp, event.media)
        if call.make_script is not None:
            call.script = call.make_script(call)
            call.script.begin()

    def _ended(self, call: LiveCall, event: Ended) -> None:
        reach("end-seen")
        if call.make_script is None:
            self.close_unresolved(call.keys.leg, event.at)
            return
        answered = call.attempt_status == AttemptStatus.PROGRESSING
        if not call.apply_attempt(AttemptEvent.ENDED):
            return
        self._trunk_answered(call.keys.trunk, 200 if answered else event.sip_code, event.retry_after_s, event.at)
        outcome = outcomes.of_ended(
            answered=answered,
            local=event.local,
            why=event.why,
            sip_code=event.sip_code,
            q850_cause=event.q850_cause,
        )
        self._close(call, AttemptEvent.ENDED, outcome, event.at, local=event.local, ended=event)

    def _not_sent(self, call: LiveCall, event: NotSent) -> None:
        if event.why not in OUR_OWN_REASONS and call.call_status != CallStatus.CANCELING:
            self._trunk_unusable(call.keys.trunk, event.why, event.at)
        self.close_not_sent(call.keys.leg, event.why, event.at)

    def _close(
        self,
        call: LiveCall,
        event: AttemptEvent,
        outcome: Outcome,
        at: Instant,
        *,
        local: bool,
        ended: Ended | None = None,
    ) -> None:
        call.apply_call(CallEvent.ENDED)
        end = AttemptEnd(
            outcome=outcome,
            verdict=after_attempt(
                outcome,
                ended=at,
                tries_left=next_destination(call.destinations, call.tries, call.outplan.max_tries) is not None,
                removed=False,
                try_interval_ms=call.outplan.try_interval_ms,
                redial_answered=call.outplan.redial_answered,
            ),
            local=local,
            sip_code=ended.sip_code if ended else 0,
            q850_cause=ended.q850_cause if ended else 0,
            ring_ms=_length(call.tm_ringing, call.tm_progressing or at),
            talk_ms=_length(call.tm_progressing, at),
        )
        change = AttemptChange(keys=call.keys, at=at, attempt_event=event, call_event=CallEvent.ENDED, end=end)
        self._free(call)
        self._metrics.attempts_ended.labels(reason=outcome.reason if outcome.charged else "not_sent").inc()
        self._record(change, self._changed)

    def _free(self, call: LiveCall) -> None:
        leg = call.keys.leg
        del self._calls[leg]
        self._heard(call)
        self._metrics.calls_live.set(len(self._calls))
        if call.limit_timer is not None:
            call.limit_timer.cancel()
            self._metrics.calls_talking.dec()
        if call.script is not None:
            call.script.close()
        if call.rtp is not None:
            if call.script is not None:
                self._media.close(leg)
            else:
                self._media.release(call.rtp)


def _length(start: Instant | None, end: Instant) -> Milliseconds:
    return 0 if start is None else max(0, (end - start) // MICROSECONDS_PER_MS)
