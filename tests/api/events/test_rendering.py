"""Each event carries what the GET of its object answers at that moment, and no secret; over both stores."""

import json
from typing import Any

import httpx
import pytest
from msgspec import structs

from outdialer.api.events.event import ClientEvent
from outdialer.api.events.render import EVENT_TYPES, Renderer
from outdialer.api.wire import Wire
from outdialer.domain.units import format_id
from outdialer.ports.directory import ApiStore
from outdialer.ports.events import AttemptNow
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER, World, answered, created, over_both_stores
from tests.api.fakes import START, MemoryStore
from tests.api.seeds import ATTEMPT, CALL, ENDED_CALL

CHANGED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("outplan", "/v1.0/outplans", {"name": "a"}, {"name": "b"}),
    ("outdial", "/v1.0/outdials", {"name": "a", "data": {"x": 1}}, {"name": "b"}),
    ("campaign", "/v1.0/campaigns", {"name": "a", "actions": [{"type": "answer"}]}, {"name": "b"}),
    ("tag", "/v1.0/tags", {"name": "a"}, {"name": "b"}),
    ("flow", "/v1.0/flows", {"name": "a", "actions": [{"type": "beep"}]}, {"name": "b"}),
    ("extension", "/v1.0/extensions", {"extension": "2001", "password": "canary-1"}, {"password": "canary-2"}),
    ("trunk", "/v1.0/trunks", {"domain_name": "a", "password": "canary-1"}, {"password": "canary-2"}),
    ("agent", "/v1.0/agents", {"username": "a@b.example", "password": "canary-1"}, {"name": "b"}),
]


async def told(store: ApiStore, customer: int = CUSTOMER, *, after: int = 0) -> list[ClientEvent]:
    """The events of a customer that are on the books."""
    renderer = Renderer(await store.install_secret())
    page = await store.events_after(after, 1_000, {customer})
    assert not page.lost
    assert not page.more
    assert page.after == await store.newest_event()
    return [event for row in page.rows for event in renderer.events(row, Wire(customer))]


@over_both_stores
@pytest.mark.parametrize(("name", "path", "body", "change"), CHANGED, ids=[row[0] for row in CHANGED])
async def test_an_event_carries_what_get_answers(
    client: httpx.AsyncClient, store: ApiStore, name: str, path: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    bodies = [await created(client, path, **body)]
    one = f"{path}/{bodies[0]['id']}"
    answered(await client.put(one, json=change))
    bodies.append(answered(await client.get(one)))
    answered(await client.delete(one))
    bodies.append(answered(await client.get(one)))
    events = await told(store)
    assert [event.type for event in events] == [f"{name}_created", f"{name}_updated", f"{name}_deleted"]
    assert [json.loads(event.data) for event in events] == bodies
    assert {format_id(event.resource_id) for event in events} == {bodies[0]["id"]}
    assert {event.resource for event in events} == {name}
    assert "canary" not in repr(events)
    assert await told(store, OTHER_CUSTOMER) == []


@over_both_stores
async def test_a_change_of_status_has_its_own_event(client: httpx.AsyncClient, store: ApiStore) -> None:
    agent = await created(client, "/v1.0/agents", username="a@b.example", password="x", permission=16)
    outplan, outdial = await created(client, "/v1.0/outplans"), await created(client, "/v1.0/outdials")
    campaign = await created(client, "/v1.0/campaigns", outplan_id=outplan["id"], outdial_id=outdial["id"])
    before = await store.newest_event()
    answered(await client.put(f"/v1.0/agents/{agent['id']}/status", json={"status": "available"}))
    answered(await client.put(f"/v1.0/agents/{agent['id']}/permission", json={"permission": 64}))
    for status in ("run", "stop"):
        answered(await client.put(f"/v1.0/campaigns/{campaign['id']}/status", json={"status": status}))
    events = await told(store, after=before)
    assert [event.type for event in events] == [
        "agent_status_updated",
        "agent_updated",
        "campaign_status_run",
        "campaign_status_stop",
    ]
    assert [json.loads(event.data).get("status") for event in events] == ["available", "available", "run", "stop"]
    assert [format_id(event.owner_id)[:2] == "00" for event in events] == [False, False, True, True]


@over_both_stores
async def test_some_things_are_nobody_elses_business(client: httpx.AsyncClient, store: ApiStore) -> None:
    await created(client, "/v1.0/queues")
    await created(client, "/v1.0/providers", name="a")
    await created(client, "/v1.0/accesskeys")
    assert await told(store) == []


async def test_an_attempt_is_told_as_it_was(store: MemoryStore) -> None:
    now = AttemptNow(structs.replace(ATTEMPT, tm_delete=START + 99, late_answer=True), ENDED_CALL)
    for kind, at in (("claimed", START), ("ringing", START + 3), ("answered", START + 5), ("ended", START + 9)):
        store.attempt_happened(CUSTOMER, kind, at, now)
    events = await told(store)
    seen = [(event.type, (facts := json.loads(event.data)).get("status"), facts.get("answered")) for event in events]
    assert seen == [
        ("campaigncall_created", "dialing", False),
        ("call_created", "dialing", False),
        ("activeflow_created", None, None),
        ("call_ringing", "ringing", False),
        ("campaigncall_updated", "progressing", True),
        ("call_progressing", "progressing", True),
        ("activeflow_updated", "running", None),
        ("campaigncall_updated", "done", True),
        ("call_hangup", "hangup", True),
        ("activeflow_updated", "ended", None),
    ]
    first, _, _, ringing, _, progressing, _, done, hangup, _ = [json.loads(event.data) for event in events]
    assert (first["tm_update"], first["tm_ringing"], first["hangup_reason"], first["sip_code"]) == (None, None, "", 0)
    assert "hangup_by" not in ringing
    assert ringing["tm_progressing"] is None
    assert ringing["tm_update"] == ringing["tm_ringing"]
    assert progressing["tm_hangup"] is None
    assert progressing["tm_ringing"] == ringing["tm_ringing"]
    assert (done["result"], done["tm_delete"], hangup["hangup_by"]) == ("success", None, "remote")


async def test_the_run_of_a_script_changes_when_its_call_is_answered_and_once_more(store: MemoryStore) -> None:
    """Events of one row keep their places, and so their ids, whether the run is told of or not."""
    ended = structs.replace(ENDED_CALL, tm_activeflow_end=START + 7)
    deleted = structs.replace(ended, tm_activeflow_delete=START + 7)
    rows = (("claimed", START), ("answered", START + 5), ("terminating", START + 8), ("ended", START + 9))
    seen = []
    for call in (ENDED_CALL, ended, deleted):
        before = await store.newest_event()
        for kind, at in rows if call is not ENDED_CALL else (*rows[:2], rows[3]):
            store.attempt_happened(CUSTOMER, kind, at, AttemptNow(ATTEMPT, call))
        events = [event for event in await told(store, after=before) if event.resource == "activeflow"]
        seen.append([(event.at - START, json.loads(event.data).get("status")) for event in events])
    assert seen == [
        [(0, None), (5, "running"), (9, "ended")],
        [(0, None), (5, "running"), (8, "ended")],
        [(0, None), (5, "running")],
    ]


async def test_an_attempt_that_is_gone_is_not_told_of(store: MemoryStore) -> None:
    store.add(CUSTOMER, "ended", START)
    assert await told(store) == []


async def test_what_cannot_be_read_keeps_nothing_up(client: httpx.AsyncClient, store: MemoryStore) -> None:
    store.add(CUSTOMER, "tag_created", START, payload='{"of": "another version"}')
    tag = await created(client, "/v1.0/tags")
    assert [json.loads(event.data)["id"] for event in await told(store)] == [tag["id"]]


async def test_the_same_event_is_the_same_every_time(world: World, store: MemoryStore) -> None:
    for _ in range(3):
        store.attempt_happened(CUSTOMER, "claimed", START, AttemptNow(ATTEMPT, CALL))
    events = await told(store)
    assert events == await told(store)
    assert len({event.id for event in events}) == 9


async def test_topics(store: MemoryStore) -> None:
    store.attempt_happened(CUSTOMER, "ringing", START + 3, AttemptNow(ATTEMPT, CALL))
    owner = f"customer_id:{Wire(CUSTOMER).customer_id}"
    (event,) = await told(store)
    call = format_id(CALL.id)
    assert list(event.topics) == [f"{owner}:call:{call}", f"{owner}:call:call_ringing:{call}"]


def test_the_names_are_those_of_the_contract() -> None:
    assert {"campaigncall_created", "call_hangup", "campaign_status_stopping", "agent_status_updated"} < {*EVENT_TYPES}
    of_activeflows = [name for name in EVENT_TYPES if name.startswith("activeflow_")]
    assert of_activeflows == ["activeflow_created", "activeflow_deleted", "activeflow_updated"]
    assert not [name for name in EVENT_TYPES if name.startswith(("queue_", "provider", "route", "accesskey"))]
