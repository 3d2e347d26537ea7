"""The server's side of websockets: uvicorn's, with two things of our own."""

import logging
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

FRAMES = "outdialer.frames"
"""An ASGI message of our own: ``data`` holds whole frames (RFC 6455 section 5.2) that go out as they are."""
PING_EVERY_S = 10.0
PONG_WITHIN_S = 60.0
LONGEST_MESSAGE = 65_536
_quiet = logging.getLogger("outdialer.websocket")
_quiet.setLevel(logging.WARNING)


class EventSocketProtocol(WebSocketsSansIOProtocol):
    """Writes many frames at once, the same ones to many connections; and logs no path, which may hold a key."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = _quiet
        self.conn.logger = _quiet
        self.conn.debug = False

    async def send(self, message: Any) -> None:
        """Send an ASGI message."""
        if message["type"] != FRAMES:
            await super().send(message)
            if message["type"] == "websocket.http.response.body":
                self.handshake_complete = True  # A refusal is an answer too; uvicorn logs an error without this.
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent:
            raise ClientDisconnected
        self.transport.write(message["data"])
