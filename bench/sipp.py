"""SIPp as far end and as rival: started pinned, its statistics read back."""

import contextlib
import csv
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from bench.apart import MeasurementFailed

SIPP = shutil.which("sipp")
WHERE_TO_GET_IT = "SIPp is missing: install the Debian package sip-tester"
BUFFER_BYTES = "4000000"
WRITTEN_EVERY_S = 1
START_S = 10.0
STARTS = 5


class Counts(Struct, frozen=True, kw_only=True):
    """What one SIPp counted from its start on."""

    created: int = 0
    successful: int = 0
    failed: int = 0
    retransmissions: int = 0


def free_port() -> int:
    """A UDP port of the loopback address that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_counts(path: Path) -> Counts:
    """The last line of a statistics file; zeros while there is none."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    except FileNotFoundError:
        return Counts()
    if not rows or rows[-1].get("Retransmissions(C)") is None:
        return Counts()
    last = rows[-1]
    return Counts(
        created=int(last["TotalCallCreated"]),
        successful=int(last["SuccessfulCall(C)"]),
        failed=int(last["FailedCall(C)"]),
        retransmissions=int(last["Retransmissions(C)"]),
    )


class FarEnd(Struct):
    """A running ``sipp -sn uas``."""

    port: int
    process: subprocess.Popen[bytes]
    statistics: Path

    def counts(self) -> Counts:
        """What it counted, all of it: waits until the line of the current second is written."""
        time.sleep(WRITTEN_EVERY_S + 0.3)
        return read_counts(self.statistics)


@contextlib.contextmanager
def answering(folder: Path, on_core: int | None) -> Iterator[FarEnd]:
    """``sipp -sn uas`` on a free port: 180, 200, and 200 to the BYE."""
    far_end = _answering(folder, on_core)
    try:
        yield far_end
    finally:
        far_end.process.kill()
        far_end.process.wait()


def _answering(folder: Path, on_core: int | None) -> FarEnd:
    """Start it; on another port when somebody was quicker to take one of its ports."""
    for _ in range(STARTS):
        port = free_port()
        statistics = folder / f"uas-{port}.csv"
        process = _start(["-sn", "uas", "-p", str(port), "-mp", _media_port()], folder, statistics, on_core)
        if _bound(port, process):
            return FarEnd(port=port, process=process, statistics=statistics)
        process.kill()
        process.wait()
    raise MeasurementFailed("SIPp did not start")


def call(folder: Path, port: int, rate: int, seconds: float, on_core: int | None) -> tuple[Counts, float]:
    """``sipp -sn uac``: calls at ``rate`` a second for that long; what it counted, and how long it took in s."""
    calls = int(rate * seconds)
    statistics = folder / f"uac-{port}-{rate}.csv"
    arguments = ["-sn", "uac", f"127.0.0.1:{port}", "-p", str(free_port()), "-mp", _media_port()]
    arguments += ["-r", str(rate), "-m", str(calls), "-d", "0", "-l", str(calls), "-recv_timeout", "5000"]
    started = time.monotonic()
    process = _start(arguments, folder, statistics, on_core)
    try:
        process.wait(seconds * 2 + 30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return read_counts(statistics), time.monotonic() - started


def _start(arguments: list[str], folder: Path, statistics: Path, on_core: int | None) -> subprocess.Popen[bytes]:
    if SIPP is None:
        raise FileNotFoundError(WHERE_TO_GET_IT)
    common = ["-i", "127.0.0.1", "-nostdin", "-buff_size", BUFFER_BYTES, "-nd"]
    written = ["-trace_stat", "-stf", str(statistics), "-fd", str(WRITTEN_EVERY_S)]
    process = subprocess.Popen(
        [SIPP, *arguments, *common, *written],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if on_core is not None:
        os.sched_setaffinity(process.pid, {on_core})
    return process


def _media_port() -> str:
    """An even port."""
    return str(free_port() & ~1)


def _bound(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until it listens; False when it ended instead."""
    wanted = f":{port:04X} "
    deadline = time.monotonic() + START_S
    while wanted not in Path("/proc/net/udp").read_text(encoding="ascii"):
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
