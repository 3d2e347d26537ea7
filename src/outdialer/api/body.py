"""Reading request bodies: strict JSON first, then the operation's struct.

A body is decoded as JSON whatever its content type says. What a lenient reader would guess at is refused: duplicate
keys, NaN and infinities, lone surrogates, NUL characters, numbers and nestings without measure. ``null`` means the
same as leaving the field out, everywhere.

A long body is one list of rows and nothing else. So what may cost much is looked at in pieces that cannot, and what
is no such list is refused before any of it is built.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec

from outdialer.api.errors import ApiError, FieldError, quoted, shown
from outdialer.api.http import Request

MAX_BODY_BYTES = 1_000_000
"""A longer one is one object with one list of rows, each of which is no longer than this."""
MAX_BULK_BODY_BYTES = 20_000_000
MAX_STRANGERS_BODY_BYTES = 20_000
"""Where no credential is needed."""
MOST_UNDER_WAY_BYTES = 80_000_000
"""Of the bodies of one customer at a time: four of the largest imports."""
MAX_ROWS = 10_000
"""Of a list in a long body."""
MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 40
"""Longest spelling of a number."""
EXACT_FLOATS = 2**53
"""Below it every whole number has a float of its own."""

BYTES_PER_VALUE = 25
"""A body may hold one value for so many bytes of its limit: small values cost more memory than their spelling."""
LONG_BODY_BYTES = 50_000
"""Longer ones are read in a thread of their own, one at a time, so that they delay no call."""

_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bodies")
# A string without an end goes on to the end of the body: looking for one from each of its quotes would take for ever.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_BLANKS = b" \t\n\r"
_ROWS_BEGIN = re.compile(rb'\s{0,99}+\{\s{0,99}+"(\w{1,64}+)"\s{0,99}+:\s{0,99}+(?=\[)')
_BAD_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_AT = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_JSON_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
_OWN_REASONS = {"anonymous": "INVALID_ANONYMOUS_VALUE"}
"""By field: the contract's own reason for a value that is not in its closed set."""
T = TypeVar("T")


class BodiesUnderWay:
    """How much of bodies is held for each customer's requests, from the first byte read to the answer."""

    def __init__(self) -> None:
        self._held: Counter[int] = Counter()

    @contextmanager
    def of(self, customer: int) -> Iterator[Callable[[int], None]]:
        """Counts what is read of one body; it is called with the size of each piece, and raises ApiError."""
        mine = 0

        def count(size: int) -> None:
            nonlocal mine
            mine += size
            self._held[customer] += size
            if self._held[customer] > MOST_UNDER_WAY_BYTES:
                raise ApiError(
                    "RATE_LIMIT_EXCEEDED",
                    f"More than {MOST_UNDER_WAY_BYTES} bytes of this customer's bodies are being read or worked on; "
                    "wait for the answers to those that were sent before.",
                    headers={"Retry-After": "1", "Connection": "close"},
                    details=({"limited_by": "customer"},),
                )

        try:
            yield count
        finally:
            self._held[customer] -= mine
            if not self._held[customer]:
                del self._held[customer]


async def read_body(request: Request, limit: int, count: Callable[[int], None]) -> bytes:
    """The whole body; ``count`` is told the size of each piece of it, and may refuse it.

    Raises:
        ApiError: it is longer than ``limit`` bytes.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        count(len(chunk))
        if size > limit:
            raise ApiError(
                "INVALID_JSON_BODY", f"The body is longer than {limit} bytes.", headers={"Connection": "close"}
            )
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: Request, limit: int, count: Callable[[int], None]) -> tuple[bytes, Any]:
    """The whole body, and the document in it.

    Raises:
        ApiError: it is too long or not strict JSON, or ``count`` refused it.
    """
    body = await read_body(request, limit, count)
    if len(body) <= LONG_BODY_BYTES:
        return body, parse_json(body, limit)
    return body, await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, parse_json, body, limit)


def parse_json(body: bytes, limit: int = MAX_BODY_BYTES) -> Any:
    """The document in a body whose longest length is ``limit``.

    Raises:
        ApiError: it is not strict JSON; the message says why.
    """
    if not body or body.isspace():
        raise ApiError("INVALID_JSON_BODY", "The body is empty; send a JSON object.")
    most = limit // BYTES_PER_VALUE
    if len(body) > most and body.count(b",") > most:
        raise _too_many(most)
    return _parse_rows(body, most) if len(body) > MAX_BODY_BYTES else _parse(body, most)


def _parse_rows(body: bytes, most: int) -> dict[str, list[Any]]:
    """The document in a long body. Its form is checked first, at a fraction of what building it costs."""
    begin, end = _ROWS_BEGIN.match(body), body.rfind(b"]") + 1
    if begin is None or body[end:].strip(_BLANKS) != b"}":
        raise ApiError(
            "INVALID_JSON_BODY",
            f'A body of more than {MAX_BODY_BYTES} bytes is one object with one list and nothing else: {{"x": [...]}}.',
        )
    if body.count(b"[") + body.count(b"{") > 2 * most:
        raise ApiError("INVALID_JSON_BODY", f"The body holds more than {2 * most} brackets.")
    name = begin[1].decode()
    try:
        rows = msgspec.structs.astuple(_rows().decode(memoryview(body)[begin.end() : end]))
    except msgspec.ValidationError:
        raise FieldError(name, f"it has more than {MAX_ROWS} items, which is the most") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise ApiError("INVALID_JSON_BODY", f"{name} is not a JSON list, or not all of the body: {error}.") from None
    return {name: [_parse_row(name, index, bytes(row)) for index, row in enumerate(rows) if row is not None]}


@cache
def _rows() -> msgspec.json.Decoder[msgspec.Struct]:
    """Cuts a list into its items as they are spelled. A struct of so many fields ends at the first one too many,
    where a list of any length would be made whole before it is measured."""
    fields = [(f"row_{index}", msgspec.Raw, None) for index in range(MAX_ROWS)]
    struct = msgspec.defstruct("Rows", fields, array_like=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(struct)


def _parse_row(name: str, index: int, row: bytes) -> Any:
    if len(row) > MAX_BODY_BYTES:
        raise FieldError(f"{name}[{index}]", f"it is longer than {MAX_BODY_BYTES} bytes", "INVALID_JSON_BODY")
    try:
        return _parse(row, MAX_BODY_BYTES // BYTES_PER_VALUE)
    except ApiError as error:
        raise FieldError(f"{name}[{index}]", error.message, error.reason) from None


def _parse(body: bytes, most: int) -> Any:
    """The document in a short body that may hold so many values."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(body, most)
    try:
        document = _STRICT.decode(body.decode())
    except UnicodeDecodeError:
        raise ApiError("INVALID_JSON_BODY", "The body is not UTF-8.") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise ApiError("INVALID_JSON_BODY", f"The body is not JSON: {error}.") from None
    if b"\\u" in body:
        _check_characters(document)
    return document


def _check_depth(body: bytes, most: int) -> None:
    depth = opened = 0
    for match in _STRING_OR_BRACKET.finditer(body):
        token = match[0]
        if token in (b"[", b"{"):
            depth, opened = depth + 1, opened + 1
            if depth > MAX_DEPTH:
                raise ApiError("INVALID_JSON_BODY", f"The body is nested deeper than {MAX_DEPTH} levels.")
            if opened > most:
                raise _too_many(most)
        elif token in (b"]", b"}"):
            depth -= 1


def _too_many(most: int) -> ApiError:
    return ApiError("INVALID_JSON_BODY", f"The body holds more than {most} values.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ApiError("INVALID_JSON_BODY", f"The key {twice[:80]!a} stands twice in one object.")
    return found


def _no_constant(name: str) -> Any:
    raise ApiError("INVALID_JSON_BODY", f"{name} is not JSON.")


def _int(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ApiError("INVALID_JSON_BODY", f"The number {text[:20]}... is too long.")
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ApiError("INVALID_JSON_BODY", f"The number {text} is too large.")
    return number


def _float(text: str) -> float | int:
    """The number; a whole one is an int however it is spelled: JSON knows one kind (RFC 8259 section 6)."""
    number = float(text)
    if len(text) > MAX_NUMBER_LENGTH or number in (float("inf"), float("-inf")):
        raise ApiError("INVALID_JSON_BODY", f"The number {text[:20]} is too long or too large.")
    return int(number) if number.is_integer() and abs(number) < EXACT_FLOATS else number


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_int, parse_float=_float)
"""Made once: ``json.loads`` would make one for each row."""


def _check_characters(value: Any, field: str = "") -> None:
    if isinstance(value, str):
        if _BAD_CHARACTER.search(value):
            text = quoted(field, value[:40]).encode("ascii", "backslashreplace").decode()
            raise FieldError(field, f"{text} holds a NUL or half a surrogate pair", "INVALID_JSON_BODY")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_characters(key)
            _check_characters(item, key)
    elif isinstance(value, list):
        for item in value:
            _check_characters(item, field)


def to_struct(document: Any, wanted: type[T], where: str = "") -> T:
    """The document as the struct that an operation asks for; unknown fields are left aside.

    Raises:
        FieldError: a field has the wrong type or a value outside its range; ``where`` goes before its name.
    """
    try:
        return msgspec.convert(document, wanted)
    except msgspec.ValidationError as error:
        raise _explained(str(error), document, wanted, where) from None


def _kind(document: Any) -> str:
    """What a document is, in words: it may be anything, and hold anything."""
    if document is None or isinstance(document, bool):
        return shown(document)
    if isinstance(document, int | float):
        return "a number"
    return "text" if isinstance(document, str) else "a list"


def _explained(text: str, document: Any, wanted: Any, where: str) -> FieldError:
    match = _AT.fullmatch(text)
    problem, path = (match["problem"], match["path"]) if match else (text, "")
    missing = _MISSING.fullmatch(problem)
    path = f"{path}.{missing[1]}".lstrip(".") if missing else path
    field = ".".join(part for part in (where, path) if part)
    if missing:
        right = " or ".join(_choices(wanted, path))
        return FieldError(field, f"it is missing{f'; write {right}' if right else ''}")
    if not path:
        return FieldError(where, f"expected an object, got {_kind(document)}", "INVALID_JSON_BODY")
    value = quoted(field, _at(document, path))
    if problem.startswith("Invalid enum value"):
        reason = _OWN_REASONS.get(field, "INVALID_ARGUMENT")
        return FieldError(field, f"{value} is not one of {', '.join(_choices(wanted, path))}", reason)
    expected, _, _ = problem.partition(", got ")
    is_type_error = ", got " in problem
    right = _in_words(expected, typed=is_type_error)
    return FieldError(field, f"{value} is not {right}", "INVALID_JSON_BODY" if is_type_error else "INVALID_ARGUMENT")


def _in_words(expected: str, *, typed: bool) -> str:
    names, _, rest = expected.removeprefix("Expected `").partition("`")
    words = " or ".join(_JSON_NAMES.get(name, name) for name in names.split(" | ") if name != "null")
    return words if typed else f"{words}{rest}"


def _at(document: Any, path: str) -> Any:
    for name, index in _STEP.findall(path):
        try:
            document = document[int(index)] if index else document[name]
        except (LookupError, TypeError):
            return None
    return document


def _choices(wanted: Any, path: str) -> list[str]:
    kind: Any = msgspec.inspect.type_info(wanted)
    for name, _index in _STEP.findall(path):
        kind = _item(kind) if not name else _field(kind, name)
    return [str(value) for value in getattr(_plain(kind), "values", ()) if value != ""]


def _plain(kind: Any) -> Any:
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = next(item for item in kind.types if not isinstance(item, msgspec.inspect.NoneType))
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind


def _item(kind: Any) -> Any:
    return _plain(kind).item_type


def _field(kind: Any, name: str) -> Any:
    return next((field.type for field in _plain(kind).fields if field.encode_name == name), None)
