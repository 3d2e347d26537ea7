"""Carriers and routes, over both stores: what is refused, and whose a route is."""

from typing import Any

import httpx
import pytest

from outdialer.domain.directory import customer_id
from outdialer.domain.units import format_id
from tests.api.conftest import answered, created, over_both_stores, refused

pytestmark = over_both_stores
FIRST, SECOND = format_id(customer_id(1)), format_id(customer_id(2))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"hostname": "sip.example:70000"}, ("hostname", "sip.example:70000", "65535")),
        ({"hostname": ":5060"}, ("hostname", ":5060")),
        ({"tech_headers": {"Call-ID": "x"}}, ("tech_headers", "Call-ID")),
        ({"tech_headers": {"f": "x"}}, ("tech_headers", '"f"')),
        ({"tech_headers": {"X-A": "b\r\nVia: c"}}, ("tech_headers", "plain")),
        ({"tech_headers": {"X-A": "\u00e9"}}, ("tech_headers", "ASCII")),
        ({"rate_per_s": -1}, ("rate_per_s",)),
        ({"channels": 100_001}, ("channels",)),
        ({"max_ring_ms": 999}, ("max_ring_ms",)),
    ],
)
async def test_a_carrier_that_could_not_be_reached_as_written_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(await client.post("/v1.0/providers", json=body), 400, "INVALID_ARGUMENT", *words)


async def test_what_a_carrier_is_without_more_words(client: httpx.AsyncClient) -> None:
    made = await created(client, "/v1.0/providers", hostname="sip.example")
    assert (made["rate_per_s"], made["channels"], made["max_ring_ms"]) == (1, 10, 180_000)
    route = await created(client, "/v1.0/routes", provider_id=made["id"])
    assert (route["customer_id"], route["target"], route["rate_per_s"], route["channels"]) == (FIRST, "all", 0, 0)
    assert (await created(client, "/v1.0/routes", customer_id=SECOND))["customer_id"] == SECOND


async def test_a_carrier_is_not_promised_twice(client: httpx.AsyncClient) -> None:
    carrier = await created(client, "/v1.0/providers", hostname="sip.example", rate_per_s=10, channels=10)
    one = {"customer_id": FIRST, "provider_id": carrier["id"]}
    two = {"customer_id": SECOND, "provider_id": carrier["id"]}
    first = await created(client, "/v1.0/routes", **one)
    refused(await client.post("/v1.0/routes", json=two), 400, "INVALID_ARGUMENT", "rate_per_s", "2 routes")
    at_first, at_carrier = f"/v1.0/routes/{first['id']}", f"/v1.0/providers/{carrier['id']}"
    answered(await client.put(at_first, json={"rate_per_s": 4, "channels": 5}))
    more = {**two, "rate_per_s": 6, "channels": 6}
    refused(await client.post("/v1.0/routes", json=more), 400, "INVALID_ARGUMENT", "channels", "11", "10")
    second = await created(client, "/v1.0/routes", **{**more, "channels": 5})
    at_second = f"/v1.0/routes/{second['id']}"
    refused(await client.put(at_second, json={"rate_per_s": 7}), 400, "INVALID_ARGUMENT", "rate_per_s", "11")
    refused(await client.put(at_carrier, json={"channels": 9}), 400, "INVALID_ARGUMENT", "channels", "9")
    assert answered(await client.get(at_carrier))["channels"] == 10
    assert answered(await client.get(at_second))["rate_per_s"] == 6
    answered(await client.delete(at_first))
    assert answered(await client.put(at_second, json={"rate_per_s": 0, "channels": 10}))["rate_per_s"] == 0
    elsewhere = await created(client, "/v1.0/routes", **{**one, "provider_id": ""})
    answered(await client.delete(at_carrier))
    back = await client.put(f"/v1.0/routes/{elsewhere['id']}", json={"provider_id": carrier["id"]})
    refused(back, 400, "INVALID_ARGUMENT", "provider_id", carrier["id"])
