from typing import Any

import httpx
import pytest

from tests.api.conftest import answered, created, over_both_stores, refused

pytestmark = over_both_stores
NIL = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
KEYS = {"id", "customer_id", "campaign_id", "name", "detail", "data", "tm_create", "tm_update", "tm_delete"}


async def test_everything_may_be_left_out(client: httpx.AsyncClient) -> None:
    outdial = await created(client, "/v1.0/outdials")
    assert set(outdial) == KEYS
    assert (outdial["campaign_id"], outdial["name"], outdial["data"]) == (NIL, "", "")


@pytest.mark.parametrize("unset", ["", NIL, None])
async def test_three_ways_to_leave_an_id_unset(client: httpx.AsyncClient, unset: Any) -> None:
    assert (await created(client, "/v1.0/outdials", campaign_id=unset))["campaign_id"] == NIL


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        ("text", "text"),
        ("", ""),
        (None, ""),
        ({}, "{}"),
        ({"a": [1, "é"], "b": {"c": None}}, '{"a":[1,"é"],"b":{"c":null}}'),
        ('{"ref":1}', '{"ref":1}'),
    ],
)
async def test_data_is_text_or_an_object(client: httpx.AsyncClient, data: Any, stored: str) -> None:
    outdial = await created(client, "/v1.0/outdials", data=data)
    assert outdial["data"] == stored
    changed = await client.put(f"/v1.0/outdials/{outdial['id']}/data", json={"data": data})
    assert answered(changed)["data"] == stored


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"data": 5}, "INVALID_JSON_BODY", ["data", "5"]),
        ({"data": [1]}, "INVALID_JSON_BODY", ["data"]),
        ({"data": "x" * 65_537}, "INVALID_ARGUMENT", ["data", "65536"]),
        ({"campaign_id": "x"}, "INVALID_ARGUMENT", ["campaign_id", '"x"', "UUID"]),
        ({"campaign_id": 5}, "INVALID_JSON_BODY", ["campaign_id"]),
        ({"campaign_id": UNKNOWN}, "INVALID_ARGUMENT", ["campaign_id", UNKNOWN]),
        ({"name": "x" * 256}, "INVALID_ARGUMENT", ["name"]),
    ],
)
async def test_refusals(client: httpx.AsyncClient, fields: dict[str, Any], reason: str, words: list[str]) -> None:
    refused(await client.post("/v1.0/outdials", json=fields), 400, reason, *words)


async def test_changes(client: httpx.AsyncClient) -> None:
    campaign = await created(client, "/v1.0/campaigns")
    outdial = await created(client, "/v1.0/outdials", name="a", detail="b", data="c")
    path = f"/v1.0/outdials/{outdial['id']}"
    assert answered(await client.put(path, json={"detail": "d"}))["name"] == "a"
    bound = answered(await client.put(f"{path}/campaign_id", json={"campaign_id": campaign["id"]}))
    assert (bound["campaign_id"], bound["data"], bound["detail"]) == (campaign["id"], "c", "d")
    assert answered(await client.put(f"{path}/campaign_id", json={}))["campaign_id"] == campaign["id"]
    refused(await client.put(f"{path}/campaign_id", json={"campaign_id": UNKNOWN}), 400, "INVALID_ARGUMENT")
    assert answered(await client.put(f"{path}/campaign_id", json={"campaign_id": ""}))["campaign_id"] == NIL


async def test_deleted(client: httpx.AsyncClient) -> None:
    outdial = await created(client, "/v1.0/outdials")
    path = f"/v1.0/outdials/{outdial['id']}"
    deleted = answered(await client.delete(path))
    assert deleted["tm_delete"] is not None
    assert answered(await client.get(path)) == deleted == answered(await client.delete(path))
    for part, body in (("", {}), ("/campaign_id", {"campaign_id": ""}), ("/data", {"data": ""})):
        refused(await client.put(f"{path}{part}", json=body), 409, "STATE_INVALID")
    person = {"destination_0": {"target": "+12025550123"}}
    refused(await client.post(f"{path}/targets", json=person), 409, "STATE_INVALID")
    refused(await client.post(f"{path}/targets/bulk", json={"targets": [person]}), 409, "STATE_INVALID")
    assert answered(await client.get("/v1.0/outdials"))["result"] == []
