"""Every behaviour end to end over real UDP on loopback, against the hand-written caller of these tests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from outdialer.carriers.simulator.behaviours import parse_rule
from outdialer.phones.callee import TimerValues
from outdialer.phones.ledger import CallLine, Line, MessageLine
from outdialer.phones.network import PhoneNetwork
from outdialer.phones.safety import NotLoopback

if TYPE_CHECKING:
    from tests.phones.conftest import Attempt, Caller, Heard, StartCaller, StartPhones

QUICK = TimerValues(t1_ms=30, t2_ms=60, give_up_ms=300, linger_ms=300)
"""For callers that say nothing more: the phone repeats itself and soon gives up."""
PATIENT = TimerValues(t1_ms=30, t2_ms=60)
"""For callers that do answer, and are never too late: the phone repeats itself as soon, and gives up after 32 s."""
LATE = TimerValues(t1_ms=30, t2_ms=60, give_up_ms=1_500)
"""For a caller that must be in time with one thing and leaves another out."""
LOSES_THE_FIRST_THREE = 2
"""A seed with which the first three datagrams of the call below are lost, and the next ones are not."""
FAST = "ring_after_ms=0,final_after_ms=20"


def rules(*texts: str) -> dict[str, Any]:
    return {"rules": tuple(parse_rule(text) for text in texts)}


def logged(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


async def summary(network: PhoneNetwork, attempt: Attempt, status: int = 0) -> CallLine:
    def wanted(line: Line) -> bool:
        return isinstance(line, CallLine) and line.call_id == attempt.call_id and (not status or line.status == status)

    (line,) = await network.wait_for(wanted)
    assert isinstance(line, CallLine)
    return line


async def answered(caller: Caller, attempt: Attempt) -> Heard:
    attempt.invite()
    reply = await caller.next(200)
    attempt.ack(reply)
    return reply


async def test_answers_and_listens_until_the_caller_hangs_up(
    start_phones: StartPhones, start_caller: StartCaller
) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt()
    attempt.invite()
    ringing = await caller.next(180)
    reply = await caller.next(200)
    assert ringing.to_tag == reply.to_tag != ""
    assert f"rport={caller.address[1]}" in reply.first("via")
    assert "m=audio" in reply.body
    attempt.ack(reply)
    attempt.bye(reply)
    await caller.next(200, "BYE")
    line = await summary(network, attempt)
    assert (line.answered, line.acknowledged, line.ended_by, line.status) == (True, True, "caller", 200)
    assert line.invite_at <= line.ringing_at <= line.answered_at <= line.ended_at
    assert line.problems == ()
    assert (network.invites, network.answered, network.live, network.max_live) == (1, 1, 0, 1)


async def test_trying_comes_first_where_ringing_takes_long(
    start_phones: StartPhones, start_caller: StartCaller
) -> None:
    network = await start_phones(**rules("answer:ring_after_ms=250,final_after_ms=300"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    await caller.next(200)
    assert [message.status for message in caller.heard] == [100, 180, 200]
    assert caller.heard[0].to_tag == ""
    assert attempt.call_id == caller.heard[0].first("call-id")


async def test_answers_and_hangs_up(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"hangup:{FAST},hang_up_after_ms=30"))
    caller = await start_caller(network)
    attempt = caller.attempt(headers=f"Record-Route: <sip:{caller.address[0]}:{caller.address[1]};lr>\r\n")
    attempt.contact = "sip:me@127.0.0.1:9"
    reply = await answered(caller, attempt)
    bye = await caller.next(0, "BYE")
    assert bye.start == "BYE sip:me@127.0.0.1:9 SIP/2.0"
    assert bye.all("route") == [f"<sip:{caller.address[0]}:{caller.address[1]};lr>"]
    assert bye.first("from") == reply.first("to")
    assert bye.first("to") == attempt.local
    attempt.answer_bye(bye)
    line = await summary(network, attempt)
    assert (line.ended_by, line.answered) == ("phone", True)


async def test_its_bye_is_repeated_until_answered(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"hangup:{FAST},hang_up_after_ms=0"), timer_values=PATIENT)
    caller = await start_caller(network)
    attempt = caller.attempt()
    await answered(caller, attempt)
    byes = [await caller.next(0, "BYE") for _ in range(3)]
    assert len({bye.datagram for bye in byes}) == 1
    attempt.answer_bye(byes[0])
    assert (await summary(network, attempt)).ended_by == "phone"


async def test_an_unanswered_bye_ends_the_call_all_the_same(
    start_phones: StartPhones, start_caller: StartCaller
) -> None:
    network = await start_phones(**rules(f"hangup:{FAST},hang_up_after_ms=0"), timer_values=QUICK)
    caller = await start_caller(network)
    attempt = caller.attempt()
    await answered(caller, attempt)
    assert (await summary(network, attempt)).ended_by == "phone"


@pytest.mark.parametrize("comes", [True, False])
async def test_a_bye_may_come_before_the_ack(start_phones: StartPhones, start_caller: StartCaller, comes: bool) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"), timer_values=PATIENT if comes else LATE)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    reply = await caller.next(200)
    attempt.bye(reply)
    await caller.next(200, "BYE")
    if comes:
        attempt.ack(await caller.next(200))
    line = await summary(network, attempt)
    assert (line.answered, line.acknowledged, line.ended_by) == (True, comes, "caller")
    assert bool(line.problems) is not comes
    assert network.live == 0


async def test_byes_that_cross(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"hangup:{FAST},hang_up_after_ms=0"))
    caller = await start_caller(network)
    attempt = caller.attempt()
    reply = await answered(caller, attempt)
    bye = await caller.next(0, "BYE")
    attempt.bye(reply)
    await caller.next(200, "BYE")
    attempt.answer_bye(bye)
    assert (await summary(network, attempt)).ended_by == "phone"
    assert network.counters.problems == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [("busy", 486), ("decline", 603), ("not-found", 404), ("unavailable", 480), ("overloaded", 503)],
)
async def test_refusals(start_phones: StartPhones, start_caller: StartCaller, name: str, status: int) -> None:
    network = await start_phones(**rules(name), time_percent=10)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    reply = await caller.next(status)
    assert reply.all("retry-after") == (["5"] if status == 503 else [])
    attempt.refusal_ack(reply)
    line = await summary(network, attempt)
    assert (line.status, line.answered, line.acknowledged, line.ended_by) == (status, False, True, "phone")
    assert (bool(line.ringing_at), network.live) == (name == "decline", 0)


async def test_a_refusal_is_repeated_until_acknowledged_with_the_branch_of_the_invite(
    start_phones: StartPhones, start_caller: StartCaller
) -> None:
    network = await start_phones(**rules("busy:final_after_ms=0"), timer_values=PATIENT)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    first = await caller.next(486)
    wrong = attempt.request("ACK", attempt.uri, first.first("to"), "z9hG4bKother", 1)
    caller.send(wrong)
    second = await caller.next(486)
    assert first.datagram == second.datagram
    attempt.refusal_ack(second)
    line = await summary(network, attempt)
    assert line.problems == ("ACK of a refusal with another branch than its INVITE",)


async def test_a_refusal_nobody_acknowledges_is_given_up(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("busy:final_after_ms=0"), timer_values=QUICK)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    line = await summary(network, attempt)
    assert (line.status, line.acknowledged) == (486, False)


async def test_rings_until_cancelled(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("no-answer:ring_after_ms=0"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    await caller.next(180)
    attempt.cancel()
    to_cancel = await caller.next(200, "CANCEL")
    reply = await caller.next(487)
    assert to_cancel.to_tag == reply.to_tag
    attempt.refusal_ack(reply)
    line = await summary(network, attempt)
    assert (line.status, line.ended_by, line.behaviour) == (487, "caller", "no-answer")


async def test_cancel_that_crosses_the_answer_does_nothing(
    start_phones: StartPhones, start_caller: StartCaller
) -> None:
    network = await start_phones(**rules("answer:ring_after_ms=0,final_after_ms=0"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    reply = await caller.next(200)
    attempt.cancel()
    await caller.next(200, "CANCEL")
    attempt.ack(reply)
    attempt.bye(reply)
    line = await summary(network, attempt)
    assert (line.answered, line.status, line.ended_by) == (True, 200, "caller")


async def test_cancel_and_bye_of_unknown_calls(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones()
    caller = await start_caller(network)
    attempt = caller.attempt()
    attempt.cancel()
    await caller.next(481, "CANCEL")
    caller.send(attempt.request("BYE", attempt.uri, f"<{attempt.uri}>;tag=x", "z9hG4bKb", 2))
    await caller.next(481, "BYE")
    assert network.counters.problems == 2


async def test_answers_late(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("late"), time_percent=1)
    caller = await start_caller(network)
    attempt = caller.attempt()
    await answered(caller, attempt)
    (line,) = await network.wait_for(lambda line: isinstance(line, MessageLine) and line.status == 200)
    (invite,) = await network.wait_for(lambda line: isinstance(line, MessageLine) and line.status == 0)
    assert line.at - invite.at >= 200_000  # type: ignore[union-attr]


async def test_answers_from_the_second_try(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("second-try"), time_percent=5)
    caller = await start_caller(network)
    first = caller.attempt().invite()
    first.refusal_ack(await caller.next(486))
    assert (await summary(network, first)).try_number == 1
    second = caller.attempt()
    reply = await answered(caller, second)
    second.bye(reply)
    assert (await summary(network, second)).try_number == 2


async def test_expires_ends_the_ringing(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("no-answer:ring_after_ms=0"))
    caller = await start_caller(network)
    attempt = caller.attempt(headers="Expires: 1\r\n").invite()
    attempt.refusal_ack(await caller.next(487))
    line = await summary(network, attempt)
    assert line.ended_by == "expires"
    assert line.ended_at - line.invite_at >= 990_000


@pytest.mark.parametrize(("name", "status"), [("digest", 401), ("proxy-digest", 407)])
async def test_challenges_and_answers_the_right_credentials(
    start_phones: StartPhones, start_caller: StartCaller, name: str, status: int
) -> None:
    network = await start_phones(**rules(f"{name}:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    challenge = await caller.next(status)
    attempt.refusal_ack(challenge)
    attempt.with_credentials(challenge)
    reply = await caller.next(200)
    attempt.ack(reply)
    attempt.bye(reply)
    line = await summary(network, attempt, 200)
    assert (line.answered, line.try_number, network.invites) == (True, 1, 2)


async def test_wrong_credentials(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("digest"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    challenge = await caller.next(401)
    attempt.refusal_ack(challenge)
    attempt.with_credentials(challenge, username="somebody")
    again = await caller.next(401)
    attempt.refusal_ack(again)
    attempt.with_credentials(again, password="wrong")
    attempt.refusal_ack(await caller.next(403))
    await summary(network, attempt, 403)
    assert network.answered == 0


async def test_endless_challenges(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("endless-digest"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    for _ in range(3):
        challenge = await caller.next(401)
        attempt.refusal_ack(challenge)
        attempt.with_credentials(challenge)
    await caller.next(401)
    assert network.answered == 0


async def test_a_retransmitted_invite_is_the_same_call(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("no-answer:ring_after_ms=0"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    first = await caller.next(180)
    attempt.invite()
    second = await caller.next(180)
    assert first.datagram == second.datagram
    lines = await network.wait_for(
        lambda line: isinstance(line, MessageLine) and line.direction == "in" and line.method == "INVITE", count=2
    )
    assert [line.retransmission for line in lines if isinstance(line, MessageLine)] == [False, True]
    assert (network.invites, network.live, network.counters.retransmissions) == (1, 1, 1)


async def test_the_200_is_repeated_until_the_ack(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("answer:ring_after_ms=0,final_after_ms=0"), timer_values=PATIENT)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    replies = [await caller.next(200) for _ in range(3)]
    assert len({reply.datagram for reply in replies}) == 1
    attempt.ack(replies[0])
    attempt.bye(replies[0])
    assert (await summary(network, attempt)).acknowledged


async def test_a_200_nobody_acknowledges_ends_the_session(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("answer:ring_after_ms=0,final_after_ms=0"), timer_values=QUICK)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    attempt.answer_bye(await caller.next(0, "BYE"))
    line = await summary(network, attempt)
    assert (line.ended_by, line.problems) == ("no-ack", ("no ACK of the 200",))


async def test_a_repeated_bye_is_answered_again(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt()
    reply = await answered(caller, attempt)
    attempt.bye(reply)
    first = await caller.next(200, "BYE")
    attempt.bye(reply)
    assert (await caller.next(200, "BYE")).datagram == first.datagram


async def test_bye_while_it_rings(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("no-answer:ring_after_ms=0"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    attempt.bye(await caller.next(180))
    await caller.next(200, "BYE")
    attempt.refusal_ack(await caller.next(487))
    assert (await summary(network, attempt)).ended_by == "caller"


async def test_ended_calls_are_forgotten(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules("busy:final_after_ms=0"), timer_values=TimerValues(linger_ms=0))
    caller = await start_caller(network)
    for _ in range(20):
        attempt = caller.attempt().invite()
        attempt.refusal_ack(await caller.next(486))
        await summary(network, attempt)
    assert network.remembered <= 2


async def test_a_lossy_phone_is_reached_by_patience(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"lossy:{FAST},loss=0.5"), timer_values=PATIENT, seed=LOSES_THE_FIRST_THREE)
    caller = await start_caller(network)
    attempt = caller.attempt()
    attempt.call_id = "lossy@test.invalid"

    async def insist() -> Heard:
        while True:
            attempt.invite()
            try:
                async with asyncio.timeout(0.05):
                    return await caller.next(200)
            except TimeoutError:
                continue

    async with asyncio.timeout(20):
        reply = await insist()
    attempt.ack(reply)
    lost = await network.wait_for(lambda line: isinstance(line, MessageLine) and line.lost, count=3)
    assert {(line.method, line.direction) for line in lost if isinstance(line, MessageLine)} == {("INVITE", "in")}
    assert network.invites == 1


async def test_early_media(start_phones: StartPhones, start_caller: StartCaller) -> None:
    loop = asyncio.get_running_loop()
    packet: asyncio.Future[bytes] = loop.create_future()

    class Sink(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            if not packet.done():
                packet.set_result(data)

    transport, _ = await loop.create_datagram_endpoint(Sink, local_addr=("127.0.0.1", 0))
    network = await start_phones(**rules("early-media:ring_after_ms=0,final_after_ms=100"))
    caller = await start_caller(network)
    attempt = caller.attempt(media_port=transport.get_extra_info("sockname")[1], codec="8 0").invite()
    progress = await caller.next(183)
    async with asyncio.timeout(10):
        first = await packet
    transport.close()
    assert (first[0], first[1], len(first)) == (0x80, 8, 172)
    reply = await caller.next(200)
    assert reply.body == progress.body
    attempt.ack(reply)
    attempt.bye(reply)
    line = await summary(network, attempt)
    assert line.audio is not None
    assert line.audio.sent_packets > 0


@pytest.mark.parametrize(("codec", "headers", "status"), [("18", "", 488), ("0", "Require: 100rel\r\n", 420)])
async def test_what_a_phone_cannot_do(
    start_phones: StartPhones, start_caller: StartCaller, codec: str, headers: str, status: int
) -> None:
    network = await start_phones()
    caller = await start_caller(network)
    attempt = caller.attempt(codec=codec, headers=headers).invite()
    reply = await caller.next(status)
    attempt.refusal_ack(reply)
    assert reply.all("unsupported") == (["100rel"] if status == 420 else [])
    await summary(network, attempt, status)


async def test_an_invite_without_an_offer_gets_one(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt()
    attempt.body = ""
    reply = await answered(caller, attempt)
    assert "RTP/AVP 0\r\n" in reply.body
    attempt.bye(reply)
    assert (await summary(network, attempt)).problems == ()


async def test_requests_within_and_without_a_call(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt()
    reply = await answered(caller, attempt)
    for cseq, method in enumerate(("OPTIONS", "INFO", "UPDATE"), start=2):
        attempt.in_dialog(method, reply, cseq)
        await caller.next(200, method)
    attempt.in_dialog("INVITE", reply, 5)
    again = await caller.next(200)
    assert again.body == reply.body
    attempt.in_dialog("ACK", reply, 5)
    caller.send(attempt.request("OPTIONS", attempt.uri, f"<{attempt.uri}>", "z9hG4bKo", 9))
    assert "INVITE" in (await caller.next(200, "OPTIONS")).first("allow")
    caller.send(attempt.request("PUBLISH", attempt.uri, f"<{attempt.uri}>", "z9hG4bKp", 9))
    await caller.next(405, "PUBLISH")
    assert network.counters.problems == 0


async def test_behind_a_proxy_the_route_is_asked_for(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"), record_route=True)
    caller = await start_caller(network)
    attempt = caller.attempt()
    reply = await answered(caller, attempt)
    host, port = network.address
    assert reply.all("record-route") == [f"<sip:{host}:{port};lr>"]
    caller.send(attempt.request("BYE", reply.contact, reply.first("to"), "z9hG4bKnoroute", 2))
    await caller.next(200, "BYE")
    line = await summary(network, attempt)
    assert line.problems == ("Route is not the Record-Route in reverse",)


async def test_callers_that_do_it_wrong_are_booked(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    reply = await caller.next(200)
    attempt.in_dialog("ACK", reply, 1, branch=attempt.branch)
    caller.send(attempt.request("BYE", attempt.uri, reply.first("to"), "z9hG4bKb", 1))
    line = await summary(network, attempt)
    assert line.problems == ("ACK of a 200 with the branch of its INVITE", "CSeq is not higher than before")
    caller.send("BLAH\r\n\r\n")
    (unreadable,) = await network.wait_for(lambda line: isinstance(line, MessageLine) and "unreadable" in line.problem)
    assert unreadable


async def test_the_phone_ends_a_call_on_request(start_phones: StartPhones, start_caller: StartCaller) -> None:
    network = await start_phones(**rules(f"answer:{FAST}"))
    caller = await start_caller(network)
    attempt = caller.attempt()
    await answered(caller, attempt)
    await network.wait_for(lambda line: isinstance(line, MessageLine) and line.method == "ACK")
    assert network.hang_up(attempt.call_id)
    attempt.answer_bye(await caller.next(0, "BYE"))
    assert (await summary(network, attempt)).ended_by == "phone"
    assert not network.hang_up("nobody")


async def test_the_log_has_every_message_and_a_summary_of_calls_cut_off(
    start_phones: StartPhones, start_caller: StartCaller, log_path: Path
) -> None:
    network = await start_phones(**rules("no-answer:ring_after_ms=0"), log_path=log_path)
    caller = await start_caller(network)
    attempt = caller.attempt().invite()
    await caller.next(180)
    before = logged(log_path)
    assert [(line["dir"], line["method"], line["status"]) for line in before] == [
        ("in", "INVITE", 0),
        ("out", "INVITE", 180),
    ]
    assert before[0]["source"] == f"127.0.0.1:{caller.address[1]}"
    assert (before[0]["from"], before[0]["number"]) == (attempt.local, attempt.number)
    await network.stop()
    last = logged(log_path)[-1]
    assert (last["event"], last["call_id"], last["ended_by"], last["try"]) == ("call", attempt.call_id, "stop", 1)


async def test_addresses_off_this_machine_are_refused(start_phones: StartPhones, start_caller: StartCaller) -> None:
    for host in ("0.0.0.0", "192.0.2.1", "phones.invalid"):
        with pytest.raises(NotLoopback):
            PhoneNetwork(host=host)
    with pytest.raises(NotLoopback):
        PhoneNetwork(host="0.0.0.0", live=True)
    PhoneNetwork(host="192.0.2.1", live=True)
    network = await start_phones(**rules(f"hangup:{FAST},hang_up_after_ms=0"), timer_values=QUICK)
    caller = await start_caller(network)
    attempt = caller.attempt()
    attempt.contact = "sip:somebody@192.0.2.7:5060"
    attempt.body = attempt.body.replace("127.0.0.1", "192.0.2.7")
    await answered(caller, attempt)
    await summary(network, attempt)
    assert network.forbidden > 0
