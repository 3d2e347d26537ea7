"""Rates and channels, judged at the wire.

The sender waits a whole interval from the moment an INVITE has left, so that at the simulator's wire the distance is
never shorter, not by a microsecond. Over SIP the phones' times are the kernel's receive times: loopback takes a
datagram within the sender's system call, but the kernel cuts its time off at whole microseconds, and may take it a
little later where it hands the work to another thread.
"""

from collections import Counter
from collections.abc import Sequence

from outdialer.domain.model import CampaignCall
from outdialer.domain.target import DueReason
from outdialer.domain.units import format_id
from tests.engine.conftest import MakeWorld
from tests.engine.world import BUSY, RINGS, Network, action, assert_rate, done_by, number, numbers

JITTER_US: dict[Network, int] = {"simulator": 0, "sip": 2_000}


def most_at_once(attempts: Sequence[CampaignCall], arrived: dict[str, int]) -> int:
    """The most calls that were up at one time: from the INVITE at the wire to the end on the books."""
    spans = [(arrived[a.id.hex()], a.tm_hangup) for a in attempts if a.id.hex() in arrived]
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans if end is not None])
    up = most = 0
    for _, change in steps:
        up += change
        most = max(most, up)
    return most


async def test_the_trunks_rate_holds_at_the_wire(make_world: MakeWorld, network: Network) -> None:
    world = await make_world(rate=60)
    people = await world.campaign(*numbers(48))
    await world.until_status(people)
    assert len(world.invites) == 48
    assert_rate(world.invites, 60, JITTER_US[network])


async def test_the_campaigns_rate_holds_at_the_wire(make_world: MakeWorld, network: Network) -> None:
    world = await make_world(rate=100)
    slow = await world.campaign(*numbers(15), rate=20)
    quick = await world.campaign(*numbers(60, 100))
    await world.until_status(slow)
    await world.until_status(quick)
    of_slow = [invite for invite in world.invites if invite.number in numbers(15)]
    assert_rate(of_slow, 20, JITTER_US[network])
    assert_rate(world.invites, 100, JITTER_US[network])


async def test_a_rate_below_one_a_second_is_kept(make_world: MakeWorld, network: Network) -> None:
    world = await make_world(rate=0.9)
    await world.campaign(*numbers(2))
    await world.until_invited(2)
    assert_rate(world.invites, 0.9, JITTER_US[network])


async def test_the_trunks_channels_are_never_exceeded(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}", channels=3)
    one = await world.campaign(*numbers(8), ring_ms=100)
    other = await world.campaign(*numbers(8, 100), ring_ms=150)
    await world.until_status(one)
    await world.until_status(other)
    arrived = {invite.attempt: invite.at for invite in world.invites}
    assert most_at_once(await world.attempts(), arrived) == 3
    if world.phones is not None:
        assert world.phones.max_live <= 3


async def test_the_campaigns_channels_are_never_exceeded(make_world: MakeWorld) -> None:
    world = await make_world(channels=10)
    talk = [action("sleep", duration=80)]
    narrow = await world.campaign(*numbers(8), channels=2, actions=talk)
    wide = await world.campaign(*numbers(20, 100), channels=6, actions=talk)
    await world.until_status(narrow)
    await world.until_status(wide)
    arrived = {invite.attempt: invite.at for invite in world.invites}
    assert most_at_once(await world.attempts(narrow.campaign), arrived) == 2
    assert most_at_once(await world.attempts(wide.campaign), arrived) == 6
    assert most_at_once(await world.attempts(), arrived) <= 8


async def test_two_campaigns_share_a_trunk_fairly(make_world: MakeWorld, network: Network) -> None:
    world = await make_world(rate=60)
    await world.campaign(*numbers(100))
    second = await world.campaign(*numbers(100, 100))

    async def both() -> list[bool]:
        """Whose calls they are that were claimed since the second one is there; the first one had the slots before."""
        claimed = {a.id.hex(): a.tm_create for a in await world.attempts()}
        since = min((a.tm_create for a in await world.attempts(second.campaign)), default=world.clock.now())
        return [i.number in numbers(100) for i in world.invites if claimed[i.attempt] >= since][:30]

    async def enough() -> bool:
        return len(await both()) == 30

    await world.until(enough)
    shared = Counter(await both())
    assert abs(shared[True] - shared[False]) <= 10, shared
    assert_rate(world.invites, 60, JITTER_US[network])


async def test_a_campaign_that_waits_for_its_own_rate_leaves_the_trunk_to_others(make_world: MakeWorld) -> None:
    world = await make_world(rate=50)
    await world.campaign(*numbers(20), rate=1)
    quick = await world.campaign(*numbers(25, 100))
    await world.until_status(quick)
    began, ended = world.invites[0].at, max(i.at for i in world.invites if i.number in numbers(25, 100))
    assert ended - began < 10_000_000, "25 calls at 50 a second, beside twenty that take 19 seconds"


async def test_one_number_in_two_lists_never_has_two_calls_at_once(make_world: MakeWorld) -> None:
    world = await make_world()
    talk = [action("sleep", duration=500)]
    one = await world.campaign(number(1), number(2), actions=talk)
    other = await world.campaign(number(2), number(1), actions=talk)
    await world.until_status(one)
    # What lost is looked at again five seconds later.
    world.clock.jump(6)
    world.look_again()
    await world.until_status(other)
    assert Counter(world.dialled()) == {number(1): 2, number(2): 2}
    assert done_by([*await world.targets(one), *await world.targets(other)]) == ["success"] * 4


async def test_one_person_as_number_and_as_sip_uri_is_one_person(make_world: MakeWorld) -> None:
    world = await make_world()
    one = await world.campaign(number(1), actions=[action("sleep", duration=60_000)])
    await world.until_talking()
    other = await world.campaign(f"sip:{number(1)}@carrier.example")

    async def waits() -> bool:
        return (await world.targets(other))[0].due_reason == DueReason.NUMBER_LIVE

    await world.until(waits)
    assert len(world.invites) == 1
    [attempt] = await world.attempts()
    rest = await world.rest()
    await rest.calls.hang_up(format_id(attempt.reference_id))
    await world.until_status(one)
    world.clock.jump(6)
    world.look_again()
    await world.until_status(other)
    assert len(world.invites) == 2


async def test_the_rate_holds_through_retries(make_world: MakeWorld, network: Network) -> None:
    world = await make_world(f"*={BUSY}", rate=30)
    people = await world.campaign(*numbers(10), tries=(3, 0, 0, 0, 0), interval_ms=50)
    await world.until_status(people)
    assert len(world.invites) == 30
    assert_rate(world.invites, 30, JITTER_US[network])
