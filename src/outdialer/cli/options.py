"""Option values of the command line: how they are read, and what is said when they cannot be."""

import ipaddress
import re
from pathlib import Path
from typing import Any

import click

from outdialer.cli.exits import Stop
from outdialer.domain.numbers import DestinationError, normalise

_TRUNK = re.compile(r"sip:(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+)(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)


def split_address(text: str, default_port: int) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT`` or ``[IPV6]:PORT`` as (host, port).

    Raises:
        ValueError: it is none of these.
    """
    match = _TRUNK.fullmatch(f"sip:{text}")
    if match is None or int(match["port"] or default_port) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT (the port at most 65535)")
    return match["host"].strip("[]"), int(match["port"] or default_port)


def first_line(path: Path, what: str) -> str:
    """The first line of a file, without blanks around it; ``what`` it must be: such as "a password".

    Raises:
        Stop: there is none, or the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Stop(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Stop(f"{path} is not text; its first line must be {what}") from None
    if not lines or not lines[0].strip():
        raise Stop(f"{path}: its first line must be {what}")
    return lines[0].strip()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for certain: a loopback address or ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_reach(trunk: str, bind: str, *, live: bool, flag: str) -> None:
    """Refuse a trunk that the given options would never reach; ``flag`` is the option that sets the local address.

    Raises:
        Stop: it is beyond this machine, and that was not allowed or the local address is loopback, from which the
            system sends nothing outside.
    """
    if is_loopback(trunk):
        return
    if not live:
        raise Stop(f"{trunk} is not this machine: real people would be called. Give --live if you mean it")
    if is_loopback(bind):
        raise Stop(
            f"{trunk} cannot be reached from the local SIP address {bind}: give {flag} ADDRESS:5060 with the "
            "address of this machine that the trunk is to see"
        )


class HostPort(click.ParamType[tuple[str, int]]):
    """``HOST:PORT``."""

    name = "host:port"

    def __init__(self, default_port: int = 0) -> None:
        self._default_port = default_port

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Read the value."""
        if isinstance(value, tuple):
            return value
        try:
            return split_address(value, self._default_port)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SipPeer(click.ParamType[tuple[str, int]]):
    """``sip:HOST:PORT``; the port is 5060 where it is left out (RFC 3261 section 19.1.2)."""

    name = "sip:host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Read the value."""
        if isinstance(value, tuple):
            return value
        text = str(value)
        try:
            if not text.lower().startswith("sip:"):
                raise ValueError(f"{text!r} is not a trunk: write sip:HOST:PORT")
            return split_address(text[4:], 5060)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Network(click.ParamType[str]):
    """A network in CIDR form, or one address."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the value."""
        try:
            return str(ipaddress.ip_network(str(value), strict=False))
        except ValueError:
            self.fail(f"{value!r} is not a network such as 192.0.2.0/24", param, ctx)


class PortRange(click.ParamType[tuple[int, int]]):
    """``A-B``: UDP ports."""

    name = "A-B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read the value."""
        if isinstance(value, tuple):
            return value
        first, _, last = str(value).partition("-")
        if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65535):
            self.fail(f"{value!r} is not a range of ports: write A-B with 1024 <= A <= B <= 65535", param, ctx)
        return int(first), int(last)


class Tries(click.ParamType[tuple[int, int, int, int, int]]):
    """``3`` or ``3,2,1``: tries per destination; the last number goes for all further ones."""

    name = "N[,N...]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int, int, int, int]:
        """Read the value."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if len(parts) > 5 or not all(part.isdecimal() and int(part) <= 100 for part in parts):
            self.fail(f"{value!r} is not a number of tries: write 3, or 3,2,1 (0 to 100 each)", param, ctx)
        numbers = [int(part) for part in parts]
        if not any(numbers):
            self.fail("no destination would be tried at all", param, ctx)
        numbers += [numbers[-1]] * (5 - len(numbers))
        return numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]


class Destination(click.ParamType[str]):
    """An E.164 number or SIP URI."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the value."""
        try:
            return normalise(str(value))
        except DestinationError as error:
            self.fail(str(error), param, ctx)


class RequestRate(click.ParamType[tuple[float, int]]):
    """``100`` or ``100:200``: requests a second, and at once after a rest (twice as many where it is left out)."""

    name = "N[:BURST]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, int]:
        """Read the value."""
        if isinstance(value, tuple):
            return value
        rate, mark, burst = str(value).partition(":")
        try:
            per_s = float(rate)
            at_once = int(burst) if mark else max(1, round(2 * per_s))
        except (ValueError, OverflowError):
            per_s = at_once = -1
        if not (0 <= per_s <= 1_000_000 and 1 <= at_once <= 1_000_000):
            self.fail(f"{value!r} is not a rate: write N or N:BURST, such as 100:200; 0 is no limit", param, ctx)
        return per_s, at_once
