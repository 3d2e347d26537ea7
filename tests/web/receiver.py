"""An HTTP server on loopback that does whatever a test wants, down to the bytes."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import Awaitable, Callable

from msgspec import Struct

NETWORKS = (ipaddress.ip_network("127.0.0.0/8"),)
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Got(Struct):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes


Answer = Callable[[Got, asyncio.StreamWriter], Awaitable[None]]


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def accept(got: Got, writer: asyncio.StreamWriter) -> None:
    writer.write(NO_CONTENT)


def always(raw: bytes) -> Answer:
    async def answer(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return answer


class Receiver:
    """Use it with ``async with``; ``answer`` may be changed at any time."""

    def __init__(self, answer: Answer = accept, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.got: list[Got] = []
        self.connections = 0
        self.closed_by_peer = 0
        self.news = asyncio.Condition()
        self._tls = tls
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/hook"

    async def until(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something is true that requests make true."""
        async with asyncio.timeout(seconds), self.news:
            await self.news.wait_for(holds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while True:
                self.got.append(await _request(reader))
                async with self.news:
                    self.news.notify_all()
                await self.answer(self.got[-1], writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed_by_peer += 1
        finally:
            self._open.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            async with self.news:
                self.news.notify_all()


async def _request(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Got(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
