"""What the far end hears: real RTP from the media process to phones that listen and decode.

Every attempt's audio is a sequence of tones that no other attempt has, from a WAV file whose name stands in the
target's data.
"""

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from outdialer.domain.model import CampaignCall
from outdialer.media.client import MediaProcess
from outdialer.media.speech import detect
from outdialer.phones import tones
from outdialer.phones.ledger import AudioReport, CallLine
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import RtpPort
from tests.engine.world import ANSWERS, Network, World, action, attempt_of, done_by, number, numbers

PLAY_DATA = action("play", stream_urls=["${voipbin.outdialtarget.data}"])
SOON_MS = 10_000
"""From the ACK to the first packet, on any machine: the benchmarks measure how soon it is."""


def write_tones(path: Path, digits: str, *, repeat: int = 1) -> Path:
    """A WAV file that says these hexadecimal digits."""
    samples = tones.synthesise(tones.encode(digits * repeat))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(samples.tobytes())
    return path


def mark(n: int) -> str:
    """The digits of the n-th person: no two the same, and none the part of another."""
    return f"A{n:03X}F"


def wrongly_heard(heard: Sequence[CallLine], attempts: Sequence[CampaignCall], expected: dict[str, str]) -> list[str]:
    """The numbers whose phone did not hear its own mark, by Call-ID; every answered call must have been heard."""
    by_attempt = {attempt_of(line.call_id): line for line in heard}
    wrong = []
    for attempt in attempts:
        line = by_attempt.get(attempt.id.hex())
        found = "" if line is None or line.audio is None else line.audio.tones
        if attempt.answered and found != expected[attempt.destination.target]:
            wrong.append(attempt.destination.target)
    return wrong


MakeVoice = Callable[..., Awaitable[World]]


class SwappingMedia(MediaProcess):
    """Media with a fault: the first two legs get each other's far end."""

    def __init__(self, *, cache_dir: Path) -> None:
        super().__init__(cache_dir=cache_dir, reserve=16)
        self._held: list[tuple[int, RtpPort, RemoteMedia]] = []

    def open(self, leg: int, port: RtpPort, remote: RemoteMedia) -> None:
        self._held.append((leg, port, remote))
        if len(self._held) == 2:
            (one, one_port, one_remote), (other, other_port, other_remote) = self._held
            super().open(one, one_port, other_remote)
            super().open(other, other_port, one_remote)
        elif len(self._held) > 2:
            super().open(leg, port, remote)


@pytest.fixture
async def make_voice(network: Network, tmp_path: Path) -> AsyncIterator[MakeVoice]:
    worlds: list[World] = []

    async def make(*rules: str, media: MediaProcess | None = None, **options: object) -> World:
        folder = tmp_path / f"world{len(worlds)}"
        folder.mkdir()
        world = World(network, folder)
        worlds.append(world)
        media = media or MediaProcess(cache_dir=folder / "cache", reserve=32)
        await world.open(*rules, media=media, audio=True, **options)  # type: ignore[arg-type]
        return world

    yield make
    for world in worlds:
        await world.close()


def report_of(world: World, who: str) -> AudioReport:
    [line] = [line for line in world.summaries() if line.number == who]
    assert line.audio is not None
    return line.audio


async def until_summed_up(world: World, calls: int) -> None:
    await world.until(lambda: len(world.summaries()) >= calls)


async def test_every_phone_hears_its_own_audio(make_voice: MakeVoice, tmp_path: Path) -> None:
    people = numbers(24)
    files = [str(write_tones(tmp_path / f"{n}.wav", mark(n))) for n in range(24)]
    busy_first = f"{number(3)}=busy:final_after_ms=20/{ANSWERS}"
    world = await make_voice(busy_first)
    lists = await world.campaign(*people, tries=(2, 0, 0, 0, 0), interval_ms=50, actions=[PLAY_DATA], data=files)
    await world.until_status(lists)
    await until_summed_up(world, 25)
    expected = {who: mark(n) for n, who in enumerate(people)}
    assert done_by(await world.targets(lists)) == ["success"] * 24
    assert wrongly_heard(world.summaries(), await world.attempts(), expected) == []
    for line in world.summaries():
        if line.audio is not None:
            assert line.audio.first_packet_ms is not None
            assert 0 <= line.audio.first_packet_ms < SOON_MS, "it starts on the ACK, not before"
            assert len(line.audio.ssrcs) == 1
            assert line.audio.lost == 0


async def test_swapped_audio_is_noticed(make_voice: MakeVoice, tmp_path: Path) -> None:
    people = numbers(2)
    files = [str(write_tones(tmp_path / f"{n}.wav", mark(n))) for n in range(2)]
    world = await make_voice(media=SwappingMedia(cache_dir=tmp_path / "cache"))
    lists = await world.campaign(*people, actions=[PLAY_DATA, action("sleep", duration=100)], data=files)
    await world.until_status(lists)
    await until_summed_up(world, 2)
    expected = {who: mark(n) for n, who in enumerate(people)}
    assert sorted(wrongly_heard(world.summaries(), await world.attempts(), expected)) == sorted(people)
    assert {report_of(world, who).tones for who in people} == {mark(0), mark(1)}


async def test_scripts_play_sleep_and_beep_in_order(make_voice: MakeVoice, tmp_path: Path) -> None:
    first, second = write_tones(tmp_path / "1.wav", "1A1"), write_tones(tmp_path / "2.wav", "2B2")
    script = [
        action("play", stream_urls=[str(first), str(second)]),
        action("sleep", duration=1_000),
        action("play", stream_urls=[str(second)]),
        action("hangup"),
        action("play", stream_urls=[str(first)]),
    ]
    world = await make_voice()
    lists = await world.campaign(number(1), actions=script)
    await world.until_status(lists)
    await until_summed_up(world, 1)
    heard = report_of(world, number(1))
    assert heard.tones == "1A12B22B2"
    assert heard.max_gap_ms >= 400, "the sleep is silent; packets are 20 ms apart"
    [attempt] = await world.attempts()
    assert attempt.hangup_detail == "hangup"
    assert attempt.talk_ms >= 1_880


async def test_a_hang_up_in_mid_prompt_does_no_harm(make_voice: MakeVoice, tmp_path: Path) -> None:
    long = [str(write_tones(tmp_path / "long.wav", "C4", repeat=100))] * 4
    short = [str(write_tones(tmp_path / f"{n}.wav", mark(n))) for n in range(4)]
    leaves = [f"{number(n)}=hangup:ring_after_ms=10,final_after_ms=40,hang_up_after_ms=150" for n in range(4)]
    world = await make_voice(*leaves)
    gone = await world.campaign(*numbers(4), actions=[PLAY_DATA], data=long)
    stay = await world.campaign(*numbers(4, 10), actions=[PLAY_DATA], data=short)
    await world.until_status(gone)
    await world.until_status(stay)
    await until_summed_up(world, 8)
    assert (await world.reasons())[number(0)] == ["normal"]
    assert {a.hangup_detail for a in await world.attempts(gone.campaign)} == {"bye"}
    expected = {who: mark(n) for n, who in enumerate(numbers(4, 10))}
    assert wrongly_heard(world.summaries(), await world.attempts(stay.campaign), expected) == []
    assert all(report_of(world, who).duration_ms < 10_000 for who in numbers(4)), "of twenty seconds"


@pytest.mark.parametrize("talk", [False, True])
async def test_early_media_and_far_ends_that_say_nothing_do_no_harm(
    make_voice: MakeVoice, tmp_path: Path, talk: bool
) -> None:
    early = f"{number(0)}=early-media:ring_after_ms=10,final_after_ms=300"
    files = [str(write_tones(tmp_path / f"{n}.wav", mark(n))) for n in range(3)]
    world = await make_voice(early, talk=talk)
    lists = await world.campaign(*numbers(3), actions=[PLAY_DATA], data=files)
    await world.until_status(lists)
    await until_summed_up(world, 3)
    expected = {who: mark(n) for n, who in enumerate(numbers(3))}
    assert wrongly_heard(world.summaries(), await world.attempts(), expected) == []
    assert all((report_of(world, who).sent_packets > 0) == (talk or who == number(0)) for who in numbers(3))


async def test_two_calls_in_a_row_do_not_inherit_each_others_audio(make_voice: MakeVoice, tmp_path: Path) -> None:
    files = [str(write_tones(tmp_path / f"{n}.wav", mark(n))) for n in range(4)]
    media = MediaProcess(cache_dir=tmp_path / "cache", reserve=8, quarantine_ms=50)
    world = await make_voice(media=media, channels=1)
    lists = await world.campaign(*numbers(4), actions=[PLAY_DATA], data=files)
    await world.until_status(lists)
    await until_summed_up(world, 4)
    expected = {who: mark(n) for n, who in enumerate(numbers(4))}
    assert wrongly_heard(world.summaries(), await world.attempts(), expected) == []
    assert len({report_of(world, who).ssrcs for who in numbers(4)}) == 4


async def test_audio_ends_with_the_call(make_voice: MakeVoice, tmp_path: Path) -> None:
    long = [str(write_tones(tmp_path / "long.wav", "C4", repeat=100))]
    world = await make_voice()
    await world.campaign(number(1), actions=[PLAY_DATA], data=long)
    await world.until_talking()
    await world.engine.drain(0.1)
    await until_summed_up(world, 1)
    sent = (await world.media.statistics()).packets_sent
    assert (await world.media.statistics()).packets_sent == sent
    assert report_of(world, number(1)).packets <= sent + 1


@pytest.mark.audio
async def test_spoken_text_is_heard(make_voice: MakeVoice) -> None:
    if not await asyncio.to_thread(detect):
        pytest.skip("no speech engine is installed: pip install piper-tts, or apt-get install flite or espeak-ng")
    text = "Good morning. This is a message about your appointment."
    world = await make_voice()
    lists = await world.campaign(*numbers(2), actions=[action("talk", text=text, language="en-US")])
    await world.until_status(lists)
    await until_summed_up(world, 2)
    for who in numbers(2):
        heard = report_of(world, who)
        assert 1_500 < heard.duration_ms < 12_000
        assert -40 < heard.rms_dbfs < -3
        assert heard.tones == "" or len(heard.tones) < 5
    assert all(a.talk_ms >= 1_500 for a in await world.attempts())
