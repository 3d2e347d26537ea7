"""Which trunk a customer's routes make, and what several customers may take of one carrier."""

from typing import Any

import pytest
from msgspec.structs import replace

from outdialer.domain.directory import Provider, Route
from outdialer.domain.routing import Oversold, check_shares, host_and_port, trunks_of
from outdialer.domain.units import NIL_ID, Id

ANN, BOB = b"a" * 16, b"b" * 16


def a_provider(n: int = 1, **given: Any) -> Provider:
    stored = Provider(id=bytes([n]) * 16, hostname=f"10.0.0.{n}", rate_per_s=10.0, channels=10)
    return replace(stored, **given)


def a_route(n: int = 1, *, customer: Id = ANN, to: int = 1, **given: Any) -> Route:
    return Route(id=bytes([n + 100]) * 16, tm_create=n, customer_id=customer, provider_id=bytes([to]) * 16, **given)


def hosts(*routes: Route, providers: tuple[Provider, ...] = (a_provider(1), a_provider(2))) -> dict[Id, str]:
    trunks = trunks_of(routes, {provider.id: provider for provider in providers})
    return {customer: trunk.host for customer, trunk in trunks.items()}


def test_the_lowest_priority_carries_then_the_oldest() -> None:
    assert hosts(a_route(1, priority=2), a_route(2, to=2, priority=1)) == {ANN: "10.0.0.2"}
    assert hosts(a_route(2, to=2), a_route(1)) == {ANN: "10.0.0.1"}
    assert hosts(a_route(1), a_route(2, to=2, customer=BOB)) == {ANN: "10.0.0.1", BOB: "10.0.0.2"}


@pytest.mark.parametrize(
    "first",
    [{"to": 9}, {"target": "+82"}, {"to": 3}],
    ids=["a provider that is gone", "a country", "a provider without a host"],
)
def test_a_route_that_cannot_carry_is_passed_over(first: dict[str, Any]) -> None:
    providers = (a_provider(1), a_provider(3, hostname=""))
    assert hosts(a_route(2, **first), providers=providers) == {}
    assert hosts(a_route(2, **first), a_route(3, priority=5), providers=providers) == {ANN: "10.0.0.1"}


def test_a_trunk_is_the_carrier_with_the_customers_share() -> None:
    provider = a_provider(
        hostname="sip.example:5070", name="c", tech_prefix="9", tech_postfix="#", tech_headers={"X-A": "b", "X-C": "d"}
    )
    trunk = trunks_of([a_route(rate_per_s=2.5, channels=3)], {provider.id: provider})[ANN]
    assert (trunk.host, trunk.port, trunk.name, trunk.prefix, trunk.postfix) == ("sip.example", 5070, "c", "9", "#")
    assert (trunk.headers, trunk.rate_per_s, trunk.channels) == ("X-A: b\r\nX-C: d\r\n", 2.5, 3)
    assert (trunk.provider, trunk.provider_channels, trunk.max_ring_ms) == (provider.id, 10, 180_000)
    whole = trunks_of([a_route()], {provider.id: provider})[ANN]
    assert (whole.rate_per_s, whole.channels, whole.id) == (10, 10, trunk.id), "a share is no other way in"
    assert trunk.provider != NIL_ID


def test_another_way_in_is_another_trunk() -> None:
    provider = a_provider()
    seen = {trunks_of([a_route()], {provider.id: provider})[ANN].id}
    ways: tuple[dict[str, Any], ...] = (
        {"hostname": "10.0.0.9"},
        {"tech_prefix": "9"},
        {"tech_postfix": "9"},
        {"tech_headers": {"X-A": "b"}},
    )
    for number, way in enumerate((*ways, {"max_ring_ms": 9_000}, {"hostname": "10.0.0.1:9"}), start=2):
        changed = replace(provider, **way)
        seen.add(trunks_of([a_route()], {provider.id: changed})[ANN].id)
        assert len(seen) == number, way
    seen.add(trunks_of([a_route(7)], {provider.id: provider})[ANN].id)
    assert len(seen) == 8, "nor do two routes share one"


@pytest.mark.parametrize(
    "shares",
    [[], [0], [10], [0.1], [5, 5], [1, 2, 7]],
)
def test_shares_within_what_the_carrier_allows(shares: list[float]) -> None:
    routes = [a_route(n, rate_per_s=share, channels=int(share)) for n, share in enumerate(shares)]
    check_shares(a_provider(), routes)


@pytest.mark.parametrize(
    ("shares", "word"),
    [
        ([10.5], "10.5"),
        ([5, 6], "11"),
        ([0, 5], "2 routes"),
        ([0, 0], "2 routes"),
        ([9.5, 0.5], "parts counted as whole"),
    ],
)
def test_shares_beyond_it_are_refused_by_name(shares: list[float], word: str) -> None:
    routes = [a_route(n, rate_per_s=share, channels=1) for n, share in enumerate(shares)]
    with pytest.raises(Oversold, match=word) as refusal:
        check_shares(a_provider(), routes)
    assert refusal.value.field == "rate_per_s"
    check_shares(a_provider(rate_per_s=0.0), routes)
    check_shares(a_provider(2), routes)


def test_channels_are_counted_too() -> None:
    routes = [a_route(n, rate_per_s=1, channels=6) for n in range(2)]
    with pytest.raises(Oversold, match="12") as refusal:
        check_shares(a_provider(), routes)
    assert refusal.value.field == "channels"


def test_hosts_with_and_without_a_port() -> None:
    assert host_and_port("sip.example") == ("sip.example", 5060)
    assert host_and_port("10.0.0.1:65535") == ("10.0.0.1", 65_535)
    for bad in ("a:0", "a:65536", ":5060"):
        with pytest.raises(ValueError, match=bad):
            host_and_port(bad)
