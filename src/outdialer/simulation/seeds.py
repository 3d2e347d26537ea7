"""What a seed means: its streams of chance, its identifiers and its mixture of troubles."""

import random

from msgspec import Struct

from outdialer.carriers.simulator.behaviours import Behaviour, Kind, Mix, Share
from outdialer.domain.units import Id, Instant, Milliseconds
from outdialer.engine.system import uuid7


def stream(seed: int, concern: str) -> random.Random:
    """The chance of one concern: more of one does not reshuffle the others."""
    return random.Random(f"{seed}:{concern}")


class SeededIds:
    """Implements ``ports.clock.Ids`` from a stream of chance."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def new(self, now: Instant) -> Id:
        """A UUID version 7 whose random part comes from the seed."""
        return uuid7(now, self._chance.randbytes(10))


class Mixture(Struct, frozen=True, kw_only=True):
    """The troubles of one world. Each seed draws its own, and leaves some out. ``_every_s`` is a mean; 0: never."""

    length_s: int
    """How long troubles go on; then they stop, and everything must come to its end."""
    crash_every_s: float
    crash_at_point: float
    """Share of crashes that wait for a named point of an attempt."""
    restart_every_s: float
    """Orderly ends: drain, stop, start again."""
    down_ms: Milliseconds
    """How long no engine runs after its end, at most."""
    loss: float
    """Share of datagrams lost."""
    late: float
    """Share of answers to an INVITE that are held up for as much as 40 s."""
    black_hole: float
    """Share of INVITEs that never arrive."""
    deaf: float
    """Share of requests of a new life about calls of an earlier one, to which no answer comes through."""
    unusable: float
    """Share of INVITEs that the carrier cannot send."""
    slow_store: float
    """Share of writes that take as long as 600 ms."""
    lost_commit: float
    """Share of writes that are committed, and whose acknowledgement is lost."""
    away_every_s: float
    """The store cannot be reached for up to 20 s."""
    media_every_s: float
    no_port: float
    """Share of calls for which there is no RTP port."""
    operator_every_s: float
    clock_every_s: float


def mixture(seed: int) -> Mixture:
    """The troubles of a seed."""
    chance = stream(seed, "mixture")

    def some(*values: float) -> float:
        return chance.choice((0, 0, *values))

    return Mixture(
        length_s=chance.choice((120, 300, 600, 1_200)),
        crash_every_s=some(20, 60, 150, 400),
        crash_at_point=chance.choice((0.0, 0.5, 1.0)),
        restart_every_s=some(120, 400),
        down_ms=chance.choice((300, 5_000, 40_000, 240_000)),
        loss=some(0.05, 0.25),
        late=some(0.1, 0.4),
        black_hole=some(0.05, 0.3),
        deaf=some(0.3, 1.0),
        unusable=some(0.05),
        slow_store=some(0.02, 0.2),
        lost_commit=some(0.02, 0.2),
        away_every_s=some(60, 200),
        media_every_s=some(60, 200),
        no_port=some(0.1),
        operator_every_s=some(5, 20, 60),
        clock_every_s=some(20, 100),
    )


_PEOPLE = (
    Behaviour(kind=Kind.ANSWER, ring_after_ms=400, final_after_ms=4_000),
    Behaviour(kind=Kind.HANGUP, ring_after_ms=400, final_after_ms=6_000, hang_up_after_ms=3_000),
    Behaviour(kind=Kind.BUSY, status=486, ring_after_ms=None, final_after_ms=100),
    Behaviour(kind=Kind.DECLINE, status=603, final_after_ms=2_000),
    Behaviour(kind=Kind.NO_ANSWER, final_after_ms=None),
    Behaviour(kind=Kind.LATE, final_after_ms=19_000),
    Behaviour(kind=Kind.OVERLOADED, status=503, ring_after_ms=None, final_after_ms=20, retry_after_s=5),
)


def people(seed: int) -> Mix:
    """A town whose people answer, refuse and hang up in shares of the seed's own."""
    chance = stream(seed, "people")
    weights = [chance.choice((0, 1, 3, 8)) for _ in _PEOPLE]
    weights[0] += 1
    shares = [
        Share(weight=weight, behaviours=(behaviour,), final_spread_ms=2_000, hang_up_spread_ms=4_000)
        for weight, behaviour in zip(weights, _PEOPLE, strict=True)
        if weight
    ]
    return Mix(shares=tuple(shares))
