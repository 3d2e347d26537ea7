"""Runs rows of the table: SIPp as the far end, the carrier as it is, and a list of what was wrong."""

import asyncio
import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.carriers.sip.core.outputs import Send
from outdialer.carriers.sip.core.user_agent import UserAgent
from outdialer.domain.outcome import of_ended
from outdialer.ports.carrier import Answered, CarrierEvent, DialOrder, Ended, LateAnswer, NotSent, Peer, Sent

from .far_end import FarEnd, far_end
from .table import Row

AT_ONCE = 4
"""Rows that are run side by side; those that mostly wait for timers come on top."""
SLACK_S = 20
"""What a busy machine may add to a call's own limit."""
PASSWORD = "correct horse"
SHOWN = 5


class SystemClock:
    def now(self) -> int:
        return time.time_ns() // 1000


class Result(Struct, frozen=True, kw_only=True):
    """What one row came to."""

    row: str
    calls: int
    outcomes: dict[str, int]
    longest_s: float
    """The longest call, from its INVITE to its end."""
    problems: list[str]
    repeated: int
    """Packets beyond those of the ladder: something was lost, or the machine let one side wait for half a second."""


class CountingCarrier(SipCarrier):
    """Counts the packets that leave."""

    packets = 0

    def _send(self, packet: Send) -> None:
        self.packets += 1
        super()._send(packet)


class Caller:
    """A started carrier that accepts every answer, hangs up when its row says so, and keeps what it is told."""

    def __init__(self, row: Row, calls: int) -> None:
        self.row, self.calls = row, calls
        self.carrier = CountingCarrier(clock=SystemClock(), secret=b"a secret of this installation")
        self.events: dict[int, list[CarrierEvent]] = {}
        self.late: list[LateAnswer] = []
        self._all_ended = asyncio.Event()
        self._ended = 0

    def hear(self, event: CarrierEvent) -> None:
        if isinstance(event, LateAnswer):
            self.late.append(event)
            return
        leg = event.leg
        self.events.setdefault(leg, []).append(event)
        if isinstance(event, Answered):
            self._later(self.row.accept_ms, self.carrier.accept, leg)
            if self.row.hang_up_ms is not None:
                self._later(self.row.hang_up_ms, self.carrier.hang_up, leg, "flow-done")
        if isinstance(event, Ended | NotSent):
            self._ended += 1
            if self._ended == self.calls:
                self._all_ended.set()

    def _later(self, after_ms: int, order: Callable[..., None], *arguments: object) -> None:
        if after_ms == 0:
            order(*arguments)
        else:
            asyncio.get_running_loop().call_later(after_ms / 1000, order, *arguments)

    async def call(self, peer: Peer, rate: float) -> None:
        """Place the calls at ``rate`` a second; returns when all have ended."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        for leg in range(1, self.calls + 1):
            loop.call_at(started + leg / rate, self._dial, leg, peer)
        await asyncio.wait_for(self._all_ended.wait(), self.calls / rate + self.row.limit_s + SLACK_S)

    def _dial(self, leg: int, peer: Peer) -> None:
        order = DialOrder(
            leg=leg, attempt_id=leg.to_bytes(16, "big"), leg_number=1, destination=f"+120255501{leg % 100:02d}",
            source="+12025550100", peer=peer, ring_limit_ms=self.row.ring_limit_ms,
            send_not_after=SystemClock().now() + 10_000_000, rtp_address="127.0.0.1", rtp_port=4000,
        )  # fmt: skip
        self.carrier.dial(order)


async def run_row(row: Row, calls: int, rate: float, folder: Path) -> Result:
    """One row with its own far end and its own carrier."""
    password_file = _password_file(folder)
    caller = Caller(row, calls)
    await caller.carrier.start(caller.hear)
    problems: list[str] = []
    try:
        async with far_end(row, calls, folder) as far:
            peer = Peer(trunk=1, host="127.0.0.1", port=far.port, password_file=password_file, **row.peer)  # type: ignore[arg-type]
            try:
                await caller.call(peer, rate)
            except TimeoutError:
                problems.append(f"calls that never ended: {len(caller.carrier.agent.open_legs())}")
            problems += await _verdict(far, row, calls)
        problems += _leftovers(caller.carrier.agent, asyncio.get_running_loop().time())
    finally:
        await caller.carrier.stop()
    return judge(caller, problems)


def _password_file(folder: Path) -> str:
    folder.mkdir()
    path = folder / "password"
    path.write_text(f"{PASSWORD}\nsecond line\n")
    return str(path)


async def _verdict(far: FarEnd, row: Row, calls: int) -> list[str]:
    if row.silent or row.lost:
        return []
    said = await far.verdict()
    return ([f"SIPp: {said[:2_000]}"] if said else []) + wrong_credentials(far.log(), calls * row.credentials)


def _leftovers(agent: UserAgent, now: float) -> list[str]:
    """Nothing is up when all have ended; and once the transactions' timers have run, nothing is held at all."""
    problems = []
    held = agent.leftovers()
    if held["calls"] or held["legs"]:
        problems.append(f"left over: {held}")
    turns = 0
    while (deadline := agent.next_deadline()) is not None and turns < 100_000:
        turns += 1
        agent.wake(max(now, deadline))
    told = [output for output in agent.take_outputs() if not isinstance(output, Send)]
    if told or any(agent.leftovers().values()):
        problems.append(f"left over in the end: {agent.leftovers()}, told: {told[:SHOWN]}")
    return problems


def judge(caller: Caller, problems: list[str]) -> Result:
    """Hold every call against its row."""
    row, outcomes, longest, wrong = caller.row, Counter[str](), 0.0, Counter[str]()
    for events in caller.events.values():
        first, ended = events[0], events[-1]
        if not isinstance(first, Sent) or not isinstance(ended, Ended):
            wrong[f"told {[type(event).__name__ for event in events]}"] += 1
            continue
        longest = max(longest, (ended.at - first.at) / 1e6)
        answered = any(isinstance(event, Answered) for event in events)
        outcome = of_ended(
            answered=answered, local=ended.local, why=ended.why, sip_code=ended.sip_code, q850_cause=ended.q850_cause
        )
        outcomes[outcome.reason] += 1
        wrong.update(_wrong(row, events, ended, outcome.reason))
    if longest > row.limit_s + SLACK_S:
        wrong[f"a call took {longest:.1f} s, its limit is {row.limit_s} s"] += 1
    if len(caller.events) != caller.calls:
        wrong["calls that told nothing"] += caller.calls - len(caller.events)
    if caller.late:
        wrong["late answers"] += len(caller.late)
    problems = [*problems, *(f"{count} times: {what}" for what, count in wrong.most_common(SHOWN))]
    return Result(
        row=row.name, calls=caller.calls, outcomes=dict(outcomes), longest_s=longest, problems=problems,
        repeated=caller.carrier.packets - caller.calls * sum(step.startswith("> ") for step in row.ladder),
    )  # fmt: skip


def _wrong(row: Row, events: list[CarrierEvent], ended: Ended, reason: str) -> Iterable[str]:
    told = tuple(type(event).__name__ for event in events[:-1])
    if told != row.told and not row.lost:
        yield f"told {told}"
    if reason not in row.outcomes:
        yield f"outcome {reason}: {ended}"
    wanted = {"why": row.why or None, "local": row.local, "sip_code": row.sip_code}
    for name, value in wanted.items():
        if value is not None and getattr(ended, name) != value:
            yield f"{name} is {getattr(ended, name)}"
    if ended.retry_after_s != row.retry_after_s:
        yield f"Retry-After is {ended.retry_after_s}"


def wrong_credentials(log: str, wanted: int) -> list[str]:
    """The digest responses that SIPp logged are the ones that RFC 7616 section 3.4.1 asks for."""
    seen, problems = 0, []
    for line in log.splitlines():
        if "response=" in line:
            seen += 1
            value = {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([\w-]+))', line)}
            if value.get("response") != _digest(value):
                problems.append(f"a wrong digest: {line}")
    if seen != wanted:
        problems.append(f"{seen} digests instead of {wanted}")
    return problems[:SHOWN]


def _digest(value: dict[str, str]) -> str:
    """What a credential must hold; ``uri`` and the rest are its own."""
    hashed = _hasher(value.get("algorithm", "MD5").lower().replace("-", ""))
    first, second = hashed(f"out:trunk:{PASSWORD}"), hashed(f"INVITE:{value['uri']}")
    middle = f"{value['nonce']}:{value['nc']}:{value['cnonce']}:auth" if "qop" in value else value["nonce"]
    return hashed(f"{first}:{middle}:{second}")


def _hasher(algorithm: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(algorithm, text.encode()).hexdigest()


async def run_table(rows: list[Row], calls: int, rate: float, folder: Path) -> dict[str, Result]:
    """All rows, some side by side; those that wait for 32 s timers start first and wait beside the others."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int, row: Row) -> Result:
        if row.silent or row.lost:
            return await run_row(row, calls, rate / 4, folder / str(number))
        async with turn:
            return await run_row(row, calls, rate, folder / str(number))

    results = await asyncio.gather(*(in_turn(number, row) for number, row in enumerate(rows)))
    return {result.row: result for result in results}
