"""Telephone events under loss, doubling and reordering."""

import random
import struct

from hypothesis import given
from hypothesis import strategies as st

from outdialer.media.dtmf import Digit, DigitDetector
from outdialer.media.rtp import Packet

DIGITS = "0123456789*#ABCD"


def event(digit: str, timestamp: int, duration: int, *, end: bool = False, marker: bool = False) -> Packet:
    payload = struct.pack("!BBH", DIGITS.index(digit), end << 7 | 10, duration)
    return Packet(101, marker, 0, timestamp & 0xFFFFFFFF, 5, payload)


def presses(digits: str, start: int) -> list[Packet]:
    """Each key 100 ms long, with a pause, its end sent three times."""
    packets = []
    for place, digit in enumerate(digits):
        timestamp = start + 1600 * place
        packets += [event(digit, timestamp, length) for length in range(160, 800, 160)]
        packets += [event(digit, timestamp, 800, end=True)] * 3
    return packets


@given(st.text(DIGITS, max_size=8), st.integers(0, 0xFFFFFFFF), st.randoms(use_true_random=False))
def test_every_digit_once_over_loss_and_doubling(digits: str, start: int, chance: random.Random) -> None:
    detector = DigitDetector()
    found: list[Digit] = []
    for packet in presses(digits, start):
        copies = chance.choice([0, 1, 1, 1, 2]) if packet.payload[1] & 0x80 == 0 else chance.choice([1, 2])
        for _ in range(copies):
            found += detector.receive(packet)
    assert "".join(digit.digit for digit in found) == digits
    assert all(digit.duration_ms == 100 for digit in found)


def test_all_ends_lost() -> None:
    detector = DigitDetector()
    assert detector.receive(event("1", 1000, 320)) == []
    assert detector.receive(event("2", 3000, 160)) == [Digit("1", 40)]
    assert detector.pending
    assert detector.flush() == [Digit("2", 20)]
    assert detector.flush() == []
    assert detector.receive(event("2", 3000, 480, end=True)) == []


def test_packets_of_an_older_key_are_ignored() -> None:
    detector = DigitDetector()
    assert detector.receive(event("1", 1000, 800, end=True)) == [Digit("1", 100)]
    assert detector.receive(event("2", 3000, 160)) == []
    assert detector.receive(event("1", 1000, 800, end=True)) == []
    assert detector.receive(event("2", 3000, 320, end=True)) == [Digit("2", 40)]


def test_a_key_held_for_ten_seconds_is_one_digit() -> None:
    detector = DigitDetector()
    assert detector.receive(event("5", 1000, 0xFFFF)) == []
    assert detector.receive(event("5", 1000 + 0xFFFF, 8000)) == []
    assert detector.receive(event("5", 1000 + 0xFFFF, 16_000, end=True)) == [Digit("5", (0xFFFF + 16_000) // 8)]


def test_flash_and_broken_events_are_no_digits() -> None:
    detector = DigitDetector()
    for payload in (b"", b"\x01", b"\x10\x8a\x03\x20", b"\xff" * 4):
        assert detector.receive(Packet(101, False, 0, 9, 5, payload)) == []
    assert not detector.pending
