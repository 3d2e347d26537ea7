"""The far end of the voice benchmark: hears every stream with the kernel's time stamps, and may talk back.

``python -m bench.voice_far_end CORE TALK`` prints its port, hears until its standard input ends, and prints one JSON
object. One socket for all streams: they are told apart by where they come from. Whoever is heard first gets a stream
back, one packet every 20 ms.
"""

import os
import selectors
import socket
import struct
import sys
import time
from typing import Any

import msgspec

FRAME_S = 0.02
SLOTS = 20
PACKET = struct.Struct("!BBHII")
STAMP = struct.Struct("@qq")
SO_TIMESTAMPNS = 35
"""Linux; the socket module does not name it."""
BUFFER_BYTES = 4_000_000
READ_AT_ONCE = 200
SILENCE = b"\xff" * 160

Address = tuple[str, int]


class FarEnd:
    """Hears, notes when, and talks."""

    def __init__(self, *, talk: bool) -> None:
        self._talk = talk
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self.socket.bind(("127.0.0.1", 0))
        self.heard: dict[Address, list[tuple[int, float]]] = {}
        """By stream: the sequence number and the kernel's time, in s, of each packet."""
        self._slots: list[list[Address]] = [[] for _ in range(SLOTS)]
        self._turns = 0

    def read(self) -> None:
        """Take what has arrived, as far as it is not too much at once."""
        for _ in range(READ_AT_ONCE):
            try:
                data, ancillary, _, source = self.socket.recvmsg(256, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = STAMP.unpack(ancillary[0][2])
            stream = self.heard.get(source)
            if stream is None:
                stream = self.heard[source] = []
                self._slots[len(self.heard) % SLOTS].append(source)
            stream.append((data[2] << 8 | data[3], seconds + nanoseconds / 1e9))

    def turn(self) -> None:
        """Talk to those whose millisecond it is."""
        self._turns += 1
        if not self._talk:
            return
        turn = self._turns // SLOTS
        packet = PACKET.pack(0x80, 0, turn & 0xFFFF, turn * 160 & 0xFFFF_FFFF, 1) + SILENCE
        for address in self._slots[self._turns % SLOTS]:
            try:
                self.socket.sendto(packet, address)
            except OSError:
                continue


def serve(far_end: FarEnd) -> None:
    """Hear and talk until standard input ends."""
    selector = selectors.DefaultSelector()
    selector.register(far_end.socket, selectors.EVENT_READ)
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
    due = time.monotonic()
    while True:
        ready = selector.select(max(0.0, due - time.monotonic()))
        if any(key.fd == sys.stdin.fileno() for key, _ in ready):
            return
        far_end.read()
        while due <= time.monotonic():
            far_end.turn()
            due += FRAME_S / SLOTS


def judged(heard: dict[Address, list[tuple[int, float]]], skip: int = 50, late_s: float = 0.005) -> dict[str, Any]:
    """How late the packets were, the first ``skip`` of each stream apart.

    A packet's lateness is its distance to the schedule of its own stream: 20 ms a packet from the packet that was
    nearest to it. Lost packets are those whose numbers are missing in between.
    """
    lateness: list[float] = []
    lost = 0
    for stream in heard.values():
        steps = _unwrapped(stream)[skip:]
        if steps:
            offsets = [at - number * FRAME_S for number, at in steps]
            earliest = min(offsets)
            lateness += [offset - earliest for offset in offsets]
            lost += steps[-1][0] - steps[0][0] + 1 - len(steps)
    lateness.sort()
    packets = len(lateness)
    return {
        "streams": len(heard),
        "packets": packets,
        "lost": lost,
        "late": sum(late > late_s for late in lateness) / packets if packets else 1.0,
        "p50_ms": lateness[packets // 2] * 1_000 if packets else 0.0,
        "p99_ms": lateness[packets * 99 // 100] * 1_000 if packets else 0.0,
        "max_ms": lateness[-1] * 1_000 if packets else 0.0,
    }


def _unwrapped(stream: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The packets with numbers that go on beyond 65,535."""
    found: list[tuple[int, float]] = []
    number = stream[0][0]
    for sequence, at in stream:
        number += (sequence - number + 0x8000) % 0x1_0000 - 0x8000
        found.append((number, at))
    return found


def main() -> None:
    """The process."""
    if sys.argv[1] != "any":
        os.sched_setaffinity(0, {int(sys.argv[1])})
    far_end = FarEnd(talk=sys.argv[2] == "talk")
    sys.stdout.buffer.write(b"%d\n" % far_end.socket.getsockname()[1])
    sys.stdout.buffer.flush()
    serve(far_end)
    far_end.socket.close()
    sys.stdout.buffer.write(msgspec.json.encode(judged(far_end.heard)) + b"\n")


if __name__ == "__main__":
    main()
