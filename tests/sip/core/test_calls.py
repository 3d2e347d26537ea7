"""Calls as ladders: what came in, what went out, what was told."""

from typing import Any

import pytest

from outdialer.carriers.sip.core.dialog import dialog_from, dump
from outdialer.domain.identity import branch, leg_identity
from outdialer.ports.carrier import Answered, Ended, LateAnswer, RemoteMedia, Ringing, Trying

from .ladder import ATTEMPT, LEG, PEER, SDP_ANSWER, SECRET, STRANGER, Ladder, order, peer


def test_an_answered_call_that_we_end() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 100)
    line.reply(invite, 180)
    line.reply(invite, 200, sdp=SDP_ANSWER)
    assert line.told() == ["Trying", "Ringing", "Answered"]
    line.out_nothing()
    ack = line.accept()
    assert ack.uri == "sip:far@127.0.0.1:5060"
    assert ack.headers["cseq"] == "1 ACK"
    line.hang_up("flow-done")
    bye = line.out("BYE")
    assert bye.sequence == 2
    assert bye.headers["to"] == "<sip:+12025550123@127.0.0.1:5060>;tag=far"
    line.reply(bye, 200)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 200, "flow-done")
    line.nothing_left()


def test_the_invite_names_the_leg_and_nothing_in_it_is_random() -> None:
    invite = Ladder().dial(ring_limit_ms=20_000)
    identity = leg_identity(SECRET, ATTEMPT, 1)
    assert invite.uri == "sip:+12025550123@127.0.0.1:5060"
    assert invite.call_id == identity.call_id
    assert invite.headers["from"] == f"<sip:+12025550100@127.0.0.1>;tag={identity.from_tag}"
    assert invite.headers["via"] == (
        f"SIP/2.0/UDP 127.0.0.1:5070;rport;branch={branch(SECRET, ATTEMPT, 1, 'INVITE', 1)}"
    )
    assert invite.headers["expires"] == "180"
    assert invite.headers["contact"] == "<sip:outdialer@127.0.0.1:5070>"
    assert invite.body.count(b"m=audio 4000 RTP/AVP 0 8 101") == 1
    assert Ladder().dial(ring_limit_ms=20_000) == invite


def test_the_far_end_hangs_up() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("BYE", invite, headers=['Reason: SIP;cause=200, Q.850;cause=16;text="Normal"'])
    line.out("200")
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.q850_cause, ended.why) == (False, 200, 16, "bye")
    line.ask("BYE", invite)
    line.out("200")
    assert line.told() == []
    line.nothing_left()


def test_the_answer_is_acknowledged_only_when_accepted() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.wait(0.5)
    line.reply(invite, 200, sdp=SDP_ANSWER)
    assert line.told() == ["Answered"]
    line.out_nothing()
    line.accept()
    line.agent.accept(line.now, LEG)
    line.out_nothing()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out("ACK")
    assert line.told() == []


def test_hanging_up_before_accepting_ends_it_first_and_acknowledges_then() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.hang_up("drain")
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(bye, 200)
    assert line.event(Answered).leg == LEG
    assert line.event(Ended).why == "drain"
    line.nothing_left()


def test_the_far_end_gives_up_waiting_for_the_ack() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.ask("BYE", invite)
    line.out("200")
    line.event(Answered)
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (False, "bye")
    line.nothing_left()


@pytest.mark.parametrize("status", [300, 302, 400, 403, 404, 408, 480, 486, 488, 500, 503, 600, 603, 604, 606, 699])
def test_a_refusal_is_acknowledged_within_its_transaction(status: int) -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 100)
    line.reply(invite, status, contact="<sip:elsewhere@127.0.0.1:9>", tag="busy")
    ack = line.out("ACK")
    assert ack.headers["via"] == invite.headers["via"]
    assert ack.uri == invite.uri
    assert ack.headers["to"] == f"{invite.headers['to']};tag=busy"
    line.event(Trying)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (False, status, "refused")
    line.wait(31)
    line.reply(invite, status, tag="busy")
    line.out("ACK")
    line.out_nothing()
    assert line.told() == []
    line.nothing_left()


def test_what_a_refusal_says_beside_its_code() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 503, headers=["Retry-After: 120 (maintenance);duration=60", 'Reason: Q.850 ;cause=34;text="x"'])
    ended = line.event(Ended)
    assert (ended.sip_code, ended.retry_after_s, ended.q850_cause) == (503, 120, 34)


def test_no_response_at_all_ends_at_timer_b() -> None:
    line = Ladder()
    line.dial(ring_limit_ms=60_000)
    line.wait(40)
    assert line.out_all() == [(at, "INVITE") for at in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 0, "no-response")
    line.nothing_left()


def test_the_ring_limit_cancels_after_a_provisional() -> None:
    line = Ladder()
    invite = line.dial(ring_limit_ms=20_000)
    line.reply(invite, 180)
    line.wait(19.9)
    line.out_nothing()
    line.wait(0.2)
    cancel = line.out("CANCEL")
    assert cancel.headers["via"] == invite.headers["via"]
    assert (cancel.uri, cancel.headers["to"], cancel.sequence) == (invite.uri, invite.headers["to"], 1)
    line.reply(cancel, 200)
    line.reply(invite, 487)
    line.out("ACK")
    assert line.told()[:2] == ["Trying", "Ringing"]
    line.nothing_left()


def test_what_a_cancelled_call_says() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 180)
    line.wait(30.1)
    line.events.clear()
    line.reply(invite, 487)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 487, "ring-limit")


def test_without_a_provisional_the_cancel_waits_for_one() -> None:
    line = Ladder()
    invite = line.dial(ring_limit_ms=5_000)
    line.wait(6)
    assert line.out_all() == [(0.5, "INVITE"), (1.5, "INVITE"), (3.5, "INVITE")]
    line.wait(10)
    line.out_nothing()
    line.reply(invite, 180)
    cancel = line.out("CANCEL")
    assert line.told() == ["Trying", "Ringing"]
    line.reply(cancel, 200)
    line.reply(invite, 487)
    line.out("ACK")
    assert line.event(Ended).why == "ring-limit"
    line.nothing_left()


def test_a_held_cancel_without_any_provisional_ends_at_timer_b() -> None:
    line = Ladder()
    line.dial(ring_limit_ms=5_000)
    line.wait(31.9)
    assert line.told() == []
    line.wait(0.2)
    ended = line.event(Ended)
    assert (ended.sip_code, ended.why, ended.local) == (0, "no-response", True)
    line.nothing_left()


def test_an_order_to_hang_up_keeps_its_reason_when_nobody_answers() -> None:
    line = Ladder()
    line.dial()
    line.hang_up("operator")
    line.wait(33)
    assert line.out_all() == []
    assert line.event(Ended).why == "operator"


def test_a_cancel_is_resent_and_given_up_after_32_seconds() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 180)
    line.hang_up("operator")
    line.wait(31.9)
    sent = line.out_all()
    assert [at for at, _ in sent] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert {what for _, what in sent} == {"CANCEL"}
    line.events.clear()
    line.wait(0.2)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 0, "operator")
    line.nothing_left()


def test_a_200_crossing_the_cancel_is_ended_and_acknowledged_and_counts_as_unanswered() -> None:
    line = Ladder()
    invite = line.dial(ring_limit_ms=10_000)
    line.reply(invite, 180)
    line.wait(10.1)
    cancel = line.out("CANCEL")
    line.reply(invite, 200, sdp=SDP_ANSWER)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(cancel, 200)
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out("ACK")
    line.reply(bye, 200)
    line.out_nothing()
    line.event(Trying)
    line.event(Ringing)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 200, "ring-limit")
    line.nothing_left()


def test_a_refusal_that_crosses_the_cancel() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 180)
    line.hang_up("operator")
    line.out("CANCEL")
    line.reply(invite, 486)
    line.out("ACK")
    line.event(Trying)
    line.event(Ringing)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 486, "operator")
    line.nothing_left()


def test_forked_answers_the_first_is_kept_the_others_are_ended() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 180, tag="a")
    line.reply(invite, 180, tag="b")
    line.reply(invite, 200, tag="a", sdp=SDP_ANSWER)
    line.reply(invite, 200, tag="b", contact="<sip:b@127.0.0.2:5062>", sdp=SDP_ANSWER)
    bye = line.out("BYE")
    (ack, where) = line.out_to("ACK")
    assert (ack.headers["to"].endswith(";tag=b"), where) == (True, ("127.0.0.2", 5062))
    assert bye.headers["to"].endswith(";tag=b")
    kept = line.accept()
    assert kept.headers["to"].endswith(";tag=a")
    assert kept.headers["via"] != ack.headers["via"]
    line.reply(bye, 200)
    assert line.told() == ["Trying", "Ringing", "Answered"]
    line.reply(invite, 200, tag="b", sdp=SDP_ANSWER)
    assert line.out("ACK").headers["to"].endswith(";tag=b")
    line.hang_up()
    line.reply(line.out("BYE"), 200)
    assert line.told() == ["Ended"]
    line.nothing_left()


def test_a_200_repeated_after_the_end_is_still_acknowledged() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.hang_up()
    line.reply(line.out("BYE"), 200)
    assert line.told() == ["Ended"]
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out("ACK")
    line.out_nothing()
    assert line.told() == []
    line.nothing_left()


def test_a_200_after_a_refusal_is_late() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 486, tag="a")
    line.out("ACK")
    assert line.told() == ["Ended"]
    line.reply(invite, 200, tag="b", sdp=SDP_ANSWER)
    line.reply(line.out("BYE"), 200)
    line.out("ACK")
    assert line.event(LateAnswer).attempt_id == ATTEMPT
    line.nothing_left()


def test_a_200_long_after_giving_up_is_late() -> None:
    line = Ladder()
    invite = line.dial()
    line.wait(100)
    line.out_all()
    line.told()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out("ACK")
    line.reply(bye, 200)
    assert line.event(LateAnswer) == LateAnswer(ATTEMPT, 1, 0)
    assert line.told() == []
    line.nothing_left()


def test_ringing_long_after_giving_up_is_cancelled() -> None:
    line = Ladder()
    invite = line.dial()
    line.wait(100)
    line.out_all()
    line.told()
    line.reply(invite, 180)
    cancel = line.out("CANCEL")
    assert cancel.headers["via"] == invite.headers["via"]
    line.reply(cancel, 200)
    line.reply(invite, 487)
    line.out("ACK")
    assert line.told() == []
    line.nothing_left()


def test_crossing_byes() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.hang_up("flow-done")
    bye = line.out("BYE")
    line.ask("BYE", invite)
    line.out("200")
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (True, "flow-done")
    line.reply(bye, 481)
    line.out_nothing()
    assert line.told() == []
    line.nothing_left()


def test_a_lost_bye_is_resent_and_ends_after_32_seconds() -> None:
    line = Ladder()
    line.answered()
    line.hang_up("flow-done")
    line.wait(33)
    assert [at for at, _ in line.out_all()] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    ended = line.event(Ended)
    assert (ended.local, ended.why, ended.sip_code) == (True, "flow-done", 200)
    line.nothing_left()


def test_an_early_bye_ends_the_call_once_it_is_cancelled() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 180)
    line.ask("BYE", invite)
    line.out("200")
    line.reply(line.out("CANCEL"), 200)
    line.reply(invite, 487)
    line.out("ACK")
    line.event(Trying)
    line.event(Ringing)
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (False, "bye")
    line.nothing_left()


@pytest.mark.parametrize("sdp", ["", SDP_ANSWER.replace("6000", "0"), SDP_ANSWER.replace("AVP 0 101", "AVP 18 101")])
def test_an_answer_without_common_audio_is_ended_at_once(sdp: str) -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 200, sdp=sdp)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(bye, 200)
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (True, "no-media")
    line.nothing_left()


def test_a_session_description_may_come_with_183_only() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 183, sdp=SDP_ANSWER)
    line.reply(invite, 200)
    line.event(Trying)
    line.event(Ringing)
    assert line.event(Answered).media == RemoteMedia(address="127.0.0.1", port=6000, payload_type=0)


def test_ringing_is_told_once() -> None:
    line = Ladder()
    invite = line.dial()
    for status in (100, 180, 183, 180, 181, 199):
        line.reply(invite, status)
    assert line.told() == ["Trying", "Ringing"]


def test_loose_routing_the_route_set_is_record_route_reversed() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(
        invite,
        200,
        sdp=SDP_ANSWER,
        contact='"Far, End" <sip:far@127.0.0.8:5999;transport=UDP>;q=1',
        headers=[
            "Record-Route: <sip:127.0.0.4;lr>, <sip:127.0.0.3:5063;lr=on>",
            "Record-Route: <sip:127.0.0.2:5062;lr>",
        ],
    )
    line.agent.accept(line.now, LEG)
    ack, where = line.out_to("ACK")
    assert where == ("127.0.0.2", 5062)
    assert ack.uri == "sip:far@127.0.0.8:5999;transport=UDP"
    assert ack.headers["route"].split("\n") == [
        "<sip:127.0.0.2:5062;lr>",
        "<sip:127.0.0.3:5063;lr=on>",
        "<sip:127.0.0.4;lr>",
    ]
    line.hang_up()
    bye, where = line.out_to("BYE")
    assert (where, bye.uri, bye.headers["route"]) == (("127.0.0.2", 5062), ack.uri, ack.headers["route"])


def test_strict_routing_puts_the_first_route_into_the_request_line() -> None:
    line = Ladder()
    invite = line.dial()
    routes = ["Record-Route: <sip:127.0.0.3:5063>, <sip:127.0.0.2:5062>"]
    line.reply(invite, 200, sdp=SDP_ANSWER, headers=routes)
    line.agent.accept(line.now, LEG)
    ack, where = line.out_to("ACK")
    assert (ack.uri, where) == ("sip:127.0.0.2:5062", ("127.0.0.2", 5062))
    assert ack.headers["route"].split("\n") == ["<sip:127.0.0.3:5063>", "<sip:far@127.0.0.1:5060>"]


def test_a_contact_that_is_a_name_goes_where_the_answer_came_from() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 200, sdp=SDP_ANSWER, contact="<sip:far@sbc.example.net:5090>", source=("127.0.0.5", 5065))
    line.agent.accept(line.now, LEG)
    ack, where = line.out_to("ACK")
    assert (ack.uri, where) == ("sip:far@sbc.example.net:5090", ("127.0.0.5", 5065))


@pytest.mark.parametrize("change", ["branch", "call-id", "tag", "number", "second via"])
def test_stray_responses_change_nothing(change: str) -> None:
    line = Ladder()
    invite = line.dial()
    if change == "branch":
        invite.headers["via"] += "0"
    elif change == "call-id":
        invite.headers["call-id"] += "0"
    elif change == "tag":
        invite.headers["from"] += "0"
    elif change == "number":
        invite.sequence = 2
    headers = ["Via: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1"] if change == "second via" else []
    for status in (180, 200, 486):
        line.reply(invite, status, sdp=SDP_ANSWER, headers=headers)
    assert line.told() == []
    line.out_nothing()


def brought_to(line: Ladder, state: str) -> None:
    """A call of ours in a state that has a name in the ladder."""
    invite = line.dial()
    if state in ("early", "cancelling", "answered", "up", "ending"):
        line.reply(invite, 180)
    if state in ("held", "cancelling"):
        line.hang_up("operator")
    if state in ("answered", "up", "ending"):
        line.reply(invite, 200, sdp=SDP_ANSWER)
    if state in ("up", "ending"):
        line.accept()
    if state == "ending":
        line.hang_up("flow-done")
    line.out_all()
    line.events.clear()


@pytest.mark.parametrize("state", ["calling", "early", "held", "cancelling", "up", "ending"])
def test_a_leg_that_may_not_be_reached_ends_here(state: str) -> None:
    line = Ladder()
    brought_to(line, state)
    line.agent.unreachable(line.now, LEG)
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (True, "refused-address")
    assert line.told() == []
    line.out_nothing()
    line.nothing_left()


def test_a_remembered_leg_that_may_not_be_reached_is_dropped_without_a_word() -> None:
    for stored in (b"", dump(dialog_from(Ladder().answered()[1], PEER, "sip:x"))):
        line = Ladder()
        line.adopt(dialog=stored)
        line.agent.unreachable(line.now, LEG)
        assert line.told() == []
        line.nothing_left(0)


def test_a_bye_before_anything_else_ends_the_call_once_it_is_cancelled() -> None:
    line = Ladder()
    invite = line.dial()
    line.ask("BYE", invite, headers=["Reason: Q.850;cause=16"])
    line.out("200")
    line.wait(5)
    line.out_nothing()
    line.reply(invite, 180)
    line.reply(line.out("CANCEL"), 200)
    line.reply(invite, 487)
    line.out("ACK")
    line.event(Trying)
    line.event(Ringing)
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (False, "bye")
    line.nothing_left()


def test_ringing_that_comes_after_the_cancel_is_still_told() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 100)
    line.hang_up("operator")
    line.reply(invite, 180)
    assert line.told() == ["Trying", "Ringing"]


def test_an_answer_to_a_call_whose_cancel_waits_is_ended_at_once() -> None:
    line = Ladder()
    invite = line.dial(ring_limit_ms=1_000)
    line.wait(1.1)
    line.out_all()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(bye, 200)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 200, "ring-limit")
    line.nothing_left()


def test_a_refusal_before_any_provisional_of_a_call_whose_cancel_waits() -> None:
    line = Ladder()
    invite = line.dial()
    line.hang_up("operator")
    line.reply(invite, 486)
    line.out("ACK")
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 486, "operator")
    line.nothing_left()


def test_a_refusal_of_a_call_whose_cancel_waits() -> None:
    line = Ladder()
    invite = line.dial()
    line.hang_up("operator")
    line.reply(invite, 100)
    line.reply(line.out("CANCEL"), 481)
    assert line.told() == ["Trying"]
    line.reply(invite, 603)
    line.out("ACK")
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 603, "operator")
    line.nothing_left()


def test_a_leg_never_sent_leaves_nothing() -> None:
    line = Ladder()
    line.dial()
    line.agent.not_sent(line.now, LEG)
    assert line.told() == []
    line.nothing_left(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"destination": "sip:a@b\r\nEvil: 1"},
        {"destination": "sips:a@127.0.0.1"},
        {"destination": "tel:+12025550123"},
        {"destination": "+1202 555"},
        {"destination": ""},
        {"source": "sip:x y@z"},
        {"source": "1\r\nEvil: 1"},
    ],
)
def test_an_order_that_cannot_be_written_is_refused(changes: dict[str, Any]) -> None:
    line = Ladder()
    with pytest.raises(ValueError, match="bad-"):
        line.dial(**changes)
    line.nothing_left(0)


def test_a_leg_is_dialled_once() -> None:
    line = Ladder()
    line.dial()
    with pytest.raises(ValueError, match="duplicate-leg"):
        line.dial()


def test_names_are_quoted_and_cannot_inject() -> None:
    invite = Ladder().dial(source_name='Ann "A" \\ Müller\r\nEvil: 1', source="+12025550100")
    assert "evil" not in invite.headers
    assert invite.headers["from"].encode("latin-1").decode().startswith('"Ann \\"A\\" \\\\ MüllerEvil: 1" <sip:')


def test_a_sip_uri_goes_to_the_peer_as_it_is() -> None:
    line = Ladder()
    line.agent.invite(0, order(destination="sip:ann@example.net"), PEER)
    invite, where = line.out_to("INVITE")
    assert (invite.uri, where) == ("sip:ann@example.net", PEER)


def test_anonymous_callers() -> None:
    assert Ladder().dial(source="").headers["from"].startswith('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=')


def test_a_response_from_elsewhere_with_all_the_right_identifiers_counts() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 180, source=STRANGER)
    assert line.told() == ["Trying", "Ringing"]


def test_a_bye_with_a_provisional_response_is_resent_every_4_seconds() -> None:
    line = Ladder()
    line.answered()
    line.hang_up("flow-done")
    line.reply(line.out("BYE"), 100)
    line.wait(31.9)
    assert line.out_all() == [(at, "BYE") for at in (4, 8, 12, 16, 20, 24, 28)]
    assert line.told() == []
    line.wait(0.2)
    assert line.event(Ended).why == "flow-done"
    line.nothing_left()


@pytest.mark.parametrize("status", [200, 481])
def test_a_final_response_after_a_provisional_one_to_a_bye(status: int) -> None:
    line = Ladder()
    line.answered()
    line.hang_up("flow-done")
    bye = line.out("BYE")
    line.reply(bye, 100)
    line.reply(bye, status)
    assert line.told() == ["Ended"]
    line.nothing_left()


def test_an_answer_that_nobody_accepts_is_ended_when_the_far_end_gives_up_on_it() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.wait(31.9)
    line.out_nothing()
    line.wait(0.2)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(bye, 200)
    line.event(Answered)
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 200, "no-ack")
    line.nothing_left()


def test_an_accepted_answer_may_last() -> None:
    line = Ladder()
    line.answered()
    line.wait(3_600)
    assert line.told() == []
    line.out_nothing()


def test_an_answer_to_the_challenged_invite_does_not_hide_the_answer_to_the_second() -> None:
    line = Ladder()
    first = line.dial("pw", peer=peer(username="u"))
    line.reply(first, 401, headers=['WWW-Authenticate: Digest realm="r", nonce="n"'])
    line.out("ACK")
    second = line.out("INVITE")
    line.reply(first, 200, sdp=SDP_ANSWER)
    line.reply(line.out("BYE"), 200)
    line.out("ACK")
    line.events.clear()
    line.reply(second, 200, sdp=SDP_ANSWER)
    assert line.told() == ["Answered"]
    line.accept()
    line.hang_up()
    line.reply(line.out("BYE"), 200)
    assert line.told() == ["Ended"]
    line.nothing_left()


def test_a_fork_that_answers_after_everybody_stopped_waiting_is_ended() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.wait(40)
    line.reply(invite, 200, tag="late", sdp=SDP_ANSWER)
    bye = line.out("BYE")
    assert bye.headers["to"].endswith(";tag=late")
    line.out("ACK")
    line.reply(bye, 200)
    for status in (180, 486):
        line.reply(invite, status)
    line.out_nothing()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out("ACK")
    assert line.agent.open_legs() == [LEG]
    assert line.told() == []


def test_a_fork_without_a_contact_is_ended_where_it_is() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.reply(invite, 200, tag="b", sdp=SDP_ANSWER, contact="")
    bye, where = line.out_to("BYE")
    assert (bye.uri, where) == (invite.uri, PEER)
    assert line.out_to("ACK")[1] == PEER


@pytest.mark.parametrize("to_value", ["<sip:a b@c>;tag=b", "<tel:+12025550123>;tag=b", "nonsense"])
def test_a_fork_that_cannot_be_written_to_is_answered_where_it_came_from(to_value: str) -> None:
    line = Ladder()
    invite, _ = line.answered()
    invite.headers["to"] = to_value
    line.reply(invite, 200, tag="", sdp=SDP_ANSWER, contact="<sip:far@sbc.example.net>", source=("127.0.0.5", 5065))
    assert line.out_to("BYE")[1] == ("127.0.0.5", 5065)


def test_a_response_with_two_vias_in_one_line_is_a_stray() -> None:
    line = Ladder()
    invite = line.dial()
    invite.headers["via"] += ", SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1"
    line.reply(invite, 486)
    assert line.told() == []
    line.out_nothing()
