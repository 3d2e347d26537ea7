"""Where a request comes from, and whether that is one of the networks somebody listed."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

HOSTS_KEPT = 1_024
"""Whose addresses are remembered as they were read: most requests come from few."""


def client_address(scope: Mapping[str, Any]) -> str:
    """The address of whoever sends a request, from its ASGI scope, in its shortest form; "" where it has none.

    The server has put the sender there, for requests through a trusted proxy the one that the proxy names. An IPv4
    address in IPv6 clothes (RFC 4291 section 2.5.5.2) is what it is.
    """
    client = scope.get("client")
    return _shortest(client[0] if client else "")


@lru_cache(HOSTS_KEPT)
def _shortest(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address lies in one of the networks; "" lies in none."""
    return bool(address) and any(ip_address(address) in ip_network(network) for network in networks)


def read_network(text: str) -> str:
    """A network in CIDR form, or one address, as it is kept.

    Raises:
        ValueError: it is neither.
    """
    return str(ip_network(text.strip(), strict=False))
