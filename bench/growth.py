"""How much an attempt adds to the file, and that the file stops growing where old history is removed."""

import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.apart import run_apart
from bench.bare import BareBooks
from bench.figures import Figure, divide, load_now
from outdialer.domain.units import Instant
from outdialer.engine.retention import DAY_US, Keep
from outdialer.engine.system import SystemClock
from outdialer.ports.retention import History
from outdialer.store.sqlite import retention

GENERATIONS = 5
DAYS_APART = 2
KEEP = Keep(events_days=1, attempts_days=1)
GROWTH_GOAL = 0.15
"""A person's row grows by some 55 bytes when it gets its outcome, an attempt takes 700."""
MIB = 1_048_576


def growth(folder: Path, *, long: bool) -> list[Figure]:
    """One list dialled in five generations two days apart, with and without removing what is over a day old."""
    return compare(folder, 1_000_000 if long else 30_000)


def compare(folder: Path, attempts: int) -> list[Figure]:
    """Both on lists of their own, which are on disk before the first attempt."""
    runs = {}
    for name, removing in (("for ever", False), ("removed", True)):
        path = str(folder / f"{name}.db")
        run_apart("bench.lists:make_list", path=path, targets=attempts)
        runs[name] = run_apart("bench.growth:generations", path=path, targets=attempts, removing=removing)
        Path(path).unlink()
    return figures(attempts, runs["for ever"], runs["removed"])


class ShiftedClock:
    """The machine's clock, some days ahead."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.days = 0

    def now(self) -> Instant:
        """The instant."""
        return self._clock.now() + self.days * DAY_US


def generations(path: str, targets: int, *, removing: bool) -> dict[str, Any]:
    """Dial a list, a part each generation; the file's growth in bytes and the seconds of the steps."""
    books = BareBooks(Path(path))
    books.clock = clock = ShiftedClock()  # type: ignore[assignment]
    books.database.execute("UPDATE trunks SET rate_per_s = 0, channels = 0")
    empty = _size(books, path)
    grown, steps = [], []
    removed, removing_cpu, dialing_cpu = 0, 0.0, 0.0
    for _ in range(GENERATIONS):
        started = time.process_time()
        _dial(books, targets // GENERATIONS)
        dialing_cpu += time.process_time() - started
        grown.append(_size(books, path) - empty)
        clock.days += DAYS_APART
        if removing:
            started = time.process_time()
            taken, gone = _remove(books, clock.now())
            removing_cpu += time.process_time() - started
            steps += taken
            removed += gone
    free = books.database.execute("PRAGMA freelist_count").fetchone()[0]
    books.database.close()
    return {
        "grown": grown,
        "steps": steps,
        "removed": removed,
        "free_pages": free,
        "cpu_us": removing_cpu / max(1, removed) * 1e6,
        "dialing_cpu_us": dialing_cpu / targets * 1e6,
    }


def _dial(books: BareBooks, attempts: int) -> None:
    while attempts > 0:
        intents = books.claim(min(200, attempts)).intents
        assert intents
        books.answer(intents)
        books.end(intents)
        books.fold()
        attempts -= len(intents)


def _remove(books: BareBooks, now: Instant) -> tuple[list[float], int]:
    """One round; the seconds that each step took, and the attempts removed."""
    taken: list[float] = []
    attempts = 0
    for history, before in KEEP.horizons(now):
        after: int | None = 0
        while after is not None:
            started = time.perf_counter()
            step = books._in_transaction(retention._STEPS[history], before, after)
            taken.append(time.perf_counter() - started)
            attempts += step.removed if history == History.ATTEMPTS else 0
            after = step.after
            books.fold()
    return taken, attempts


def _size(books: BareBooks, path: str) -> int:
    books.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return Path(path).stat().st_size


def later(run: Any) -> int:
    """Bytes that the file has grown since the end of the first generation."""
    return int(run["grown"][-1] - run["grown"][0])


def figures(attempts: int, kept: Any, removed: Any) -> list[Figure]:
    """Bytes of an attempt, the bound, and what removing costs."""
    growths = ", ".join(f"{size / MIB:.1f}" for size in removed["grown"])
    in_percent = quantiles(removed["steps"], n=100)
    return [
        Figure(
            name=f"growth {attempts:,}",
            what="what one answered attempt adds to the file: attempt, call, leg, three events, their indexes, "
            "and the outcome in its target",
            value=kept["grown"][-1] / attempts,
            unit="B",
            note=f"{attempts:,} attempts, nothing removed; the list itself is not counted",
            load=load_now(),
            detail=kept,
        ),
        Figure(
            name="growth bounded",
            what=f"growth of the file from the first to the last of {GENERATIONS} generations of "
            f"{attempts // GENERATIONS:,} attempts, each removed when it is a day old",
            value=later(removed) / MIB,
            unit="MiB",
            baseline=later(kept) / MIB,
            against="the same where nothing is removed",
            ratio=divide(later(removed), later(kept)),
            at_most=GROWTH_GOAL,
            note=f"MiB after each generation: {growths}; what is left is the list's: people get their outcome",
            load=load_now(),
            detail=removed,
        ),
        Figure(
            name="growth removing",
            what="CPU to remove one attempt with all that belongs to it",
            value=removed["cpu_us"],
            unit="us",
            baseline=removed["dialing_cpu_us"],
            against="CPU to plan, claim, answer and end one in the same run, batches of 200",
            ratio=divide(removed["cpu_us"], removed["dialing_cpu_us"]),
            note=f"{len(removed['steps']):,} transactions, each with its commit: median "
            f"{median(removed['steps']) * 1e3:.1f} ms, 99 of 100 within {in_percent[98] * 1e3:.1f} ms, "
            f"longest {max(removed['steps']) * 1e3:.1f} ms",
            load=load_now(),
        ),
    ]
