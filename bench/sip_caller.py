"""The SIP carrier driven directly: calls at a rate, accepted and hung up the moment they are answered."""

import asyncio
import contextlib
import time
from typing import Any

import uvloop

from bench.lists import number_of
from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.carriers.sip.core.outputs import Send
from outdialer.engine import collector
from outdialer.engine.system import SystemClock
from outdialer.ports.carrier import Answered, CarrierEvent, DialOrder, Ended, NotSent, Peer

TICK_S = 0.001
PACKETS_PER_CALL = 3
"""INVITE, ACK and BYE; whatever is sent beyond is a retransmission."""
LAST_CALLS_S = 5.0
DEADLINE_US = 200_000


class CountingCarrier(SipCarrier):
    """Counts the packets that leave."""

    packets = 0

    def _send(self, packet: Send) -> None:
        self.packets += 1
        super()._send(packet)


class Caller:
    """Offers calls at a rate, whatever becomes of them."""

    def __init__(self, carrier: CountingCarrier, clock: SystemClock, peer: Peer) -> None:
        self.carrier = carrier
        self._clock = clock
        self._peer = peer
        self._dialled: dict[int, float] = {}
        self.setups: list[float] = []
        self.answered: set[int] = set()
        self.ended = 0
        self.clean = 0
        self.dialling_s = 0.0
        self._waits_for = 0
        self._all_ended = asyncio.Event()

    def hear(self, event: CarrierEvent) -> None:
        """Accept and hang up; count what ends."""
        if isinstance(event, Answered):
            self.setups.append(time.perf_counter() - self._dialled[event.leg])
            self.answered.add(event.leg)
            self.carrier.accept(event.leg)
            self.carrier.hang_up(event.leg, "done")
        elif isinstance(event, Ended | NotSent):
            self.ended += 1
            self.clean += event.leg in self.answered and isinstance(event, Ended) and event.why == "done"
            if self.ended == self._waits_for:
                self._all_ended.set()

    async def call(self, rate: int, seconds: float) -> None:
        """Dial ``rate`` calls a second for that long, then wait for the last ones."""
        calls = int(rate * seconds)
        started = time.perf_counter()
        dialled = 0
        while dialled < calls:
            due = min(calls, int((time.perf_counter() - started) * rate) + 1)
            while dialled < due:
                dialled += 1
                self._dial(dialled)
            await asyncio.sleep(TICK_S)
        self.dialling_s = time.perf_counter() - started
        if self.ended < calls:
            self._waits_for = calls
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_ended.wait(), LAST_CALLS_S)

    def _dial(self, leg: int) -> None:
        self._dialled[leg] = time.perf_counter()
        order = DialOrder(
            leg=leg,
            attempt_id=leg.to_bytes(16, "big"),
            leg_number=1,
            destination=number_of(leg),
            source="+12025550100",
            peer=self._peer,
            ring_limit_ms=30_000,
            send_not_after=self._clock.now() + DEADLINE_US,
            rtp_address="127.0.0.1",
            rtp_port=4_000,
        )
        self.carrier.dial(order)


def call(port: int, rate: int, seconds: float, loop: str) -> dict[str, Any]:
    """Call the far end on ``port`` with ``loop`` (``uvloop`` or ``asyncio``); what came of it."""
    collector.settle()
    runner = uvloop.run if loop == "uvloop" else asyncio.run
    result: dict[str, Any] = runner(_call(port, rate, seconds))
    return result


async def _call(port: int, rate: int, seconds: float) -> dict[str, Any]:
    clock = SystemClock()
    carrier = CountingCarrier(clock=clock, secret=b"a secret of the benchmark, 32 b.")
    caller = Caller(carrier, clock, Peer(trunk=1, host="127.0.0.1", port=port))
    await carrier.start(caller.hear)
    cpu = time.process_time()
    await caller.call(rate, seconds)
    cpu = time.process_time() - cpu
    await carrier.stop()
    calls = int(rate * seconds)
    setups = sorted(caller.setups) or [0.0]
    return {
        "calls": calls,
        "clean": caller.clean,
        "rate": calls / caller.dialling_s,
        "retransmissions": max(0, carrier.packets - PACKETS_PER_CALL * calls),
        "cpu_us": cpu / calls * 1e6,
        "setup_p50_ms": setups[len(setups) // 2] * 1_000,
        "setup_p99_ms": setups[len(setups) * 99 // 100] * 1_000,
    }
