"""UDP sockets that tell when the kernel received a datagram."""

import socket
import struct
import sys
import time
from typing import TypeAlias

from outdialer.domain.units import Instant

Datagram: TypeAlias = tuple[bytes, tuple[str, int], Instant]

_SO_TIMESTAMPNS = 35
"""Linux's number of the option; Python has no name for it (socket(7))."""
_TIMESPEC = struct.Struct("qq")
LARGEST = 65_535
"""Bytes of the largest datagram."""


def wall_clock() -> Instant:
    """Microseconds since the Unix epoch, by the clock that the kernel stamps datagrams with."""
    return time.time_ns() // 1_000


def open_socket(host: str, port: int, receive_buffer: int) -> socket.socket:
    """A bound, non-blocking UDP socket with receive times.

    Raises:
        OSError: the address cannot be bound, or no file descriptor is left.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if sys.platform == "linux":
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise OSError(error.errno, f"{error.strerror}: {host}:{port}") from None
    return opened


def read(source: socket.socket, largest: int = LARGEST) -> Datagram | None:
    """The next datagram (cut at ``largest`` bytes) with its sender and the time it came; None when there is none.

    An ICMP error for something sent before reads as none, too: the socket stays readable, and the next read goes on.
    """
    try:
        data, ancillary, _, sender = source.recvmsg(largest, 64)
    except OSError:
        return None
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            return data, sender[:2], seconds * 1_000_000 + nanoseconds // 1_000
    return data, sender[:2], wall_clock()
