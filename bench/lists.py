"""Books with one running campaign over a list of fictional people, made with the store's own import."""

import asyncio
import sqlite3
from pathlib import Path

from outdialer.domain.limits import UNLIMITED
from outdialer.domain.model import Action, Address, Campaign, NewTarget, Outdial, Outplan, Trunk
from outdialer.domain.units import NIL_ID, Id, Instant
from outdialer.engine.system import SystemClock, SystemIds, random_bytes
from outdialer.store.sqlite.store import SqliteStore

CUSTOMER = 1
NOBODY = Address()
IMPORT_ROWS = 10_000
SECOND_NUMBERS = 50_000_000
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
    lists: int = 1,
    channels: int = 1_000,
    port: int = 5060,
    actions: tuple[Action, ...] = LISTEN,
) -> None:
    """Make a trunk, lists of ``targets`` people each, and a campaign over each list, one after the other.

    ``channels``: calls up at once; ``port``: where the trunk's far end listens; ``actions``: what happens on answer.
    """
    ids, clock = SystemIds(), SystemClock()
    now = clock.now()
    trunk = Trunk(id=ids.new(now), host="127.0.0.1", port=port, rate_per_s=UNLIMITED, channels=channels)
    await store.put_trunk(CUSTOMER, trunk, now)
    source = Address(type="tel", target="+12025550100")
    outplan = await store.create_outplan(CUSTOMER, Outplan(id=ids.new(now), source=source, tm_create=now))
    campaigns = [ids.new(now) for _ in range(lists)]
    for number, (campaign, following) in enumerate(zip(campaigns, [*campaigns[1:], NIL_ID], strict=True)):
        outdial = await _make_outdial(store, ids, now, range(number * targets, (number + 1) * targets))
        made = Campaign(
            id=campaign,
            outplan_id=outplan.id,
            outdial_id=outdial,
            next_campaign_id=following,
            actions=actions,
            tm_create=now,
        )
        await store.create_campaign(CUSTOMER, made)
    await store.order_run(CUSTOMER, campaigns[0], now)


async def _make_outdial(store: SqliteStore, ids: SystemIds, now: Instant, people: range) -> Id:
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids.new(now), tm_create=now))
    for start in range(0, len(people), IMPORT_ROWS):
        batch = [_person(ids, now, index) for index in people[start : start + IMPORT_ROWS]]
        await store.create_targets(CUSTOMER, outdial.id, batch, now)
    return outdial.id


def _person(ids: SystemIds, now: Instant, index: int) -> NewTarget:
    """Somebody with what an imported list says of people, and two numbers."""
    first = Address(type="tel", target=number_of(index))
    second = Address(type="tel", target=number_of(index + SECOND_NUMBERS))
    return NewTarget(
        id=ids.new(now),
        name=f"Person Number {index}",
        detail="customer since 2019, mornings",
        data=f'{{"reference": "R-{index:08d}", "balance": "12.50"}}',
        destinations=(first, second, NOBODY, NOBODY, NOBODY),
    )


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


def make_list(path: str, targets: int, *, lists: int = 1, channels: int = 1_000, scattered: bool = True) -> None:
    """A file with a running campaign over ``targets`` people, or several in a row.

    ``scattered``: due in an order that is not that on disk, as after some rounds of retries; else as imported.
    """

    async def make() -> None:
        store = await open_books(Path(path))
        await furnish(store, targets, lists=lists, channels=channels)
        await store.close()

    asyncio.run(make())
    if scattered:
        scatter_due_times(Path(path), SystemClock().now())
