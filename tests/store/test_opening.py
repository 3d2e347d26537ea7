"""Opening, locking, migrating, reading beside an engine."""

import fcntl
import os
import sqlite3
import stat
from importlib.resources import files
from pathlib import Path

import pytest

from outdialer.ports.store import Page, StoreInUse, StoreTooNew, StoreUnavailable
from outdialer.store.sqlite.check import check
from outdialer.store.sqlite.connect import connect
from outdialer.store.sqlite.migrate import migrate, migrations, schema_version
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import CUSTOMER, NOW, Ids, claim_due, fixed_bytes, furnish, open_store


async def test_the_first_opening_furnishes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    store = await SqliteStore.open(path, new_id=Ids(), random_bytes=fixed_bytes)
    assert await store.install_secret() == bytes(range(32))
    assert await store.customers() == [CUSTOMER]
    await store.close()
    store = await open_store(path)
    assert await store.install_secret() == bytes(range(32))
    assert await store.customers() == [CUSTOMER]
    assert store.failure == ""
    await store.close()
    assert check(path) == []


async def test_a_new_file_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    store = await open_store(path)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in os.listdir(tmp_path)}
    await store.close()
    assert "books.db-wal" in modes
    assert set(modes.values()) == {0o600}


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    ids = Ids()
    store = await open_store(tmp_path / "books.db", inline=False)
    setting = await furnish(store, ids, "+12025550101")
    await store.close()
    store = await open_store(tmp_path / "books.db", inline=False)
    assert await store.campaign(CUSTOMER, setting.campaign.id) == setting.campaign
    await store.close()


async def test_a_second_engine_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    store = await open_store(path)
    with pytest.raises(StoreInUse, match=rf"books\.db.*{os.getpid()}"):
        await open_store(path)
    await store.close()
    again = await open_store(path)
    await again.close()


async def test_a_stale_lock_file_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "books.db.lock").write_text("999999\n")
    store = await open_store(tmp_path / "books.db")
    await store.close()


def test_the_lock_says_who_holds_it(tmp_path: Path) -> None:
    from outdialer.store.sqlite.lock import StoreLock

    holder = os.open(tmp_path / "books.db.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(StoreInUse, match="unknown"):
        StoreLock(tmp_path / "books.db")
    os.write(holder, b"4711\n")
    with pytest.raises(StoreInUse, match="4711"):
        StoreLock(tmp_path / "books.db")
    os.close(holder)


async def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    await (await open_store(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for opening in (open_store(path), SqliteStore.open_reader(path)):
        with pytest.raises(StoreTooNew, match="99"):
            await opening


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    path.write_bytes(b"not a database, certainly not one" * 100)
    with pytest.raises(StoreUnavailable, match=r"books\.db"):
        await open_store(path)


def test_an_existing_file_is_backed_up_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    connection = connect(path)
    assert migrate(connection, path, migrations()) is None
    connection.execute("INSERT INTO customers (key, id) VALUES (7, x'07')")
    version = schema_version(connection)
    backup = migrate(connection, path, [*migrations(), "CREATE TABLE more (key INTEGER PRIMARY KEY) STRICT;"])
    assert schema_version(connection) == version + 1
    assert connection.execute("SELECT count(*) FROM more").fetchone()[0] == 0
    connection.close()
    assert backup == tmp_path / f"books.db.before-version-{version + 1}"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    copy = sqlite3.connect(backup)
    assert copy.execute("SELECT key FROM customers").fetchall() == [(7,)]
    assert copy.execute("PRAGMA user_version").fetchone() == (version,)
    copy.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    connection = connect(path)
    migrate(connection, path, migrations())
    version = schema_version(connection)
    broken = "CREATE TABLE more (key INTEGER PRIMARY KEY) STRICT; INSERT INTO nowhere VALUES (1);"
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(connection, path, [*migrations(), broken])
    assert schema_version(connection) == version
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'more'").fetchone()[0] == 0
    connection.close()


def test_every_table_is_strict_and_names_its_customer(tmp_path: Path) -> None:
    connection = connect(tmp_path / "books.db")
    migrate(connection, tmp_path / "books.db", migrations())
    installation_wide = {"meta", "customers", "workers", "epochs", "sqlite_sequence"}
    listed = "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    tables = connection.execute(listed).fetchall()
    for table in tables:
        if table["name"].startswith("sqlite_"):
            continue
        assert table["strict"] == 1, table["name"]
        columns = {row["name"] for row in connection.execute(f"SELECT name FROM pragma_table_info('{table['name']}')")}
        assert table["name"] in installation_wide or "customer" in columns, table["name"]
    connection.close()


async def test_reading_beside_a_running_engine(tmp_path: Path) -> None:
    path, ids = tmp_path / "books.db", Ids()
    store = await open_store(path, inline=False)
    await store.begin_epoch("worker", NOW)
    setting = await furnish(store, ids, "+12025550101")
    reader = await SqliteStore.open_reader(path)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    ((key, attempt),) = await reader.campaigncalls_in_order(CUSTOMER, None, 0, 10)
    assert (key, attempt.id) == (intent.attempt, intent.claim.attempt_id)
    assert attempt == await store.campaigncall(CUSTOMER, attempt.id)
    assert await reader.campaign(CUSTOMER, setting.campaign.id) == setting.campaign
    with pytest.raises(StoreUnavailable, match="reading"):
        await reader.order_stop(CUSTOMER, setting.campaign.id, NOW)
    await reader.close()
    await store.close()
    reader = await SqliteStore.open_reader(path)
    assert len(await reader.campaigncalls(CUSTOMER, Page())) == 1
    await reader.close()


async def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not exist"):
        await SqliteStore.open_reader(tmp_path / "books.db")
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreUnavailable, match="older"):
        await SqliteStore.open_reader(path)


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    for inline in (True, False):
        store = await open_store(tmp_path / f"{inline}.db", inline=inline)
        await store.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            await store.begin_epoch("worker", NOW)


def test_no_number_of_a_migration_is_missing_or_used_twice() -> None:
    """Two people may take the same number at the same time; a book would then miss one of the two."""
    folder = files("outdialer.store.sqlite") / "migrations"
    numbers = sorted(int(entry.name[:4]) for entry in folder.iterdir() if entry.name.endswith(".sql"))
    assert numbers == list(range(1, len(numbers) + 1))
