"""Reads a list of people from CSV: every row checked before anything is stored.

The header names the columns ``name``, ``detail``, ``data`` and ``destination_0`` to ``destination_4`` in any order;
other columns are refused by name. A destination is an E.164 number or a SIP URI.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from outdialer.domain.numbers import DestinationError, normalise, person_key, refusal

DESTINATION_COLUMNS = tuple(f"destination_{index}" for index in range(5))
COLUMNS = ("name", "detail", "data", *DESTINATION_COLUMNS)
TEXT_LIMIT = {"name": 255, "detail": 1_000, "data": 16_384}
"""Longest text of a column, in characters."""
SHOWN_REFUSALS = 10


class ListError(Exception):
    """The file cannot be read as a list at all; the message says what would be right."""


class Person(Struct, frozen=True):
    """One good row."""

    line: int
    name: str
    detail: str
    data: str
    destinations: tuple[str, str, str, str, str]

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes a row the same row in a later version of the list."""
        return (self.name, self.detail, self.data, *self.destinations)


class Refusal(Struct, frozen=True):
    """One bad row: the line in the file, the field and the reason."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field}: {self.reason}"


class People(Struct, frozen=True):
    """A list that was read."""

    rows: tuple[Person, ...]
    refusals: tuple[Refusal, ...]


def read_people(path: Path) -> People:
    """Read and check a list.

    Raises:
        ListError: the file is missing, not text, has no header or no rows, or has unknown columns.
    """
    lines = io.StringIO(_text_of(path), newline="")
    reader = csv.reader(lines, delimiter=_delimiter(lines), strict=True)
    try:
        columns = _columns(next(reader, []))
        rows: list[Person] = []
        refusals: list[Refusal] = []
        seen: dict[str, int] = {}
        for line, cells in _records(reader):
            checked = _check(line, cells, columns, seen)
            if isinstance(checked, Person):
                rows.append(checked)
            else:
                refusals.append(checked)
    except csv.Error as error:
        raise ListError(f"{path}: line {reader.line_num}: not CSV: {error}") from None
    if not rows and not refusals:
        raise ListError(f"{path}: the list has a header but no rows")
    return People(tuple(rows), tuple(refusals))


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ListError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ListError(f"{path}: line {line} is not UTF-8 text; save the list as CSV UTF-8") from None
    if "\0" in text:
        raise ListError(f"{path}: contains NUL characters; save the list as CSV UTF-8")
    return text


def _delimiter(lines: io.StringIO) -> str:
    """``;`` where the header has more of them than commas, as spreadsheets in many countries write it."""
    header = lines.readline()
    lines.seek(0)
    return ";" if header.count(";") > header.count(",") else ","


def _columns(header: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in header]
    if not any(columns):
        raise ListError(f"the list is empty; its first line must name the columns: {','.join(COLUMNS)}")
    unknown = [cell for cell in columns if cell not in COLUMNS]
    if "destination_0" not in columns and unknown:
        raise ListError(
            f"the first line must be a header with destination_0 and what else there is of {', '.join(COLUMNS)}; "
            f"it is {','.join(header)[:200]!r}"
        )
    if unknown:
        raise ListError(f"unknown column {unknown[0]!r}; known ones are {', '.join(COLUMNS)}")
    repeated = [cell for cell in columns if columns.count(cell) > 1]
    if repeated:
        raise ListError(f"column {repeated[0]!r} stands twice in the header")
    if not any(column in DESTINATION_COLUMNS for column in columns):
        raise ListError(f"no destination column in the header; there must be {DESTINATION_COLUMNS[0]}")
    return columns


def _records(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it ends on."""
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells  # type: ignore[attr-defined]


def _check(line: int, cells: list[str], columns: list[str], seen: dict[str, int]) -> Person | Refusal:
    if len(cells) > len(columns):
        return Refusal(line, "row", f"{len(cells)} cells, but the header names {len(columns)} columns")
    row = dict(zip(columns, (cell.strip() for cell in cells), strict=False))
    for field, limit in TEXT_LIMIT.items():
        if len(row.get(field, "")) > limit:
            return Refusal(line, field, f"longer than {limit} characters")
    destinations = []
    numbers: list[str] = []
    for column in DESTINATION_COLUMNS:
        checked = _check_destination(line, column, row.get(column, ""), numbers, seen)
        if isinstance(checked, Refusal):
            return checked
        destinations.append(checked)
    if not numbers:
        return Refusal(line, "destination_0", "no destination in the row")
    seen.update(dict.fromkeys(numbers, line))
    name, detail, data = (row.get(field, "") for field in ("name", "detail", "data"))
    return Person(line, name, detail, data, (*destinations,))  # type: ignore[arg-type]


def _check_destination(line: int, column: str, text: str, numbers: list[str], seen: dict[str, int]) -> str | Refusal:
    if not text:
        return ""
    try:
        destination = normalise(text)
    except DestinationError as error:
        return Refusal(line, column, str(error))
    refused = refusal(destination)
    if refused:
        return Refusal(line, column, f"{text!r}: {refused}")
    number = person_key(destination)
    if number in numbers:
        return Refusal(line, column, f"{text!r} stands twice in this row")
    if number in seen:
        return Refusal(line, column, f"{text!r} stands already in line {seen[number]}")
    numbers.append(number)
    return destination


def target_of(person: Person) -> dict[str, Any]:
    """A row as the API takes it."""
    body: dict[str, Any] = {"name": person.name, "detail": person.detail, "data": person.data}
    for index, destination in enumerate(person.destinations):
        if destination:
            body[f"destination_{index}"] = {"target": destination}
    return body


def describe_refusals(people: People) -> str:
    """The counts and the first refusals, for a person."""
    lines = [f"rows that can be called: {len(people.rows)}; refused: {len(people.refusals)}"]
    lines += [f"  {refused}" for refused in people.refusals[:SHOWN_REFUSALS]]
    more = len(people.refusals) - SHOWN_REFUSALS
    if more > 0:
        lines.append(f"  and {more} more")
    return "\n".join(lines)
