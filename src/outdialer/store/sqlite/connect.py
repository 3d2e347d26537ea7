"""How a database file is opened, and what SQLite's errors mean to us."""

import contextlib
import os
import sqlite3
from pathlib import Path

from outdialer.ports.store import StoreUnavailable

BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 32_000

_PASSING = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY})
"""What may get well again while we run: space is freed, a mount becomes writable."""

_LASTING = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""After these nothing more is written until the file is opened anew: after a failed fsync nobody knows what the
disk holds."""

_SHARED_MEMORY = frozenset({sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMMAP})
"""Trouble with the index of the log, which a full disk causes and which holds nothing that could be lost."""


def create_private(path: Path) -> None:
    """Create a file that only this user can read, where there is none; SQLite makes its log and index alike.

    What cannot be created is left to SQLite, which says why.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def connect(path: Path) -> sqlite3.Connection:
    """A connection with every durability setting on: WAL, a full fsync per commit, foreign keys enforced.

    The write-ahead log is folded back by the writer when it has nothing better to do, never inside a commit. A new
    file is for this user alone: it holds people's numbers and the secret that webhooks are signed with.

    Raises:
        StoreUnavailable: the file cannot be opened or is not a database.
    """
    create_private(path)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write.

    Raises:
        StoreUnavailable: the file cannot be opened or is not a database.
    """
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA user_version")
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    return connection


def _code(error: BaseException) -> int:
    """SQLite's extended result code; 0 for anything else."""
    return int(getattr(error, "sqlite_errorcode", 0))


def is_storage_failure(error: BaseException) -> bool:
    """Whether the disk or the file is at fault, and not the statement."""
    return _code(error) & 0xFF in _PASSING | _LASTING


def is_lasting(error: BaseException) -> bool:
    """Whether nothing more may be written before the file is opened anew."""
    return _code(error) & 0xFF in _LASTING and _code(error) not in _SHARED_MEMORY
