"""Runs of call scripts, as the calls of campaigns make them."""

from typing import Any

import httpx
import pytest
from msgspec import structs

from outdialer.domain.call import CallStatus
from outdialer.domain.units import NIL_ID, format_id
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER, World, answered, refused
from tests.api.seeds import ATTEMPT, CALL, ENDED_CALL, Seeder, identified

PATH = f"/v1.0/activeflows/{format_id(CALL.activeflow_id)}"
NIL = format_id(NIL_ID)


async def _listed(client: httpx.AsyncClient) -> list[Any]:
    rows: list[Any] = answered(await client.get("/v1.0/activeflows"))["result"]
    return rows


async def test_the_activeflow_of_a_campaigncall(client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.attempt(CUSTOMER, ATTEMPT)
    seed.call(CUSTOMER, CALL, 42)
    attempt = answered(await client.get(f"/v1.0/campaigncalls/{format_id(ATTEMPT.id)}"))
    shown = answered(await client.get(f"/v1.0/activeflows/{attempt['activeflow_id']}"))
    assert shown["reference_type"] == "call"
    assert shown["reference_id"] == attempt["reference_id"]
    assert shown["flow_id"] == attempt["flow_id"]
    assert (shown["current_action"]["id"], shown["tm_delete"]) == (NIL, None)
    assert "executed_actions" not in shown
    assert await _listed(client) == [shown]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (CallStatus.DIALING, None),
        (CallStatus.RINGING, None),
        (CallStatus.PROGRESSING, "running"),
        (CallStatus.TERMINATING, "ended"),
        (CallStatus.CANCELING, "ended"),
        (CallStatus.HANGUP, "ended"),
    ],
)
async def test_it_runs_from_the_answer_to_the_end(
    client: httpx.AsyncClient, seed: Seeder, status: CallStatus, shown: str | None
) -> None:
    seed.call(CUSTOMER, structs.replace(CALL, status=status), 42)
    assert answered(await client.get(PATH)).get("status") == shown


async def test_stopping_it_hangs_up(client: httpx.AsyncClient, world: World, seed: Seeder) -> None:
    seed.call(CUSTOMER, CALL, 42)
    answered(await client.post(f"{PATH}/stop"))
    assert world.hung_up == [(42, "operator")]


async def test_one_that_has_ended_stays_as_it_is(client: httpx.AsyncClient, world: World, seed: Seeder) -> None:
    seed.call(CUSTOMER, ENDED_CALL, None)
    assert answered(await client.post(f"{PATH}/stop"))["status"] == "ended"
    assert world.hung_up == []


async def test_deleting_it_hangs_up_and_hides_it(client: httpx.AsyncClient, world: World, seed: Seeder) -> None:
    seed.call(CUSTOMER, CALL, 42)
    other = structs.replace(ENDED_CALL, id=identified(70), activeflow_id=identified(71))
    seed.call(CUSTOMER, other, None)
    deleted = answered(await client.delete(PATH))
    assert world.hung_up == [(42, "operator")]
    assert deleted["tm_delete"] == deleted["tm_update"] is not None
    assert answered(await client.delete(PATH))["tm_delete"] == deleted["tm_delete"]
    assert [row["id"] for row in await _listed(client)] == [format_id(other.activeflow_id)]
    assert answered(await client.get(PATH))["tm_delete"] == deleted["tm_delete"]
    call = answered(await client.get(f"/v1.0/calls/{format_id(CALL.id)}"))
    assert call["tm_delete"] is None


async def test_a_strangers_is_not_there(world: World, client: httpx.AsyncClient, seed: Seeder) -> None:
    seed.call(CUSTOMER, CALL, 42)
    async with world.anonymous({"Authorization": f"Bearer {await world.key(OTHER_CUSTOMER)}"}) as other:
        for method, path in (("GET", PATH), ("DELETE", PATH), ("POST", f"{PATH}/stop")):
            refused(await other.request(method, path), 404, "ACTIVEFLOW_NOT_FOUND")
        assert await _listed(other) == []
    assert world.hung_up == []
