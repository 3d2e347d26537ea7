"""The benchmarks run, in a tiny form; what they measured is nobody's business here."""

import shutil
import struct
from pathlib import Path

import pytest

from bench import bombs, due, engine, flat, followers, growth, next_target, reads, sip, sipp, voice, whole
from bench.__main__ import BENCHMARKS
from bench.apart import MeasurementFailed, core, run_apart
from bench.sip_engine import percentiles, write_tone
from bench.sipp import Counts, read_counts
from bench.voice_far_end import FRAME_S, judged

SIPP_IS_MISSING = pytest.mark.skipif(shutil.which("sipp") is None, reason=sipp.WHERE_TO_GET_IT)


def test_a_measurement_runs_apart_and_its_failure_is_told() -> None:
    assert run_apart("bench.sip_engine:percentiles", on_core=core(0), values=[3.0, 1.0, 2.0])["p50"] == 2.0
    with pytest.raises(MeasurementFailed, match="ZeroDivisionError"):
        run_apart("bench.sip_engine:at_due_times", port=1, rate=0, seconds=1)


def test_every_benchmark_has_a_name() -> None:
    assert {"engine", "flat", "next", "sip", "whole", "voice", "due", "reads", "followers", "bombs"} <= set(BENCHMARKS)


def test_engine(tmp_path: Path) -> None:
    rate, yards = engine.compare(tmp_path, 300, 1)
    assert rate.detail["attempts"] >= 300
    assert rate.ratio
    assert rate.baseline
    assert yards.value > 0


def test_reads(tmp_path: Path) -> None:
    told = reads.compare(tmp_path, 150, rounds=1, seconds=0.2)
    assert len(told) == 4
    assert all(figure.ratio for figure in told)


def test_followers(tmp_path: Path) -> None:
    dialing, requests = followers.compare(tmp_path, 20.0, 10, 20, seconds=1.0)
    assert dialing.ratio
    assert (dialing.detail["told"]["accepted"], dialing.detail["told"]["lost"], requests.detail["refused"]) == (
        10,
        0,
        0,
    )


def test_bombs() -> None:
    refused, late = bombs.compare(20_000_000, 1)
    assert refused.ratio
    assert len(refused.detail) > 20
    assert late.ratio


def test_flat_goes_on_to_another_list_when_one_is_too_short(tmp_path: Path) -> None:
    cpu, memory = flat.compare(tmp_path, 600, 200, 300, 1)
    assert [run["attempts"] >= 300 for side in cpu.detail.values() for run in side] == [True, True]
    assert memory.value > 0


def test_next_target(tmp_path: Path) -> None:
    told = next_target.compare(tmp_path, 1_000, claims=2, scans=1)
    assert told[0].ratio


def test_growth_is_told_in_bytes_and_removing_ends_it(tmp_path: Path) -> None:
    size, bounded, removing = growth.compare(tmp_path, 2_000)
    assert 300 < size.value < 3_000
    # The newest attempt stays: its key must not be given again.
    assert bounded.detail["removed"] == 2_000 - 1
    assert removing.value > 0


@pytest.mark.sipp
@SIPP_IS_MISSING
def test_people_are_dialled_when_they_are_due(tmp_path: Path) -> None:
    median, worst = due.measure(tmp_path, 40.0, 1.0)
    assert 0 <= median.value <= worst.value
    assert "20 calls at 20 a second" in median.note


@pytest.mark.parametrize("loop", sip.LOOPS)
@pytest.mark.sipp
@SIPP_IS_MISSING
def test_our_caller(tmp_path: Path, loop: str) -> None:
    held = sip.our_step(tmp_path, 40, 0.5, loop)
    # Whether they were clean (nothing sent twice) is a matter of how busy the machine is, so not of this test.
    assert (held.calls, held.far_end_failed) == (20, 0)


@pytest.mark.sipp
@SIPP_IS_MISSING
def test_sipps_caller(tmp_path: Path) -> None:
    held = sip.sipp_step(tmp_path, 40, 0.5)
    # Whether they were clean (nothing sent twice) is a matter of how busy the machine is, so not of this test.
    assert (held.calls, held.far_end_failed) == (20, 0)


@pytest.mark.sipp
@SIPP_IS_MISSING
def test_the_whole_engine_over_sip(tmp_path: Path) -> None:
    held = whole.our_step(tmp_path, whole.CASES[0], 20, 40)
    assert (held.calls, held.lost, held.far_end_failed) == (40, 0, 0)


def test_a_rival_that_cannot_be_had_is_skipped_visibly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "our_step", lambda *_: whole.Step(at_once=1, calls=1, lost=0, rate=5.0))
    ours, missing = whole.compare(tmp_path, whole.CASES[0], whole.Siprobo(None, "no index"))
    assert (ours.value, ours.ratio) == (5.0, None)
    assert missing.note == "SKIPPED: no index"


@pytest.mark.parametrize("sender", ["bare", "ours"])
def test_voice(sender: str) -> None:
    heard = voice.measure(sender, 3, 1.5)
    assert heard.streams == 3
    assert heard.packets > 0
    assert (heard.received > 0) == (sender == "ours")


def test_lateness_is_the_distance_to_a_streams_own_schedule() -> None:
    late = {5: 0.006, 6: 0.004}
    stream = [(0xFFFE + n & 0xFFFF, 100.0 + n * FRAME_S + late.get(n, 0.0)) for n in range(10) if n != 8]
    told = judged({("127.0.0.1", 1): stream}, skip=2)
    assert (told["packets"], told["lost"], told["streams"]) == (7, 1, 1)
    assert told["late"] == pytest.approx(1 / 7)
    assert told["max_ms"] == pytest.approx(6.0, abs=0.01)


def test_nothing_heard_is_as_late_as_can_be() -> None:
    assert judged({})["late"] == 1.0


def test_percentiles() -> None:
    assert percentiles([float(n) for n in range(100)]) == {"p50": 50.0, "p99": 99.0, "max": 99.0}


def test_sipps_statistics_are_read_from_their_last_line(tmp_path: Path) -> None:
    path = tmp_path / "statistics.csv"
    assert read_counts(path) == Counts()
    names = "TotalCallCreated;SuccessfulCall(C);FailedCall(C);Retransmissions(C);"
    path.write_text(f"{names}\n1;1;0;0;\n9;7;2;3;\n")
    assert read_counts(path) == Counts(created=9, successful=7, failed=2, retransmissions=3)


def test_the_tone_is_as_long_as_asked(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone.wav", 0.5)
    assert struct.unpack("<I", (tmp_path / "tone.wav").read_bytes()[40:44]) == (8_000,)
