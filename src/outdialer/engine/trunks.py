"""The trunks as the engine uses them: where to send, and whether to leave one alone for a while."""

import logging

from msgspec.structs import replace

from outdialer.domain import breaker as breakers
from outdialer.domain.breaker import Breaker
from outdialer.domain.model import Trunk
from outdialer.domain.snapshot import TrunkView
from outdialer.domain.units import Instant
from outdialer.engine.lifecycle import Tasks
from outdialer.ports.carrier import Peer
from outdialer.ports.store import DialerStore, StoreUnavailable
from outdialer.telemetry import log

EXPLAINED = {
    "refused-address": "refused-address: the trunk is not on this machine, and the server runs without --live",
    "unresolved": "unresolved: the trunk's host name has no address",
}
"""What a carrier's words for a trunk that cannot be used mean."""


class Trunks:
    """One customer's trunks, by store key."""

    def __init__(self, store: DialerStore, customer: int, tasks: Tasks) -> None:
        self._store = store
        self._customer = customer
        self._tasks = tasks
        self._trunks: dict[int, Trunk] = {}
        self._breakers: dict[int, Breaker] = {}

    async def refresh(self) -> None:
        """Read the trunks again."""
        self._trunks = {row.key: row.trunk for row in await self._store.trunks(self._customer)}

    def knows(self, trunk: int) -> bool:
        """Whether the trunk was there at the last refresh."""
        return trunk in self._trunks

    def peer(self, trunk: int) -> Peer:
        """Where the INVITEs of a trunk go."""
        return peer_of(trunk, self._trunks[trunk])

    def completed(self, view: TrunkView, lag: int) -> TrunkView:
        """The planner's picture of a trunk with its breaker, and its slots ``lag`` microseconds later."""
        if view.key not in self._breakers and view.probing:
            # An earlier life of the engine left it alone.
            self._breakers[view.key] = Breaker(pauses=1, open_until=view.paused_until, reason=view.pause_reason)
        breaker = self.breaker(view.key)
        return replace(
            view,
            next_slot=view.next_slot + lag,
            paused_until=breaker.open_until,
            pause_reason=breaker.reason,
            probing=breaker.probing,
        )

    def breaker(self, trunk: int) -> Breaker:
        """The trunk's breaker as it stands."""
        return self._breakers.get(trunk, Breaker())

    def answered(self, trunk: int, sip_code: int, retry_after_s: int, now: Instant) -> None:
        """A final answer (0: none) came to an INVITE on the trunk."""
        self._change(trunk, breakers.after_answer(self.breaker(trunk), sip_code, retry_after_s, now), now)

    def unusable(self, trunk: int, why: str, now: Instant) -> None:
        """The trunk's address could not be used at all."""
        self._change(trunk, breakers.after_failure(self.breaker(trunk), EXPLAINED.get(why, why), now), now)

    def _change(self, trunk: int, after: Breaker, now: Instant) -> None:
        before = self.breaker(trunk)
        if after == before:
            return
        self._breakers[trunk] = after
        if after.reason == before.reason and after.open_until == before.open_until:
            return
        if after.reason:
            log("trunk_paused", logging.WARNING, trunk=trunk, why=after.reason, until=after.open_until)
        else:
            log("trunk_reopened", trunk=trunk)
        self._tasks.start(self._write(trunk, after, now), "trunk pause")

    async def _write(self, trunk: int, breaker: Breaker, now: Instant) -> None:
        try:
            await self._store.set_trunk_pause(self._customer, trunk, breaker, now)
        except StoreUnavailable as error:
            log("store_unavailable", logging.ERROR, why=str(error))


def peer_of(key: int, trunk: Trunk) -> Peer:
    """The sender's view of a stored trunk."""
    return Peer(
        trunk=key,
        host=trunk.host,
        port=trunk.port,
        domain=trunk.domain,
        prefix=trunk.prefix,
        postfix=trunk.postfix,
        headers=trunk.headers,
        username=trunk.username,
        password_file=trunk.password_file,
        realm=trunk.realm,
        max_ring_ms=trunk.max_ring_ms,
    )
