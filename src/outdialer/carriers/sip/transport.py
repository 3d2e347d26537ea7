"""How SIP packets enter and leave the process: one UDP socket, and the seam for TCP and TLS.

The socket is the last place that decides where a packet may go: without ``live`` nothing leaves the machine,
whatever list, DNS answer, redirect, Contact, Route or SDP names the address.
"""

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol, TypeAlias

Address: TypeAlias = tuple[str, int]
OnDatagrams: TypeAlias = Callable[[list[tuple[bytes, Address]]], None]
"""Takes what one readiness of the socket brought, in order of arrival."""

BUFFER_BYTES = 4 * 1024 * 1024
"""Wanted kernel buffers each way: a burst of thousands of responses must not be dropped while Python works."""
BATCH = 64
"""Datagrams dealt with per loop turn. Stock asyncio deals with one and collapses under load."""
BACKLOG = 8_192
"""Datagrams taken from the kernel ahead of that: an unprivileged kernel buffer holds less than two hundred."""
BACKLOG_BYTES = 16 * 1024 * 1024
"""And how much they may hold: thousands of the largest datagrams would be half a gigabyte."""
_FORCE = {socket.SO_RCVBUF: 33, socket.SO_SNDBUF: 32}
"""SO_RCVBUFFORCE and SO_SNDBUFFORCE of Linux, which pass the system's limit for who may (socket(7))."""
_MAX_DATAGRAM = 65_535


class NonLoopbackRefused(PermissionError):
    """A packet was to leave the machine, and live dialing is not switched on."""


class Transport(Protocol):
    """A way out and in. TCP and TLS implement the same."""

    @property
    def local_address(self) -> Address:
        """The bound host and port."""

    def send(self, data: bytes, address: Address) -> None:
        """Hand one message to the kernel.

        Raises:
            NonLoopbackRefused: ``address`` is not loopback and the transport is not live.
            OSError: the kernel did not take it.
        """

    def close(self) -> None:
        """Stop reading and let the socket go."""


@lru_cache(maxsize=4_096)
def is_loopback(host: str) -> bool:
    """Whether ``host`` is a numeric loopback address; names never are, they were resolved before."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


class UdpTransport:
    """One UDP socket read in batches through the loop's reader, on asyncio and on uvloop alike."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bind: Address,
        on_datagrams: OnDatagrams,
        *,
        live: bool,
        bound: socket.socket | None = None,
    ) -> None:
        """Bind, unless ``bound`` is a socket that is bound already, and start reading.

        Raises:
            NonLoopbackRefused: ``bind`` is not loopback and ``live`` is False.
            OSError: the address cannot be bound.
        """
        if not live and not is_loopback(bind[0]):
            raise NonLoopbackRefused(f"binding to {bind[0]} needs live dialing")
        self._loop = loop
        self._on_datagrams = on_datagrams
        self._live = live
        self._socket = bound_socket(bind) if bound is None else bound
        self._backlog: deque[tuple[bytes, Address]] = deque()
        self._backlog_bytes = 0
        self._turn: asyncio.Handle | None = None
        host, port = self._socket.getsockname()[:2]
        self._local: Address = (host, port)
        loop.add_reader(self._socket.fileno(), self._read)

    @property
    def local_address(self) -> Address:
        """The bound host and port."""
        return self._local

    def send(self, data: bytes, address: Address) -> None:
        """Hand one datagram to the kernel (see ``Transport.send``)."""
        if not self._live and not is_loopback(address[0]):
            raise NonLoopbackRefused(f"{address[0]} is not a loopback address")
        self._socket.sendto(data, address)

    def close(self) -> None:
        """Stop reading and close the socket; closing twice is allowed."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._backlog.clear()
            self._backlog_bytes = 0

    def _read(self) -> None:
        """The socket is readable: empty it, then deal with some; the rest is for the next turns of the loop."""
        receive, backlog = self._socket.recvfrom, self._backlog
        while len(backlog) < BACKLOG and self._backlog_bytes < BACKLOG_BYTES:
            try:
                data, source = receive(_MAX_DATAGRAM)
            except OSError:
                break
            backlog.append((data, source[:2]))
            self._backlog_bytes += len(data)
        if self._turn is None:
            self._take_turn()

    def _take_turn(self) -> None:
        self._turn = None
        backlog = self._backlog
        batch = [backlog.popleft() for _ in range(min(BATCH, len(backlog)))]
        self._backlog_bytes -= sum(len(data) for data, _ in batch)
        if len(backlog) > 0:
            self._turn = self._loop.call_soon(self._take_turn)
        if batch:
            self._on_datagrams(batch)


def bound_socket(bind: Address) -> socket.socket:
    """A UDP socket at an address, with wide buffers.

    Raises:
        OSError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in bind[0] else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        for option in _FORCE:
            _widen(bound, option)
        bound.bind(bind)
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"{error.strerror}: {bind[0]}:{bind[1]}") from None
    return bound


def _widen(opened: socket.socket, option: int) -> None:
    """Ask for a big buffer; without the right to force it the kernel gives what its limit allows."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, _FORCE[option], BUFFER_BYTES)
    except OSError:
        opened.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
