from typing import Any

import httpx
import pytest

from outdialer.api.wire import rfc3339
from tests.api.conftest import OTHER_CUSTOMER, World, answered, created, refused

KEYS = {
    "id", "customer_id", "name", "detail", "source", "dial_timeout", "try_interval", "max_try_count_0",
    "max_try_count_1", "max_try_count_2", "max_try_count_3", "max_try_count_4", "redial_answered",
    "tm_create", "tm_update", "tm_delete",
}  # fmt: skip


async def test_an_empty_body_takes_the_defaults(client: httpx.AsyncClient) -> None:
    outplan = await created(client, "/v1.0/outplans")
    assert set(outplan) == KEYS
    assert (outplan["dial_timeout"], outplan["try_interval"]) == (30_000, 3_600_000)
    assert [outplan[f"max_try_count_{index}"] for index in range(5)] == [3, 0, 0, 0, 0]
    assert (outplan["source"], outplan["redial_answered"]) == ({}, True)
    assert (outplan["tm_update"], outplan["tm_delete"]) == (None, None)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"max_try_count_1": 2}, [0, 2, 0, 0, 0]),
        ({"max_try_count_0": 0}, [0, 0, 0, 0, 0]),
        ({"max_try_count_0": None, "max_try_count_4": None}, [3, 0, 0, 0, 0]),
        ({"max_try_count_0": 100, "max_try_count_4": 1}, [100, 0, 0, 0, 1]),
    ],
)
async def test_tries(client: httpx.AsyncClient, sent: dict[str, Any], stored: list[int]) -> None:
    outplan = await created(client, "/v1.0/outplans", **sent)
    assert [outplan[f"max_try_count_{index}"] for index in range(5)] == stored


@pytest.mark.parametrize(
    ("sent", "stored"),
    [(0, 30_000), (1, 1_000), (30, 30_000), (999, 600_000), (1_000, 1_000), (25_000, 25_000), (700_000, 600_000)],
)
async def test_dial_timeout_is_ms_and_below_a_second_seconds(client: httpx.AsyncClient, sent: int, stored: int) -> None:
    assert (await created(client, "/v1.0/outplans", dial_timeout=sent))["dial_timeout"] == stored


@pytest.mark.parametrize(
    ("live", "sent", "stored"), [(False, 0, 0), (False, 60, 60), (True, 60, 60_000), (True, 61_000, 61_000)]
)
async def test_try_interval_has_a_floor_only_beyond_loopback(world: World, live: bool, sent: int, stored: int) -> None:
    async with await world.client(live=live) as client:
        outplan = await created(client, "/v1.0/outplans", try_interval=sent)
        assert outplan["try_interval"] == stored
        changed = await client.put(f"/v1.0/outplans/{outplan['id']}/dial_info", json={"try_interval": sent})
        assert answered(changed)["try_interval"] == stored


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ({}, {}),
        (None, {}),
        ({"target": ""}, {}),
        ({"type": "tel", "target": ""}, {}),
        ({"target": "+1 (202) 555-0100"}, {"type": "tel", "target": "+12025550100"}),
        ({"type": "", "target": "+12025550100"}, {"type": "tel", "target": "+12025550100"}),
        ({"type": "sip", "target": "desk@PBX.example"}, {"type": "sip", "target": "sip:desk@pbx.example"}),
        ({"target": "sip:desk@127.0.0.1:5070"}, {"type": "sip", "target": "sip:desk@127.0.0.1:5070"}),
    ],
)
async def test_source(client: httpx.AsyncClient, source: Any, stored: dict[str, str]) -> None:
    empty = dict.fromkeys(("type", "target", "target_name", "name", "detail"), "") if stored else {}
    assert (await created(client, "/v1.0/outplans", source=source))["source"] == empty | stored


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"name": 5}, "INVALID_JSON_BODY", ["name", "5", "text"]),
        ({"name": "x" * 256}, "INVALID_ARGUMENT", ["name", "255"]),
        ({"dial_timeout": "30"}, "INVALID_JSON_BODY", ["dial_timeout", '"30"', "whole number"]),
        ({"dial_timeout": 1.5}, "INVALID_JSON_BODY", ["dial_timeout", "1.5"]),
        ({"dial_timeout": True}, "INVALID_JSON_BODY", ["dial_timeout", "true"]),
        ({"dial_timeout": -1}, "INVALID_ARGUMENT", ["dial_timeout", "-1", ">= 0"]),
        ({"try_interval": -5}, "INVALID_ARGUMENT", ["try_interval"]),
        ({"try_interval": 31_536_000_001}, "INVALID_ARGUMENT", ["try_interval", "31536000000"]),
        ({"max_try_count_3": 101}, "INVALID_ARGUMENT", ["max_try_count_3", "101", "100"]),
        ({"redial_answered": "no"}, "INVALID_JSON_BODY", ["redial_answered", "true or false"]),
        ({"source": "x"}, "INVALID_JSON_BODY", ["source", "object"]),
        ({"source": {"target": 5}}, "INVALID_JSON_BODY", ["source.target", "5"]),
        ({"source": {"target": "nonsense"}}, "INVALID_ARGUMENT", ["source.target", "nonsense", "+12025550123"]),
        ({"source": {"type": "agent", "target": "x"}}, "INVALID_ARGUMENT", ["source.type", "agent", "tel and sip"]),
        ({"source": {"type": "fax", "target": "x"}}, "INVALID_ARGUMENT", ["source.type", "fax"]),
        ({"source": {"type": "sip", "target": "+12025550100"}}, "INVALID_ARGUMENT", ["source.target", "sip:user@host"]),
        ({"source": {"target": "+12025550100", "name": "a\r\nVia: x"}}, "INVALID_ARGUMENT", ["source.name"]),
    ],
)
async def test_refusals_name_field_value_and_what_is_right(
    client: httpx.AsyncClient, fields: dict[str, Any], reason: str, words: list[str]
) -> None:
    refused(await client.post("/v1.0/outplans", json=fields), 400, reason, *words)
    assert answered(await client.get("/v1.0/outplans"))["result"] == []


async def test_unknown_and_server_owned_fields_are_ignored(client: httpx.AsyncClient) -> None:
    outplan = await created(client, "/v1.0/outplans", id="x", customer_id=7, tm_create=5, tm_delete="now", color="red")
    again = answered(await client.put(f"/v1.0/outplans/{outplan['id']}", json=outplan | {"id": "y", "version": 9}))
    assert again | {"tm_update": None} == outplan
    assert answered(await client.get(f"/v1.0/outplans/{outplan['id']}")) == again


async def test_a_partial_put_keeps_the_rest(client: httpx.AsyncClient) -> None:
    outplan = await created(client, "/v1.0/outplans", name="a", detail="b", source={"target": "+12025550100"})
    path = f"/v1.0/outplans/{outplan['id']}"
    named = answered(await client.put(path, json={"name": "c", "detail": None}))
    assert (named["name"], named["detail"]) == ("c", "b")
    info = answered(await client.put(f"{path}/dial_info", json={"max_try_count_1": 4, "redial_answered": False}))
    changed = {"max_try_count_1": 4, "redial_answered": False, "tm_update": info["tm_update"]}
    assert info == named | changed
    cleared = answered(await client.put(f"{path}/dial_info", json={"source": {}}))
    assert cleared["source"] == {}


async def test_delete_hides_keeps_readable_and_forbids_changes(client: httpx.AsyncClient) -> None:
    outplan = await created(client, "/v1.0/outplans")
    path = f"/v1.0/outplans/{outplan['id']}"
    deleted = answered(await client.delete(path))
    assert deleted["tm_delete"] == deleted["tm_update"] is not None
    assert answered(await client.delete(path)) == deleted
    assert answered(await client.get(path)) == deleted
    assert answered(await client.get("/v1.0/outplans"))["result"] == []
    refused(await client.put(path, json={"name": "x"}), 409, "STATE_INVALID", "deleted")
    refused(await client.put(f"{path}/dial_info", json={}), 409, "STATE_INVALID", "deleted")


async def test_someone_elses_outplan_does_not_exist(client: httpx.AsyncClient, world: World) -> None:
    outplan = await created(client, "/v1.0/outplans")
    stranger = {"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}
    path = f"/v1.0/outplans/{outplan['id']}"
    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        refused(await client.request(method, path, json=body, headers=stranger), 404, "OUTPLAN_NOT_FOUND")
    assert answered(await client.get("/v1.0/outplans", headers=stranger))["result"] == []


async def test_if_match(client: httpx.AsyncClient) -> None:
    made = await client.post("/v1.0/outplans", json={})
    path = f"/v1.0/outplans/{made.json()['id']}"
    tag = (await client.get(path)).headers["etag"]
    assert tag == made.headers["etag"]
    changed = await client.put(path, json={"name": "x"}, headers={"If-Match": tag})
    assert answered(changed)["name"] == "x"
    assert changed.headers["etag"] != tag
    late = await client.put(path, json={"name": "y"}, headers={"If-Match": tag})
    refused(late, 412, "VERSION_MISMATCH", "If-Match", changed.headers["etag"])
    assert answered(
        await client.put(path, json={"name": "z"}, headers={"If-Match": f'"77", {changed.headers["etag"]}'})
    )
    assert answered(await client.put(path, json={"name": "z"}, headers={"If-Match": "*"}))


async def test_times_in_both_forms(world: World) -> None:
    async with await world.client() as new, await world.client(old_time_format=True) as old:
        outplan = await created(new, "/v1.0/outplans")
        other = answered(await old.get(f"/v1.0/outplans/{outplan['id']}"))
    assert outplan["tm_create"].replace("T", " ").removesuffix("Z") == other["tm_create"]
    assert len(other["tm_create"]) == len("2022-04-29 07:01:45.808944")
    assert other["tm_delete"] is None
    assert outplan["tm_create"] > rfc3339(0)
