"""Runs one measurement in a fresh process, pinned to a core where that matters.

A process of its own has its own peak memory, its own interpreter state and no threads of an earlier measurement.
"""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[1]
LONGEST_S = 3_600.0
"""A list of ten million people takes its time."""


class MeasurementFailed(Exception):
    """The process of a measurement ended without a result; the message holds the end of what it said."""


def core(number: int) -> int | None:
    """The ``number``-th core of those we may use; None (no pinning) on a machine with one core."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[number % len(cores)] if len(cores) > 1 else None


def run_apart(where: str, *, on_core: int | None = None, **arguments: Any) -> Any:
    """Call the function ``module:name`` with JSON arguments in a fresh process and return its JSON result.

    Raises:
        MeasurementFailed: it raised, or gave no result.
    """
    told = msgspec.json.encode({"arguments": arguments, "core": on_core})
    command = [sys.executable, "-m", "bench.apart", where]
    try:
        done = subprocess.run(command, input=told, capture_output=True, cwd=ROOT, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        raise MeasurementFailed(f"{where} was not done within {LONGEST_S:.0f} s") from None
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise MeasurementFailed(f"{where}: {done.stderr.decode(errors='replace')[-2_000:]}")
    try:
        return msgspec.json.decode(lines[-1])
    except msgspec.DecodeError as error:
        last = lines[-1]
        said = f"{last[:200]!r} ... {last[-200:]!r} ({len(last)} bytes: {error})"
        raise MeasurementFailed(f"{where} ended with {said} instead of its result") from None


def main() -> None:
    """Serve one call of ``run_apart``."""
    module, _, name = sys.argv[1].partition(":")
    told = msgspec.json.decode(sys.stdin.buffer.read())
    if told["core"] is not None:
        os.sched_setaffinity(0, {told["core"]})
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    result = function(**told["arguments"])
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")


def peak_memory_mib() -> float:
    """The largest resident set of this process so far, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return kib / 1_024


if __name__ == "__main__":
    main()
