"""Requests that come in: what a dialog needs is answered, everything else is refused."""

import pytest

from outdialer.carriers.sip.core.answering import STRANGER_REPLIES_PER_S
from outdialer.carriers.sip.core.headers import values
from outdialer.carriers.sip.core.outputs import Send
from outdialer.ports.carrier import Ended

from .ladder import LEG, SDP_ANSWER, STRANGER, Ladder

HOLDS = [
    ("a=sendonly\r\n", b"a=recvonly"),
    ("a=inactive\r\n", b"a=inactive"),
    ("a=recvonly\r\n", b"a=sendonly"),
    ("a=sendrecv\r\n", b"a=sendrecv"),
    ("", b"a=sendrecv"),
]


def request(method: str, *headers: str, to_tag: str = "", call_id: str = "c1", via: str = "") -> bytes:
    return "\r\n".join(
        [
            f"{method} sip:outdialer@127.0.0.1:5070 SIP/2.0",
            via or "Via: SIP/2.0/UDP 127.0.0.9:5061;branch=z9hG4bKs;rport",
            "From: <sip:s@127.0.0.9>;tag=s",
            f"To: <sip:outdialer@127.0.0.1>{to_tag}",
            f"Call-ID: {call_id}",
            f"CSeq: 5 {method}",
            *headers,
            "",
            "",
        ]
    ).encode()


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", "200"), ("INVITE", "403"), ("CANCEL", "481"), ("BYE", "481"), ("INFO", "481"), ("UPDATE", "481"),
        ("PRACK", "481"), ("REGISTER", "405"), ("SUBSCRIBE", "405"), ("NOTIFY", "405"), ("REFER", "405"),
        ("MESSAGE", "405"), ("PUBLISH", "405"), ("BREW", "501"),
    ],
)  # fmt: skip
def test_strangers_get_no_service(method: str, status: str) -> None:
    line = Ladder()
    line.hear(request(method), STRANGER)
    answer, where = line.out_to(status)
    assert where == STRANGER
    assert answer.headers["via"] == "SIP/2.0/UDP 127.0.0.9:5061;branch=z9hG4bKs;rport=5060;received=127.0.0.9"
    assert ";tag=" in answer.headers["to"]
    assert ("allow" in answer.headers) == (status in ("200", "405", "501"))
    line.nothing_left(0)


def test_a_repeated_stranger_gets_the_same_answer() -> None:
    line = Ladder()
    line.hear(request("INVITE"), STRANGER)
    line.hear(request("INVITE"), STRANGER)
    assert line.out("403") == line.out("403")
    line.hear(request("ACK"), STRANGER)
    line.out_nothing()


def test_without_rport_the_answer_goes_to_the_sent_by_port() -> None:
    line = Ladder()
    line.hear(request("OPTIONS", via="Via: SIP/2.0/UDP host.example:5099;branch=z9hG4bKs"), STRANGER)
    assert line.out_to("200")[1] == (STRANGER[0], 5099)


@pytest.mark.parametrize("method", ["BYE", "INVITE", "OPTIONS", "INFO", "UPDATE"])
def test_unknown_dialogs(method: str) -> None:
    line = Ladder()
    line.hear(request(method, to_tag=";tag=x"), STRANGER)
    line.out("481")


def test_a_flood_of_strangers_is_cut() -> None:
    line = Ladder()
    for number in range(5 * STRANGER_REPLIES_PER_S):
        line.hear(request("OPTIONS", call_id=f"c{number}"), STRANGER)
    assert len(line.out_all()) == STRANGER_REPLIES_PER_S
    line.wait(1)
    line.hear(request("OPTIONS"), STRANGER)
    line.out("200")


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(("attribute", "answer"), HOLDS)
def test_the_far_end_holds_and_resumes(method: str, attribute: str, answer: bytes) -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask(method, invite, sdp=SDP_ANSWER + attribute)
    ok = line.out("200")
    assert answer in ok.body
    assert b"m=audio 4000 RTP/AVP 0 101" in ok.body
    line.ask("ACK", invite)
    line.wait(40)
    line.out_nothing()
    line.hang_up()
    line.reply(line.out("BYE"), 200)
    line.nothing_left()


def test_the_old_way_to_hold() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"))
    assert b"a=recvonly" in line.out("200").body


def test_each_new_description_has_a_higher_version() -> None:
    line = Ladder()
    invite, _ = line.answered()
    bodies = [invite.body]
    for sequence in (1, 2):
        line.ask("UPDATE", invite, sdp=SDP_ANSWER, sequence=sequence)
        bodies.append(line.out("200").body)
    origins = [body.split(b"\r\n")[1].split() for body in bodies]
    assert len({origin[1] for origin in origins}) == 1
    assert [int(origin[2]) for origin in origins] == sorted({int(origin[2]) for origin in origins})


def test_a_re_invite_without_an_offer_gets_ours() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite)
    assert b"RTP/AVP 0 8 101" in line.out("200").body
    line.ask("ACK", invite)
    line.ask("UPDATE", invite, sequence=2)
    assert line.out("200").body == b""


def test_an_offer_without_common_audio_is_refused() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER.replace("AVP 0 101", "AVP 18"))
    line.out("488")


def test_the_200_to_a_re_invite_is_resent_until_its_ack() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER)
    line.ask("INVITE", invite, sdp=SDP_ANSWER, sequence=2)
    line.wait(2)
    assert line.out_all() == [(0, "200"), (0, "491"), (0.5, "200"), (1.5, "200")]
    line.ask("ACK", invite)
    line.wait(40)
    line.out_nothing()


def test_a_re_invite_never_acknowledged_ends_the_call() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER)
    line.wait(32.1)
    assert line.out_all()[-1] == (32.0, "BYE")
    line.wait(40)
    assert line.event(Ended).why == "no-ack"
    line.nothing_left()


def test_a_re_invite_pending_while_we_hang_up() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER)
    line.out("200")
    line.hang_up()
    line.reply(line.out("BYE"), 200)
    line.ask("ACK", invite)
    assert line.told() == ["Ended"]
    line.out_nothing()
    line.nothing_left()


def test_glare_before_the_answer() -> None:
    line = Ladder()
    invite = line.dial()
    line.reply(invite, 183, sdp=SDP_ANSWER)
    line.ask("UPDATE", invite, sdp=SDP_ANSWER)
    line.out("491")
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.ask("INVITE", invite, sdp=SDP_ANSWER, sequence=2)
    line.out("491")


def test_a_re_invite_after_our_bye_is_too_late() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.hang_up()
    line.out("BYE")
    line.ask("INVITE", invite, sdp=SDP_ANSWER)
    line.out("481")


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", "200"), ("INFO", "200"), ("REFER", "603"), ("SUBSCRIBE", "405"), ("MESSAGE", "405"), ("PRACK", "481")],
)
def test_other_requests_inside_a_dialog(method: str, status: str) -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask(method, invite)
    line.out(status)
    assert line.agent.open_legs() == [LEG]


def test_a_required_extension_is_refused_by_name() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER, headers=["Require: timer", "Require: nothing"])
    assert line.out("420").headers["unsupported"] == "timer, nothing"


def test_an_old_request_is_refused_and_a_repeated_one_is_answered_again() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INFO", invite, sequence=5)
    first = line.out("200")
    line.ask("INFO", invite, sequence=5)
    assert line.out("200") == first
    line.ask("INFO", invite, sequence=4)
    line.out("500")


@pytest.mark.parametrize("tag", ["other", ""])
def test_a_bye_of_another_dialog_ends_nothing(tag: str) -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("BYE", invite, tag=tag)
    line.out("481")
    assert line.told() == []
    assert line.agent.open_legs() == [LEG]


def test_record_route_and_every_via_come_back_in_order() -> None:
    line = Ladder()
    invite, _ = line.answered()
    above = ["Via: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKb, SIP/2.0/UDP 127.0.0.3;branch=z9hG4bKc"]
    line.ask("INFO", invite, headers=[*above, "Record-Route: <sip:127.0.0.2;lr>"])
    answer = line.out("200")
    assert [via.partition("branch=")[2][:9] for via in values(answer.headers["via"])][1:] == [
        "z9hG4bKb",
        "z9hG4bKc",
    ]
    assert answer.headers["record-route"] == "<sip:127.0.0.2;lr>"


def test_a_re_invite_moves_the_remote_target() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("UPDATE", invite, contact="<sip:moved@127.0.0.6:5066>")
    line.out("200")
    line.hang_up()
    bye, where = line.out_to("BYE")
    assert (bye.uri, where) == ("sip:moved@127.0.0.6:5066", ("127.0.0.6", 5066))


def test_a_cancel_comes_too_late_for_a_re_invite_that_is_answered() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, sdp=SDP_ANSWER, branch="same")
    line.out("200")
    line.ask("CANCEL", invite, branch="same")
    line.out("200")
    line.ask("CANCEL", invite, sequence=2)
    line.out("481")
    assert line.agent.open_legs() == [LEG]


def test_a_refused_re_invite_does_not_move_the_remote_target() -> None:
    line = Ladder()
    invite, _ = line.answered()
    line.ask("INVITE", invite, contact="<sip:moved@127.0.0.6:5066>", sdp=SDP_ANSWER.replace("AVP 0 101", "AVP 18"))
    line.out("488")
    line.hang_up()
    assert line.out("BYE").uri == "sip:far@127.0.0.1:5060"


def test_thousands_of_via_values_do_not_become_as_many_header_fields() -> None:
    line = Ladder()
    data = request("OPTIONS", via=f"Via: SIP/2.0/UDP h;branch=z9hG4bKs{',a' * 4_000}")
    line.agent.receive(0, data, STRANGER)
    (answer,) = line.agent.take_outputs()
    assert isinstance(answer, Send)
    assert len(answer.data) < 2 * len(data)
    assert answer.data.count(b"\r\n") < 20


@pytest.mark.parametrize("via", ["Via: ,", "Via:  , ,", "Via: ,\r\nv: \t,"])
def test_a_via_without_a_value_is_no_message(via: str) -> None:
    line = Ladder()
    line.hear(request("OPTIONS", via=via), STRANGER)
    line.out_nothing()


def test_a_flood_inside_a_dialog_is_not_all_remembered() -> None:
    """The far end of one call repeats nothing and asks for ever, with the largest headers there are."""
    line = Ladder()
    invite, _ = line.answered()
    large = [f"Record-Route: <sip:127.0.0.1;lr;x={'y' * 8_000}>"] * 7
    for sequence in range(1, 501):
        line.ask("INFO", invite, sequence=sequence, headers=large)
    assert len(line.out_all()) == 500
    assert line.agent.leftovers()["stored responses"] * 56_000 < 17_000_000
    line.wait(33)
    line.ask("INFO", invite, sequence=501)
    assert line.agent.leftovers()["stored responses"] == 1
    assert line.agent.open_legs() == [LEG]
