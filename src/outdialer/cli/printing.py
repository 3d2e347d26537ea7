"""How objects are shown: tables for people, JSON for programs."""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from outdialer.cli.exits import plain

NIL_ID = "00000000-0000-0000-0000-000000000000"
_CONTROL = re.compile("[\x7f-\x9f]")
PLAIN_WIDTH = 160
"""The width of tables where there is no terminal, in characters."""


def print_json(thing: Any) -> None:
    """One object on one line; JSON itself leaves no control characters but DEL and those from U+0080 to U+009F."""
    print(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(thing).decode()), flush=True)


def print_rows(title: str, columns: Sequence[str], rows: Iterable[Any]) -> int:
    """A table; how many rows it has."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in rows:
        table.add_row(*(cell(getattr(row, column, None)) for column in columns))
    _print(table)
    return table.row_count


def print_object(thing: Any) -> None:
    """All that is known of one object; what is not set is left out."""
    from rich.table import Table

    table = Table(show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name in thing.__struct_fields__:
        text = cell(getattr(thing, name))
        if text and name != "etag":
            table.add_row(name, text)
    _print(table)


def _print(table: Any) -> None:
    from rich.console import Console

    terminal = sys.stdout.isatty()
    Console(file=sys.stdout, highlight=False, markup=False, width=None if terminal else PLAIN_WIDTH).print(table)


def cell(value: Any) -> str:
    """A value as people read it."""
    return plain(_text(value))


def _text(value: Any) -> str:
    if value is None or value == NIL_ID:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, str):
        return value
    if hasattr(value, "target"):
        return str(value.target)
    if isinstance(value, list) and all(hasattr(item, "target") for item in value):
        return ", ".join(item.target for item in value)
    if isinstance(value, list) and any(isinstance(item, msgspec.Struct) for item in value):
        return "\n".join(cell(item) for item in value)
    if isinstance(value, msgspec.Struct):
        shown = ((name, cell(getattr(value, name))) for name in value.__struct_fields__)
        return " ".join(f"{name}={text}" for name, text in shown if text)
    if isinstance(value, float):
        return f"{value:g}"
    return msgspec.json.encode(value).decode()
