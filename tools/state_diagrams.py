"""Write docs/state-machines.md: one diagram for each state table of the code, so that none is drawn by hand.

    python tools/state_diagrams.py [--check]

``--check`` writes nothing and exits with 1 when the file is not what the tables say. A new table gets a line in
``MACHINES``.
"""

import argparse
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/state-machines.md"

HEADER = """\
# State machines

Written by `make docs` from the tables in the code; a test fails when this page and the tables differ. A pair of state
and event that is not drawn changes nothing: late, repeated and impossible events are ignored.

Who drives whom: the carrier's events drive the **call** and the **attempt**; an attempt's end drives its **target**;
people and the planner drive the **campaign**. On the wire the **SIP call** decides what is sent and drives
**transactions**, which only resend and time out.
"""


class Machine(NamedTuple):
    """A table to draw: ``module.table``, the state it starts in, and its heading."""

    title: str
    module: str
    table: str = "TABLE"
    start: str = ""
    """Name of the first state's enumeration member; "" for the first member."""


MACHINES = (
    Machine("Attempt", "outdialer.domain.attempt"),
    Machine("Target", "outdialer.domain.target"),
    Machine("Call", "outdialer.domain.call"),
    Machine("Campaign", "outdialer.domain.campaign"),
    Machine("SIP call", "outdialer.carriers.sip.core.call_table"),
    Machine("SIP INVITE transaction", "outdialer.carriers.sip.core.transaction", "INVITE_TABLE"),
    Machine("SIP non-INVITE transaction", "outdialer.carriers.sip.core.transaction", "OTHER_TABLE"),
)

Table = Mapping[Any, Any]
"""From (state, event), both members of enumerations, to what ``target_of`` reads."""


def target_of(value: Any) -> tuple[Enum, str]:
    """The next state of a row, and what it does: rows are ``state`` or ``(state, action or actions)``."""
    if not isinstance(value, tuple):
        return value, ""
    state, actions = value
    row = actions if isinstance(actions, tuple) else (actions,)
    return state, ", ".join(str(getattr(action, "value", action)) for action in row)


def _label(text: str) -> str:
    """Text that Mermaid takes as a label: it ends a label at a colon or semicolon and reads # as an escape."""
    return re.sub(r"[:;#]", ",", text).replace("_", " ")


def _identifier(state: Enum) -> str:
    return re.sub(r"\W", "_", state.name.lower())


def diagram(table: Table, start: Enum) -> Iterator[str]:
    """The lines of a Mermaid ``stateDiagram-v2``: states, rows in the table's order, and what is terminal."""
    sources = {state for state, _ in table}
    states = list(dict.fromkeys([*(state for state, _ in table), *(target_of(value)[0] for value in table.values())]))
    yield "stateDiagram-v2"
    yield f"    [*] --> {_identifier(start)}"
    for (state, event), value in table.items():
        then, action = target_of(value)
        text = _label(str(event.value)) + (f" / {_label(action)}" if action else "")
        yield f"    {_identifier(state)} --> {_identifier(then)}: {text}"
    for state in states:
        if state not in sources:
            yield f"    {_identifier(state)} --> [*]"


def section(machine: Machine) -> str:
    """A machine's part of the page: where its table is, what it says of itself, the diagram."""
    module = importlib.import_module(machine.module)
    table: Table = getattr(module, machine.table)
    states: type[Enum] = type(next(iter(table))[0])
    start = states[machine.start] if machine.start else next(iter(states))
    where = "src/" + machine.module.replace(".", "/") + ".py"
    lines = [f"## {machine.title}", "", f"`{machine.table}` in [`{where}`](../{where})", "", "```mermaid"]
    return "\n".join([*lines, *diagram(table, start), "```", ""])


def page() -> str:
    """The whole page."""
    return "\n".join([HEADER, *(section(machine) for machine in MACHINES)])


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description="Write docs/state-machines.md from the state tables.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is stale")
    check = parser.parse_args(arguments).check
    text = page()
    if not check:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not what the tables say: run make docs")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
