"""Ids of events: the same for the same event, unlike for others, and readable by nobody but us."""

import random

from hypothesis import given
from hypothesis import strategies as st

from outdialer.api.events.event import EventIds

IDS = EventIds(random.Random(7).randbytes(32))
CURSORS = st.integers(0, 2**63 - 1)


@given(cursor=CURSORS, position=st.integers(0, 1))
def test_an_id_leads_back_to_its_event(cursor: int, position: int) -> None:
    made = IDS.of(cursor, position)
    assert made.startswith("evt_")
    assert len(made) == 30
    assert "." not in made
    assert IDS.read(made) == (cursor, position)
    assert IDS.of(cursor, position) == made


@given(text=st.text(max_size=40) | st.from_regex(r"evt_[a-z2-7]{26}", fullmatch=True))
def test_nobody_can_make_one_up(text: str) -> None:
    assert IDS.read(text) is None


def test_another_installation_cannot_read_it() -> None:
    assert EventIds(bytes(32)).read(IDS.of(5, 0)) is None


def test_neighbours_look_unlike() -> None:
    made = {IDS.of(cursor, position) for cursor in range(500) for position in (0, 1)}
    assert len(made) == 1_000
    assert len({text[:8] for text in made}) > 950
