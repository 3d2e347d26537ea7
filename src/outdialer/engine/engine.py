"""The engine: the dialing loops, the calls that are up, recovery and an orderly end."""

import asyncio
import contextlib
import logging
import os
import socket

from msgspec import Struct

from outdialer.domain.units import Milliseconds, format_id
from outdialer.engine.calls import CallDesk
from outdialer.engine.dialer import Dialer, Outside
from outdialer.engine.lifecycle import Bell, Tasks
from outdialer.engine.recorder import Recorder
from outdialer.engine.recovery import Recovery
from outdialer.engine.retention import Retention
from outdialer.engine.trunks import Trunks
from outdialer.ports.carrier import Carrier, CarrierEvent, LateAnswer
from outdialer.ports.clock import Clock, Ids
from outdialer.ports.media import Media, MediaEvent
from outdialer.ports.store import DialerStore, StoreUnavailable
from outdialer.telemetry import Metrics, log

DEFAULT_LONGEST_CALL_MS = 3_600_000
LAST_SECONDS = 5.0
"""How long an order to hang up may take to be confirmed when the engine ends."""
MEDIA_RETRY_S = 1.0
"""How long to wait before a media process that could not be started is tried again."""


class _Office(Struct, frozen=True):
    """What belongs to one customer."""

    customer: int
    dialer: Dialer
    desk: CallDesk
    recorder: Recorder
    recovery: Recovery
    trunks: Trunks
    bell: Bell


class Engine:
    """Dials for every customer of a store until it is told to stop."""

    def __init__(
        self,
        *,
        store: DialerStore,
        carrier: Carrier,
        media: Media,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        media_ports: int = 10_000,
        longest_call_ms: Milliseconds = DEFAULT_LONGEST_CALL_MS,
        retention: Retention | None = None,
    ) -> None:
        self._outside = Outside(
            store=store,
            carrier=carrier,
            media=media,
            clock=clock,
            ids=ids,
            metrics=metrics,
            media_ports=media_ports,
        )
        self._longest_call_ms = longest_call_ms
        self._retention = retention
        self._tasks = Tasks()
        self._offices: list[_Office] = []
        self._quiet = Bell()
        self.worker = f"{socket.gethostname()}:{os.getpid()}"
        self.epoch = 0
        self._draining = False

    async def start(self) -> None:
        """Fence off earlier lives, clear up after them, and begin to dial.

        Raises:
            StoreUnavailable: the store cannot write.
            OSError: a local address cannot be bound.
        """
        outside = self._outside
        self.epoch = await outside.store.begin_epoch(self.worker, outside.clock.now())
        await outside.media.start(self._on_media_event)
        # Last, and nothing is awaited before the offices are open: answers to earlier lives come at once.
        await outside.carrier.start(self._on_carrier_event)
        for customer in await outside.store.customers():
            self._offices.append(await self._open_office(customer))
        outside.store.on_change(self._ring_all)
        if self._retention is not None:
            self._tasks.start(self._retention.run(self._store_fails), "retention")
        log("engine_started", epoch=self.epoch, worker=self.worker)

    async def serve_customer(self, customer: int) -> None:
        """Dial for a customer that came after the start; before it, and for one that is served, nothing to do."""
        if not self.epoch or any(office.customer == customer for office in self._offices):
            return
        office = await self._open_office(customer)
        if self._draining:
            office.dialer.stop_sending()
        self._offices.append(office)

    async def _open_office(self, customer: int) -> _Office:
        outside = self._outside
        bell = Bell()
        trunks = Trunks(outside.store, customer, self._tasks)
        await trunks.refresh()
        recorder = Recorder(outside.store, customer, outside.metrics)
        desk = CallDesk(
            carrier=outside.carrier,
            media=outside.media,
            metrics=outside.metrics,
            longest_call_ms=self._longest_call_ms,
            record=recorder.put,
            trunk_answered=trunks.answered,
            trunk_unusable=trunks.unusable,
            late_answer=lambda event: self._note_late_answer(customer, event),
            media_lost=self._media_lost,
            changed=lambda: self._changed(bell),
            now=outside.clock.now,
        )
        dialer = Dialer(customer, outside, desk=desk, trunks=trunks, tasks=self._tasks, bell=bell)
        recovery = Recovery(outside.clock, desk)
        office = _Office(customer, dialer, desk, recorder, recovery, trunks, bell)
        recovery.start(await outside.store.unresolved(customer), trunks.peer, outside.carrier.recover)
        self._tasks.start(recorder.run(), "recorder")
        self._tasks.start(dialer.run(), "dialer")
        return office

    def _on_carrier_event(self, event: CarrierEvent) -> None:
        for office in self._offices:
            office.desk.on_carrier_event(event)

    def _on_media_event(self, event: MediaEvent) -> None:
        for office in self._offices:
            office.desk.on_media_event(event)

    def _ring_all(self) -> None:
        for office in self._offices:
            office.bell.ring()

    def _changed(self, bell: Bell) -> None:
        bell.ring()
        self._quiet.ring()

    def _note_late_answer(self, customer: int, event: LateAnswer) -> None:
        log("late_answer", attempt=format_id(event.attempt_id))
        self._tasks.start(self._write_late_answer(customer, event), "late answer")

    async def _write_late_answer(self, customer: int, event: LateAnswer) -> None:
        """Note it first, then let it be ended: whoever dies in between hears of it again."""
        try:
            ours = await self._outside.store.note_late_answer(customer, event.attempt_id, event.at)
        except StoreUnavailable as error:
            log("store_unavailable", logging.ERROR, why=str(error))
            return
        if ours and event.leg is not None:
            self._outside.carrier.accept(event.leg)

    def _media_lost(self, why: str) -> None:
        log("media_lost", logging.ERROR, why=why)
        self._tasks.start(self._restart_media(), "restart media")

    async def _restart_media(self) -> None:
        while True:
            try:
                await self._outside.media.start(self._on_media_event)
            except OSError as error:
                log("media_lost", logging.ERROR, why=str(error))
                await Bell().wait(MEDIA_RETRY_S)
            else:
                self._ring_all()
                return

    def live_calls(self) -> int:
        """Attempts that are not over, unresolved ones of earlier lives included."""
        return sum(len(office.desk) for office in self._offices)

    def _store_fails(self) -> bool:
        return any(office.recorder.failing or office.dialer.failing for office in self._offices)

    def problems(self) -> list[str]:
        """Why the engine cannot dial at the moment; empty when it can."""
        reasons = []
        for office in self._offices:
            reasons += [reason for reason in (office.recorder.failing, office.dialer.failing) if reason]
            if not office.dialer.accepting:
                reasons.append("draining")
        return reasons

    def hang_up(self, leg: int, why: str) -> None:
        """End a call by its leg; unknown ones are ignored."""
        for office in self._offices:
            office.desk.hang_up(leg, why)

    async def drain(self, grace_s: float) -> None:
        """Dial nobody any more, cancel what rings, let answered calls finish for ``grace_s`` seconds, end the rest.

        Returns when no call of this life is up and everything is on the books, or when that takes too long.
        """
        log("engine_draining", grace_s=grace_s)
        self._draining = True
        for office in self._offices:
            office.dialer.stop_sending()
            office.desk.hang_up_all("drain", answered=False)
        for office in self._offices:
            await office.dialer.at_rest()
        if not await self._calls_over(grace_s):
            self.cut()
            await self._calls_over(LAST_SECONDS)
        for office in self._offices:
            # A store that cannot write must not keep us: what is not on the books is cleared up by the next life.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(office.recorder.written(), LAST_SECONDS)

    def cut(self) -> None:
        """End every call at once."""
        self._draining = True
        for office in self._offices:
            office.dialer.stop_sending()
            office.desk.hang_up_all("drain", answered=True)

    async def _calls_over(self, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while any(office.desk.own_calls() for office in self._offices):
            if loop.time() >= deadline:
                return False
            await self._quiet.wait(min(0.5, deadline - loop.time()))
        return True

    async def stop(self) -> None:
        """Close everything. Calls that are still up stay unresolved on the books: drain first."""
        for office in self._offices:
            office.recovery.stop()
            office.dialer.abandon()
            office.desk.abandon()
        await self._tasks.cancel()
        await self._outside.carrier.stop()
        await self._outside.media.stop()
        self._offices.clear()
        log("engine_stopped")
