"""Where received audio lands in a recording, and the thread that writes it."""

import wave
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from outdialer.media.g711 import to_pcm16
from outdialer.media.recording import Recording, Timeline, WavWriter
from outdialer.media.rtp import Packet

SECOND = 8000


def packet(number: int, *, start: int = 0, ssrc: int = 1, level: int | None = None) -> Packet:
    payload = bytes([(number if level is None else level) % 100]) * 160
    return Packet(0, False, number, (start + 160 * number) & 0xFFFFFFFF, ssrc, payload)


def pcm(*numbers: int | None) -> bytes:
    return b"".join(bytes(320) if n is None else to_pcm16(bytes([n % 100]) * 160, 0) for n in numbers)


@given(st.integers(0, 0xFFFFFFFF), st.permutations(range(6)))
def test_order_of_arrival_does_not_matter_within_a_second(start: int, order: list[int]) -> None:
    timeline = Timeline(0)
    timeline.add(packet(0, start=start), 0)
    for number in order:
        timeline.add(packet(number + 1, start=start), 160)
    assert timeline.finish(7 * 160) == pcm(*range(7))


def test_the_file_is_as_long_as_the_call() -> None:
    timeline = Timeline(1000)
    timeline.add(packet(0), 1000 + 320)
    timeline.add(packet(2), 1000 + 640)
    assert timeline.finish(1000 + 1600) == pcm(None, None, 0, None, 2, *[None] * 5)


def test_what_is_settled_is_written_once_and_silence_needs_no_packets() -> None:
    timeline = Timeline(0)
    timeline.add(packet(1), 0)
    parts = [timeline.take(clock) for clock in range(0, 5 * SECOND, 2000)]
    written = b"".join([*parts, timeline.finish(5 * SECOND)])
    assert written == pcm(1) + bytes(2 * 5 * SECOND - 320)


def test_a_source_that_jumps_or_lags_is_tied_to_the_time_again() -> None:
    timeline = Timeline(0)
    timeline.add(packet(0), 0)
    timeline.add(packet(50_000), 160)
    timeline.add(packet(0, ssrc=2, level=7), 320)
    written = timeline.take(10 * SECOND)
    assert written.startswith(pcm(0, 0, 7))
    late = packet(1, ssrc=2)
    timeline.add(late, 10 * SECOND)
    assert pcm(1) in timeline.finish(10 * SECOND + 160)


def test_a_flood_of_jumping_packets_takes_no_more_room_than_its_bytes() -> None:
    timeline = Timeline(0)
    for number in range(1000):
        timeline.add(Packet(0, False, number, number * 8000, 1, b"\x00" * 160), 0)
    assert len(timeline.finish(0)) < 2 * (1000 * 160 + 4 * SECOND)


def test_the_file_is_valid_while_it_grows(tmp_path: Path) -> None:
    complaints: list[str] = []
    writer = WavWriter(complaints.append)
    path = tmp_path / "new" / "call.wav"
    recording = Recording(writer, str(path), 0)
    recording.add(packet(3), 0)
    recording.flush(2 * SECOND)
    recording.finish(2 * SECOND)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    other = Recording(writer, str(blocked / "call.wav"), 0)
    other.flush(2 * SECOND)
    other.finish(2 * SECOND)
    writer.close(20)
    with wave.open(str(path)) as file:
        assert file.getnframes() == 2 * SECOND
        assert file.readframes(160) == pcm(3)
    assert len(complaints) == 1
    assert "cannot record" in complaints[0]
