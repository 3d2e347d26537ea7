"""A thousand connections that follow what happens, and requests at a rate, from one process."""

import asyncio
import base64
import os
import re
import struct
import time
from functools import partial

import uvloop

from bench.http_load import get

HANDSHAKE = (
    "GET /v1.0/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n"
)
AT_ONCE = 50
"""Connections that are opened together."""
LET_IN_S = 60.0
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def masked(text: str) -> bytes:
    """A text frame of a client (RFC 6455 section 5.2), with a mask of zeros."""
    payload = text.encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return b"\x81" + size + bytes(4) + payload


class Follower(asyncio.Protocol):
    """Counts what it is told."""

    def __init__(self, request: bytes, after_accepted: bytes) -> None:
        self._request = request
        self._after = after_accepted
        self.received = 0
        self.accepted = False
        self.lost = False
        self.known = asyncio.Event()
        """Whether it is let in is known: what that costs is not part of the measurement."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask."""
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """The first bytes are the answer to the request; all others are what happens."""
        if not self.accepted:
            self.accepted = data.startswith((b"HTTP/1.1 101", b"HTTP/1.1 200"))
            self.transport.write(self._after)
            self.known.set()
        self.received += len(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Remember that the server hung up."""
        self.lost = True
        self.known.set()


class Reader(asyncio.Protocol):
    """Sends one request at a time and measures how long its answer takes."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._buffer = b""
        self._asked = 0.0
        self.waiting = False
        self.took: list[float] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the connection."""
        self._transport = transport

    def ask(self) -> None:
        """Send the request."""
        self._asked, self.waiting = time.perf_counter(), True
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Note a complete answer."""
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if mark else None
        if length is None or len(body) < int(length[1]):
            return
        self.took.append(time.perf_counter() - self._asked)
        self.refused += not head.startswith(b"HTTP/1.1 200")
        self._buffer, self.waiting = b"", False


def follow_and_ask(
    port: int, token: str, topic: str, paths: list[str], followers: int, requests_per_s: int, seconds: float
) -> dict[str, object]:
    """Half of the followers over websockets, half by Server-Sent Events; the requests take the paths in turn."""
    os.nice(10)
    return uvloop.run(_follow_and_ask(port, token, topic, paths, followers, requests_per_s, seconds))


async def _follow_and_ask(
    port: int, token: str, topic: str, paths: list[str], followers: int, requests_per_s: int, seconds: float
) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    subscribe = masked(f'{{"type":"subscribe","topics":["{topic}"]}}')
    key = base64.b64encode(bytes(16)).decode()
    websocket = HANDSHAKE.format(key=key, token=token).encode()
    stream = get(f"/v1.0/events?topics={topic}", token)

    async def follow(number: int) -> Follower:
        asked = (websocket, subscribe) if number % 2 else (stream, b"")
        return (await loop.create_connection(lambda: Follower(*asked), "127.0.0.1", port))[1]

    following: list[Follower] = []
    for start in range(0, followers, AT_ONCE):
        following += await asyncio.gather(*map(follow, range(start, min(start + AT_ONCE, followers))))
        async with asyncio.timeout(LET_IN_S):
            await asyncio.gather(*(one.known.wait() for one in following))
    requests = [get(path, token) for path in paths]
    readers = [
        (await loop.create_connection(partial(Reader, requests[number % len(requests)]), "127.0.0.1", port))[1]
        for number in range(max(8, requests_per_s // 4))
    ]
    began = time.perf_counter()
    print("begin", flush=True)
    before = [one.received for one in following]
    asked = skipped = 0
    while (elapsed := time.perf_counter() - began) < seconds:
        while asked < elapsed * requests_per_s:
            reader = readers[asked % len(readers)]
            asked += 1
            if reader.waiting:
                skipped += 1
            else:
                reader.ask()
        await asyncio.sleep(0.002)
    told = [one.received - start for one, start in zip(following, before, strict=True)]
    took = sorted(second for reader in readers for second in reader.took)
    return {
        "accepted": sum(one.accepted for one in following),
        "lost": sum(one.lost for one in following),
        "least_bytes": min(told),
        "bytes": sum(told),
        "asked": asked,
        "answered": len(took),
        "refused": sum(reader.refused for reader in readers),
        "skipped": skipped,
        "p50_ms": took[len(took) // 2] * 1e3 if took else 0.0,
        "p99_ms": took[len(took) * 99 // 100] * 1e3 if took else 0.0,
    }
