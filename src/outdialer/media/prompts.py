"""Prompts rendered to telephone audio, each once, and cached: speech, WAV files and URLs, tones."""

import asyncio
import hashlib
import importlib.resources
import os
import stat
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from weakref import WeakValueDictionary

from outdialer.media import fetch, samples, speech
from outdialer.media.cache import CacheFolder
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
_MOST_FETCHED = 10_000
"""URLs of which it is remembered what they gave."""
RENDERED_AT_ONCE = 4
"""Each may be a process that speaks, or a quarter of a gigabyte of samples."""
FETCHED_AT_ONCE = 8
"""Each may hold ``fetch.LARGEST_BYTES``."""
MOST_BYTES = 2_000_000_000
"""Thirty hours of prompts."""

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
        cache_bytes: int = MOST_BYTES,
    ) -> None:
        """``cache_bytes``: what all prompts together may take; those that were not wanted for longest go.

        ``networks``: where prompts may be fetched from when live, though the addresses are not public.

        ``sounds``: the folder that files must be in, and that relative paths begin at; None: no file is played.
        """
        self._folder = CacheFolder(cache_dir, cache_bytes)
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
            known = await asyncio.to_thread(self._folder.find, key) if key else None
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
            self._fetched.pop(url, None)
            self._fetched[url] = now, key
            if len(self._fetched) > _MOST_FETCHED:
                del self._fetched[next(iter(self._fetched))]
            return prepared

    async def _cached(self, key: str, render: Render) -> PreparedPrompt:
        async with self._one_at_a_time(key):
            found = await asyncio.to_thread(self._folder.find, key)
            if found is not None:
                return found
            async with self._renders:
                audio = await render()
            return await asyncio.to_thread(self._folder.store, key, audio)

    def _one_at_a_time(self, name: str) -> asyncio.Lock:
        return self._rendering.setdefault(name, asyncio.Lock())


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
