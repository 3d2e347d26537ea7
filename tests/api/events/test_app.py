"""The whole program: events come out of it, and it ends while somebody follows."""

import asyncio
import socket
from pathlib import Path

import httpx
from httpx_sse import aconnect_sse
from websockets.asyncio.client import connect

from outdialer.app import App, listening_socket
from outdialer.config import Settings


async def test_the_program_tells_and_ends_while_somebody_follows(tmp_path: Path) -> None:
    app = await App.open(Settings(db=tmp_path / "books.db", http=("127.0.0.1", 0), simulated_trunk_seed=1))
    try:
        await app.start()
        await _follow_to_the_end(app)
    finally:
        await app.stop()


async def _follow_to_the_end(app: App) -> None:
    assert app.http_address is not None
    base = f"{app.http_address[0]}:{app.http_address[1]}/v1.0"
    token = await app.new_key("test")
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=10) as client,
        connect(f"ws://{base}/ws?accesskey={token}") as web,
        aconnect_sse(client, "GET", f"http://{base}/events") as stream,
    ):
        events = stream.aiter_sse()
        assert (await anext(events)).retry == 2_000
        tag = (await client.post(f"http://{base}/tags", json={"name": "a"})).json()
        told = await asyncio.wait_for(anext(events), 10)
        assert (told.event, told.json()) == ("tag_created", tag)
        await asyncio.wait_for(app.stop(), 20)
        assert [event async for event in events if event.data] == []
        await web.wait_closed()
        assert web.close_code == 1012


def test_small_answers_are_sent_at_once_and_nobody_keeps_a_connection_by_reading_nothing() -> None:
    with listening_socket(("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP, "asyncio switches Nagle's algorithm off for such sockets only"
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
