"""What it costs to refuse bodies that are made to cost more than they weigh, against reading a harmless one."""

import time
from pathlib import Path

from bench.apart import run_apart
from bench.figures import Figure, divide, load_now
from outdialer.api.body import MAX_BULK_BODY_BYTES, MAX_ROWS, parse_json
from outdialer.api.errors import ApiError

GOAL = 0.5
LATE_GOAL = 1.25
TRIES = 5
_PARTY = b'{"type":"tel","target":"+12025550123","target_name":"a","name":"b","detail":"c"}'
_PARTIES = b",".join(b'"destination_%d":%s' % (index, _PARTY) for index in range(5))
_TWICE = b'{"name":"a","name":"b"}'


def harmless(size: int, rows: int = MAX_ROWS, last: bytes = b"") -> bytes:
    """An import of full rows, of a little less than ``size`` bytes; ``last`` stands in for the last row."""
    detail = b"x" * max(0, size // rows - 520)
    row = b'{"name":"Ada","detail":"%s","data":{"a":1,"b":[1,2,3]},%s}' % (detail, _PARTIES)
    return b'{"targets":[' + b",".join([row] * (rows - 1) + [last or row]) + b"]}"


def bombs(size: int) -> dict[str, bytes]:
    """Bodies of about ``size`` bytes that must be refused, by what is wrong with them."""
    values = size // 25 - 10
    lists = {
        "an endless string of backslashes": b'"' + b"\\\\" * (size // 2 - 20),
        "an endless string of quotes": b'"' + b'\\"' * (size // 2 - 20),
        "an endless string of escapes": b'"' + b"\\u0041" * (size // 6 - 20),
        "a long row of escapes": b'"' + b"\\n" * (size // 2 - 20) + b'"',
        "a string that ends in half a character": b'"' + b"a" * (size - 30) + b'\xff"',
        "half surrogates": b'"' + b"\\ud800" * (size // 6 - 20) + b'"',
        "short strings and half a surrogate": b'"\\ud55c\\ud55c",' * values + b'"\\ud800"',
        "endless depth": b"[" * size,
        "depth that ends": b"[" * (size // 2 - 10) + b"]" * (size // 2 - 10),
        "rows of some depth": b",".join([b"[" * 500 + b"]" * 500] * (size // 1_002)),
        "an endless string after brackets": b"[]," * 40 + b'"' + b'\\"' * (size // 2 - 100),
        "too many zeros": b"0," * (size // 2 - 20) + b"0",
        "as many zeros as there may be values": b"0," * values + b"0",
        "as many objects": b"{}," * values + b"0",
        "as many numbers with a point": b"1.5e3," * values + b"0",
        "NaN": b"0,NaN",
        "a number of endless digits": b"9" * (size - 30),
    }
    return {
        **{name: b'{"targets":[' + text + b"]}" for name, text in lists.items()},
        "no list": b'{"a":"' + b"\\u0041" * (size // 6 - 20) + b'","a":1}',
        "a key that stands twice": b"{" + b'"a":0,' * values + b'"a":0}',
        "keys": b"{" + b",".join(b'"%d":0' % number for number in range(values)) + b',"1":0}',
        "a list twice": b'{"targets":[' + b"0," * values + b'0],"targets":[]}',
        "objects in a list of another name": b'{"other":[' + b'{"a":0},' * values + b"NaN]}",
        "blanks": b" " * size,
        "blanks and a letter": b" " * (size - 1) + b"x",
        "not UTF-8": b"\xff" * size,
        "quotes": b'"' * size,
    }


def bombs_refused(folder: Path, *, long: bool) -> list[Figure]:
    """The worst of all bombs of 20 MB, and an import whose last row is wrong."""
    return compare(MAX_BULK_BODY_BYTES, 2 * TRIES if long else TRIES)


def compare(size: int, tries: int) -> list[Figure]:
    """The figures for bodies of so many bytes."""
    took = run_apart("bench.bombs:measure", size=size, tries=tries)
    read, late = took.pop("harmless"), took.pop("late")
    worst = max(took, key=lambda name: took[name])
    return [
        _figure("bombs refused", f"refusing the worst of {len(took)} bombs: {worst}", took[worst], read, GOAL, took),
        _figure("bombs late", "refusing an import whose last row has a key twice", late, read, LATE_GOAL, {}),
    ]


def _figure(name: str, what: str, value: float, read: float, goal: float, detail: dict[str, float]) -> Figure:
    return Figure(
        name=name,
        what=f"{what}; CPU time",
        value=value * 1e3,
        unit="ms",
        baseline=read * 1e3,
        against="reading a harmless import of the same size",
        ratio=divide(value, read),
        at_most=goal,
        load=load_now(),
        detail={name: seconds * 1e3 for name, seconds in detail.items()},
    )


def measure(size: int, tries: int) -> dict[str, float]:
    """Seconds of CPU time, the best of so many tries, for each bomb, a harmless body and one that goes wrong late."""
    rows = min(MAX_ROWS, size // 600)
    good = harmless(size, rows)
    took = {name: _seconds(bomb, tries, refused=True) for name, bomb in bombs(size).items()}
    took["harmless"] = _seconds(good, tries, refused=False)
    took["late"] = _seconds(harmless(size, rows, _TWICE), tries, refused=True)
    return took


def _seconds(body: bytes, tries: int, *, refused: bool) -> float:
    taken = []
    for _ in range(tries):
        started = time.process_time()
        was_refused = _is_refused(body)
        taken.append(time.process_time() - started)
        assert was_refused == refused, body[:80]
    return min(taken)


def _is_refused(body: bytes) -> bool:
    try:
        parse_json(body, MAX_BULK_BODY_BYTES)
    except ApiError:
        return True
    return False
