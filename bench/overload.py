"""What becomes of the engine when it may dial far more than it can: it must slow down, and not collapse."""

from pathlib import Path

from bench import sipp
from bench.figures import Figure, divide, load_now, skipped
from bench.whole import CASES, Step, our_step

BEST_CHANNELS = (200, 400)
TOO_MANY_CHANNELS = 4_000
CALLS = 8_000
GOAL = 0.7


def overload(folder: Path, *, long: bool) -> list[Figure]:
    """The whole engine over SIP, without any rate, with ten times the channels that it is best with."""
    if sipp.SIPP is None:
        return [skipped("overload", sipp.WHERE_TO_GET_IT)]
    calls = CALLS * (3 if long else 1)
    best = max((our_step(folder, CASES[0], channels, calls) for channels in BEST_CHANNELS), key=lambda step: step.rate)
    return [figure(our_step(folder, CASES[0], TOO_MANY_CHANNELS, calls), best)]


def figure(flooded: Step, best: Step) -> Figure:
    """What is left of the best rate when the engine is let loose."""
    return Figure(
        name="overload",
        what=f"calls a second that got through with {flooded.at_once:,} calls allowed at once and no rate",
        value=flooded.rate,
        unit="calls/s",
        baseline=best.rate,
        against=f"the same list with {best.at_once} calls at once",
        ratio=divide(flooded.rate, best.rate),
        at_least=GOAL,
        note=f"{flooded.lost} of {flooded.calls:,} calls lost; with {best.at_once} at once {best.lost}",
        load=load_now(),
    )
