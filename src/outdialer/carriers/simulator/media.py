"""Audio of simulated calls: nothing is heard, everything takes the time it would."""

import asyncio

from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import (
    MediaSink,
    MediaStatistics,
    PlaybackFinished,
    PreparedPrompt,
    Prompt,
    PromptError,
    RtpPort,
)

MS_PER_CHARACTER = 60
"""How long a text takes to speak, roughly: 1,000 characters a minute."""
WAV_MS = 1_000


class SimulatorMedia:
    """Implements ``ports.media.Media`` without audio."""

    def __init__(self, *, time_percent: int = 100) -> None:
        """``time_percent`` scales how long prompts take."""
        self._time_percent = time_percent
        self._lengths: dict[str, int] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._queues: dict[int, list[tuple[int, float]]] = {}
        """By leg: what plays and what waits, as (order, length in s)."""
        self._next_port = 10_000
        self._sink: MediaSink
        self.opened = 0
        """How many legs had audio so far."""

    async def start(self, sink: MediaSink) -> None:
        """Begin to serve."""
        self._sink = sink

    async def stop(self) -> None:
        """Forget every leg."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._queues.clear()

    async def prepare(self, prompt: Prompt) -> PreparedPrompt:
        """Measure a prompt.

        Raises:
            PromptError: the prompt is empty.
        """
        key = prompt.text or prompt.source or (repr(prompt.tones) if prompt.tones else "")
        if not key:
            raise PromptError("the prompt is empty")
        length = len(prompt.text) * MS_PER_CHARACTER or sum(ms for _, ms in prompt.tones) or WAV_MS
        self._lengths[key] = length * self._time_percent // 100
        return PreparedPrompt(key=key, duration_ms=self._lengths[key])

    def lease(self) -> RtpPort:
        """A port number; nothing is bound."""
        self._next_port = 10_000 + (self._next_port - 9_998) % 50_000
        return RtpPort("127.0.0.1", self._next_port)

    def release(self, port: RtpPort) -> None:
        """Nothing to give back."""

    def open(self, leg: int, port: RtpPort, remote: RemoteMedia) -> None:
        """Connect a leg."""
        self.opened += 1

    def play(self, leg: int, order: int, keys: list[str]) -> None:
        """Let the prompts' time pass, after that of what the leg plays already."""
        queue = self._queues.setdefault(leg, [])
        queue.append((order, sum(self._lengths[key] for key in keys) / 1_000))
        if len(queue) == 1:
            self._begin(leg)

    def silence(self, leg: int) -> None:
        """Stop what plays and what waits; each order is reported as finished."""
        timer = self._timers.pop(leg, None)
        if timer is not None:
            timer.cancel()
        for order, _ in self._queues.pop(leg, ()):
            asyncio.get_running_loop().call_soon(self._sink, PlaybackFinished(leg, order))

    def join(self, leg: int, other: int) -> None:
        """Two legs hear each other."""
        self.silence(leg)
        self.silence(other)

    def record(self, leg: int, path: str) -> None:
        """There is nothing to hear."""

    def close(self, leg: int) -> None:
        """End a leg's audio."""
        self.silence(leg)

    async def statistics(self) -> MediaStatistics:
        """Nothing was sent."""
        return MediaStatistics()

    def _begin(self, leg: int) -> None:
        _, length_s = self._queues[leg][0]
        self._timers[leg] = asyncio.get_running_loop().call_later(length_s, self._finished, leg)

    def _finished(self, leg: int) -> None:
        order, _ = self._queues[leg].pop(0)
        if self._queues[leg]:
            self._begin(leg)
        else:
            del self._timers[leg], self._queues[leg]
        self._sink(PlaybackFinished(leg, order))
