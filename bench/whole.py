"""The whole engine over SIP against the PyPI dialer siprobo, both at their best, on the same far end."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench import sipp
from bench.apart import MeasurementFailed, run_apart
from bench.figures import Figure, divide, load_now, skipped
from bench.sip_engine import write_tone

SIPROBO = "siprobo==1.0.0"
LAX = 0.01
"""siprobo draws its ports blindly and loses calls at any speed; its rate is also told with this part of them lost."""
INSTALL_S = 120.0
RIVAL_S = 90.0


class Case(Struct, frozen=True, kw_only=True):
    """What both do, and how much of it."""

    name: str
    what: str
    message_s: float
    goal: float
    channels: Sequence[int]
    """How many calls at once we try."""
    workers: Sequence[int]
    """How many siprobo tries."""
    calls: int
    calls_per_worker: int


CASES = (
    Case(
        name="whole hang-up",
        what="calls a second from a list on disk, hung up on answer",
        message_s=0.0,
        goal=8.0,
        channels=(100, 200, 400),
        workers=(5, 10, 20, 40, 80),
        calls=6_000,
        calls_per_worker=40,
    ),
    Case(
        name="whole message",
        what="calls a second from a list on disk, each with a message of one second",
        message_s=1.0,
        goal=3.0,
        channels=(400, 700),
        workers=(10, 20, 40, 80, 160),
        calls=2_500,
        calls_per_worker=4,
    ),
)


class Step(Struct, frozen=True, kw_only=True):
    """One try with a number of calls at once."""

    at_once: int
    calls: int
    lost: int
    rate: float
    """Calls a second that got through."""
    far_end_failed: int = 0
    cpu_us: float = 0.0


class Siprobo(Struct):
    """siprobo in a virtual environment that is thrown away, or why it is not there."""

    python: Path | None
    missing: str


def whole(folder: Path, *, long: bool) -> list[Figure]:
    """Both cases."""
    if sipp.SIPP is None:
        return [skipped("whole", sipp.WHERE_TO_GET_IT)]
    rival = install_siprobo(folder)
    scale = 3 if long else 1
    return [figure for case in CASES for figure in compare(folder, case, rival, scale)]


def install_siprobo(folder: Path) -> Siprobo:
    """Install the rival from the package index into an environment of its own."""
    home = folder / "siprobo"
    python = home / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SIPROBO],
    ):
        try:
            done = subprocess.run(command, capture_output=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Siprobo(None, f"{SIPROBO} could not be installed: {error}")
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            return Siprobo(None, f"{SIPROBO} could not be installed: {said[-1] if said else 'no reason given'}")
    return Siprobo(python, "")


def compare(folder: Path, case: Case, rival: Siprobo, scale: int = 1) -> list[Figure]:
    """Our best clean rate, and siprobo's."""
    ours = [our_step(folder, case, channels, case.calls * scale) for channels in case.channels]
    if rival.python is None:
        return [figure(case, ours, []), skipped(f"{case.name} rival", rival.missing)]
    wav = folder / f"{case.message_s:g}.wav"
    write_tone(wav, case.message_s)
    calls = case.calls_per_worker * scale
    theirs = climb(case.workers, partial(rival_step, folder, rival.python, wav, calls))
    return [figure(case, ours, theirs), figure(case, ours, theirs, LAX)]


def climb(workers: Sequence[int], hold: Callable[[int], Step]) -> list[Step]:
    """The steps up to the first that loses more than a few calls, which is the last of them."""
    steps: list[Step] = []
    for number in workers:
        steps.append(hold(number))
        if steps[-1].lost > steps[-1].calls * LAX:
            break
    return steps


def our_step(folder: Path, case: Case, channels: int, calls: int) -> Step:
    """The whole engine on a list, with that many channels."""
    with sipp.answering(folder, None) as far_end:
        order: dict[str, Any] = {"port": far_end.port, "targets": calls, "channels": channels}
        told = run_apart("bench.sip_engine:at_full_speed", message_s=case.message_s, **order)
        heard = far_end.counts()
    return Step(
        at_once=channels,
        calls=calls,
        lost=told["lost"],
        rate=told["rate"],
        far_end_failed=heard.failed,
        cpu_us=told["cpu_us"],
    )


def rival_step(folder: Path, python: Path, wav: Path, calls_per_worker: int, workers: int) -> Step:
    """siprobo with that many calls at once."""
    script = Path(__file__).with_name("siprobo_caller.py")
    calls = workers * calls_per_worker
    with sipp.answering(folder, None) as far_end:
        command = [str(python), str(script), str(far_end.port), str(calls), str(workers), str(wav)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=RIVAL_S, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return Step(at_once=workers, calls=calls, lost=calls, rate=0.0)
        heard = far_end.counts()
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise MeasurementFailed(f"siprobo: {done.stderr.decode(errors='replace')[-2_000:]}")
    told = msgspec.json.decode(lines[-1])
    return Step(at_once=workers, calls=calls, lost=told["lost"], rate=told["rate"], far_end_failed=heard.failed)


def best_of(steps: Sequence[Step], lost: float = 0.0) -> Step | None:
    """The fastest step that lost no more than this part of its calls."""
    clean = [step for step in steps if step.lost <= step.calls * lost]
    return max(clean, key=lambda step: step.rate, default=None)


def figure(case: Case, ours: Sequence[Step], theirs: Sequence[Step], lost: float = 0.0) -> Figure:
    """Our best clean rate as a multiple of siprobo's, which may lose a part ``lost`` of its calls."""
    mine, rival = best_of(ours), best_of(theirs, lost)
    rate = mine.rate if mine is not None else 0.0
    baseline = None if rival is None else rival.rate
    return Figure(
        name=f"{case.name} (lax)" if lost else case.name,
        what=case.what,
        value=rate,
        unit="cps",
        baseline=baseline,
        against=f"siprobo at its best rate that loses {f'at most {lost:.0%}' if lost else 'none'} of its calls",
        ratio=None if baseline is None else divide(rate, baseline),
        at_least=None if lost else case.goal,
        note="; ".join(_notes(mine, rival)),
        load=load_now(),
        detail={"ours": ours, "siprobo": theirs},
    )


def _notes(mine: Step | None, rival: Step | None) -> list[str]:
    ours = "no step of ours was without a lost call"
    if mine is not None:
        ours = f"{mine.calls:,} calls, {mine.at_once} at once, none lost, CPU of the engine {mine.cpu_us:.0f} us a call"
    theirs = "siprobo had no such step"
    if rival is not None:
        theirs = f"siprobo with {rival.at_once} at once lost {rival.lost} of {rival.calls:,}"
    return [ours, theirs]
