"""What clients are told of real runs: each state change of each attempt, once, in order, with what GET answers."""

import json
from collections import defaultdict

from outdialer.api.events.event import ClientEvent
from outdialer.api.events.render import Renderer
from outdialer.api.wire import Wire
from outdialer.domain.units import format_id
from tests.engine.conftest import MakeWorld
from tests.engine.world import BUSY, CUSTOMER, HANGS_UP, RINGS, World, action, number, numbers

BEGUN = ["campaigncall_created", "call_created"]
RUNG = [*BEGUN, "call_ringing"]
ANSWERED = [*RUNG, "campaigncall_updated", "call_progressing"]
ENDED = ["campaigncall_updated", "call_hangup"]


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
    """The events of attempts and their calls, by the number that was dialled."""
    found: dict[str, list[ClientEvent]] = defaultdict(list)
    for event in events:
        if event.resource in ("campaigncall", "call"):
            found[json.loads(event.data)["destination"]["target"]].append(event)
    return found


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
    people = await world.campaign(answered, busy, rings, ring_ms=300, actions=talks)
    await world.until_status(people)
    events = await told(world)
    types = {target: [event.type for event in happened] for target, happened in by_attempt(events).items()}
    assert types[answered] == [*ANSWERED, *ENDED]
    assert types[busy] in ([*BEGUN, *ENDED], [*RUNG, *ENDED])
    assert types[rings] == [*RUNG, *ENDED]
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
    assert types[number(1)] == [*ANSWERED, "call_terminating", *ENDED]
    assert types[number(2)] == [*RUNG, "call_canceling", *ENDED]
    statuses = [json.loads(event.data)["status"] for event in by_attempt(events)[number(1)]]
    assert statuses[-4:] == ["progressing", "terminating", "done", "hangup"]
    ending = json.loads(by_attempt(events)[number(1)][-3].data)
    assert ending["answered"] is True
    assert ending["tm_hangup"] is None
    await assert_the_last_ones_are_what_get_answers(world, events)
