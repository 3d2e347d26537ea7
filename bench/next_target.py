"""What it costs to find and durably claim the next target, against one scan for it."""

import sqlite3
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.apart import run_apart
from bench.bare import BATCH, BareBooks
from bench.figures import Figure, divide, load_now

GOAL = 5_000.0
CLAIMS = 25
SCANS = 7

SCAN = """
SELECT * FROM (
    SELECT t.*,
        CASE WHEN destination_0 = '' THEN 0 WHEN tries_0 < 3 THEN 1 ELSE 0 END AS left_0,
        CASE WHEN destination_1 = '' THEN 0 WHEN tries_1 < 3 THEN 1 ELSE 0 END AS left_1,
        CASE WHEN destination_2 = '' THEN 0 WHEN tries_2 < 3 THEN 1 ELSE 0 END AS left_2,
        CASE WHEN destination_3 = '' THEN 0 WHEN tries_3 < 3 THEN 1 ELSE 0 END AS left_3,
        CASE WHEN destination_4 = '' THEN 0 WHEN tries_4 < 3 THEN 1 ELSE 0 END AS left_4
    FROM targets AS t
)
WHERE status = 'idle' AND left_0 + left_1 + left_2 + left_3 + left_4 > 0 AND outdial = ?
ORDER BY tm_update LIMIT 1
"""
"""VoIPBin's query for the next target in the SQL of SQLite, which wants WHERE where MySQL takes HAVING: all columns,
five computed ones, the oldest update first. A read only: it claims nothing."""


def next_target(folder: Path, *, long: bool) -> list[Figure]:
    """One durable claim amortised over 200, against the scan on the same rows."""
    return compare(folder, 1_000_000 if long else 100_000)


def compare(folder: Path, targets: int, claims: int = CLAIMS, scans: int = SCANS) -> list[Figure]:
    """The scan, and claims from the list as imported and with its due times scattered over the disk."""
    figures = []
    for scattered in (False, True):
        path = str(folder / f"{'scattered' if scattered else 'imported'}.db")
        run_apart("bench.lists:make_list", path=path, targets=targets, channels=BATCH, scattered=scattered)
        scanned = run_apart("bench.next_target:scan", path=path, times=scans)
        claimed = run_apart("bench.next_target:claim", path=path, times=claims)
        figures.append(figure(targets, scanned, claimed, scattered=scattered))
    return figures


def scan(path: str, times: int) -> float:
    """Median seconds of the scan, everything already in memory."""
    database = sqlite3.connect(path)
    (outdial,) = database.execute("SELECT key FROM outdials").fetchone()
    taken = []
    for _ in range(times + 1):
        started = time.perf_counter()
        assert database.execute(SCAN, (outdial,)).fetchone() is not None
        taken.append(time.perf_counter() - started)
    database.close()
    return median(taken[1:])


def claim(path: str, times: int) -> float:
    """Median seconds for one target: reading, planning and durably claiming 200, divided by 200."""
    books = BareBooks(Path(path))
    taken = []
    for _ in range(times + 1):
        started = time.perf_counter()
        intents = books.claim().intents
        taken.append((time.perf_counter() - started) / len(intents))
        books.end(intents)
    books.database.close()
    return median(taken[1:])


def figure(targets: int, scan_s: Any, claim_s: Any, *, scattered: bool = False) -> Figure:
    """How many claims one scan costs. The goal is for a million rows; a scan's cost grows with them."""
    order = "due in an order that is not that on disk" if scattered else "due in the order of their import"
    short = "" if targets >= 1_000_000 else f"; short form: the goal of {GOAL:,.0f} is for 1,000,000 rows"
    return Figure(
        name=f"next target {'scattered' if scattered else 'imported'}",
        what=f"finding and durably claiming the next of {targets:,} targets, amortised over 200",
        value=claim_s * 1e6,
        unit="us",
        baseline=scan_s * 1e6,
        against="one scan of VoIPBin's shape on the same rows, which claims nothing",
        ratio=divide(scan_s, claim_s),
        at_least=GOAL if targets >= 1_000_000 else None,
        note=order + short,
        load=load_now(),
    )
