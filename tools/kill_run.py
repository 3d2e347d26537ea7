"""Kills a dialing engine again and again over real SIP on loopback, and judges what is left.

    .venv/bin/python tools/kill_run.py --kills 400 --seed 7

The long form of the tests in tests/crash: a phone network, an engine and its media process, all real processes; the
engine dies at each named point of an attempt and at random moments, with its media process, without it, and the
media process alone. After each death the engine is started again on the same file. At the end the campaign runs to
its end and the checkers of tests/crash/checkers.py hold the phones' log against the books. Exits with 1 when they
find something. ``--mutant`` runs one of the two deliberately wrong engines, which must be found out.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from outdialer.store.sqlite.check import check
from tests.crash.checkers import Violation, at_rest, safety, voice_stops
from tests.crash.engine_process import MUTANTS
from tests.crash.harness import MEDIA, Outcome, Plan, describe, random_kills, run

SHOWN = 20
PEOPLE_PER_KILL = 30


def judge(outcome: Outcome) -> list[Violation]:
    """Everything that is wrong with a finished run."""
    ledgers = outcome.ledgers
    found = safety(ledgers) + at_rest(ledgers) + outcome.complaints()
    found += voice_stops(outcome.wire, [killed.at for killed in outcome.kills if killed.kill.what != MEDIA])
    return found + [Violation("store check", line) for line in check(outcome.db)]


async def go(options: argparse.Namespace, folder: Path) -> int:
    """Run all worlds at once; the exit code."""
    each = -(-options.kills // options.worlds)
    plans = [
        Plan(
            kills=random_kills(each, options.seed + world),
            seed=options.seed + world,
            people=options.people or PEOPLE_PER_KILL * each,
            mutant=options.mutant,
        )
        for world in range(options.worlds)
    ]
    outcomes = await asyncio.gather(*(run(plan, folder / f"world-{n}") for n, plan in enumerate(plans)))
    wrong = 0
    for number, outcome in enumerate(outcomes):
        violations = judge(outcome)
        wrong += len(violations)
        print(f"world {number}, seed {outcome.plan.seed}: {describe(outcome)}")
        for violation in violations[:SHOWN]:
            print(f"  {violation}")
        if len(violations) > SHOWN:
            print(f"  and {len(violations) - SHOWN} more")
    print(f"{wrong} violations")
    return 1 if wrong else 0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill a dialing engine again and again, and judge what is left.")
    parser.add_argument("--kills", type=int, default=100, help="how many, over all worlds (100)")
    parser.add_argument("--seed", type=int, default=1, help="of kills and phones (1)")
    parser.add_argument("--worlds", type=int, default=2, help="campaigns beside each other (2)")
    parser.add_argument("--people", type=int, default=0, help=f"of each campaign ({PEOPLE_PER_KILL} for each kill)")
    parser.add_argument("--mutant", choices=list(MUTANTS), default="", help="run a wrong engine")
    parser.add_argument("--keep", type=Path, help="a new folder for logs and books; default: a temporary one")
    options = parser.parse_args()
    if options.keep is not None:
        raise SystemExit(asyncio.run(go(options, options.keep)))
    with tempfile.TemporaryDirectory(prefix="outdialer-kills-") as folder:
        raise SystemExit(asyncio.run(go(options, Path(folder))))


if __name__ == "__main__":
    main()
