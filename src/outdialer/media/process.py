"""The media process: all RTP of one engine, in a process of its own so that nothing else disturbs the pacing.

Started by ``outdialer.media.client`` as ``python -m outdialer.media.process <descriptor>``. The descriptor is one end
of a Unix socket pair; when the other end closes, however the engine ended, this process stops all audio and exits.
"""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from outdialer.media import control
from outdialer.media.control import Count, Frames, Granted, Order, Ready, Report, Settings, Totals, Trouble
from outdialer.media.legs import PromptShelf, Switchboard
from outdialer.media.recording import WavWriter
from outdialer.media.sockets import PortPool

_HOUSEKEEPING_S = 0.25
_COLLECT_EVERY = 40
"""Housekeeping rounds between two collections: the collector runs when we say so, never in the middle of a slot."""
_LAST_WRITES_S = 0.5


class MediaServer(asyncio.Protocol):
    """Carries out the engine's orders."""

    def __init__(self, loop: asyncio.AbstractEventLoop, entropy: Callable[[int], bytes]) -> None:
        self._loop = loop
        self._entropy = entropy
        self._frames = Frames()
        self._transport: asyncio.WriteTransport | None = None
        self._ports: PortPool | None = None
        self._board: Switchboard | None = None
        self._writer: WavWriter | None = None
        self._rounds = 0
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The engine is there."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Orders came."""
        for body in self._frames.feed(data):
            self._obey(control.orders.decode(body))

    def connection_lost(self, exc: Exception | None) -> None:
        """The engine is gone: no audio may go on."""
        self._transport = None
        if self._board is not None:
            self._board.end()
        if self._ports is not None:
            self._ports.close()
        if self._writer is not None:
            self._writer.close(_LAST_WRITES_S)
        self.ended.set()

    def tell(self, report: Report) -> None:
        """Report to the engine, if it is still there."""
        if self._transport is not None:
            self._transport.write(control.frame(report))

    def _obey(self, order: Order) -> None:
        if isinstance(order, Settings):
            self._set_up(order)
        elif isinstance(order, Count):
            if self._board is not None:
                self.tell(Totals(order.number, self._board.statistics))
        elif isinstance(order, control.WantPorts | control.ReturnPort):
            self._obey_ports(order)
        elif self._board is not None:
            _carry_out(self._board, order)

    def _obey_ports(self, order: control.WantPorts | control.ReturnPort) -> None:
        if self._ports is None:
            return
        if isinstance(order, control.WantPorts):
            self._ports.want(order.count)
        else:
            self._ports.rest(order.port)

    def _set_up(self, settings: Settings) -> None:
        try:
            with socket.socket(
                socket.AF_INET6 if ":" in settings.address else socket.AF_INET, socket.SOCK_DGRAM
            ) as probe:
                probe.bind((settings.address, 0))
        except OSError as problem:
            self.tell(Ready(f"cannot bind RTP to {settings.address}: {problem}"))
            return
        self._ports = PortPool(
            self._loop,
            lambda ports: self.tell(Granted(ports)),
            address=settings.address,
            port_range=settings.port_range,
            live=settings.live,
            quarantine_ms=settings.quarantine_ms,
        )
        self._writer = WavWriter(self._recording_failed)
        shelf = PromptShelf(Path(settings.cache_dir))
        self._board = Switchboard(self._loop, self._ports, shelf, self._writer, self.tell, self._entropy)
        self._tidy()
        self.tell(Ready())

    def _recording_failed(self, what: str) -> None:
        """The recording thread's report, brought to the loop; too late when the loop has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.tell, Trouble(what))

    def _tidy(self) -> None:
        if self.ended.is_set() or self._board is None:
            return
        self._board.tidy()
        self._rounds += 1
        if self._rounds % _COLLECT_EVERY == 0:
            gc.collect(1 if self._board.idle else 0)
        self._loop.call_later(_HOUSEKEEPING_S, self._tidy)


def _carry_out(board: Switchboard, order: Order) -> None:
    """One order about legs."""
    match order:
        case control.OpenLeg(leg=leg, port=port, remote=remote):
            board.open(leg, port, remote)
        case control.Play(leg=leg, order=number, keys=keys):
            board.play(leg, number, keys)
        case control.Silence(leg=leg):
            board.silence(leg)
        case control.Join(leg=leg, other=other):
            board.join(leg, other)
        case control.Record(leg=leg, path=path):
            board.record(leg, path)
        case control.CloseLeg(leg=leg):
            board.close(leg)


def _raise_descriptor_limit() -> None:
    """One descriptor per RTP port: take as many as the system allows this user."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve(connection: socket.socket, entropy: Callable[[int], bytes]) -> None:
    """Carry out orders until the connection ends."""
    loop = asyncio.get_running_loop()
    server = MediaServer(loop, entropy)
    await loop.create_unix_connection(lambda: server, sock=connection)
    gc.collect()
    gc.freeze()
    gc.disable()
    await server.ended.wait()


def main() -> None:
    """Serve the engine at the other end of the inherited descriptor."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # The engine drains its calls and then closes the socket.
    _raise_descriptor_limit()
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.setblocking(False)
    asyncio.run(serve(connection, os.urandom))


if __name__ == "__main__":
    main()
