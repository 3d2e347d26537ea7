"""Which trunk carries a customer's campaigns, made from the carriers and the routes that people write down."""

import hashlib
import math
from collections.abc import Iterable, Mapping

from outdialer.domain.directory import Provider, Route
from outdialer.domain.model import Trunk
from outdialer.domain.units import Id

EVERY_NUMBER = "all"
"""The only target of a route by which anybody is dialled."""
SIP_PORT = 5060


class Oversold(Exception):
    """The routes to a carrier may use more than it allows: ``field`` says of what, ``problem`` what to write."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}")


def check_shares(provider: Provider, routes: Iterable[Route]) -> None:
    """Check that the living routes to a carrier stay within its limits however their customers dial.

    One route alone may have all of it. Several need a share each. A part of a call counts as a whole one: so no
    second ever sees more calls than the carrier allows, whatever the instants at which the customers' seconds begin.

    Raises:
        Oversold: they may exceed a limit together.
    """
    mine = [route for route in routes if route.provider_id == provider.id]
    _check_share("rate_per_s", provider.rate_per_s, [route.rate_per_s for route in mine])
    _check_share("channels", provider.channels, [route.channels for route in mine])


def _check_share(field: str, allowed: float, shares: list[float]) -> None:
    if not allowed or not shares:
        return
    if len(shares) > 1 and not all(shares):
        problem = f"{len(shares)} routes share the {allowed:g} of this provider; write each one's share, 0 is all"
        raise Oversold(field, problem)
    taken = shares[0] if len(shares) == 1 else sum(math.ceil(share) for share in shares)
    if taken > allowed:
        whole = ", parts counted as whole ones" if taken != sum(shares) else ""
        problem = f"the routes to this provider take {taken:g}{whole}, and it allows {allowed:g}; write smaller shares"
        raise Oversold(field, problem)


def trunks_of(routes: Iterable[Route], providers: Mapping[Id, Provider]) -> dict[Id, Trunk]:
    """The trunk of each customer that has one, by the customer's public id.

    The route with the lowest priority carries, of equal ones the oldest; one without a carrier, or to a carrier
    without a host name, carries nothing.
    """
    trunks: dict[Id, Trunk] = {}
    for route in sorted(routes, key=lambda route: (route.priority, route.tm_create, route.id)):
        provider = providers.get(route.provider_id)
        if provider is not None and provider.hostname and route.target == EVERY_NUMBER:
            trunks.setdefault(route.customer_id, _trunk(route, provider))
    return trunks


def host_and_port(hostname: str) -> tuple[str, int]:
    """A carrier's ``host`` or ``host:port``.

    Raises:
        ValueError: the port is none, or there is no host before it.
    """
    host, colon, port = hostname.partition(":")
    if colon and not (host and 0 < int(port) < 65_536):
        raise ValueError(hostname)
    return host, int(port) if colon else SIP_PORT


def _trunk(route: Route, provider: Provider) -> Trunk:
    host, port = host_and_port(provider.hostname)
    headers = "".join(f"{name}: {value}\r\n" for name, value in provider.tech_headers.items())
    way_in = (host, port, provider.tech_prefix, provider.tech_postfix, headers, provider.max_ring_ms)
    return Trunk(
        id=hashlib.sha256(repr((route.id, provider.id, way_in)).encode()).digest()[:16],
        name=provider.name or host,
        host=host,
        port=port,
        prefix=provider.tech_prefix,
        postfix=provider.tech_postfix,
        headers=headers,
        rate_per_s=route.rate_per_s or provider.rate_per_s,
        channels=route.channels or provider.channels,
        max_ring_ms=provider.max_ring_ms,
        provider=provider.id,
        provider_channels=provider.channels,
    )
