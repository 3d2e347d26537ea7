"""A storm of damaged messages over calls in every state (``tools/sip_fuzz.py`` is the long form)."""

import random

import pytest

from .corpus import COMMON, RARE, conversations, damaged
from .mutations import storm


def test_twenty_thousand_damaged_messages() -> None:
    report = storm(seed=1, messages=20_000)
    assert report.parsed > 4_000
    assert report.sent > 20_000


@pytest.mark.slow
def test_two_hundred_thousand_damaged_messages() -> None:
    storm(seed=2, messages=200_000)


def test_the_same_seed_is_the_same_storm() -> None:
    first, second = storm(seed=3, messages=1_000), storm(seed=3, messages=1_000)
    assert (first.parsed, first.sent, first.ended, first.states) == (
        second.parsed, second.sent, second.ended, second.states,
    )  # fmt: skip


@pytest.mark.parametrize("damage", [*COMMON, *RARE], ids=lambda damage: damage.__name__)
def test_every_kind_of_damage_damages(damage: object) -> None:
    assert callable(damage)
    chance, corpus = random.Random(4), conversations()
    assert any(damage(chance, data) != data for data in corpus)


def test_whole_messages_come_too() -> None:
    chance, corpus = random.Random(5), conversations()
    whole = sum(damaged(chance, corpus[0]) == corpus[0] for _ in range(1_000))
    assert 0 < whole < 500
