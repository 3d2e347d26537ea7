from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdialer.carriers.simulator.behaviours import parse_rule
from outdialer.phones import g711, tones
from outdialer.phones.audio import Ear, report
from outdialer.phones.ledger import AudioReport, CallLine
from outdialer.phones.safety import Fence

if TYPE_CHECKING:
    from tests.phones.conftest import StartCaller, StartPhones

digits = st.text(alphabet=tones.DIGITS, min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("payload_type", "code", "value"),
    [
        (0, 0xFF, 0),
        (0, 0x7F, 0),
        (0, 0x80, 32_124),
        (0, 0x00, -32_124),
        (0, 0xF0, 120),
        (8, 0xD5, 8),
        (8, 0x55, -8),
        (8, 0xAA, 32_256),
        (8, 0x2A, -32_256),
    ],
)
def test_g711_values_of_the_recommendation(payload_type: int, code: int, value: int) -> None:
    assert g711.decode(bytes([code]), payload_type).tolist() == [value]


@pytest.mark.parametrize("payload_type", [0, 8])
def test_g711_codes_survive_and_samples_stay_near(payload_type: int) -> None:
    every_code = bytes(range(256))
    values = g711.decode(every_code, payload_type)
    assert np.array_equal(g711.decode(g711.encode(values, payload_type), payload_type), values)
    samples = np.arange(-32_000, 32_000, 7).astype(np.int16)
    back = g711.decode(g711.encode(samples, payload_type), payload_type).astype(np.int32)
    assert np.all(np.abs(back - samples) <= np.maximum(np.abs(samples.astype(np.int32)) / 16, 16))
    assert np.all(np.diff(back) >= 0)


@settings(max_examples=50, deadline=None)
@given(digits, st.integers(0, 999), st.sampled_from([0, 8]), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_tones_are_heard_at_any_offset_through_a_telephone_with_noise(
    said: str, offset: int, codec: int, noise: int, seed: int
) -> None:
    clean = tones.synthesise(tones.encode(said))
    padded = np.concatenate([np.zeros(offset, dtype=np.int16), clean])
    rustle = np.random.default_rng(seed).normal(0, noise * 500, len(padded))
    heard = g711.decode(g711.encode((padded * 0.8 + rustle).astype(np.int16), codec), codec)
    frames = [heard[start : start + 160] for start in range(0, len(heard), 160)]
    assert tones.decode(frames) == said


@settings(max_examples=50, deadline=None)
@given(digits, st.integers(0, 1_000))
def test_one_lost_packet_in_a_second_does_no_harm(said: str, start: int) -> None:
    clean = tones.synthesise(tones.encode(said)).copy()
    for at in range(start - start % 160, len(clean), 8_000):
        clean[at : at + 160] = 0
    assert tones.decode([clean]) == said


def test_tones_of_bytes_silence_and_speechlike_noise() -> None:
    assert tones.decode([tones.synthesise(tones.encode(b"\x12\xef"))]) == "12EF"
    assert tones.encode(b"") == []
    assert tones.decode([]) == ""
    assert tones.decode([np.zeros(8_000, dtype=np.int16)]) == ""
    noise = np.random.default_rng(1).normal(0, 5_000, 40_000).astype(np.int16)
    assert tones.decode([noise]) == ""
    with pytest.raises(ValueError, match="substring"):
        tones.encode("xyz")


def rtp(sequence: int, payload: bytes, *, ssrc: int = 7, kind: int = 0, first: int = 0x80, stamp: int = -1) -> bytes:
    stamp = sequence * 160 if stamp < 0 else stamp
    return struct.pack("!BBHII", first, kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc) + payload


def spoken(text: str) -> list[bytes]:
    data = g711.encode(tones.synthesise(tones.encode(text)), 0)
    return [data[at : at + 160] for at in range(0, len(data), 160)]


def heard(packets: list[tuple[bytes, int]], acknowledged_at: int = 0) -> AudioReport:
    ear = Ear(None, 4000)
    for packet, at in packets:
        ear.hear(packet, at)
    return report(ear, acknowledged_at)


def test_a_report_of_clean_audio() -> None:
    start = 65_530
    packets = [(rtp(start + n, p), 1_000_000 + n * 20_000) for n, p in enumerate(spoken("0123"))]
    found = heard(packets, acknowledged_at=980_000)
    assert (found.packets, found.lost, found.late_packets, found.payload_type) == (20, 0, 0, 0)
    assert (found.tones, found.ssrcs, found.duration_ms, found.first_packet_ms) == ("0123", (7,), 400, 20.0)
    assert found.max_gap_ms == 20.0
    assert -12 < found.peak_dbfs < -9
    assert found.rms_dbfs < found.peak_dbfs


def test_a_report_of_bad_audio() -> None:
    frames = spoken("AB")
    packets = [(rtp(n, p), n * 20_000 + (7_000 if n == 5 else 0)) for n, p in enumerate(frames) if n != 1]
    packets.insert(3, (rtp(900, b"x" * 160, ssrc=8), 1))
    packets.insert(4, (rtp(2, b"x" * 4, kind=101), 1))
    packets += [(b"\x00", 1), (b"x" * 40, 1)]
    found = heard(packets)
    assert (found.lost, found.late_packets, found.other_payloads, found.ssrcs) == (1, 1, 2, (7, 8))
    assert (found.tones, found.max_gap_ms, found.first_packet_ms) == ("AB", 40.0, None)


def test_a_report_of_packets_out_of_order_with_extension_and_padding() -> None:
    frames = spoken("AB")
    extended = b"\x00\x00\x00\x0a\xbe\xde\x00\x01abcd" + frames[2] + b"\x00\x00\x03"
    packets = [(rtp(n, p), n * 20_000) for n, p in enumerate(frames)]
    packets[2] = (rtp(2, extended, first=0xB1), 40_000)
    packets[4], packets[5] = packets[5], packets[4]
    found = heard(packets)
    assert (found.tones, found.lost, found.duration_ms) == ("AB", 0, 200)


def test_a_report_of_nothing() -> None:
    found = heard([])
    assert (found.packets, found.lost, found.peak_dbfs, found.tones) == (0, 0, -100.0, "")


def test_the_fence_lets_nothing_out() -> None:
    fence = Fence(live=False)
    assert fence.allows("127.8.9.1")
    assert fence.allows("::1")
    assert not fence.allows("192.0.2.1")
    assert not fence.allows("localhost")
    assert Fence(live=True).allows("192.0.2.1")


@pytest.mark.audio
@pytest.mark.parametrize("codec", [0, 8])
async def test_a_call_is_heard_and_talks(start_phones: StartPhones, start_caller: StartCaller, codec: int) -> None:
    network = await start_phones(rules=(parse_rule("answer:ring_after_ms=0,final_after_ms=0"),), talk=True)
    caller = await start_caller(network)
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[bytes] = asyncio.Queue()

    class Sink(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            came.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Sink, local_addr=("127.0.0.1", 0))
    attempt = caller.attempt(media_port=transport.get_extra_info("sockname")[1], codec=str(codec)).invite()
    reply = await caller.next(200)
    port = int(reply.body.partition("m=audio ")[2].split()[0])
    attempt.ack(reply)
    async with asyncio.timeout(10):
        talked = [await came.get() for _ in range(3)]
    assert {packet[1] for packet in talked} == {codec}
    data = g711.encode(tones.synthesise(tones.encode("C0FFEE")), codec)
    for n in range(0, len(data), 160):
        transport.sendto(rtp(n // 160, data[n : n + 160], kind=codec), ("127.0.0.1", port))
    attempt.bye(reply)
    (line,) = await network.wait_for(lambda line: isinstance(line, CallLine))
    transport.close()
    assert isinstance(line, CallLine)
    assert line.audio is not None
    assert (line.audio.tones, line.audio.payload_type, line.audio.lost) == ("C0FFEE", codec, 0)
    assert line.audio.sent_packets >= 3


@pytest.mark.audio
async def test_two_calls_are_heard_apart(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(rules=(parse_rule("answer:ring_after_ms=0,final_after_ms=0"),))
    caller = await start_caller(network)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    said = {}
    for number, text in (("+12025550101", "111"), ("+12025550102", "222")):
        attempt = caller.attempt(number).invite()
        reply = await caller.next(200)
        attempt.ack(reply)
        said[number] = (attempt, reply, int(reply.body.partition("m=audio ")[2].split()[0]), text)
    assert len({port for _, _, port, _ in said.values()}) == 2
    for attempt, reply, port, text in said.values():
        for n, payload in enumerate(spoken(text)):
            transport.sendto(rtp(n, payload), ("127.0.0.1", port))
        attempt.bye(reply)
    lines = await network.wait_for(lambda line: isinstance(line, CallLine), count=2)
    transport.close()
    heard_at = {line.number: line.audio.tones for line in lines if isinstance(line, CallLine) and line.audio}
    assert heard_at == {"+12025550101": "111", "+12025550102": "222"}
