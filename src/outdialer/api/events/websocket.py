"""``GET /ws``: what happens, over a websocket (RFC 6455), as VoIPBin's clients know it.

A client subscribes to topics and gets the bare object of every event, each event once however many of its topics
match. What is not understood is ignored; a topic that the client may not follow ends the connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Frame, Opcode

from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError
from outdialer.api.events.event import ClientEvent
from outdialer.api.events.follower import Ending, Follower
from outdialer.api.events.frames import FRAMES
from outdialer.api.events.stream import admit
from outdialer.api.events.topics import MOST_TOPICS, check_topics, hidden_from
from outdialer.api.events.welcome import ASK_EVERY_S, Welcome
from outdialer.api.http import Receive, Request, Response, Send
from outdialer.api.operations import BASE, wire_of
from outdialer.api.services import ApiServices
from outdialer.engine.lifecycle import Tasks
from outdialer.ports.store import StoreUnavailable

PATHS = (f"{BASE}/ws", f"{BASE}/service_agents/ws")
CLOSE_CODES = {Ending.SLOW: 1013, Ending.STOPPED: 1012, Ending.REVOKED: 1008, Ending.TOPIC: 1008}
"""RFC 6455 section 7.4 and its registry."""

Authenticated: TypeAlias = Callable[[Request], Awaitable[Principal]]
Failure: TypeAlias = Callable[[Request, Exception], Response]


class Order(Struct, frozen=True):
    """What a client sends."""

    type: str
    topics: list[Any]


_orders = msgspec.json.Decoder(Order)


def written(happened: Sequence[ClientEvent]) -> bytes:
    """Events as this channel writes them: a text frame each, with the bare object."""
    return b"".join(Frame(Opcode.TEXT, event.data).serialize(mask=False) for event in happened)


class Sockets:
    """Serves websockets over the feed of ``services``.

    ``authenticated`` finds who opens one, ``failure`` makes the answer to a handshake that is refused.
    """

    def __init__(self, services: ApiServices, authenticated: Authenticated, failure: Failure) -> None:
        self._services = services
        self._authenticated = authenticated
        self._failure = failure
        self._tasks = Tasks()

    async def serve(self, request: Request, receive: Receive, send: Send) -> None:
        """Serve one websocket from its opening handshake to its end."""
        await receive()
        try:
            principal = await self._welcomed(request)
            follower = Follower(wire_of(principal, self._services), written, hidden=hidden_from(principal))
            admit(follower, principal, self._services.feed)
        except Exception as error:
            await _refuse(send, self._failure(request, error))
            return
        await send({"type": "websocket.accept"})
        sending = self._tasks.start(self._tell(send, follower, principal), "websocket")
        try:
            await _obey(receive, follower, principal)
        finally:
            follower.end(Ending.GONE)
            await asyncio.wait({sending})

    async def _welcomed(self, request: Request) -> Principal:
        """Who opens the websocket.

        Raises:
            ApiError: there is none at this path, or not for whoever asks.
        """
        if request.path not in PATHS:
            raise ApiError("ROUTE_NOT_FOUND", f"Websockets are at {' and '.join(PATHS)}.")
        return await self._authenticated(request)

    async def _tell(self, send: Send, follower: Follower, principal: Principal) -> None:
        """Send what happens until one side has had enough."""
        feed = self._services.feed
        welcome = Welcome(principal, self._services)
        try:
            await feed.join(follower)
            while (piece := await follower.next(ASK_EVERY_S)) is not None:
                if piece:
                    await send({"type": FRAMES, "data": piece})
                if not await welcome.holds():
                    follower.end(Ending.REVOKED)
            await _close(send, follower.ending)
        except StoreUnavailable:
            await _close(send, Ending.STOPPED)
        except ClientDisconnected:
            follower.end(Ending.GONE)
        finally:
            feed.leave(follower)


async def _refuse(send: Send, answer: Response) -> None:
    """Answer the opening handshake like any request instead of accepting it (RFC 6455 section 4.2.2)."""
    headers = answer.raw_headers
    await send({"type": "websocket.http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.content})


async def _obey(receive: Receive, follower: Follower, principal: Principal) -> None:
    """Do what the client says until it goes away."""
    while (message := await receive())["type"] == "websocket.receive":
        try:
            order = _orders.decode(message.get("text") or message.get("bytes") or b"")
            _change_topics(order, follower, principal)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            continue
        except ApiError:
            follower.end(Ending.TOPIC)


def _change_topics(order: Order, follower: Follower, principal: Principal) -> None:
    if order.type not in ("subscribe", "unsubscribe"):
        return
    topics = check_topics(order.topics, principal)
    follower.topics = follower.topics | topics if order.type == "subscribe" else follower.topics - topics
    if len(follower.topics) > MOST_TOPICS:
        follower.end(Ending.TOPIC)


async def _close(send: Send, why: Ending | None) -> None:
    if why in CLOSE_CODES:
        await send({"type": "websocket.close", "code": CLOSE_CODES[why], "reason": str(why)})
