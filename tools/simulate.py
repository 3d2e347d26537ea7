"""Run simulated worlds by their seeds: the whole engine on virtual time with faults, judged by independent checkers.

``.venv/bin/python tools/simulate.py --seeds 0:10000`` is the long form of tests/simulation; ``--seeds 17`` replays one
world and shows the end of its trace, ``--entries 1000`` more of it. Ends with status 1 when a world broke a rule.
"""

import argparse
import sys
import time
from collections import Counter

from outdialer.simulation.run import LAST_ENTRIES, Outcome, run_seed, run_seeds


def seeds_of(text: str) -> range:
    """``17`` or ``0:10000`` (the end is not in it)."""
    first, colon, last = text.partition(":")
    return range(int(first), int(last)) if colon else range(int(first), int(first) + 1)


def replay(seed: int, entries: int) -> int:
    """Run one world and show it."""
    outcome = run_seed(seed, entries, always=True)
    print(outcome.report())
    print(f"trace {outcome.digest}")
    return len(outcome.violations)


def campaign(seeds: range, processes: int) -> int:
    """Run many worlds; how many failed."""
    started = time.monotonic()
    marks: Counter[str] = Counter()
    outcomes: list[Outcome] = []
    failed = 0
    for outcome in run_seeds(seeds, processes):
        outcomes.append(outcome)
        marks.update(outcome.marks)
        if outcome.violations:
            failed += 1
            print(outcome.report(), flush=True)
    took_s = time.monotonic() - started
    for mark, count in sorted(marks.items()):
        print(f"{count:9} {mark}")
    print(
        f"{len(outcomes)} worlds, {failed} failed, {sum(o.lives for o in outcomes)} lives, "
        f"{sum(o.invites for o in outcomes)} INVITEs, {sum(o.entries for o in outcomes)} entries, "
        f"{sum(o.minutes for o in outcomes) / 60:.0f} virtual hours in {took_s:.0f} s"
    )
    return failed


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default=range(500), help="one seed, or first:last")
    parser.add_argument("--processes", type=int, default=0, help="0: as many as there are processors")
    parser.add_argument("--entries", type=int, default=LAST_ENTRIES, help="of the trace, when one seed is replayed")
    given = parser.parse_args()
    if len(given.seeds) == 1:
        sys.exit(bool(replay(given.seeds[0], given.entries)))
    sys.exit(bool(campaign(given.seeds, given.processes)))


if __name__ == "__main__":
    main()
