"""The tests' own safety: nothing leaves the machine, and a peer that is required is not skipped."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NotLoopback, is_loopback

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = "192.0.2.1"
"""Of RFC 5737: belongs to nobody."""


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (("127.0.0.1", 5060), True),
        (("127.8.9.1", 5060), True),
        (("::1", 5060, 0, 0), True),
        (("::ffff:127.0.0.1", 5060, 0, 0), True),
        (("localhost", 5060), True),
        ("/run/some.socket", True),
        (None, True),
        ((OUTSIDE, 5060), False),
        (("0.0.0.0", 5060), False),
        (("10.0.0.1", 5060), False),
        (("2001:db8::1", 5060, 0, 0), False),
        (("::ffff:192.0.2.1", 5060, 0, 0), False),
        (("fe80::1%eth0", 5060, 0, 2), False),
        (("example.com", 5060), False),
    ],
)
def test_what_is_loopback(address: object, allowed: bool) -> None:
    assert is_loopback(address) is allowed


def test_a_packet_to_the_outside_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        with pytest.raises(NotLoopback):
            sender.sendto(b"x", (OUTSIDE, 9))
        with pytest.raises(NotLoopback):
            sender.sendmsg([b"x"], [], 0, (OUTSIDE, 9))
        with pytest.raises(NotLoopback):
            sender.connect((OUTSIDE, 9))
    with socket.socket() as stream, pytest.raises(NotLoopback):
        stream.connect_ex((OUTSIDE, 9))


def test_a_packet_to_loopback_arrives() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender.sendto(b"x", receiver.getsockname())
        assert receiver.recv(10) == b"x"


def test_no_name_is_looked_up_outside() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("sip.example.com", 5060)
    assert socket.getaddrinfo("127.0.0.1", 5060)


SKIPPING = """\
import pytest

@pytest.mark.{mark}
def test_needs_a_peer():
    pytest.skip("the peer is not installed")

@pytest.mark.{mark}
@pytest.mark.skipif(True, reason="the peer is not installed")
def test_needs_a_peer_too():
    pass

def test_needs_nothing():
    pytest.skip("not today")
"""


@pytest.mark.parametrize("mark", ["sipp", "audio"])
@pytest.mark.parametrize(("required", "summary"), [("1", "1 failed, 1 skipped, 1 error"), ("", "3 skipped")])
def test_a_skipped_peer_is_a_failure_where_peers_are_required(
    tmp_path: Path, mark: str, required: str, summary: str
) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    sipp: x\n    audio: x\n")
    (tmp_path / "test_it.py").write_text(SKIPPING.format(mark=mark))
    environment = {**os.environ, "OUTDIALER_REQUIRE_PEERS": required}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert summary in done.stdout, done.stdout + done.stderr
