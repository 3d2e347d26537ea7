"""Legs of an earlier life: only the far end can say that they are dead."""

from outdialer.ports.carrier import Answered, Ended, LateAnswer

from .ladder import ATTEMPT, LEG, SDP_ANSWER, Ladder, label, peer


def test_a_ringing_leg_is_cancelled_with_the_branch_of_its_invite() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.adopt()
    cancel = line.out("CANCEL")
    assert cancel.headers["via"] == invite.headers["via"]
    assert cancel.headers["from"] == invite.headers["from"]
    assert (cancel.uri, cancel.sequence, cancel.call_id) == (invite.uri, 1, invite.call_id)
    line.reply(cancel, 200)
    assert line.told() == []
    line.reply(invite, 487)
    line.out("ACK")
    ended = line.event(Ended)
    assert (ended.local, ended.sip_code, ended.why) == (True, 487, "recovered")
    line.nothing_left()


def test_481_to_every_cancel_confirms() -> None:
    line = Ladder()
    line.adopt(peer=peer(username="user"))
    first, second = line.out("CANCEL"), line.out("CANCEL")
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.headers["via"] != second.headers["via"]
    line.reply(first, 481)
    assert line.told() == []
    line.reply(first, 481)
    assert line.told() == []
    line.reply(second, 481)
    assert line.told() == [], "a 200 may still be repeated"
    line.wait(4.6)
    assert line.event(Ended).why == "recovered"
    line.nothing_left()


def test_an_answer_after_481_is_late_and_not_lost() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.adopt()
    line.reply(line.out("CANCEL"), 481)
    line.wait(4.0)
    assert line.told() == []
    line.reply(invite, 200, sdp=SDP_ANSWER)
    assert line.told() == ["LateAnswer"]


def test_481_from_a_new_address_confirms_nothing() -> None:
    line = Ladder(same_address=False)
    line.adopt()
    line.reply(line.out("CANCEL"), 481)
    line.wait(100)
    assert line.told() == []
    line.nothing_left(0)


def test_a_repeated_challenge_to_the_first_invite_confirms_nothing() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.adopt(peer=peer(username="user"))
    line.out("CANCEL")
    second = line.out("CANCEL")
    line.reply(invite, 401)
    line.out("ACK")
    assert line.told() == []
    second.method = "INVITE"
    line.reply(second, 487)
    line.out("ACK")
    assert line.event(Ended).sip_code == 487
    line.nothing_left()


def test_no_answer_to_the_cancel_says_nothing() -> None:
    line = Ladder()
    line.adopt()
    line.wait(100)
    assert [at for at, _ in line.out_all()] == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert line.told() == []
    line.nothing_left(0)


def test_200_to_the_cancel_alone_says_nothing() -> None:
    line = Ladder()
    line.adopt()
    line.reply(line.out("CANCEL"), 200)
    line.wait(100)
    assert line.told() == []
    line.nothing_left(0)


def test_an_answer_that_comes_for_a_cancelled_leg_is_ended_and_confirmed_by_its_bye() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.adopt()
    line.out("CANCEL")
    line.reply(invite, 200, sdp=SDP_ANSWER)
    assert line.event(LateAnswer) == LateAnswer(ATTEMPT, 1, 0, LEG)
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out_nothing()
    line.agent.accept(line.now, LEG)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out("ACK")
    line.reply(bye, 200)
    assert line.event(Ended).why == "recovered"
    line.nothing_left()


def test_an_answer_that_nobody_notes_is_ended_in_the_end() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.adopt()
    line.reply(line.out("CANCEL"), 200)
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.out_nothing()
    line.wait(32)
    bye = line.out("BYE")
    line.out("ACK")
    line.reply(bye, 200)
    assert line.told() == ["LateAnswer", "Ended"]
    line.nothing_left()


def test_the_far_end_may_hang_up_before_its_answer_is_noted() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.adopt()
    line.out("CANCEL")
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.ask("BYE", invite)
    line.out("200")
    assert line.told() == ["LateAnswer", "Ended"]
    line.nothing_left()


def test_an_answered_leg_is_ended_by_its_stored_dialog() -> None:
    before = Ladder()
    invite = before.dial()
    before.reply(invite, 200, sdp=SDP_ANSWER, headers=["Record-Route: <sip:127.0.0.3;lr>"])
    stored = before.event(Answered).dialog
    acknowledged = before.accept()
    before.hang_up()
    line = Ladder()
    line.adopt(dialog=stored)
    bye, where = line.out_to("BYE")
    assert (bye, where) == (before.out("BYE"), ("127.0.0.3", 5060))
    assert line.out("ACK") == acknowledged
    line.reply(invite, 200, sdp=SDP_ANSWER)
    assert line.out("ACK") == acknowledged
    line.reply(bye, 481)
    ended = line.event(Ended)
    assert (ended.local, ended.why) == (True, "recovered")
    line.nothing_left()


def test_a_bye_that_nobody_answers_says_nothing() -> None:
    before = Ladder()
    before.reply(before.dial(), 200, sdp=SDP_ANSWER)
    line = Ladder()
    line.adopt(dialog=before.event(Answered).dialog)
    line.wait(100)
    assert [what for _, what in line.out_all()] == ["BYE", "ACK", *["BYE"] * 10]
    assert line.told() == []
    line.nothing_left(0)


def test_only_200_and_481_to_the_bye_confirm() -> None:
    before = Ladder()
    before.reply(before.dial(), 200, sdp=SDP_ANSWER)
    line = Ladder()
    line.adopt(dialog=before.event(Answered).dialog)
    line.reply(line.out("BYE"), 503)
    assert line.told() == []
    line.nothing_left()


def test_a_challenged_bye_is_answered() -> None:
    before = Ladder()
    before.reply(before.dial(), 200, sdp=SDP_ANSWER)
    line = Ladder()
    line.adopt(dialog=before.event(Answered).dialog, peer=peer(username="user"))
    line.reply(line.out("BYE"), 407, headers=['Proxy-Authenticate: Digest realm="r", nonce="n"'])
    line.out("ACK")
    again = line.out("BYE")
    assert "proxy-authorization" in again.headers
    line.reply(again, 200)
    assert line.event(Ended).why == "recovered"
    line.nothing_left()


def test_a_bye_from_the_far_end_confirms_too() -> None:
    before = Ladder()
    invite = before.dial()
    before.reply(invite, 200, sdp=SDP_ANSWER)
    line = Ladder()
    line.adopt(dialog=before.event(Answered).dialog)
    line.out("BYE")
    line.out("ACK")
    line.ask("BYE", invite)
    line.out("200")
    assert line.event(Ended).why == "recovered"
    line.nothing_left()


def test_a_dialog_that_cannot_be_read_is_treated_as_not_answered() -> None:
    line = Ladder()
    line.adopt(dialog=b"\xff")
    line.out("CANCEL")


def test_a_late_200_without_any_memory_is_acknowledged_and_ended() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.reply(invite, 200, sdp=SDP_ANSWER)
    line.reply(line.out("BYE"), 200)
    line.out("ACK")
    assert line.event(LateAnswer).attempt_id == ATTEMPT
    assert line.told() == []
    line.nothing_left()


def test_a_late_200_that_is_not_ours_is_dropped() -> None:
    for change in ("from", "via", "call-id"):
        forged = Ladder().dial()
        forged.headers[change] = forged.headers[change][:-1] + "x"
        line = Ladder()
        line.reply(forged, 200, sdp=SDP_ANSWER)
        line.out_nothing()


def test_a_late_refusal_without_any_memory_is_acknowledged() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.reply(invite, 486)
    line.out("ACK")
    assert line.told() == []
    line.nothing_left()


def test_adopting_a_leg_that_was_heard_of_already() -> None:
    invite = Ladder().dial()
    line = Ladder()
    line.reply(invite, 180)
    cancel = line.out("CANCEL")
    line.adopt()
    line.out_nothing()
    line.reply(cancel, 200)
    line.reply(invite, 487)
    line.out("ACK")
    assert line.event(Ended).why == "recovered"
    line.nothing_left()


def test_many_legs_leave_nothing_behind() -> None:
    line = Ladder()
    for leg in range(1, 51):
        line.adopt(leg=leg, attempt_id=leg.to_bytes(16, "big"))
    cancels = [message for _, message, _ in line.sent]
    line.sent.clear()
    for cancel in cancels:
        line.reply(cancel, 481)
    line.wait(4.6)
    assert sorted(event.leg for event in line.events if isinstance(event, Ended)) == list(range(1, 51))
    assert {label(message) for _, message, _ in line.sent} == set()
    line.nothing_left()


def test_an_order_to_hang_up_a_remembered_leg_changes_nothing() -> None:
    line = Ladder()
    line.adopt()
    line.out("CANCEL")
    line.hang_up("operator")
    line.out_nothing()
    assert line.told() == []


def test_another_fork_of_an_answered_leg_of_an_earlier_life_is_ended_too() -> None:
    before = Ladder()
    invite = before.dial()
    before.reply(invite, 200, tag="a", sdp=SDP_ANSWER)
    line = Ladder()
    line.adopt(dialog=before.event(Answered).dialog)
    first = line.out("BYE")
    line.out("ACK")
    line.reply(invite, 200, tag="b", sdp=SDP_ANSWER)
    second = line.out("BYE")
    assert second.headers["to"].endswith(";tag=b")
    line.out("ACK")
    line.reply(second, 200)
    line.reply(first, 200)
    assert line.told() == ["Ended"]
    line.nothing_left()
