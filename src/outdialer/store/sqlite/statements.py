"""Where SQL text comes from: named, commented blocks of plain SQL in ``queries/*.sql``.

A block starts with a line ``-- name: do_something``; the comment lines under it say what it is for. Nothing of a
statement is ever put together in Python; values are bound as parameters.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from operator import itemgetter
from typing import Any

_NAME = re.compile(r"^-- name: ([a-z0-9_]+)$", re.MULTILINE)
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![\w:']):([a-z_][a-z0-9_]*)")

Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]


def statements(room: str) -> dict[str, str]:
    """The statements of ``queries/<room>.sql`` by name."""
    text = (files(__package__) / "queries" / f"{room}.sql").read_text(encoding="utf-8")
    _head, *parts = _NAME.split(text)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def execute_each(database: sqlite3.Connection, statement: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Run a statement for each of ``rows``, which may hold more than it binds; how many rows of tables it changed.

    The same as ``executemany`` with the values bound by number instead of by name: looking names up costs more than
    binding (2 of 3 us for a row of 23 values).
    """
    numbered, values = by_number(statement)
    return database.executemany(numbered, map(values, rows)).rowcount


@lru_cache(maxsize=512)
def by_number(statement: str) -> tuple[str, Values]:
    """A statement whose parameters are numbered, and what takes their values out of a row."""
    statement = _COMMENT.sub("", statement)
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    numbered = _PARAMETER.sub(lambda found: f"?{names.index(found[1]) + 1}", statement)
    if len(names) == 1:
        return numbered, lambda row: (row[names[0]],)
    return numbered, itemgetter(*names)
