"""Clients of a real server that do not keep to the rules of a conversation."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from outdialer.api import connections
from outdialer.app import http_server, listening_socket
from tests.api.conftest import World, application

GONE_S = 10.0
HEAD = b"POST /v1.0/tags HTTP/1.1\r\nHost: a\r\n"


class Peer:
    """The server's address, and raw connections to it."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def say(self, *pieces: bytes) -> bytes:
        """What the server sends until it closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
        try:
            async with asyncio.timeout(GONE_S):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def ping(self) -> int:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            return (await client.get("/ping")).status_code


@pytest.fixture
async def server(world: World) -> AsyncIterator[Peer]:
    await (await world.client()).aclose()
    listener = listening_socket(("127.0.0.1", 0))
    running = http_server(application(live=False, old_time_format=False))
    serving = asyncio.get_running_loop().create_task(running.serve(sockets=[listener]))
    yield Peer(listener.getsockname()[1])
    running.should_exit = True
    await serving


def _hurry(patch: pytest.MonkeyPatch) -> None:
    """Let the server lose its patience at once."""
    patch.setattr(connections, "HEAD_S", 0.1)
    patch.setattr(connections, "BODY_S", 0.1)


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"POST /v1.0/ta",),
        (HEAD,),
        (HEAD, b"X-Slow: "),
        (HEAD, b"Content-Length: 5\r\n\r\n", b"{"),
        (HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n{"),
        (HEAD, b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
    ],
)
async def test_who_never_comes_to_an_end_is_cut_off(
    server: Peer, pieces: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _hurry(patch)
        assert b" 200 " not in await server.say(*pieces)
    assert await server.ping() == 200


async def test_a_header_section_without_measure(server: Peer) -> None:
    endless = [b"X-%d: %s\r\n" % (number, b"x" * 1_000) for number in range(200)]
    for pieces in ([HEAD, *endless], [b"GET /" + b"a" * 200_000]):
        answer = await server.say(*pieces)
        # Whoever still sends when the connection is closed may lose the answer (RFC 9112 section 9.6).
        assert answer == b"" or b" 431 " in answer
    assert await server.ping() == 200


async def test_more_connections_than_there_may_be(server: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 2)
    pairs = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
    for _, writer in pairs:
        writer.write(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
    for reader, _ in pairs:
        assert b" 200 " in await reader.readuntil(b"\r\n")
    assert await server.say(b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n") == b""
    for _, writer in pairs:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        HEAD + b"Content-Length: -1\r\n\r\n{}",
        HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        b"POST / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00",
        b"GET /ping\x00 HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\x00",
    ],
)
async def test_what_is_not_http(server: Peer, request_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        _hurry(patch)
        answer = await server.say(request_bytes)
    assert answer == b"" or b" 400 " in answer.partition(b"\r\n")[0]
    assert await server.ping() == 200


async def test_a_good_conversation_outlives_its_deadlines(server: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        assert [(await client.get("/ping")).status_code for _ in range(5)] == [200] * 5
        chunked = await client.post("/auth/login", content=_pieces())
        assert chunked.status_code == 400


async def test_a_long_body_is_no_header(server: Peer, world: World) -> None:
    headers = {"Authorization": f"Bearer {await world.key()}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", headers=headers) as client:
        for _ in range(3):
            long = await client.post("/v1.0/tags", json={"name": "a", "more": "x" * 900_000})
            assert long.status_code == 200, long.text


async def _pieces() -> AsyncIterator[bytes]:
    for piece in (b'{"username": ', b'"a", "password"', b': "b"}'):
        yield piece
