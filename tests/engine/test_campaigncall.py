"""The campaigncall as it is published: a real run, ordered over REST, makes objects with these keys and meanings."""

import asyncio
from typing import Any

import httpx
import pytest

from outdialer.api.auth import new_access_key
from outdialer.engine.system import random_bytes
from tests.api.contract.rows import NIL, UNKNOWN, a_time
from tests.engine.conftest import MakeWorld
from tests.engine.world import ANSWERS, BUSY, CUSTOMER, World, number

PUBLISHED = {
    *("id", "campaign_id", "outplan_id", "outdial_id", "outdial_target_id", "queue_id", "activeflow_id"),
    *("reference_type", "reference_id", "status", "result", "source", "destination", "destination_index"),
    *("try_count", "tm_create", "tm_update"),
}
ADDED = {
    *("customer_id", "flow_id", "tm_delete", "hangup_reason", "hangup_detail", "sip_code", "q850_cause", "answered"),
    *("charged", "tm_ringing", "tm_progressing", "tm_hangup"),
}
"""What we document beyond the published page."""
ADDRESS = {"type": "tel", "target_name": "", "name": "", "detail": ""}
CALLER = "+12025550100"
PERSON, BUSY_FIRST, ALWAYS_BUSY = number(1), number(2), number(3)
HOUR_MS = 3_600_000
STAYS = [{"type": "sleep", "option": {"duration": 60_000}}]
PLAN = {"name": "plan", "source": {"target": CALLER}, "try_interval": HOUR_MS, "max_try_count_0": 2}


class Client:
    """The REST side of a world as bare requests: what is on the wire is looked at."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(transport=world._api, base_url="http://127.0.0.1", headers=headers)

    @classmethod
    async def of(cls, world: World) -> "Client":
        """A client with an access key of its own."""
        await world.rest()
        now = world.clock.now()
        token, key = new_access_key(random_bytes, id=world.ids.new(now), customer=CUSTOMER, now=now, name="bare")
        await world.store.put_access_key(key)
        return cls(world, token)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request that must succeed."""
        response = await self._http.request(method, f"/v1.0{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def made(self, path: str, body: Any) -> str:
        """The id of a new object."""
        return str((await self.ask("POST", path, body))["id"])

    async def calls_of(self, campaign: str) -> list[dict[str, Any]]:
        """The campaigncalls of a campaign, oldest first."""
        rows: list[dict[str, Any]] = (await self.ask("GET", f"/campaigns/{campaign}/campaigncalls"))["result"]
        return rows[::-1]

    async def until(self, campaign: str, *wanted: tuple[str, str]) -> list[dict[str, Any]]:
        """The campaigncalls once their (status, result) are these."""

        async def there() -> bool:
            return [(row["status"], row["result"]) for row in await self.calls_of(campaign)] == list(wanted)

        await self.world.until(there)
        return await self.calls_of(campaign)


async def plan_first(client: Client, *people: str) -> dict[str, str]:
    """Outplan, outdial, targets, campaign: the order in which one thinks of it."""
    outplan = await client.made("/outplans", PLAN)
    outdial = await client.made("/outdials", {"name": "people"})
    for person in people:
        await client.made(f"/outdials/{outdial}/targets", {"destination_0": {"target": person}})
    references = {"outplan_id": outplan, "outdial_id": outdial}
    campaign = await client.made("/campaigns", {"name": "c", "end_handle": "stop", "actions": STAYS, **references})
    return {"campaign_id": campaign, **references}


async def campaign_first(client: Client, *people: str) -> dict[str, str]:
    """Campaign with an empty outdial, outdial with the campaign's id, resource_info."""
    outplan = await client.made("/outplans", {**PLAN, "detail": "", "dial_timeout": 30})
    unset = {"outdial_id": "", "queue_id": "", "next_campaign_id": ""}
    body = {"name": "c", "detail": "", "type": "call", "service_level": 0, "end_handle": "stop", "actions": STAYS}
    campaign = await client.made("/campaigns", {**body, "outplan_id": outplan, **unset})
    outdial = await client.made("/outdials", {"campaign_id": campaign, "name": "n", "detail": "d", "data": "{}"})
    for person in people:
        destinations = {"destination_0": {"type": "tel", "target": person}, "destination_1": None}
        await client.made(f"/outdials/{outdial}/targets", {"name": "n", "detail": "d", "data": "x", **destinations})
    references = {"outplan_id": outplan, "outdial_id": outdial}
    await client.ask("PUT", f"/campaigns/{campaign}/resource_info", {**unset, **references})
    return {"campaign_id": campaign, **references}


def in_order(order: str) -> Any:
    return plan_first if order == "plan first" else campaign_first


@pytest.mark.parametrize("order", ["plan first", "campaign first"])
async def test_a_success_from_dialing_to_done(make_world: MakeWorld, order: str) -> None:
    world = await make_world(f"*={ANSWERS}")
    client = await Client.of(world)
    ids = await in_order(order)(client, PERSON)
    campaign = ids["campaign_id"]
    world.store.held["record"] = asyncio.Event()
    await client.ask("PUT", f"/campaigns/{campaign}/status", {"status": "run"})
    (dialing,) = await client.until(campaign, ("dialing", ""))
    assert set(dialing) == PUBLISHED | ADDED
    world.store.held.pop("record").set()
    (talking,) = await client.until(campaign, ("progressing", ""))
    assert talking["answered"]
    await client.ask("POST", f"/calls/{talking['reference_id']}/hangup")
    (done,) = await client.until(campaign, ("done", "success"))
    await _is_as_published(client, done, ids)
    (target,) = (await client.ask("GET", f"/outdials/{ids['outdial_id']}/targets"))["result"]
    assert (target["status"], target["id"]) == ("done", done["outdial_target_id"])
    assert await client.ask("GET", f"/campaigncalls/{done['id']}") == done
    for query, wanted in (
        ("", [done["id"]]),
        (f"?campaign_id={campaign}", [done["id"]]),
        (f"?campaign_id={UNKNOWN}", []),
    ):
        assert [row["id"] for row in (await client.ask("GET", f"/campaigncalls{query}"))["result"]] == wanted

    async def ended() -> bool:
        return bool((await client.ask("GET", f"/campaigns/{campaign}"))["status"] == "stop")

    await world.until(ended)
    deleted = await client.ask("DELETE", f"/campaigncalls/{done['id']}")
    assert a_time(deleted["tm_delete"])
    assert await client.calls_of(campaign) == []
    assert (await client.ask("GET", f"/campaigncalls/{done['id']}"))["tm_delete"] == deleted["tm_delete"]


async def _is_as_published(client: Client, done: dict[str, Any], ids: dict[str, str]) -> None:
    assert {key: done[key] for key in ids} == ids
    assert (done["queue_id"], done["reference_type"], done["destination_index"], done["try_count"]) == (
        NIL,
        "call",
        0,
        1,
    )
    assert done["source"] == {**ADDRESS, "target": CALLER}
    assert done["destination"] == {**ADDRESS, "target": PERSON}
    assert all(a_time(done[key]) for key in ("tm_create", "tm_update", "tm_ringing", "tm_progressing", "tm_hangup"))
    assert (done["hangup_reason"], done["sip_code"], done["charged"], done["tm_delete"]) == ("normal", 200, True, None)
    assert NIL not in (done["id"], done["activeflow_id"], done["reference_id"])
    call = await client.ask("GET", f"/calls/{done['reference_id']}")
    assert (call["status"], call["hangup_reason"], call["campaigncall_id"]) == ("hangup", "normal", done["id"])
    assert call["activeflow_id"] == done["activeflow_id"]
    activeflow = await client.ask("GET", f"/activeflows/{done['activeflow_id']}")
    assert (activeflow["status"], activeflow["reference_type"], activeflow["reference_id"]) == (
        "ended",
        "call",
        done["reference_id"],
    )


async def test_a_fail_is_tried_again_until_tries_are_used_up(make_world: MakeWorld) -> None:
    world = await make_world(f"{BUSY_FIRST}={BUSY}/{ANSWERS}", f"{ALWAYS_BUSY}={BUSY}")
    client = await Client.of(world)
    ids = await plan_first(client, BUSY_FIRST, ALWAYS_BUSY)
    campaign, targets = ids["campaign_id"], f"/outdials/{ids['outdial_id']}/targets"
    await client.ask("PUT", f"/campaigns/{campaign}/status", {"status": "run"})
    first = await client.until(campaign, ("done", "fail"), ("done", "fail"))
    assert {row["hangup_reason"] for row in first} == {"busy"}
    rows = (await client.ask("GET", targets))["result"]
    assert [(row["status"], row["due_reason"], row["try_count_0"]) for row in rows] == [("idle", "retry", 1)] * 2
    world.clock.jump(HOUR_MS / 1_000 + 1)
    world.look_again()

    async def talking() -> bool:
        return {row["status"] for row in await client.calls_of(campaign)} == {"done", "progressing"} and len(
            [row for row in await client.calls_of(campaign) if row["status"] == "done"]
        ) == 3

    await world.until(talking)
    (second,) = [row for row in await client.calls_of(campaign) if row["status"] == "progressing"]
    assert (second["destination"]["target"], second["try_count"]) == (BUSY_FIRST, 2)
    await client.ask("POST", f"/calls/{second['reference_id']}/hangup")

    async def all_done() -> bool:
        return {row["status"] for row in (await client.ask("GET", targets))["result"]} == {"done"}

    await world.until(all_done)
    ends = {row["destination_0"]["target"]: row["done_reason"] for row in (await client.ask("GET", targets))["result"]}
    assert ends == {BUSY_FIRST: "success", ALWAYS_BUSY: "exhausted"}
    assert len(await client.calls_of(campaign)) == 4
