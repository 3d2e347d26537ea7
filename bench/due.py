"""How long after its due time a call's INVITE leaves, at half of what the engine can do."""

from pathlib import Path
from typing import Any

from bench import sipp
from bench.apart import run_apart
from bench.figures import Figure, divide, load_now, skipped
from bench.whole import CASES, best_of, our_step

GOAL_MS = 250.0
ROUNDS = 3
"""A disk that stands still for half a second is in all percentiles of a run of eight."""


def due(folder: Path, *, long: bool) -> list[Figure]:
    """The largest rate first, then people who become due one by one at half of it."""
    if sipp.SIPP is None:
        return [skipped("due", sipp.WHERE_TO_GET_IT)]
    steps = [our_step(folder, CASES[0], channels, CASES[0].calls) for channels in CASES[0].channels[1:3]]
    fastest = best_of(steps) or max(steps, key=lambda step: step.rate)
    return measure(folder, fastest.rate, 30.0 if long else 8.0)


def measure(folder: Path, most: float, seconds: float) -> list[Figure]:
    """Due times spaced evenly at half of ``most`` calls a second for that long, some times; the middle one."""
    with sipp.answering(folder, None) as far_end:
        order: dict[str, Any] = {"port": far_end.port, "rate": most / 2, "seconds": seconds}
        rounds = [run_apart("bench.sip_engine:at_due_times", **order) for _ in range(ROUNDS)]
    rounds.sort(key=lambda told: float(told["p99"]))
    told = rounds[len(rounds) // 2]
    return [
        Figure(
            name="due to INVITE p50",
            what="from a target's due time to its INVITE in the kernel, median",
            value=told["p50"],
            unit="ms",
            note=f"{told['calls']:,} calls at {most / 2:.0f} a second, half of the {most:.0f} measured in this run; "
            f"the longest took {told['max']:.0f} ms, the longest transaction {told['transaction']:.0f} ms",
            load=load_now(),
        ),
        Figure(
            name="due to INVITE p99",
            what=f"the same, 99th percentile; the middle one of {len(rounds)} runs",
            value=told["p99"],
            unit="ms",
            baseline=GOAL_MS,
            against="the bound of 250 ms",
            ratio=divide(told["p99"], GOAL_MS),
            at_most=1.0,
            note="; ".join(
                f"{run['p99']:.0f} ms in a run whose longest transaction took {run['transaction']:.0f} ms"
                for run in rounds
            ),
            load=load_now(),
            detail={"rounds": rounds},
        ),
    ]
