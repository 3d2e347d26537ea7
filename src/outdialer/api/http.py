"""Requests and answers over ASGI 3, as far as operations need them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from contextlib import aclosing
from functools import cached_property
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from outdialer.api.errors import ApiError
from outdialer.domain.units import Instant

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MOST_AT_ONCE_BYTES = 65_536
"""Of an answer that lasts: the server copies what is sent, and sends more when that has left."""


class Request:
    """One request; its parts are read when they are asked for. Of what stands twice, the first counts."""

    def __init__(self, scope: Scope, receive: Receive, arrived: Instant) -> None:
        self.scope = scope
        self.arrived = arrived
        """When it began."""
        self.id = ""
        """Its ``X-Request-Id``, once it has one."""
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])
        }
        """By lower-case name."""
        self._receive = receive
        self.method: str = scope.get("method", "GET")
        self.path_params: Mapping[str, str] = {}

    def all_of(self, name: str) -> list[str]:
        """Every header of that name, in order."""
        wanted = name.lower().encode("latin-1")
        return [value.decode("latin-1") for known, value in self.scope["headers"] if known == wanted]

    @cached_property
    def query_params(self) -> Mapping[str, str]:
        """The query, decoded; what is not UTF-8 becomes U+FFFD."""
        query = self.scope["query_string"]
        return dict(reversed(parse_qsl(query.decode("latin-1"), keep_blank_values=True))) if query else {}

    def check_once(self, *names: str) -> None:
        """Check that none of these stands twice in the query.

        Raises:
            ApiError: one does.
        """
        sent = [name for name, _ in parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)]
        for name in names:
            if sent.count(name) > 1:
                raise ApiError("INVALID_REQUEST_PARAMETER", f"{name}: it stands more than once; send it once.")

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """The cookies (RFC 6265 section 4.2)."""
        sent = self.headers.get("cookie")
        pairs = [pair.partition("=") for pair in sent.split(";")] if sent else []
        return {name.strip(): value.strip().strip('"') for name, _, value in reversed(pairs)}

    @property
    def path(self) -> str:
        """The path as it was sent, decoded."""
        return str(self.scope["path"])

    async def disconnected(self) -> None:
        """Return when the client has gone away."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in the pieces in which it comes.

        Raises:
            ApiError: the client went away before its end.
        """
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ApiError("INVALID_JSON_BODY", "The body ended before it was complete.")
            yield message.get("body", b"")
            more = message.get("more_body", False)


class Response:
    """One answer."""

    def __init__(
        self, content: bytes, *, media_type: str, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.content = content
        self.media_type = media_type
        self.status_code = status_code
        self.headers = dict(headers or {})

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI wants them."""
        return [
            (b"content-type", self.media_type.encode()),
            (b"content-length", b"%d" % len(self.content)),
            *((name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()),
        ]

    async def send(self, send: Send, more_headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Send it whole, with headers that every answer has."""
        headers = [*self.raw_headers, *more_headers]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.content})


class StreamedResponse(Response):
    """An answer of unknown length, sent piece by piece. ``gone`` is called when the client goes away before its end."""

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: Mapping[str, str],
        gone: Callable[[], None],
    ) -> None:
        super().__init__(b"", media_type=media_type, headers=headers)
        self.gone = gone
        self._pieces = pieces

    async def send(self, send: Send, more_headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Send the pieces as they come."""
        headers = [*(pair for pair in self.raw_headers if pair[0] != b"content-length"), *more_headers]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        async with aclosing(self._pieces):
            async for piece in self._pieces:
                for start in range(0, len(piece), MOST_AT_ONCE_BYTES):
                    part = piece[start : start + MOST_AT_ONCE_BYTES]
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
