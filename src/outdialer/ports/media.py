"""How audio is heard and played: the port, its structs and its events.

Implemented by ``outdialer.media.client.MediaProcess`` (a child process that does the RTP) and
``outdialer.carriers.simulator.media.SimulatorMedia`` (no audio, virtual time).
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from msgspec import Struct

from outdialer.domain.units import Milliseconds
from outdialer.ports.carrier import RemoteMedia


class Prompt(Struct, frozen=True, kw_only=True):
    """Something to be heard: exactly one of ``text``, ``source`` and ``tones`` is set."""

    text: str = ""
    """To be spoken by a speech engine."""
    language: str = ""
    """BCP 47 tag such as ``en-US``; empty: the engine's default."""
    voice: str = ""
    source: str = ""
    """Path or http(s) URL of a WAV file."""
    tones: tuple[tuple[int, int], ...] = ()
    """(frequency in Hz, length in ms) pairs, played one after the other; frequency 0 is silence."""


class PreparedPrompt(Struct, frozen=True, kw_only=True):
    """A prompt rendered to telephone audio and kept in the cache."""

    key: str
    duration_ms: Milliseconds


class PromptError(Exception):
    """A prompt cannot be rendered; the message says why and what would help."""


class NoRtpPort(Exception):
    """No RTP port is free: the channels exceed the configured port range."""


class RtpPort(Struct, frozen=True):
    """A bound local port, leased to one leg until ``close``."""

    address: str
    port: int


class PlaybackFinished(Struct, frozen=True, tag=True):
    """Everything queued on the leg by the play order ``order`` was sent, or was cut by the leg's end."""

    leg: int
    order: int


class DigitReceived(Struct, frozen=True, tag=True):
    """A DTMF digit arrived (RFC 4733)."""

    leg: int
    digit: str
    duration_ms: Milliseconds


class MediaLost(Struct, frozen=True, tag=True):
    """The media process is gone: no leg has audio any more."""

    why: str


MediaEvent: TypeAlias = PlaybackFinished | DigitReceived | MediaLost
MediaSink: TypeAlias = Callable[[MediaEvent], None]


class MediaStatistics(Struct, frozen=True, kw_only=True):
    """Totals since the media process started."""

    packets_sent: int = 0
    packets_received: int = 0
    packets_late: int = 0
    """Sent more than 5 ms after their slot."""


class Media(Protocol):
    """Receives, sends and joins the audio of legs. A leg is named by the same key as in ``ports.carrier``."""

    async def start(self, sink: MediaSink) -> None:
        """Start the audio side; returns when RTP ports can be leased."""

    async def stop(self) -> None:
        """Stop all audio and free every port."""

    async def prepare(self, prompt: Prompt) -> PreparedPrompt:
        """Render a prompt into the cache, or find it there.

        Raises:
            PromptError: no speech engine, no such file, not a WAV file, unreachable URL ...
        """

    def lease(self) -> RtpPort:
        """Take a bound port for a leg about to be offered, without a round trip.

        Raises:
            NoRtpPort: none is free.
        """

    def release(self, port: RtpPort) -> None:
        """Give back a port whose leg was never opened."""

    def open(self, leg: int, port: RtpPort, remote: RemoteMedia) -> None:
        """Connect a leg's audio. Sending is symmetric: it follows the address the far end really sends from."""

    def play(self, leg: int, order: int, keys: list[str]) -> None:
        """Play prepared prompts one after the other; ``PlaybackFinished`` with ``order`` tells the end."""

    def silence(self, leg: int) -> None:
        """Stop what is playing on the leg."""

    def join(self, leg: int, other: int) -> None:
        """Let two open legs hear each other; playing stops on both."""

    def record(self, leg: int, path: str) -> None:
        """Write what the far end of the leg says to a WAV file from now until ``close``."""

    def close(self, leg: int) -> None:
        """End a leg's audio; its port stays bound and unused for a while so that nobody inherits stale audio."""

    async def statistics(self) -> MediaStatistics:
        """Totals, for metrics and benchmarks."""
