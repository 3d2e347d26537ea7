"""A disk that is full or read-only: nothing is half done, and the store recovers by itself."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdialer.ports.store import Page, StoreUnavailable
from outdialer.store.sqlite.check import check
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import (
    CUSTOMER,
    NOW,
    SUCCESS,
    Ids,
    Setting,
    answered,
    claim_due,
    claims_of,
    ended,
    furnish,
    new_target,
    open_store,
    planned,
)


def writer_connection(store: SqliteStore) -> sqlite3.Connection:
    writer = store._connections.writer
    assert writer is not None
    return writer._connection


async def fill(setting: Setting, ids: Ids) -> None:
    """Import until the disk is full."""
    for _ in range(100):
        targets = [new_target(ids(), "+12025550101", name="x" * 500) for _ in range(200)]
        await setting.store.create_targets(CUSTOMER, setting.outdial.id, targets, NOW)


async def fill_to_the_last_page(setting: Setting, ids: Ids) -> None:
    for _ in range(2_000):
        await setting.store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), "+12025550108")], NOW)


@pytest.mark.parametrize("inline", [True, False])
async def test_a_full_disk(tmp_path: Path, inline: bool) -> None:
    path, ids = tmp_path / "books.db", Ids()
    store = await open_store(path, inline=inline, ids=ids)
    await store.begin_epoch("worker", NOW)
    setting = await furnish(store, ids, *(f"+1202555{n:04d}" for n in range(40)))
    connection = writer_connection(store)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 40}").fetchone()
    with pytest.raises(StoreUnavailable, match="full"):
        await fill(setting, ids)
    assert "full" in store.failure
    made = await planned(store, NOW)
    before = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    claims = claims_of(made, ids)
    results = await asyncio.gather(*(store.claim(CUSTOMER, [one], made, NOW) for one in claims), return_exceptions=True)
    won = [result for result in results if not isinstance(result, BaseException)]
    assert all(isinstance(result, StoreUnavailable) for result in results if isinstance(result, BaseException))
    after = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert before is not None
    assert after is not None
    assert after.attempts == before.attempts + len(won)
    connection.execute("PRAGMA max_page_count = 1000000").fetchone()
    rest = await store.claim(CUSTOMER, claims, made, NOW)
    assert len(rest.intents) == len(claims) - len(won)
    assert store.failure == ""
    await store.close()
    assert check(path) == []


@pytest.mark.parametrize("inline", [True, False])
async def test_a_read_only_file(tmp_path: Path, inline: bool) -> None:
    path, ids = tmp_path / "books.db", Ids()
    store = await open_store(path, inline=inline, ids=ids)
    await store.begin_epoch("worker", NOW)
    setting = await furnish(store, ids, "+12025550101")
    connection = writer_connection(store)
    connection.execute("PRAGMA query_only = ON")
    made = await planned(store, NOW)
    with pytest.raises(StoreUnavailable, match="readonly"):
        await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)
    assert "readonly" in store.failure
    assert await store.campaign(CUSTOMER, setting.campaign.id) == setting.campaign
    connection.execute("PRAGMA query_only = OFF")
    assert len((await claim_due(store, ids, NOW)).intents) == 1
    assert store.failure == ""
    await store.close()
    assert check(path) == []


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="No such file"):
        await open_store(tmp_path / "nowhere" / "books.db")


def _mount(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], capture_output=True, check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not _mount(folder, "size=1m"):
        pytest.skip("needs to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    path, ids = small_disk / "books.db", Ids()
    store = await open_store(path, inline=False, ids=ids)
    await store.begin_epoch("worker", NOW)
    setting = await furnish(store, ids, "+12025550109")
    (intent,) = (await claim_due(store, ids, NOW)).intents
    with pytest.raises(StoreUnavailable):
        await fill(setting, ids)
    with pytest.raises(StoreUnavailable):
        await fill_to_the_last_page(setting, ids)
    assert store.failure
    await asyncio.to_thread(_remount, small_disk, "size=64m")
    await store.record(CUSTOMER, [answered(intent, NOW), ended(intent, NOW, SUCCESS)])
    assert store.failure == ""
    assert len(await store.targets(CUSTOMER, setting.outdial.id, Page(size=5))) == 5
    await store.close()
    assert check(path) == []


async def test_a_disk_that_is_read_only_from_the_start(small_disk: Path) -> None:
    path = small_disk / "books.db"
    await (await open_store(path)).close()
    await asyncio.to_thread(_remount, small_disk, "ro")
    with pytest.raises(StoreUnavailable):
        await open_store(path)
