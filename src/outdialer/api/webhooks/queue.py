"""The queue of one endpoint: what may be sent now, in which order, and what has to be written down. No clock, no I/O.

Events of one object form a line; only the first of a line is sent, so that none overtakes an earlier one. What was
sent and failed waits for its next try, and with it everything behind it in its line; what waits is written down. The
cursor follows the oldest event that is neither delivered nor written down: after a crash everything behind it is read
from the outbox again.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct

from outdialer.api.webhooks.schedule import TROUBLED_AFTER, next_try, pause_until
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Id, Instant
from outdialer.ports.events import Cursor
from outdialer.ports.webhooks import Endpoint, Progress, Waiting

AT_ONCE = 8
"""Deliveries to one endpoint at the same time."""
MOST_FRESH = 256
"""Events that are taken from the outbox and neither delivered nor written down."""
MOST_WAITING = 10_000
"""Events of one endpoint altogether; when they are reached, the rest stays in the outbox."""
MOST_WAITING_BYTES = 50_000_000
"""Of what is sent of them."""
LATE_FOR_US = 3_600 * MICROSECONDS_PER_SECOND
"""How long an endpoint may be behind everything that is kept: time to catch up after a rest."""
GONE = 410
"""The receiver wants nothing any more (Standard Webhooks)."""
SLOW_DOWN = (429, 503)
"""With these, ``Retry-After`` speaks for all deliveries."""


class _Row(Struct):
    """A row of the outbox with the number of its events that are not settled."""

    after: Cursor
    open: int


class Item(Struct, eq=False):
    """One event on its way to one endpoint."""

    event_id: str
    type: str
    subject: Id
    body: bytes | None
    """None: it is on the books."""
    due: Instant
    size: int
    """Of the body, in bytes, wherever it is."""
    row: _Row | None = None
    """Where it comes from, until it is settled."""
    tries: int = 0
    first_try: Instant | None = None
    last_try: Instant | None = None
    code: int = 0
    why: str = ""

    @property
    def stored(self) -> bool:
        """Whether it is written down, or will be with the next progress."""
        return self.row is None

    def waiting(self) -> Waiting:
        """As the books keep it."""
        return Waiting(
            event_id=self.event_id,
            type=self.type,
            subject=self.subject,
            body=self.body or b"",
            size=self.size,
            tries=self.tries,
            first_try=self.first_try,
            last_try=self.last_try,
            due=self.due,
            code=self.code,
            why=self.why,
        )


class Event(Struct, frozen=True):
    """An event that an endpoint wants."""

    id: str
    type: str
    subject: Id
    body: bytes


class Outcome(Struct, frozen=True):
    """What came of a try."""

    code: int = 0
    """The status code that the receiver answered; 0: none."""
    why: str = ""
    """Why the event counts as not taken; "" when it was taken."""
    not_before: Instant = 0
    """What ``Retry-After`` asked for; 0: nothing."""


class EndpointQueue:
    """What is on its way to one endpoint."""

    def __init__(self, endpoint: Endpoint, waiting: Sequence[Waiting] = ()) -> None:
        self.endpoint = endpoint
        self.read: Cursor = endpoint.cursor
        """How far the outbox was read."""
        self.read_at: Instant = 0
        """When what was read last had happened; when it was read, if nothing followed it."""
        self.late_since: Instant | None = None
        self.disabled = ""
        """Why nothing is sent any more."""
        self._cursor = endpoint.cursor
        self._rows: deque[_Row] = deque()
        self._items: dict[str, Item] = {}
        self._lines: dict[Id, deque[Item]] = {}
        self._heads: list[tuple[Instant, int, Item]] = []
        self._pushed = 0
        self._flying = 0
        self._fresh = 0
        self._bytes = 0
        self._failures = 0
        self._failing_since = endpoint.failing_since
        self._paused_until: Instant = 0
        self._put: dict[str, Item] = {}
        self._gone: dict[str, None] = {}
        self._kept = (self._cursor, self._failing_since, self.disabled)
        for one in waiting:
            self._join(_item(one))

    def __len__(self) -> int:
        return len(self._items)

    @property
    def room(self) -> int:
        """How many more events may be offered."""
        if self.disabled or self._bytes >= MOST_WAITING_BYTES:
            return 0
        return max(0, min(MOST_FRESH - self._fresh, MOST_WAITING - len(self._items)))

    def offer(self, after: Cursor, events: Iterable[Event], now: Instant) -> None:
        """Take the next row of the outbox, which ends at ``after``, with those of its events that are wanted."""
        row = _Row(after, 0)
        self._rows.append(row)
        for event in events:
            if event.id in self._items:
                continue
            row.open += 1
            self._fresh += 1
            self._join(Item(event.id, event.type, event.subject, event.body, now, len(event.body), row))
        self.read = after
        self._move_cursor()

    def check_pace(self, oldest_kept: Instant, now: Instant) -> bool:
        """Whether the endpoint is disabled from now on, because for an hour it has been behind all that is kept.

        To be asked again and again while there may be something to read.
        """
        if self.disabled or self.read_at >= oldest_kept:
            self.late_since = None
            return False
        self.late_since = self.late_since or now
        if now - self.late_since < LATE_FOR_US:
            return False
        self.disabled = "it takes events too slowly: the next one is older than events are kept"
        return True

    def _join(self, item: Item) -> None:
        self._items[item.event_id] = item
        self._bytes += item.size
        line = self._lines.setdefault(item.subject, deque())
        line.append(item)
        if len(line) == 1:
            self._push(item)
        elif line[0].stored and not item.stored:
            self._store(item)

    def _push(self, item: Item) -> None:
        self._pushed += 1
        heapq.heappush(self._heads, (item.due, self._pushed, item))

    def _store(self, item: Item) -> None:
        """Let an item be written down; it is settled with that."""
        self._put[item.event_id] = item
        self._settle(item)

    def _settle(self, item: Item) -> None:
        if item.row is not None:
            item.row.open -= 1
            item.row = None
            self._fresh -= 1
            self._move_cursor()

    def _move_cursor(self) -> None:
        while self._rows and not self._rows[0].open:
            self._cursor = self._rows.popleft().after

    def next(self, now: Instant) -> Item | None:
        """What is to be sent now; its outcome must be told with ``delivered``,
        ``failed``, ``unsent`` or ``dropped``."""
        at = self.wakes_at()
        if at is None or at > now:
            return None
        self._flying += 1
        return heapq.heappop(self._heads)[2]

    def wakes_at(self) -> Instant | None:
        """When ``next`` may have something, if nothing else happens before; None: not by itself."""
        most = AT_ONCE if self._failures < TROUBLED_AFTER else 1
        if self.disabled or not self._heads or self._flying >= most:
            return None
        return max(self._heads[0][0], self._paused_until)

    def delivered(self, item: Item) -> None:
        """The receiver has taken it."""
        self._flying -= 1
        self._failures = 0
        self._failing_since = None
        self._remove(item)

    def _remove(self, item: Item) -> None:
        if item.stored:
            self._put.pop(item.event_id, None)
            self._gone[item.event_id] = None
        self._settle(item)
        del self._items[item.event_id]
        self._bytes -= item.size
        line = self._lines[item.subject]
        line.popleft()
        if line:
            self._push(line[0])
        else:
            del self._lines[item.subject]

    def dropped(self, item: Item) -> None:
        """The books do not know it any more: there is nothing to send."""
        self._flying -= 1
        self._remove(item)

    def unsent(self, item: Item, due: Instant) -> None:
        """It could not be tried for reasons of our own."""
        self._flying -= 1
        item.due = due
        self._push(item)

    def failed(self, item: Item, outcome: Outcome, now: Instant, chance: float) -> bool:
        """The receiver has not taken it; whether it is given up. ``chance``: a random number from 0 to 1."""
        self._flying -= 1
        self._note(item, outcome, now)
        self._slow_down(outcome, now, chance)
        due = next_try(item.tries, now, chance)
        if due is None and self._failing_since is not None and self._failing_since > (item.first_try or 0):
            self._remove(item)
            return True
        item.due = max(due or now, outcome.not_before)
        for one in self._lines[item.subject]:
            if one is item or not one.stored:
                self._store(one)
        self._push(item)
        if outcome.code == GONE:
            self.disabled = "the receiver answered 410"
        elif due is None:
            self.disabled = f"nothing was taken during {item.tries} tries of an event; the last: {outcome.why}"
        return False

    def _note(self, item: Item, outcome: Outcome, now: Instant) -> None:
        item.tries += 1
        item.first_try = item.first_try or now
        item.last_try = now
        item.code, item.why = outcome.code, outcome.why
        self._failing_since = self._failing_since or now

    def _slow_down(self, outcome: Outcome, now: Instant, chance: float) -> None:
        """Leave the endpoint alone for a while; failures of deliveries that were under way already count once."""
        if now >= self._paused_until:
            self._failures += 1
            self._paused_until = pause_until(self._failures, now, chance)
        if outcome.code in SLOW_DOWN:
            self._paused_until = max(self._paused_until, outcome.not_before)

    def take_progress(self) -> Progress | None:
        """What has changed since the last time; None: nothing. It has to be written down."""
        state = (self._cursor, self._failing_since, self.disabled)
        if state == self._kept and not self._put and not self._gone:
            return None
        progress = Progress(
            customer=self.endpoint.customer,
            endpoint=self.endpoint.id,
            cursor=self._cursor,
            failing_since=self._failing_since,
            disabled=self.disabled,
            put=tuple(item.waiting() for item in self._put.values()),
            gone=tuple(self._gone),
        )
        self._kept = state
        self._put, self._gone = {}, {}
        return progress

    def kept(self, progress: Progress) -> None:
        """Progress is on the books: what is sent of it need not be remembered here too."""
        for one in progress.put:
            item = self._items.get(one.event_id)
            if item is not None and item.stored and item.event_id not in self._put:
                item.body = None


def _item(one: Waiting) -> Item:
    return Item(
        one.event_id,
        one.type,
        one.subject,
        None,
        one.due,
        one.size,
        tries=one.tries,
        first_try=one.first_try,
        last_try=one.last_try,
        code=one.code,
        why=one.why,
    )
