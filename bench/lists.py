"""Books with one running campaign over a list of fictional people, made with the store's own import."""

import asyncio
import sqlite3
from pathlib import Path

from outdialer.domain.model import Action, Address, Campaign, NewTarget, Outdial, Outplan, Trunk
from outdialer.domain.units import Id, Instant
from outdialer.engine.system import SystemClock, SystemIds, random_bytes
from outdialer.store.sqlite.store import SqliteStore

CUSTOMER = 1
NOBODY = Address()
IMPORT_ROWS = 10_000
SCATTER = 2_654_435_761
"""Knuth's multiplier: consecutive keys get due times that are all over the hour."""
HOUR_US = 3_600_000_000
HANG_UP_AT_ONCE = (Action(type="hangup"),)
LISTEN = (Action(type="sleep", option={"duration": 60_000}),)


def number_of(index: int) -> str:
    """The fictional number of the ``index``-th person: distinct, and never a real subscriber's."""
    return f"+1202555{index:08d}"


async def open_books(path: Path) -> SqliteStore:
    """The store in a file."""
    ids, clock = SystemIds(), SystemClock()
    return await SqliteStore.open(path, new_id=lambda: ids.new(clock.now()), random_bytes=random_bytes)


async def furnish(
    store: SqliteStore,
    targets: int,
    *,
    channels: int = 1_000,
    rate_per_s: float = 0,
    port: int = 5060,
    actions: tuple[Action, ...] = LISTEN,
) -> Id:
    """Make a trunk, a list of ``targets`` people and a running campaign over it; the campaign's id.

    ``channels``: calls up at once; ``rate_per_s`` 0: no limit; ``port``: where the trunk's far end listens.
    """
    ids, clock = SystemIds(), SystemClock()
    now = clock.now()
    trunk = Trunk(id=ids.new(now), host="127.0.0.1", port=port, rate_per_s=rate_per_s, channels=channels)
    await store.put_trunk(CUSTOMER, trunk, now)
    outplan = await store.create_outplan(
        CUSTOMER, Outplan(id=ids.new(now), source=Address(type="tel", target="+12025550100"), tm_create=now)
    )
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids.new(now), tm_create=now))
    for start in range(0, targets, IMPORT_ROWS):
        people = [_person(ids, now, index) for index in range(start, min(targets, start + IMPORT_ROWS))]
        await store.create_targets(CUSTOMER, outdial.id, people, now)
    campaign = Campaign(id=ids.new(now), outplan_id=outplan.id, outdial_id=outdial.id, actions=actions, tm_create=now)
    await store.create_campaign(CUSTOMER, campaign)
    await store.order_run(CUSTOMER, campaign.id, now)
    return campaign.id


def _person(ids: SystemIds, now: Instant, index: int) -> NewTarget:
    address = Address(type="tel", target=number_of(index))
    return NewTarget(id=ids.new(now), destinations=(address, NOBODY, NOBODY, NOBODY, NOBODY))


def scatter_due_times(path: Path, now: Instant) -> None:
    """Give the targets due times of the last hour in an order that has nothing to do with their order on disk."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        (index,) = database.execute("SELECT sql FROM sqlite_master WHERE name = 'targets_due'").fetchone()
        database.execute("DROP INDEX targets_due")
        database.execute(f"UPDATE targets SET due = {now} - 1 - (key * {SCATTER}) % {HOUR_US}")
        database.execute(index)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        database.close()


def make_list(path: str, targets: int) -> None:
    """A file with a running campaign over ``targets`` people, their due times scattered."""

    async def make() -> None:
        store = await open_books(Path(path))
        await furnish(store, targets)
        await store.close()

    asyncio.run(make())
    scatter_due_times(Path(path), SystemClock().now())
