"""Virtual time: it jumps, it keeps order, it knows when nothing is left, and a life ends as a process does."""

import asyncio

import pytest

from outdialer.simulation.loop import Deadlock, PowerCut, Timeline, VirtualLoop, at_once


def test_time_jumps_to_what_comes_next_and_keeps_the_order() -> None:
    timeline = Timeline()
    loop = VirtualLoop(timeline)
    seen: list[tuple[int, str]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((timeline.now, name))

    async def all_of_them() -> None:
        timeline.after(1_500, lambda: seen.append((timeline.now, "the world")))
        await asyncio.gather(sleeper("a day", 86_400), sleeper("two", 2), sleeper("two as well", 2), sleeper("one", 1))

    loop.run_until_complete(all_of_them())
    loop.close()
    assert [seen[0], seen[1], seen[-1]] == [(1_000_000, "one"), (1_500_000, "the world"), (86_400_000_000, "a day")]
    assert sorted(seen[2:-1]) == [(2_000_000, "two"), (2_000_000, "two as well")]


def test_a_deadlock_is_told() -> None:
    loop = VirtualLoop(Timeline())
    task = loop.create_task(asyncio.Event().wait())
    with pytest.raises(Deadlock):
        loop.run_until_complete(task)
    loop.discard()


def test_a_power_cut_ends_everything_where_it_stands() -> None:
    timeline = Timeline()
    loop = VirtualLoop(timeline)
    done: list[str] = []

    async def endless() -> None:
        while True:
            await asyncio.sleep(1)
            done.append("tick")

    async def unlucky() -> None:
        await asyncio.sleep(2.5)
        raise PowerCut

    tasks = [loop.create_task(endless()), loop.create_task(unlucky())]
    with pytest.raises(PowerCut):
        loop.run_forever()
    loop.discard()
    assert done == ["tick", "tick"]
    assert loop.is_closed()
    assert timeline.now == 2_500_000
    assert tasks


def test_what_nobody_caught_is_kept() -> None:
    timeline = Timeline()
    loop = VirtualLoop(timeline)
    loop.call_later(1, lambda: 1 / 0)
    timeline.after(2_000, loop.stop)
    timeline.after(3_000, lambda: None)
    loop.call_later(4, lambda: None)
    loop.run_forever()
    assert ["ZeroDivisionError" in error for error in loop.errors] == [True]
    loop.discard()


def test_work_at_once_must_not_wait() -> None:
    async def quick() -> int:
        return 7

    assert at_once(quick()) == 7
    with pytest.raises(RuntimeError, match="waited"):
        at_once(asyncio.sleep(0))
