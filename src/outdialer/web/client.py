"""HTTP to places that somebody else wrote down. What may be reached is decided at the socket.

Names are looked up here, every address that a name has must be permitted, and the connection goes to the very address
that was looked at: there is no second look-up that could give another answer. The name stays in the TLS handshake and
in ``Host``. There are no proxies, no cookies and no redirects; a redirect is an answer like any other.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeAlias

import certifi
import httpcore
from msgspec import Struct

from outdialer.web.addresses import HTTPS_PORTS, Address, Network, Target, is_public, is_within

Resolve: TypeAlias = Callable[[str], Awaitable[list[Address]]]
"""All addresses of a host's name."""
CONNECT_S = 5.0
KEEP_ALIVE_S = 10.0
MOST_CONNECTIONS = 1_000
LOOK_UPS_AT_ONCE = 32
"""Each host's name is looked up once at a time, so that slow names cannot take all of them alone."""


class WebError(Exception):
    """No answer came; the message says why, without anything that the far end has sent."""


class Forbidden(WebError):
    """The host has an address that must not be reached."""


class Reach(Struct, frozen=True):
    """Where connections may go."""

    networks: tuple[Network, ...] = ()
    """Permitted whatever they are, with every port, and without TLS too."""
    https_ports: Collection[int] = HTTPS_PORTS
    """Of public addresses."""
    http_ports: Collection[int] = ()
    """Of public addresses, without TLS."""


class Answer(Struct, frozen=True):
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; of repeated ones the first."""
    body: bytes
    """As sent; a compressed body is not unpacked."""
    whole: bool
    """Whether the body ended within the bounds of size and time."""


class Resolver:
    """Looks names up, in threads of its own: one slow name holds up nobody who asks for another one."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOK_UPS_AT_ONCE, thread_name_prefix="web-names")
        self._asked: dict[str, asyncio.Future[list[Any]]] = {}

    async def __call__(self, host: str) -> list[Address]:
        """All addresses of a name.

        Raises:
            OSError: it has none.
        """
        asked = self._asked.get(host)
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, socket.getaddrinfo, host, None, 0, socket.SOCK_STREAM)
            self._asked[host] = asked
            asked.add_done_callback(lambda _: self._asked.pop(host, None))
        found = await asyncio.shield(asked)
        return [ipaddress.ip_address(entry[4][0]) for entry in found]

    def close(self) -> None:
        """Look up nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Guard(httpcore.AsyncNetworkBackend):
    """Opens the sockets of a connection pool, and only those that may be opened."""

    def __init__(self, networks: tuple[Network, ...], public_ports: Collection[int], resolve: Resolve) -> None:
        self._networks = networks
        self._public_ports = public_ports
        self._resolve = resolve
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that answers; all of them must be permitted."""
        failed: Exception = httpcore.ConnectError("no address")
        for address in await self._permitted(host, port):
            try:
                return await self._sockets.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def _permitted(self, host: str, port: int) -> list[Address]:
        try:
            addresses = [ipaddress.ip_address(host)]
        except ValueError:
            addresses = await self._look_up(host)
        for address in addresses:
            if not is_within(address, self._networks):
                self._check_public(address, port)
        return addresses

    async def _look_up(self, host: str) -> list[Address]:
        try:
            addresses = await self._resolve(host)
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise WebError("the host's name has no address")
        return addresses

    def _check_public(self, address: Address, port: int) -> None:
        if not is_public(address):
            raise Forbidden("the host's address is not a public one")
        if port not in self._public_ports:
            ports = ", ".join(map(str, self._public_ports)) or "none"
            raise Forbidden(f"port {port} cannot be used with this kind of URL (possible: {ports})")

    async def sleep(self, seconds: float) -> None:
        """Wait between two tries of a connection; there is only one try here."""
        await asyncio.sleep(seconds)


class WebClient:
    """A pool of guarded connections."""

    def __init__(
        self, reach: Reach, *, resolve: Resolve | None = None, tls: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        """``resolve`` and ``tls`` are the system's, unless given."""
        self._own = None if resolve else Resolver()
        self._resolve = resolve or self._own or Resolver()
        self._reach = reach
        self._tls = tls or default_tls
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    def _pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        """The connections of a scheme, made when they are first needed."""
        if scheme not in self._pools:
            ports = self._reach.https_ports if scheme == "https" else self._reach.http_ports
            self._pools[scheme] = httpcore.AsyncConnectionPool(
                ssl_context=self._tls() if scheme == "https" else None,
                max_connections=MOST_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_S,
                network_backend=_Guard(self._reach.networks, ports, self._resolve),
            )
        return self._pools[scheme]

    async def ask(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        seconds: float,
        most_bytes: int,
    ) -> Answer:
        """Send one request and read its answer, up to ``most_bytes``; then the connection is closed.

        Args:
            method: such as ``POST``.
            target: where to.
            headers: without ``Host`` and ``Content-Length``.
            body: what is sent.
            seconds: how long everything together may take. An answer whose body does not end in time counts as
                far as it came.
            most_bytes: how much of the answer's body is read.

        Raises:
            WebError: no answer came.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._pool(target.scheme).handle_async_request(_request(method, target, headers, body))
        except TimeoutError:
            raise WebError(f"no answer within {seconds:.0f} s") from None
        except httpcore.TimeoutException:
            raise WebError("no connection in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise WebError(_plain(error)) from error
        try:
            data, whole = await _read(response, most_bytes, deadline)
        finally:
            await response.aclose()
        given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers[::-1]}
        return Answer(response.status, given, data, whole)

    async def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()
        if self._own is not None:
            self._own.close()


def _request(method: str, target: Target, headers: Mapping[str, str], body: bytes) -> httpcore.Request:
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    own = (("Host", target.authority), ("Content-Length", str(len(body))))
    sent: list[tuple[bytes | str, bytes | str]] = [*own, *headers.items()]
    return httpcore.Request(method, url, headers=sent, content=body, extensions={"timeout": {"connect": CONNECT_S}})


async def _read(response: httpcore.Response, most_bytes: int, deadline: float) -> tuple[bytes, bool]:
    """As much of a body as comes and may be read, and whether that is all of it."""
    data = bytearray()
    try:
        async with asyncio.timeout_at(deadline):
            async for part in response.aiter_stream():
                data += part
                if len(data) > most_bytes:
                    return bytes(data[:most_bytes]), False
    except (TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        return bytes(data), False
    return bytes(data), True


@cache
def default_tls() -> ssl.SSLContext:
    """Trusts the machine's certificate authorities and the usual public ones. Made once, because that takes a while."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _plain(error: Exception) -> str:
    """What went wrong, in words that tell nothing of what the far end has sent."""
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not good: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return "the TLS handshake failed"
    if isinstance(error, httpcore.ConnectError):
        return "no connection"
    if isinstance(error, httpcore.ProtocolError):
        return "the answer is not HTTP"
    return "the connection broke"
