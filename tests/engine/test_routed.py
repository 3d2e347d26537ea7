"""Carriers and routes written over REST become the trunks of customers, and what they allow holds over all of them."""

from collections.abc import Sequence

from msgspec import Struct

from outdialer.client import AsyncClient
from outdialer.client.resources.providers import Provider
from outdialer.client.resources.routes import Route
from outdialer.domain.units import MICROSECONDS_PER_SECOND
from tests.engine.conftest import MakeWorld
from tests.engine.test_limits import JITTER_US, most_at_once
from tests.engine.world import RINGS, Network, World, assert_rate, number, numbers

NO_ROUTE = "trunk: not set, and no route of this customer leads to a provider"


class Tenant(Struct, frozen=True):
    """A customer that came over REST."""

    id: str
    client: AsyncClient

    async def campaign(self, people: Sequence[str], ring_ms: int = 10_000) -> str:
        """A running campaign that calls these numbers once each."""
        client = self.client
        outplan = await client.outplans.create(
            source={"target": "+12025550100"}, dial_timeout=ring_ms, max_try_count_0=1
        )
        outdial = await client.outdials.create()
        for person in people:
            await client.targets.create(outdial.id, destination_0={"target": person})
        campaign = await client.campaigns.create(outplan_id=outplan.id, outdial_id=outdial.id, end_handle="stop")
        await client.campaigns.run(campaign.id)
        return campaign.id

    async def waits_for(self, campaign: str) -> str:
        return (await self.client.campaigns.get_stats(campaign)).waiting_for

    async def status(self, campaign: str) -> str:
        return (await self.client.campaigns.get(campaign)).status


async def tenant(world: World, name: str) -> Tenant:
    made = await (await world.rest()).customers.create(name=name)
    assert made.accesskey is not None
    return Tenant(made.id, world.client(made.accesskey.token))


async def carrier(world: World, **given: object) -> Provider:
    """A provider that leads to the world's phones."""
    hostname = f"{world.trunk.host}:{world.trunk.port}"
    settings = {"hostname": hostname, "rate_per_s": 0, "channels": 0} | given
    return await (await world.rest()).providers.create(**settings)  # type: ignore[arg-type]


async def route(world: World, to: Provider, whose: Tenant, **given: object) -> Route:
    routes = (await world.rest()).routes
    return await routes.create(customer_id=whose.id, provider_id=to.id, **given)  # type: ignore[arg-type]


async def until_waits(world: World, whose: Tenant, campaign: str, reason: str) -> None:
    async def waits() -> bool:
        return (await whose.waits_for(campaign)).startswith(reason)

    await world.until(waits)


async def until_stopped(world: World, whose: Tenant, campaign: str) -> None:
    async def stopped() -> bool:
        return await whose.status(campaign) == "stop"

    await world.until(stopped)


async def test_a_route_carries_a_customers_campaigns_until_it_is_deleted(make_world: MakeWorld) -> None:
    world = await make_world()
    clinic = await tenant(world, "Clinic")
    campaign = await clinic.campaign(numbers(3))
    await until_waits(world, clinic, campaign, NO_ROUTE)
    to = await carrier(world, tech_prefix="9*", tech_postfix="#1", tech_headers={"X-Account": "7"})
    carries = await route(world, to, clinic)
    await until_stopped(world, clinic, campaign)
    dressed = [f"9*{person}#1" if world.network == "sip" else person for person in numbers(3)]
    assert sorted(world.dialled()) == sorted(dressed)
    await (await world.rest()).routes.delete(carries.id)
    later = await clinic.campaign([number(5)])
    await until_waits(world, clinic, later, NO_ROUTE)
    assert len(world.invites) == 3
    await clinic.client.close()


async def test_a_change_holds_for_new_calls_and_live_ones_go_on(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    clinic = await tenant(world, "Clinic")
    to = await carrier(world)
    await route(world, to, clinic)
    old = await clinic.campaign([number(1)], ring_ms=60_000)
    await world.until_ringing()
    providers = (await world.rest()).providers
    await providers.update(to.id, tech_prefix="9")
    new = await clinic.campaign([number(2)], ring_ms=60_000)
    await world.until_ringing(2)
    dressed = f"9{number(2)}" if world.network == "sip" else number(2)
    assert world.dialled() == [number(1), dressed]
    await providers.delete(to.id)
    gone = await clinic.campaign([number(3)])
    await until_waits(world, clinic, gone, NO_ROUTE)
    assert [a.tm_hangup for a in await world.attempts()] == [None, None], "calls that are up go on"
    for campaign in (old, new, gone):
        await clinic.client.campaigns.stop(campaign)
    await clinic.client.close()


async def test_a_call_of_a_route_that_is_gone_is_ended_by_the_next_life(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    clinic = await tenant(world, "Clinic")
    to = await carrier(world, tech_prefix="9")
    carries = await route(world, to, clinic)
    await clinic.campaign([number(1)], ring_ms=60_000)
    await world.until_ringing()
    await (await world.rest()).routes.delete(carries.id)
    world.unknown = 1
    await world.engine.stop()
    await world.new_life()
    await world.engine.start()
    await world.until_nothing_is_live()
    if world.phones is not None:
        assert [line.ended_by for line in world.summaries()] == ["caller"], "where it was begun"
    await clinic.client.close()


async def test_what_a_carrier_allows_holds_over_all_its_customers(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    clinic, school = await tenant(world, "Clinic"), await tenant(world, "School")
    to = await carrier(world, rate_per_s=40, channels=4)
    for whose in (clinic, school):
        await route(world, to, whose, rate_per_s=20, channels=2)
    of_clinic = await clinic.campaign(numbers(12), ring_ms=1_000)
    of_school = await school.campaign(numbers(12, 100), ring_ms=1_000)
    await world.until_invited(4)
    await until_waits(world, clinic, of_clinic, "trunk_channels")
    for _ in range(3):
        await world.until_ended(len(world.invites))
    for whose, campaign in ((clinic, of_clinic), (school, of_school)):
        await whose.client.campaigns.stop(campaign)
    await world.until_nothing_is_live()
    attempts = await world.attempts()
    arrived = {invite.attempt: invite.at for invite in world.invites}
    assert most_at_once(attempts, arrived) == 4
    for people in (numbers(12), numbers(12, 100)):
        assert most_at_once([a for a in attempts if a.destination.target in people], arrived) == 2
    if world.phones is not None:
        assert world.phones.max_live <= 4
    await clinic.client.close()
    await school.client.close()


async def test_a_share_that_is_given_away_is_free_when_its_calls_are_over(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    clinic, school = await tenant(world, "Clinic"), await tenant(world, "School")
    to = await carrier(world, channels=2)
    carries = await route(world, to, clinic)
    first = await clinic.campaign(numbers(2), ring_ms=60_000)
    await world.until_ringing(2)
    await (await world.rest()).routes.delete(carries.id)
    await route(world, to, school)
    second = await school.campaign(numbers(2, 100), ring_ms=60_000)
    await until_waits(world, school, second, "trunk_channels: 2 of 2")
    assert len(world.invites) == 2, "both channels are still taken"
    calls = [call async for call in clinic.client.calls.list()]
    await clinic.client.calls.hang_up(calls[0].id)
    await world.until_invited(3)
    await until_waits(world, school, second, "trunk_channels: 2 of 2")
    assert len(world.invites) == 3
    for whose, campaign in ((clinic, first), (school, second)):
        await whose.client.campaigns.stop(campaign)
        await whose.client.close()


async def test_a_carriers_rate_holds_over_all_its_customers(make_world: MakeWorld, network: Network) -> None:
    world = await make_world()
    tenants = [await tenant(world, name) for name in ("Clinic", "School")]
    to = await carrier(world, rate_per_s=40)
    people = [numbers(24), numbers(24, 100)]
    for whose, share in zip(tenants, (30, 10), strict=True):
        await route(world, to, whose, rate_per_s=share, channels=9)
    campaigns = [await whose.campaign(whom) for whose, whom in zip(tenants, people, strict=True)]
    await world.until(
        lambda: all(len(world.dialled(of=whom)) >= least for whom, least in zip(people, (24, 12), strict=True))
    )
    for whom, share in zip(people, (30, 10), strict=True):
        assert_rate([invite for invite in world.invites if invite.number in whom], share, JITTER_US[network])
    times = sorted(invite.at for invite in world.invites)
    for first, beyond in zip(times, times[40:], strict=False):
        assert beyond - first >= MICROSECONDS_PER_SECOND - 2 * JITTER_US[network], "41 within one second"
    for whose, campaign in zip(tenants, campaigns, strict=True):
        await whose.client.campaigns.stop(campaign)
        await whose.client.close()


async def test_a_carrier_beyond_this_machine_is_sent_nothing_and_the_campaign_says_why(make_world: MakeWorld) -> None:
    world = await make_world()
    clinic = await tenant(world, "Clinic")
    await route(world, await carrier(world, hostname="192.0.2.7"), clinic)
    campaign = await clinic.campaign([number(1)])
    await until_waits(world, clinic, campaign, "trunk_pause: refused-address: the trunk is not on this machine")
    assert world.invites == []
    assert not any(attempt.charged for attempt in await world.attempts())
    await clinic.client.close()
