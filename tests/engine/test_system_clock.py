"""The clock follows small corrections and no jumps."""

import pytest
from msgspec import Struct

from outdialer.engine.system import SMALL_STEP_US, SystemClock


class _Machine(Struct):
    wall: int = 1_700_000_000_000_000
    even: int = 5_000

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.even)

    def pass_time(self, microseconds: int) -> None:
        self.wall += microseconds
        self.even += microseconds


def test_it_is_the_wall_clock() -> None:
    machine = _Machine()
    clock = machine.clock()
    machine.pass_time(123)
    assert clock.now() == machine.wall


@pytest.mark.parametrize("jump", [3_600_000_000, -3_600_000_000, 86_400_000_000, -SMALL_STEP_US - 1])
def test_a_jump_is_not_followed(jump: int) -> None:
    machine = _Machine()
    clock = machine.clock()
    before = clock.now()
    machine.wall += jump
    machine.pass_time(1_000)
    assert clock.now() == before + 1_000
    assert clock.jump == jump
    machine.wall -= jump
    assert clock.now() == machine.wall
    assert clock.jump == 0


@pytest.mark.parametrize("step", [SMALL_STEP_US, -SMALL_STEP_US, 20])
def test_a_small_correction_is_followed(step: int) -> None:
    machine = _Machine()
    clock = machine.clock()
    machine.wall += step
    assert clock.now() == machine.wall
