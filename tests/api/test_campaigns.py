from typing import Any

import httpx
import pytest

from tests.api.conftest import OTHER_CUSTOMER, World, answered, created, over_both_stores, refused

pytestmark = over_both_stores
NIL = "00000000-0000-0000-0000-000000000000"
UNKNOWN = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
KEYS = {
    "id", "customer_id", "type", "name", "detail", "status", "service_level", "end_handle", "actions", "outplan_id",
    "outdial_id", "queue_id", "next_campaign_id", "tm_create", "tm_update", "tm_delete",
}  # fmt: skip
TALK = {"type": "talk", "option": {"text": "Good morning", "language": "en-GB", "gender": "female"}}
STATUS_ORDERS = ["status", "service_level", "actions", "resource_info", "next_campaign_id"]


async def ready_campaign(client: httpx.AsyncClient) -> dict[str, Any]:
    outplan = await created(client, "/v1.0/outplans")
    outdial = await created(client, "/v1.0/outdials")
    return await created(client, "/v1.0/campaigns", outplan_id=outplan["id"], outdial_id=outdial["id"])


async def order(client: httpx.AsyncClient, campaign: dict[str, Any], status: str) -> dict[str, Any]:
    return answered(await client.put(f"/v1.0/campaigns/{campaign['id']}/status", json={"status": status}))


async def test_an_empty_body_takes_the_defaults(client: httpx.AsyncClient) -> None:
    campaign = await created(client, "/v1.0/campaigns")
    assert set(campaign) == KEYS | {"dial_rate", "dial_channels"}
    assert (campaign["type"], campaign["end_handle"], campaign["status"]) == ("call", "stop", "stop")
    assert (campaign["actions"], campaign["service_level"]) == ([], 0)
    assert {campaign[name] for name in ("outplan_id", "outdial_id", "queue_id", "next_campaign_id")} == {NIL}


async def test_a_first_time_users_order_and_upstreams(client: httpx.AsyncClient) -> None:
    campaign = await ready_campaign(client)
    outdial = answered(await client.get(f"/v1.0/outdials/{campaign['outdial_id']}"))
    assert outdial["campaign_id"] == campaign["id"]
    assert (await order(client, campaign, "run"))["status"] == "run"

    first = await created(client, "/v1.0/campaigns", name="x", outdial_id="", outplan_id=NIL, queue_id=None)
    outdial = await created(client, "/v1.0/outdials", campaign_id=first["id"], name="n", detail="d", data="d")
    resources = {"outplan_id": campaign["outplan_id"], "outdial_id": outdial["id"], "queue_id": ""}
    answered(await client.put(f"/v1.0/campaigns/{first['id']}/resource_info", json=resources))
    assert (await order(client, first, "run"))["status"] == "run"


async def test_actions_come_back_as_sent(client: httpx.AsyncClient) -> None:
    own = UNKNOWN.upper()
    sent = [TALK | {"id": own, "next_id": "", "tm_execute": "x", "more": 1}, {"type": "hangup"}]
    campaign = await created(client, "/v1.0/campaigns", actions=sent)
    assert campaign["actions"] == [
        {"id": UNKNOWN, "next_id": NIL, **TALK, "tm_execute": None},
        {"id": NIL, "next_id": NIL, "type": "hangup", "tm_execute": None},
    ]
    path = f"/v1.0/campaigns/{campaign['id']}/actions"
    assert answered(await client.put(path, json={}))["actions"] == campaign["actions"]
    assert answered(await client.put(path, json={"actions": []}))["actions"] == []


@pytest.mark.parametrize(
    ("actions", "http", "reason", "words"),
    [
        ([{"type": "sing"}], 400, "INVALID_ACTION_TYPE", ["actions[0].type", "sing", "talk"]),
        ([{}], 400, "INVALID_ACTION_TYPE", ["actions[0].type"]),
        ([{"type": "empty"}], 400, "INVALID_ACTION_TYPE", ["empty"]),
        ([TALK, {"type": "queue_join"}], 409, "FEATURE_UNAVAILABLE", ["actions[1].type", "queue_join"]),
        ([{"type": "talk"}], 400, "INVALID_ARGUMENT", ["actions[0].option.text", "missing"]),
        ([{"type": "talk", "option": {"text": 5}}], 400, "INVALID_ARGUMENT", ["actions[0].option.text", "5"]),
        ([{"type": "sleep", "option": {"duration": 3_600_001}}], 400, "INVALID_ARGUMENT", ["duration", "3600000"]),
        ([{"type": "play", "option": {"stream_urls": "x"}}], 400, "INVALID_ARGUMENT", ["stream_urls"]),
        ([{"type": "talk", "option": []}], 400, "INVALID_JSON_BODY", ["actions[0].option", "object"]),
        ([{"type": "hangup", "id": "x"}], 400, "INVALID_ARGUMENT", ["actions[0].id", "UUID"]),
        ({}, 400, "INVALID_JSON_BODY", ["actions", "list"]),
        ([5], 400, "INVALID_JSON_BODY", ["actions[0]", "object"]),
    ],
)
async def test_actions_refused(
    client: httpx.AsyncClient, actions: Any, http: int, reason: str, words: list[str]
) -> None:
    refused(await client.post("/v1.0/campaigns", json={"actions": actions}), http, reason, *words)
    campaign = await created(client, "/v1.0/campaigns", actions=[TALK])
    changed = await client.put(f"/v1.0/campaigns/{campaign['id']}/actions", json={"actions": actions})
    refused(changed, http, reason, *words)


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"type": "sms"}, "INVALID_ARGUMENT", ["type", '"sms"', "call", "flow"]),
        ({"end_handle": "end"}, "INVALID_ARGUMENT", ["end_handle", '"end"', "stop", "continue"]),
        ({"service_level": 101}, "INVALID_ARGUMENT", ["service_level", "101", "100"]),
        ({"service_level": "1"}, "INVALID_JSON_BODY", ["service_level"]),
        ({"dial_rate": -0.5}, "INVALID_ARGUMENT", ["dial_rate"]),
        ({"dial_channels": 1.5}, "INVALID_JSON_BODY", ["dial_channels"]),
        ({"name": None, "detail": "x" * 2_001}, "INVALID_ARGUMENT", ["detail", "2000"]),
    ],
)
async def test_values_refused(client: httpx.AsyncClient, fields: dict[str, Any], reason: str, words: list[str]) -> None:
    refused(await client.post("/v1.0/campaigns", json=fields), 400, reason, *words)
    campaign = await created(client, "/v1.0/campaigns")
    refused(await client.put(f"/v1.0/campaigns/{campaign['id']}", json=fields), 400, reason, *words)


@pytest.mark.parametrize("name", ["outplan_id", "outdial_id", "next_campaign_id"])
@pytest.mark.parametrize("kind", ["unknown", "no uuid", "deleted", "foreign"])
async def test_references_are_checked(client: httpx.AsyncClient, world: World, name: str, kind: str) -> None:
    plural = {"outplan_id": "outplans", "outdial_id": "outdials", "next_campaign_id": "campaigns"}[name]
    stranger = {"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}
    foreign = answered(await client.post(f"/v1.0/{plural}", json={}, headers=stranger))["id"]
    gone = (await created(client, f"/v1.0/{plural}"))["id"]
    answered(await client.delete(f"/v1.0/{plural}/{gone}"))
    value = {"unknown": UNKNOWN, "no uuid": "x", "deleted": gone, "foreign": foreign}[kind]
    message = refused(await client.post("/v1.0/campaigns", json={name: value}), 400, "INVALID_ARGUMENT", name, value)
    if kind == "foreign":
        other = await client.post("/v1.0/campaigns", json={name: UNKNOWN})
        assert message.replace(value, UNKNOWN) == refused(other, 400, "INVALID_ARGUMENT")
    campaign = await created(client, "/v1.0/campaigns")
    path = f"/v1.0/campaigns/{campaign['id']}"
    refused(await client.put(f"{path}/resource_info", json={name: value}), 400, "INVALID_ARGUMENT", name, value)
    if name == "next_campaign_id":
        refused(await client.put(f"{path}/{name}", json={name: value}), 400, "INVALID_ARGUMENT", name, value)


async def test_a_list_belongs_to_one_campaign(client: httpx.AsyncClient) -> None:
    campaign = await ready_campaign(client)
    fields = {"outdial_id": campaign["outdial_id"]}
    refused(await client.post("/v1.0/campaigns", json=fields), 400, "INVALID_ARGUMENT", "outdial_id", campaign["id"])
    answered(await client.put(f"/v1.0/outdials/{campaign['outdial_id']}/campaign_id", json={"campaign_id": ""}))
    assert (await created(client, "/v1.0/campaigns", **fields))["outdial_id"] == campaign["outdial_id"]


async def test_resource_info_keeps_what_it_does_not_name(client: httpx.AsyncClient) -> None:
    campaign = await ready_campaign(client)
    follower = await created(client, "/v1.0/campaigns")
    path = f"/v1.0/campaigns/{campaign['id']}"
    changed = answered(await client.put(f"{path}/resource_info", json={"next_campaign_id": follower["id"]}))
    expected = campaign | {"next_campaign_id": follower["id"], "tm_update": changed["tm_update"]}
    assert changed == expected
    cleared = answered(await client.put(f"{path}/next_campaign_id", json={"next_campaign_id": ""}))
    assert cleared["next_campaign_id"] == NIL
    unset = answered(await client.put(f"{path}/resource_info", json={"outplan_id": NIL, "outdial_id": ""}))
    assert (unset["outplan_id"], unset["outdial_id"]) == (NIL, NIL)
    own = {"next_campaign_id": campaign["id"]}
    refused(await client.put(f"{path}/next_campaign_id", json=own), 400, "INVALID_ARGUMENT", "itself")


async def test_what_is_not_available_says_so(client: httpx.AsyncClient) -> None:
    campaign = await created(client, "/v1.0/campaigns")
    path = f"/v1.0/campaigns/{campaign['id']}"
    queue = {"queue_id": UNKNOWN}
    refused(await client.post("/v1.0/campaigns", json=queue), 409, "FEATURE_UNAVAILABLE", "queue_id")
    refused(await client.put(f"{path}/resource_info", json=queue), 409, "FEATURE_UNAVAILABLE", "queue_id")
    refused(await client.post("/v1.0/campaigns", json={"type": "flow"}), 409, "FEATURE_UNAVAILABLE", "type")
    refused(await client.put(path, json={"type": "flow"}), 409, "FEATURE_UNAVAILABLE", "type")


async def test_partial_changes(client: httpx.AsyncClient) -> None:
    campaign = await created(client, "/v1.0/campaigns", name="a", service_level=50, end_handle="continue", dial_rate=2)
    path = f"/v1.0/campaigns/{campaign['id']}"
    changed = answered(await client.put(path, json={"detail": "b", "dial_channels": 3, "status": "run", "name": None}))
    assert changed == campaign | {"detail": "b", "dial_channels": 3, "tm_update": changed["tm_update"]}
    level = answered(await client.put(f"{path}/service_level", json={"service_level": 100}))
    assert (level["service_level"], level["end_handle"], level["dial_rate"]) == (100, "continue", 2)
    assert answered(await client.put(f"{path}/service_level", json={}))["service_level"] == 100


@pytest.mark.parametrize("status", ["stopping", "", "RUN", "runs"])
async def test_only_run_and_stop_can_be_ordered(client: httpx.AsyncClient, status: str) -> None:
    campaign = await ready_campaign(client)
    path = f"/v1.0/campaigns/{campaign['id']}/status"
    refused(await client.put(path, json={"status": status}), 400, "INVALID_ARGUMENT", "status", "run, stop")
    refused(await client.put(path, json={}), 400, "INVALID_ARGUMENT", "status", "missing", "run or stop")
    refused(await client.put(path, json={"status": 1}), 400, "INVALID_JSON_BODY", "status")


async def test_run_and_stop_twice_change_nothing(client: httpx.AsyncClient) -> None:
    campaign = await ready_campaign(client)
    assert (await order(client, campaign, "stop")) == campaign
    running = await order(client, campaign, "run")
    assert running["status"] == "run"
    assert (await order(client, campaign, "run")) == running
    assert (await order(client, campaign, "stop"))["status"] == "stop"


@pytest.mark.parametrize("missing", ["outplan_id", "outdial_id"])
async def test_run_needs_its_references(client: httpx.AsyncClient, missing: str) -> None:
    campaign = await ready_campaign(client)
    path = f"/v1.0/campaigns/{campaign['id']}"
    answered(await client.put(f"{path}/resource_info", json={missing: ""}))
    refused(await client.put(f"{path}/status", json={"status": "run"}), 400, "INVALID_ARGUMENT", missing, "not set")
    plural = missing.removesuffix("_id") + "s"
    gone = await created(client, f"/v1.0/{plural}")
    answered(await client.put(f"{path}/resource_info", json={missing: gone["id"]}))
    answered(await client.delete(f"/v1.0/{plural}/{gone['id']}"))
    refused(await client.put(f"{path}/status", json={"status": "run"}), 400, "INVALID_ARGUMENT", missing, gone["id"])


async def test_deleted(client: httpx.AsyncClient) -> None:
    campaign = await ready_campaign(client)
    path = f"/v1.0/campaigns/{campaign['id']}"
    deleted = answered(await client.delete(path))
    assert deleted["tm_delete"] is not None
    assert answered(await client.delete(path)) == deleted == answered(await client.get(path))
    assert answered(await client.get("/v1.0/campaigns"))["result"] == []
    refused(await client.put(path, json={}), 409, "STATE_INVALID")
    refused(await client.put(f"{path}/status", json={"status": "run"}), 409, "STATE_INVALID")
    for part in ("service_level", "actions", "resource_info", "next_campaign_id"):
        refused(await client.put(f"{path}/{part}", json={}), 409, "STATE_INVALID")
    assert answered(await client.get(f"/v1.0/outdials/{campaign['outdial_id']}"))["campaign_id"] == NIL


async def test_a_changed_campaign_is_not_overwritten(client: httpx.AsyncClient) -> None:
    campaign = await ready_campaign(client)
    path = f"/v1.0/campaigns/{campaign['id']}"
    bodies: dict[str, Any] = {name: {} for name in STATUS_ORDERS} | {"status": {"status": "run"}}
    for part, body in bodies.items():
        late = await client.put(f"{path}/{part}", json=body, headers={"If-Match": '"99"'})
        refused(late, 412, "VERSION_MISMATCH")


@pytest.mark.parametrize("rate", [1e-300, 5e-324])
async def test_a_rate_that_is_hardly_one_is_a_rate(client: httpx.AsyncClient, rate: float) -> None:
    campaign = await ready_campaign(client)
    path = f"/v1.0/campaigns/{campaign['id']}"
    assert answered(await client.put(path, json={"dial_rate": rate}))["dial_rate"] == rate
    assert (await order(client, campaign, "run"))["status"] == "run"
    provider = await created(client, "/v1.0/providers", hostname="127.0.0.1", rate_per_s=rate)
    route = await created(client, "/v1.0/routes", provider_id=provider["id"], target="all")
    answered(await client.put(f"/v1.0/routes/{route['id']}", json={"rate_per_s": rate}))
    answered(await client.put(f"/v1.0/providers/{provider['id']}", json={"rate_per_s": rate}))
