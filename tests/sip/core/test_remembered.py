"""What is kept for a while after a call: all of it is forgotten, and the garbage collector never walks it."""

import gc

from outdialer.carriers.sip.core.timers import SWEEP_S, Remembered, Timers

from .ladder import SDP_ANSWER, Ladder

CALLS = 300


def test_each_value_is_forgotten_when_its_time_is_over() -> None:
    timers, gone = Timers(), list[str]()
    kept: Remembered[str, str] = Remembered(timers, 32.0, gone.append)
    kept.put(1.0, "a", "first")
    kept.put(1.1, "b", "second")
    kept.put(2.0, "c", "third")
    assert (kept.take("b"), kept.take("b"), kept.get("c")) == ("second", None, "third")
    timers.run(32.9)
    assert (len(kept), gone) == (2, [])
    timers.run(33.0)
    assert (kept.get("a"), gone) == (None, ["first"])
    timers.run(34.0 + SWEEP_S)
    assert (len(kept), gone, timers.next_deadline()) == (0, ["first", "third"], None)
    kept.put(40.0, "d", "fourth")
    timers.run(72.0)
    assert gone == ["first", "third", "fourth"]


def end_calls(line: Ladder, first: int, *, far_end_hangs_up: bool) -> None:
    for number in range(first, first + CALLS):
        invite, _ = line.answered(leg=number, attempt_id=number.to_bytes(16, "big"))
        if far_end_hangs_up:
            line.ask("BYE", invite, branch=f"bye{number}")
            line.out("200")
        else:
            line.agent.hang_up(line.now, number, "done")
            line.reply(line.out("BYE"), 200)
        assert line.told()[-1] == "Ended"


def test_calls_that_are_over_cost_the_garbage_collector_nothing() -> None:
    line = Ladder()
    end_calls(line, 1, far_end_hangs_up=False)
    end_calls(line, 1 + CALLS, far_end_hangs_up=True)
    gc.collect()
    before = len(gc.get_objects())
    end_calls(line, 1 + 2 * CALLS, far_end_hangs_up=False)
    end_calls(line, 1 + 3 * CALLS, far_end_hangs_up=True)
    gc.collect()
    assert len(gc.get_objects()) - before < CALLS, "less than one object for every other call"
    held = line.agent.leftovers()
    assert (held["finished invites"], held["stored responses"], held["transactions"]) == (4 * CALLS, 2 * CALLS, 0)
    line.nothing_left()


def test_a_finished_invite_is_a_transaction_again_when_something_comes_to_it() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.hang_up()
    line.reply(line.out("BYE"), 200)
    line.wait(20)
    for _ in range(3):
        line.reply(invite, 200, sdp=SDP_ANSWER)
        line.out("ACK")
    held = line.agent.leftovers()
    assert (held["finished invites"], held["transactions"]) == (0, 1)
    line.nothing_left()
