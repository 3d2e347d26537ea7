import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.carriers.simulator.behaviours import (
    MIXES,
    PRESETS,
    SUFFIXES,
    Behaviour,
    Kind,
    Mix,
    Rule,
    Share,
    behaviour_for,
    parse_behaviours,
    parse_mix,
    parse_rule,
    scaled,
    table,
)

numbers = st.integers(min_value=0, max_value=99_999).map(lambda n: f"+1{200 + n // 100 % 700}{555}01{n % 100:02d}")


@given(numbers, st.integers(1, 5), st.integers(0, 10))
def test_same_question_same_answer(number: str, try_number: int, seed: int) -> None:
    first = behaviour_for(number, try_number, seed, MIXES["town"])
    assert behaviour_for(number, try_number, seed, MIXES["town"]) == first


def test_independent_of_the_hash_seed_of_the_interpreter() -> None:
    program = (
        "from outdialer.carriers.simulator.behaviours import MIXES, behaviour_for\n"
        "print([behaviour_for(f'+1202555{n:04d}', 1, 7, MIXES['town']) for n in range(100, 200)])\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_town_has_its_shares() -> None:
    town = MIXES["town"]
    total = 20_000
    seen = Counter(behaviour_for(f"+1{n}", 1, 3, town).kind for n in range(total))
    weights = sum(share.weight for share in town.shares)
    for share in town.shares:
        kind = parse_behaviours(str(share.behaviours[0]))[0].kind
        assert abs(seen[kind] / total - share.weight / weights) < 0.02


def test_another_seed_is_another_town() -> None:
    town = MIXES["town"]
    towns = {tuple(behaviour_for(f"+1{n}", 1, seed, town).kind for n in range(50)) for seed in range(5)}
    assert len(towns) == 5


def test_every_last_two_digits_of_a_fictional_number_have_a_behaviour() -> None:
    covered = [digits for first, last, _ in SUFFIXES for digits in range(first, last + 1)]
    assert covered == list(range(100))
    for first, _, name in SUFFIXES:
        found = behaviour_for(f"+12025550{100 + first}", 1, 0, MIXES["suffix"])
        assert found == parse_behaviours(name)[0]


def test_other_numbers_of_the_suffix_mix_answer() -> None:
    assert behaviour_for("sales", 1, 0, MIXES["suffix"]).kind is Kind.ANSWER


def test_series_goes_by_the_try_and_keeps_its_last() -> None:
    mix = Mix(rules=(parse_rule("busy/no-answer/answer"),))
    kinds = [behaviour_for("+12025550123", n, 0, mix).kind for n in (1, 2, 3, 4)]
    assert kinds == [Kind.BUSY, Kind.NO_ANSWER, Kind.ANSWER, Kind.ANSWER]


@pytest.mark.parametrize(
    ("text", "number", "matches"),
    [
        ("+12025550123=busy", "+12025550123", True),
        ("+12025550123=busy", "+12025550124", False),
        ("+1202*=busy", "+12025550124", True),
        ("+1202*=busy", "+13025550124", False),
        ("*0124=busy", "+13025550124", True),
        ("*0124=busy", "+13025550123", False),
        ("*=busy", "anybody", True),
        ("busy", "anybody", True),
        ("busy:final_after_ms=5", "anybody", True),
    ],
)
def test_rules_match_whole_prefix_suffix_and_all(text: str, number: str, matches: bool) -> None:
    assert parse_rule(text).matches(number) is matches


def test_the_first_matching_rule_decides() -> None:
    mix = MIXES["suffix"].with_rules((parse_rule("+12025550165=decline"), parse_rule("+1202*=answer")))
    assert behaviour_for("+12025550165", 1, 0, mix).kind is Kind.DECLINE
    assert behaviour_for("+12025550166", 1, 0, mix).kind is Kind.ANSWER
    assert behaviour_for("+13025550166", 1, 0, mix).kind is Kind.BUSY


def test_parameters_change_a_preset() -> None:
    (behaviour,) = parse_behaviours("digest:hang_up_after_ms=500,loss=0.5,ring_after_ms=none")
    assert (behaviour.hang_up_after_ms, behaviour.loss, behaviour.ring_after_ms) == (500, 0.5, None)
    assert behaviour.challenge == PRESETS["digest"][0].challenge


@pytest.mark.parametrize(
    "text", ["nobody", "busy:colour=red", "busy:status=200000", "busy:loss=2", "busy:final_after_ms=soon", "=busy", ""]
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rule(text)


def test_a_population_from_json() -> None:
    mix = parse_mix(
        b'{"rules": [{"number": "*7", "behaviours": ["busy", {"kind": "answer", "final_after_ms": 5}]}],'
        b' "shares": [{"weight": 1, "behaviours": ["decline"]}]}'
    )
    assert behaviour_for("+7", 1, 0, mix) == PRESETS["busy"][0]
    assert behaviour_for("+7", 2, 0, mix) == Behaviour(kind=Kind.ANSWER, final_after_ms=5)
    assert behaviour_for("+8", 1, 0, mix).kind is Kind.DECLINE


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b'{"ruls": []}',
        b'{"rules": [{"number": "*", "behaviours": ["nobody"]}]}',
        b'{"rules": [{"number": "*", "behaviours": []}]}',
        b'{"shares": [{"weight": 0, "behaviours": ["busy"]}]}',
    ],
)
def test_a_population_that_is_wrong_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_mix(document)


def test_spread_stays_in_its_range() -> None:
    mix = Mix(shares=(Share(weight=1, behaviours=("hangup",), final_spread_ms=500, hang_up_spread_ms=300),))
    found = [behaviour_for(f"+1{n}", 1, 0, mix) for n in range(200)]
    finals = {behaviour.final_after_ms for behaviour in found}
    hang_ups = {behaviour.hang_up_after_ms for behaviour in found}
    assert all(1_000 <= final < 1_500 for final in finals if final is not None)
    assert all(2_000 <= hang_up < 2_300 for hang_up in hang_ups if hang_up is not None)
    assert len(finals) > 50


def test_scaled_times() -> None:
    behaviour = scaled(PRESETS["hangup"][0], 10)
    assert (behaviour.ring_after_ms, behaviour.final_after_ms, behaviour.hang_up_after_ms) == (10, 100, 200)
    assert scaled(PRESETS["no-answer"][0], 10).final_after_ms is None


def test_tries_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        behaviour_for("+1", 0, 0, MIXES["town"])


def test_whether_a_patient_caller_is_answered() -> None:
    answering = {name for name, (behaviour, _) in PRESETS.items() if behaviour.answers}
    assert answering == {"answer", "hangup", "late", "lossy", "digest", "proxy-digest", "early-media"}


def test_the_table_names_everything() -> None:
    text = table()
    assert all(name in text for name in PRESETS)
    assert Rule("*", ("busy",)).matches("x")
