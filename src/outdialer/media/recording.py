"""What a far end says, written to a WAV file by a thread of its own so that no disk delays a packet."""

import threading
import wave
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from outdialer.media.g711 import to_pcm16
from outdialer.media.rtp import SAMPLE_RATE, Packet, signed32

_FURTHEST_AHEAD = 2 * SAMPLE_RATE
_BYTES_PER_SAMPLE = 2


class Timeline:
    """Puts received packets where they belong in time; what is missing is silence, what is too late is dropped.

    ``clock`` arguments are samples of the pacing clock. Places are samples from the start of the recording.
    """

    def __init__(self, clock: int) -> None:
        self._start = clock
        self._written = 0
        self._pending = bytearray()
        self._shift = 0
        self._last: Packet | None = None

    def add(self, packet: Packet, clock: int) -> None:
        """Place the audio of a PCMU or PCMA packet heard at ``clock``."""
        self._anchor(packet, clock)
        place = self._place(packet) - self._written
        if place < 0:
            return
        self._reach(place)
        pcm = to_pcm16(packet.payload, packet.payload_type)
        start = place * _BYTES_PER_SAMPLE
        self._pending[start : start + len(pcm)] = pcm

    def take(self, clock: int) -> bytes:
        """The samples to be written next: all but the newest second, which may still be completed."""
        settled = clock - self._start - SAMPLE_RATE - self._written
        self._reach(settled)
        return self._cut(max(0, settled))

    def finish(self, clock: int) -> bytes:
        """The rest, with silence up to ``clock``."""
        self._reach(clock - self._start - self._written)
        return self._cut(len(self._pending) // _BYTES_PER_SAMPLE)

    def _place(self, packet: Packet) -> int:
        return signed32(packet.timestamp - self._shift)

    def _anchor(self, packet: Packet, clock: int) -> None:
        """Tie the source's timestamps to our time at its first packet, and again when they jump or drift away."""
        last, now = self._last, clock - self._start
        if last is not None and last.ssrc == packet.ssrc:
            step = signed32(packet.timestamp - last.timestamp)
            behind = step > 0 and self._place(packet) < self._written
            if abs(step) <= SAMPLE_RATE and not behind and self._place(packet) <= now + _FURTHEST_AHEAD:
                self._last = packet if step > 0 else last
                return
        self._last = packet
        self._shift = packet.timestamp - max(now, self._written + len(self._pending) // _BYTES_PER_SAMPLE)

    def _reach(self, samples: int) -> None:
        missing = samples * _BYTES_PER_SAMPLE - len(self._pending)
        if missing > 0:
            self._pending += bytes(missing)

    def _cut(self, samples: int) -> bytes:
        taken = bytes(self._pending[: samples * _BYTES_PER_SAMPLE])
        del self._pending[: samples * _BYTES_PER_SAMPLE]
        self._written += samples
        return taken


class Recording:
    """One leg's recording in progress."""

    def __init__(self, writer: "WavWriter", path: str, clock: int) -> None:
        self._writer = writer
        self._path = path
        self._timeline = Timeline(clock)
        writer.write(path, b"")

    def add(self, packet: Packet, clock: int) -> None:
        """Record a packet."""
        self._timeline.add(packet, clock)

    def flush(self, clock: int) -> None:
        """Write what is complete, so that a kill loses a moment only."""
        samples = self._timeline.take(clock)
        if samples:
            self._writer.write(self._path, samples)

    def finish(self, clock: int) -> None:
        """Write the rest and end the file."""
        self._writer.write(self._path, self._timeline.finish(clock))
        self._writer.end(self._path)


class WavWriter:
    """Writes 8 kHz, 16-bit, mono WAV files in a daemon thread; the file is valid after every write."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._files: dict[str, wave.Wave_write | None] = {}
        self._work: SimpleQueue[tuple[str, bytes | None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def write(self, path: str, samples: bytes) -> None:
        """Append samples; the first write creates the file and its folder, replacing an older file."""
        self._work.put((path, samples))

    def end(self, path: str) -> None:
        """Close a file."""
        self._work.put((path, None))

    def close(self, timeout_s: float) -> None:
        """Close all files, waiting no longer than ``timeout_s``."""
        self._work.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            path, samples = item
            try:
                self._do(path, samples)
            except (OSError, wave.Error) as problem:
                if self._files.get(path, self) is not None:
                    self._failed(f"cannot record to {path}: {problem}")
                self._files[path] = None
        for file in self._files.values():
            if file is not None:
                file.close()

    def _do(self, path: str, samples: bytes | None) -> None:
        if samples is None:
            ended = self._files.pop(path, None)
            if ended is not None:
                ended.close()
            return
        if path not in self._files:
            self._files[path] = _create(path)
        file = self._files[path]
        if file is not None:
            file.writeframes(samples)


def _create(path: str) -> wave.Wave_write:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = wave.open(path, "wb")  # noqa: SIM115 - open until the leg ends
    file.setnchannels(1)
    file.setsampwidth(_BYTES_PER_SAMPLE)
    file.setframerate(SAMPLE_RATE)
    return file
