"""Tells whoever is connected what happens, while it happens, without slowing the dialing.

One task walks the outbox in rounds while somebody follows. Each round renders what happened once for each way of
writing it (customer, masked or not), writes it down once for each set of topics, and puts that piece where each
connection takes it. Between rounds it rests nine times as long as a round took, so all followers together take about
a tenth of the loop's time, however many there are: they get longer pieces less often.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Protocol
from weakref import WeakSet

from msgspec import Struct

from outdialer.api.events.event import ClientEvent, EventIds
from outdialer.api.events.follower import Ending, Follower, Form
from outdialer.api.wire import Wire
from outdialer.engine.lifecycle import Bell, Tasks
from outdialer.ports.events import Cursor, EventStore, OutboxRow
from outdialer.ports.store import StoreUnavailable
from outdialer.telemetry import log

ROUND_S = 0.1
"""The shortest rest between two rounds: what happens meanwhile goes out in one piece."""
LONGEST_REST_S = 2.0
REST = 9
"""How many times longer than a round the feed rests after it."""
ROWS_PER_PAGE = 200
"""Read and rendered without a break."""
PAGES_PER_ROUND = 10
AT_ONCE = 20
"""Followers that are woken in one turn of the loop."""
SHARED_BY = 50
"""So many followers that want the same get it in one piece: it is made faster, and costs each of them little."""
AS_ONE = 100
"""To ask whether so many events are wanted takes as long as waking a follower, or less."""
MOST_FOLLOWERS = 2_000
"""Connections of one customer: half of those that the server has for everybody."""
AWAY_S = 1.0
"""How long the feed waits for a store that is away."""


class Renders(Protocol):
    """Makes clients' events from outbox rows: ``outdialer.api.events.render.Renderer``."""

    ids: EventIds

    def events(self, row: OutboxRow, wire: Wire) -> Iterator[ClientEvent]:
        """The events of a row of the wire's customer, in order."""


class Missed(Struct, frozen=True):
    """A piece of what happened before a follower came."""

    piece: bytes
    lost: bool
    """Whether something before this piece is not on the books any more; told once."""


class FeedStore(EventStore, Protocol):
    """What the feed needs of a store."""

    async def install_secret(self) -> bytes:
        """The random bytes that this installation's secrets are derived from."""


class Place(Struct, frozen=True):
    """Right after the event at a position of the row that follows ``before``."""

    before: Cursor
    position: int


class Feed:
    """The followers of all customers. ``make_renderer`` takes the installation's secret.

    ``most`` connections of one customer may follow at once. Nothing is told before ``start``; whoever follows then is
    ended at once.
    """

    def __init__(self, store: FeedStore, make_renderer: Callable[[bytes], Renders], most: int = MOST_FOLLOWERS) -> None:
        self.most = most
        self._store = store
        self._make_renderer = make_renderer
        self._renderer: Renders | None = None
        self._followers: dict[Follower, None] = {}
        self._present: WeakSet[Follower] = WeakSet()
        """Those too that have not joined yet. One whose connection ends before it begins is forgotten with it."""
        self._cursor: Cursor = 0
        self._bell = Bell()
        self._tasks = Tasks()
        self._is_open = False

    def start(self) -> None:
        """Begin to tell."""
        self._is_open = True
        self._store.on_event(self._happened)
        self._tasks.start(self._tell(), "events")

    async def stop(self) -> None:
        """End every connection, and refuse new ones."""
        self._is_open = False
        for follower in self._followers:
            follower.end(Ending.STOPPED)
        await self._tasks.cancel()

    async def _rendering(self) -> Renders:
        if self._renderer is None:
            self._renderer = self._make_renderer(await self._store.install_secret())
        return self._renderer

    async def place_of(self, event_id: str) -> Place | None:
        """Where the event with this id stands; None when it is not one of ours."""
        found = (await self._rendering()).ids.read(event_id)
        return None if found is None else Place(*found)

    def followers_of(self, customer: int) -> int:
        """How many connections of a customer follow, or are about to."""
        return sum(follower.wire.customer == customer for follower in self._present)

    def admit(self, follower: Follower) -> bool:
        """Count a connection that is about to follow, until it leaves; False: its customer may have no more."""
        if self.followers_of(follower.wire.customer) >= self.most:
            return False
        self._present.add(follower)
        return True

    def _happened(self) -> None:
        if self._followers:
            self._bell.ring()

    async def join(self, follower: Follower) -> None:
        """Offer the follower what happens from now on, until it leaves.

        Raises:
            StoreUnavailable: the store is away.
        """
        follower.seen = await self._store.newest_event()
        if not self._is_open:
            follower.end(Ending.STOPPED)
            return
        if not self._followers:
            self._cursor = follower.seen
        self._followers[follower] = None

    def leave(self, follower: Follower) -> None:
        """Offer nothing more."""
        self._followers.pop(follower, None)
        self._present.discard(follower)

    async def catch_up(self, follower: Follower, place: Place) -> AsyncIterator[Missed]:
        """What the follower wants of what came after ``place``, until it has joined and has seen the rest.

        It joins when little is left, so that only little has to wait for it meanwhile.

        Raises:
            StoreUnavailable: the store is away.
        """
        renderer = await self._rendering()
        cursor, joined, lost = place.before, False, False
        while True:
            page = await self._store.events_after(cursor, ROWS_PER_PAGE, {follower.wire.customer})
            rows = [row for row in page.rows if not joined or row.cursor <= follower.seen]
            missed = Missed(_missed(renderer, rows, follower, place), page.lost and not lost)
            cursor, more, lost = page.after, page.more, lost or page.lost
            del page, rows  # Nothing but the piece is kept while a slow client takes it.
            yield missed
            if joined and cursor >= follower.seen:
                return
            if not joined and not more:
                await self.join(follower)
                joined = True

    async def _tell(self) -> None:
        while True:
            await self._bell.wait(None)
            try:
                took = await self._round()
            except StoreUnavailable:
                self._bell.ring()
                took = AWAY_S
            except Exception as error:
                log("task_failed", logging.ERROR, error, task="events")
                took = AWAY_S
            await asyncio.sleep(min(max(ROUND_S, REST * took), LONGEST_REST_S))

    async def _round(self) -> float:
        """Tell what came since the last round; how long it held the loop, in s."""
        renderer = await self._rendering()
        wires = {follower.wire for follower in self._followers}
        told: dict[Wire, list[ClientEvent]] = {wire: [] for wire in wires}
        time = asyncio.get_running_loop().time
        took = 0.0
        for _ in range(PAGES_PER_ROUND):
            page = await self._store.events_after(self._cursor, ROWS_PER_PAGE, {wire.customer for wire in wires})
            began = time()
            self._cursor = page.after
            for wire in wires:
                told[wire] += _rendered(renderer, page.rows, wire)
            took += time() - began
            if not page.more:
                break
        else:
            self._bell.ring()
        began = time()
        await self._share(told)
        return took + time() - began

    async def _share(self, told: Mapping[Wire, Sequence[ClientEvent]]) -> None:
        """Put what happened where each follower takes it, in the same pieces for all that want the same."""
        groups: dict[tuple[Wire, Form, frozenset[str], frozenset[str]], list[Follower]] = {}
        for follower in self._followers:
            key = (follower.wire, follower.form, follower.topics, follower.hidden)
            groups.setdefault(key, []).append(follower)
        pieces = Pieces()
        turn = 0
        for members in groups.values():
            events = told.get(members[0].wire, ())
            turn += 1 + len(events) // AS_ONE
            if turn >= AT_ONCE:  # Also where nothing is wanted.
                turn = 0
                await asyncio.sleep(0)
            wanted = [event for event in events if members[0].wants(event)]
            if not wanted:
                continue
            shared = [members[0].form(wanted)] if len(members) >= SHARED_BY else pieces.of(members[0], wanted)
            for member in members:
                all_new = member.seen < wanted[0].cursor
                member.offer(*(shared if all_new else pieces.of(member, _unseen(member, wanted))))
                turn += 1
                if turn % AT_ONCE == 0:
                    await asyncio.sleep(0)
        await asyncio.sleep(0)


def _missed(renderer: Renders, rows: Sequence[OutboxRow], follower: Follower, place: Place) -> bytes:
    wanted = [event for event in _rendered(renderer, rows, follower.wire, place) if follower.wants(event)]
    return follower.form(wanted) if wanted else b""


def _unseen(follower: Follower, events: Sequence[ClientEvent]) -> list[ClientEvent]:
    return [event for event in events if event.cursor > follower.seen]


class Pieces:
    """The events of one round as each channel writes them, each once: all who wait for one share its memory."""

    def __init__(self) -> None:
        self._written: dict[tuple[Wire, Form, str], bytes] = {}

    def of(self, follower: Follower, events: Sequence[ClientEvent]) -> list[bytes]:
        """A piece for each event."""
        return [self._of(follower, event) for event in events]

    def _of(self, follower: Follower, event: ClientEvent) -> bytes:
        key = follower.wire, follower.form, event.id
        piece = self._written.get(key)
        if piece is None:
            piece = self._written[key] = follower.form([event])
        return piece


def _rendered(
    renderer: Renders, rows: Sequence[OutboxRow], wire: Wire, place: Place | None = None
) -> list[ClientEvent]:
    """The events of the wire's customer, without those up to ``place``."""
    events: list[ClientEvent] = []
    for row in rows:
        if row.customer == wire.customer:
            skip = place.position + 1 if place is not None and row.before == place.before else 0
            events += list(renderer.events(row, wire))[skip:]
    return events
