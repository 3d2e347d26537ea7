"""HTTP connections that nobody can hold open for nothing: the server's own limits below the requests.

A client that sends its request drop by drop, or opens connections and says nothing, costs a timer and is cut off; the
others notice nothing of it.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
"""From the opening of a connection, or the beginning of a request, to the end of its header section."""
BODY_S = 120.0
"""From there to the end of its body."""
MOST_HEAD_BYTES = 65_536
"""Of the request line and the header section (RFC 9110 section 5.4)."""
MOST_CONNECTIONS = 4_000
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class GuardedConnection(HttpToolsProtocol):
    """One connection with its deadlines."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._within_s: float | None = None
        """For what is expected next. A timer is set when all that came is read: most requests come whole."""
        self._changed = False
        self._in_head = True
        self._completed = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self._expect(HEAD_S)
            self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._expect(None)
        self._set_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and count what is nothing but a header section without its end."""
        self._completed = False
        super().data_received(data)
        if self._in_head and not self._completed:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()
        if self._changed:
            self._set_deadline()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._expect(HEAD_S)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its body begins."""
        self._in_head, self._head_bytes = False, 0
        self._expect(BODY_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is complete; the answer may take its time."""
        self._in_head = self._completed = True
        self._expect(None)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """The connection goes on as a websocket, which has deadlines of its own."""
        self._expect(None)
        super().handle_websocket_upgrade()

    def _expect(self, within_s: float | None) -> None:
        self._within_s, self._changed = within_s, True

    def _set_deadline(self) -> None:
        self._changed = False
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if self._within_s is None else self.loop.call_later(self._within_s, self.transport.abort)
