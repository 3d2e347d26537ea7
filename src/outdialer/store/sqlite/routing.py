"""The trunks that carriers and routes make, kept in step with them in the transaction that changes those.

A trunk of this kind never changes the way it is reached: another host, prefix or header makes another row, and the
old one is marked as deleted. So calls that are up go on, and a later life can still end them, where they were begun.
"""

from typing import TypeVar

import msgspec

from outdialer.domain.directory import KINDS, Entry, Provider, Route, customer_key
from outdialer.domain.gates import HORIZON_US
from outdialer.domain.model import Trunk
from outdialer.domain.permissions import OPERATOR_CUSTOMER
from outdialer.domain.routing import check_shares, trunks_of
from outdialer.domain.units import NIL_ID, Instant
from outdialer.store.sqlite import rows
from outdialer.store.sqlite.books import Database, ease_limit
from outdialer.store.sqlite.statements import statements

E = TypeVar("E", bound=Entry)
EQUIPMENT = statements("equipment")
SQL = statements("routing")


def follow(database: Database, changed: Entry, now: Instant) -> None:
    """Bring the trunks up to date after a change of a carrier or route; other entries change nothing.

    Raises:
        Oversold: the routes to a carrier may use more than it allows.
    """
    if not is_routing(type(changed)):
        return
    providers = {provider.id: provider for provider in _living(database, Provider)}
    routes = _living(database, Route)
    touched = changed.provider_id if isinstance(changed, Route) else changed.id
    if touched in providers and changed.tm_delete is None:
        check_shares(providers[touched], routes)
    wanted = {(customer_key(owner), trunk.id): trunk for owner, trunk in trunks_of(routes, providers).items()}
    stored = {(row["customer"], row["id"]): row for row in database.execute(SQL["routed_trunks"], {"nil": NIL_ID})}
    for (customer, trunk_id), row in stored.items():
        if row["tm_delete"] is None and (customer, trunk_id) not in wanted:
            database.execute(SQL["retire_trunk"], {"key": row["key"], "now": now})
    for (customer, trunk_id), trunk in wanted.items():
        if customer is not None:
            _keep(database, customer, trunk, stored.get((customer, trunk_id)), now)


def is_routing(kind: type[Entry]) -> bool:
    """Whether entries of this kind decide which trunk carries whose campaigns."""
    return kind in (Provider, Route)


def _living(database: Database, kind: type[E]) -> list[E]:
    asked = {"customer": OPERATOR_CUSTOMER, "kind": KINDS[kind]}
    return [entry_of(row, kind) for row in database.execute(SQL["living_entries"], asked)]


def entry_of(row: rows.Row, kind: type[E]) -> E:
    """An entry from its row: the body, and the columns beside it."""
    fields = msgspec.json.decode(row["body"])
    return msgspec.convert({**fields, **{name: row[name] for name in Entry.__struct_fields__}}, kind)


def _keep(database: Database, customer: int, trunk: Trunk, stored: rows.Row | None, now: Instant) -> None:
    row = {**msgspec.structs.asdict(trunk), "customer": customer, "now": now}
    if stored is None:
        database.execute(EQUIPMENT["insert_trunk"], row)
    elif stored["tm_delete"] is not None or any(stored[name] != row[name] for name in _CHANGING):
        database.execute(EQUIPMENT["replace_trunk"], row)
    else:
        return
    key = database.execute(EQUIPMENT["trunk"], row).fetchone()["key"]
    # The slots up to the horizon may be sold to those who had this share before.
    ease_limit(database, customer, f"trunk:{key}", trunk.rate_per_s, now)
    database.execute(SQL["start_after"], {**row, "scope": f"trunk:{key}", "slot": now + HORIZON_US})


_CHANGING = ("name", "rate_per_s", "channels", "provider_channels")


def own_trunk_gives_way(database: Database, customer: int, now: Instant) -> int:
    """Mark the trunk of an earlier command line as deleted where a route carries the customer's campaigns."""
    return database.execute(SQL["own_trunk_gives_way"], {"customer": customer, "nil": NIL_ID, "now": now}).rowcount
