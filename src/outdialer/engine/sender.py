"""Lets claimed intents out at their slots, one emission interval apart at the wire.

The slots come from the planner and are on the books. What happens here is time only: wait for the slot, keep the
distance to the INVITE before (a late one pushes the next back, so that a rate is never exceeded even by jitter),
and give up a slot that was missed.
"""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from msgspec import Struct

from outdialer.domain.limits import interval
from outdialer.domain.plan import SEND_WINDOW_US
from outdialer.domain.snapshot import Snapshot
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant
from outdialer.ports.clock import Clock
from outdialer.ports.store import Intent

EARLY_US = 500
"""A timer may fire this much early; the wait is not worth another one."""


class Pace(Struct):
    """What one scope's last INVITE says about the next one."""

    gap: int = 0
    """Microseconds between two INVITEs; 0: no limit."""
    last_sent: int | None = None
    """In the loop's time, in microseconds: the clock may be set a little between two INVITEs, the wire is not."""
    lag: int = SEND_WINDOW_US
    """Microseconds that the last INVITE left after its slot; the most it can be where an earlier life sent it."""

    def wait(self, even: int) -> int:
        """Microseconds until the next INVITE may leave, when the loop's time is ``even``."""
        return 0 if self.last_sent is None else max(0, self.last_sent + self.gap - even)


class Sender:
    """The intents that wait for their slots."""

    def __init__(self, clock: Clock, send: Callable[[Intent, Instant], None], missed: Callable[[Intent], None]) -> None:
        self._clock = clock
        self._send = send
        self._missed = missed
        self._waiting: list[tuple[Instant, int, int, Instant, Intent]] = []
        """(when to look at it, tie-breaker, how much before that is early enough, its slot, the intent), as a heap."""
        self._sequence = count()
        self._paces: dict[tuple[str, int], Pace] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many intents wait."""
        return len(self._waiting)

    def learn_rates(self, snapshot: Snapshot) -> None:
        """Keep the distances of the trunks' and campaigns' current rates."""
        for trunk in snapshot.trunks:
            self._pace("trunk", trunk.key).gap = interval(trunk.rate_per_s)
        for campaign in snapshot.campaigns:
            self._pace("campaign", campaign.key).gap = interval(campaign.rate_per_s)

    def lag(self, kind: str, key: int, rate_per_s: float) -> int:
        """Microseconds by which the scope's INVITEs run behind their slots; the planner reserves that much later.

        0 where there is no rate to keep: a campaign that waited for nothing would lose its turns on the trunk.
        """
        return self._pace(kind, key).lag if rate_per_s > 0 else 0

    def schedule(self, intents: list[tuple[Intent, Instant]]) -> None:
        """Send each intent at its slot."""
        for intent, slot in intents:
            heapq.heappush(self._waiting, (slot, next(self._sequence), EARLY_US, slot, intent))
        self._arm()

    def take_all(self) -> list[Intent]:
        """Give back everything that waits: none of it will be sent."""
        taken = [intent for *_, intent in self._waiting]
        self._waiting.clear()
        self._arm()
        return taken

    def _pace(self, kind: str, key: int) -> Pace:
        pace = self._paces.get((kind, key))
        if pace is None:
            pace = self._paces[kind, key] = Pace()
        return pace

    def _even(self) -> int:
        return round(asyncio.get_running_loop().time() * MICROSECONDS_PER_SECOND)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            delay = max(0, self._waiting[0][0] - self._clock.now()) / MICROSECONDS_PER_SECOND
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        try:
            self._let_out_due()
        finally:
            self._arm()

    def _let_out_due(self) -> None:
        while self._waiting:
            now = self._clock.now()
            if self._waiting[0][0] > now + self._waiting[0][2]:
                break
            *_, slot, intent = heapq.heappop(self._waiting)
            self._let_out(intent, slot, now)

    def _let_out(self, intent: Intent, slot: Instant, now: Instant) -> None:
        line = intent.claim.line
        trunk, campaign = self._pace("trunk", line.trunk), self._pace("campaign", line.campaign)
        even = self._even()
        earliest = now + max(trunk.wait(even), campaign.wait(even))
        if now > slot + SEND_WINDOW_US or earliest > slot + SEND_WINDOW_US:
            trunk.lag = campaign.lag = 0
            self._missed(intent)
        elif earliest > now:
            heapq.heappush(self._waiting, (earliest, next(self._sequence), 0, slot, intent))
        else:
            self._send(intent, slot)
            # Not before: the distance is kept between packets, not between decisions.
            sent, even = self._clock.now(), self._even()
            for pace in (trunk, campaign):
                pace.last_sent = even
                pace.lag = max(0, sent - slot) if pace.gap else 0
