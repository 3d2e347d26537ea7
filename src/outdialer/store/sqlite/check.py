"""Whether a database file keeps its promises: SQL over the books alone, for tests, recovery and operators."""

import sqlite3
from pathlib import Path

from outdialer.store.sqlite.connect import connect_to_read
from outdialer.store.sqlite.statements import statements

CHECKS = statements("check")


def check(path: Path | str) -> list[str]:
    """What is wrong with the books in a file, one line each, prefixed with the check's name; empty when all is well.

    Reads everything, so it takes its time on a large file; a running engine is not disturbed.

    Raises:
        StoreUnavailable: the file cannot be read.
    """
    connection = connect_to_read(Path(path))
    try:
        return check_connection(connection)
    finally:
        connection.close()


def check_connection(connection: sqlite3.Connection) -> list[str]:
    """The same through an open connection, in one consistent picture."""
    connection.execute("BEGIN")
    try:
        found = [f"integrity: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        found += [f"foreign_keys: {tuple(row)}" for row in connection.execute("PRAGMA foreign_key_check")]
        for name, statement in CHECKS.items():
            found += [f"{name}: {row[0]}" for row in connection.execute(statement)]
        return found
    finally:
        connection.execute("COMMIT")
