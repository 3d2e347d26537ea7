"""Who talks in the voice benchmark: our media process, and a bare sender with one thread."""

import asyncio
import socket
import struct
import tempfile
import time
from pathlib import Path

import uvloop

from bench.sip_engine import write_tone
from outdialer.media.client import MediaProcess
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import NoRtpPort, Prompt, RtpPort

SLOTS = 20
TICK_S = 0.001
HEADER = struct.Struct("!BBHII")
PAYLOAD = b"\xff" * 160
PORTS_S = 20.0


def bare(port: int, streams: int, seconds: float) -> None:
    """One thread, one socket a stream, a loop over the milliseconds: nothing else is done."""
    sockets = []
    for _ in range(streams):
        stream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        stream.connect(("127.0.0.1", port))
        sockets.append(stream)
    slots = [sockets[slot::SLOTS] for slot in range(SLOTS)]
    started = time.monotonic()
    for tick in range(int(seconds / TICK_S)):
        wait = started + tick * TICK_S - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        turn = tick // SLOTS
        packet = HEADER.pack(0x80, 0, turn & 0xFFFF, turn * 160, 1) + PAYLOAD
        for stream in slots[tick % SLOTS]:
            stream.send(packet)
    for stream in sockets:
        stream.close()


def ours(port: int, streams: int, seconds: float) -> dict[str, int]:
    """The media process with that many legs, each playing a prompt; what it says of itself."""
    return uvloop.run(_ours(port, streams, seconds))


async def _ours(port: int, streams: int, seconds: float) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        tone = Path(folder) / "tone.wav"
        write_tone(tone, seconds)
        media = MediaProcess(cache_dir=Path(folder) / "prompts", reserve=max(512, streams * 2))
        finished = asyncio.Semaphore(0)
        await media.start(lambda _event: finished.release())
        prompt = await media.prepare(Prompt(source=str(tone)))
        ports = [await _port(media) for _ in range(streams)]
        for leg, rtp in enumerate(ports):
            media.open(leg, rtp, RemoteMedia(address="127.0.0.1", port=port))
            media.play(leg, 1, [prompt.key])
        for _ in range(streams):
            await finished.acquire()
        told = await media.statistics()
        await media.stop()
    return {"sent": told.packets_sent, "received": told.packets_received, "late": told.packets_late}


async def _port(media: MediaProcess) -> RtpPort:
    """A leased port, waited for where the process is still binding them."""
    deadline = time.monotonic() + PORTS_S
    while True:
        try:
            return media.lease()
        except NoRtpPort:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
