"""The life of campaigns, from run to stop."""

from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.units import format_id
from tests.engine.conftest import MakeWorld
from tests.engine.world import BUSY, CALLED_OFF, CUSTOMER, HANGS_UP, RINGS, action, done_by, number, numbers


async def test_everybody_is_called_once_and_the_campaign_stops(make_world: MakeWorld) -> None:
    world = await make_world(f"{number(1)}={HANGS_UP}")
    people = await world.campaign(*numbers(20))
    await world.until_status(people)
    assert sorted(world.dialled()) == sorted(numbers(20))
    assert done_by(await world.targets(people)) == ["success"] * 20
    attempts = await world.attempts()
    assert {(a.status, a.result, a.hangup_reason) for a in attempts} == {("done", "success", "normal")}
    assert all(a.tm_ringing and a.tm_progressing and a.tm_hangup for a in attempts)


async def test_stop_goes_through_stopping_and_run_goes_on(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(*numbers(30), rate=20, actions=[action("sleep", duration=60_000)])
    await world.until_talking(3)
    rest = await world.rest()
    await rest.campaigns.stop(format_id(people.campaign))
    before = len(world.invites)
    assert await world.status(people) == CampaignStatus.STOPPING

    async def nothing_is_under_way() -> bool:
        return all(a.tm_progressing or a.tm_hangup for a in await world.attempts())

    await world.until(nothing_is_under_way)
    assert len(world.invites) <= before + 3, "of the ten whose slots are in the next half second"
    for attempt in await world.attempts():
        if attempt.tm_hangup is None:
            await rest.calls.hang_up(format_id(attempt.reference_id))
    await world.until_status(people)
    done = done_by(await world.targets(people))
    assert 3 <= done.count("success") < 30
    assert done.count("idle") == 30 - done.count("success"), "what was not sent is due again, its try given back"
    await world.nothing_more_for(0.3)
    await rest.campaigns.update(format_id(people.campaign), dial_rate=0)
    await rest.campaigns.update_actions(format_id(people.campaign), actions=[{"type": "hangup"}])
    await rest.campaigns.run(format_id(people.campaign))
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 30
    assert sorted(world.dialled()) == sorted(numbers(30))


async def test_what_was_claimed_already_is_not_sent_after_a_stop(make_world: MakeWorld) -> None:
    world = await make_world(rate=2.1)
    world.clock.stand()
    people = await world.campaign(*numbers(2))

    async def claimed() -> bool:
        return len(await world.attempts()) == 2

    await world.until(claimed)
    rest = await world.rest()
    await rest.campaigns.stop(format_id(people.campaign))
    await world.until(lambda: CampaignStatus.RUN not in world.statuses_known())
    world.clock.go_on()
    await world.until_status(people)
    assert len(world.invites) == 1, "the other one had its slot half a second later"
    [kept_back] = [a for a in await world.attempts() if not a.charged]
    assert kept_back.hangup_detail in CALLED_OFF


async def test_stop_without_calls_is_immediate(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(number(1), end_handle=EndHandle.CONTINUE)
    await world.until_ended(1)
    rest = await world.rest()
    await rest.campaigns.stop(format_id(people.campaign))
    assert await world.status(people) == CampaignStatus.STOP


async def test_a_campaign_that_continues_calls_whom_it_is_given_later(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(number(1), end_handle=EndHandle.CONTINUE)
    await world.until_ended(1)
    await world.nothing_more_for(0.2)
    assert await world.status(people) == CampaignStatus.RUN
    await world.add_people(people.outdial, number(2))
    await world.until_ended(2)
    assert world.dialled() == numbers(2, 1)
    assert await world.status(people) == CampaignStatus.RUN


async def test_the_next_campaign_starts_at_a_natural_end(make_world: MakeWorld) -> None:
    world = await make_world()
    following = await world.campaign(number(2), run=False)
    first = await world.campaign(number(1), next_campaign=following.campaign)
    await world.until_ended(2)
    await world.until_status(following)
    assert await world.status(first) == CampaignStatus.STOP
    assert world.dialled() == [number(1), number(2)]


async def test_the_next_campaign_does_not_start_at_a_manual_stop(make_world: MakeWorld) -> None:
    world = await make_world()
    following = await world.campaign(number(9), run=False)
    talk = [action("sleep", duration=60_000)]
    first = await world.campaign(number(1), next_campaign=following.campaign, actions=talk)
    await world.until_talking()
    rest = await world.rest()
    await rest.campaigns.stop(format_id(first.campaign))
    [attempt] = await world.attempts()
    await rest.calls.hang_up(format_id(attempt.reference_id))
    await world.until_status(first)
    await world.nothing_more_for(0.2)
    assert await world.status(following) == CampaignStatus.STOP


async def test_failing_numbers_never_stop_a_campaign(make_world: MakeWorld) -> None:
    failing = {
        number(1): "not-found:final_after_ms=20",
        number(2): "unavailable:final_after_ms=20",
        number(3): BUSY,
        number(4): "decline:ring_after_ms=10,final_after_ms=20",
    }
    world = await make_world(*(f"{who}={what}" for who, what in failing.items()))
    refused, foreign = "+19005550123", "sip:nobody@nowhere.invalid"
    people = await world.campaign(*failing, refused, foreign, *numbers(6, 10), channels=1)
    await world.until_status(people)
    done = done_by(await world.targets(people))
    assert done == ["exhausted"] * 4 + ["invalid"] + ["success"] * 7
    assert refused not in world.dialled()
    assert set(world.dialled()) >= set(numbers(6, 10))


async def test_a_target_that_is_not_due_never_blocks_one_that_is(make_world: MakeWorld) -> None:
    world = await make_world(f"{number(1)}={BUSY}")
    people = await world.campaign(number(1), *numbers(8, 2), tries=(2, 0, 0, 0, 0), interval_ms=60_000, channels=1)
    await world.until_ended(9)
    assert world.dialled() == [number(1), *numbers(8, 2)]
    stats = await world.stats(people)
    assert (stats.retries_waiting, stats.targets_idle) == (1, 1)
    assert stats.next_due is not None
    world.clock.jump(61)
    world.look_again()
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["exhausted"] + ["success"] * 8


async def test_a_campaign_that_cannot_dial_says_why(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    people = await world.campaign(*numbers(3), channels=1)
    await world.until_ringing(1)

    async def waits() -> bool:
        return (await world.stats(people)).waiting_for == "campaign_channels: 1 of 1"

    await world.until(waits)
    await world.store.inner.order_stop(CUSTOMER, people.campaign, world.clock.now())

    async def silent() -> bool:
        return (await world.stats(people)).waiting_for == "campaign_status: stopping"

    await world.until(silent)


async def test_a_campaign_without_any_tries_ends_at_once(make_world: MakeWorld) -> None:
    world = await make_world()
    following = await world.campaign(number(2), run=False)
    first = await world.campaign(number(1), tries=(0, 0, 0, 0, 0), next_campaign=following.campaign)
    await world.until_status(following, CampaignStatus.RUN)
    assert await world.status(first) == CampaignStatus.STOP
    await world.until_status(following)
    assert world.dialled() == [number(2)]
