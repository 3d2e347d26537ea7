"""One connection to a web server: a request goes out in one piece, its answer is read within bounds (RFC 9112)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

import httptools
from msgspec import Struct

MOST_HEAD_BYTES = 64 << 10
"""Of an answer's status line and headers."""


class WebError(Exception):
    """No answer came; the message says why, without anything that the far end has sent."""


class Closed(WebError):
    """The connection ended before anything of an answer came."""


class Answer(Struct, frozen=True):
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; of repeated ones the first."""
    body: bytes
    """As sent; a compressed body is not unpacked."""
    whole: bool
    """Whether the body ended within the bounds of size and time."""


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time. ``idle_over`` is told when it ends while it is not in use."""

    def __init__(self, idle_over: Callable[["Connection"], None]) -> None:
        self._idle_over = idle_over
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._done: asyncio.Future[None] | None = None
        self._most_bytes = 0
        self._forget_answer()
        self.reusable = False
        """Whether another request may follow."""

    def _forget_answer(self) -> None:
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._head_bytes = 0
        self._whole = False

    async def ask(self, request: bytes, most_bytes: int, deadline: float) -> Answer:
        """Send a request and read its answer until ``deadline``, in the loop's time.

        An answer whose body does not end in time counts as far as it came.

        Raises:
            Closed: the connection ended before anything of an answer came.
            WebError: it ended later, or what came is not HTTP.
            TimeoutError: no status and headers came in time.
        """
        if self._transport is None or self._transport.is_closing():
            raise Closed("the connection broke")
        self._forget_answer()
        self.reusable, self._most_bytes = False, most_bytes
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            async with asyncio.timeout_at(deadline):
                await self._done
        except TimeoutError:
            if not self._status:
                raise
        finally:
            self._done = None
            if not self.reusable:
                self.close()
        return Answer(self._status, self._headers, bytes(self._body[:most_bytes]), self._whole)

    def close(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over. A body without a length ends that way (RFC 9112 section 6.3)."""
        if self._done is None:
            self._idle_over(self)
        elif not self._status:
            self._finish(WebError("the answer is not HTTP") if self._head_bytes else Closed("the connection broke"))
        else:
            self._whole = self._whole or not {"content-length", "transfer-encoding"} & set(self._headers)
            self._finish()

    def data_received(self, data: bytes) -> None:
        """Something of an answer came; what nobody has asked for ends the connection."""
        if self._is_unasked():
            self.close()
            return
        if not self._status:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._finish(None if self._status else WebError("the answer is not HTTP"))
        if self._head_bytes > MOST_HEAD_BYTES and not self._status:
            self._finish(WebError("the answer's headers do not end"))

    def _is_unasked(self) -> bool:
        """Whether nothing is waited for: what comes now belongs to no request, and none may follow it."""
        if self._done is not None and not self._done.done():
            return False
        self.reusable = False
        return True

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has read a header."""
        if self._is_unasked():
            return
        self._headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """The parser has read all headers; interim answers are passed over (RFC 9110 section 15.2)."""
        if self._is_unasked():
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._headers.clear()
        else:
            self._status = status

    def on_body(self, body: bytes) -> None:
        """The parser has read a part of the body."""
        if self._is_unasked():
            return
        self._body += body
        if len(self._body) > self._most_bytes:
            self._finish()

    def on_message_complete(self) -> None:
        """The parser has read all of an answer."""
        if self._status and not self._is_unasked():
            self._whole = True
            self.reusable = self._parser.should_keep_alive()
            self._finish()

    def _finish(self, error: Exception | None = None) -> None:
        if self._done is None or self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)
