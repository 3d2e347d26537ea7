"""Worlds of many seeds keep every rule; the same seed makes the same world; planted mistakes are found."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from outdialer.engine.crash import POINTS
from outdialer.simulation.run import run_seed, run_seeds
from tests.simulation.mutants import EXPECTED, MUTANTS, Plant

SEEDS = range(500)
CORPUS = Path(__file__).with_name("seeds.txt")
PROCESSES = 2

REACHED = {
    "ack lost: claim": "a commit whose acknowledgement got lost",
    "ack lost: record": "the same for what happened to calls",
    "clock set: -3600": "the clock set back",
    "clock set: 86400": "the clock set forward",
    "claim lost: changed": "a target changed between plan and claim",
    "claim lost: number_live": "a number that is in another call",
    "crash: an orderly end": "a drain",
    "crash: at a random instant": "a crash anywhere",
    "deleted": "deleted targets",
    "far: black hole": "INVITEs that never arrive",
    "far: cancelled": "calls that nobody answered",
    "far: hangs up": "people who hang up",
    "far: no ACK": "answers that a dead life did not acknowledge, and the next one not in time",
    "far: silence": "people who wait for a voice that does not come",
    "heard: answer": "answers",
    "list deleted": "deleted lists",
    "media lost": "the media process dying",
    "ordered: run": "operators",
    "ordered: stop": "operators",
    "outplan": "edited plans",
    "record: unknown after a restart": "calls of a dead life that nobody knows about",
    "record: not sent: deadline": "an INVITE whose time had passed",
    "record: not sent: stopped": "an INVITE that was not to be sent any more",
    "record: not sent: no-rtp-port": "no port",
    "record: not sent: no route to the trunk": "a trunk that cannot be used",
    "reslot": "a missed slot",
    "store away": "a store that is away",
    "trunk": "an edited trunk",
    "written: note_late_answer": "answers of calls that were given up",
    "written: set_trunk_pause": "a trunk that is left alone",
}


def corpus() -> list[int]:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


@pytest.mark.slow
def test_no_rule_is_broken_in_any_world() -> None:
    seeds = list(dict.fromkeys([*corpus(), *SEEDS]))
    marks: Counter[str] = Counter()
    failed = []
    for outcome in run_seeds(seeds, PROCESSES):
        marks.update(outcome.marks)
        if outcome.violations:
            failed.append(outcome.report())
    assert not failed, f"{len(failed)} of {len(seeds)} worlds\n" + "\n\n".join(failed[:3])
    wanted = {**REACHED, **{f"crash: {point}": text for point, text in POINTS.items()}}
    missing = {mark: text for mark, text in wanted.items() if not marks[mark]}
    assert not missing, "the worlds are too quiet"


def digests(seeds: list[int], hash_seed: str) -> str:
    program = f"from outdialer.simulation.run import run_seed\nprint(*(run_seed(seed).digest for seed in {seeds!r}))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout


def test_the_same_seed_makes_the_same_world_whatever_the_hashes() -> None:
    seeds = [2, 38, 121, 209, 411, 478, 1489, 1773, 2018]
    first = digests(seeds, "1")
    assert len(set(first.split())) == len(seeds)
    assert first == digests(seeds, "2")


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    expected = EXPECTED[plant.__name__]
    for seed in SEEDS:
        outcome = run_seed(seed)
        if any(rule in violation for violation in outcome.violations for rule in expected):
            break
    else:
        pytest.fail(f"{plant.__name__} lives in all {len(SEEDS)} worlds")
    assert f"tools/simulate.py --seeds {seed}" in outcome.report()
