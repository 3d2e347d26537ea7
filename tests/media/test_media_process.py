"""The media process over real sockets."""

import asyncio
import os
import signal
import socket
import struct
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outdialer.media import samples
from outdialer.media.client import MediaProcess
from outdialer.media.rtp import PCMA, PCMU, Packet
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import (
    DigitReceived,
    MediaEvent,
    MediaLost,
    MediaStatistics,
    NoRtpPort,
    PlaybackFinished,
    Prompt,
    RtpPort,
)

pytestmark = pytest.mark.audio

LOW = Prompt(tones=((440, 100), (0, 40), (550, 100)))
HIGH = Prompt(tones=((1000, 130), (1500, 110)))
LONG = Prompt(tones=((300, 60_000),))


def audio(packets: list[Packet]) -> bytes:
    return b"".join(packet.payload for packet in packets)


def assert_one_stream(packets: list[Packet]) -> None:
    """One source, no number missing, 20 ms steps, the marker on the first packet alone."""
    assert len({packet.ssrc for packet in packets}) == 1
    first = packets[0]
    for place, packet in enumerate(packets):
        assert packet.sequence == (first.sequence + place) & 0xFFFF
        assert packet.timestamp == (first.timestamp + 160 * place) & 0xFFFFFFFF
        assert packet.marker == (place == 0)
        assert len(packet.payload) == 160


async def test_two_calls_hear_each_their_own_prompt_whole(studio: Any) -> None:
    keys = [(await studio.media.prepare(prompt)).key for prompt in (LOW, HIGH)]
    (alice, _), (bob, _) = await studio.call(1, PCMU), await studio.call(2, PCMA)
    studio.media.play(1, 10, [keys[0]])
    studio.media.play(2, 20, [keys[1]])
    finished = [await studio.ear.next(), await studio.ear.next()]
    assert set(finished) == {PlaybackFinished(1, 10), PlaybackFinished(2, 20)}
    for phone, law, prompt in ((alice, PCMU, LOW), (bob, PCMA, HIGH)):
        packets = phone.waiting()
        assert len(packets) == 12
        assert_one_stream(packets)
        assert {packet.payload_type for packet in packets} == {law}
        expected = samples.decode(samples.encode(samples.tones(prompt.tones), law), law)
        assert np.array_equal(samples.decode(audio(packets), law), expected)


async def test_a_part_frame_is_filled_up_with_silence(studio: Any) -> None:
    prepared = await studio.media.prepare(Prompt(tones=((440, 25),)))
    assert prepared.duration_ms == 25
    phone, _ = await studio.call(1)
    studio.media.play(1, 1, [prepared.key])
    await studio.ear.next()
    assert audio(phone.waiting())[200:] == b"\xff" * 120


async def test_orders_queue_and_a_pause_shows_in_the_timestamps_only(studio: Any) -> None:
    low, high = [(await studio.media.prepare(prompt)).key for prompt in (LOW, HIGH)]
    phone, _ = await studio.call(1)
    studio.media.play(1, 1, [low, high])
    studio.media.play(1, 2, [high])
    assert [await studio.ear.next(), await studio.ear.next()] == [PlaybackFinished(1, 1), PlaybackFinished(1, 2)]
    packets = phone.waiting()
    assert len(packets) == 36
    assert_one_stream(packets)
    studio.media.play(1, 3, [low])
    await studio.ear.next()
    later = phone.waiting()
    assert_one_stream(later)
    assert later[0].sequence == (packets[-1].sequence + 1) & 0xFFFF
    assert (later[0].timestamp - packets[-1].timestamp) & 0xFFFFFFFF >= 160


async def test_an_engine_that_is_busy_disturbs_no_audio(studio: Any) -> None:
    key = (await studio.media.prepare(LOW)).key
    phone, _ = await studio.call(1)
    studio.media.play(1, 1, [key])
    await phone.hear(1)
    assert len(phone.read_blocking(11)) == 11  # The event loop stands still meanwhile.
    assert await studio.ear.next() == PlaybackFinished(1, 1)


async def test_a_far_end_that_moves_hears_the_rest_in_its_new_law(studio: Any) -> None:
    key = (await studio.media.prepare(Prompt(tones=((440, 400),)))).key
    phone, port = await studio.call(1, PCMU)
    moved = studio.phone()
    studio.media.play(1, 1, [key])
    before = await phone.hear(2)
    studio.media.open(1, RtpPort("127.0.0.1", port), moved.remote(PCMA))
    assert await studio.ear.next() == PlaybackFinished(1, 1)
    before += phone.waiting()
    after = moved.waiting()
    assert len(before) + len(after) == 20
    assert {packet.payload_type for packet in after} == {PCMA}
    whole = samples.encode(samples.tones(((440, 400),)), PCMU)
    rest = samples.decode(whole[len(before) * 160 :], PCMU)
    assert audio(after) == samples.encode(rest, PCMA)


async def test_silence_ends_what_is_playing_and_what_is_queued(studio: Any) -> None:
    key = (await studio.media.prepare(LONG)).key
    phone, _ = await studio.call(1)
    studio.media.play(1, 1, [key])
    studio.media.play(1, 2, [key])
    await phone.hear(3)
    studio.media.silence(1)
    assert [await studio.ear.next(), await studio.ear.next()] == [PlaybackFinished(1, 1), PlaybackFinished(1, 2)]
    sent = (await studio.media.statistics()).packets_sent
    assert 3 <= sent < 3_000
    studio.media.play(1, 3, [(await studio.media.prepare(LOW)).key])
    assert await studio.ear.next() == PlaybackFinished(1, 3)
    assert (await studio.media.statistics()).packets_sent == sent + 12


async def test_closing_a_leg_finishes_its_orders_once(studio: Any) -> None:
    key = (await studio.media.prepare(LONG)).key
    phone, _ = await studio.call(1)
    studio.media.play(1, 1, [key])
    await phone.hear(1)
    studio.media.close(1)
    studio.media.close(1)
    assert await studio.ear.next() == PlaybackFinished(1, 1)
    await studio.media.statistics()
    assert studio.ear.waiting() == []


async def test_orders_that_cannot_be_played_are_finished_at_once(studio: Any) -> None:
    await studio.call(1)
    studio.media.play(1, 1, ["0" * 64])
    studio.media.play(1, 2, ["../../etc/passwd"])
    studio.media.play(99, 3, [])
    expected = [PlaybackFinished(1, 1), PlaybackFinished(1, 2), PlaybackFinished(99, 3)]
    assert [await studio.ear.next() for _ in range(3)] == expected


async def test_audio_follows_the_address_the_far_end_sends_from_and_stays_there(studio: Any) -> None:
    key = (await studio.media.prepare(LONG)).key
    signalled, port = await studio.call(1)
    behind_nat, stranger = studio.phone(), studio.phone()
    behind_nat.send(port, b"\xff" * 160)
    await studio.until_received(1)
    stranger.send(port, b"\xff" * 160)
    behind_nat.send(port, b"\xff" * 160)
    await studio.until_received(2)
    studio.media.play(1, 1, [key])
    await behind_nat.hear(5)
    assert signalled.waiting() == []
    assert stranger.waiting() == []


async def test_garbage_has_no_effect(studio: Any) -> None:
    phone, port = await studio.call(1)
    stranger = studio.phone()
    for junk in (b"", b"x", bytes(11), bytes(400), b"\x80\x60" + bytes(10), b"\x80\xc8" + bytes(26), b"\xbf" * 40):
        stranger.send_bytes(port, junk)
    phone.send(port, b"\x40", 13)
    await studio.until_received(1)
    studio.media.play(1, 1, [(await studio.media.prepare(LOW)).key])
    assert await studio.ear.next() == PlaybackFinished(1, 1)
    assert len(phone.waiting()) == 12
    assert (await studio.media.statistics()).packets_received == 1


async def test_no_packet_leaves_for_another_machine(studio: Any, caplog: pytest.LogCaptureFixture) -> None:
    key = (await studio.media.prepare(LOW)).key
    for leg, address in enumerate(("192.0.2.1", "0.0.0.0", "phone.example", "::1", ""), start=1):
        studio.media.open(leg, studio.media.lease(), RemoteMedia(address=address, port=4000))
        studio.media.play(leg, leg, [key])
        assert await studio.ear.next() == PlaybackFinished(leg, leg)
    assert (await studio.media.statistics()).packets_sent == 0
    assert "leg 1: nothing may be sent to '192.0.2.1' port 4000" in caplog.text


async def test_a_digit_is_reported_once(studio: Any) -> None:
    phone, port = await studio.call(5)
    for digit in "1*#":
        phone.press(port, digit)
    assert [await studio.ear.next() for _ in range(3)] == [DigitReceived(5, digit, 100) for digit in "1*#"]
    await studio.media.statistics()
    assert studio.ear.waiting() == []


async def test_a_digit_whose_end_is_lost_is_reported_all_the_same(studio: Any) -> None:
    phone, port = await studio.call(5)
    phone.send(port, struct.pack("!BBH", 7, 10, 400), 101)
    assert await studio.ear.next() == DigitReceived(5, "7", 50)


async def test_joined_legs_hear_each_other_in_their_own_law(studio: Any) -> None:
    key = (await studio.media.prepare(LONG)).key
    (alice, to_alice), (bob, to_bob) = await studio.call(1, PCMU), await studio.call(2, PCMA)
    studio.media.play(1, 1, [key])
    before = (await alice.hear(2))[-1]
    studio.media.join(1, 2)
    assert await studio.ear.next() == PlaybackFinished(1, 1)
    before = (alice.waiting() or [before])[-1]
    said = [bytes([level] * 160) for level in range(10, 20)]
    for payload in said:
        alice.send(to_alice, payload, PCMU)
        bob.send(to_bob, payload, PCMA)
    heard_by_bob, heard_by_alice = await bob.hear(10), await alice.hear(10)
    assert_one_stream(heard_by_bob)
    assert_one_stream(heard_by_alice)
    assert heard_by_alice[0].ssrc == before.ssrc
    assert heard_by_alice[0].sequence == (before.sequence + 1) & 0xFFFF
    for listener, law, speaker_law in ((heard_by_bob, PCMA, PCMU), (heard_by_alice, PCMU, PCMA)):
        assert {packet.payload_type for packet in listener} == {law}
        expected = samples.encode(samples.decode(b"".join(said), speaker_law), law)
        assert audio(listener) == expected
    bob.press(to_bob, "4")
    assert await studio.ear.next() == DigitReceived(2, "4", 100)
    assert [packet.payload_type for packet in await alice.hear(4)] == [101] * 4


async def test_the_other_leg_falls_silent_when_one_is_closed(studio: Any) -> None:
    (alice, to_alice), (bob, to_bob) = await studio.call(1), await studio.call(2)
    studio.media.join(1, 2)
    alice.send(to_alice, b"\x11" * 160)
    await bob.hear(1)
    studio.media.close(1)
    bob.send(to_bob, b"\x22" * 160)
    await studio.until_received(2)
    assert alice.waiting() == []


async def test_a_recording_keeps_time_over_loss(studio: Any, tmp_path: Path) -> None:
    phone, port = await studio.call(1)
    path = tmp_path / "recordings" / "one.wav"
    studio.media.record(1, str(path))
    phone.send(port, b"\x10" * 160)
    phone.send(port, b"\x20" * 160, skip=1)
    await studio.until_received(2)
    await studio.media.stop()
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        recorded = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    start = int(np.flatnonzero(recorded)[0])
    expected = samples.decode(b"\x10" * 160 + b"\xff" * 160 + b"\x20" * 160, PCMU)
    assert np.array_equal(recorded[start : start + 480], expected)


async def test_ports_run_out_and_come_back_after_the_quarantine(make_studio: Any) -> None:
    studio = await make_studio(port_range=free_range(), quarantine_ms=50)
    first, second = studio.media.lease(), studio.media.lease()
    assert (second.port - first.port, first.port % 2) == (2, 0)
    with pytest.raises(NoRtpPort, match="no RTP port is free"):
        studio.media.lease()
    studio.media.release(first)
    assert await lease_again(studio.media) == first


async def test_a_port_in_quarantine_is_not_leased(make_studio: Any) -> None:
    studio = await make_studio(port_range=free_range(), quarantine_ms=600_000)
    for leg in (1, 2):
        await studio.call(leg)
        studio.media.close(leg)
    await studio.media.statistics()
    with pytest.raises(NoRtpPort):
        studio.media.lease()


async def test_stale_audio_is_not_inherited(make_studio: Any) -> None:
    studio = await make_studio(port_range=free_range(), quarantine_ms=50)
    studio.media.lease()
    old, port = await studio.call(1)
    studio.media.close(1)
    old.press(port, "1")
    again = await lease_again(studio.media)
    assert again.port == port
    fresh = studio.phone()
    studio.media.open(2, again, fresh.remote())
    await studio.media.statistics()
    fresh.press(port, "2")
    assert await studio.ear.next() == DigitReceived(2, "2", 100)
    assert (await studio.media.statistics()).packets_received >= 2
    assert studio.ear.waiting() == []


async def test_a_lease_never_waits_for_more_than_the_reserve(make_studio: Any) -> None:
    studio = await make_studio(reserve=64)
    ports = set()
    for _ in range(10):
        ports |= {studio.media.lease().port for _ in range(48)}
        await studio.media.statistics()
    assert len(ports) == 480


async def test_after_a_quarter_of_the_reserve_a_burst_finds_all_of_it_again(make_studio: Any) -> None:
    studio = await make_studio(reserve=64)
    ports = {studio.media.lease().port for _ in range(16)}
    await studio.media.statistics()
    ports |= {studio.media.lease().port for _ in range(64)}
    assert len(ports) == 80


async def test_a_dead_process_is_told_once_and_can_be_started_again(studio: Any) -> None:
    await studio.call(1)
    os.kill(studio.media.pid, signal.SIGKILL)
    event = await studio.ear.next()
    assert isinstance(event, MediaLost)
    assert studio.media.pid is None
    with pytest.raises(NoRtpPort, match="not running"):
        studio.media.lease()
    studio.media.play(1, 1, [])
    assert await studio.media.statistics() == MediaStatistics()
    await studio.media.start(studio.ear)
    phone, _ = await studio.call(1)
    studio.media.play(1, 2, [(await studio.media.prepare(LOW)).key])
    assert await studio.ear.next() == PlaybackFinished(1, 2)
    assert len(phone.waiting()) == 12


async def test_the_signals_that_end_an_engine_do_not_cut_the_audio(studio: Any) -> None:
    key = (await studio.media.prepare(LOW)).key
    phone, _ = await studio.call(1)
    studio.media.play(1, 1, [key])
    await phone.hear(1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(studio.media.pid, number)
    assert await studio.ear.next() == PlaybackFinished(1, 1)
    assert len(phone.waiting()) == 11


async def test_stop_is_quiet_and_may_be_repeated(studio: Any) -> None:
    await studio.call(1)
    await studio.media.stop()
    await studio.media.stop()
    assert studio.ear.waiting() == []


async def test_a_second_start_is_refused(studio: Any) -> None:
    with pytest.raises(RuntimeError, match="running already"):
        await studio.media.start(studio.ear)


ENGINE = """
import asyncio, sys
from pathlib import Path
from outdialer.media.client import MediaProcess
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import Prompt

async def main():
    media = MediaProcess(cache_dir=Path(sys.argv[1]), reserve=4)
    await media.start(print)
    key = (await media.prepare(Prompt(tones=((300, 600_000),)))).key
    media.open(1, media.lease(), RemoteMedia(address="127.0.0.1", port=int(sys.argv[2])))
    media.play(1, 1, [key])
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_engine_falls_silent(studio: Any, tmp_path: Path) -> None:
    """The media process holds its engine's standard output: its end shows there, however it came."""
    phone = studio.phone()
    engine = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENGINE, str(tmp_path), str(phone.port), stdout=asyncio.subprocess.PIPE
    )
    assert engine.stdout is not None
    await phone.hear(3)
    engine.kill()
    assert await asyncio.wait_for(engine.stdout.read(), 20) == b""
    await engine.wait()


def test_it_runs_on_uvloop_as_well(tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")

    async def play() -> MediaEvent:
        media, told = MediaProcess(cache_dir=tmp_path, reserve=4), asyncio.Queue[MediaEvent]()
        await media.start(told.put_nowait)
        media.open(1, media.lease(), RemoteMedia(address="127.0.0.1", port=9))
        media.play(1, 2, [(await media.prepare(LOW)).key])
        event = await asyncio.wait_for(told.get(), 20)
        await media.stop()
        return event

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(play()) == PlaybackFinished(1, 2)


def test_addresses_of_other_machines_need_live_mode(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="live"):
        MediaProcess(cache_dir=tmp_path, address="0.0.0.0")
    with pytest.raises(ValueError, match="range"):
        MediaProcess(cache_dir=tmp_path, port_range=(30_000, 20_000))


async def test_an_address_that_is_not_ours_fails_the_start(tmp_path: Path) -> None:
    media = MediaProcess(cache_dir=tmp_path, address="192.0.2.77", live=True)
    with pytest.raises(OSError, match=r"cannot bind RTP to 192\.0\.2\.77"):
        await media.start(lambda event: None)


def free_range() -> tuple[int, int]:
    """A port range that holds two even ports, free a moment ago."""
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            if port % 2 == 0 and port < 65_000:
                try:
                    two.bind(("127.0.0.1", port + 2))
                except OSError:
                    continue
                return port - 1, port + 2
    raise AssertionError("no two free ports beside each other")


async def lease_again(media: MediaProcess) -> RtpPort:
    """Ask until a port is free again; each round waits for the process's answer."""
    async with asyncio.timeout(20):
        while True:
            try:
                return media.lease()
            except NoRtpPort:
                await media.statistics()
