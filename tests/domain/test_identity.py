"""What a leg is called on the wire: repeatable, its own, and checkable without memory."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.domain.identity import BRANCH_COOKIE, branch, leg_identity, verify_call_id

SECRET = b"s" * 32
ATTEMPT = bytes(range(16))
ids = st.binary(min_size=16, max_size=16)
legs = st.integers(1, 999)


@given(ids, legs)
def test_a_call_id_names_its_attempt_and_leg(attempt_id: bytes, leg_number: int) -> None:
    identity = leg_identity(SECRET, attempt_id, leg_number)
    assert verify_call_id(SECRET, identity.call_id) == (attempt_id, leg_number)


@given(ids, legs)
def test_it_is_the_same_every_time_and_a_token_of_rfc_3261(attempt_id: bytes, leg_number: int) -> None:
    identity = leg_identity(SECRET, attempt_id, leg_number)
    assert identity == leg_identity(SECRET, attempt_id, leg_number)
    assert identity.call_id.replace("-", "").isalnum()
    assert len(identity.from_tag) == 16
    assert identity.from_tag.isalnum()


def test_everything_that_goes_in_changes_what_comes_out() -> None:
    base = leg_identity(SECRET, ATTEMPT, 1)
    others = [
        leg_identity(b"t" * 32, ATTEMPT, 1),
        leg_identity(SECRET, bytes(16), 1),
        leg_identity(SECRET, ATTEMPT, 2),
    ]
    for one, other in combinations([base, *others], 2):
        assert one.call_id != other.call_id
        assert one.from_tag != other.from_tag
    assert base.from_tag not in base.call_id


def test_branches_differ_by_method_leg_and_sequence() -> None:
    branches = [
        branch(SECRET, ATTEMPT, 1, "INVITE", 1),
        branch(SECRET, ATTEMPT, 1, "INVITE", 2),
        branch(SECRET, ATTEMPT, 1, "BYE", 1),
        branch(SECRET, ATTEMPT, 2, "INVITE", 1),
        branch(SECRET, bytes(16), 1, "INVITE", 1),
        branch(b"t" * 32, ATTEMPT, 1, "INVITE", 1),
    ]
    assert len(set(branches)) == len(branches)
    assert all(text.startswith(BRANCH_COOKIE) for text in branches)
    assert BRANCH_COOKIE == "z9hG4bK"


def test_another_installation_does_not_know_it() -> None:
    assert verify_call_id(b"t" * 32, leg_identity(SECRET, ATTEMPT, 1).call_id) is None


@pytest.mark.parametrize(
    "call_id",
    [
        "",
        "--",
        "a@b",
        f"{ATTEMPT.hex()}-1",
        f"{ATTEMPT.hex()}-1-",
        f"{ATTEMPT.hex()}-1-0000000000000000",
        f"{ATTEMPT.hex()}-01-{leg_identity(SECRET, ATTEMPT, 1).call_id.split('-')[2]}",
        f"{ATTEMPT.hex()}-x-0000000000000000",
        f"{ATTEMPT.hex()}-1000-0000000000000000",
        f"{ATTEMPT.hex()}-\uff11-0000000000000000",
        f"{ATTEMPT.hex()}-1-\u00e9",
        f"{'z' * 32}-1-0000000000000000",
        f"{ATTEMPT.hex()[:-2]}-1-0000000000000000",
        leg_identity(SECRET, ATTEMPT, 1).call_id.upper(),
        leg_identity(SECRET, ATTEMPT, 1).call_id + "-1",
    ],
)
def test_what_nobody_here_made_is_refused_quietly(call_id: str) -> None:
    assert verify_call_id(SECRET, call_id) is None


@given(st.text())
def test_no_text_breaks_the_check(call_id: str) -> None:
    assert verify_call_id(SECRET, call_id) is None


@given(st.integers(0, 500), st.characters())
def test_one_changed_character_is_noticed(place: int, character: str) -> None:
    call_id = leg_identity(SECRET, ATTEMPT, 12).call_id
    place %= len(call_id)
    changed = call_id[:place] + character + call_id[place + 1 :]
    assert (verify_call_id(SECRET, changed) is None) == (changed != call_id)
