"""The part of the store in memory that keeps events."""

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from outdialer.domain.directory import KINDS, Agent, Entry
from outdialer.domain.model import Campaign, CampaignCall, Outdial, Outplan
from outdialer.domain.units import Instant
from outdialer.ports.events import AttemptNow, Cursor, EventPage, OutboxRow
from outdialer.ports.store import StoreUnavailable

NAMES: dict[type[Any], str] = {
    **KINDS,
    Agent: "agent",
    Campaign: "campaign",
    CampaignCall: "campaigncall",
    Outdial: "outdial",
    Outplan: "outplan",
}


class MemoryEvents:
    """The EventStore protocol over a list."""

    def __init__(self) -> None:
        self.outbox: list[OutboxRow] = []
        self.removed = 0
        """How many events from the first on are gone."""
        self.listeners: list[Callable[[], None]] = []
        self.away = False

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("disk full")

    def _happened(self, what: str, customer: int, row: Any, at: Instant) -> None:
        name = NAMES.get(type(row))
        if name is None:
            return
        shown = row.published if isinstance(row, Entry) else row
        payload = msgspec.json.encode(shown).decode()
        number = getattr(row, "version", 0)
        self.add(customer, f"{name}_{what}", at, number=number, subject=row.id, payload=payload)

    def add(self, customer: int, kind: str, at: Instant, **facts: Any) -> None:
        before = self.removed + len(self.outbox)
        places = {"before": before, "cursor": before + 1}
        self.outbox.append(OutboxRow(customer=customer, kind=kind, at=at, **{"number": 1, **places, **facts}))
        for notify in self.listeners:
            notify()

    def attempt_happened(self, customer: int, kind: str, at: Instant, now: AttemptNow) -> None:
        self.add(customer, kind, at, attempt=now)

    def forget(self, events: int) -> None:
        """Remove the oldest events."""
        del self.outbox[:events]
        self.removed += events

    def on_event(self, notify: Callable[[], None]) -> None:
        self.listeners.append(notify)

    async def newest_event(self) -> Cursor:
        self._check()
        return self.removed + len(self.outbox)

    async def events_after(self, cursor: Cursor, limit: int, customers: Collection[int] | None = None) -> EventPage:
        newest = await self.newest_event()
        behind = [row for row in self.outbox if row.cursor > cursor]
        walked = behind[:limit]
        return EventPage(
            rows=tuple(row for row in walked if customers is None or row.customer in customers),
            after=walked[-1].cursor if walked else newest,
            more=len(behind) > limit,
            lost=cursor > newest or cursor < self.removed,
        )
