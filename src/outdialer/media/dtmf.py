"""DTMF digits from telephone events (RFC 4733 section 2), each reported once whatever is lost or doubled."""

from msgspec import Struct

from outdialer.media.rtp import SAMPLE_RATE, Packet, signed32

_DIGITS = "0123456789*#ABCD"
_LONGEST = 0xFFFF
"""A key held longer goes on in a new segment whose timestamp is moved by this much (RFC 4733 section 2.5.1.3)."""
_SAMPLES_PER_MS = SAMPLE_RATE // 1000


class Digit(Struct, frozen=True):
    """A key that was pressed."""

    digit: str
    duration_ms: int


class DigitDetector:
    """Turns the event packets of one leg into digits.

    A digit is reported at its first end packet. When all end packets are lost it is reported at the next event, or by
    ``flush``, which the owner calls when nothing of the event was heard for a while.
    """

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._newest: int | None = None
        """Timestamp of the event being heard, or of the last one reported."""
        self._event = 0
        self._duration = 0
        self._carried = 0
        self._open = False

    @property
    def pending(self) -> bool:
        """Whether a key is down as far as we know."""
        return self._open

    def receive(self, packet: Packet) -> list[Digit]:
        """The digits that this event packet completes: none, one, or two."""
        payload = packet.payload
        if len(payload) < 4 or payload[0] >= len(_DIGITS):
            return []
        found: list[Digit] = []
        if packet.ssrc != self._ssrc:
            found += self.flush()
            self._ssrc, self._newest = packet.ssrc, None
        age = 1 if self._newest is None else signed32(packet.timestamp - self._newest)
        if age > 0:
            found += self._begin(packet, age)
        if age >= 0 and self._open:
            self._duration = max(self._duration, int.from_bytes(payload[2:4], "big"))
            if payload[1] & 0x80:
                found += self.flush()
        return found

    def flush(self) -> list[Digit]:
        """Report the open digit, if there is one, with the length heard so far."""
        if not self._open:
            return []
        self._open = False
        return [Digit(_DIGITS[self._event], (self._carried + self._duration) // _SAMPLES_PER_MS)]

    def _begin(self, packet: Packet, age: int) -> list[Digit]:
        goes_on = self._open and packet.payload[0] == self._event and age == _LONGEST and not packet.marker
        found = [] if goes_on else self.flush()
        self._carried = self._carried + _LONGEST if goes_on else 0
        self._newest, self._event, self._duration, self._open = packet.timestamp, packet.payload[0], 0, True
        return found
