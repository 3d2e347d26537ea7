import re
from typing import Any

import httpx
import pytest
from msgspec import structs

from outdialer.domain.units import NIL_ID, format_id
from tests.api_tmp_sqlite.conftest import CUSTOMER, OTHER_CUSTOMER, World, answered, refused
from tests.api_tmp_sqlite.seeds import ATTEMPT, CALL, ENDED_CALL, LIVE_ATTEMPT, Seeder

PUBLISHED: dict[str, Any] = {
    "id": "uuid",
    "campaign_id": "uuid",
    "outplan_id": "uuid",
    "outdial_id": "uuid",
    "outdial_target_id": "uuid",
    "queue_id": "uuid",
    "activeflow_id": "uuid",
    "reference_type": {"none", "call"},
    "reference_id": "uuid",
    "status": {"dialing", "progressing", "done"},
    "result": {"", "success", "fail"},
    "source": "address",
    "destination": "address",
    "destination_index": range(5),
    "try_count": range(1, 101),
    "tm_create": "older time",
    "tm_update": "older time",
}
"""The published object: each key with what its value may be."""
SHAPES = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "older time": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"),
}
ADDRESS_KEYS = {"type", "target", "target_name", "name", "detail"}
ADDITIONAL = {
    "customer_id", "flow_id", "tm_delete", "sip_code", "q850_cause", "answered", "charged", "hangup_reason",
    "hangup_detail", "tm_ringing", "tm_progressing", "tm_hangup",
}  # fmt: skip
UNKNOWN = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
ATTEMPT_PATH = f"/v1.0/campaigncalls/{format_id(ATTEMPT.id)}"
CALL_PATH = f"/v1.0/calls/{format_id(CALL.id)}"


def _fits(value: Any, wanted: Any) -> bool:
    if wanted == "address":
        return set(value) == ADDRESS_KEYS and all(isinstance(text, str) for text in value.values())
    return bool(SHAPES[wanted].fullmatch(value)) if isinstance(wanted, str) else value in wanted


@pytest.mark.parametrize("attempt", [ATTEMPT, LIVE_ATTEMPT])
async def test_the_published_object_in_the_older_time_form(world: World, seed: Seeder, attempt: Any) -> None:
    seed.attempt(CUSTOMER, attempt)
    async with await world.client(old_time_format=True) as client:
        shown = answered(await client.get(ATTEMPT_PATH))
    assert set(shown) == set(PUBLISHED) | ADDITIONAL
    for key, wanted in PUBLISHED.items():
        assert _fits(shown[key], wanted), (key, shown[key])
    assert shown["reference_id"] == format_id(attempt.reference_id)
    assert (shown["status"] == "done") == (shown["result"] != "")


async def test_the_additional_facts(client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.attempt(CUSTOMER, ATTEMPT)
    shown = answered(await client.get(ATTEMPT_PATH))
    facts = {name: shown[name] for name in ("hangup_reason", "hangup_detail", "sip_code", "q850_cause")}
    assert facts == {"hangup_reason": "normal", "hangup_detail": "bye", "sip_code": 200, "q850_cause": 16}
    assert (shown["answered"], shown["charged"], shown["tm_delete"]) == (True, True, None)
    assert shown["queue_id"] == format_id(NIL_ID)
    assert shown["tm_ringing"] == "2026-01-01T00:00:00.000003Z"


async def test_delete(client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.attempt(CUSTOMER, LIVE_ATTEMPT)
    refused(await client.delete(ATTEMPT_PATH), 409, "STATE_INVALID", "not done")
    seed.attempt(CUSTOMER, ATTEMPT)
    deleted = answered(await client.delete(ATTEMPT_PATH))
    assert deleted["tm_delete"] is not None
    assert answered(await client.delete(ATTEMPT_PATH)) == deleted == answered(await client.get(ATTEMPT_PATH))
    assert answered(await client.get("/v1.0/campaigncalls"))["result"] == []


async def test_lists_and_strangers(client: httpx.AsyncClient, seed: Seeder, world: World) -> None:
    seed.attempt(CUSTOMER, ATTEMPT)
    seed.call(CUSTOMER, CALL, None)
    assert len(answered(await client.get("/v1.0/campaigncalls"))["result"]) == 1
    assert len(answered(await client.get("/v1.0/calls"))["result"]) == 1
    stranger = {"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}
    refused(await client.get(ATTEMPT_PATH, headers=stranger), 404, "CAMPAIGNCALL_NOT_FOUND")
    refused(await client.delete(ATTEMPT_PATH, headers=stranger), 404, "CAMPAIGNCALL_NOT_FOUND")
    refused(await client.get(CALL_PATH, headers=stranger), 404, "CALL_NOT_FOUND")
    refused(await client.post(f"{CALL_PATH}/hangup", headers=stranger), 404, "CALL_NOT_FOUND")
    refused(await client.get(f"/v1.0/campaigncalls/{UNKNOWN}"), 404, "CAMPAIGNCALL_NOT_FOUND")


async def test_calls_have_a_reason_when_they_are_over(client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.call(CUSTOMER, CALL, 42)
    live = answered(await client.get(CALL_PATH))
    assert "hangup_reason" not in live
    assert "hangup_by" not in live
    assert (live["status"], live["direction"], live["type"]) == ("progressing", "outgoing", "flow")
    assert live["campaigncall_id"] == format_id(ATTEMPT.id)
    seed.call(CUSTOMER, ENDED_CALL, None)
    over = answered(await client.get(CALL_PATH))
    assert (over["hangup_reason"], over["hangup_by"], over["status"]) == ("normal", "remote", "hangup")


async def test_hang_up_reaches_the_live_leg_only(client: httpx.AsyncClient, seed: Seeder, world: World) -> None:
    seed.call(CUSTOMER, CALL, 42)
    assert answered(await client.post(f"{CALL_PATH}/hangup"))["id"] == format_id(CALL.id)
    assert [leg for leg, _ in world.hung_up] == [42]
    other = structs.replace(ENDED_CALL, id=ATTEMPT.id)
    seed.call(CUSTOMER, other, None)
    assert answered(await client.post(f"/v1.0/calls/{format_id(other.id)}/hangup"))["status"] == "hangup"
    assert len(world.hung_up) == 1
    refused(await client.post(f"/v1.0/calls/{UNKNOWN}/hangup"), 404, "CALL_NOT_FOUND")
