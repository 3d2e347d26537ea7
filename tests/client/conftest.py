"""A whole program on loopback for clients to talk to; its phones are simulated."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct

from outdialer.app import App
from outdialer.config import Settings, TrunkSettings


class Running(Struct, frozen=True):
    """Where the program listens, and what opens it."""

    app: App
    url: str
    key: str


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    trunk = TrunkSettings(host="127.0.0.1", port=9, rate_per_s=50, channels=50)
    settings = Settings(db=tmp_path / "books.db", http=("127.0.0.1", 0), trunk=trunk, simulated_trunk_seed=7)
    app = await App.open(settings)
    try:
        await app.start()
        assert app.http_address is not None
        yield Running(app, f"http://127.0.0.1:{app.http_address[1]}", await app.new_key("tests"))
    finally:
        await app.stop()
