"""The whole engine on the simulated carrier and the embedded store, against the store driven bare."""

import asyncio
import tempfile
import time
from pathlib import Path

from outdialer.carriers.simulator.behaviours import Mix, parse_rule
from outdialer.carriers.simulator.carrier import SimulatorCarrier
from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.domain.model import Action, Address, Campaign, NewTarget, Outdial, Outplan, Trunk
from outdialer.engine.engine import Engine
from outdialer.engine.system import SystemClock, SystemIds, random_bytes
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import Metrics

CUSTOMER = 1
AT_ONCE = parse_rule("hangup:ring_after_ms=none,final_after_ms=0,hang_up_after_ms=0")
NOWHERE = Address()


async def open_books(folder: Path) -> SqliteStore:
    ids, clock = SystemIds(), SystemClock()
    return await SqliteStore.open(
        folder / "bench.db", new_id=lambda: ids.new(clock.now()), random_bytes=random_bytes
    )


async def make_campaign(store: SqliteStore, targets: int, *, channels: int = 1_000) -> bytes:
    """A running campaign of ``targets`` people whose script hangs up at once; its id."""
    ids, clock = SystemIds(), SystemClock()
    now = clock.now()
    await store.put_trunk(
        CUSTOMER, Trunk(id=ids.new(now), host="127.0.0.1", rate_per_s=0, channels=channels), now
    )
    outplan = await store.create_outplan(CUSTOMER, Outplan(id=ids.new(now), tm_create=now))
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids.new(now), tm_create=now))
    for start in range(0, targets, 10_000):
        people = [
            NewTarget(
                id=ids.new(now),
                destinations=(Address(type="tel", target=f"+1202{number:09d}"), NOWHERE, NOWHERE, NOWHERE, NOWHERE),
            )
            for number in range(start, min(targets, start + 10_000))
        ]
        await store.create_targets(CUSTOMER, outdial.id, people, now)
    campaign = Campaign(
        id=ids.new(now),
        outplan_id=outplan.id,
        outdial_id=outdial.id,
        actions=(Action(type="sleep", option={"duration": 60_000}),),
        tm_create=now,
    )
    await store.create_campaign(CUSTOMER, campaign)
    await store.order_run(CUSTOMER, campaign.id, now)
    return campaign.id


async def engine_rate(targets: int) -> float:
    """Attempts a second, each claimed, answered and ended, all durably."""
    with tempfile.TemporaryDirectory() as folder:
        store = await open_books(Path(folder))
        campaign = await make_campaign(store, targets)
        carrier = SimulatorCarrier(
            clock=SystemClock(), secret=await store.install_secret(), mix=Mix(rules=(AT_ONCE,))
        )
        engine = Engine(
            store=store,
            carrier=carrier,
            media=SimulatorMedia(),
            clock=SystemClock(),
            ids=SystemIds(),
            metrics=Metrics(),
        )
        started = time.perf_counter()
        cpu = time.process_time()
        await engine.start()
        while True:
            stats = await store.campaign_stats(CUSTOMER, campaign)
            assert stats is not None
            if sum(stats.targets_done.values()) >= targets:
                break
            await asyncio.sleep(0.05)
        elapsed = time.perf_counter() - started
        print("cpu per attempt us", (time.process_time() - cpu) / targets * 1e6)
        await engine.stop()
        await store.close()
        return targets / elapsed


if __name__ == "__main__":
    import uvloop

    print(uvloop.run(engine_rate(20_000)))
