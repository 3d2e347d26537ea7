"""Whether an attempt out of a long list costs what one out of a short list costs."""

import shutil
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from bench.apart import run_apart
from bench.engine import cpu_us
from bench.figures import Figure, divide, load_now

CACHE_KIB = 16_000
ROUNDS = 5
SHORT_ROUNDS = 3
ATTEMPTS = 20_000
"""Enough to fill the page cache on either side, so that memory can be compared."""
SHORT_LIST = 10_000
CPU_GOAL = 0.8
MEMORY_GOAL = 1.1


def flat(folder: Path, *, long: bool) -> list[Figure]:
    """The first attempts out of a long list against as many out of a list of 10,000, in turn."""
    if not long:
        return compare(folder, 200_000, SHORT_LIST, ATTEMPTS, SHORT_ROUNDS)
    return [
        *compare(folder, 1_000_000, SHORT_LIST, ATTEMPTS, ROUNDS),
        *compare(folder, 10_000_000, SHORT_LIST, ATTEMPTS, ROUNDS),
    ]


def compare(folder: Path, long_list: int, short_list: int, attempts: int, rounds: int) -> list[Figure]:
    """Alternate ``rounds`` times between the two lists, each time from a fresh copy.

    A list that has fewer people than attempts are wanted is followed by another of its size in the same file.
    """
    for targets in (long_list, short_list):
        lists = max(1, ceil(attempts / targets))
        run_apart("bench.lists:make_list", path=str(folder / f"{targets}.db"), targets=targets, lists=lists)
    longs, shorts = [], []
    for _ in range(rounds):
        longs.append(_dial(folder, long_list, attempts))
        shorts.append(_dial(folder, short_list, attempts))
    (folder / f"{long_list}.db").unlink()
    (folder / f"{short_list}.db").unlink()
    return figures(f"{long_list:,}", f"{short_list:,}", longs, shorts)


def _dial(folder: Path, targets: int, attempts: int) -> Any:
    """The first attempts out of a fresh copy."""
    path = folder / "run.db"
    shutil.copyfile(folder / f"{targets}.db", path)
    run = run_apart("bench.whole_engine:simulate", path=str(path), attempts=attempts, cache_kib=CACHE_KIB)
    for left in folder.glob("run.db*"):
        left.unlink()
    return run


def figures(long_list: str, short_list: str, longs: list[Any], shorts: list[Any]) -> list[Figure]:
    """Median CPU and peak memory of both."""
    long_cpu, short_cpu = median(map(cpu_us, longs)), median(map(cpu_us, shorts))
    long_memory, short_memory = (median(run["memory_mib"] for run in runs) for runs in (longs, shorts))
    detail = {"long": longs, "short": shorts}
    return [
        Figure(
            name=f"flat {long_list}",
            what=f"CPU for each of the first attempts out of {long_list} targets",
            value=long_cpu,
            unit="us",
            baseline=short_cpu,
            against=f"the same out of {short_list} targets; the ratio is {short_list} over {long_list}: 1 is flat",
            ratio=divide(short_cpu, long_cpu),
            at_least=CPU_GOAL,
            note=f"medians of {len(longs)} alternations; due times scattered over the disk order; "
            f"page cache {CACHE_KIB // 1_000} MB",
            load=load_now(),
            detail=detail,
        ),
        Figure(
            name=f"flat {long_list} memory",
            what="peak memory of the engine's process",
            value=long_memory,
            unit="MiB",
            baseline=short_memory,
            against=f"the same with {short_list} targets",
            ratio=divide(long_memory, short_memory),
            at_most=MEMORY_GOAL,
            load=load_now(),
        ),
    ]
