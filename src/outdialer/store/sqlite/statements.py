"""Where SQL text comes from: named, commented blocks of plain SQL in ``queries/*.sql``.

A block starts with a line ``-- name: do_something``; the comment lines under it say what it is for. Nothing of a
statement is ever put together in Python; values are bound as parameters.
"""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: ([a-z0-9_]+)$", re.MULTILINE)


def statements(room: str) -> dict[str, str]:
    """The statements of ``queries/<room>.sql`` by name."""
    text = (files(__package__) / "queries" / f"{room}.sql").read_text(encoding="utf-8")
    _head, *parts = _NAME.split(text)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
