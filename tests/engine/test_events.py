"""What clients are told of real runs: each state change of each attempt, once, in order, with what GET answers."""

import json
from collections import defaultdict

from outdialer.api.events.event import ClientEvent
from outdialer.api.events.render import Renderer
from outdialer.api.wire import Wire
from outdialer.domain.units import format_id
from tests.engine.conftest import MakeWorld
from tests.engine.world import BUSY, CUSTOMER, HANGS_UP, RINGS, World, action, number, numbers

BEGUN = ["campaigncall_created", "call_created", "activeflow_created"]
RUNG = [*BEGUN, "call_ringing"]
ANSWERED = [*RUNG, "campaigncall_updated", "call_progressing", "activeflow_updated"]
ENDED_BY_US = ["campaigncall_updated", "call_hangup"]
"""The script's run was over when our side ended the call."""
ENDED = [*ENDED_BY_US, "activeflow_updated"]


async def told(world: World) -> list[ClientEvent]:
    """Every event of the books, and that each has an id of its own."""
    renderer = Renderer(await world.store.inner.install_secret())
    cursor, events = 0, []
    while True:
        page = await world.store.inner.events_after(cursor, 7)
        events += [event for row in page.rows for event in renderer.events(row, Wire(CUSTOMER))]
        assert not page.lost
        cursor = page.after
        if not page.more:
            break
    assert len({event.id for event in events}) == len(events)
    return events


def by_attempt(events: list[ClientEvent]) -> dict[str, list[ClientEvent]]:
    """The events of attempts, their calls and the runs of their scripts, by the number that was dialled."""
    found: dict[str, list[ClientEvent]] = defaultdict(list)
    numbers_of: dict[str, str] = {}
    for event in events:
        body = json.loads(event.data)
        if event.resource in ("campaigncall", "call"):
            numbers_of[body["activeflow_id"]] = body["destination"]["target"]
            found[body["destination"]["target"]].append(event)
        if event.resource == "activeflow":
            found[numbers_of[body["id"]]].append(event)
    return found


def runs(events: list[ClientEvent]) -> list[str]:
    """How a script's run stood at each of its events."""
    return [json.loads(event.data).get("status", "") for event in events if event.resource == "activeflow"]


async def assert_the_last_ones_are_what_get_answers(world: World, events: list[ClientEvent]) -> None:
    last = {(event.resource, event.resource_id): event for event in events}
    client = (await world.rest()).http
    for (resource, resource_id), event in last.items():
        shown = await client.get(f"/v1.0/{resource}s/{format_id(resource_id)}")
        assert json.loads(event.data) == shown.json()


async def test_each_change_of_each_attempt_is_told_once(make_world: MakeWorld) -> None:
    answered, busy, rings = number(1), number(2), number(3)
    world = await make_world(f"{answered}={HANGS_UP}", f"{busy}={BUSY}", f"{rings}={RINGS}")
    talks = [action("sleep", duration=60_000)]
    people = await world.campaign(answered, busy, rings, ring_ms=1_500, actions=talks)
    await world.until_status(people)
    events = await told(world)
    types = {target: [event.type for event in happened] for target, happened in by_attempt(events).items()}
    assert types[answered] == [*ANSWERED, *ENDED]
    assert types[busy] in ([*BEGUN, *ENDED], [*RUNG, *ENDED])
    assert types[rings] == [*RUNG, *ENDED]
    happened = by_attempt(events)
    assert [runs(happened[target]) for target in (answered, rings)] == [["", "running", "ended"], ["", "ended"]]
    campaign = [event.type for event in events if event.resource == "campaign"]
    assert campaign[-2:] == ["campaign_status_run", "campaign_status_stop"]
    await assert_the_last_ones_are_what_get_answers(world, events)


async def test_a_hang_up_of_ours_is_told(make_world: MakeWorld) -> None:
    world = await make_world(f"{number(2)}={RINGS}")
    people = await world.campaign(*numbers(2, 1), actions=[action("sleep", duration=60_000)])
    await world.until_talking()
    await world.until_ringing()
    client = await world.rest()
    async for call in client.calls.list():
        await client.calls.hang_up(call.id)
    await world.until_nothing_is_live()
    rest = await world.rest()
    await rest.campaigns.stop(format_id(people.campaign))
    events = await told(world)
    types = {target: [event.type for event in happened] for target, happened in by_attempt(events).items()}
    assert types[number(1)] == [*ANSWERED, "call_terminating", "activeflow_updated", *ENDED_BY_US]
    assert types[number(2)] == [*RUNG, "call_canceling", "activeflow_updated", *ENDED_BY_US]
    statuses = [json.loads(event.data)["status"] for event in by_attempt(events)[number(1)][4:]]
    assert statuses == ["progressing", "progressing", "running", "terminating", "ended", "done", "hangup"]
    assert runs(by_attempt(events)[number(2)]) == ["", "ended"]
    ending = json.loads(by_attempt(events)[number(1)][-4].data)
    assert ending["answered"] is True
    assert ending["tm_hangup"] is None
    await assert_the_last_ones_are_what_get_answers(world, events)


async def test_deleting_the_run_of_a_script_ends_it_and_is_its_last_change(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(number(1), actions=[action("sleep", duration=60_000)])
    await world.until_talking()
    client = await world.rest()
    (talking,) = [run async for run in client.activeflows.list()]
    deleted = (await client.http.delete(f"/v1.0/activeflows/{talking.id}")).json()
    await world.until_nothing_is_live()
    await client.campaigns.stop(format_id(people.campaign))
    events = await told(world)
    bodies = [json.loads(event.data) for event in events if event.resource == "activeflow"]
    names = [event.type for event in events if event.resource == "activeflow"]
    assert sorted(names[2:-1]) in ([], ["activeflow_updated"])  # Whichever the books heard of first.
    assert [*names[:2], names[-1]] == ["activeflow_created", "activeflow_updated", "activeflow_deleted"]
    assert (bodies[-1]["status"], bodies[-1]["tm_delete"]) == ("ended", bodies[-1]["tm_update"])
    assert bodies[-1] == deleted
    await assert_the_last_ones_are_what_get_answers(world, events)
