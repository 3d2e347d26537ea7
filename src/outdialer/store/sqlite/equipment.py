"""Trunks and access keys in the books."""

import msgspec

from outdialer.domain.breaker import Breaker
from outdialer.domain.directory import Standing
from outdialer.domain.model import AccessKey, Trunk
from outdialer.domain.units import Instant
from outdialer.ports.store import TrunkRow
from outdialer.store.sqlite import routing, rows
from outdialer.store.sqlite.books import Books, Database, ease_limit, is_current
from outdialer.store.sqlite.statements import statements

SQL = statements("equipment")


class Equipment(Books):
    """What calls go through, and who may use the API."""

    async def trunks(self, customer: int) -> list[TrunkRow]:
        """The customer's trunks, oldest first, deleted ones too: calls may be up on them."""
        return self._read(
            lambda database: [
                TrunkRow(row["key"], rows.trunk(row)) for row in database.execute(SQL["trunks"], {"customer": customer})
            ]
        )

    async def put_trunk(self, customer: int, trunk: Trunk, now: Instant) -> Trunk:
        """Create a trunk, or replace the one with its id; a pause stays unless the way in was changed."""

        def put(database: Database) -> Trunk:
            row = {**msgspec.structs.asdict(trunk), "customer": customer, "now": now}
            found = database.execute(SQL["trunk"], row).fetchone()
            if found is None:
                database.execute(SQL["insert_trunk"], row)
            else:
                database.execute(SQL["replace_trunk"], row)
                ease_limit(database, customer, f"trunk:{found['key']}", trunk.rate_per_s, now)
                if _way_in(rows.trunk(found)) != _way_in(trunk):
                    _set_pause(database, customer, found["key"], Breaker(), now)
            return rows.trunk(database.execute(SQL["trunk"], row).fetchone())

        return await self._write(put)

    async def own_trunk_gives_way(self, customer: int, now: Instant) -> None:
        """Delete the trunk of an earlier command line where a route carries the customer's campaigns."""
        await self._write(lambda database: routing.own_trunk_gives_way(database, customer, now))

    async def set_trunk_pause(self, customer: int, trunk: int, breaker: Breaker, now: Instant) -> None:
        """Write down why and until when nothing is sent to a trunk."""

        def pause(database: Database) -> None:
            if is_current(database, self._life):
                _set_pause(database, customer, trunk, breaker, now)

        await self._write(pause)

    async def put_access_key(self, key: AccessKey) -> None:
        """Store a new access key."""
        await self._write(lambda database: insert_access_key(database, key), wakes=False)

    async def access_key(self, token_hash: bytes) -> tuple[AccessKey, Standing] | None:
        """The access key with this SHA-256 of its token or of the one before it, and how its customer stands."""

        def query(database: Database) -> tuple[AccessKey, Standing] | None:
            row = database.execute(SQL["access_key"], {"token_hash": token_hash}).fetchone()
            if row is None:
                return None
            return rows.access_key(row), Standing(row["status"], row["tm_deletion_scheduled"])

        return self._read_one(query)

    async def access_keys(self, customer: int) -> list[AccessKey]:
        """The customer's access keys that are not deleted."""
        return self._read(
            lambda database: [
                rows.access_key(row) for row in database.execute(SQL["access_keys"], {"customer": customer})
            ]
        )


def insert_access_key(database: Database, key: AccessKey) -> None:
    """Store a new access key."""
    row = {**msgspec.structs.asdict(key), "allowed_ips": rows.to_json(key.allowed_ips)}
    database.execute(SQL["insert_access_key"], row)


def _way_in(trunk: Trunk) -> tuple[str, int, str, str, str, str]:
    return (trunk.host, trunk.port, trunk.domain, trunk.username, trunk.password_file, trunk.realm)


def _set_pause(database: Database, customer: int, trunk: int, breaker: Breaker, now: Instant) -> None:
    row = {
        "customer": customer,
        "trunk": trunk,
        "refusals": breaker.refusals,
        "pauses": breaker.pauses,
        "reason": breaker.reason,
        "until": breaker.open_until,
        "now": now,
    }
    database.execute(SQL["set_pause"], row)
