"""The ledger check itself: whatever is missing on either side, it says so."""

import json
from pathlib import Path
from typing import Any

import pytest

from outdialer.cli.ledger import compare, initial_invites
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.model import Address, CampaignCall
from outdialer.domain.outcome import UNKNOWN
from outdialer.domain.units import NIL_ID

ADDRESS = Address(type="tel", target="+12025550123")


def _attempt(call_id: str, *, charged: bool = True, detail: str = "") -> tuple[str, CampaignCall]:
    return call_id, CampaignCall(
        id=call_id.encode().ljust(16, b"0"),
        campaign_id=NIL_ID,
        outplan_id=NIL_ID,
        outdial_id=NIL_ID,
        outdial_target_id=NIL_ID,
        status=AttemptStatus.DONE,
        source=ADDRESS,
        destination=ADDRESS,
        destination_index=0,
        try_count=1,
        charged=charged,
        hangup_detail=detail,
    )


def _line(call_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": "message",
        "dir": "in",
        "method": "INVITE",
        "status": 0,
        "call_id": call_id,
        "branch": f"branch-{call_id}",
        "to": "<sip:+12025550123@127.0.0.1>",
        "retransmission": False,
        **fields,
    }


def _log(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "phones.jsonl"
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return path


CALLS = ("a", "b", "c")


def test_equal_ledgers_agree(tmp_path: Path) -> None:
    differences = compare(map(_attempt, CALLS), initial_invites(_log(tmp_path, [_line(call) for call in CALLS])))
    assert differences.equal
    assert "they agree" in str(differences)


@pytest.mark.parametrize("gone", CALLS)
def test_a_row_deleted_from_the_books_is_found(tmp_path: Path, gone: str) -> None:
    books = [_attempt(call) for call in CALLS if call != gone]
    differences = compare(books, initial_invites(_log(tmp_path, [_line(call) for call in CALLS])))
    assert not differences.equal
    assert differences.without_attempt == (gone,)
    assert gone in str(differences)


@pytest.mark.parametrize("gone", CALLS)
def test_a_line_deleted_from_the_log_is_found(tmp_path: Path, gone: str) -> None:
    log = _log(tmp_path, [_line(call) for call in CALLS if call != gone])
    differences = compare(map(_attempt, CALLS), initial_invites(log))
    assert not differences.equal
    assert differences.without_invite == (gone,)


def test_retransmissions_and_requests_inside_a_dialog_are_no_second_invite(tmp_path: Path) -> None:
    lines = [
        _line("a"),
        _line("a", retransmission=True),
        _line("a", to="<sip:x>;tag=1", branch="re-invite"),
        _line("a", dir="out", status=200),
        _line("a", method="BYE"),
    ]
    assert list(initial_invites(_log(tmp_path, lines))) == [("a", "branch-a")]


def test_one_more_invite_after_a_challenge_is_right_and_a_third_is_not(tmp_path: Path) -> None:
    twice = [_line("a"), _line("a", branch="second")]
    assert compare([_attempt("a")], initial_invites(_log(tmp_path, twice))).equal
    thrice = [*twice, _line("a", branch="third")]
    assert compare([_attempt("a")], initial_invites(_log(tmp_path, thrice))).repeated == ("a",)


def test_what_was_not_sent_must_not_be_on_the_wire(tmp_path: Path) -> None:
    assert compare([_attempt("a", charged=False)], []).equal
    seen = initial_invites(_log(tmp_path, [_line("a")]))
    assert compare([_attempt("a", charged=False)], seen).repeated == ("a",)


def test_an_unknown_attempt_may_or_may_not_have_been_sent(tmp_path: Path) -> None:
    assert compare([_attempt("a", detail=UNKNOWN)], []).equal
    assert compare([_attempt("a", detail=UNKNOWN)], initial_invites(_log(tmp_path, [_line("a")]))).equal


def test_one_invite_for_two_attempts_is_found(tmp_path: Path) -> None:
    seen = initial_invites(_log(tmp_path, [_line("a")]))
    assert compare([_attempt("a"), _attempt("a")], seen).repeated == ("a",)
