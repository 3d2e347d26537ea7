"""How many clean calls a second one core can place over SIP, against SIPp's own caller on the same ramp."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Struct

from bench import sipp
from bench.apart import core, run_apart
from bench.figures import Figure, divide, load_now, skipped

RAMP = (
    *(250, 500, 1_000, 1_600, 2_000, 2_500, 3_150, 4_000, 5_000, 6_300),
    *(8_000, 10_000, 12_500, 16_000, 20_000, 25_000),
)
"""Calls a second; each step about a quarter above the one before (the R10 series of preferred numbers)."""
SHORT_RAMP = (1_600, *RAMP[6:])
GOAL = 0.35
MOST_RETRANSMISSIONS = 0.001
"""Of the calls of a step."""
LEAST_OFFERED = 0.95
"""A caller that does not keep up with its step has not passed it."""
TRIES = 2
"""A step that fails is given one more try: a neighbour on the machine may have disturbed it."""


class Step(Struct, frozen=True, kw_only=True):
    """One rate held for a while."""

    rate: int
    calls: int
    clean: int
    offered: float
    """Calls a second really dialled."""
    retransmissions: int
    """Of both sides."""
    far_end_failed: int = 0
    cpu_us: float = 0.0
    setup_p50_ms: float = 0.0
    setup_p99_ms: float = 0.0

    @property
    def passed(self) -> bool:
        """No failed call, hardly a retransmission, and the rate was kept."""
        return (
            self.clean == self.calls
            and not self.far_end_failed
            and self.retransmissions <= self.calls * MOST_RETRANSMISSIONS
            and self.offered >= self.rate * LEAST_OFFERED
        )


def sip(folder: Path, *, long: bool) -> list[Figure]:
    """SIPp's caller, ours on uvloop and ours on stock asyncio, up the same ramp."""
    if sipp.SIPP is None:
        return [skipped("sip", sipp.WHERE_TO_GET_IT)]
    return compare(folder, RAMP if long else SHORT_RAMP, 10.0 if long else 3.0)


def compare(folder: Path, ramp: tuple[int, ...], seconds: float) -> list[Figure]:
    """The highest step that each passes."""
    rival = climb(ramp, partial(sipp_step, folder, seconds=seconds))
    ours = {loop: climb(ramp, partial(our_step, folder, seconds=seconds, loop=loop)) for loop in LOOPS}
    return [figure(loop, steps, rival, seconds) for loop, steps in ours.items()]


LOOPS = ("uvloop", "asyncio")


def climb(ramp: tuple[int, ...], hold: Callable[[int], Step]) -> list[Step]:
    """The steps up to the first that is not passed, which is the last of them."""
    steps: list[Step] = []
    for rate in ramp:
        step = hold(rate)
        for _ in range(TRIES - 1):
            if not step.passed:
                step = hold(rate)
        steps.append(step)
        if not step.passed:
            break
    return steps


def best(steps: list[Step]) -> int:
    """The highest rate that was passed; 0 when none was."""
    return max((step.rate for step in steps if step.passed), default=0)


def our_step(folder: Path, rate: int, seconds: float, loop: str) -> Step:
    """One step of our caller."""
    with sipp.answering(folder, core(1)) as far_end:
        order = {"port": far_end.port, "rate": rate, "seconds": seconds, "loop": loop}
        told = run_apart("bench.sip_caller:call", on_core=core(0), **order)
        heard = far_end.counts()
    return Step(
        rate=rate,
        calls=told["calls"],
        clean=told["clean"],
        offered=told["rate"],
        retransmissions=told["retransmissions"] + heard.retransmissions,
        far_end_failed=heard.failed,
        cpu_us=told["cpu_us"],
        setup_p50_ms=told["setup_p50_ms"],
        setup_p99_ms=told["setup_p99_ms"],
    )


def sipp_step(folder: Path, rate: int, seconds: float) -> Step:
    """One step of SIPp's caller."""
    with sipp.answering(folder, core(1)) as far_end:
        told, taken = sipp.call(folder, far_end.port, rate, seconds, core(0))
        heard = far_end.counts()
    return Step(
        rate=rate,
        calls=int(rate * seconds),
        clean=told.successful,
        offered=told.created / max(taken - STARTING_S, seconds),
        retransmissions=told.retransmissions + heard.retransmissions,
        far_end_failed=heard.failed,
    )


STARTING_S = 0.2
"""What SIPp needs to start and to end, in s; not held against it."""


def figure(loop: str, steps: list[Step], rival: list[Step], seconds: float) -> Figure:
    """Our highest step as a part of SIPp's."""
    ours, theirs = best(steps), best(rival)
    at_best = next((step for step in steps if step.rate == ours), steps[0])
    why = "the ramp ended" if steps[-1].passed else failure(steps[-1])
    rival_why = "the ramp ended" if rival[-1].passed else failure(rival[-1])
    return Figure(
        name=f"sip {loop}",
        what="clean calls a second, caller on one core",
        value=ours,
        unit="cps",
        baseline=theirs,
        against=f"SIPp's own caller on the same ramp ({seconds:g} s a step); it stopped because {rival_why}",
        ratio=divide(ours, theirs),
        at_least=GOAL,
        note=f"CPU {at_best.cpu_us:.0f} us a call, set up p50 {at_best.setup_p50_ms:.1f} ms "
        f"p99 {at_best.setup_p99_ms:.1f} ms at that step; stopped because {why}",
        load=load_now(),
        detail={"steps": steps, "sipp": rival},
    )


def failure(step: Step) -> str:
    """What kept a step from being passed."""
    return (
        f"at {step.rate:,} a second {step.calls - step.clean} of {step.calls:,} calls were not clean, "
        f"{step.retransmissions} packets were sent again, {step.offered:,.0f} a second were dialled"
    )
