"""The carrier against SIPp: a table of far ends, twenty calls each, and what every call must come to."""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.ports.carrier import Answered, CarrierEvent, DialOrder, Ended, NotSent, Peer

from .far_end import SIPP, far_end

pytestmark = [
    pytest.mark.sipp,
    pytest.mark.skipif(not SIPP.exists(), reason="SIPp is missing: install the Debian package sip-tester"),
]
CALLS = 20
NO_MORE_STATE = {"calls": 0, "legs": 0, "stored responses": 0}


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1000


class Caller:
    """A started carrier that accepts every answer and keeps what it is told, by leg."""

    def __init__(self, carrier: SipCarrier) -> None:
        self.carrier = carrier
        self.events: dict[int, list[CarrierEvent]] = {}
        self.hang_up_when_answered = False
        self._all_ended = asyncio.Event()
        self._ended = 0

    def hear(self, event: CarrierEvent) -> None:
        assert not hasattr(event, "attempt_id"), event
        leg = event.leg
        self.events.setdefault(leg, []).append(event)
        if isinstance(event, Answered):
            self.carrier.accept(leg)
            if self.hang_up_when_answered:
                self.carrier.hang_up(leg, "flow-done")
        if isinstance(event, Ended | NotSent):
            self._ended += 1
            if self._ended == CALLS:
                self._all_ended.set()

    async def call(self, peer: Peer, ring_limit_ms: int) -> None:
        """Place the calls; returns when all have ended."""
        now = SystemClock().now()
        for leg in range(1, CALLS + 1):
            order = DialOrder(
                leg=leg, attempt_id=leg.to_bytes(16, "big"), leg_number=1, destination=f"+120255501{leg:02d}",
                source="+12025550100", peer=peer, ring_limit_ms=ring_limit_ms, send_not_after=now + 10_000_000,
                rtp_address="127.0.0.1", rtp_port=4000,
            )  # fmt: skip
            self.carrier.dial(order)
        await asyncio.wait_for(self._all_ended.wait(), 60)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    carrier = SipCarrier(clock=SystemClock(), secret=b"a secret of this installation")
    made = Caller(carrier)
    await carrier.start(made.hear)
    yield made
    await carrier.stop()


class Case(Struct, frozen=True, kw_only=True):
    """One row: the far end, how we call, and what each call must have told."""

    name: str
    scenario: str
    told: tuple[str, ...]
    ended: dict[str, Any]
    keys: dict[str, str] = {}
    peer: dict[str, str] = {}
    ring_limit_ms: int = 20_000
    we_hang_up: bool = False


RUNG = ("Sent", "Trying", "Ringing")
UP = (*RUNG, "Answered", "Ended")
REFUSED = ("Sent", "Trying", "Ended")
LOGIN = {"username": "out", "realm": "trunk"}
DIGEST = {"realm": "trunk", "qop": ', qop="auth"'}


def refused(code: int, reason: str, header: str = "X-None: 0", **ended: Any) -> Case:
    return Case(
        name=f"refused with {code}",
        scenario="refuse",
        keys={"status": f"{code} {reason}", "header": header},
        told=REFUSED,
        ended={"local": False, "sip_code": code, "why": "refused", **ended},
    )


CASES = [
    Case(
        name="answered, we hang up", scenario="answer_and_wait", told=UP, we_hang_up=True,
        ended={"local": True, "sip_code": 200, "why": "flow-done"},
    ),
    Case(
        name="answered, the far end hangs up", scenario="answer_and_hang_up", told=UP,
        ended={"local": False, "sip_code": 200, "why": "bye"},
    ),
    refused(486, "Busy Here", "Reason: Q.850;cause=17", q850_cause=17),
    refused(603, "Decline"),
    refused(404, "Not Found"),
    refused(480, "Temporarily Unavailable"),
    refused(503, "Service Unavailable", "Retry-After: 30", retry_after_s=30),
    refused(302, "Moved Temporarily", "Contact: <sip:elsewhere@127.0.0.1:9>"),
    Case(
        name="digest MD5", scenario="challenge_once", keys={**DIGEST, "algorithm": "MD5"}, peer=LOGIN, told=UP,
        we_hang_up=True, ended={"local": True, "sip_code": 200},
    ),
    Case(
        name="digest SHA-256", scenario="challenge_once", keys={**DIGEST, "algorithm": "SHA-256"}, peer=LOGIN, told=UP,
        we_hang_up=True, ended={"local": True, "sip_code": 200},
    ),
    Case(
        name="another realm", scenario="challenge_only", keys={"realm": "evil"}, peer=LOGIN, told=("Sent", "Ended"),
        ended={"local": False, "sip_code": 401},
    ),
    Case(
        name="never satisfied", scenario="challenge_twice", keys={"realm": "trunk"}, peer=LOGIN,
        told=("Sent", "Ended"), ended={"local": False, "sip_code": 401},
    ),
    Case(
        name="rings until cancelled", scenario="ring_until_cancelled", told=(*RUNG, "Ended"), ring_limit_ms=300,
        ended={"local": True, "sip_code": 487, "why": "ring-limit"},
    ),
    Case(
        name="the CANCEL waits for a provisional", scenario="slow_then_cancelled", told=(*RUNG, "Ended"),
        ring_limit_ms=300, ended={"local": True, "sip_code": 487, "why": "ring-limit"},
    ),
    Case(
        name="a 200 crosses the CANCEL", scenario="answer_crosses_cancel", told=(*RUNG, "Ended"), ring_limit_ms=300,
        ended={"local": True, "sip_code": 200, "why": "ring-limit"},
    ),
    Case(name="a repeated 200", scenario="answer_repeated", told=UP, ended={"local": False, "why": "bye"}),
    Case(name="hold and resume", scenario="hold", told=UP, ended={"local": False, "why": "bye"}),
    Case(name="UPDATE", scenario="update", told=UP, ended={"local": False, "why": "bye"}),
    Case(
        name="crossing BYEs", scenario="crossing_byes", told=UP, we_hang_up=True,
        ended={"local": True, "sip_code": 200, "why": "flow-done"},
    ),
]  # fmt: skip


def password_file(folder: Path) -> str:
    path = folder / "password"
    path.write_text("correct horse\nsecond line\n")
    return str(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_far_ends(case: Case, caller: Caller, tmp_path: Path) -> None:
    caller.hang_up_when_answered = case.we_hang_up
    async with far_end(case.scenario, CALLS, tmp_path, **case.keys) as far:
        settings = {**case.peer, "password_file": password_file(tmp_path)}
        peer = Peer(trunk=1, host="127.0.0.1", port=far.port, **settings)  # type: ignore[arg-type]
        await caller.call(peer, case.ring_limit_ms)
        assert await far.verdict() == ""
        assert_credentials(far.log(), CALLS if case.scenario == "challenge_once" else 0)
    for events in caller.events.values():
        told = [type(event).__name__ for event in events]
        assert [name for name in told if name not in ("Trying", "Ringing") or name in case.told] == list(case.told)
        ended = events[-1]
        assert {name: getattr(ended, name) for name in case.ended} == case.ended
    left = caller.carrier.agent.leftovers()
    assert left["legs"] == left["calls"] == 0


def assert_credentials(log: str, wanted: int) -> None:
    """The digest responses that SIPp logged are the ones that RFC 7616 section 3.4.1 asks for."""
    lines = [line for line in log.splitlines() if "response=" in line]
    assert len(lines) >= wanted
    for line in lines:
        value = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([\w-]+))', line)}
        digest = hasher(value["algorithm"].lower().replace("-", ""))
        first, second = digest("out:trunk:correct horse"), digest(f"INVITE:{value['uri']}")
        text = f"{first}:{value['nonce']}:{value['nc']}:{value['cnonce']}:auth:{second}"
        assert value["response"] == digest(text)


def hasher(algorithm: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(algorithm, text.encode()).hexdigest()


@pytest.mark.slow
async def test_a_quarter_of_all_packets_lost(caller: Caller, tmp_path: Path) -> None:
    """Every call ends and nothing is left over; SIPp itself may give up on some."""
    caller.hang_up_when_answered = True
    async with far_end("answer_and_linger", 50 * CALLS, tmp_path, "-lost", "25") as far:
        await caller.call(Peer(trunk=1, host="127.0.0.1", port=far.port), 20_000)
    answered = [events for events in caller.events.values() if any(isinstance(event, Answered) for event in events)]
    assert len(answered) >= CALLS // 2
    assert all(isinstance(events[-1], Ended) for events in caller.events.values())
    assert caller.carrier.agent.open_legs() == []
