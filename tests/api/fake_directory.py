"""The half of the store in memory that keeps identities and entries, and what both halves stand on."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import structs

from outdialer.domain.directory import KINDS, Agent, Customer, Entry, Login, Provider, Route, Standing, customer_id
from outdialer.domain.model import AccessKey
from outdialer.domain.permissions import is_admin
from outdialer.domain.routing import check_shares
from outdialer.domain.units import Id, Instant
from outdialer.ports.directory import AgentFilter, LastAdmin, LimitReached, NameTaken, NewCustomer, Owned
from outdialer.ports.store import Conflict, Page
from tests.api.fake_requests import MemoryRequests

T = TypeVar("T", bound=Any)
E = TypeVar("E", bound=Entry)


def expect_version(stored: int, seen: int | None) -> None:
    if seen not in (None, stored):
        raise Conflict("changed meanwhile")


class MemoryDirectory(MemoryRequests):
    """The DirectoryStore and IdentityStore protocols over dictionaries by (customer, id)."""

    def __init__(self) -> None:
        super().__init__()
        self.customer_rows = {key: Customer(key=key, id=customer_id(key)) for key in (1, 2)}
        self.entry_rows: dict[type[Entry], dict[tuple[int, Id], Entry]] = {kind: {} for kind in KINDS}
        self.agent_rows: dict[tuple[int, Id], Agent] = {}
        self.password_hashes: dict[Id, str] = {}
        self.keys: list[AccessKey] = []
        self.most = 10_000
        self.conflicts = 0
        """How many of the coming saves fail."""

    def _read(self, rows: dict[tuple[int, Id], T], customer: int, row_id: Id) -> T | None:
        self._check()
        return rows.get((customer, row_id))

    def _insert(self, rows: dict[tuple[int, Id], T], customer: int, row: T) -> T:
        self._check()
        if (customer, row.id) in rows:
            return rows[customer, row.id]
        rows[customer, row.id] = row
        self._happened("created", customer, row, row.tm_create)
        return row

    def _page(
        self, rows: dict[tuple[int, Id], T], customer: int, page: Page, fits: Callable[[T], bool] = lambda row: True
    ) -> list[T]:
        self._check()
        mine = [row for (owner, _), row in rows.items() if owner == customer and fits(row)]
        mine = [row for row in mine if page.deleted or row.tm_delete is None]
        mine.sort(key=lambda row: (row.tm_create, row.id), reverse=True)
        return [row for row in mine if _follows(row, page)][: page.size]

    def _save(self, rows: dict[tuple[int, Id], T], customer: int, row: T, now: Instant) -> T:
        self._check()
        stored = rows[customer, row.id]
        if self.conflicts:
            self.conflicts -= 1
            rows[customer, row.id] = structs.replace(stored, version=stored.version + 1)
            raise Conflict("changed meanwhile")
        if stored.version != row.version:
            raise Conflict("changed meanwhile")
        rows[customer, row.id] = structs.replace(row, version=row.version + 1, tm_update=now)
        of_status = isinstance(row, Agent) and row.status != stored.status
        self._happened("status_updated" if of_status else "updated", customer, rows[customer, row.id], now)
        return rows[customer, row.id]

    def _delete(
        self, rows: dict[tuple[int, Id], T], customer: int, row_id: Id, now: Instant, seen: int | None = None
    ) -> T | None:
        row = self._read(rows, customer, row_id)
        if row is None or row.tm_delete is not None:
            return row
        if seen is not None:  # Attempts and targets have no version.
            expect_version(row.version, seen)
        rows[customer, row_id] = structs.replace(row, tm_delete=now, tm_update=now)
        self._happened("deleted", customer, rows[customer, row_id], now)
        return rows[customer, row_id]

    def _living(self, rows: dict[tuple[int, Id], T], customer: int) -> list[T]:
        return [row for (owner, _), row in rows.items() if owner == customer and row.tm_delete is None]

    def _room_for(self, customer: int, entry: Entry) -> dict[tuple[int, Id], Any]:
        rows = self.entry_rows[type(entry)]
        others = [row for row in self._living(rows, customer) if row.id != entry.id]
        if len(others) >= self.most:
            raise LimitReached
        if entry.unique_name and any(row.unique_name == entry.unique_name for row in others):
            raise NameTaken(KINDS[type(entry)])
        if isinstance(entry, Provider | Route):
            living = {kind: dict(self.entry_rows[kind]) for kind in (Provider, Route)}
            living[type(entry)][customer, entry.id] = entry
            providers: list[Any] = self._living(living[Provider], customer)
            routes: list[Any] = self._living(living[Route], customer)
            for provider in providers:
                check_shares(provider, routes)
        return rows

    async def create_entry(self, customer: int, entry: E) -> E:
        there = await self.entry(customer, type(entry), entry.id)
        stored: E = there or self._insert(self._room_for(customer, entry), customer, entry)
        return stored

    async def entry(self, customer: int, kind: type[E], entry_id: Id) -> E | None:
        rows: dict[tuple[int, Id], Any] = self.entry_rows[kind]
        return self._read(rows, customer, entry_id)

    async def entry_named(self, customer: int, kind: type[E], unique_name: str) -> E | None:
        self._check()
        rows: dict[tuple[int, Id], Any] = self.entry_rows[kind]
        return next((row for row in self._living(rows, customer) if row.unique_name == unique_name), None)

    async def entries(self, customer: int, kind: type[E], page: Page, related: Id | None = None) -> list[E]:
        rows: dict[tuple[int, Id], Any] = self.entry_rows[kind]
        return self._page(rows, customer, page, lambda row: related in (None, row.related))

    async def save_entry(self, customer: int, entry: E, now: Instant) -> E:
        saved: E = self._save(self._room_for(customer, entry), customer, entry, now)
        return saved

    async def delete_entry(
        self, customer: int, kind: type[E], entry_id: Id, now: Instant, seen: int | None = None
    ) -> E | None:
        rows: dict[tuple[int, Id], Any] = self.entry_rows[kind]
        return self._delete(rows, customer, entry_id, now, seen)

    async def owned_entry(self, kind: type[E], entry_id: Id) -> Owned[E] | None:
        self._check()
        rows: dict[tuple[int, Id], Any] = self.entry_rows[kind]
        return next((Owned(owner, row) for (owner, row_id), row in rows.items() if row_id == entry_id), None)

    async def owned_entries(self, kind: type[E], page: Page, customer_id: Id | None = None) -> list[Owned[E]]:
        rows: dict[tuple[int, Id], Any] = self.entry_rows[kind]
        wanted = [row for row in self.customer_rows.values() if customer_id in (None, row.id)]
        found = [Owned(row.key, entry) for row in wanted for entry in self._page(rows, row.key, page)]
        return sorted(found, key=lambda owned: (owned.tm_create, owned.id), reverse=True)[: page.size]

    async def install_secret(self) -> bytes:
        self._check()
        return bytes(range(32))

    async def customer(self, customer: int) -> Customer | None:
        self._check()
        return self.customer_rows.get(customer)

    async def customers_page(self, page: Page) -> list[Customer]:
        self._check()
        rows = sorted(self.customer_rows.values(), key=lambda row: (row.tm_create or 0, row.id), reverse=True)
        return [row for row in rows if _follows(structs.replace(row, tm_create=row.tm_create or 0), page)][: page.size]

    async def create_customer(self, new: NewCustomer) -> Customer:
        self._check()
        ids = [row.id for row in (new.agent, new.access_key) if row is not None]
        owners = [owner for owner, agent_id in self.agent_rows if agent_id in ids]
        owners += [key.customer for key in self.keys if key.id in ids]
        if owners:
            return self.customer_rows[owners[0]]
        key = max(self.customer_rows) + 1
        if new.agent is not None:
            await self.create_agent(key, new.agent, new.password_hash)
        if new.access_key is not None:
            self.keys.append(structs.replace(new.access_key, customer=key))
        self.customer_rows[key] = structs.replace(new.customer, key=key, id=customer_id(key))
        return self.customer_rows[key]

    async def schedule_deletion(self, customer: int, now: Instant) -> Customer | None:
        self._check()
        stored = self.customer_rows.get(customer)
        if stored is None or stored.tm_deletion_scheduled is not None:
            return stored
        return await self.save_customer(structs.replace(stored, tm_deletion_scheduled=now), now)

    async def keep_customer(self, customer: int, now: Instant) -> Customer | None:
        self._check()
        stored = self.customer_rows.get(customer)
        if stored is None or stored.status_at(now) != "frozen":
            return stored
        return await self.save_customer(structs.replace(stored, tm_deletion_scheduled=None), now)

    async def save_customer(self, customer: Customer, now: Instant) -> Customer:
        self._check()
        if self.customer_rows[customer.key].version != customer.version:
            raise Conflict("changed meanwhile")
        saved = structs.replace(customer, version=customer.version + 1, tm_update=now)
        self.customer_rows[customer.key] = saved
        return saved

    async def put_access_key(self, key: AccessKey) -> None:
        self._check()
        if key.id not in [other.id for other in self.keys]:
            self.keys.append(key)

    async def access_key(self, token_hash: bytes) -> tuple[AccessKey, Standing] | None:
        self._check()
        found = (key for key in self.keys if token_hash in (key.token_hash, key.old_token_hash))
        return next(((key, self.customer_rows[key.customer].standing) for key in found), None)

    async def access_keys(self, customer: int) -> list[AccessKey]:
        self._check()
        return [key for key in self.keys if key.customer == customer and key.tm_delete is None]

    async def access_key_of(self, customer: int, key_id: Id) -> AccessKey | None:
        self._check()
        return next((key for key in self.keys if key.customer == customer and key.id == key_id), None)

    async def access_keys_page(self, customer: int, page: Page) -> list[AccessKey]:
        return self._page({(key.customer, key.id): key for key in self.keys}, customer, page)

    async def rename_access_key(self, customer: int, key: AccessKey, now: Instant) -> AccessKey:
        changes = {"name": key.name, "detail": key.detail, "allowed_ips": key.allowed_ips}
        stored = await self.access_key_of(customer, key.id)
        if stored is None or stored.version != key.version:
            raise Conflict("changed meanwhile")
        renamed = await self._change_key(customer, key.id, **changes, tm_update=now)
        if renamed is None:
            raise Conflict("revoked meanwhile")
        return renamed

    async def rotate_access_key(self, customer: int, key: AccessKey, replaced: bytes, now: Instant) -> AccessKey:
        self._check()
        mine = [row for row in self.keys if (row.customer, row.token_hash) == (customer, replaced)]
        stored = next((row for row in mine if row.id == key.id and row.tm_delete is None), None)
        if stored is None:
            raise Conflict("rotated or revoked meanwhile")
        rotated = structs.replace(key, tm_update=now)
        self.keys[self.keys.index(stored)] = rotated
        return rotated

    async def note_access_key_use(self, customer: int, key_id: Id, now: Instant, before: Instant) -> None:
        key = await self.access_key_of(customer, key_id)
        if key is not None and (key.tm_last_use is None or key.tm_last_use < before):
            self.keys[self.keys.index(key)] = structs.replace(key, tm_last_use=now)

    async def revoke_access_key(
        self, customer: int, key_id: Id, now: Instant, seen: int | None = None
    ) -> AccessKey | None:
        stored = await self.access_key_of(customer, key_id)
        if stored is not None and stored.tm_delete is None:
            expect_version(stored.version, seen)
        changed = await self._change_key(customer, key_id, tm_delete=now, tm_update=now)
        return changed or await self.access_key_of(customer, key_id)

    async def _change_key(self, customer: int, key_id: Id, **changes: Any) -> AccessKey | None:
        key = await self.access_key_of(customer, key_id)
        if key is None or key.tm_delete is not None:
            return None
        changed = structs.replace(key, **changes)
        self.keys[self.keys.index(key)] = changed
        return changed

    def _check_agent(self, customer: int, agent: Agent) -> None:
        living = [row for row in self.agent_rows.values() if row.tm_delete is None and row.id != agent.id]
        if any(row.username == agent.username for row in living):
            raise NameTaken("username")
        mine = [row for row in self._living(self.agent_rows, customer) if row.id != agent.id]
        taken = {address.target for row in mine for address in row.addresses}
        if any(address.target in taken for address in agent.addresses):
            raise NameTaken("addresses")

    def _keep_an_admin(self, customer: int, agent_id: Id) -> None:
        agent = self.agent_rows.get((customer, agent_id))
        if agent is None or agent.tm_delete is not None or not is_admin(agent.permission):
            return
        if not any(is_admin(row.permission) and row.id != agent_id for row in self._living(self.agent_rows, customer)):
            raise LastAdmin

    async def create_agent(self, customer: int, agent: Agent, password_hash: str) -> Agent:
        there = await self.agent(customer, agent.id)
        if there is not None:
            return there
        self._check_agent(customer, agent)
        self.password_hashes[agent.id] = password_hash
        return self._insert(self.agent_rows, customer, agent)

    async def agent(self, customer: int, agent_id: Id) -> Agent | None:
        return self._read(self.agent_rows, customer, agent_id)

    async def agents(self, customer: int, page: Page, wanted: AgentFilter) -> list[Agent]:
        def fits(agent: Agent) -> bool:
            tagged = wanted.tag_ids is None or bool(set(wanted.tag_ids) & set(agent.tag_ids))
            return tagged and wanted.status in (None, agent.status)

        return self._page(self.agent_rows, customer, page, fits)

    async def save_agent(self, customer: int, agent: Agent, now: Instant) -> Agent:
        self._check()
        self._check_agent(customer, agent)
        if not is_admin(agent.permission):
            self._keep_an_admin(customer, agent.id)
        return self._save(self.agent_rows, customer, agent, now)

    async def set_agent_password(
        self, customer: int, agent_id: Id, password_hash: str, now: Instant, seen: int | None = None
    ) -> Agent | None:
        agent = self._read(self.agent_rows, customer, agent_id)
        if agent is None or agent.tm_delete is not None:
            return None
        expect_version(agent.version, seen)
        self.password_hashes[agent_id] = password_hash
        return self._save(self.agent_rows, customer, agent, now)

    async def delete_agent(self, customer: int, agent_id: Id, now: Instant, seen: int | None = None) -> Agent | None:
        self._keep_an_admin(customer, agent_id)
        agent = self._read(self.agent_rows, customer, agent_id)
        if agent is None or agent.tm_delete is not None:
            return agent
        return self._delete(self.agent_rows, customer, agent_id, now, seen)

    async def login(self, username: str) -> Login | None:
        return self._login(lambda agent: agent.username == username)

    async def login_of(self, agent_id: Id) -> Login | None:
        return self._login(lambda agent: agent.id == agent_id)

    def _login(self, fits: Callable[[Agent], bool]) -> Login | None:
        self._check()
        for (customer, agent_id), agent in self.agent_rows.items():
            if agent.tm_delete is None and fits(agent):
                return Login(customer=customer, agent=agent, password_hash=self.password_hashes[agent_id])
        return None


def _follows(row: Any, page: Page) -> bool:
    if page.before is None:
        return True
    if page.before_id is None:
        return bool(row.tm_create < page.before)
    return bool((row.tm_create, row.id) < (page.before, page.before_id))
