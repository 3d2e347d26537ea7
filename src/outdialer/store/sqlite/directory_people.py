"""Access keys and agents in the books."""

import sqlite3
from typing import Any

import msgspec

from outdialer.domain.directory import Agent, Login
from outdialer.domain.model import AccessKey, Address
from outdialer.domain.permissions import ADMIN, is_admin
from outdialer.domain.units import Id, Instant
from outdialer.ports.directory import MOST_ENTRIES, AgentFilter, LastAdmin, LimitReached, NameTaken
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite import rows
from outdialer.store.sqlite.books import Books, Database, expect_version, resource_happened
from outdialer.store.sqlite.paging import page_row
from outdialer.store.sqlite.rows import Row, to_json
from outdialer.store.sqlite.statements import execute_each, statements

SQL = statements("directory_people")
_tag_ids = msgspec.json.Decoder(tuple[Id, ...]).decode
_addresses = msgspec.json.Decoder(tuple[Address, ...]).decode


class People(Books):
    """Who may open the books."""

    async def access_key_of(self, customer: int, key_id: Id) -> AccessKey | None:
        """One access key, deleted or not."""
        return self._read_one(lambda database: _access_key(database, customer, key_id))

    async def access_keys_page(self, customer: int, page: Page) -> list[AccessKey]:
        """Access keys that are not deleted, newest first."""
        asked = page_row(customer, page)
        return await self._read_long(
            lambda database: [rows.access_key(row) for row in database.execute(SQL["page_of_access_keys"], asked)]
        )

    async def rename_access_key(self, customer: int, key: AccessKey, now: Instant) -> AccessKey:
        """Change the name, detail and networks of an access key; ``Conflict`` when it was changed meanwhile."""
        row = {**msgspec.structs.asdict(key), "allowed_ips": to_json(key.allowed_ips), "customer": customer, "now": now}

        def rename(database: Database) -> AccessKey:
            changed = database.execute(SQL["rename_access_key"], row).rowcount
            renamed = _access_key(database, customer, key.id)
            if not changed or renamed is None:
                raise Conflict("the access key was changed or revoked meanwhile")
            return renamed

        return await self._write(rename, wakes=False)

    async def rotate_access_key(self, customer: int, key: AccessKey, replaced: bytes, now: Instant) -> AccessKey:
        """Give a living access key another token; ``Conflict`` when it has not the one that is replaced."""
        row = {**msgspec.structs.asdict(key), "customer": customer, "replaced": replaced, "now": now}

        def rotate(database: Database) -> AccessKey:
            changed = database.execute(SQL["rotate_access_key"], row).rowcount
            rotated = _access_key(database, customer, key.id)
            if not changed or rotated is None:
                raise Conflict("the access key was rotated or revoked meanwhile")
            return rotated

        return await self._write(rotate, wakes=False)

    async def note_access_key_use(self, customer: int, key_id: Id, now: Instant, before: Instant) -> None:
        """Write down a use of an access key whose last known one is older than ``before``."""
        row = {"customer": customer, "id": key_id, "now": now, "before": before}
        await self._write(lambda database: database.execute(SQL["note_access_key_use"], row).rowcount, wakes=False)

    async def revoke_access_key(
        self, customer: int, key_id: Id, now: Instant, seen: int | None = None
    ) -> AccessKey | None:
        """Mark an access key as deleted. None: no such key."""
        row = {"customer": customer, "id": key_id, "now": now}

        def revoke(database: Database) -> AccessKey | None:
            stored = _access_key(database, customer, key_id)
            if stored is not None and stored.tm_delete is None:
                expect_version(stored.version, seen)
            database.execute(SQL["revoke_access_key"], row)
            return _access_key(database, customer, key_id)

        return await self._write(revoke, wakes=False)

    async def create_agent(self, customer: int, agent: Agent, password_hash: str) -> Agent:
        """Store a new agent; ``NameTaken`` and ``LimitReached`` when it cannot be."""

        return await self._write(lambda database: insert_agent(database, customer, agent, password_hash), wakes=False)

    async def agent(self, customer: int, agent_id: Id) -> Agent | None:
        """One agent, deleted or not."""
        return self._read_one(lambda database: _agent(database, customer, agent_id))

    async def agents(self, customer: int, page: Page, wanted: AgentFilter) -> list[Agent]:
        """Agents that are not deleted, newest first."""
        tags = None if wanted.tag_ids is None else to_json(wanted.tag_ids)
        asked = {**page_row(customer, page), "status": wanted.status, "tag_ids": tags}
        return await self._read_long(
            lambda database: [_agent_of(row) for row in database.execute(SQL["page_of_agents"], asked)]
        )

    async def save_agent(self, customer: int, agent: Agent, now: Instant) -> Agent:
        """Replace an agent; ``Conflict``, ``NameTaken`` or ``LastAdmin`` when that cannot be."""

        def save(database: Database) -> Agent:
            if not is_admin(agent.permission):
                _keep_an_admin(database, customer, agent.id)
            row = {**_agent_row(customer, agent), "now": now}
            before = _agent(database, customer, agent.id)
            changed = database.execute(SQL["replace_agent"], row).fetchone()
            if changed is None or before is None:
                raise Conflict("the agent was changed or deleted meanwhile")
            _take_addresses(database, customer, changed["key"], agent)
            saved = _agent(database, customer, agent.id)
            assert saved is not None
            kind = "agent_updated" if saved.status == before.status else "agent_status_updated"
            _happened(database, customer, kind, saved, now)
            return saved

        return await self._write(save, wakes=False)

    async def set_agent_password(
        self, customer: int, agent_id: Id, password_hash: str, now: Instant, seen: int | None = None
    ) -> Agent | None:
        """Give a living agent another password; None: there is none."""
        row = {"customer": customer, "id": agent_id, "password_hash": password_hash, "now": now}

        def change(database: Database) -> Agent | None:
            stored = _agent(database, customer, agent_id)
            if stored is not None and stored.tm_delete is None:
                expect_version(stored.version, seen)
            changed = database.execute(SQL["set_agent_password"], row).rowcount
            agent = _agent(database, customer, agent_id) if changed else None
            if agent is not None:
                _happened(database, customer, "agent_updated", agent, now)
            return agent

        return await self._write(change, wakes=False)

    async def delete_agent(self, customer: int, agent_id: Id, now: Instant, seen: int | None = None) -> Agent | None:
        """Mark an agent as deleted and free its addresses; ``LastAdmin`` for the last one. None: no such agent."""

        def delete(database: Database) -> Agent | None:
            stored = _agent(database, customer, agent_id)
            if stored is None or stored.tm_delete is not None:
                return stored
            expect_version(stored.version, seen)
            _keep_an_admin(database, customer, agent_id)
            row = {"customer": customer, "id": agent_id, "now": now}
            changed = database.execute(SQL["mark_agent_deleted"], row).fetchone()
            deleted = _agent(database, customer, agent_id)
            if changed is not None and deleted is not None:
                database.execute(SQL["forget_addresses"], {"customer": customer, "agent": changed["key"]})
                _happened(database, customer, "agent_deleted", deleted, now)
            return deleted

        return await self._write(delete, wakes=False)

    async def login(self, username: str) -> Login | None:
        """What lets the living agent with this username in, over all customers."""
        return self._read_one(lambda database: _login(database, "login", {"username": username}))

    async def login_of(self, agent_id: Id) -> Login | None:
        """What lets this living agent in, over all customers."""
        return self._read_one(lambda database: _login(database, "login_of", {"id": agent_id}))


def insert_agent(database: Database, customer: int, agent: Agent, password_hash: str) -> Agent:
    """Store a new agent.

    Raises:
        NameTaken: its username or one of its addresses belongs to another agent.
        LimitReached: the customer has too many agents.
    """
    if (there := _agent(database, customer, agent.id)) is not None:
        return there
    asked = {"customer": customer, "most": MOST_ENTRIES}
    if database.execute(SQL["count_agents"], asked).fetchone()["n"] >= MOST_ENTRIES:
        raise LimitReached
    row = {**_agent_row(customer, agent), "password_hash": password_hash}
    try:
        key = database.execute(SQL["insert_agent"], row).lastrowid
    except sqlite3.IntegrityError as error:
        raise _taken(error, "username") from error
    assert key is not None
    _take_addresses(database, customer, key, agent)
    _happened(database, customer, "agent_created", agent, agent.tm_create)
    return agent


def _access_key(database: Database, customer: int, key_id: Id) -> AccessKey | None:
    row = database.execute(SQL["access_key_of"], {"customer": customer, "id": key_id}).fetchone()
    return None if row is None else rows.access_key(row)


def _agent_row(customer: int, agent: Agent) -> dict[str, Any]:
    fields = msgspec.structs.asdict(agent)
    lists = {"tag_ids": to_json(agent.tag_ids), "addresses": to_json(agent.addresses)}
    return {**fields, **lists, "customer": customer}


def _agent_of(row: Row) -> Agent:
    fields = {name: row[name] for name in Agent.__struct_fields__}
    return Agent(**{**fields, "tag_ids": _tag_ids(row["tag_ids"]), "addresses": _addresses(row["addresses"])})


def _agent(database: Database, customer: int, agent_id: Id) -> Agent | None:
    row = database.execute(SQL["one_agent"], {"customer": customer, "id": agent_id}).fetchone()
    return None if row is None else _agent_of(row)


def _login(database: Database, statement: str, asked: dict[str, Any]) -> Login | None:
    row = database.execute(SQL[statement], asked).fetchone()
    if row is None:
        return None
    return Login(
        customer=row["customer"],
        agent=_agent_of(row),
        password_hash=row["password_hash"],
    )


def _keep_an_admin(database: Database, customer: int, agent_id: Id) -> None:
    """Refuse to go on when the agent is an admin now and nobody else is."""
    agent = _agent(database, customer, agent_id)
    if agent is None or agent.tm_delete is not None or not is_admin(agent.permission):
        return
    asked = {"customer": customer, "id": agent_id, "admin": ADMIN}
    if database.execute(SQL["another_admin"], asked).fetchone() is None:
        raise LastAdmin


def _take_addresses(database: Database, customer: int, key: int, agent: Agent) -> None:
    database.execute(SQL["forget_addresses"], {"customer": customer, "agent": key})
    targets = dict.fromkeys(address.target for address in agent.addresses)
    try:
        execute_each(
            database,
            SQL["insert_address"],
            [{"customer": customer, "target": target, "agent": key} for target in targets],
        )
    except sqlite3.IntegrityError as error:
        raise _taken(error, "addresses") from error


def _taken(error: sqlite3.IntegrityError, field: str) -> Exception:
    return NameTaken(field) if "UNIQUE" in str(error) else error


def _happened(database: Database, customer: int, kind: str, agent: Agent, at: Instant) -> None:
    resource_happened(database, customer, kind, agent.id, agent.version, at, agent)
