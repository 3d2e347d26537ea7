"""The whole engine on the simulated carrier and the embedded store, against the store's own SQL driven bare."""

import shutil
from pathlib import Path
from statistics import median
from typing import Any

from bench.apart import run_apart
from bench.figures import Figure, divide, load_now

ROUNDS = 3
BARE_GOAL = 0.3


def engine(folder: Path, *, long: bool) -> list[Figure]:
    """Attempts a second, each claimed, answered and ended durably; and what one costs in yardsticks."""
    targets = 100_000 if long else 20_000
    return compare(folder, targets, ROUNDS)


def compare(folder: Path, targets: int, rounds: int) -> list[Figure]:
    """Bare store and whole engine in turn on copies of one list, ``rounds`` times."""
    run_apart("bench.lists:make_list", path=str(folder / "list.db"), targets=targets)
    bare: list[Any] = []
    whole: list[Any] = []
    yards: list[float] = []
    for number in range(rounds):
        yard = folder / f"yard-{number}"
        yard.mkdir()
        yards.append(run_apart("bench.bare:yardstick", folder=str(yard))["seconds"])
        bare.append(run_apart("bench.bare:drive", path=_copy(folder, number)))
        whole.append(run_apart("bench.whole_engine:simulate", path=_copy(folder, number), attempts=targets))
    return figures(bare, whole, yards)


def _copy(folder: Path, number: int) -> str:
    """A fresh copy of the list."""
    path = folder / f"run-{number}.db"
    for left in folder.glob(f"{path.name}*"):
        left.unlink()
    shutil.copyfile(folder / "list.db", path)
    return str(path)


def figures(bare: list[Any], whole: list[Any], yards: list[float]) -> list[Figure]:
    """Medians of the rounds, as ratios."""
    ceiling, rate = median(map(per_second, bare)), median(map(per_second, whole))
    yard = median(yards)
    cost, bare_cost = 1 / rate / yard, 1 / ceiling / yard
    attempts = int(whole[0]["attempts"])
    detail = {
        "attempts": attempts,
        "cpu_us_per_attempt": median(map(cpu_us, whole)),
        "bare_cpu_us_per_attempt": median(map(cpu_us, bare)),
        "yardstick_s": yard,
    }
    return [
        Figure(
            name="engine",
            what="attempts a second, each claimed, answered and ended durably",
            value=rate,
            unit="att/s",
            baseline=ceiling,
            against="the store's own transaction functions on one connection, batches of 200, no engine",
            ratio=divide(rate, ceiling),
            at_least=BARE_GOAL,
            note=f"{attempts:,} targets; CPU {detail['cpu_us_per_attempt']:.0f} us an attempt (all threads), "
            f"bare {detail['bare_cpu_us_per_attempt']:.0f} us; medians of {len(whole)} rounds",
            load=load_now(),
            detail=detail,
        ),
        Figure(
            name="engine yardstick",
            what="what one attempt costs, in yardsticks (one insert of 200 rows of 1 KB with its commit)",
            value=cost,
            unit="yards",
            baseline=bare_cost,
            against="the bare store's cost of an attempt, in the same yardsticks",
            note=f"one yardstick took {yard * 1_000:.2f} ms",
            load=load_now(),
            detail=detail,
        ),
    ]


def per_second(run: Any) -> float:
    """Attempts a second of one run."""
    return float(run["attempts"] / run["seconds"])


def cpu_us(run: Any) -> float:
    """Microseconds of CPU for each attempt of one run."""
    return float(run["cpu"] / run["attempts"] * 1e6)
