"""RTP packets (RFC 3550 section 5.1): bytes in, values out."""

import struct

from msgspec import Struct

PCMU = 0
PCMA = 8
COMFORT_NOISE = 13
"""RFC 3389."""
TELEPHONE_EVENT = 101
"""The dynamic payload type our offers give to RFC 4733."""

SAMPLE_RATE = 8000
"""RTP clock of every payload type here, in Hz."""
FRAME_MS = 20
FRAME_SAMPLES = 160
"""Samples, and in G.711 bytes, of one 20 ms frame."""

_VERSION_2 = 0x80
_MARKER = 0x80
_HEADER = struct.Struct("!BBHII")
_UNDERSTOOD = frozenset((PCMU, PCMA, COMFORT_NOISE, TELEPHONE_EVENT))

pack_header = _HEADER.pack
"""(0x80, marker bit and payload type, sequence, timestamp, SSRC) -> the 12 header bytes."""


class Packet(Struct, frozen=True, gc=False):
    """A received packet of a payload type we understand."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """The packet in a datagram, or None for anything that is not an RTP packet we understand.

    RTCP that arrives on an RTP port has second bytes 200-204 (RFC 5761 section 4), which are no payload type of ours.
    """
    if len(data) < 12:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first & 0xC0 != _VERSION_2 or second & 0x7F not in _UNDERSTOOD:
        return None
    if first == _VERSION_2:
        payload: bytes | None = data[12:]
    else:
        payload = _payload(data, first)
    if payload is None:
        return None
    return Packet(second & 0x7F, second >= _MARKER, sequence, timestamp, ssrc, payload)


def _payload(data: bytes, first: int) -> bytes | None:
    """What is left after contributing sources, header extension and padding; None when they do not fit."""
    start = 12 + 4 * (first & 0x0F)
    end = len(data)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= data[-1]
    return data[start:end] if start <= end else None


def signed16(difference: int) -> int:
    """The shortest way between two sequence numbers, -32768 to 32767."""
    return ((difference + 0x8000) & 0xFFFF) - 0x8000


def signed32(difference: int) -> int:
    """The shortest way between two timestamps."""
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000


class OutgoingStream:
    """Numbers the packets of one leg: one SSRC, sequence and timestamp that only grow, whatever is sent.

    ``clock`` arguments are samples of the pacing clock (8 per ms): a pause shows in the timestamps, as RFC 3550 wants.
    """

    def __init__(self, ssrc: int, sequence: int, timestamp: int) -> None:
        self._ssrc = ssrc
        self._sequence = sequence & 0xFFFF
        self._timestamp = timestamp & 0xFFFFFFFF
        self._base = timestamp
        self._started = False
        self._source: Packet | None = None
        self._sequence_shift = 0
        self._timestamp_shift = 0

    def begin(self, clock: int) -> None:
        """Start a talkspurt of our own; its first packet is ``frame(..., marker=True)``."""
        self._source = None
        if not self._started:
            self._started = True
            self._base -= clock
        elif signed32(self._base + clock - self._timestamp) < FRAME_SAMPLES:
            self._base = self._timestamp + FRAME_SAMPLES - clock

    def frame(self, payload_type: int, clock: int, *, marker: bool) -> bytes:
        """Header of the next packet of our own."""
        self._sequence = sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = timestamp = (self._base + clock) & 0xFFFFFFFF
        return pack_header(
            _VERSION_2, payload_type | _MARKER if marker else payload_type, sequence, timestamp, self._ssrc
        )

    def relayed(self, packet: Packet, payload_type: int, clock: int) -> bytes:
        """Header under which a packet of the other leg goes out here; loss and order of the source stay visible."""
        anchored = self._follows(packet)
        if not anchored:
            self.begin(clock)
            self._sequence_shift = self._sequence + 1 - packet.sequence
            self._timestamp_shift = self._base + clock - packet.timestamp
        self._source = packet
        sequence = (packet.sequence + self._sequence_shift) & 0xFFFF
        timestamp = (packet.timestamp + self._timestamp_shift) & 0xFFFFFFFF
        if signed16(sequence - self._sequence) > 0:
            self._sequence = sequence
        if signed32(timestamp - self._timestamp) > 0:
            self._timestamp = timestamp
        marked = packet.marker or not anchored
        return pack_header(
            _VERSION_2, payload_type | _MARKER if marked else payload_type, sequence, timestamp, self._ssrc
        )

    def _follows(self, packet: Packet) -> bool:
        """Whether the packet continues the source of the one relayed before it: same SSRC, no jump over a second."""
        source = self._source
        return (
            source is not None
            and packet.ssrc == source.ssrc
            and abs(signed16(packet.sequence - source.sequence)) < 100
            and abs(signed32(packet.timestamp - source.timestamp)) <= SAMPLE_RATE
        )
