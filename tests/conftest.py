"""What holds for every test: nothing leaves the machine, and no peer is skipped where peers are required.

Hypothesis profiles, chosen with ``HYPOTHESIS_PROFILE``: ``local`` (the default; new examples each time), ``ci``
(chosen where ``CI`` is set; the same examples each time) and ``deep`` (twenty times as many).
"""

import ipaddress
import os
import socket
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("local", **_COMMON)  # type: ignore[arg-type]
settings.register_profile("ci", derandomize=True, **_COMMON)  # type: ignore[arg-type]
settings.register_profile("deep", max_examples=2_000, **_COMMON)  # type: ignore[arg-type]
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "local"))

PEER_MARKS = ("sipp", "audio")
"""Tests that need a program from outside; ``OUTDIALER_REQUIRE_PEERS=1`` makes skipping one a failure."""

_LOCAL_NAMES = {"localhost", "localhost.localdomain", "", None}


class NotLoopback(AssertionError):
    """A test tried to reach an address that is not on this machine."""


def is_loopback(address: object) -> bool:
    """Whether a socket address is one that tests may send to: loopback, or not of the internet at all."""
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host in _LOCAL_NAMES:
        return True
    try:
        ip = ipaddress.ip_address(str(host).split("%", 1)[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    """Python's own audit events see every socket of the interpreter, whoever opened it."""
    if not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and not is_loopback(arguments[1]):
        raise NotLoopback(f"{event} to {arguments[1]!r}: tests stay on loopback")
    if event == "socket.getaddrinfo" and not _is_local_name(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, f"tests look up no names: {arguments[0]!r}")


def _is_local_name(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text in _LOCAL_NAMES:
        return True
    try:
        ipaddress.ip_address(str(text).split("%", 1)[0])
    except ValueError:
        return False
    return True


sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test that needs a peer into a failure where the peers are required."""
    report = yield
    if report.skipped and os.environ.get("OUTDIALER_REQUIRE_PEERS") == "1":
        marks = [mark for mark in PEER_MARKS if item.get_closest_marker(mark)]
        if marks and not hasattr(report, "wasxfail"):
            report.outcome = "failed"
            report.longrepr = f"skipped, but OUTDIALER_REQUIRE_PEERS=1 ({', '.join(marks)}): {report.longrepr}"
    return report
