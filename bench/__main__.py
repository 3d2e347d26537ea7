"""Runs benchmarks: ``python -m bench [NAME ...] [--long] [--json FILE]``."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from bench.apart import MeasurementFailed
from bench.bombs import bombs_refused
from bench.due import due
from bench.engine import engine
from bench.figures import Figure, append_lines, skipped, table
from bench.flat import flat
from bench.followers import followers
from bench.growth import growth
from bench.machine import Neighbours, this_machine
from bench.next_target import next_target
from bench.overload import overload
from bench.reads import reads
from bench.sip import sip
from bench.voice import voice
from bench.whole import whole


class Benchmark(Protocol):
    """Measures in a folder of its own."""

    def __call__(self, folder: Path, *, long: bool) -> list[Figure]:
        """The figures, in their short or long form."""


BENCHMARKS: dict[str, Benchmark] = {
    "engine": engine,
    "flat": flat,
    "next": next_target,
    "sip": sip,
    "whole": whole,
    "voice": voice,
    "due": due,
    "overload": overload,
    "growth": growth,
    "reads": reads,
    "followers": followers,
    "bombs": bombs_refused,
}


def run(names: list[str], *, long: bool, say: Callable[[str], None]) -> list[Figure]:
    """Run benchmarks one after the other; one that fails is reported and the rest goes on."""
    figures: list[Figure] = []
    for name in names:
        started, neighbours = time.monotonic(), Neighbours()
        measured: list[Figure] = []
        say(f"{name} ...")
        with tempfile.TemporaryDirectory(prefix="outdialer-bench-") as folder:
            try:
                measured = BENCHMARKS[name](Path(folder), long=long)
            except MeasurementFailed as error:
                measured = [skipped(name, f"it failed: {error}")]
        others = neighbours.cores()
        figures += [replace(figure, others=others) for figure in measured]
        say(f"{name} took {time.monotonic() - started:.0f} s; other programs took {others:.2f} cores meanwhile")
    return figures


def main() -> int:
    """The command; 1 when a benchmark failed, 0 otherwise: a goal that is missed is for people to judge."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Ratios against a baseline in the same run.")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--long", action="store_true", help="the long forms")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append one JSON object a figure to FILE")
    asked = parser.parse_args()
    machine = this_machine()
    print(machine, flush=True)
    figures = run(asked.names or list(BENCHMARKS), long=asked.long, say=lambda text: print(text, flush=True))
    print()
    print(table(figures))
    if asked.json is not None:
        append_lines(asked.json, machine, figures)
    return int(any("it failed" in figure.note for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
