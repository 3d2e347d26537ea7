"""The machine that the figures were measured on."""

import os
import platform
import resource
import sqlite3
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from msgspec import Struct


class Machine(Struct, frozen=True, kw_only=True):
    """What a figure depends on beside the program."""

    at: str
    cores: int
    cpu: str
    system: str
    python: str
    sqlite: str
    uvloop: str
    load: tuple[float, float, float]
    """Load averages over 1, 5 and 15 minutes at the start of the run."""

    def __str__(self) -> str:
        load = " ".join(f"{average:.2f}" for average in self.load)
        return (
            f"{self.at}: {self.cores} cores, {self.cpu}, {self.system}, "
            f"Python {self.python}, SQLite {self.sqlite}, uvloop {self.uvloop}, load average {load}"
        )


def this_machine() -> Machine:
    """The machine as it is now."""
    return Machine(
        at=datetime.now(UTC).isoformat(timespec="minutes"),
        cores=len(os.sched_getaffinity(0)),
        cpu=_cpu_model(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        uvloop=_version("uvloop"),
        load=os.getloadavg(),
    )


class Neighbours:
    """What other programs took of the processors since this was made."""

    def __init__(self) -> None:
        self._started, self._before = time.monotonic(), _not_ours()

    def cores(self) -> float:
        """How many cores they kept busy on average; of ours, children that have ended are known."""
        elapsed = max(time.monotonic() - self._started, 0.01)
        return round(max(0.0, _not_ours() - self._before) / elapsed, 2)


def _not_ours() -> float:
    """Seconds of processor time spent on anything but this process and its children."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    user, nice, system, _idle, _waiting, *interrupts = map(int, first.split()[1:8])
    busy = (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")
    ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return busy - sum(used.ru_utime + used.ru_stime for used in ours)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
