"""RTP parsing, the numbering of outgoing streams, the latch and the control framing."""

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st

from outdialer.media.control import Frames, Play, frame, orders
from outdialer.media.latch import Latch
from outdialer.media.rtp import OutgoingStream, Packet, parse, signed16, signed32

NUMBER_16 = st.integers(0, 0xFFFF)
NUMBER_32 = st.integers(0, 0xFFFFFFFF)


def datagram(first: int, second: int, rest: bytes) -> bytes:
    return struct.pack("!BBHII", first, second, 1, 2, 3) + rest


@given(st.binary(max_size=100))
def test_no_bytes_do_harm(data: bytes) -> None:
    packet = parse(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


@given(st.sampled_from([0, 8, 13, 101]), st.booleans(), NUMBER_16, NUMBER_32, NUMBER_32, st.binary(max_size=200))
def test_a_packet_reads_back(
    payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int, payload: bytes
) -> None:
    data = struct.pack("!BBHII", 0x80, payload_type | marker << 7, sequence, timestamp, ssrc) + payload
    assert parse(data) == Packet(payload_type, marker, sequence, timestamp, ssrc, payload)


def test_everything_before_and_after_the_payload_is_left_out() -> None:
    extension = b"\xbe\xde\x00\x01" + b"eeee"
    packet = parse(datagram(0x80 | 0x20 | 0x10 | 2, 0, b"sources." + extension + b"audio" + b"\x00\x00\x03"))
    assert packet is not None
    assert packet.payload == b"audio"


def test_what_does_not_fit_is_refused() -> None:
    assert parse(datagram(0x8F, 0, b"short")) is None
    assert parse(datagram(0x90, 0, b"\x00\x00\xff\xff")) is None
    assert parse(datagram(0xA0, 0, b"audio\xff")) is None
    assert parse(datagram(0x40, 0, b"audio")) is None
    assert [parse(datagram(0x80, kind, bytes(20))) for kind in range(200, 208)] == [None] * 8


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["own", "relay", "jump", "other"]), st.integers(1, 50)), max_size=40)


@given(NUMBER_16, NUMBER_32, STEPS)
def test_numbers_only_grow_whatever_is_sent(sequence: int, timestamp: int, steps: list[Step]) -> None:
    stream = OutgoingStream(9, sequence, timestamp)
    clock, source, talking = 0, Packet(0, False, 65_000, 4_294_000_000, 1, b""), False
    sent: list[tuple[int, ...]] = []
    for kind, pause in steps:
        clock += 160 * pause
        if kind == "own":
            if not talking:
                stream.begin(clock)
            data = stream.frame(0, clock, marker=not talking)
        else:
            ahead = 1 if kind == "relay" else 9_000
            source = Packet(
                0,
                False,
                (source.sequence + ahead) & 0xFFFF,
                (source.timestamp + 160 * ahead) & 0xFFFFFFFF,
                source.ssrc + (kind == "other"),
                b"",
            )
            data = stream.relayed(source, 0, clock)
        talking = kind == "own"
        sent.append(struct.unpack("!BBHII", data))
    for before, after in itertools.pairwise(sent):
        assert signed16(after[2] - before[2]) == 1
        assert signed32(after[3] - before[3]) > 0
        assert after[4] == 9


def test_loss_and_order_of_the_source_stay_visible() -> None:
    stream = OutgoingStream(9, 500, 1000)
    came = [Packet(0, False, number, number * 160, 1, b"") for number in (10, 11, 14, 13)]
    numbers = [struct.unpack("!BBHII", stream.relayed(packet, 0, 0))[2] for packet in came]
    assert numbers == [501, 502, 505, 504]


A, B, SIGNALLED = ("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.1", 3)


def test_the_first_address_heard_is_the_one_and_only() -> None:
    latch = Latch(SIGNALLED)
    assert [latch.accepts(source) for source in (A, B, A)] == [True, False, True]
    assert latch.source == A


def test_the_signalled_address_wins_if_it_speaks_early() -> None:
    latch = Latch(SIGNALLED)
    assert latch.accepts(A)
    assert latch.accepts(SIGNALLED)
    assert not latch.accepts(A)


def test_nothing_moves_a_leg_later_on() -> None:
    latch = Latch(SIGNALLED)
    for _ in range(60):
        assert latch.accepts(A)
    assert not latch.accepts(SIGNALLED)
    assert latch.source == A


@given(st.lists(st.text(max_size=20), max_size=8), st.integers(1, 30))
def test_messages_survive_any_cutting_of_the_stream(keys: list[str], size: int) -> None:
    sent = [Play(1, 2, keys), Play(3, 4, [])]
    stream = b"".join(map(frame, sent))
    frames = Frames()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [orders.decode(body) for piece in pieces for body in frames.feed(piece)] == sent
