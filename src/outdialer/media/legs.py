"""The legs of the media process and what is done to them. Runs on the process's loop; nothing here waits."""

import asyncio
import selectors
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from outdialer.media.control import Report, Trouble
from outdialer.media.dtmf import DigitDetector
from outdialer.media.g711 import SILENCE, transcode
from outdialer.media.latch import Latch
from outdialer.media.pacer import Wheel
from outdialer.media.recording import Recording, WavWriter
from outdialer.media.rtp import FRAME_SAMPLES, PCMA, PCMU, SAMPLE_RATE, TELEPHONE_EVENT, OutgoingStream, Packet, parse
from outdialer.media.sockets import Address, PortPool, RtpSocket
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import DigitReceived, MediaStatistics, PlaybackFinished

_LOADED_BYTES = 128 << 20
_KEY_LOST = SAMPLE_RATE // 5
"""A key of which nothing was heard for 200 ms is up."""

Tell = Callable[[Report], None]


class PromptShelf:
    """Prepared prompts as frames of each law, read once; the least recently played leave when it is full."""

    def __init__(self, cache_dir: Path) -> None:
        self._dir = cache_dir
        self._loaded: OrderedDict[str, dict[int, bytes]] = OrderedDict()
        self._size = 0

    def frames(self, key: str, law: int) -> bytes:
        """The prompt's audio, whole frames.

        Raises:
            OSError: it is not in the cache.
            ValueError: ``key`` is no key of a prepared prompt.
        """
        if key not in self._loaded:
            self._load(key)
        self._loaded.move_to_end(key)
        return self._loaded[key][law]

    def _load(self, key: str) -> None:
        if not key.isalnum():
            raise ValueError(f"not a prompt key: {key!r}")
        audio = (self._dir / f"{key}.g711").read_bytes()
        half = len(audio) // 2
        self._loaded[key] = {PCMU: _whole_frames(audio[:half], PCMU), PCMA: _whole_frames(audio[half:], PCMA)}
        self._size += 2 * len(self._loaded[key][PCMU])
        while self._size > _LOADED_BYTES and len(self._loaded) > 1:
            _, dropped = self._loaded.popitem(last=False)
            self._size -= 2 * len(dropped[PCMU])


def _whole_frames(audio: bytes, law: int) -> bytes:
    return audio + SILENCE[law] * (-len(audio) % FRAME_SAMPLES)


class Leg:
    """One far end: its socket, what it is told and what it says.

    Sends nothing while nothing is played or relayed: silence costs no packets.
    """

    def __init__(self, number: int, port: RtpSocket, slot: int, stream: OutgoingStream, tell: Tell) -> None:
        self.number = number
        self.socket = port
        self.slot = slot
        self.partner: Leg | None = None
        self.recording: Recording | None = None
        self.digits = DigitDetector()
        self.event_heard_at = 0
        self.sent = 0
        self.received = 0
        self._stream = stream
        self._tell = tell
        self._queue: list[tuple[int, bytes]] = []
        """Orders that wait, each with its audio."""
        self._order: int | None = None
        self._audio = b""
        self._position = 0
        self._talking = False
        self.law = PCMU
        self._latch = Latch(("", 0))
        self._latched: Address | None = None

    def aim(self, remote: RemoteMedia) -> bool:
        """Take the far end's address and law from its SDP; False when nothing may be sent to that address."""
        law = remote.payload_type if remote.payload_type in SILENCE else PCMU
        self._audio = transcode(self._audio, self.law, law)
        self._queue = [(order, transcode(audio, self.law, law)) for order, audio in self._queue]
        self.law = law
        self._latch = Latch((remote.address, remote.port))
        self._latched = None
        return self.socket.aim((remote.address, remote.port))

    def play(self, order: int, audio: bytes) -> None:
        """Play whole frames after what is already queued."""
        if self._order is None:
            self._order, self._audio, self._position = order, audio, 0
        else:
            self._queue.append((order, audio))

    def silence(self) -> None:
        """Drop all audio that is queued; each order is reported as finished."""
        cut = [] if self._order is None else [self._order, *(order for order, _ in self._queue)]
        self._order, self._audio, self._talking = None, b"", False
        self._queue.clear()
        for order in cut:
            self._tell(PlaybackFinished(self.number, order))

    def turn(self, clock: int) -> bool:
        """Send the frame of this revolution (the wheel's call)."""
        position = self._position
        payload = self._audio[position : position + FRAME_SAMPLES]
        if payload:
            if not self._talking:
                self._stream.begin(clock)
            header = self._stream.frame(self.law, clock, marker=not self._talking)
            self._talking = True
            self._position = position + FRAME_SAMPLES
            self.sent += self.socket.send(header + payload)
        return self._position < len(self._audio) or self._next_order()

    def _next_order(self) -> bool:
        """Report the order that was sent whole and go on with the next; False when there is none."""
        done, self._order = self._order, None
        if self._queue:
            self._order, self._audio = self._queue.pop(0)
            self._position = 0
        else:
            self._audio, self._talking = b"", False
        if done is not None:
            self._tell(PlaybackFinished(self.number, done))
        return self._order is not None

    def hear(self, data: bytes, source: Address, clock: int) -> None:
        """Take a datagram: anything but valid audio or events of this leg's far end has no effect."""
        packet = parse(data)
        if packet is None or not self._latch.accepts(source):
            return
        if source != self._latched:
            self._latched = source
            self.socket.aim(source)
        self.received += 1
        if packet.payload_type == TELEPHONE_EVENT:
            self._hear_event(packet, clock)
        elif self.recording is not None and packet.payload_type in SILENCE:
            self.recording.add(packet, clock)
        if self.partner is not None:
            self.partner.relay(packet, clock)

    def flush_digit(self) -> None:
        """Report the key whose end packets were all lost."""
        for digit in self.digits.flush():
            self._tell(DigitReceived(self.number, digit.digit, digit.duration_ms))

    def relay(self, packet: Packet, clock: int) -> None:
        """Send on what the other leg said, unless something is being played here."""
        if self._order is not None:
            return
        if packet.payload_type == TELEPHONE_EVENT:
            payload_type, payload = TELEPHONE_EVENT, packet.payload
        elif packet.payload_type in SILENCE:
            payload_type, payload = self.law, transcode(packet.payload, packet.payload_type, self.law)
        else:
            return
        self.sent += self.socket.send(self._stream.relayed(packet, payload_type, clock) + payload)

    def _hear_event(self, packet: Packet, clock: int) -> None:
        self.event_heard_at = clock
        for digit in self.digits.receive(packet):
            self._tell(DigitReceived(self.number, digit.digit, digit.duration_ms))


class Switchboard:
    """All legs: opens, plays, joins, records and closes them, and reads their sockets."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        ports: PortPool,
        shelf: PromptShelf,
        writer: WavWriter,
        tell: Tell,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._loop = loop
        self._ports = ports
        self._shelf = shelf
        self._writer = writer
        self._tell = tell
        self._entropy = entropy
        self._wheel = Wheel(loop)
        self._legs: dict[int, Leg] = {}
        self._selector = selectors.DefaultSelector()
        """All RTP sockets behind one descriptor: one wake-up of the loop reads many packets."""
        loop.add_reader(self._selector, self._read)
        self._sent = 0
        self._received = 0

    def open(self, number: int, port: int, remote: RemoteMedia) -> None:
        """``Media.open``; an open leg gets the new address (its far end moved)."""
        leg = self._legs.get(number) or self._new_leg(number, port)
        if leg is None:
            self._tell(Trouble(f"leg {number}: port {port} is not leased from this media process"))
        elif not leg.aim(remote):
            self._tell(Trouble(f"leg {number}: nothing may be sent to {remote.address!r} port {remote.port}"))

    def _new_leg(self, number: int, port: int) -> Leg | None:
        bound = self._ports.take(port)
        if bound is None:
            return None
        ssrc, sequence, timestamp = (int.from_bytes(self._entropy(size), "big") for size in (4, 2, 4))
        stream = OutgoingStream(ssrc, sequence, timestamp)
        leg = self._legs[number] = Leg(number, bound, self._wheel.reserve(), stream, self._tell)
        self._selector.register(bound, selectors.EVENT_READ, leg)
        return leg

    def play(self, number: int, order: int, keys: list[str]) -> None:
        """``Media.play``; an order that cannot be played is finished at once."""
        leg = self._legs.get(number)
        audio = b"" if leg is None else self._audio(keys, leg.law)
        if leg is None or not audio:
            self._tell(PlaybackFinished(number, order))
            return
        leg.play(order, audio)
        self._wheel.add(leg.slot, leg)

    def silence(self, number: int) -> None:
        """``Media.silence``."""
        leg = self._legs.get(number)
        if leg is not None:
            self._wheel.remove(leg.slot, leg)
            leg.silence()

    def join(self, number: int, other: int) -> None:
        """``Media.join``; a leg that was joined to a third one leaves that one."""
        one, two = self._legs.get(number), self._legs.get(other)
        if one is None or two is None or one is two:
            self._tell(Trouble(f"legs {number} and {other} cannot be joined: not both are open"))
            return
        for leg in (one, two):
            self.silence(leg.number)
            _part(leg)
        one.partner, two.partner = two, one

    def record(self, number: int, path: str) -> None:
        """``Media.record``; a recording of the leg that is already going on ends."""
        leg = self._legs.get(number)
        if leg is None:
            self._tell(Trouble(f"leg {number} cannot be recorded: it is not open"))
            return
        if leg.recording is not None:
            leg.recording.finish(self._wheel.clock)
        leg.recording = Recording(self._writer, path, self._wheel.clock)

    def close(self, number: int) -> None:
        """``Media.close``; an unknown leg is ignored."""
        leg = self._legs.pop(number, None)
        if leg is None:
            return
        self._wheel.remove(leg.slot, leg)
        self._wheel.vacate(leg.slot)
        self._selector.unregister(leg.socket)
        leg.flush_digit()
        leg.silence()
        _part(leg)
        if leg.recording is not None:
            leg.recording.finish(self._wheel.clock)
        self._sent += leg.sent
        self._received += leg.received
        self._ports.rest(leg.socket.port)

    def tidy(self) -> None:
        """Housekeeping, a few times a second: write recordings, report keys whose end was lost."""
        silent_since = self._wheel.clock - _KEY_LOST
        for leg in self._legs.values():
            if leg.recording is not None:
                leg.recording.flush(self._wheel.clock)
            if leg.digits.pending and leg.event_heard_at < silent_since:
                leg.flush_digit()

    def end(self) -> None:
        """Stop all audio at once and complete the recordings."""
        self._loop.remove_reader(self._selector)
        for number in tuple(self._legs):
            self.close(number)
        self._wheel.close()
        self._selector.close()

    @property
    def idle(self) -> bool:
        """No leg is open."""
        return not self._legs

    @property
    def statistics(self) -> MediaStatistics:
        """Totals of closed and open legs."""
        legs = self._legs.values()
        return MediaStatistics(
            packets_sent=self._sent + sum(leg.sent for leg in legs),
            packets_received=self._received + sum(leg.received for leg in legs),
            packets_late=self._wheel.late,
        )

    def _audio(self, keys: list[str], law: int) -> bytes:
        parts = []
        for key in keys:
            try:
                parts.append(self._shelf.frames(key, law))
            except (OSError, ValueError) as problem:
                self._tell(Trouble(f"a prompt cannot be played: {problem}"))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read(self) -> None:
        clock = self._wheel.clock
        for key, _ in self._selector.select(0):
            leg: Leg = key.data
            found = leg.socket.receive()
            if found is not None:
                leg.hear(*found, clock)


def _part(leg: Leg) -> None:
    """End what joins the leg to another."""
    if leg.partner is not None:
        leg.partner.partner = None
        leg.partner = None
