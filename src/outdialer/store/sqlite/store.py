"""The embedded store: one SQLite file, one writer, any number of readers.

``SqliteStore`` is all of the stores in ``outdialer.ports``: ``store``, ``directory``, ``events`` and ``webhooks``. Each
part of it is a file of this package; this one opens and closes.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from outdialer.domain.directory import customer_id
from outdialer.domain.permissions import OPERATOR_CUSTOMER
from outdialer.ports.store import StoreUnavailable
from outdialer.store.sqlite.books import Books, Connections, Database
from outdialer.store.sqlite.calls import Calls
from outdialer.store.sqlite.campaigns import Campaigns
from outdialer.store.sqlite.connect import connect, connect_to_read, is_storage_failure
from outdialer.store.sqlite.dialing import SQL as LIVES
from outdialer.store.sqlite.dialing import Dialing
from outdialer.store.sqlite.directory import Directory
from outdialer.store.sqlite.directory_people import People
from outdialer.store.sqlite.equipment import Equipment
from outdialer.store.sqlite.events import Events
from outdialer.store.sqlite.idempotency import Requests
from outdialer.store.sqlite.lock import StoreLock
from outdialer.store.sqlite.migrate import migrate, migrations, refuse_newer
from outdialer.store.sqlite.outdials import Outdials
from outdialer.store.sqlite.outplans import Outplans
from outdialer.store.sqlite.retention import Retention
from outdialer.store.sqlite.tenants import Tenants
from outdialer.store.sqlite.webhooks import Webhooks
from outdialer.store.sqlite.writer import Writer

SECRET_BYTES = 32
_SECRET = "install_secret"


class SqliteStore(
    Dialing,
    Campaigns,
    Outplans,
    Outdials,
    Calls,
    Equipment,
    Directory,
    People,
    Tenants,
    Events,
    Webhooks,
    Requests,
    Retention,
):
    """The books in one SQLite file. Made by ``open`` or ``open_reader``."""

    def __init__(self, connections: Connections, secret: bytes, lock: StoreLock | None) -> None:
        Books.__init__(self, connections)
        self._secret = secret
        self._lock = lock

    @classmethod
    async def open(
        cls,
        path: Path | str,
        *,
        new_id: Callable[[], bytes],
        random_bytes: Callable[[int], bytes],
        inline: bool = False,
    ) -> "SqliteStore":
        """Open a file, or create it with one customer and a fresh install secret.

        Args:
            path: the file; its lock, log and backups lie beside it.
            new_id: where new identifiers come from; none is needed here today.
            random_bytes: where the install secret comes from.
            inline: run everything on the calling thread, for runs that must be repeatable.

        Raises:
            StoreInUse: another engine has it open.
            StoreTooNew: a newer program wrote it.
            StoreUnavailable: it cannot be read or written.
        """
        path = Path(path)
        lock = StoreLock(path)
        try:
            connections, secret = _open(path, random_bytes, inline=inline)
        except BaseException:
            lock.release()
            raise
        return cls(connections, secret, lock)

    @classmethod
    async def open_reader(cls, path: Path | str) -> "SqliteStore":
        """Open a file for reading beside a running engine: no lock, and every write is refused.

        Raises:
            StoreTooNew: a newer program wrote it.
            StoreUnavailable: it cannot be read, or an older program wrote it and no engine has migrated it.
        """
        path = Path(path)
        if not path.exists():
            raise StoreUnavailable(f"{path} does not exist")
        database = connect_to_read(path)
        try:
            known = len(migrations())
            if refuse_newer(database, path, known) < known:
                raise StoreUnavailable(f"{path} was written by an older program: start the engine on it once")
            secret = _secret_of(database)
        except BaseException:
            database.close()
            raise
        return cls(Connections(writer=None, quick=database, long=database, slow=None), secret, None)

    @property
    def failure(self) -> str:
        """Why nothing can be written at the moment; "" when the last write succeeded."""
        writer = self._connections.writer
        return writer.failure if writer is not None else ""

    async def close(self) -> None:
        """Write what waits, close the file, and let the next engine in."""
        connections = self._connections
        if connections.slow is not None:
            connections.slow.shutdown(wait=True)
        connections.quick.close()
        connections.long.close()
        if connections.writer is not None:
            await connections.writer.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _open(path: Path, random_bytes: Callable[[int], bytes], *, inline: bool) -> tuple[Connections, bytes]:
    opened: list[Database] = []
    try:
        database = connect(path)
        opened.append(database)
        _prepare(database, path, random_bytes)
        quick = connect_to_read(path)
        opened.append(quick)
        long = quick if inline else connect_to_read(path)
        opened.append(long)
        secret = _secret_of(quick)
    except BaseException as error:
        for connection in opened:
            connection.close()
        if is_storage_failure(error):
            raise StoreUnavailable(f"{path}: {error}") from error
        raise
    slow = None if inline else ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")
    return Connections(writer=Writer(database, inline=inline), quick=quick, long=long, slow=slow), secret


def _prepare(database: Database, path: Path, random_bytes: Callable[[int], bytes]) -> None:
    """Migrate, and furnish a file that has never been opened."""
    migrate(database, path, migrations())
    if database.execute(LIVES["meta"], {"name": _SECRET}).fetchone() is not None:
        return
    database.execute("BEGIN IMMEDIATE")
    database.execute(LIVES["insert_customer"], {"key": OPERATOR_CUSTOMER, "id": customer_id(OPERATOR_CUSTOMER)})
    database.execute(LIVES["insert_meta"], {"name": _SECRET, "value": random_bytes(SECRET_BYTES)})
    database.execute("COMMIT")


def _secret_of(database: Database) -> bytes:
    return bytes(database.execute(LIVES["meta"], {"name": _SECRET}).fetchone()["value"])
