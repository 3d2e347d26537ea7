"""Small pieces for the tests of the engine's parts: intents, keys, terms, and a store that does as told."""

import asyncio
from collections.abc import Sequence
from typing import Any

from outdialer.domain.breaker import Breaker
from outdialer.domain.campaign import CampaignStatus
from outdialer.domain.model import Trunk
from outdialer.domain.plan import Line
from outdialer.domain.snapshot import OutplanTerms
from outdialer.domain.units import Instant
from outdialer.ports.store import AttemptChange, AttemptKeys, Claim, Intent, StoreUnavailable, TrunkRow

__all__ = ["CampaignStatus", "FakeStore", "TestClock", "an_intent", "keys", "terms"]


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self, now: Instant = 1_800_000_000_000_000) -> None:
        self.time = now

    def now(self) -> Instant:
        return self.time


def a_line(n: int = 1, *, campaign: int = 1, trunk: int = 1, slot: Instant = 0) -> Line:
    return Line(
        campaign=campaign,
        campaign_version=1,
        outplan_version=1,
        outdial=1,
        target=n,
        target_version=1,
        index=0,
        try_count=1,
        destination="+12025550123",
        number="+12025550123",
        trunk=trunk,
        slot=slot,
        covered_by="flow",
    )


def an_intent(n: int, *, campaign: int = 1, trunk: int = 1) -> Intent:
    """The n-th intent; its store keys are ``n`` too."""
    claim = Claim(a_line(n, campaign=campaign, trunk=trunk), bytes(15) + b"a", bytes(15) + b"c", bytes(15) + b"f")
    return Intent(claim=claim, attempt=n, call=n, leg=n)


def keys(n: int = 1, *, trunk: int = 1) -> AttemptKeys:
    return AttemptKeys(attempt=n, call=n, leg=n, campaign=1, outdial=1, target=n, trunk=trunk, index=0)


def terms(**changes: Any) -> OutplanTerms:
    given: dict[str, Any] = {
        "key": 1,
        "dial_timeout_ms": 30_000,
        "try_interval_ms": 60_000,
        "max_tries": (3, 0, 0, 0, 0),
    }
    return OutplanTerms(**(given | changes))


class FakeStore:
    """What recorder and trunks ask of a store; fails as often as told, and then works."""

    def __init__(self) -> None:
        self.failures = 0
        self.poison: int | None = None
        """The attempt of which no change can be written."""
        self.recorded: list[AttemptChange] = []
        self.batches: list[int] = []
        self.pauses: list[Breaker] = []
        self.written = asyncio.Event()
        self.rows = [TrunkRow(1, Trunk(id=bytes(16), host="127.0.0.1"))]

    def _may_fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("disk full")

    async def record(self, customer: int, changes: Sequence[AttemptChange]) -> list[int]:
        self._may_fail()
        if any(change.keys.attempt == self.poison for change in changes):
            raise ValueError("a change that makes no sense")
        self.batches.append(len(changes))
        self.recorded.extend(changes)
        self.written.set()
        return [change.keys.attempt for change in changes]

    async def trunks(self, customer: int) -> list[TrunkRow]:
        return self.rows

    async def set_trunk_pause(self, customer: int, trunk: int, breaker: Breaker, now: Instant) -> None:
        self._may_fail()
        self.pauses.append(breaker)
        self.written.set()
