"""Rate limits of the REST side: by address, by customer and by access key, in memory.

Each table keeps the senders that were seen last and forgets the others: a flood of addresses costs memory of a
bounded size, and what is forgotten first has been quiet for longest. Nobody's account is ever locked: guessing
credentials makes an address slow, and nothing else.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable

from msgspec import Struct

from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError
from outdialer.api.http import Scope
from outdialer.domain.throttle import Rate, admit, charge
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant

IN_PROCESS = "in-process"
"""The client address of requests of this very program, which nothing limits."""
MOST_SENDERS = 20_000
"""Remembered of each kind."""
FAILED_CREDENTIAL_COST = 10
"""What a request with a wrong credential costs its address, in requests more."""
_LIMITED = ("/v1.0", "/auth")
"""Everything else (health, metrics, the reference) is free."""


class RequestRates(Struct, frozen=True, kw_only=True):
    """How many requests each sender may make; no limits unless they are set."""

    address: Rate = Rate()
    login: Rate = Rate()
    """Requests to ``/auth/...`` of one address."""
    customer: Rate = Rate()
    key: Rate = Rate()
    """Of one access key."""


class _Senders:
    """One kind of sender: who was seen, and how far ahead of its rate it is."""

    def __init__(self, rate: Rate, limited_by: str) -> None:
        self._rate = rate
        self._limited_by = limited_by
        self._done_at: OrderedDict[Hashable, Instant] = OrderedDict()

    def pass_or_refuse(self, sender: Hashable, now: Instant) -> None:
        """Count a request.

        Raises:
            ApiError: the sender must wait.
        """
        if self._rate.per_s <= 0:
            return
        done_at, wait = admit(self._rate, self._done_at.get(sender, 0), now)
        self._remember(sender, done_at)
        if wait:
            raise _too_many(self._limited_by, self._rate, wait)

    def charge(self, sender: Hashable, now: Instant, requests: int) -> None:
        """Count further requests without asking."""
        if self._rate.per_s > 0:
            self._remember(sender, charge(self._rate, self._done_at.get(sender, 0), now, requests))

    def _remember(self, sender: Hashable, done_at: Instant) -> None:
        self._done_at[sender] = done_at
        self._done_at.move_to_end(sender)
        if len(self._done_at) > MOST_SENDERS:
            self._done_at.popitem(last=False)

    def __len__(self) -> int:
        return len(self._done_at)


class Throttle:
    """All limits of one application."""

    def __init__(self, rates: RequestRates) -> None:
        self.addresses = _Senders(rates.address, "ip")
        self.logins = _Senders(rates.login, "ip")
        self.customers = _Senders(rates.customer, "customer")
        self.keys = _Senders(rates.key, "key")

    def check_address(self, scope: Scope, now: Instant) -> None:
        """Count a request, before anything else is done for it.

        Raises:
            ApiError: its address must wait.
        """
        address = address_of(scope)
        if address == IN_PROCESS or not scope["path"].startswith(_LIMITED):
            return
        senders = self.logins if scope["path"].startswith("/auth") else self.addresses
        senders.pass_or_refuse(address, now)

    def check_principal(self, scope: Scope, principal: Principal, now: Instant) -> None:
        """Count a request of somebody whose credential is good.

        Raises:
            ApiError: the access key or the customer must wait.
        """
        if address_of(scope) == IN_PROCESS:
            return
        if principal.key is not None:
            self.keys.pass_or_refuse(principal.key.id, now)
        self.customers.pass_or_refuse(principal.customer, now)

    def charge_failed_credential(self, scope: Scope, now: Instant) -> None:
        """Make an address that sends wrong credentials slow."""
        self.addresses.charge(address_of(scope), now, FAILED_CREDENTIAL_COST)


def address_of(scope: Scope) -> str:
    """Who is at the other end of the connection; of an IPv6 address its network (/64), which one sender owns whole."""
    client = scope.get("client")
    host = client[0] if client else ""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))


def _too_many(limited_by: str, rate: Rate, wait: int) -> ApiError:
    seconds = max(1, -(-wait // MICROSECONDS_PER_SECOND))
    whose = {"ip": "this address", "customer": "this customer", "key": "this access key"}[limited_by]
    return ApiError(
        "RATE_LIMIT_EXCEEDED",
        f"More than {rate.per_s:g} requests a second came from {whose}; wait {seconds} s (Retry-After).",
        headers={"Retry-After": str(seconds)},
        details=({"limited_by": limited_by},),
    )
