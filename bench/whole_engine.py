"""One life of a whole engine on the simulated carrier, until a list is done or a number of attempts is."""

import asyncio
import time
from pathlib import Path

import uvloop

from bench.apart import peak_memory_mib
from bench.lists import CUSTOMER, open_books
from outdialer.carriers.simulator.behaviours import Mix, parse_rule
from outdialer.carriers.simulator.carrier import SimulatorCarrier
from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.engine import collector
from outdialer.engine.engine import Engine
from outdialer.engine.system import SystemClock, SystemIds
from outdialer.ports.store import CampaignStats, Page
from outdialer.store.sqlite import connect
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import Metrics

AT_ONCE = Mix(rules=(parse_rule("hangup:ring_after_ms=none,final_after_ms=0,hang_up_after_ms=0"),))
"""Phones that answer at once and hang up at once."""
LOOK_S = 0.02


def simulate(path: str, attempts: int, *, cache_kib: int = connect.CACHE_KIB) -> dict[str, float]:
    """Dial until ``attempts`` are over, each claimed, answered and ended durably.

    Returns attempts, wall seconds, CPU seconds of the whole process and its peak memory in MiB.
    """
    connect.CACHE_KIB = cache_kib
    collector.settle()
    return uvloop.run(_simulate(Path(path), attempts))


async def _simulate(path: Path, attempts: int) -> dict[str, float]:
    store = await open_books(path)
    carrier = SimulatorCarrier(clock=SystemClock(), secret=await store.install_secret(), mix=AT_ONCE)
    engine = Engine(
        store=store,
        carrier=carrier,
        media=SimulatorMedia(),
        clock=SystemClock(),
        ids=SystemIds(),
        metrics=Metrics(),
    )
    started, cpu = time.perf_counter(), time.process_time()
    await engine.start()
    done = await until_over(store, attempts)
    result = {
        "attempts": float(done),
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "memory_mib": peak_memory_mib(),
    }
    await engine.drain(1)
    await engine.stop()
    await store.close()
    return result


async def until_over(store: SqliteStore, attempts: int) -> int:
    """Wait until that many attempts are over; how many are."""
    done = 0
    while done < attempts:
        await asyncio.sleep(LOOK_S)
        done = sum(map(over, await all_stats(store)))
    return done


async def all_stats(store: SqliteStore) -> list[CampaignStats]:
    """The counts of every campaign."""
    campaigns = await store.campaigns(CUSTOMER, Page())
    found = [await store.campaign_stats(CUSTOMER, campaign.id) for campaign in campaigns]
    return [stats for stats in found if stats is not None]


def over(stats: CampaignStats) -> int:
    """Attempts that are claimed and ended."""
    return stats.succeeded + sum(stats.failed.values())
