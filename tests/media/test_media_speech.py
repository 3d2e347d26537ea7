"""Speech engines: choosing one, running one, and the real ones where they are installed."""

import asyncio
import sys
from pathlib import Path

import pytest
from msgspec import Struct

from outdialer.media import speech
from outdialer.media.prompts import PromptCache
from outdialer.media.speech import Espeak, Flite, Piper, PiperVoice
from outdialer.ports.media import Prompt, PromptError

JOE = PiperVoice("en_US-joe-medium", "en_US", "/voices/en_US-joe-medium.onnx")
ENGINES: list[speech.SpeechEngine] = [Piper((JOE,)), Flite("flite"), Espeak("espeak-ng")]

SPEAKER = """
import sys, wave
text = sys.stdin.read()
with wave.open(sys.argv[1], "wb") as file:
    file.setparams((1, 2, 16000, 0, "NONE", ""))
    file.writeframes(b"\\x00\\x10" * 160 * len(text.strip()))
open(sys.argv[2], "a").write(text)
"""


class Speaker(Struct, frozen=True):
    """A speech engine of 10 ms a character."""

    heard: str
    program: str = SPEAKER
    name: str = "speaker"

    def speaks(self, voice: str, language: str) -> bool:
        return not voice and language in ("", "en")

    def command(self, voice: str, language: str, wav: Path) -> list[str]:
        return [sys.executable, "-c", self.program, str(wav), self.heard]


@pytest.mark.parametrize(
    ("voice", "language", "chosen"),
    [
        ("", "", "piper"),
        ("", "en", "piper"),
        ("", "en-US", "piper"),
        ("", "EN_us", "piper"),
        ("", "en-GB", "flite"),
        ("slt", "", "flite"),
        ("", "de-DE", "espeak-ng"),
        ("de+f2", "", "espeak-ng"),
    ],
)
def test_the_best_engine_that_has_voice_and_language(voice: str, language: str, chosen: str) -> None:
    assert speech.choose(ENGINES, voice, language).name == chosen


def test_no_engine_says_how_to_get_one() -> None:
    with pytest.raises(PromptError, match=r"apt install flite.*--play"):
        speech.choose([], "", "")
    with pytest.raises(PromptError, match=r"voice 'bob' and the language 'fr'; installed: flite"):
        speech.choose([Flite("flite")], "bob", "fr")


@pytest.mark.parametrize("voice", ["--help", "../../voice", "a b", "http://example/voice"])
def test_a_voice_is_never_an_option_or_a_path(voice: str) -> None:
    with pytest.raises(PromptError):
        speech.choose(ENGINES, voice, "")


async def test_text_is_spoken_once_however_many_ask(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    cache = PromptCache(tmp_path / "cache", live=False, engines=[Speaker(str(heard))])
    prompt = Prompt(text=" -h \n ten\tchars \x00")
    prepared = await asyncio.gather(*(cache.prepare(prompt) for _ in range(3)))
    assert {p.duration_ms for p in prepared} == {120}
    assert heard.read_text() == "-h ten chars\n"
    assert (await cache.prepare(Prompt(text="other"))).key != prepared[0].key


async def test_an_engine_that_fails_is_quoted(tmp_path: Path) -> None:
    for program, complaint in (
        ("import sys; sys.exit('no such voice')", "status 1: no such voice"),
        ("pass", "cannot be read"),
        ("import sys; open(sys.argv[1], 'w').write('x')", "output is not a WAV"),
    ):
        cache = PromptCache(tmp_path / "cache", live=False, engines=[Speaker("", program)])
        with pytest.raises(PromptError, match=complaint):
            await cache.prepare(Prompt(text="Hello"))
    with pytest.raises(PromptError, match="cannot be started"):
        await PromptCache(tmp_path, live=False, engines=[Flite("/nowhere/flite")]).prepare(Prompt(text="Hello"))


async def test_an_engine_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_TIMEOUT_S", 0.2)
    cache = PromptCache(tmp_path, live=False, engines=[Speaker("", "import signal; signal.pause()")])
    with pytest.raises(PromptError, match="did not finish"):
        await cache.prepare(Prompt(text="Hello"))


async def test_a_text_has_a_longest_length(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="20000 characters"):
        await PromptCache(tmp_path, live=False, engines=[]).prepare(Prompt(text="a" * 20_000))


def test_piper_voices_are_found_by_their_description(tmp_path: Path) -> None:
    (tmp_path / "nl-test.onnx").write_bytes(b"model")
    description = tmp_path / "nl-test.onnx.json"
    description.write_text('{"language": {"code": "nl_NL"}}')
    assert speech._piper_voice(description) == PiperVoice("nl-test", "nl_NL", str(tmp_path / "nl-test.onnx"))
    wav = Path("out.wav")
    assert Piper((JOE,), python="py").command("", "en", wav) == ["py", "-m", "piper", "-m", JOE.model, "-f", "out.wav"]


# piper and its voice are large and a matter of taste: without them its test is skipped, visibly, and CI goes on.
@pytest.mark.parametrize(
    "name",
    ["piper", pytest.param("flite", marks=pytest.mark.audio), pytest.param("espeak-ng", marks=pytest.mark.audio)],
)
async def test_an_installed_engine_speaks(tmp_path: Path, name: str) -> None:
    engines = [engine for engine in speech.detect() if engine.name == name]
    if not engines:
        pytest.skip(f"the speech engine {name} is not installed")
    cache = PromptCache(tmp_path, live=False, engines=engines)
    prepared = await cache.prepare(Prompt(text="Hello. This is a test call. Goodbye.", language="en"))
    assert 1_000 <= prepared.duration_ms <= 10_000
    audio = (tmp_path / f"{prepared.key}.g711").read_bytes()
    assert len(set(audio[: len(audio) // 2])) > 100
