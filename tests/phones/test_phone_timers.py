"""The exact times of the phones, by a clock that the test moves."""

from __future__ import annotations

from errno import EMFILE
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.carriers.simulator.behaviours import Behaviour, parse_behaviours
from outdialer.phones.audio import DeafRoom, Ear
from outdialer.phones.call import NEXT, State, Step
from outdialer.phones.callee import Callee, TimerValues
from outdialer.phones.digest import Credentials
from outdialer.phones.ledger import CallLine, Ledger, Line
from outdialer.phones.safety import Fence
from outdialer.phones.switchboard import Switchboard
from outdialer.phones.timers import Timers
from outdialer.phones.wire import Wire

CALLER = ("127.0.0.1", 4000)


def request(
    method: str, to_tag: str = "", branch: str = "z9hG4bKa", cseq: int = 1, call: str = "c", extra: str = ""
) -> str:
    tag = f";tag={to_tag}" if to_tag else ""
    uri = f"sip:{to_tag}@127.0.0.1:5060" if to_tag else "sip:+12025550123@127.0.0.1"
    return (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:4000;branch={branch}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:b@127.0.0.1>{tag}\r\nCall-ID: {call}\r\n"
        f"CSeq: {cseq} {method}\r\nContact: <sip:a@127.0.0.1:4000>\r\n{extra}\r\n"
    )


class World:
    """Phones without a socket; ``run`` moves the clock from timer to timer."""

    def __init__(self, behaviour: Behaviour, room: type[DeafRoom] = DeafRoom) -> None:
        self.time = 0.0
        self.lines: list[Line] = []
        self.sent: list[tuple[float, str]] = []
        self.room = room("127.0.0.1")
        self.timers = Timers(lambda: self.time)
        ledger = Ledger(0)
        ledger.listeners.append(self.lines.append)
        self.wire = Wire(ledger, Fence(live=False), lambda: int(self.time * 1e6), 0)
        values = TimerValues()
        self.callee = Callee(
            self.wire,
            self.timers,
            ledger,
            self.room,
            values=values,
            credentials=Credentials(),
            seed=0,
            record_route=False,
        )
        self.callee.local = ("127.0.0.1", 5060)
        self.board = Switchboard(self.wire, self.timers, self.callee, lambda number, n: behaviour, values.linger_ms)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: Any) -> None:
        self.room.shut()

    def receive(
        self, method: str, to_tag: str = "", branch: str = "z9hG4bKa", cseq: int = 1, call: str = "c", extra: str = ""
    ) -> None:
        text = request(method, to_tag, branch, cseq, call, extra)
        self.board.receive(text.encode(), CALLER, int(self.time * 1e6))
        self.collect()

    def run(self, until: float) -> None:
        while (due := self.timers.next_due()) is not None and due <= until:
            self.time = due
            self.timers.run_due()
            self.collect()
        self.time = until

    def collect(self) -> None:
        for data, address in self.wire.outbox:
            assert address == CALLER
            self.sent.append((self.time, data.decode().split("\r\n")[0].removeprefix("SIP/2.0 ").split()[0]))
        self.wire.outbox.clear()

    def times_of(self, what: str) -> list[float]:
        return [round(time, 3) for time, sent in self.sent if sent == what]

    @property
    def summaries(self) -> list[CallLine]:
        return [line for line in self.lines if isinstance(line, CallLine)]

    def tag(self) -> str:
        call = self.board.call_of("c")
        assert call is not None
        return call.local_tag


# T1 doubling to T2 = 4 s, for 64*T1 = 32 s
LADDER = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def behaviour(text: str) -> Behaviour:
    return parse_behaviours(text)[0]


def test_a_refusal_goes_out_by_timer_g_and_is_given_up_by_timer_h() -> None:
    with World(behaviour("busy:final_after_ms=0")) as world:
        world.receive("INVITE")
        world.run(100)
        assert world.times_of("486") == LADDER
        assert [(line.acknowledged, line.status) for line in world.summaries] == [(False, 486)]


def test_a_200_goes_out_until_the_ack_and_ends_in_a_bye() -> None:
    with World(behaviour("answer:ring_after_ms=0,final_after_ms=1000")) as world:
        world.receive("INVITE")
        world.run(100)
        assert world.times_of("180") == [0.0]
        assert world.times_of("200") == [time + 1 for time in LADDER]
        assert world.times_of("BYE") == [time + 33 for time in LADDER]
        assert [line.ended_by for line in world.summaries] == ["no-ack"]
        assert world.callee.counters.live == 0


def test_the_ack_stops_the_200() -> None:
    with World(behaviour("answer:final_after_ms=0,hang_up_after_ms=5000")) as world:
        world.receive("INVITE")
        world.run(2)
        world.receive("ACK", world.tag(), "z9hG4bKb")
        world.run(10)
        assert world.times_of("200") == [0.0, 0.5, 1.5]
        assert world.times_of("BYE") == [7.0, 7.5, 8.5]


def test_nothing_is_remembered_32_seconds_after_the_end() -> None:
    with World(behaviour("answer:final_after_ms=0")) as world:
        world.receive("INVITE")
        world.receive("ACK", world.tag(), "z9hG4bKb")
        tag = world.tag()
        world.receive("BYE", tag, "z9hG4bKc", 2)
        world.run(31)
        world.receive("BYE", tag, "z9hG4bKc", 2)
        world.run(33)
        world.receive("INVITE", branch="z9hG4bKz", call="other")
        assert world.board.remembered == 1
        world.receive("BYE", tag, "z9hG4bKc", 2)
        assert [sent for _, sent in world.sent] == ["200", "200", "200", "200", "481"]
        assert world.timers.next_due() is not None


def test_a_cancel_in_time_is_487_and_the_answer_never_comes() -> None:
    with World(behaviour("answer:ring_after_ms=100,final_after_ms=3000")) as world:
        world.receive("INVITE")
        world.run(1)
        world.receive("CANCEL")
        world.receive("ACK", world.tag())
        world.run(60)
        assert [sent for _, sent in world.sent] == ["180", "200", "487"]
        assert world.summaries[0].ringing_at == 100_000
        assert world.summaries[0].ended_at == 1_000_000


def test_the_same_request_over_another_path_is_a_loop() -> None:
    with World(behaviour("no-answer:ring_after_ms=0")) as world:
        world.receive("INVITE")
        world.receive("INVITE", branch="z9hG4bKother")
        assert [sent for _, sent in world.sent] == ["180", "482"]


def test_the_table_leads_to_the_end_from_everywhere() -> None:
    for state in State:
        if state is not State.OVER:
            assert NEXT[state, Step.END] is State.OVER
    assert not [state for state, _ in NEXT if state is State.OVER]


requests = st.tuples(
    st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE"]),
    st.booleans(),
    st.sampled_from(["z9hG4bKa", "z9hG4bKb", "z9hG4bKc"]),
    st.integers(1, 3),
    st.floats(0, 5),
)
presets = st.sampled_from(["answer", "hangup", "busy", "decline", "no-answer", "early-media", "digest", "lossy"])


@given(presets, st.lists(requests, max_size=15))
def test_every_call_ends_whatever_the_caller_says(name: str, script: list[tuple[str, bool, str, int, float]]) -> None:
    with World(behaviour(name)) as world:
        for method, in_dialog, branch, cseq, pause in script:
            tag = world.tag() if in_dialog and world.board.call_of("c") is not None else ""
            world.receive(method, tag, branch, cseq)
            world.run(world.time + pause)
        for call in list(world.board.calls()):
            for cseq in (90, 91, 92):
                # a lossy phone may not hear the first ones
                world.receive("CANCEL", branch=call.keys[0][0], cseq=call.invite_cseq)
                world.receive("BYE", call.local_tag, f"z9hG4bK{cseq}", cseq)
        world.run(world.time + 200)
        if name != "lossy":
            assert world.callee.counters.live == 0
            assert world.callee.counters.calls == len(world.summaries)


seeds = st.sampled_from([request("INVITE"), request("BYE", "x"), request("CANCEL"), request("ACK", "x")])


@given(seeds, st.integers(0, 300), st.integers(0, 3), st.text(max_size=6) | st.sampled_from(["99999999", ";", "\r\n"]))
def test_mutated_requests_are_answered_or_booked(seed: str, at: int, cut: int, junk: str) -> None:
    with World(behaviour("answer")) as world:
        world.board.receive((seed[:at] + junk + seed[at + cut :]).encode(), CALLER, 0)
        world.wire.outbox.clear()
        assert world.lines


def test_a_repeated_reinvite_gets_the_same_answer() -> None:
    with World(behaviour("answer:final_after_ms=0")) as world:
        world.receive("INVITE")
        tag = world.tag()
        world.receive("ACK", tag, "z9hG4bKb")
        world.receive("INVITE", tag, "z9hG4bKre", 2)
        world.receive("INVITE", tag, "z9hG4bKre", 2)
        world.run(1)
        assert world.times_of("200") == [0.0, 0.0, 0.0, 0.5]
        world.receive("ACK", tag, "z9hG4bKre2", 2)
        world.run(40)
        assert len(world.sent) == 4
        assert world.callee.counters.problems == 0


def test_expires_and_the_answer_in_their_order_even_when_late() -> None:
    with World(behaviour("answer:final_after_ms=900")) as world:
        world.receive("INVITE", extra="Expires: 1\r\n")
        world.time = 5
        world.timers.run_due()
        world.collect()
        assert world.sent[-1] == (5, "200")
    with World(behaviour("answer:final_after_ms=1100")) as world:
        world.receive("INVITE", extra="Expires: 1\r\n")
        world.time = 5
        world.timers.run_due()
        world.collect()
        assert world.sent[-1] == (5, "487")


class FullRoom(DeafRoom):
    """No port is left."""

    def open(self) -> Ear:
        raise OSError(EMFILE, "too many open files")


@pytest.mark.parametrize("name", ["answer", "early-media"])
def test_no_port_left_is_503(name: str) -> None:
    with World(behaviour(name), FullRoom) as world:
        world.receive("INVITE")
        world.run(2)
        assert [sent for _, sent in world.sent][-1] == "503"
        assert (world.callee.counters.answered, world.callee.counters.live) == (0, 0)


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers(lambda: 0.0)
    called: list[object] = []
    for _ in range(50_000):
        timers.after(60_000, called.append, "x").cancel()
    timers.after(0, called.append, "y")
    assert len(timers) < 5_000
    timers.run_due()
    assert called == ["y"]


def test_a_step_that_cannot_be_is_a_fault() -> None:
    with World(behaviour("no-answer")) as world:
        world.receive("INVITE")
        call = world.board.call_of("c")
        assert call is not None
        with pytest.raises(KeyError):
            call.move(Step.ACK)
