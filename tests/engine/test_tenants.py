"""Several customers under one engine."""

from outdialer.domain.campaign import CampaignStatus
from tests.engine.conftest import MakeWorld
from tests.engine.world import done_by, number, numbers


async def test_a_customer_that_comes_later_waits_for_a_trunk_and_says_so(make_world: MakeWorld) -> None:
    world = await make_world()
    rest = await world.rest()
    made = await rest.customers.create(name="Clinic")
    assert made.accesskey is not None
    async with world.client(made.accesskey.token) as clinic:
        outplan = await clinic.outplans.create(source={"target": "+12025550100"})
        outdial = await clinic.outdials.create()
        await clinic.targets.create(outdial.id, destination_0={"target": number(3)})
        campaign = await clinic.campaigns.create(outplan_id=outplan.id, outdial_id=outdial.id, end_handle="stop")
        assert (await clinic.campaigns.run(campaign.id)).status == "run"

        async def waits() -> bool:
            return (await clinic.campaigns.get_stats(campaign.id)).waiting_for.startswith("trunk: not set")

        await world.until(waits)
    people = await world.campaign(*numbers(2))
    await world.until_status(people, CampaignStatus.STOP)
    assert done_by(await world.targets(people)) == ["success"] * 2
    assert sorted(world.dialled()) == sorted(numbers(2)), "nobody is rung for who has no trunk"
