"""How a database file gets to the schema of this program: numbered files, each in one transaction."""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from outdialer.ports.store import StoreTooNew
from outdialer.store.sqlite.connect import create_private


def migrations() -> list[str]:
    """The program's migrations in order; the first one leads to schema version 1."""
    folder = files(__package__) / "migrations"
    named = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [entry.read_text(encoding="utf-8") for entry in named]


def schema_version(connection: sqlite3.Connection) -> int:
    """The schema version of a file; 0 when it is new."""
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row[0])


def refuse_newer(connection: sqlite3.Connection, path: Path, known: int) -> int:
    """The schema version of a file that this program can read.

    Raises:
        StoreTooNew: the file's schema is newer than ``known``.
    """
    found = schema_version(connection)
    if found > known:
        raise StoreTooNew(f"{path} has schema version {found}, this program knows up to {known}: use the newer program")
    return found


def migrate(connection: sqlite3.Connection, path: Path, scripts: Sequence[str]) -> Path | None:
    """Bring a file to version ``len(scripts)``; the backup made of an existing file, or None.

    Raises:
        StoreTooNew: the file's schema is newer than the scripts.
    """
    found = refuse_newer(connection, path, len(scripts))
    backup = _back_up(connection, path, found) if 0 < found < len(scripts) else None
    for number, script in enumerate(scripts[found:], start=found + 1):
        _run(connection, number, script)
    return backup


def _run(connection: sqlite3.Connection, number: int, script: str) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copy the file beside itself, in place of an older copy of the same version."""
    backup = path.with_name(f"{path.name}.before-version-{version + 1}")
    unfinished = backup.with_name(f"{backup.name}.part")
    unfinished.unlink(missing_ok=True)
    create_private(unfinished)
    copy = sqlite3.connect(unfinished)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    return unfinished.replace(backup)
