"""One engine per database file: an operating-system lock on a file of its own beside it.

The lock is on another file because backup tools and SQLite itself open and close the database, and closing any
descriptor of a POSIX-locked file drops the lock. ``flock`` dies with the process, so a crash leaves nothing behind.
"""

import contextlib
import fcntl
import os
from pathlib import Path

from outdialer.ports.store import StoreInUse, StoreUnavailable


class StoreLock:
    """The lock of a database file, held from construction to ``release``."""

    def __init__(self, database: Path) -> None:
        """Take the lock and write this process's id into the lock file.

        Raises:
            StoreInUse: another process holds it.
            StoreUnavailable: the lock file cannot be made: no such folder, or it is read-only.
        """
        self.path = database.with_name(f"{database.name}.lock")
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{self.path}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise StoreInUse(f"{database} is in use by process {holder}") from None
        # On a full disk the lock holds all the same; only its owner's name is missing.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let the next engine in."""
        os.close(self._descriptor)
