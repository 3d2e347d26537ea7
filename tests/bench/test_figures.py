"""The arithmetic of the benchmarks: ratios, goals, verdicts, and what is written down."""

import json
import os
from pathlib import Path

import pytest

from bench import engine, flat, next_target, overload, sip, voice, whole
from bench.figures import Figure, append_lines, divide, skipped, table
from bench.machine import Neighbours, this_machine


def figure(**given: object) -> Figure:
    return Figure(name="one", what="things", value=2.0, unit="s", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ratio", "at_least", "at_most", "verdict"),
    [
        (0.3, 0.3, None, "met"),
        (0.29, 0.3, None, "missed"),
        (1.1, None, 1.1, "met"),
        (1.2, None, 1.1, "missed"),
        (5.0, None, None, ""),
        (None, 0.3, None, ""),
    ],
)
def test_a_goal_is_met_or_missed(
    ratio: float | None, at_least: float | None, at_most: float | None, verdict: str
) -> None:
    assert figure(ratio=ratio, at_least=at_least, at_most=at_most).verdict == verdict


def test_nothing_is_compared_with_nothing() -> None:
    assert divide(3.0, 0.0) is None
    assert divide(3.0, 2.0) == 1.5


def test_the_table_says_everything_that_must_be_read_beside_a_figure() -> None:
    text = table(
        [figure(baseline=4.0, against="the old way", ratio=0.5, at_least=0.4, load=1.25), skipped("two", "no")]
    )
    assert "0.5" in text
    assert ">= 0.4" in text
    assert "met" in text
    assert "1.2" in text
    assert "things; baseline: the old way" in text
    assert "two: SKIPPED: no" in text


def test_lines_are_added_to_a_file_with_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    for _ in range(2):
        append_lines(path, this_machine(), [figure(ratio=1.0, at_least=0.5)])
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first == second | {"machine": first["machine"]}
    assert first["verdict"] == "met"
    assert {"cores", "cpu", "python", "sqlite", "load"} <= set(first["machine"])


def test_the_engine_is_compared_by_medians() -> None:
    bare = [{"attempts": 100, "seconds": seconds, "cpu": 0.01} for seconds in (1.0, 2.0, 50.0)]
    whole_runs = [{"attempts": 100, "seconds": seconds, "cpu": 0.02} for seconds in (4.0, 5.0, 4.0)]
    rate, yards = engine.figures(bare, whole_runs, [0.001, 0.002, 0.004])
    assert (rate.value, rate.baseline, rate.ratio) == (25.0, 50.0, 0.5)
    assert yards.value == pytest.approx(20.0)
    assert yards.baseline == pytest.approx(10.0)
    assert rate.detail["cpu_us_per_attempt"] == pytest.approx(200.0)


def test_flat_is_one_where_both_lists_cost_the_same() -> None:
    def run(cpu: float, memory: float) -> dict[str, float]:
        return {"attempts": 1_000, "cpu": cpu, "memory_mib": memory}

    cpu, memory = flat.figures("many", "few", [run(0.5, 55)] * 3, [run(0.4, 50)] * 3)
    assert cpu.ratio == pytest.approx(0.8)
    assert memory.ratio == pytest.approx(1.1)
    assert cpu.verdict == memory.verdict == "met"


def test_the_next_target_has_its_goal_at_a_million_rows_only() -> None:
    assert next_target.figure(1_000_000, 0.3, 0.00005).ratio == pytest.approx(6_000)
    assert next_target.figure(1_000_000, 0.3, 0.00005).verdict == "met"
    assert next_target.figure(100_000, 0.03, 0.00005).verdict == ""


def step(rate: int, **given: float) -> sip.Step:
    held = {"calls": 1_000, "clean": 1_000, "offered": rate, "retransmissions": 0, **given}
    return sip.Step(rate=rate, **held)  # type: ignore[arg-type]


def test_a_step_is_passed_only_when_it_is_clean_and_the_rate_was_kept() -> None:
    assert step(100).passed
    assert step(100, retransmissions=1).passed
    assert not step(100, retransmissions=2).passed
    assert not step(100, clean=999).passed
    assert not step(100, far_end_failed=1).passed
    assert not step(100, offered=94).passed


def test_the_ramp_ends_at_the_first_step_that_fails_twice() -> None:
    held: list[int] = []

    def hold(rate: int) -> sip.Step:
        held.append(rate)
        disturbed = rate == 200 and held.count(200) == 1
        return step(rate, clean=0) if disturbed or rate >= 400 else step(rate)

    steps = sip.climb((100, 200, 400, 800), hold)
    assert held == [100, 200, 200, 400, 400]
    assert sip.best(steps) == 200
    assert sip.best([step(100, clean=0)]) == 0


def test_sip_is_told_as_a_part_of_sipps() -> None:
    told = sip.figure("uvloop", [step(350), step(500, clean=990)], [step(1_000)], 3.0)
    assert (told.value, told.baseline, told.ratio, told.verdict) == (350, 1_000, 0.35, "met")
    assert "10 of 1,000 calls were not clean" in told.note


def test_only_steps_without_a_lost_call_count_unless_some_may_be_lost() -> None:
    steps = [whole.Step(at_once=n, calls=100, lost=lost, rate=rate) for n, lost, rate in ((1, 0, 10.0), (2, 1, 20.0))]
    assert [found.rate for found in (whole.best_of(steps), whole.best_of(steps, 0.01)) if found] == [10.0, 20.0]
    assert whole.best_of(steps[1:]) is None
    strict, lax = (whole.figure(whole.CASES[0], [steps[0]], steps, lost) for lost in (0.0, whole.LAX))
    assert (strict.ratio, lax.ratio) == (1.0, 0.5)
    assert (strict.at_least, lax.at_least) == (8.0, None)


def heard(streams: int, late: float, lost: int = 0) -> voice.Punctuality:
    return voice.Punctuality(streams=streams, packets=1_000, lost=lost, late=late, p50_ms=1, p99_ms=2, max_ms=3)


def test_voice_may_be_half_a_point_worse_than_the_bare_sender() -> None:
    assert voice.figure(heard(5, 0.0), heard(5, 0.005)).verdict == "met"
    assert voice.figure(heard(5, 0.01), heard(5, 0.016)).verdict == "missed"


def test_the_knee_is_the_last_step_in_time() -> None:
    steps = [heard(100, 0.0), heard(200, 0.004), heard(300, 0.2)]
    assert voice.last_in_time(steps) == 200
    assert voice.last_in_time([heard(100, 0.0, lost=1)]) == 0


def test_the_knee_is_the_median_of_some_climbs() -> None:
    ours = [[heard(100, 0.0), heard(200, 0.2)], [heard(100, 0.2)], [heard(100, 0.0), heard(200, 0.0)]]
    told = voice.knee_figure([[heard(200, 0.0)]] * 3, ours)
    assert (told.value, told.baseline, told.ratio) == (100, 200, 0.5)
    assert "ours ended at 100 (at 200: 20.00% late" in told.note


def test_other_programs_are_told_apart_from_ours() -> None:
    neighbours = Neighbours()
    sum(range(2_000_000))
    assert 0 <= neighbours.cores() <= (os.cpu_count() or 1)


def test_what_is_left_when_the_engine_is_let_loose() -> None:
    best = whole.Step(at_once=400, calls=100, lost=0, rate=200.0)
    told = overload.figure(whole.Step(at_once=4_000, calls=100, lost=3, rate=150.0), best)
    assert (told.ratio, told.verdict) == (0.75, "met")
    assert told.note == "3 of 100 calls lost; with 400 at once 0"
