"""The folder in which rendered prompts are kept, and which the media process reads them from.

A file ``<key>.g711`` holds a prompt's samples in PCMU and then the same in PCMA, so that nothing is ever encoded while
a call waits. Files appear whole (temporary name, then rename) and are never changed; their time of modification says
when they were wanted last. When they take more than they may, those go that were not wanted for longest.
"""

import contextlib
import os
import tempfile
import threading
from pathlib import Path

from outdialer.media import samples
from outdialer.media.rtp import PCMA, PCMU, SAMPLE_RATE
from outdialer.media.samples import Samples
from outdialer.ports.media import PreparedPrompt, PromptError

IN_USE_S = 600.0
"""What was wanted within this time may be about to be played: it stays, however much there is."""
_LOOK_EVERY = 20
"""The folder is looked through when a twentieth of what it may take has come since the last time."""
_PER_MS = SAMPLE_RATE // 1000


class CacheFolder:
    """Keeps prompts by key, in ``most_bytes`` or little more. Reads and writes files: not for the loop."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes
        self._unseen = most_bytes
        """Bytes that may have come since the folder was looked through."""
        self._lock = threading.Lock()
        """Nothing is removed between finding it old and removing it, if it is wanted meanwhile."""

    def path(self, key: str) -> Path:
        """Where a prompt is, or would be."""
        return self._folder / f"{key}.g711"

    def find(self, key: str) -> PreparedPrompt | None:
        """A prompt that is there; it is in use from now on.

        Raises:
            PromptError: the folder cannot be read.
        """
        try:
            with self._lock:
                size = self.path(key).stat().st_size
                with contextlib.suppress(PermissionError):
                    os.utime(self.path(key))
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise PromptError(f"the prompt cache cannot be read: {problem}") from problem
        return PreparedPrompt(key=key, duration_ms=_duration(size // 2)) if size else None

    def store(self, key: str, audio: Samples) -> PreparedPrompt:
        """Keep a prompt, and remove others if there is no room.

        Raises:
            PromptError: the folder cannot be written.
        """
        data = samples.encode(audio, PCMU) + samples.encode(audio, PCMA)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self.path(key), data)
            self._make_room(self.path(key), len(data))
        except OSError as problem:
            raise PromptError(
                f"the prompt cache {self._folder} cannot be written: {problem.strerror or problem}"
            ) from problem
        return PreparedPrompt(key=key, duration_ms=_duration(len(audio)))

    def _make_room(self, newest: Path, size: int) -> None:
        self._unseen += size
        if self._unseen * _LOOK_EVERY < self._most:
            return
        self._unseen = 0
        in_use = newest.stat().st_mtime - IN_USE_S
        files = sorted((state.st_mtime, state.st_size, path) for path, state in self._files())
        over = sum(size for _, size, _ in files) - self._most
        for _, size, path in files:
            if over <= 0 or not self._remove(path, in_use):
                return
            over -= size

    def _files(self) -> list[tuple[str, os.stat_result]]:
        """All of ours, with those that were never finished."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(".g711") or entry.name.startswith(".prompt-"):
                    with contextlib.suppress(FileNotFoundError):
                        found.append((entry.path, entry.stat()))
        return found

    def _remove(self, path: str, in_use: float) -> bool:
        """Remove a file unless it was wanted since; whether it is gone. Whoever plays it already has read it."""
        with self._lock:
            try:
                if os.stat(path).st_mtime > in_use:
                    return False
                os.unlink(path)
            except FileNotFoundError:
                return True
            except OSError:
                return False
        return True


def _duration(count: int) -> int:
    """Length of so many samples in ms, rounded up."""
    return -(-count // _PER_MS)


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
