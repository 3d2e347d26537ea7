"""SIP URIs: reading the ones that come in, making the ones that go out (RFC 3261 section 19.1)."""

from functools import lru_cache
from typing import NamedTuple

MAX_URI = 1_024
"""The longest URI that is read, in characters: what is looked up is remembered."""
_FORBIDDEN = frozenset('<>" ') | {chr(code) for code in range(0x20)} | {chr(0x7F)}


class Uri(NamedTuple):
    """The parts of a SIP URI that routing needs."""

    scheme: str
    host: str
    """Without the brackets of an IPv6 reference."""
    port: int
    parameters: str
    """Text after the host part, starting with ``;``, or empty."""


def parse_uri(text: str) -> Uri | None:
    """The parts of a ``sip:`` or ``sips:`` URI, or None."""
    return _parse_uri(text) if len(text) <= MAX_URI else None


@lru_cache(maxsize=4_096)
def _parse_uri(text: str) -> Uri | None:
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in ("sip", "sips") or not _FORBIDDEN.isdisjoint(text):
        return None
    rest = rest.rpartition("@")[2].partition("?")[0]
    host_port, semicolon, parameters = rest.partition(";")
    found = split_host_port(host_port, 5061 if scheme == "sips" else 5060)
    return Uri(scheme, *found, semicolon + parameters) if found else None


def split_host_port(text: str, default_port: int) -> tuple[str, int] | None:
    """Host and port of ``host``, ``host:port``, ``[v6]`` or ``[v6]:port``, or None."""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return None
        port = port[1:]
    else:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65_536)):
        return None
    return host, int(port) if port else default_port


def join_host_port(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def safe_uri(text: str) -> bool:
    """Whether ``text`` may be written into a request of ours: a SIP URI in ASCII."""
    return text.isascii() and parse_uri(text) is not None


def request_uri(destination: str, domain: str, prefix: str = "", postfix: str = "") -> str:
    """The Request-URI for a number, between what its trunk wants around it, or for a SIP URI as it stands.

    Raises:
        ValueError: the destination cannot be written into a request, or needs TLS (``sips:``).
    """
    number = destination[1:]
    if destination[:1] == "+" and number.isascii() and number.isdecimal() and safe_uri(f"sip:{domain}"):
        user = f"{prefix}{destination}{postfix}".replace("#", "%23")
        return f"sip:{user}@{domain}"
    uri = destination.partition("?")[0]
    if not safe_uri(uri) or uri[:5].lower() == "sips:":
        raise ValueError("bad-destination")
    return uri


def from_value(source: str, name: str, domain: str) -> str:
    """The From value without its tag; anonymous as RFC 3323 section 4.1.1.3 writes it.

    Raises:
        ValueError: the source cannot be written into a request.
    """
    if not source:
        return '"Anonymous" <sip:anonymous@anonymous.invalid>'
    uri = f"sip:{source}@{domain}" if ":" not in source else source.partition("?")[0]
    if not safe_uri(uri):
        raise ValueError("bad-source")
    if not name:
        return f"<{uri}>"
    return f'"{_quoted(name)}" <{uri}>'


def _quoted(name: str) -> str:
    """The inside of a quoted string: UTF-8 (as Latin-1 text), controls dropped, quotes escaped."""
    kept = "".join(c for c in name if c.isprintable()).replace("\\", "\\\\").replace('"', '\\"')
    return kept.encode("utf-8", "replace").decode("latin-1")
