"""What a URL of a stranger may lead to: one strict form of URL, and the addresses that may be behind its host.

The form is checked when a URL is written down; the addresses are checked at the socket, each time (``web.client``),
because what a name leads to is its owner's choice and may change between two looks.
"""

import ipaddress
import re
from typing import TypeAlias

from msgspec import Struct

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URI = 2_048
HTTPS_PORTS = (443, 8443)
DEFAULT_PORTS = {"https": 443, "http": 80}

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_URI = re.compile(
    rf"(?P<scheme>https?)://(?:(?P<name>{_LABEL}(?:\.{_LABEL})*)|\[(?P<v6>[0-9A-Fa-f:.]{{2,45}})\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[!$-;=?-\[\]_a-z~]*)?(?:\?[!$-;=?-\[\]_a-z~]*)?)",
    re.IGNORECASE,
)
"""RFC 3986 without user information, fragments, empty labels and whatever else two parsers may read differently."""
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)
"""A last label that makes some parsers read the whole host as a number (WHATWG URL, section "host parsing")."""

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""The only part of IPv6 in which public unicast addresses are assigned (RFC 4291 section 2.4, IANA)."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Leads to the IPv4 address in its last 32 bits (RFC 6052 section 2.1)."""
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network, RFC 1122
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # shared by carriers, RFC 6598
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: the metadata services of clouds, RFC 3927
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, RFC 6890
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: leads to any IPv4 address, RFC 3056
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation, RFC 9637
    )
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Bits 64 to 95 of an address that leads to the IPv4 address in its last 32 bits (RFC 5214 section 6.1)."""


class UriError(ValueError):
    """The text is not a URL that can be used; the message says what is wrong."""


class Target(Struct, frozen=True):
    """A URL in parts."""

    scheme: str
    """``https`` or ``http``."""
    host: str
    """A name, an IPv4 address in its one normal spelling, or an IPv6 address without brackets."""
    port: int
    path: str
    """With the query; at least ``/``."""

    @property
    def authority(self) -> str:
        """What the ``Host`` header says (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_uri(text: str) -> Target:
    """A URL in parts.

    Raises:
        UriError: it is not an http or https URL in the one strict form.
    """
    match = _URI.fullmatch(text) if len(text) <= LONGEST_URI else None
    if match is None:
        raise UriError(
            "it is not a plain URL: write https://host/path, without user, fragment, blanks or a dot at the host's end"
        )
    scheme = match["scheme"].lower()
    port = int(match["port"] or DEFAULT_PORTS[scheme])
    if not 0 < port < 65536:
        raise UriError(f"{port} is not a port")
    path = match["path"]
    return Target(scheme, _host(match), port, path if path.startswith("/") else f"/{path}")


def _host(match: re.Match[str]) -> str:
    if match["v6"]:
        try:
            return str(ipaddress.IPv6Address(match["v6"]))
        except ValueError:
            raise UriError(f"[{match['v6']}] is not an IPv6 address") from None
    name = match["name"].lower()
    if len(name) > 253:
        raise UriError("the host's name is too long")
    if _NUMERIC.fullmatch(name.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise UriError(f"{name} is not an IPv4 address: write four decimal numbers") from None
    return name


def refusal_of(target: Target, *, on_premises: bool) -> str:
    """Why nothing can be delivered to a URL, as far as it shows without asking anybody; "" when it can.

    ``on_premises``: the operator has permitted networks, and the host may be in one of them.
    """
    if on_premises:
        return ""
    if target.scheme != "https":
        return "only https is possible, except in networks that `outdialer serve --allow-network` names"
    if target.port not in HTTPS_PORTS:
        return f"port {target.port} is not possible, only {' and '.join(map(str, HTTPS_PORTS))}"
    try:
        address = ipaddress.ip_address(target.host)
    except ValueError:
        return ""
    return "" if is_public(address) else "its address is not a public one"


def unwrapped(address: Address) -> Address:
    """The address that packets reach in the end: what is inside IPv4-mapped and NAT64 addresses."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is a public unicast one, with nothing but itself behind it.

    Addresses of 6to4, Teredo and ISATAP are not: they lead into IPv4 networks, and nobody serves at one.
    """
    reached = unwrapped(address)
    if isinstance(reached, ipaddress.IPv6Address):
        tunnel = int(reached) >> 32 & 0xFFFF_FFFF in _ISATAP
        if reached.scope_id is not None or reached not in _GLOBAL_V6 or tunnel:
            return False
    return not any(reached in network for network in _NOT_PUBLIC)


def is_within(address: Address, networks: tuple[Network, ...]) -> bool:
    """Whether what the address reaches is in one of the networks."""
    reached = unwrapped(address)
    return any(reached in network for network in networks)
