"""Far ends on loopback, and a media process to talk to them."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from outdialer.media.client import MediaProcess
from outdialer.media.rtp import Packet, parse
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import MediaEvent

PATIENCE_S = 20.0


class FarEnd:
    """A phone's RTP socket."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self.received: list[Packet] = []
        self._sequence = 100
        self.timestamp = 5_000
        self.ssrc = 77

    def remote(self, payload_type: int = 0) -> RemoteMedia:
        return RemoteMedia(address="127.0.0.1", port=self.port, payload_type=payload_type)

    def waiting(self) -> list[Packet]:
        """Take the packets that have arrived."""
        fresh = []
        while True:
            try:
                data = self._socket.recv(2048)
            except BlockingIOError:
                break
            packet = parse(data)
            assert packet is not None
            fresh.append(packet)
        self.received += fresh
        return fresh

    def read_blocking(self, count: int) -> list[Packet]:
        """Wait for packets without giving the event loop a chance to run."""
        self._socket.settimeout(PATIENCE_S)
        packets = [parse(self._socket.recv(2048)) for _ in range(count)]
        self._socket.setblocking(False)
        return [packet for packet in packets if packet is not None]

    async def hear(self, count: int) -> list[Packet]:
        """Wait for the next ``count`` packets."""
        heard: list[Packet] = []
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            while len(heard) < count:
                packet = parse(await loop.sock_recv(self._socket, 2048))
                assert packet is not None
                heard.append(packet)
        self.received += heard
        return heard

    def send_bytes(self, port: int, data: bytes) -> None:
        self._socket.sendto(data, ("127.0.0.1", port))

    def send(self, port: int, payload: bytes, payload_type: int = 0, *, step: int = 160, skip: int = 0) -> None:
        """Send one packet; ``skip`` packets before it are lost on the way."""
        self._sequence += 1 + skip
        self.timestamp += step * skip
        header = struct.pack("!BBHII", 0x80, payload_type, self._sequence & 0xFFFF, self.timestamp, self.ssrc)
        self.send_bytes(port, header + payload)
        self.timestamp += step

    def press(self, port: int, digit: str, duration: int = 800) -> None:
        """Send a whole telephone event, its end three times as RFC 4733 wants."""
        event = "0123456789*#ABCD".index(digit)
        for part, end in ((duration // 2, 0), (duration, 0x80), (duration, 0x80), (duration, 0x80)):
            self.send(port, struct.pack("!BBH", event, end | 10, part), 101, step=0)
        self.timestamp += duration

    def close(self) -> None:
        self._socket.close()


class Ear:
    """Collects the events of a media process."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[MediaEvent] = asyncio.Queue()

    def __call__(self, event: MediaEvent) -> None:
        self._queue.put_nowait(event)

    async def next(self) -> MediaEvent:
        return await asyncio.wait_for(self._queue.get(), PATIENCE_S)

    def waiting(self) -> list[MediaEvent]:
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]


class Studio:
    """A running media process, its events and the phones that talk to it."""

    def __init__(self, media: MediaProcess, ear: Ear) -> None:
        self.media = media
        self.ear = ear
        self._phones: list[FarEnd] = []

    def phone(self) -> FarEnd:
        self._phones.append(FarEnd())
        return self._phones[-1]

    async def call(self, leg: int, payload_type: int = 0) -> tuple[FarEnd, int]:
        """A leg to a new phone, open by now, and the port it is open on."""
        phone, port = self.phone(), self.media.lease()
        self.media.open(leg, port, phone.remote(payload_type))
        await self.media.statistics()
        return phone, port.port

    async def until_received(self, count: int) -> None:
        """Wait until the process has taken ``count`` packets in all."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.media.statistics()).packets_received < count:
                continue

    async def close(self) -> None:
        await self.media.stop()
        for phone in self._phones:
            phone.close()


MakeStudio = Callable[..., Awaitable[Studio]]


@pytest.fixture
async def make_studio(tmp_path: Path) -> AsyncIterator[MakeStudio]:
    """Start media processes with the given settings; they end with the test."""
    studios: list[Studio] = []

    async def make(**settings: object) -> Studio:
        media = MediaProcess(cache_dir=tmp_path / "cache", **{"reserve": 16, **settings})  # type: ignore[arg-type]
        studios.append(Studio(media, Ear()))
        await media.start(studios[-1].ear)
        return studios[-1]

    yield make
    for studio in studios:
        await studio.close()


@pytest.fixture
async def studio(make_studio: MakeStudio) -> Studio:
    """A media process with ordinary settings."""
    return await make_studio()
