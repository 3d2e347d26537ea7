"""The pacing wheel on virtual time."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from outdialer.media.pacer import Wheel


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class VirtualLoop:
    """As much of an event loop as the wheel uses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(at, call))
        return self.timers[-1]

    def waiting(self) -> list[Timer]:
        self.timers = [timer for timer in self.timers if not timer.cancelled]
        return self.timers

    def run(self, seconds: float, late: float = 0.0) -> None:
        """Let time pass; each timer fires ``late`` seconds after it is due."""
        end = self.now + seconds
        while due := [timer for timer in self.waiting() if timer.at + late <= end]:
            timer = min(due, key=lambda timer: timer.at)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at + late)
            timer.call()
        self.now = max(self.now, end)


class Stream:
    def __init__(self, loop: VirtualLoop, frames: int = 1_000_000) -> None:
        self.loop, self.left = loop, frames
        self.at: list[float] = []
        self.clocks: list[int] = []

    def turn(self, clock: int) -> bool:
        self.at.append(self.loop.now)
        self.clocks.append(clock)
        self.left -= 1
        return self.left > 0


def make() -> tuple[VirtualLoop, Wheel]:
    loop = VirtualLoop()
    return loop, Wheel(cast(asyncio.AbstractEventLoop, cast(Any, loop)))


@given(st.lists(st.tuples(st.integers(0, 19), st.floats(0, 0.05)), min_size=1, max_size=30), st.floats(0, 0.004))
def test_every_member_has_one_turn_per_revolution(joins: list[tuple[int, float]], late: float) -> None:
    loop, wheel = make()
    streams = []
    for slot, pause in joins:
        loop.run(pause, late)
        streams.append((loop.now, Stream(loop)))
        wheel.add(slot, streams[-1][1])
    loop.run(1.0, late)
    for joined, stream in streams:
        assert stream.at[0] - joined <= 0.020 + late + 1e-6
        steps = {after - before for before, after in zip(stream.clocks, stream.clocks[1:], strict=False)}
        assert steps == {160}
        assert 49 <= len(stream.at) - int((loop.now - 1.0 - joined) / 0.020) <= 51
    assert wheel.late == 0


def test_an_empty_wheel_sets_no_timer() -> None:
    loop, wheel = make()
    stream = Stream(loop, frames=3)
    wheel.add(4, stream)
    loop.run(1.0)
    assert len(stream.at) == 3
    assert loop.waiting() == []
    again = Stream(loop, frames=1)
    wheel.add(4, again)
    loop.run(0.02)
    assert again.clocks[0] - stream.clocks[-1] > 8 * 900


def test_turns_over_five_ms_late_are_counted() -> None:
    loop, wheel = make()
    wheel.add(0, Stream(loop))
    loop.run(1.0, late=0.006)
    assert wheel.late >= 49


def test_after_a_standstill_streams_go_on_without_a_burst() -> None:
    loop, wheel = make()
    streams = [Stream(loop) for _ in range(3)]
    for slot, stream in enumerate(streams):
        wheel.add(slot * 6, stream)
    loop.run(0.1)
    loop.now += 30.0
    before = [len(stream.at) for stream in streams]
    loop.run(0.1)
    for stream, count in zip(streams, before, strict=True):
        assert len(stream.at) - count <= 7
        assert {b - a for a, b in zip(stream.clocks, stream.clocks[1:], strict=False)} == {160}


def test_slots_fill_evenly_and_are_given_back() -> None:
    _, wheel = make()
    slots = [wheel.reserve() for _ in range(40)]
    assert sorted(slots) == sorted(list(range(20)) * 2)
    wheel.vacate(7)
    assert wheel.reserve() == 7


def test_removed_members_get_no_turn_even_within_the_slot() -> None:
    loop, wheel = make()
    victim = Stream(loop)

    class Remover(Stream):
        def turn(self, clock: int) -> bool:
            wheel.remove(3, victim)
            return super().turn(clock)

    wheel.add(3, Remover(loop))
    wheel.add(3, victim)
    loop.run(0.1)
    assert victim.at == []
    wheel.close()
    assert loop.waiting() == []
