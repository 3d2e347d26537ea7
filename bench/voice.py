"""How punctual the audio is: our media process against a bare sender with one thread, by the kernel's time stamps."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from bench.apart import ROOT, core, run_apart
from bench.figures import Figure, divide, load_now

ALLOWANCE = 0.005
"""Late packets beyond the bare sender's: half a point."""
KNEE = (500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000)
CLIMBS = 3
JUDGE_S = 120.0


class Punctuality(Struct, frozen=True, kw_only=True):
    """What the far end heard of one sender."""

    streams: int
    packets: int
    lost: int
    late: float
    """Part of the packets that came more than 5 ms after their time."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    received: int = 0
    """Packets of the far end that the sender took in."""


def voice(folder: Path, *, long: bool) -> list[Figure]:
    """500 calls; the long form also raises the streams until it fails, a few times."""
    del folder
    if not long:
        return [compare(500, 8.0)]
    return [compare(500, 15.0), knee(KNEE, 10.0)]


def compare(streams: int, seconds: float) -> Figure:
    """Both senders with that many streams, the far end talking back to ours."""
    return figure(measure("bare", streams, seconds), measure("ours", streams, seconds))


def knee(steps: Sequence[int], seconds: float) -> Figure:
    """The most streams that each sender gets out in time; medians, because chance has a say in each climb."""
    bare, ours = ([climb(sender, steps, seconds) for _ in range(CLIMBS)] for sender in ("bare", "ours"))
    return knee_figure(bare, ours)


def knee_figure(bare: Sequence[Sequence[Punctuality]], ours: Sequence[Sequence[Punctuality]]) -> Figure:
    """Both senders' climbs as one ratio."""
    theirs, mine = median(map(last_in_time, bare)), median(map(last_in_time, ours))
    ends = [f"{last_in_time(heard):,} (at {heard[-1].streams:,}: {told(heard[-1])})" for heard in ours]
    return Figure(
        name="voice knee",
        what="most streams with at most half a point of packets late and none missing, the far end sending too",
        value=mine,
        unit="streams",
        baseline=theirs,
        against="a bare sender with one thread, to which nobody sends",
        ratio=divide(mine, theirs),
        note=f"medians of {len(ours)} climbs; ours ended at {'; '.join(ends)}; "
        f"bare at {', '.join(f'{last_in_time(heard):,}' for heard in bare)}",
        load=load_now(),
        detail={"ours": ours, "bare": bare},
    )


def told(heard: Punctuality) -> str:
    """What was wrong with a step, or not."""
    return f"{heard.late:.2%} late, {heard.lost} lost, p99 {heard.p99_ms:.1f} ms"


def climb(sender: str, steps: Sequence[int], seconds: float) -> list[Punctuality]:
    """The steps up to the first that is not in time, which is the last of them."""
    heard: list[Punctuality] = []
    for streams in steps:
        heard.append(measure(sender, streams, seconds))
        if not in_time(heard[-1]):
            break
    return heard


def in_time(heard: Punctuality) -> bool:
    """Whether hardly any packet was late and none was missing."""
    return heard.late <= ALLOWANCE and not heard.lost


def last_in_time(heard: Sequence[Punctuality]) -> int:
    """The most streams that were in time; 0 when none was."""
    return max((step.streams for step in heard if in_time(step)), default=0)


def measure(sender: str, streams: int, seconds: float) -> Punctuality:
    """Let ``bare`` or ``ours`` talk on one core to a far end on the other."""
    pinned = core(1)
    command = [sys.executable, "-m", "bench.voice_far_end", "any" if pinned is None else str(pinned)]
    command.append("talk" if sender == "ours" else "listen")
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as far_end:
        assert far_end.stdout is not None
        port = int(far_end.stdout.readline())
        order = {"port": port, "streams": streams, "seconds": seconds}
        told = run_apart(f"bench.voice_senders:{sender}", on_core=core(0), **order)
        said, _ = far_end.communicate(timeout=JUDGE_S)
    heard = {**msgspec.json.decode(said), "received": told["received"] if told else 0}
    return msgspec.convert(heard, Punctuality)


def figure(bare: Punctuality, ours: Punctuality) -> Figure:
    """Our late packets as a part of those allowed."""
    allowed = bare.late + ALLOWANCE
    return Figure(
        name=f"voice {ours.streams}",
        what=f"packets more than 5 ms late with {ours.streams} streams each way; the ratio is to the baseline "
        "plus half a point",
        value=ours.late * 100,
        unit="%",
        baseline=bare.late * 100,
        against=f"a bare sender with one thread and {bare.streams} streams, to which nobody sends",
        ratio=divide(ours.late, allowed),
        at_most=1.0,
        note=f"ours p99 {ours.p99_ms:.1f} ms, max {ours.max_ms:.1f} ms, {ours.lost} lost; "
        f"bare p99 {bare.p99_ms:.1f} ms, max {bare.max_ms:.1f} ms, {bare.lost} lost",
        load=load_now(),
        detail={"ours": ours, "bare": bare},
    )
