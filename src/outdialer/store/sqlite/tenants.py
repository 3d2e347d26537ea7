"""Customers in the books: who they are, how they come and how they go."""

import msgspec

from outdialer.domain.directory import DELETION_GRACE_US, Customer, customer_id, customer_key
from outdialer.domain.units import Instant
from outdialer.ports.directory import NewCustomer
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite import campaigns
from outdialer.store.sqlite.books import Books, Database, resource_happened
from outdialer.store.sqlite.directory_people import insert_agent
from outdialer.store.sqlite.equipment import insert_access_key
from outdialer.store.sqlite.paging import END_OF_TIME
from outdialer.store.sqlite.rows import Row
from outdialer.store.sqlite.statements import statements

SQL = statements("tenants")


class Tenants(Books):
    """Who owns the books."""

    async def customer(self, customer: int) -> Customer | None:
        """The customer itself."""
        return self._read_one(lambda database: _customer(database, customer))

    async def customers_page(self, page: Page) -> list[Customer]:
        """All customers, newest first."""
        token_key = None if page.before_id is None else customer_key(page.before_id) or 0
        before = END_OF_TIME if page.before is None or token_key is not None else page.before
        asked = {"before_key": END_OF_TIME if token_key is None else token_key, "before": before, "size": page.size}
        return await self._read_long(
            lambda database: [_of_row(row) for row in database.execute(SQL["page_of_customers"], asked)]
        )

    async def create_customer(self, new: NewCustomer) -> Customer:
        """Store a new customer with its first agent and access key; ``NameTaken`` for the agent's username."""

        def create(database: Database) -> Customer:
            if (there := _made_before(database, new)) is not None:
                return there
            key = database.execute(SQL["next_customer"]).fetchone()["key"]
            made = msgspec.structs.replace(new.customer, key=key, id=customer_id(key))
            database.execute(SQL["insert_customer"], msgspec.structs.asdict(made))
            if new.agent is not None:
                insert_agent(database, key, new.agent, new.password_hash)
            if new.access_key is not None:
                insert_access_key(database, msgspec.structs.replace(new.access_key, customer=key))
            _happened(database, "customer_created", made, made.tm_create or 0)
            return made

        return await self._write(create)

    async def save_customer(self, customer: Customer, now: Instant) -> Customer:
        """Replace what people edit of a customer; ``Conflict`` when it is not the stored version."""

        def save(database: Database) -> Customer:
            row = {**msgspec.structs.asdict(customer), "now": now}
            if not database.execute(SQL["replace_customer"], row).rowcount:
                raise Conflict("the customer was changed meanwhile")
            return _changed(database, customer.key, now)

        return await self._write(save, wakes=False)

    async def schedule_deletion(self, customer: int, now: Instant) -> Customer | None:
        """Freeze a customer and stop its campaigns; a second time changes nothing. None: no such customer."""

        def freeze(database: Database) -> Customer | None:
            if not database.execute(SQL["schedule_deletion"], {"customer": customer, "now": now}).rowcount:
                return _customer(database, customer)
            for row in database.execute(SQL["running_campaigns"], {"customer": customer}).fetchall():
                campaigns.order(database, customer, row["id"], None, now)
            return _changed(database, customer, now)

        return await self._write(freeze)

    async def keep_customer(self, customer: int, now: Instant) -> Customer | None:
        """Take a scheduled deletion back while that can be done. None: no such customer."""
        row = {"customer": customer, "now": now, "too_late": now - DELETION_GRACE_US}

        def keep(database: Database) -> Customer | None:
            if not database.execute(SQL["keep_customer"], row).rowcount:
                return _customer(database, customer)
            return _changed(database, customer, now)

        return await self._write(keep, wakes=False)


def _made_before(database: Database, new: NewCustomer) -> Customer | None:
    """The customer that has the first agent or access key already."""
    agent = None if new.agent is None else new.agent.id
    token_hash = None if new.access_key is None else new.access_key.token_hash
    row = database.execute(SQL["customer_with"], {"agent": agent, "token_hash": token_hash}).fetchone()
    return None if row is None else _customer(database, row["customer"])


def _customer(database: Database, customer: int) -> Customer | None:
    row = database.execute(SQL["customer_itself"], {"customer": customer}).fetchone()
    return None if row is None else _of_row(row)


def _of_row(row: Row) -> Customer:
    fields = {name: row[name] for name in Customer.__struct_fields__}
    return Customer(**{**fields, "rtp_debug": bool(row["rtp_debug"])})


def _changed(database: Database, customer: int, now: Instant) -> Customer:
    saved = _customer(database, customer)
    assert saved is not None
    _happened(database, "customer_updated", saved, now)
    return saved


def _happened(database: Database, kind: str, customer: Customer, at: Instant) -> None:
    resource_happened(database, customer.key, kind, customer.id, customer.version, at, customer)
