from typing import Any

import httpx
import pytest

from tests.api.conftest import OTHER_CUSTOMER, World, answered, created, over_both_stores, refused

pytestmark = over_both_stores
UNKNOWN = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
KEYS = (
    {"id", "outdial_id", "name", "detail", "data", "status", "tm_create", "tm_update", "tm_delete"}
    | {f"destination_{index}" for index in range(5)}
    | {f"try_count_{index}" for index in range(5)}
)
OWN_KEYS = {"tm_due", "due_reason", "done_reason"}
FIVE_KEYS = {"type", "target", "target_name", "name", "detail"}


@pytest.fixture
async def path(client: httpx.AsyncClient) -> str:
    outdial = await created(client, "/v1.0/outdials")
    return f"/v1.0/outdials/{outdial['id']}/targets"


async def test_a_new_target(client: httpx.AsyncClient, path: str) -> None:
    target = await created(client, path, destination_0={"target": "+12025550123", "target_name": "Jane"})
    assert set(target) == KEYS | OWN_KEYS
    assert (target["status"], target["data"]) == ("idle", "")
    assert set(target["destination_0"]) == FIVE_KEYS
    assert target["destination_0"]["type"] == "tel"
    assert [target[f"destination_{index}"] for index in range(1, 5)] == [{}] * 4
    assert [target[f"try_count_{index}"] for index in range(5)] == [0] * 5
    assert target["tm_update"] == target["tm_create"] == target["tm_due"]
    assert answered(await client.get(f"{path}/{target['id']}")) == target
    assert answered(await client.get(path))["result"] == [target]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"target": " +1 202.555-0123 "}, ("tel", "+12025550123")),
        ({"type": "tel", "target": "+442079460123"}, ("tel", "+442079460123")),
        ({"target": "callee1@127.0.0.1:5070"}, ("sip", "sip:callee1@127.0.0.1:5070")),
        ({"type": "sip", "target": "SIP:jane@Example.test"}, ("sip", "sip:jane@example.test")),
    ],
)
async def test_destinations_are_understood_and_normalised(
    client: httpx.AsyncClient, path: str, sent: dict[str, str], stored: tuple[str, str]
) -> None:
    target = await created(client, path, destination_2=sent, destination_0=None, destination_1={})
    assert (target["destination_2"]["type"], target["destination_2"]["target"]) == stored
    assert target["destination_0"] == {}


REFUSALS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({}, "INVALID_ARGUMENT", ["At least one destination_N target is required"]),
    ({"destination_0": {"target": ""}}, "INVALID_ARGUMENT", ["At least one"]),
    ({"destination_0": {"type": "email", "target": "a@b.test"}}, "INVALID_ARGUMENT", ["destination_0.type", "email"]),
    ({"destination_0": {"type": "fax", "target": "1"}}, "INVALID_ARGUMENT", ["destination_0.type", "fax"]),
    ({"destination_4": {"target": "12345"}}, "INVALID_ARGUMENT", ["destination_4.target", "12345"]),
    ({"destination_0": {"target": "+123"}}, "INVALID_ARGUMENT", ["destination_0.target"]),
    ({"destination_0": {"target": "sip:911@127.0.0.1"}}, "INVALID_ARGUMENT", ["destination_0.target", "emergency"]),
    ({"destination_0": {"target": "+19005550123"}}, "INVALID_ARGUMENT", ["destination_0.target", "premium"]),
    ({"destination_0": "+12025550123"}, "INVALID_JSON_BODY", ["destination_0", "object"]),
    ({"destination_0": {"target": 12025550123}}, "INVALID_JSON_BODY", ["destination_0.target", "text"]),
    (
        {"destination_0": {"target": "+12025550123"}, "destination_3": {"target": "+1 202 555 0123"}},
        "INVALID_ARGUMENT",
        ["destination_3.target", "destination_0"],
    ),
    ({"destination_0": {"target": "+12025550123"}, "data": 1}, "INVALID_JSON_BODY", ["data"]),
]


@pytest.mark.parametrize(("fields", "reason", "words"), REFUSALS)
async def test_refusals(
    client: httpx.AsyncClient, path: str, fields: dict[str, Any], reason: str, words: list[str]
) -> None:
    refused(await client.post(path, json=fields), 400, reason, *words)


async def test_bulk_stores_the_good_rows_and_names_the_bad_ones(client: httpx.AsyncClient, path: str) -> None:
    good: list[Any] = [{"name": str(n), "destination_0": {"target": f"+1202555010{n}"}} for n in range(4)]
    bad = [fields for fields, _, _ in REFUSALS]
    rows = [row for pair in zip(good, bad, strict=False) for row in pair] + bad[4:] + [7]
    result = answered(await client.post(f"{path}/bulk", json={"targets": rows}))["result"]
    assert [row["index"] for row in result] == list(range(len(rows)))
    assert [index for index, row in enumerate(result) if "id" in row] == [0, 2, 4, 6]
    for row, (_, reason, words) in zip([row for row in result if "error" in row], REFUSALS, strict=False):
        assert row["error"]["reason"] == reason
        assert row["error"]["status"] == "INVALID_ARGUMENT"
        assert row["error"]["field"] in words or "At least" in row["error"]["message"]
    stored = answered(await client.get(path))["result"]
    assert {row["id"] for row in stored} == {row["id"] for row in result if "id" in row}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["targets", "missing"]),
        ({"targets": None}, ["targets", "list"]),
        ({"targets": {}}, ["targets", "list"]),
        ({"targets": [{}] * 10_001}, ["targets", "10000"]),
        ([], ["object"]),
    ],
)
async def test_bulk_refusals(client: httpx.AsyncClient, path: str, body: Any, words: list[str]) -> None:
    response = await client.post(f"{path}/bulk", json=body)
    refused(response, 400, response.json()["error"]["reason"], *words)


async def test_ten_thousand_at_once(client: httpx.AsyncClient, path: str) -> None:
    rows = [{"destination_0": {"target": f"+1202{n:07d}"}, "data": {"row": n}} for n in range(10_000)]
    result = answered(await client.post(f"{path}/bulk", json={"targets": rows}))["result"]
    assert len({row["id"] for row in result}) == 10_000


async def test_delete(client: httpx.AsyncClient, path: str) -> None:
    target = await created(client, path, destination_0={"target": "+12025550123"})
    deleted = answered(await client.delete(f"{path}/{target['id']}"))
    assert deleted["tm_delete"] is not None
    assert answered(await client.get(f"{path}/{target['id']}")) == deleted
    assert answered(await client.delete(f"{path}/{target['id']}")) == deleted
    assert answered(await client.get(path))["result"] == []


async def test_a_target_of_another_list_or_customer_does_not_exist(
    client: httpx.AsyncClient, path: str, world: World
) -> None:
    target = await created(client, path, destination_0={"target": "+12025550123"})
    other = await created(client, "/v1.0/outdials")
    refused(await client.get(f"/v1.0/outdials/{other['id']}/targets/{target['id']}"), 404, "OUTDIAL_TARGET_NOT_FOUND")
    refused(await client.get(f"{path}/{UNKNOWN}"), 404, "OUTDIAL_TARGET_NOT_FOUND")
    refused(await client.get(f"/v1.0/outdials/{UNKNOWN}/targets"), 404, "OUTDIAL_NOT_FOUND")
    refused(await client.get(f"{path}/x"), 400, "INVALID_ID", "x")
    stranger = {"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}
    person = {"destination_0": {"target": "+12025550124"}}
    refused(await client.get(f"{path}/{target['id']}", headers=stranger), 404, "OUTDIAL_NOT_FOUND")
    refused(await client.post(path, json=person, headers=stranger), 404, "OUTDIAL_NOT_FOUND")
    bulk = await client.post(f"{path}/bulk", json={"targets": [person]}, headers=stranger)
    refused(bulk, 404, "OUTDIAL_NOT_FOUND")
