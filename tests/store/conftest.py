"""The stores that the behaviour suite runs over. Another store joins by adding a factory."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from outdialer.store.sqlite.check import check
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import NOW, Ids, open_store


async def _threaded(folder: Path, ids: Ids) -> SqliteStore:
    return await open_store(folder / "threaded.db", inline=False, ids=ids)


async def _inline(folder: Path, ids: Ids) -> SqliteStore:
    return await open_store(folder / "inline.db", inline=True, ids=ids)


FACTORIES: dict[str, Callable[[Path, Ids], Awaitable[SqliteStore]]] = {"threaded": _threaded, "inline": _inline}


@pytest.fixture
def ids() -> Ids:
    return Ids()


@pytest.fixture(params=sorted(FACTORIES))
async def store(request: pytest.FixtureRequest, tmp_path: Path, ids: Ids) -> AsyncIterator[SqliteStore]:
    """A fresh store in its first epoch. Afterwards its books must be in order."""
    opened = await FACTORIES[request.param](tmp_path, ids)
    await opened.begin_epoch("worker", NOW)
    yield opened
    await opened.close()
    assert check(tmp_path / f"{request.param}.db") == []
