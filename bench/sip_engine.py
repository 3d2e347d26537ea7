"""One life of the whole engine over real SIP: store, planner, carrier and media process, against a far end."""

import math
import sqlite3
import struct
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import uvloop

from bench.lists import HANG_UP_AT_ONCE, furnish, number_of, open_books
from bench.whole_engine import all_stats, until_over
from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.carriers.sip.core.outputs import Send
from outdialer.domain.model import Action
from outdialer.engine import collector
from outdialer.engine.engine import Engine
from outdialer.engine.system import SystemClock, SystemIds
from outdialer.media.client import MediaProcess
from outdialer.ports.carrier import DialOrder
from outdialer.store.sqlite.store import SqliteStore
from outdialer.store.sqlite.writer import Writer
from outdialer.telemetry import Metrics

SAMPLE_RATE = 8_000
HEAD_START_US = 3_000_000
"""How long before the first due time the engine is started."""


class WatchedCarrier(SipCarrier):
    """Notes when each number's INVITE was handed to the kernel."""

    def __init__(self, clock: SystemClock, secret: bytes) -> None:
        super().__init__(clock=clock, secret=secret)
        self._wall = clock
        self._numbers: dict[int, str] = {}
        self.sent: dict[str, int] = {}

    def dial(self, order: DialOrder) -> None:
        """Remember whom the leg rings."""
        self._numbers[order.leg] = order.destination
        super().dial(order)

    def _send(self, packet: Send) -> None:
        super()._send(packet)
        if packet.first and packet.leg is not None:
            self.sent[self._numbers[packet.leg]] = self._wall.now()


def write_tone(path: Path, seconds: float) -> None:
    """A WAV file with a tone of 440 Hz."""
    samples = (int(8_000 * math.sin(2 * math.pi * 440 * n / SAMPLE_RATE)) for n in range(int(SAMPLE_RATE * seconds)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))


def at_full_speed(port: int, targets: int, channels: int, message_s: float) -> dict[str, Any]:
    """Dial a list as fast as ``channels`` allow: hang up on answer, or play a message of that length first."""
    collector.settle()
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_at_full_speed(Path(folder), port, targets, channels, message_s))


async def _at_full_speed(folder: Path, port: int, targets: int, channels: int, message_s: float) -> dict[str, Any]:
    store = await open_books(folder / "books.db")
    await furnish(store, targets, channels=channels, port=port, actions=_script(folder, message_s))
    engine, _ = await _engine(store, folder)
    started, cpu = time.perf_counter(), time.process_time()
    await engine.start()
    over = await until_over(store, targets)
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    (stats,) = await all_stats(store)
    await engine.drain(2)
    await engine.stop()
    await store.close()
    return {
        "calls": targets,
        "lost": sum(stats.failed.values()),
        "rate": over / elapsed,
        "cpu_us": cpu / over * 1e6,
    }


def _script(folder: Path, message_s: float) -> tuple[Action, ...]:
    if not message_s:
        return HANG_UP_AT_ONCE
    tone = folder / "message.wav"
    write_tone(tone, message_s)
    return (Action(type="play", option={"stream_urls": [str(tone)]}), *HANG_UP_AT_ONCE)


async def _engine(store: SqliteStore, folder: Path) -> tuple[Engine, WatchedCarrier]:
    carrier = WatchedCarrier(SystemClock(), await store.install_secret())
    media = MediaProcess(cache_dir=folder / "prompts")
    engine = Engine(store=store, carrier=carrier, media=media, clock=SystemClock(), ids=SystemIds(), metrics=Metrics())
    return engine, carrier


def at_due_times(port: int, rate: float, seconds: float) -> dict[str, Any]:
    """Dial people who become due one by one at ``rate`` a second; how long after that their INVITEs left, in ms.

    ``transaction`` is how long the longest transaction took meanwhile, in ms: nobody is called before the claim is on
    the disk.
    """
    collector.settle()
    with tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_at_due_times(Path(folder), port, rate, seconds))


async def _at_due_times(folder: Path, port: int, rate: float, seconds: float) -> dict[str, Any]:
    targets, spacing = int(rate * seconds), int(1e6 / rate)
    path = folder / "books.db"
    store = await open_books(path)
    await furnish(store, targets, port=port, actions=HANG_UP_AT_ONCE)
    await store.close()
    first_due = SystemClock().now() + HEAD_START_US
    _space_due_times(path, first_due, spacing)
    store = await open_books(path)
    engine, carrier = await _engine(store, folder)
    await engine.start()
    transactions = _watch_transactions()
    await until_over(store, targets)
    await engine.drain(2)
    await engine.stop()
    await store.close()
    delays = [carrier.sent[number_of(n)] - first_due - n * spacing for n in range(targets)]
    return {"calls": targets, "transaction": max(transactions), **percentiles([delay / 1_000 for delay in delays])}


def _watch_transactions() -> list[float]:
    """From now on, how long each transaction of this process takes, in ms."""
    taken: list[float] = []
    transact = Writer._transact

    def timed(writer: Writer, jobs: list[Any]) -> None:
        started = time.perf_counter()
        transact(writer, jobs)
        taken.append((time.perf_counter() - started) * 1_000)

    Writer._transact = timed  # type: ignore[assignment, method-assign]
    return taken


def _space_due_times(path: Path, first: int, spacing: int) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE targets SET due = ? + (key - (SELECT min(key) FROM targets)) * ?", (first, spacing))
    database.close()


def percentiles(values: list[float]) -> dict[str, float]:
    """The 50th and 99th percentile and the largest."""
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[len(ordered) * 99 // 100], "max": ordered[-1]}
