"""The ears and mouths of the phones: RTP received, judged and sent (RFC 3550, RFC 3551).

A call leases an ``Ear``: a bound UDP port. What comes in is kept as bytes and numbers, and is looked at once, at the
end of the call, with numpy: listening costs little while calls are up.
"""

import socket
import struct
from array import array
from asyncio import AbstractEventLoop
from collections import deque
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from outdialer.domain.units import Instant
from outdialer.phones import g711, tones
from outdialer.phones.datagrams import open_socket, read
from outdialer.phones.ledger import AudioReport
from outdialer.phones.safety import Fence
from outdialer.phones.timers import Timer, Timers

FRAME_SAMPLES = 160
"""20 ms."""
KEPT_BYTES = g711.SAMPLE_RATE * 120
"""Audio beyond two minutes of a call is counted, not kept."""
LATE_US = 5_000
_RTP = struct.Struct("!BBHII")
_RECEIVE_BUFFER = 262_144
_LARGEST_PACKET = 2_048
_COOLING_S = 0.2
"""A port is not leased again so soon: the last packets of its call may still come."""
_FULL_SCALE = 32_768.0


class Ear:
    """One call's port and what was heard at it."""

    __slots__ = (
        "arrivals",
        "codec",
        "lengths",
        "mouth",
        "other_payloads",
        "payload",
        "payload_type",
        "port",
        "sent",
        "sequences",
        "socket",
        "ssrcs",
        "target",
        "timestamps",
    )

    def __init__(self, opened: socket.socket | None, port: int) -> None:
        self.socket, self.port = opened, port
        self.target: tuple[str, int] | None = None
        self.codec = 0
        self.payload_type = -1
        self.payload = bytearray()
        self.arrivals, self.lengths = array("q"), array("H")
        self.sequences, self.timestamps = array("H"), array("L")
        self.ssrcs: list[int] = []
        self.other_payloads = 0
        self.sent = 0
        self.mouth: Timer | None = None

    def hear(self, packet: bytes, at: Instant) -> None:
        """Take one RTP packet; anything else is ignored."""
        if len(packet) < _RTP.size or packet[0] >> 6 != 2:
            return
        first, second, sequence, timestamp, ssrc = _RTP.unpack_from(packet)
        if ssrc not in self.ssrcs:
            self.ssrcs.append(ssrc)
        payload_type = second & 0x7F
        if payload_type not in g711.SILENCE or ssrc != self.ssrcs[0]:
            self.other_payloads += 1
            return
        payload = packet[_RTP.size :] if first == 0x80 else _payload(packet, first)
        if self.payload_type < 0:
            self.payload_type = payload_type
        self.arrivals.append(at)
        self.sequences.append(sequence)
        self.timestamps.append(timestamp)
        self.lengths.append(len(payload))
        if len(self.payload) < KEPT_BYTES:
            self.payload += payload


def _payload(packet: bytes, first: int) -> bytes:
    """The payload of a packet with contributing sources, a header extension or padding (RFC 3550 section 5.1)."""
    start = _RTP.size + 4 * (first & 0x0F)
    if first & 0x10 and len(packet) >= start + 4:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    end = len(packet) - (packet[-1] if first & 0x20 else 0)
    return packet[start:end]


class AudioRoom(Protocol):
    """Leases ports to calls."""

    def open(self) -> Ear:
        """A port for a call.

        Raises:
            OSError: no port or file descriptor is left.
        """

    def aim(self, ear: Ear, host: str, port: int, codec: int) -> None:
        """Where the call's own audio goes, and its payload type."""

    def talk(self, ear: Ear) -> None:
        """Send audio from now on (early media)."""

    def answered(self, ear: Ear) -> None:
        """The call is up: talk on or begin to where phones are talkative, else be quiet."""

    def hush(self, ear: Ear) -> None:
        """Send no more audio."""

    def close(self, ear: Ear, acknowledged_at: Instant) -> AudioReport | None:
        """Take the port back; what was heard, or None where nobody listens."""

    def shut(self) -> None:
        """Close all ports."""


class DeafRoom:
    """No audio: one port that everybody is told and nobody reads."""

    def __init__(self, host: str) -> None:
        self._socket = open_socket(host, 0, 4_096)
        self._port: int = self._socket.getsockname()[1]

    def open(self) -> Ear:
        """See ``AudioRoom``."""
        return Ear(None, self._port)

    def aim(self, ear: Ear, host: str, port: int, codec: int) -> None:
        """See ``AudioRoom``."""

    def talk(self, ear: Ear) -> None:
        """See ``AudioRoom``."""

    def answered(self, ear: Ear) -> None:
        """See ``AudioRoom``."""

    def hush(self, ear: Ear) -> None:
        """See ``AudioRoom``."""

    def close(self, ear: Ear, acknowledged_at: Instant) -> AudioReport | None:
        """See ``AudioRoom``."""
        return None

    def shut(self) -> None:
        """See ``AudioRoom``."""
        self._socket.close()


class ListeningRoom:
    """A port of its own for each call, listened to.

    Args:
        talkative: phones send audio while a call is up: a tone in packets of 20 ms.
    """

    def __init__(self, host: str, loop: AbstractEventLoop, timers: Timers, fence: Fence, *, talkative: bool) -> None:
        self._host, self._loop, self._timers, self._fence = host, loop, timers, fence
        self._talkative = talkative
        self._cooling: deque[tuple[float, socket.socket]] = deque()
        self._open: set[socket.socket] = set()
        self._leases = 0
        self._frames = {codec: _voice(codec) for codec in g711.SILENCE}

    def open(self) -> Ear:
        """See ``AudioRoom``."""
        opened = self._leased()
        ear = Ear(opened, opened.getsockname()[1])
        self._loop.add_reader(opened, self._readable, ear, opened)
        return ear

    def _leased(self) -> socket.socket:
        if self._cooling and self._cooling[0][0] <= self._loop.time():
            opened = self._cooling.popleft()[1]
            while read(opened) is not None:
                pass
            return opened
        opened = self._even_socket()
        self._open.add(opened)
        return opened

    def _even_socket(self) -> socket.socket:
        """A socket on an even port, as RFC 3550 section 11 asks, where a few attempts find one."""
        for _ in range(8):
            opened = open_socket(self._host, 0, _RECEIVE_BUFFER)
            if opened.getsockname()[1] % 2 == 0:
                return opened
            opened.close()
        return open_socket(self._host, 0, _RECEIVE_BUFFER)

    def _readable(self, ear: Ear, opened: socket.socket) -> None:
        for _ in range(32):
            datagram = read(opened, _LARGEST_PACKET)
            if datagram is None:
                return
            ear.hear(datagram[0], datagram[2])

    def aim(self, ear: Ear, host: str, port: int, codec: int) -> None:
        """See ``AudioRoom``."""
        ear.target = (host, port) if port and self._fence.allows(host) else None
        ear.codec = codec

    def talk(self, ear: Ear) -> None:
        """See ``AudioRoom``."""
        if ear.mouth is None:
            self._leases += 1
            self._speak((ear, self._leases, self._timers.now()))

    def answered(self, ear: Ear) -> None:
        """See ``AudioRoom``."""
        if self._talkative:
            self.talk(ear)
        else:
            self.hush(ear)

    def hush(self, ear: Ear) -> None:
        """See ``AudioRoom``."""
        if ear.mouth is not None:
            ear.mouth.cancel()
            ear.mouth = None

    def _speak(self, turn: tuple[Ear, int, float]) -> None:
        """Send one packet, and the next one 20 ms later by the first one's time."""
        ear, ssrc, due = turn
        if ear.target is not None and ear.socket is not None:
            frames = self._frames[ear.codec]
            header = _RTP.pack(0x80, ear.codec, ear.sent & 0xFFFF, ear.sent * FRAME_SAMPLES & 0xFFFFFFFF, ssrc)
            with suppress(OSError):  # a full buffer or a refusing far end: RTP goes on with the next packet
                ear.socket.sendto(header + frames[ear.sent % len(frames)], ear.target)
            ear.sent += 1
        ear.mouth = self._timers.at(due + 0.02, self._speak, (ear, ssrc, due + 0.02))

    def close(self, ear: Ear, acknowledged_at: Instant) -> AudioReport | None:
        """See ``AudioRoom``."""
        self.hush(ear)
        if ear.socket is not None:
            self._readable(ear, ear.socket)
            self._loop.remove_reader(ear.socket)
            self._cooling.append((self._loop.time() + _COOLING_S, ear.socket))
            ear.socket = None
        return report(ear, acknowledged_at)

    def shut(self) -> None:
        """See ``AudioRoom``."""
        for opened in self._open:
            self._loop.remove_reader(opened)
            opened.close()
        self._open.clear()
        self._cooling.clear()


def _voice(codec: int) -> list[bytes]:
    """One second of a 440 Hz tone in frames."""
    data = g711.encode(tones.synthesise([(440, 1_000)]), codec)
    return [data[start : start + FRAME_SAMPLES] for start in range(0, len(data), FRAME_SAMPLES)]


def report(ear: Ear, acknowledged_at: Instant) -> AudioReport:
    """What was heard at an ear, looked at once, when the call is over."""
    count = len(ear.arrivals)
    samples = _samples(ear)
    level = samples.astype(np.float64) / _FULL_SCALE
    first_ms = (ear.arrivals[0] - acknowledged_at) / 1_000 if count and acknowledged_at else None
    arrivals = np.array(ear.arrivals, dtype=np.int64)
    return AudioReport(
        packets=count,
        lost=_lost(ear),
        first_packet_ms=first_ms,
        payload_type=ear.payload_type,
        other_payloads=ear.other_payloads,
        duration_ms=sum(ear.lengths) * 1_000 // g711.SAMPLE_RATE,
        peak_dbfs=_decibels(float(np.max(np.abs(level), initial=0.0))),
        rms_dbfs=_decibels(float(np.sqrt(np.mean(level**2))) if len(level) else 0.0),
        max_gap_ms=float(np.max(np.diff(arrivals), initial=0)) / 1_000,
        late_packets=_late(ear, arrivals),
        tones=tones.decode([samples]),
        ssrcs=tuple(ear.ssrcs),
        sent_packets=ear.sent,
    )


def _offsets(ear: Ear) -> NDArray[np.int64]:
    """Each packet's place in samples from the first packet, over the wrap of the timestamps."""
    stamps = np.array(ear.timestamps, dtype=np.int64)
    offsets: NDArray[np.int64] = (stamps - stamps[0] + 2**31) % 2**32 - 2**31
    return offsets


def _samples(ear: Ear) -> g711.Samples:
    """The audio heard, put in its place by the timestamps; silence where packets are missing."""
    if not ear.payload:
        return np.zeros(0, dtype=np.int16)
    heard = g711.decode(bytes(ear.payload), ear.payload_type)
    lengths = np.array(ear.lengths, dtype=np.int64)
    ends = np.cumsum(lengths)
    kept = int(np.searchsorted(ends, len(heard), side="right"))
    offsets = _offsets(ear)[:kept]
    starts = ends[:kept] - lengths[:kept]
    if np.array_equal(offsets, starts):
        return heard
    placed = np.zeros(min(int(np.max(offsets + lengths[:kept], initial=0)), KEPT_BYTES), dtype=np.int16)
    for offset, start, length in zip(offsets.tolist(), starts.tolist(), lengths.tolist(), strict=False):
        if offset >= 0 and offset + length <= len(placed):
            placed[offset : offset + length] = heard[start : start + length]
    return placed


def _lost(ear: Ear) -> int:
    if not ear.sequences:
        return 0
    numbers = np.array(ear.sequences, dtype=np.int64)
    unwrapped = np.cumsum(np.concatenate([[0], (np.diff(numbers) + 2**15) % 2**16 - 2**15]))
    return int(np.ptp(unwrapped)) + 1 - len(np.unique(unwrapped))


def _late(ear: Ear, arrivals: NDArray[np.int64]) -> int:
    """Packets more than 5 ms behind the median of arrival time less media time."""
    if not len(arrivals):
        return 0
    behind = arrivals - _offsets(ear) * 1_000_000 // g711.SAMPLE_RATE
    return int(np.count_nonzero(behind - np.median(behind) > LATE_US))


def _decibels(level: float) -> float:
    return round(20 * float(np.log10(level)), 1) if level > 1e-5 else -100.0
