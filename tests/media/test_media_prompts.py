"""Prompts: WAV files of every kind, tones, URLs, the cache, and what is said when something is wrong."""

import asyncio
import contextlib
import ipaddress
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from outdialer.media import fetch, samples
from outdialer.media.prompts import FETCHED_AT_ONCE, RENDERED_AT_ONCE, PromptCache, demonstration
from outdialer.media.rtp import PCMA, PCMU
from outdialer.media.wav import NotWav, read_wav
from outdialer.ports.media import Prompt, PromptError

PCM, FLOAT, ALAW, ULAW = 1, 3, 6, 7


def wav(
    data: bytes, *, rate: int = 8000, channels: int = 1, bits: int = 16, tag: int = PCM, wide: bool = False
) -> bytes:
    """A WAV file, with an odd-sized chunk before the data that readers must step over; ``wide``: extensible."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if wide else tag, channels, rate, rate * block, block, bits)
    if wide:
        form += struct.pack("<HHIH", 22, bits, 0, tag) + bytes.fromhex("000000001000800000aa00389b71")
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in ((b"fmt ", form), (b"LIST", b"odd"), (b"data", data))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def sine(rate: int, seconds: float, frequency: int = 500, peak: float = 0.7) -> NDArray[np.float64]:
    return np.asarray(peak * np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate))


def as_bytes(wave: NDArray[np.float64], bits: int, tag: int = PCM) -> bytes:
    if tag == FLOAT:
        return bytes(wave.astype(f"<f{bits // 8}").tobytes())
    if bits == 8:
        return np.rint(wave * 127 + 128).astype(np.uint8).tobytes()
    if bits == 24:
        return b"".join(int(value).to_bytes(3, "little", signed=True) for value in np.rint(wave * (2**23 - 1)))
    return bytes(np.rint(wave * (2 ** (bits - 1) - 1)).astype(f"<i{bits // 8}").tobytes())


def cached(folder: Path, key: str) -> tuple[bytes, bytes]:
    """The PCMU and PCMA bytes of a prepared prompt."""
    audio = (folder / f"{key}.g711").read_bytes()
    return audio[: len(audio) // 2], audio[len(audio) // 2 :]


def cache_in(folder: Path, *, live: bool = False) -> PromptCache:
    return PromptCache(folder / "cache", live=live, engines=[])


@pytest.mark.parametrize(
    ("rate", "channels", "bits", "tag", "wide"),
    [
        (8000, 1, 16, PCM, False),
        (44100, 2, 24, PCM, True),
        (44100, 2, 24, PCM, False),
        (48000, 1, 32, PCM, False),
        (48000, 6, 16, PCM, True),
        (22050, 1, 8, PCM, False),
        (16000, 1, 32, FLOAT, False),
        (96000, 2, 64, FLOAT, True),
        (11025, 1, 16, PCM, False),
    ],
)
async def test_any_wav_becomes_telephone_audio(
    tmp_path: Path, rate: int, channels: int, bits: int, tag: int, wide: bool
) -> None:
    wave = np.repeat(sine(rate, 0.5), channels)
    path = tmp_path / "voice.wav"
    path.write_bytes(wav(as_bytes(wave, bits, tag), rate=rate, channels=channels, bits=bits, tag=tag, wide=wide))
    prepared = await cache_in(tmp_path).prepare(Prompt(source=str(path)))
    assert prepared.duration_ms in (500, 501)
    for law, audio in zip((PCMU, PCMA), cached(tmp_path / "cache", prepared.key), strict=True):
        heard = samples.decode(audio, law).astype(float)[400:3600] / 32768
        assert np.abs(heard - sine(8000, 0.5)[400:3600]).max() < 0.03


@pytest.mark.parametrize(("tag", "law"), [(ULAW, PCMU), (ALAW, PCMA)])
def test_g711_in_wav_is_read(tag: int, law: int) -> None:
    codes = bytes(range(256))
    sound = read_wav(wav(codes, bits=8, tag=tag))
    assert np.allclose(sound.samples * 32768, samples.decode(codes, law))


def test_channels_are_mixed() -> None:
    sound = read_wav(wav(struct.pack("<4h", 8192, -8192, 8192, 16384), channels=2))
    assert sound.samples.tolist() == [0.0, 0.375]


def test_a_stream_with_an_unfinished_header_is_read_to_its_end() -> None:
    whole = wav(struct.pack("<2h", 8192, 8192))
    endless = whole[:-8] + b"\xff\xff\xff\xff" + whole[-4:] + b"\x00"
    assert read_wav(endless).samples.tolist() == [0.25, 0.25]


@given(st.binary(max_size=60), st.integers(0, 80))
def test_no_bytes_break_the_reader(noise: bytes, place: int) -> None:
    whole = wav(bytes(20))
    for data in (noise, whole[:place], whole[:place] + noise + whole[place + len(noise) :]):
        with contextlib.suppress(NotWav):
            assert len(read_wav(data).samples) > 0


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"ID3\x04 an mp3 file", "RIFF"),
        (b"", "RIFF"),
        (wav(b""), "no audio"),
        (wav(bytes(8), channels=0), "0 channels"),
        (wav(bytes(8), rate=0), "at 0 Hz"),
        (wav(bytes(8), tag=0x55, bits=0), "format 85"),
        (wav(bytes(8))[:20], "missing"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "prompt.wav"
    path.write_bytes(data)
    with pytest.raises(PromptError, match=complaint) as caught:
        await cache_in(tmp_path).prepare(Prompt(source=str(path)))
    assert str(path) in str(caught.value)
    assert "sox" in str(caught.value)


async def test_files_are_played_from_one_folder_only(tmp_path: Path) -> None:
    folder, sound = tmp_path / "sounds", wav(bytes(1_600))
    folder.mkdir()
    for path in (folder / "good.wav", tmp_path / "secret.wav", tmp_path / "sounds-too.wav"):
        path.write_bytes(sound)
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    cache = PromptCache(tmp_path / "cache", live=False, engines=[], sounds=folder)
    for inside in ("good.wav", "./good.wav", str(folder / "good.wav")):
        assert (await cache.prepare(Prompt(source=inside))).duration_ms == 100
    outside = ("../secret.wav", "link.wav", "../sounds-too.wav", str(tmp_path / "secret.wav"), "/nowhere/at/all")
    for source in outside:
        with pytest.raises(PromptError, match="is not in the folder that the server plays files from"):
            await cache.prepare(Prompt(source=source))
    none = PromptCache(tmp_path / "cache", live=False, engines=[], sounds=None)
    with pytest.raises(PromptError, match="--sounds FOLDER"):
        await none.prepare(Prompt(source=str(folder / "good.wav")))


@pytest.mark.parametrize("source", ["/dev/zero", "pipe.wav", "a\0b.wav"])
async def test_what_may_never_end_is_not_read(tmp_path: Path, source: str) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(PromptError, match="cannot be read"):
        await PromptCache(tmp_path / "cache", live=False, engines=[]).prepare(
            Prompt(source=source if source.startswith("/") else str(tmp_path / source))
        )


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for source in (str(tmp_path / "none.wav"), str(tmp_path)):
        with pytest.raises(PromptError, match=source):
            await cache_in(tmp_path).prepare(Prompt(source=source))


@pytest.mark.parametrize(
    "prompt", [Prompt(), Prompt(text=" "), Prompt(text="a", source="b"), Prompt(source="b", tones=((440, 10),))]
)
async def test_exactly_one_kind_of_prompt(tmp_path: Path, prompt: Prompt) -> None:
    with pytest.raises(PromptError, match="exactly one"):
        await cache_in(tmp_path).prepare(prompt)


@pytest.mark.parametrize("tones", [((5000, 100),), ((-1, 100),), ((440, 0),), ((440, 2_000_000), (440, 2_000_000))])
async def test_tones_have_bounds(tmp_path: Path, tones: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(PromptError, match="tone"):
        await cache_in(tmp_path).prepare(Prompt(tones=tones))


@given(st.lists(st.tuples(st.integers(0, 3900), st.integers(1, 60)), min_size=1, max_size=4))
def test_tones_are_exactly_as_long_as_asked_and_never_loud(sequence: list[tuple[int, int]]) -> None:
    wave = samples.tones(sequence)
    assert len(wave) == 8 * sum(length for _, length in sequence)
    assert np.abs(wave.astype(int)).max() <= 8232


def test_a_tone_has_its_frequency_and_soft_edges() -> None:
    wave = samples.tones(((1000, 1000),)).astype(float)
    assert int(np.argmax(np.abs(np.fft.rfft(wave)))) == 1000
    assert np.abs(wave[:4]).max() < 1000
    assert np.abs(wave[-4:]).max() < 1000


@pytest.mark.parametrize(("peak", "expected"), [(1.0, 0.7), (0.5, 0.7), (0.1, 0.2), (0.0, 0.0), (4.0, 0.7)])
def test_the_level_is_brought_near_the_telephones_without_clipping(peak: float, expected: float) -> None:
    sound = read_wav(wav(as_bytes(sine(8000, 0.1, 500, peak), 32, FLOAT), bits=32, tag=FLOAT))
    assert np.abs(samples.telephone(sound).astype(int)).max() / 32767 == pytest.approx(expected, abs=0.01)


async def test_a_prompt_is_rendered_once_and_a_changed_file_again(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(wav(as_bytes(sine(8000, 0.1), 16)))
    cache = cache_in(tmp_path)
    first, same = await asyncio.gather(*(cache.prepare(Prompt(source=str(path))) for _ in range(2)))
    assert first == same
    made = (tmp_path / "cache" / f"{first.key}.g711").stat()
    assert await cache_in(tmp_path).prepare(Prompt(source=str(path))) == first
    assert (tmp_path / "cache" / f"{first.key}.g711").stat().st_ino == made.st_ino
    path.write_bytes(wav(as_bytes(sine(8000, 0.2), 16)))
    changed = await cache.prepare(Prompt(source=str(path)))
    assert changed.key != first.key
    assert (first.duration_ms, changed.duration_ms) == (100, 200)
    assert {file.suffix for file in (tmp_path / "cache").iterdir()} == {".g711"}


async def test_a_cache_file_of_a_crash_is_made_anew(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    prepared = await cache.prepare(Prompt(tones=((440, 50),)))
    (tmp_path / "cache" / f"{prepared.key}.g711").write_bytes(b"")
    assert await cache.prepare(Prompt(tones=((440, 50),))) == prepared
    assert len(cached(tmp_path / "cache", prepared.key)[0]) == 400


async def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(PromptError, match="cache"):
        await cache_in(tmp_path).prepare(Prompt(tones=((440, 50),)))


async def test_the_file_that_comes_with_the_package(tmp_path: Path) -> None:
    assert demonstration().stat().st_size < 40_000
    prepared = await cache_in(tmp_path).prepare(Prompt(source=str(demonstration())))
    assert 1_000 <= prepared.duration_ms <= 3_000


Serve = Callable[[dict[str, bytes]], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A web server that gives the listed answers, raw, by path; the table may change meanwhile."""
    servers: list[asyncio.Server] = []

    async def start(answers: dict[str, bytes]) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(
                answers.get(request.split()[1].decode(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            )
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


def to(place: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def test_a_url_is_fetched_and_kept_when_its_server_fails(tmp_path: Path, serve: Serve) -> None:
    answers = {"/a": to("/b.wav"), "/b.wav": ok(wav(as_bytes(sine(8000, 0.1), 16)))}
    base = await serve(answers)
    cache = cache_in(tmp_path)
    prepared = await cache.prepare(Prompt(source=f"{base}/a"))
    assert prepared.duration_ms == 100
    answers.clear()
    assert await cache.prepare(Prompt(source=f"{base}/a")) == prepared
    with pytest.raises(PromptError, match="answered 404"):
        await cache_in(tmp_path).prepare(Prompt(source=f"{base}/a"))


@pytest.mark.parametrize("most", [FETCHED_AT_ONCE, RENDERED_AT_ONCE])
async def test_only_so_many_are_made_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    running = highest = 0
    sound = wav(as_bytes(sine(8000, 0.1), 16))

    async def make(*_: object, **__: object) -> bytes:
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        for _turn in range(10):
            await asyncio.sleep(0)
        running -= 1
        return sound

    async def render() -> NDArray[np.int16]:
        await make()
        return np.zeros(8, np.int16)

    monkeypatch.setattr(fetch, "fetch", make)
    cache = cache_in(tmp_path)
    if most == FETCHED_AT_ONCE:
        await asyncio.gather(*(cache.prepare(Prompt(source=f"http://127.0.0.1/{n}")) for n in range(3 * most)))
    else:
        await asyncio.gather(*(cache._cached(f"key{n}", render) for n in range(3 * most)))
    assert highest == most


async def test_urls_that_are_refused(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGEST_BYTES", 1 << 20)
    answers = {
        "/loop": to("/loop"),
        "/away": to("http://192.0.2.1/prompt.wav"),
        "/file": to("file:///etc/passwd"),
        "/big": ok(bytes(2 << 20)),
        "/page": ok(b"<html>"),
    }
    base = await serve(answers)
    for path, complaint in (
        ("/loop", "redirects more than 3"),
        ("/away", "not on this machine"),
        ("/file", "not a plain URL"),
        ("/big", "more than 1 MiB"),
        ("/page", "not a WAV file"),
        ("/none", "answered 404"),
    ):
        with pytest.raises(PromptError, match=complaint):
            await cache_in(tmp_path).prepare(Prompt(source=base + path))


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/a.wav",
        "http://prompts.example/a.wav",
        "https://localhost.example/",
        "http://127.0.0.1@192.0.2.1/",
        "http:///a.wav",
        "http://[::1",
    ],
)
async def test_other_machines_are_not_asked_unless_live(tmp_path: Path, url: str) -> None:
    with pytest.raises(PromptError, match=r"URL|not on this machine"):
        await cache_in(tmp_path).prepare(Prompt(source=url))


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "2130706433"])
async def test_a_live_engine_fetches_nothing_from_inside(tmp_path: Path, host: str) -> None:
    with pytest.raises(PromptError, match=r"not a public one|not an IPv4 address"):
        await cache_in(tmp_path, live=True).prepare(Prompt(source=f"http://{host}/a.wav"))


async def test_but_from_networks_that_the_operator_has_allowed(tmp_path: Path, serve: Serve) -> None:
    base = await serve({"/a.wav": ok(wav(as_bytes(sine(8000, 0.1), 16))), "/away": to("http://10.0.0.1/a.wav")})
    allowed = PromptCache(tmp_path / "cache", live=True, engines=[], networks=(ipaddress.ip_network("127.0.0.0/8"),))
    assert (await allowed.prepare(Prompt(source=f"{base}/a.wav"))).duration_ms == 100
    with pytest.raises(PromptError, match="not a public one"):
        await allowed.prepare(Prompt(source=f"{base}/away"))


async def test_a_server_that_is_not_there(tmp_path: Path, serve: Serve) -> None:
    with pytest.raises(PromptError, match="cannot be fetched"):
        await cache_in(tmp_path).prepare(Prompt(source="http://127.0.0.1:1/a.wav"))
