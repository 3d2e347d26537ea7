"""What people change by REST while a campaign runs changes the dialing within a second."""

from itertools import pairwise

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant, format_id
from tests.engine.conftest import MakeWorld
from tests.engine.world import BUSY, RINGS, World, action, done_by, number, numbers


def invited_after(world: World, moment: Instant) -> int:
    return sum(invite.at > moment for invite in world.invites)


def wait_a_minute(world: World) -> None:
    """Let an interval end that is too long for any change to come too late, however slow the machine."""
    world.clock.jump(61)
    world.look_again()


async def test_a_higher_rate(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(*numbers(40), rate=1)
    await world.until_invited(1)
    rest = await world.rest()
    await rest.campaigns.update(format_id(people.campaign), dial_rate=50)
    changed = world.clock.now()
    await world.until_status(people)
    # The slots that were reserved at the old rate stand: the next one was a second away. All of them at the old rate
    # would take 39 seconds.
    assert max(i.at for i in world.invites) < changed + 13 * MICROSECONDS_PER_SECOND


async def test_a_lower_rate(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(*numbers(200), rate=50)
    await world.until_invited(5)
    rest = await world.rest()
    await rest.campaigns.update(format_id(people.campaign), dial_rate=2)
    changed = world.clock.now()

    def slowly() -> bool:
        last = [i.at for i in world.invites if i.at > changed][-3:]
        gaps = [after - before for before, after in pairwise(last)]
        return len(gaps) == 2 and min(gaps) >= 0.498 * MICROSECONDS_PER_SECOND

    await world.until(slowly)
    assert invited_after(world, changed) < 60, "what was claimed for the next half second, not all that is left"


async def test_fewer_channels(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(*numbers(60), channels=6, actions=[action("sleep", duration=100)])
    await world.until_invited(12)
    rest = await world.rest()
    await rest.campaigns.update(format_id(people.campaign), dial_channels=1)
    changed = world.clock.now()
    await world.until(lambda: invited_after(world, changed) >= 10)
    ended = {a.id.hex(): a.tm_hangup for a in await world.attempts()}
    # Six may have been on their way when the change came.
    late = [i for i in world.invites if i.at > changed][6:]
    for before, after in pairwise(late[:4]):
        hangup = ended[before.attempt]
        assert hangup is not None
        assert hangup <= after.at, "one at a time"


async def test_more_tries(make_world: MakeWorld) -> None:
    world = await make_world(f"*={BUSY}")
    world.terms_changed = True
    people = await world.campaign(number(1), tries=(2, 0, 0, 0, 0), interval_ms=60_000)
    await world.until_ended(1)
    rest = await world.rest()
    await rest.outplans.update_dial_info(format_id(people.outplan), max_try_count_0=4, try_interval=20)
    wait_a_minute(world)
    await world.until_status(people)
    assert world.dialled() == [number(1)] * 4


async def test_fewer_tries(make_world: MakeWorld) -> None:
    world = await make_world(f"*={BUSY}")
    world.terms_changed = True
    people = await world.campaign(number(1), tries=(5, 0, 0, 0, 0), interval_ms=60_000)
    await world.until_ended(1)
    rest = await world.rest()
    await rest.outplans.update_dial_info(format_id(people.outplan), max_try_count_0=1)
    wait_a_minute(world)
    await world.until_status(people)
    assert world.dialled() == [number(1)]
    assert done_by(await world.targets(people)) == ["exhausted"]


async def test_another_caller_id(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(*numbers(60), rate=15)
    await world.until_invited(3)
    rest, ordered = await world.rest(), world.clock.now()
    await rest.outplans.update_dial_info(format_id(people.outplan), source={"type": "tel", "target": "+12025550177"})
    changed = world.clock.now()

    async def more_are_over() -> bool:
        return sum(a.tm_create > changed and a.tm_hangup is not None for a in await world.attempts()) >= 3

    await world.until(more_are_over)
    attempts = await world.attempts()
    assert {a.source.target for a in attempts if a.tm_create < ordered} == {"+12025550100"}
    assert {a.source.target for a in attempts if a.tm_create > changed} == {"+12025550177"}
    booked = {a.id.hex(): a.source.target for a in attempts}
    assert {i.caller for i in world.invites} == {"+12025550100", "+12025550177"}
    assert all(booked[i.attempt] == i.caller for i in world.invites)


async def test_a_shorter_ring(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    people = await world.campaign(*numbers(2), channels=1, ring_ms=3_000)
    await world.until_ringing()
    rest = await world.rest()
    await rest.outplans.update_dial_info(format_id(people.outplan), dial_timeout=1_000)
    await world.until_status(people)
    lasted = [a.tm_hangup - a.tm_create for a in await world.attempts() if a.tm_hangup is not None]
    # The two are far enough apart for a machine that stops for more than a second.
    assert lasted[0] >= 3 * MICROSECONDS_PER_SECOND, "a call keeps the terms that it was claimed under"
    assert MICROSECONDS_PER_SECOND <= lasted[1] < 2.9 * MICROSECONDS_PER_SECOND


async def test_a_deleted_target(make_world: MakeWorld) -> None:
    world = await make_world(f"{number(1)}={BUSY}")
    people = await world.campaign(*numbers(2), tries=(9, 0, 0, 0, 0), interval_ms=60_000)
    await world.until_ended(2)
    rest = await world.rest()
    await rest.targets.delete(format_id(people.outdial), format_id(people.targets[1]))
    wait_a_minute(world)
    await world.until_status(people)
    assert sorted(world.dialled()) == numbers(2)


async def test_a_target_deleted_while_it_is_called_is_not_called_again(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    people = await world.campaign(number(1), tries=(9, 0, 0, 0, 0), interval_ms=10)
    await world.until_ringing()
    rest = await world.rest()
    await rest.targets.delete(format_id(people.outdial), format_id(people.targets[0]))
    [attempt] = await world.attempts()
    await rest.calls.hang_up(format_id(attempt.reference_id))
    await world.until_status(people)
    assert world.dialled() == [number(1)]
    assert done_by(await world.targets(people)) == ["removed"]


async def test_other_actions_hold_for_later_calls(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(*numbers(2), channels=1, actions=[action("sleep", duration=1_500)])
    await world.until_talking()
    rest = await world.rest()
    await rest.campaigns.update_actions(format_id(people.campaign), actions=[{"type": "hangup"}])
    await world.until_status(people)
    first, second = await world.attempts()
    assert first.talk_ms >= 1_490
    assert (first.hangup_detail, second.hangup_detail) == ("end-of-script", "hangup")
