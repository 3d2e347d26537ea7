"""Prompts rendered to telephone audio and cached: speech, WAV files and URLs, tones.

A cache file ``<key>.g711`` holds the prompt's samples in PCMU and then the same in PCMA, so that nothing is ever
encoded while a call waits. Files appear whole (temporary name, then rename) and are never changed.
"""

import asyncio
import contextlib
import hashlib
import importlib.resources
import os
import stat
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

from outdialer.media import fetch, samples, speech
from outdialer.media.rtp import PCMA, PCMU, SAMPLE_RATE
from outdialer.media.samples import Samples
from outdialer.media.speech import SpeechEngine
from outdialer.media.wav import NotWav, read_wav
from outdialer.ports.media import PreparedPrompt, Prompt, PromptError
from outdialer.web.addresses import Network

_FORMAT = "1"
"""Part of every key: raise it when the rendering changes, and nothing old is played."""
_LONGEST_TEXT = 10_000
_LONGEST_S = 3_600
_HIGHEST_HZ = 3_900
_FRESH_S = 300.0
RENDERED_AT_ONCE = 4
"""Each may be a process that speaks, or a quarter of a gigabyte of samples."""
FETCHED_AT_ONCE = 8
"""Each may hold ``fetch.LARGEST_BYTES``."""
_PER_MS = SAMPLE_RATE // 1000

Render = Callable[[], Awaitable[Samples]]


def demonstration() -> Path:
    """The WAV file that comes with the package: a short spoken greeting and goodbye."""
    return Path(str(importlib.resources.files("outdialer.media") / "data" / "demo.wav"))


class PromptCache:
    """Renders prompts, each once."""

    def __init__(
        self,
        cache_dir: Path,
        *,
        live: bool,
        engines: Sequence[SpeechEngine] | None = None,
        networks: tuple[Network, ...] = (),
        sounds: Path | None = Path("/"),
    ) -> None:
        """``networks``: where prompts may be fetched from when live, though the addresses are not public.

        ``sounds``: the folder that files must be in, and that relative paths begin at; None: no file is played.
        """
        self._dir = cache_dir
        self._live = live
        self._networks = networks
        self._sounds = None if sounds is None else os.path.realpath(sounds)
        self._engines = None if engines is None else list(engines)
        self._rendering: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._renders = asyncio.Semaphore(RENDERED_AT_ONCE)
        self._fetches = asyncio.Semaphore(FETCHED_AT_ONCE)
        self._fetched: dict[str, tuple[float, str]] = {}
        """URL -> when it was fetched (loop time) and the key of what came."""

    async def prepare(self, prompt: Prompt) -> PreparedPrompt:
        """Render a prompt, or find it rendered.

        Raises:
            PromptError: the message says why not and what would help.
        """
        if [bool(prompt.text.strip()), bool(prompt.source), bool(prompt.tones)].count(True) != 1:
            raise PromptError("a prompt needs exactly one of text, source and tones")
        if prompt.text:
            return await self._spoken(prompt)
        if prompt.tones:
            _check_tones(prompt.tones)
            return await self._cached(
                _key("tones", prompt.tones), lambda: asyncio.to_thread(samples.tones, prompt.tones)
            )
        if prompt.source.startswith(("http://", "https://")):
            return await self._fetched_from(prompt.source)
        return await self._from_file(prompt.source)

    async def _spoken(self, prompt: Prompt) -> PreparedPrompt:
        if len(prompt.text) > _LONGEST_TEXT:
            raise PromptError(f"the text has {len(prompt.text)} characters; at most {_LONGEST_TEXT} are spoken")
        if self._engines is None:
            self._engines = await asyncio.to_thread(speech.detect)
        engine = speech.choose(self._engines, prompt.voice, prompt.language)
        key = _key("text", engine.name, prompt.voice, prompt.language, prompt.text)
        return await self._cached(key, lambda: self._speak(engine, prompt))

    async def _speak(self, engine: SpeechEngine, prompt: Prompt) -> Samples:
        with tempfile.TemporaryDirectory(prefix="outdialer-speech-") as folder:
            wav = Path(folder, "speech.wav")
            await speech.speak(engine, prompt.text, prompt.voice, prompt.language, wav)
            return await asyncio.to_thread(_from_wav_file, str(wav), f"{engine.name}'s output")

    async def _from_file(self, called: str) -> PreparedPrompt:
        try:
            path = await asyncio.to_thread(self._permitted, called)
            key = await asyncio.to_thread(_file_key, path)
        except (OSError, ValueError) as problem:
            why = getattr(problem, "strerror", None) or problem
            raise PromptError(f"{called} cannot be read: {why}") from problem
        return await self._cached(key, lambda: asyncio.to_thread(_from_wav_file, path, called))

    def _permitted(self, called: str) -> str:
        """The real path of a file; links that lead out of the folder are looked through.

        Raises:
            PromptError: it is elsewhere; nothing is told of what is there.
        """
        if self._sounds is None:
            raise PromptError(
                f"{called} is not a URL; files are played by a server that is started with --sounds FOLDER"
            )
        path = os.path.realpath(os.path.join(self._sounds, called))
        if os.path.commonpath([path, self._sounds]) != self._sounds:
            raise PromptError(f"{called} is not in the folder that the server plays files from (--sounds)")
        return path

    async def _fetched_from(self, url: str) -> PreparedPrompt:
        """What the URL gave within the last five minutes, or gives now, or, when it fails now, gave before."""
        async with self._one_at_a_time(url):
            now = asyncio.get_running_loop().time()
            fetched_at, key = self._fetched.get(url, (0.0, ""))
            known = await asyncio.to_thread(self._find, key) if key else None
            if known is not None and now - fetched_at < _FRESH_S:
                return known
            async with self._fetches:
                try:
                    data = await fetch.fetch(url, live=self._live, networks=self._networks)
                except PromptError:
                    if known is None:
                        raise
                    return known
                key = _key("data", hashlib.sha256(data).hexdigest())
                prepared = await self._cached(key, lambda: asyncio.to_thread(_from_wav, data, url))
            self._fetched[url] = now, key
            return prepared

    async def _cached(self, key: str, render: Render) -> PreparedPrompt:
        async with self._one_at_a_time(key):
            found = await asyncio.to_thread(self._find, key)
            if found is not None:
                return found
            async with self._renders:
                audio = await render()
            return await asyncio.to_thread(self._store, key, audio)

    def _one_at_a_time(self, name: str) -> asyncio.Lock:
        return self._rendering.setdefault(name, asyncio.Lock())

    def _path(self, key: str) -> Path:
        return self._dir / f"{key}.g711"

    def _find(self, key: str) -> PreparedPrompt | None:
        try:
            size = self._path(key).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise PromptError(f"the prompt cache cannot be read: {problem}") from problem
        return PreparedPrompt(key=key, duration_ms=_duration(size // 2)) if size else None

    def _store(self, key: str, audio: Samples) -> PreparedPrompt:
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            _write_whole(self._path(key), samples.encode(audio, PCMU) + samples.encode(audio, PCMA))
        except OSError as problem:
            raise PromptError(
                f"the prompt cache {self._dir} cannot be written: {problem.strerror or problem}"
            ) from problem
        return PreparedPrompt(key=key, duration_ms=_duration(len(audio)))


def _duration(count: int) -> int:
    """Length of so many samples in ms, rounded up."""
    return -(-count // _PER_MS)


def _key(*parts: object) -> str:
    return hashlib.sha256(repr((_FORMAT, *parts)).encode()).hexdigest()


def _file_key(path: str) -> str:
    """Names the file as it is now: changed contents are another prompt."""
    state = os.stat(path)
    if not stat.S_ISREG(state.st_mode):
        raise OSError("it is not a file")  # A device or a pipe may never end.
    return _key("file", path, state.st_mtime_ns, state.st_size)


def _check_tones(sequence: tuple[tuple[int, int], ...]) -> None:
    for frequency, length_ms in sequence:
        if not 0 <= frequency <= _HIGHEST_HZ or length_ms <= 0:
            raise PromptError(
                f"a tone of {frequency} Hz for {length_ms} ms: 0-{_HIGHEST_HZ} Hz and at least 1 ms are possible"
            )
    if sum(length_ms for _, length_ms in sequence) > _LONGEST_S * 1000:
        raise PromptError(f"the tones last longer than {_LONGEST_S} s")


def _from_wav_file(path: str, called: str) -> Samples:
    try:
        if os.path.getsize(path) > fetch.LARGEST_BYTES:
            raise PromptError(
                f"{called} is larger than {fetch.LARGEST_BYTES >> 20} MiB; shorten it or convert it to 8 kHz mono"
            )
        data = Path(path).read_bytes()
    except OSError as problem:
        raise PromptError(f"{called} cannot be read: {problem.strerror or problem}") from problem
    return _from_wav(data, called)


def _from_wav(data: bytes, called: str) -> Samples:
    try:
        sound = read_wav(data)
    except NotWav as problem:
        raise PromptError(
            f"{called} is not a WAV file that can be played: {problem}. Convert it, for example: "
            "sox INPUT -r 8000 -c 1 -b 16 OUTPUT.wav"
        ) from problem
    if len(sound.samples) > _LONGEST_S * sound.rate:
        raise PromptError(f"{called} lasts longer than {_LONGEST_S} s")
    return samples.telephone(sound)


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that is seen whole or not at all, also when two write it at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".prompt-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
