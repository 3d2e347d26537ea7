"""The carrier against SIPp: the whole table, two hundred calls a row (``tools/sip_table.py`` is the long form)."""

import asyncio
from functools import partial
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import pytest

from tests.once import once

from .far_end import SIPP
from .scenario import scenario
from .table import ROWS, Row
from .table_run import Result, run_table

CALLS = 200
RATE = 150


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What the rows came to that this run asks for."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    rows = [cast(Row, item.callspec.params["row"]) for item in items if item.originalname == "test_far_ends"]
    return once(tmp_path_factory, "sipp", partial(run_rows, rows))


def run_rows(rows: list[Row], folder: Path) -> dict[str, Result]:
    """Run rows side by side.

    SIPp loses its place in a ladder when it hears a repeated request too late, as on a machine that stands still for
    half a second. So a row that went wrong while something was repeated runs once more, with few others beside it.
    """
    results = asyncio.run(run_table(rows, CALLS, RATE, folder))
    (folder / "again").mkdir()
    disturbed = [row for row in rows if results[row.name].problems and results[row.name].repeated > 0]
    return results | asyncio.run(run_table(disturbed, CALLS, RATE, folder / "again"))


@pytest.mark.sipp
@pytest.mark.slow
@pytest.mark.skipif(not SIPP.exists(), reason="SIPp is missing: install the Debian package sip-tester")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_far_ends(row: Row, results: dict[str, Result]) -> None:
    result = results[row.name]
    assert result.problems == []
    assert sum(result.outcomes.values()) == CALLS


def test_every_row_has_its_own_name_and_a_ladder_that_can_be_written() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        steps = ElementTree.fromstring(scenario(row.name, row.ladder).split("?>", 1)[1])
        assert len(steps) == len(row.ladder) + 1
