"""The mutation run fits the source: every gate has its mutant and every row still finds its line."""

import ast

from outdialer.domain.gates import LINE_GATES, STANDING_GATES
from tools import mutate_domain

GATES = (mutate_domain.ROOT / mutate_domain.DOMAIN / "gates.py").read_text()


def test_every_gate_has_a_mutant_that_is_always_open() -> None:
    names = [function.__name__ for function in STANDING_GATES + LINE_GATES]
    assert list(mutate_domain.gate_functions(GATES)) == names
    assert len(list(mutate_domain.always_open(GATES))) == len(names)


def test_every_row_finds_its_line_and_leaves_python() -> None:
    mutants = [*mutate_domain.always_open(GATES), *mutate_domain.ROWS]
    assert mutate_domain.misfits(mutants) == []
    for mutant in mutants:
        source = (mutate_domain.ROOT / mutate_domain.DOMAIN / mutant.file).read_text()
        assert mutant.old != mutant.new
        ast.parse(source.replace(mutant.old, mutant.new, 1))
