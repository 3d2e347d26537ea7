"""The carrier on a real socket: what it does beyond the user agent. The far end is a few lines of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from outdialer.carriers.sip.carrier import SipCarrier
from outdialer.carriers.sip.transport import NonLoopbackRefused
from outdialer.ports.carrier import (
    Answered,
    Carrier,
    CarrierEvent,
    DialOrder,
    Ended,
    LateAnswer,
    NotSent,
    Peer,
    RememberedLeg,
    Ringing,
    Sent,
    Trying,
)

SECRET = b"a secret of this installation"
ATTEMPT = bytes(range(16))
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"
Event = TypeVar("Event")


class Clock:
    """Every look is one microsecond later."""

    def __init__(self) -> None:
        self.time = 1_000_000

    def now(self) -> int:
        self.time += 1
        return self.time


class FarEnd:
    """A socket that reads a request and answers it."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._read: set[bytes] = set()

    async def request(self, method: str) -> dict[str, str]:
        fields = await self.any()
        assert fields[""].startswith(f"{method} "), fields[""]
        return fields

    async def any(self) -> dict[str, str]:
        """The next message: its header fields, and its first line under the empty name."""
        while (found := self._fresh()) is None:
            readable = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(self.socket.fileno(), readable.set)
            await asyncio.wait_for(readable.wait(), 20)
            loop.remove_reader(self.socket.fileno())
        data, self._source = found
        lines = data.decode().split("\r\n\r\n")[0].split("\r\n")
        return {"": lines[0], **dict(line.split(": ", 1) for line in lines[1:])}

    def answer(
        self, fields: dict[str, str], status: str, contact: str = "127.0.0.1", body: str = "", **more: str
    ) -> None:
        if contact == "127.0.0.1":
            contact += f":{self.port}"
        to_value = fields["To"] if ";tag=" in fields["To"] else f"{fields['To']};tag=far"
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
        text = (
            f"SIP/2.0 {status}\r\nVia: {fields['Via']}\r\nFrom: {fields['From']}\r\nTo: {to_value}\r\n"
            f"Call-ID: {fields['Call-ID']}\r\nCSeq: {fields['CSeq']}\r\nContact: <sip:far@{contact}>\r\n{extra}"
            f"{'Content-Type: application/sdp' if body else 'X-None: 0'}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        self.socket.sendto(text.encode(), self._source)

    def silent(self) -> bool:
        return self._fresh() is None

    def _fresh(self) -> tuple[bytes, tuple[str, int]] | None:
        """The next datagram with its source; what is only repeated because we were slow is passed over."""
        while True:
            try:
                data, source = self.socket.recvfrom(65_535)
            except BlockingIOError:
                return None
            if data not in self._read:
                self._read.add(data)
                return data, source


class Bench:
    """A carrier, its far end, and the events in order."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.carrier = SipCarrier(clock=self.clock, secret=SECRET, **settings)
        self.far = FarEnd()
        self._events: asyncio.Queue[CarrierEvent] = asyncio.Queue()

    async def start(self) -> None:
        await self.carrier.start(self._events.put_nowait)

    async def stop(self) -> None:
        await self.carrier.stop()
        self.far.socket.close()

    async def event(self, kind: type[Event]) -> Event:
        event = await asyncio.wait_for(self._events.get(), 20)
        assert isinstance(event, kind), event
        return event

    def dial(self, send_not_after: int = 2_000_000, ring_limit_ms: int = 20_000, **peer: Any) -> None:
        self.carrier.dial(
            DialOrder(
                leg=7,
                attempt_id=ATTEMPT,
                leg_number=1,
                destination="+12025550123",
                source="+12025550100",
                peer=self.peer(**peer),
                ring_limit_ms=ring_limit_ms,
                send_not_after=send_not_after,
                rtp_address="127.0.0.1",
                rtp_port=4000,
            )
        )

    def peer(self, **changes: Any) -> Peer:
        return Peer(**{"trunk": 1, "host": "127.0.0.1", "port": self.far.port, **changes})


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["asyncio", "uvloop"])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as made:
        yield made


def test_it_is_a_carrier() -> None:
    carrier: Carrier = SipCarrier(clock=Clock(), secret=SECRET)
    assert carrier


def test_a_whole_call_on_both_loops(runner: asyncio.Runner) -> None:
    async def call() -> None:
        bench = Bench()
        await bench.start()
        bench.dial()
        sent = await bench.event(Sent)
        invite = await bench.far.request("INVITE")
        bench.far.answer(invite, "180 Ringing")
        await bench.event(Trying)
        ringing = await bench.event(Ringing)
        bench.far.answer(invite, "200 OK", body=SDP)
        answered = await bench.event(Answered)
        assert sent.at < ringing.at < answered.at
        assert answered.media.port == 6000
        bench.carrier.accept(7)
        await bench.far.request("ACK")
        bench.carrier.hang_up(7, "flow-done")
        bench.far.answer(await bench.far.request("BYE"), "200 OK")
        assert (await bench.event(Ended)).why == "flow-done"
        assert bench.carrier.agent.open_legs() == []
        await bench.stop()

    runner.run(call())


async def test_a_passed_deadline_is_not_sent(bench: Bench) -> None:
    bench.dial(send_not_after=1_000_000)
    assert (await bench.event(NotSent)).why == "deadline"
    assert bench.far.silent()


@pytest.mark.parametrize("host", ["192.0.2.1", "::1", "0.0.0.0"])
async def test_a_refused_address_is_not_sent(bench: Bench, host: str) -> None:
    bench.dial(host=host)
    assert (await bench.event(NotSent)).why in ("refused-address", "send-failed")
    assert bench.carrier.agent.leftovers()["transactions"] == 0


async def test_a_name_that_resolves(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, "127.0.0.1")
    bench.dial(host="sbc.example")
    await bench.event(Sent)
    invite = await bench.far.request("INVITE")
    assert invite["To"] == f"<sip:+12025550123@sbc.example:{bench.far.port}>"


async def test_a_name_that_points_out_of_the_machine(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, "192.0.2.1")
    bench.dial(host="sbc.example")
    assert (await bench.event(NotSent)).why == "refused-address"


async def test_a_name_without_address_is_not_sent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, None)
    bench.dial(host="gone.example")
    assert (await bench.event(NotSent)).why == "unresolved"


async def test_hanging_up_while_a_name_is_looked_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_names(monkeypatch, "127.0.0.1")
    bench.dial(host="sbc.example")
    bench.carrier.hang_up(7, "operator")
    assert (await bench.event(NotSent)).why == "operator"
    assert bench.far.silent()


def answer_names(monkeypatch: pytest.MonkeyPatch, host: str | None) -> None:
    async def getaddrinfo(*args: object, **settings: object) -> list[tuple[object, ...]]:
        if host is None:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (host, 0))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


async def test_a_missing_password_file_is_not_sent(bench: Bench, tmp_path: Path) -> None:
    bench.dial(username="out", password_file=str(tmp_path / "missing"))
    assert (await bench.event(NotSent)).why == "password-file"


async def test_a_password_is_the_first_line_of_its_file(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\r\nsecond\n")
    bench.dial(username="out", password_file=str(tmp_path / "password"))
    invite = await bench.far.request("INVITE")
    bench.far.answer(invite, "401 Unauthorized", WWW_Authenticate='Digest realm="r", nonce="n"')
    await bench.far.request("ACK")
    assert 'username="out"' in (await bench.far.request("INVITE"))["Authorization"]


async def test_an_unwritable_order_is_not_sent(bench: Bench) -> None:
    bench.dial(domain="bad domain")
    assert (await bench.event(NotSent)).why == "bad-destination"
    bench.dial()
    bench.dial()
    assert (await bench.event(Sent)).leg == 7
    assert (await bench.event(NotSent)).why == "duplicate-leg"


@pytest.mark.parametrize("contact", ["192.0.2.1:5060", "[2001:db8::1]"])
async def test_a_contact_out_of_the_machine_ends_the_leg(bench: Bench, contact: str) -> None:
    bench.dial()
    bench.far.answer(await bench.far.request("INVITE"), "200 OK", contact=contact, body=SDP)
    await bench.event(Sent)
    await bench.event(Answered)
    bench.carrier.accept(7)
    ended = await bench.event(Ended)
    assert (ended.local, ended.why) == (True, "refused-address")
    assert bench.far.silent()


async def test_a_route_out_of_the_machine_ends_the_leg_and_is_logged_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.dial()
    invite = await bench.far.request("INVITE")
    for _ in range(3):
        bench.far.answer(invite, "200 OK", body=SDP, Record_Route="<sip:192.0.2.1;lr>")
    await bench.event(Sent)
    await bench.event(Answered)
    bench.carrier.accept(7)
    ended = await bench.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 200, "refused-address")
    assert (await bench.carrier.probe(bench.peer(host="192.0.2.1"))).why == "refused-address"
    assert bench.far.silent()
    assert bench.carrier.agent.open_legs() == []
    assert [record.message for record in caplog.records if "192.0.2.1" in record.message] == [
        "a packet to 192.0.2.1 was refused: live dialing is not switched on"
    ]


async def test_a_target_moved_out_of_the_machine_ends_the_call_at_its_bye(bench: Bench) -> None:
    bench.dial()
    invite = await bench.far.request("INVITE")
    bench.far.answer(invite, "200 OK", body=SDP)
    await bench.event(Sent)
    await bench.event(Answered)
    bench.carrier.accept(7)
    await bench.far.request("ACK")
    bench.far.socket.sendto(
        (
            f"UPDATE sip:outdialer@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{bench.far.port};branch=z9hG4bKu\r\n"
            f"From: {invite['To']};tag=far\r\nTo: {invite['From']}\r\nCall-ID: {invite['Call-ID']}\r\n"
            "CSeq: 1 UPDATE\r\nContact: <sip:far@198.51.100.1>\r\n\r\n"
        ).encode(),
        bench.carrier.local_address,
    )
    while "UPDATE" not in (await bench.far.any())["CSeq"]:
        pass
    bench.carrier.hang_up(7, "flow-done")
    ended = await bench.event(Ended)
    assert (ended.local, ended.why) == (True, "refused-address")
    assert bench.far.silent()


async def test_the_ring_limit_cancels_by_the_loop_s_own_time(bench: Bench) -> None:
    bench.dial(ring_limit_ms=100)
    invite = await bench.far.request("INVITE")
    bench.far.answer(invite, "180 Ringing")
    bench.far.answer(await bench.far.request("CANCEL"), "200 OK")
    bench.far.answer(invite, "487 Request Terminated")
    await bench.far.request("ACK")
    for kind in (Sent, Trying, Ringing):
        await bench.event(kind)
    assert (await bench.event(Ended)).why == "ring-limit"


async def test_a_sink_that_raises_costs_nobody_else_an_event() -> None:
    bench, seen = Bench(), asyncio.Event()
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["message"]))

    def sink(event: CarrierEvent) -> None:
        if isinstance(event, Ended):
            seen.set()
        raise ZeroDivisionError

    await bench.carrier.start(sink)
    bench.dial()
    bench.far.answer(await bench.far.request("INVITE"), "486 Busy Here")
    await asyncio.wait_for(seen.wait(), 20)
    assert failures == ["the sink failed on Sent", "the sink failed on Ended"]
    await bench.stop()


async def test_orders_given_by_the_sink_are_carried_out_in_turn() -> None:
    bench, told, over = Bench(), [], asyncio.Event()

    def sink(event: CarrierEvent) -> None:
        told.append(type(event).__name__)
        if isinstance(event, Answered):
            bench.carrier.accept(7)
            bench.carrier.hang_up(7, "flow-done")
            told.append("ordered")
        if isinstance(event, Ended):
            over.set()

    await bench.carrier.start(sink)
    bench.dial()
    bench.far.answer(await bench.far.request("INVITE"), "200 OK", body=SDP)
    await bench.far.request("ACK")
    bench.far.answer(await bench.far.request("BYE"), "200 OK")
    await asyncio.wait_for(over.wait(), 20)
    assert told == ["Sent", "Answered", "ordered", "Ended"]
    await bench.stop()


async def test_a_second_life_ends_what_the_first_one_left(bench: Bench) -> None:
    bench.dial()
    invite = await bench.far.request("INVITE")
    await bench.carrier.stop()
    second = SipCarrier(clock=bench.clock, secret=SECRET, bind=bench_address(invite))
    events: asyncio.Queue[CarrierEvent] = asyncio.Queue()
    await second.start(events.put_nowait)
    bench.far.answer(invite, "200 OK", body=SDP)
    bye = await bench.far.request("BYE")
    await bench.far.request("ACK")
    assert await asyncio.wait_for(events.get(), 20) == LateAnswer(ATTEMPT, 1, bench.clock.time)
    remembered = RememberedLeg(
        leg=7, attempt_id=ATTEMPT, leg_number=1, destination="+12025550123", source="+12025550100", peer=bench.peer()
    )
    second.recover([remembered])
    bench.far.answer(bye, "200 OK")
    ended = await asyncio.wait_for(events.get(), 20)
    assert isinstance(ended, Ended)
    assert (ended.leg, ended.why) == (7, "recovered")
    await second.stop()


def bench_address(invite: dict[str, str]) -> tuple[str, int]:
    host, port = invite["Via"].split(" ")[1].split(";")[0].split(":")
    return host, int(port)


async def test_probing_a_peer(bench: Bench) -> None:
    asking = asyncio.ensure_future(bench.carrier.probe(bench.peer()))
    options = await bench.far.request("OPTIONS")
    bench.far.answer(options, "404 Not Found")
    health = await asyncio.wait_for(asking, 20)
    assert (health.reachable, health.sip_code) == (True, 404)


async def test_probing_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    health = await asyncio.wait_for(bench.carrier.probe(bench.peer()), 20)
    assert (health.reachable, health.why) == (False, "no-response")
    assert (await bench.carrier.probe(bench.peer(host="192.0.2.1"))).why == "refused-address"
    answer_names(monkeypatch, None)
    assert (await bench.carrier.probe(bench.peer(host="gone.example"))).why == "unresolved"


async def test_binding_to_the_world_needs_live() -> None:
    bench = Bench(bind=("0.0.0.0", 0))
    with pytest.raises(NonLoopbackRefused):
        await bench.start()
    await bench.stop()


@pytest.mark.parametrize(
    ("advertise", "named"), [("203.0.113.7:5080", "203.0.113.7:5080"), ("sip.example.net:5080", "sip.example.net:5080")]
)
async def test_the_advertised_address_is_what_via_and_contact_name(advertise: str, named: str) -> None:
    bench = Bench(advertise=advertise)
    await bench.start()
    bench.dial()
    invite = await bench.far.request("INVITE")
    assert invite["Via"].startswith(f"SIP/2.0/UDP {named};rport;")
    assert invite["Contact"] == f"<sip:outdialer@{named}>"
    await bench.stop()


async def test_a_bad_advertised_address() -> None:
    bench = Bench(advertise="a:b:c")
    with pytest.raises(ValueError, match="advertise"):
        await bench.start()
    await bench.stop()
