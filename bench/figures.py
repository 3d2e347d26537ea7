"""What a benchmark comes to: figures, each with the baseline that ran beside it, as a table and as JSON lines."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.machine import Machine


class Figure(Struct, frozen=True, kw_only=True):
    """One measured quantity beside its baseline."""

    name: str
    """The benchmark and the case."""
    what: str
    """What ``value`` and ``baseline`` count."""
    value: float
    unit: str
    baseline: float | None = None
    against: str = ""
    """What the baseline is."""
    ratio: float | None = None
    """The figure that is comparable between machines."""
    at_least: float | None = None
    """The goal for ``ratio``, where more is better."""
    at_most: float | None = None
    """The goal for ``ratio``, where less is better."""
    note: str = ""
    load: float = 0.0
    """Load average over a minute when it was measured, the benchmark's own included."""
    others: float = 0.0
    """How many cores other programs kept busy meanwhile; the whole benchmark's average."""
    detail: dict[str, Any] = {}

    @property
    def verdict(self) -> str:
        """Whether the goal is met; "" where there is none."""
        if self.ratio is None or (self.at_least is None and self.at_most is None):
            return ""
        met = (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )
        return "met" if met else "missed"

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.at_least is not None:
            return f">= {_short(self.at_least)}"
        return "" if self.at_most is None else f"<= {_short(self.at_most)}"


def load_now() -> float:
    """The load average over the last minute."""
    return round(os.getloadavg()[0], 2)


def skipped(name: str, why: str) -> Figure:
    """A benchmark that could not be run, and why."""
    return Figure(name=name, what="skipped", value=0.0, unit="", note=f"SKIPPED: {why}", load=load_now())


def divide(value: float, by: float) -> float | None:
    """Their ratio; None where there is nothing to compare with."""
    return value / by if by else None


def table(figures: Sequence[Figure]) -> str:
    """The figures as text, one a line, their notes below."""
    head = ("figure", "measured", "baseline", "ratio", "goal", "", "load", "others")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-" * max(map(len, lines)))
    notes = [f"{figure.name}: {text}" for figure in figures for text in _remarks(figure)]
    return "\n".join([*lines, "", *notes])


def _row(figure: Figure) -> tuple[str, ...]:
    measured = f"{_short(figure.value)} {figure.unit}".strip() if figure.unit else figure.what
    baseline = "" if figure.baseline is None else f"{_short(figure.baseline)} {figure.unit}"
    ratio = "" if figure.ratio is None else _short(figure.ratio)
    return (
        figure.name,
        measured,
        baseline,
        ratio,
        figure.goal,
        figure.verdict,
        f"{figure.load:.1f}",
        f"{figure.others:.2f}",
    )


def _remarks(figure: Figure) -> list[str]:
    against = f"{figure.what}; baseline: {figure.against}" if figure.against else ""
    return [text for text in (against, figure.note) if text]


def _short(number: float) -> str:
    if number and abs(number) < 0.01:
        return f"{number:.2g}"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def append_lines(path: Path, machine: Machine, figures: Sequence[Figure]) -> None:
    """Add one JSON object per figure to a file, each with the machine it was measured on."""
    with path.open("ab") as file:
        for figure in figures:
            line = {**msgspec.to_builtins(figure), "verdict": figure.verdict, "machine": machine}
            file.write(msgspec.json.encode(line) + b"\n")
