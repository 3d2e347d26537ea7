"""Passes the outbox on to the endpoints of webhooks, beside the dialing.

One loop reads what is new for each endpoint and starts what its queue lets out; another writes down, for all of them
together and at most a few times a second, what has changed. Nothing is read, sent or written while there is no
endpoint. Whatever ends this process, the next one begins where the books say: an event may come twice, with the same
id, and none is lost.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from outdialer.api.events.event import ClientEvent
from outdialer.api.events.render import Renderer
from outdialer.api.webhooks.queue import MOST_WAITING, EndpointQueue, Event, Item, Outcome
from outdialer.api.webhooks.sending import Sender, body_of
from outdialer.api.wire import Wire
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Id, Instant, format_id
from outdialer.engine.lifecycle import Bell, Tasks
from outdialer.ports.clock import Clock
from outdialer.ports.events import Cursor, EventStore, OutboxRow
from outdialer.ports.store import StoreUnavailable
from outdialer.ports.webhooks import Endpoint, Progress, Try, WebhookStore
from outdialer.telemetry import Metrics, log

READ_GAP_S = 0.05
"""Between two looks at the outbox, so that what a busy moment writes is read together."""
WRITE_GAP_S = 0.25
"""Between two writes of progress."""
STORE_REST_S = 5.0
"""After the store has failed."""
MOST_ROWS = 25
"""Of the outbox, read at once: what becomes of them is made on the event loop, which must not be held up."""
MOST_TRIES_SHOWN = 100
MOST_SHOWN = 1_000
"""Endpoints whose latest tries are remembered; those of disabled ones are worth seeing too."""

Key: TypeAlias = tuple[int, Id]


class _Page(Struct, frozen=True):
    """A part of the outbox, made into what is sent."""

    rows: list[tuple[Cursor, int, list[Event]]]
    """The place after each row, its customer, and its events."""
    after: Cursor
    more: bool
    lost: bool
    at: Instant | None
    """When the last of the rows happened; None: there are none."""


class DeliveryStore(EventStore, WebhookStore, Protocol):
    """What deliveries need from a store."""


class Deliverer:
    """Delivers until it is stopped."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        sender: Sender,
        renderer: Renderer,
        clock: Clock,
        chance: Callable[[], float],
        metrics: Metrics,
        old_time_format: bool = False,
        keep_us: int = 0,
    ) -> None:
        """``chance`` gives random numbers from 0 to 1; ``keep_us``: how long events are kept, 0: for ever."""
        self._store = store
        self._sender = sender
        self._renderer = renderer
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._old_time_format = old_time_format
        self._keep_us = keep_us
        self._queues: dict[Key, EndpointQueue] = {}
        self._behind: set[Key] = set()
        """Endpoints for which there may be something new in the outbox."""
        self._tried: dict[Key, deque[Try]] = {}
        self._taken: list[tuple[EndpointQueue, Progress]] = []
        """Progress that is being written down."""
        self._stale = True
        self._read_at = 0.0
        self._bell = Bell()
        self._written = Bell()
        self._tasks = Tasks()

    def start(self) -> None:
        """Begin."""
        self._store.on_event(self._on_event)
        self._tasks.start(self._run(), "webhooks")
        self._tasks.start(self._keep_progress(), "webhook progress")

    async def stop(self) -> None:
        """Stop sending, and write down what was delivered; what is under way will be sent again by the next life."""
        await self._tasks.cancel()
        try:
            await self._write()
            await self._write()  # What had been taken before the tasks ended went first.
        except StoreUnavailable as error:
            _pause(error, "webhook progress")
        await self._sender.close()

    def changed(self) -> None:
        """Look at the endpoints again: one was made, changed, removed or enabled."""
        self._stale = True
        self._bell.ring()

    def tried(self, customer: int, endpoint: Id) -> Sequence[Try]:
        """The latest tries of this life, the newest first."""
        return list(reversed(self._tried.get((customer, endpoint), ())))

    def _on_event(self) -> None:
        if self._queues:
            self._behind.update(self._queues)
            self._bell.ring()

    async def _run(self) -> None:
        while True:
            try:
                rest = await self._round()
            except Exception as error:
                rest = _pause(error, "webhooks")
            await self._bell.wait(rest)

    async def _round(self) -> float | None:
        """Do what can be done now; the seconds until there may be more."""
        if self._stale:
            self._stale = False
            await self._look_at_endpoints()
        rest = await self._read()
        now = self._clock.now()
        self._check_pace(now)
        for queue in self._queues.values():
            while (item := queue.next(now)) is not None:
                self._tasks.start(self._deliver(queue, item), "webhook")
        wakes = [at for queue in self._queues.values() if (at := queue.wakes_at()) is not None]
        rests = [(at - now) / MICROSECONDS_PER_SECOND for at in wakes]
        return min([*rests, *([] if rest is None else [rest])], default=None)

    def _check_pace(self, now: Instant) -> None:
        """Disable who has been too slow for too long: the outbox waits for enabled endpoints, and is everybody's."""
        for key in self._behind if self._keep_us else ():
            queue = self._queues.get(key)
            if queue is not None and queue.check_pace(now - self._keep_us, now):
                self._written.ring()

    async def _look_at_endpoints(self) -> None:
        """Follow what the books say about endpoints; what waits is read once."""
        try:
            found = {(one.customer, one.id): one for one in await self._store.webhook_endpoints()}
            for key in [key for key in self._queues if key not in found]:
                del self._queues[key]
            for key in list(self._tried)[:-MOST_SHOWN]:
                del self._tried[key]
            for key, endpoint in found.items():
                await self._open(key, endpoint)
        except StoreUnavailable:
            self._stale = True
            raise

    async def _open(self, key: Key, endpoint: Endpoint) -> None:
        queue = self._queues.get(key)
        if queue is not None:
            queue.endpoint = endpoint
            return
        waiting = await self._store.webhook_waiting(endpoint.customer, endpoint.id, 2 * MOST_WAITING)
        queue = EndpointQueue(endpoint, waiting)
        next_ones = await self._store.events_after(endpoint.cursor, 1)
        queue.read_at = next_ones.rows[0].at if next_ones.rows else self._clock.now()
        self._queues[key] = queue
        self._behind.add(key)

    async def _read(self) -> float | None:
        """Fill the queues that have room; the seconds until the next look at the outbox, None when none is due."""
        loop = asyncio.get_running_loop()
        hungry = [key for key in self._queues if key in self._behind and self._queues[key].room]
        if not hungry:
            return None
        if loop.time() < self._read_at:
            return self._read_at - loop.time()
        self._read_at = loop.time() + READ_GAP_S
        seen: dict[Cursor, _Page] = {}
        for key in hungry:
            if (queue := self._queues.get(key)) is not None:
                await self._fill(key, queue, seen)
        return READ_GAP_S if self._behind else None

    async def _fill(self, key: Key, queue: EndpointQueue, seen: dict[Cursor, _Page]) -> None:
        """Offer the next page of the outbox to a queue; its events may go a little over the queue's room.

        Endpoints that have read equally far, as all do that keep up, share what was read and rendered.
        """
        self._behind.discard(key)
        start = queue.read
        if start not in seen:
            seen[start] = await self._page(start)
        page = seen[start]
        if page.lost:
            log("webhook_events_lost", logging.WARNING, endpoint=format_id(key[1]))
        if page.more:
            self._behind.add(key)
        now, types = self._clock.now(), queue.endpoint.event_types
        for after, customer, events in page.rows:
            if customer == key[0]:
                queue.offer(after, [one for one in events if not types or one.type in types], now)
        queue.offer(page.after, (), now)
        if not page.more:
            queue.read_at = now
        elif page.at is not None:
            queue.read_at = page.at
        self._written.ring()

    async def _page(self, start: Cursor) -> _Page:
        customers = {customer for customer, _ in self._queues}
        page = await self._store.events_after(start, MOST_ROWS, customers)
        rows = [(row.cursor, row.customer, self._rendered(row)) for row in page.rows]
        return _Page(rows, page.after, page.more, page.lost, page.rows[-1].at if page.rows else None)

    def _rendered(self, row: OutboxRow) -> list[Event]:
        wire = Wire(row.customer, self._old_time_format)
        return [_event(event) for event in self._renderer.events(row, wire)]

    async def _deliver(self, queue: EndpointQueue, item: Item) -> None:
        endpoint, now = queue.endpoint, self._clock.now()
        try:
            body = item.body
            if body is None:
                body = await self._store.webhook_body(endpoint.customer, endpoint.id, item.event_id)
            if body is None:
                queue.dropped(item)
            else:
                outcome = await self._sender.send(endpoint, item.event_id, body, now)
                self._settle(queue, item, outcome, now)
        except Exception as error:
            rest = _pause(error, "webhook")
            queue.unsent(item, self._clock.now() + int(rest * MICROSECONDS_PER_SECOND))
        self._bell.ring()

    def _settle(self, queue: EndpointQueue, item: Item, outcome: Outcome, at: Instant) -> None:
        endpoint = queue.endpoint
        self._metrics.webhook_tries.labels("failed" if outcome.why else "delivered").inc()
        shown = Try(event_id=item.event_id, type=item.type, at=at, code=outcome.code, why=outcome.why)
        self._tried.setdefault((endpoint.customer, endpoint.id), deque(maxlen=MOST_TRIES_SHOWN)).append(shown)
        if not outcome.why:
            queue.delivered(item)
        elif queue.failed(item, outcome, self._clock.now(), self._chance()):
            self._metrics.webhook_tries.labels("given_up").inc()
            log("webhook_given_up", logging.WARNING, endpoint=format_id(endpoint.id), event=item.event_id)
        self._written.ring()

    async def _keep_progress(self) -> None:
        while True:
            await self._written.wait(None)
            rest = WRITE_GAP_S
            try:
                await self._write()
            except Exception as error:
                rest = _pause(error, "webhook progress")
                self._written.ring()
            await asyncio.sleep(rest)

    async def _write(self) -> None:
        """Write down what has changed since the last time; what could not be written then goes first."""
        if not self._taken:
            self._taken = [(queue, changes) for queue in self._queues.values() if (changes := queue.take_progress())]
        if not self._taken:
            return
        await self._store.keep_webhook_progress([progress for _, progress in self._taken])
        for queue, progress in self._taken:
            queue.kept(progress)
            if progress.disabled:
                self._close(queue, progress.disabled)
        self._taken = []
        self._metrics.webhook_waiting.set(sum(len(queue) for queue in self._queues.values()))

    def _close(self, queue: EndpointQueue, why: str) -> None:
        """An endpoint is disabled, and that is on the books."""
        key = queue.endpoint.customer, queue.endpoint.id
        log("webhook_disabled", logging.WARNING, endpoint=format_id(key[1]), why=why)
        if self._queues.get(key) is queue:
            del self._queues[key]
        self.changed()


def _pause(error: Exception, task: str) -> float:
    """Tell of a failure of our own; the seconds to leave things alone."""
    if isinstance(error, StoreUnavailable):
        log("store_unavailable", logging.ERROR, why=str(error))
    else:
        log("task_failed", logging.ERROR, error, task=task)
    return STORE_REST_S


def _event(event: ClientEvent) -> Event:
    return Event(event.id, event.type, event.resource_id, body_of(event.type, event.data, format_id(event.resource_id)))
