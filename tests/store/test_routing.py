"""The trunks that carriers and routes make, beside that of the command line."""

from msgspec.structs import replace

from outdialer.domain.directory import Provider, Route, customer_id
from outdialer.domain.gates import HORIZON_US
from outdialer.domain.units import NIL_ID, Instant
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import CUSTOMER, NOW, SECOND, Ids, furnish, planned

ALICE = "+12025550101"


async def carried_by(store: SqliteStore, now: Instant = NOW) -> list[str]:
    """The hosts of the trunks that the next calls go through."""
    hosts = {row.key: row.trunk.host for row in await store.trunks(CUSTOMER)}
    return [hosts[line.trunk] for line in (await planned(store, now)).lines]


async def test_the_trunk_of_the_command_line_goes_first_until_it_is_not_given(store: SqliteStore, ids: Ids) -> None:
    provider = await store.create_entry(1, Provider(id=ids(), hostname="127.0.0.9", tm_create=NOW - SECOND))
    route = Route(id=ids(), customer_id=customer_id(CUSTOMER), provider_id=provider.id, tm_create=NOW - SECOND)
    await store.create_entry(1, route)
    setting = await furnish(store, ids, ALICE)
    assert await carried_by(store) == ["127.0.0.1"], "though the route's trunk is the older one"
    await store.own_trunk_gives_way(CUSTOMER, NOW)
    assert await carried_by(store) == ["127.0.0.9"]
    await store.put_trunk(CUSTOMER, setting.trunk, NOW)
    assert await carried_by(store) == ["127.0.0.1"]


async def test_the_trunk_of_an_earlier_command_line_stays_where_no_route_leads_anywhere(
    store: SqliteStore, ids: Ids
) -> None:
    await furnish(store, ids, ALICE)
    await store.own_trunk_gives_way(CUSTOMER, NOW)
    assert await carried_by(store) == ["127.0.0.1"]


async def test_a_new_share_begins_where_an_earlier_one_may_have_sold_slots(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    provider = await store.create_entry(1, Provider(id=ids(), hostname="127.0.0.9", tm_create=NOW))
    route = Route(id=ids(), customer_id=customer_id(CUSTOMER), provider_id=provider.id, tm_create=NOW)
    await store.create_entry(1, route)
    await store.own_trunk_gives_way(CUSTOMER, NOW)
    assert (await planned(store, NOW)).lines == ()
    lines = (await planned(store, NOW + HORIZON_US)).lines
    assert [line.slot for line in lines] == [NOW + HORIZON_US]


async def test_a_way_in_that_comes_back_is_the_same_trunk(store: SqliteStore, ids: Ids) -> None:
    provider = await store.create_entry(1, Provider(id=ids(), hostname="127.0.0.9", tm_create=NOW))
    route = Route(id=ids(), customer_id=customer_id(CUSTOMER), provider_id=provider.id, tm_create=NOW)
    await store.create_entry(1, route)
    away = await store.save_entry(1, replace(provider, hostname="127.0.0.8"), NOW + 1)
    rows = await store.trunks(CUSTOMER)
    assert [(row.trunk.host, row.trunk.tm_delete) for row in rows] == [("127.0.0.9", NOW + 1), ("127.0.0.8", None)]
    back = await store.save_entry(1, replace(away, hostname="127.0.0.9"), NOW + 2)
    rows = await store.trunks(CUSTOMER)
    assert [(row.trunk.host, row.trunk.tm_delete) for row in rows] == [("127.0.0.9", None), ("127.0.0.8", NOW + 2)]
    await store.save_entry(1, replace(back, name="only a name", rate_per_s=3.0), NOW + 3)
    rows = await store.trunks(CUSTOMER)
    assert (rows[0].trunk.name, rows[0].trunk.rate_per_s) == ("only a name", 3.0)
    assert len(rows) == 2
    assert all(row.trunk.provider != NIL_ID for row in rows)
