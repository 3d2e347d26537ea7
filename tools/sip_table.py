"""Calls SIPp by every row of the scenario table and prints what came of it.

    .venv/bin/python tools/sip_table.py --calls 2000 --rate 150 --only lost --only forks

The long form of tests/sip/test_sipp.py, which places 200 calls a row: the table is the same (tests/sip/table.py: far
end, ladder, expected events and outcome), and so is the judge. ``--only`` takes the rows whose names hold the text;
``--ladders`` prints the ladders instead of calling. Needs SIPp (Debian package sip-tester). Everything stays on
loopback. Exits with 1 when a row is not as it should be.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.sip.far_end import SIPP
from tests.sip.table import ROWS, Row
from tests.sip.table_run import Result, run_table


def show(results: dict[str, Result]) -> bool:
    """Print one line a row and its problems; whether there were any."""
    for result in results.values():
        outcomes = ", ".join(f"{count} {reason}" for reason, count in sorted(result.outcomes.items()))
        verdict = "WRONG" if result.problems else "ok"
        print(f"{verdict:6}{result.row:44}{result.longest_s:7.2f} s  {outcomes}")
        for problem in result.problems:
            print(f"      {problem}")
    return any(result.problems for result in results.values())


def show_ladders(rows: list[Row]) -> None:
    """The table as text."""
    for row in rows:
        print(f"{row.name}: {', '.join(row.outcomes)}")
        for step in row.ladder:
            print(f"    {step}")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=2_000, help="calls a row (%(default)s)")
    parser.add_argument("--rate", type=float, default=150, help="calls a second and row (%(default)s)")
    parser.add_argument("--only", action="append", default=[], help="rows whose names hold this text")
    parser.add_argument("--ladders", action="store_true", help="print the ladders and call nobody")
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.only or any(text in row.name for text in options.only)]
    if options.ladders:
        show_ladders(rows)
        return 0
    if not SIPP.exists():
        print("SIPp is missing: apt-get install sip-tester", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="sip-table-") as folder:
        return int(show(asyncio.run(run_table(rows, options.calls, options.rate, Path(folder)))))


if __name__ == "__main__":
    sys.exit(main())
