"""A client that asks one server over and over on kept connections: how many answers a second it gives."""

import asyncio
import re
import time

import uvloop

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


class Asker(asyncio.Protocol):
    """One connection: the next request leaves when the answer before it is complete."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answered = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self.answers = 0
        self.refused = 0
        self.last = b""
        """The body of the last answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask the first time."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count a complete answer and ask again."""
        self._buffer += data
        head, mark, body = self._buffer.partition(_HEAD_END)
        if not mark:
            return
        length = _LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return
        self.answers += 1
        self.answered.set()
        self.refused += not head.startswith(b"HTTP/1.1 200")
        self.last, self._buffer = body, b""
        assert self._transport is not None
        self._transport.write(self._request)

    def stop(self) -> None:
        """Ask no more."""
        assert self._transport is not None
        self._transport.abort()


def get(path: str, token: str) -> bytes:
    """The bytes of a GET with an access key."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


def ask(port: int, path: str, token: str, connections: int, seconds: float) -> dict[str, object]:
    """Ask over ``connections`` kept connections; how many answers came in that time, and the last one's body."""
    return uvloop.run(_ask(port, get(path, token), connections, seconds))


async def _ask(port: int, request: bytes, connections: int, seconds: float) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    askers = [(await loop.create_connection(lambda: Asker(request), "127.0.0.1", port))[1] for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    await askers[0].answered.wait()  # The body is looked at, however short the time was.
    answers, elapsed = sum(asker.answers for asker in askers), time.perf_counter() - began
    for asker in askers:
        asker.stop()
    return {
        "answers": answers,
        "rate": answers / elapsed,
        "refused": sum(asker.refused for asker in askers),
        "body": askers[0].last.decode(),
    }
