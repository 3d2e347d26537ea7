"""Removing old history from a store, in small steps. Implemented by ``outdialer.store.sqlite.store.SqliteStore``."""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from outdialer.domain.units import Instant


class History(StrEnum):
    """What grows with every call, in the order in which it is removed."""

    EVENTS = "events"
    ATTEMPTS = "attempts"
    """With their calls and legs."""
    DECISIONS = "decisions"
    CAMPAIGN_VERSIONS = "campaign_versions"
    OUTPLAN_VERSIONS = "outplan_versions"
    REQUESTS = "requests"
    """With an Idempotency-Key."""


class Pruned(Struct, frozen=True):
    """What one step of removing did."""

    removed: int
    """Rows of that history that are gone, for good."""
    after: int | None
    """Where the next step begins; None: there is nothing more to remove behind here."""


class RetentionStore(Protocol):
    """Removing old history while the engine works."""

    async def prune(self, history: History, before: Instant, after: int) -> Pruned:
        """Remove what is older than ``before`` among the next few hundred rows behind the store key ``after``.

        One short transaction of its own. Steps of one round begin at 0 and keep their ``before``. A live attempt,
        an attempt of a target that may still be dialled, and whatever an attempt on the books refers to stay.
        """
