"""RTP sockets: bound in advance, leased, unused for a while after a call; and the guard of what leaves them."""

import asyncio
import ipaddress
import socket
from collections import deque
from collections.abc import Callable
from functools import lru_cache

from outdialer.domain.units import Milliseconds

Address = tuple[str, int]

_RECEIVE_BUFFER = 32 * 1024
"""A second or two of audio: what piles up on a port that nobody reads stays small."""
_DATAGRAM = 2048
_MOST_STALE = 1000
_BIND_ATTEMPTS = 200


@lru_cache(maxsize=4096)
def permitted(host: str, *, live: bool) -> bool:
    """Whether audio may go to ``host``: an IP address, unless live a loopback one. Names are never resolved."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or (live and not address.is_unspecified and not address.is_multicast)


class RtpSocket:
    """One bound, non-blocking UDP socket that sends nowhere but to the permitted address it was aimed at."""

    def __init__(self, bound: socket.socket, *, live: bool) -> None:
        self._socket = bound
        self._live = live
        self._target: Address | None = None
        self.port: int = bound.getsockname()[1]

    def fileno(self) -> int:
        """For selectors."""
        return self._socket.fileno()

    def aim(self, target: Address) -> bool:
        """Send to ``target`` from now on; False, and no change, when that is not permitted."""
        if not permitted(target[0], live=self._live) or not 0 < target[1] < 65536:
            return False
        self._target = target
        return True

    def send(self, packet: bytes) -> bool:
        """Hand one packet to the kernel; False when there is no target or the kernel refused it."""
        if self._target is None:
            return False
        try:
            self._socket.sendto(packet, self._target)
        except OSError:
            return False
        return True

    def receive(self) -> tuple[bytes, Address] | None:
        """One waiting datagram and where it came from, or None."""
        try:
            data, source = self._socket.recvfrom(_DATAGRAM)
        except OSError:
            return None
        return data, (source[0], source[1])

    def forget(self) -> None:
        """Throw away what waits in the kernel, and the target."""
        self._target = None
        for _ in range(_MOST_STALE):
            if self.receive() is None:
                return

    def close(self) -> None:
        """Unbind."""
        self._socket.close()


class PortPool:
    """The bound ports of the process, each granted, leased, in quarantine or free.

    Only even ports are used (RFC 3550 section 11), so that a far end's RTCP to the next one reaches no other call.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        grant: Callable[[list[int]], None],
        *,
        address: str,
        port_range: tuple[int, int] | None,
        live: bool,
        quarantine_ms: Milliseconds,
    ) -> None:
        self._loop = loop
        self._grant = grant
        self._address = address
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._live = live
        self._ranged = port_range is not None
        first, last = port_range or (0, -1)
        self._unbound = deque(range(first + first % 2, last + 1, 2))
        self._quarantine_s = quarantine_ms / 1000
        self._sockets: dict[int, RtpSocket] = {}
        self._free: deque[int] = deque()
        self._resting: deque[tuple[float, int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._owed = 0

    def want(self, count: int) -> None:
        """Grant ``count`` more ports: at once as far as there are any (maybe none), the rest as quarantines end."""
        self._owed += count
        self._grant(self._payable())

    def take(self, port: int) -> RtpSocket | None:
        """The socket of a granted port, emptied of early and stale audio; None when the port is not ours."""
        found = self._sockets.get(port)
        if found is not None:
            found.forget()
        return found

    def rest(self, port: int) -> None:
        """Keep a port bound and unused for the quarantine."""
        if port in self._sockets:
            self._resting.append((self._loop.time() + self._quarantine_s, port))
            if self._timer is None:
                self._timer = self._loop.call_at(self._resting[0][0], self._wake)

    def close(self) -> None:
        """Unbind everything."""
        if self._timer is not None:
            self._timer.cancel()
        for bound in self._sockets.values():
            bound.close()
        self._sockets.clear()

    def _wake(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
        if self._resting:
            self._timer = self._loop.call_at(self._resting[0][0], self._wake)
        ports = self._payable()
        if ports:
            self._grant(ports)

    def _payable(self) -> list[int]:
        """As many ports as are owed and can be had; they count as granted."""
        ports: list[int] = []
        while len(ports) < self._owed and (port := self._another()) is not None:
            ports.append(port)
        self._owed -= len(ports)
        return ports

    def _another(self) -> int | None:
        """A port to grant: the longest unused, else a newly bound one."""
        if self._free:
            return self._free.popleft()
        for _ in range(min(len(self._unbound), _BIND_ATTEMPTS) if self._ranged else _BIND_ATTEMPTS):
            bound = self._bind(self._unbound[0] if self._ranged else 0)
            if bound is not None:
                if self._ranged:
                    self._unbound.popleft()
                self._sockets[bound.port] = bound
                return bound.port
            self._unbound.rotate(-1)
        return None

    def _bind(self, port: int) -> RtpSocket | None:
        """A new socket on ``port`` (0: any even one), or None when the port is taken or descriptors have run out."""
        try:
            fresh = socket.socket(self._family, socket.SOCK_DGRAM)
        except OSError:
            return None
        try:
            fresh.setblocking(False)
            fresh.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            fresh.bind((self._address, port))
        except OSError:
            fresh.close()
            return None
        if fresh.getsockname()[1] % 2:
            fresh.close()
            return None
        return RtpSocket(fresh, live=self._live)
