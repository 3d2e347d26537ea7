"""How many calls may be set up at once: what the far end has not said anything about counts, until it has."""

from typing import Any

from outdialer.engine.calls import MOST_UNHEARD, CallDesk, LiveCall
from outdialer.engine.scripts import ScriptRun
from outdialer.ports.carrier import Ringing, Sent, Trying
from outdialer.telemetry import Metrics
from tests.engine.parts import keys, terms


class Desk:
    """A desk that counts how often the planner is told of a change."""

    def __init__(self) -> None:
        self.changes = 0
        nothing: Any = lambda *_: None  # noqa: E731
        self.desk = CallDesk(
            carrier=nothing,
            media=nothing,
            metrics=Metrics(),
            longest_call_ms=1_000,
            record=nothing,
            trunk_answered=nothing,
            trunk_unusable=nothing,
            late_answer=nothing,
            media_lost=nothing,
            changed=self._changed,
            now=nothing,
        )

    def _changed(self) -> None:
        self.changes += 1

    def add(self, leg: int, *, own: bool = True) -> None:
        def make(_call: LiveCall) -> ScriptRun:
            raise AssertionError("nobody answers here")

        self.desk.add(
            LiveCall(
                keys(leg),
                outplan=terms(),
                destinations=("",) * 5,
                tries=(1, 0, 0, 0, 0),
                make_script=make if own else None,
            )
        )


def test_a_call_counts_until_the_far_end_has_said_something() -> None:
    work = Desk()
    work.add(1)
    work.desk.on_carrier_event(Sent(1, 5))
    assert work.desk.setups_free() == MOST_UNHEARD - 1
    work.desk.on_carrier_event(Trying(1, 6))
    work.desk.on_carrier_event(Ringing(1, 7))
    assert work.desk.setups_free() == MOST_UNHEARD


def test_a_call_that_is_over_counts_no_more() -> None:
    work = Desk()
    work.add(1)
    work.desk.close_not_sent(1, "stopped", 5)
    assert work.desk.setups_free() == MOST_UNHEARD


def test_a_call_of_an_earlier_life_does_not_count() -> None:
    work = Desk()
    work.add(1, own=False)
    assert work.desk.setups_free() == MOST_UNHEARD


def test_the_planner_is_told_when_there_is_room_for_many_again() -> None:
    work = Desk()
    for leg in range(1, MOST_UNHEARD + 1):
        work.add(leg)
    assert work.desk.setups_free() == 0
    for leg in range(1, MOST_UNHEARD // 2):
        work.desk.on_carrier_event(Trying(leg, 5))
    assert work.changes == 0
    work.desk.on_carrier_event(Trying(MOST_UNHEARD, 5))
    assert work.changes == 1
