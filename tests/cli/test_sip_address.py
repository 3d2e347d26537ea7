"""A restarted engine is found where its calls know it."""

import socket
from pathlib import Path

import msgspec

from outdialer.app import App
from outdialer.config import Settings


async def _address(settings: Settings) -> tuple[tuple[str, int], bool]:
    app = await App.open(settings)
    try:
        await app.start()
        carrier = app.carrier
        return carrier.local_address, carrier.agent._endpoint.same_address  # type: ignore[attr-defined]
    finally:
        await app.stop()


async def test_the_next_life_takes_the_same_port(tmp_path: Path) -> None:
    settings = Settings(db=tmp_path / "books.db", http=None)
    first, _ = await _address(settings)
    assert await _address(settings) == (first, True)


async def test_when_it_is_taken_another_one_is_used_and_nothing_is_concluded_from_it(tmp_path: Path) -> None:
    settings = Settings(db=tmp_path / "books.db", http=None)
    first, _ = await _address(settings)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(first)
        second, same = await _address(settings)
    assert second != first
    assert not same


async def test_another_advertised_address_is_another_address(tmp_path: Path) -> None:
    settings = Settings(db=tmp_path / "books.db", http=None)
    await _address(settings)
    _, same = await _address(msgspec.structs.replace(settings, advertise="127.0.0.2"))
    assert not same
