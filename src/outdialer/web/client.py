"""HTTP to places that somebody else wrote down. What may be reached is decided at the socket.

Names are looked up here, every address that a name has must be permitted, and the connection goes to the very address
that was looked at: there is no second look-up that could give another answer. The name stays in the TLS handshake and
in ``Host``. There are no proxies, no cookies and no redirects; a redirect is an answer like any other.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeAlias

import certifi
from msgspec import Struct

from outdialer.web.addresses import HTTPS_PORTS, Address, Network, Target, is_public, is_within
from outdialer.web.connection import Answer, Closed, Connection, WebError

Resolve: TypeAlias = Callable[[str], Awaitable[list[Address]]]
"""All addresses of a host's name."""
CONNECT_S = 5.0
KEEP_ALIVE_S = 10.0
LOOK_UPS_AT_ONCE = 32
"""Each host's name is looked up once at a time, so that slow names cannot take all of them alone."""


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


_Place: TypeAlias = tuple[str, str, int]
"""Scheme, host and port: what connections are kept by."""


class WebClient:
    """Guarded connections, kept open for a while for the next request to the same place."""

    def __init__(
        self, reach: Reach, *, resolve: Resolve | None = None, tls: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        """``resolve`` and ``tls`` are the system's, unless given."""
        self._own = Resolver()
        self._resolve = resolve or self._own
        self._reach = reach
        self._tls = tls or default_tls
        self._idle: dict[_Place, dict[Connection, asyncio.TimerHandle]] = defaultdict(dict)

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
        """Send one request and read its answer, up to ``most_bytes`` of its body; then the connection is closed.

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
        request = _request(method, target, headers, body)
        try:
            return await self._ask(target, request, most_bytes, deadline)
        except TimeoutError:
            raise WebError(f"no answer within {seconds:.0f} s") from None

    async def _ask(self, target: Target, request: bytes, most_bytes: int, deadline: float) -> Answer:
        place = (target.scheme, target.host, target.port)
        while self._idle[place]:
            connection, timer = self._idle[place].popitem()
            timer.cancel()
            try:
                return await self._over(connection, place, request, most_bytes, deadline)
            except Closed:
                continue  # The server closed it while nothing was going on.
        async with asyncio.timeout_at(deadline):
            connection = await self._connect(target)
        return await self._over(connection, place, request, most_bytes, deadline)

    async def _over(
        self, connection: Connection, place: _Place, request: bytes, most_bytes: int, deadline: float
    ) -> Answer:
        answer = await connection.ask(request, most_bytes, deadline)
        if connection.reusable:
            timer = asyncio.get_running_loop().call_later(KEEP_ALIVE_S, connection.close)
            self._idle[place][connection] = timer
        return answer

    def _idle_over(self, connection: Connection) -> None:
        for place, idle in list(self._idle.items()):
            timer = idle.pop(connection, None)
            if timer is not None:
                timer.cancel()
            if not idle:
                del self._idle[place]

    async def _connect(self, target: Target) -> Connection:
        """Connect to the first of the host's addresses that answers; all of them must be permitted."""
        failed = WebError("no connection")
        for address in await self._permitted(target):
            try:
                async with asyncio.timeout(CONNECT_S):
                    return await self._open(address, target)
            except TimeoutError:
                failed = WebError("no connection in time")
            except OSError as error:
                failed = WebError(_plain(error))
        raise failed

    async def _open(self, address: Address, target: Target) -> Connection:
        secure = target.scheme == "https"
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._idle_over),
            str(address),
            target.port,
            ssl=self._tls() if secure else None,
            server_hostname=target.host if secure else None,
        )
        return connection

    async def _permitted(self, target: Target) -> list[Address]:
        """Every address of a host.

        Raises:
            WebError: it has none, or one that must not be reached.
        """
        try:
            addresses = [ipaddress.ip_address(target.host)]
        except ValueError:
            addresses = await self._look_up(target.host)
        for address in addresses:
            if not is_within(address, self._reach.networks):
                self._check_public(address, target)
        return addresses

    async def _look_up(self, host: str) -> list[Address]:
        try:
            addresses = await self._resolve(host)
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise WebError("the host's name has no address")
        return addresses

    def _check_public(self, address: Address, target: Target) -> None:
        if not is_public(address):
            raise Forbidden("the host's address is not a public one")
        ports = self._reach.https_ports if target.scheme == "https" else self._reach.http_ports
        if target.port not in ports:
            possible = ", ".join(map(str, ports)) or "none"
            raise Forbidden(f"port {target.port} cannot be used with {target.scheme} (possible: {possible})")

    async def close(self) -> None:
        """Close every connection."""
        for idle in list(self._idle.values()):
            for connection in list(idle):
                connection.close()
        await asyncio.sleep(0)
        self._own.close()


def _request(method: str, target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    own = {"Host": target.authority, "Content-Length": str(len(body))}
    lines = [f"{method} {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (own | dict(headers)).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@cache
def default_tls() -> ssl.SSLContext:
    """Trusts the machine's certificate authorities and the usual public ones. Made once, because that takes a while."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _plain(error: OSError) -> str:
    """What went wrong, in words that tell nothing of what the far end has sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not good: {error.verify_message}"
    return "the TLS handshake failed" if isinstance(error, ssl.SSLError) else "no connection"
