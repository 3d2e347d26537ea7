"""Worlds by the seed, one after the other or in several processes, and what people are told about those that fail."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from msgspec import Struct

from outdialer.simulation.checkers import Violation, judge
from outdialer.simulation.trace import Entry, ladder
from outdialer.simulation.world import World, clean_up
from outdialer.store.sqlite.check import check

LAST_ENTRIES = 50
SHARED_MEMORY = Path("/dev/shm")
"""A disk that needs no fsync, where the system has one."""
COMMAND = "python tools/simulate.py --seeds {seed}"


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a seed's world."""

    seed: int
    digest: str
    """A hash of the whole trace."""
    violations: tuple[str, ...]
    entries: int
    invites: int
    lives: int
    minutes: float
    """Of virtual time."""
    marks: dict[str, int]
    """How often each kind of thing happened, so that a test can ask whether it was reached at all."""
    last: str = ""
    """The end of the trace as a ladder, where something was violated."""

    def report(self) -> str:
        """What a person needs to look into it."""
        found = "\n".join(f"  {violation}" for violation in self.violations[:20])
        more = f"\n  and {len(self.violations) - 20} more" if len(self.violations) > 20 else ""
        return f"seed {self.seed}\n{found}{more}\n{self.last}\nreplay: {COMMAND.format(seed=self.seed)}"


def run_seed(seed: int, last: int = LAST_ENTRIES, *, always: bool = False) -> Outcome:
    """Run one world and judge it; of a trace that fails (or ``always``), keep so many of its ``last`` entries."""
    folder = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="outdialer-simulation-", dir=folder) as name:
        path = Path(name) / "books.db"
        world = World(seed, path)
        world.run()
        judged = judge(world.trace.entries, path)
        found = [*world.problems, *map(str, judged), *(f"store: {line}" for line in check(path))]
        clean_up(path)
    entries = world.trace.entries
    return Outcome(
        seed=seed,
        digest=world.trace.digest(),
        violations=tuple(found),
        entries=len(entries),
        invites=sum(entry.kind == "invite" for entry in entries),
        lives=sum(entry.kind == "life" for entry in entries),
        minutes=world.timeline.now / 60_000_000,
        marks=_marks(entries),
        last=ladder(_until_first(entries, judged)[-last:]) if found or always else "",
    )


def _until_first(entries: list[Entry], judged: list[Violation]) -> list[Entry]:
    """The entries up to the first violation, which is what people want to see the way to."""
    first = min((violation.at for violation in judged), default=None)
    return entries if first is None else [entry for entry in entries if entry.at <= first]


def _marks(entries: list[Entry]) -> dict[str, int]:
    marks: Counter[str] = Counter()
    for entry in entries:
        named = next((name for name in _TELLING if name in entry.about), None)
        marks[f"{entry.kind}: {entry.about[named]}" if named else entry.kind] += 1
    return dict(marks)


_TELLING = ("why", "detail", "event", "of", "order", "by_s", "state", "what")
"""The facts that tell two entries of one kind apart."""


def run_seeds(seeds: Iterable[int], processes: int = 0) -> Iterator[Outcome]:
    """Run many worlds; ``processes`` 0: as many as there are processors. The order is that of ``seeds``."""
    wanted = processes or os.cpu_count() or 1
    if wanted == 1:
        yield from map(run_seed, seeds)
        return
    with ProcessPoolExecutor(wanted, mp_context=get_context("spawn")) as pool:
        yield from pool.map(run_seed, seeds, chunksize=5)
