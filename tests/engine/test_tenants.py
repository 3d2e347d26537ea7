"""Several customers under one engine."""

from outdialer.domain.campaign import CampaignStatus
from tests.api.conftest import answered
from tests.engine.conftest import MakeWorld
from tests.engine.world import done_by, number, numbers


async def test_a_customer_that_comes_later_waits_for_a_trunk_and_says_so(make_world: MakeWorld) -> None:
    world = await make_world()
    rest = await world.rest()
    made = answered(await rest.post("/v1.0/customers", json={"name": "Clinic"}))
    headers = {"Authorization": f"Bearer {made['accesskey']['token']}"}

    async def create(path: str, **body: object) -> str:
        return str(answered(await rest.post(f"/v1.0{path}", json=body, headers=headers))["id"])

    outplan = await create("/outplans", source={"target": "+12025550100"})
    outdial = await create("/outdials")
    await create(f"/outdials/{outdial}/targets", destination_0={"target": number(3)})
    campaign = await create("/campaigns", outplan_id=outplan, outdial_id=outdial, end_handle="stop")
    run = await rest.put(f"/v1.0/campaigns/{campaign}/status", json={"status": "run"}, headers=headers)
    assert answered(run)["status"] == "run"

    async def waits() -> bool:
        stats = await rest.get(f"/v1.0/campaigns/{campaign}/stats", headers=headers)
        return str(answered(stats)["waiting_for"]).startswith("trunk: not set")

    await world.until(waits)
    people = await world.campaign(*numbers(2))
    await world.until_status(people, CampaignStatus.STOP)
    assert done_by(await world.targets(people)) == ["success"] * 2
    assert sorted(world.dialled()) == sorted(numbers(2)), "nobody is rung for who has no trunk"
