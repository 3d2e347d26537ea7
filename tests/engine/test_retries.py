"""Whom to try again, where and when; and how a call that is not wanted any more ends."""

from itertools import pairwise

from outdialer.domain.units import MICROSECONDS_PER_MS, format_id
from tests.engine.conftest import MakeWorld
from tests.engine.world import ANSWERS, BUSY, CALLED_OFF, HANGS_UP, RINGS, World, action, done_by, number, numbers


async def test_destinations_are_tried_in_order_each_up_to_its_limit(make_world: MakeWorld) -> None:
    world = await make_world(f"*={BUSY}")
    person = numbers(5)
    people = await world.campaign(person, tries=(2, 1, 0, 3, 1), interval_ms=30)
    await world.until_status(people)
    assert world.dialled() == [person[i] for i in (0, 0, 1, 3, 3, 3, 4)]
    assert done_by(await world.targets(people)) == ["exhausted"]
    tried = [(a.destination_index, a.try_count) for a in await world.attempts()]
    assert tried == [(0, 1), (0, 2), (1, 1), (3, 1), (3, 2), (3, 3), (4, 1)]


async def test_the_interval_runs_from_the_end_of_the_attempt_before(make_world: MakeWorld) -> None:
    world = await make_world(f"*=busy:ring_after_ms=10,final_after_ms=160/{RINGS}/{HANGS_UP}")
    people = await world.campaign(
        *numbers(4), tries=(3, 0, 0, 0, 0), interval_ms=400, ring_ms=1_500, actions=[action("sleep", duration=5_000)]
    )
    await world.until_status(people)
    by_person = {who: [a for a in await world.attempts() if a.destination.target == who] for who in numbers(4)}
    arrived = {invite.attempt: invite.at for invite in world.invites}
    for attempts in by_person.values():
        assert [a.hangup_reason for a in attempts] == ["busy", "noanswer", "normal"]
        for before, after in pairwise(attempts):
            assert before.tm_hangup is not None
            due = before.tm_hangup + 400 * MICROSECONDS_PER_MS
            assert due <= after.tm_create < due + 5_000_000
            assert arrived[after.id.hex()] >= due
            assert after.tm_create - before.tm_create > 550 * MICROSECONDS_PER_MS, "not from its beginning"


async def test_the_dial_timeout_ends_the_ringing(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    people = await world.campaign(number(1), ring_ms=700)
    await world.until_status(people)
    [attempt], [invite] = await world.attempts(), world.invites
    rang = world.given_up_at(invite.call_id) - invite.at
    # The limit runs from the sending; the far end's clock starts when the INVITE arrives, up to a moment later.
    assert 700_000 - 5_000 <= rang <= 7_000_000, "by the plan's limit, not by the trunk's three minutes"
    assert (attempt.hangup_reason, attempt.hangup_detail) == ("noanswer", "ring-limit")
    assert done_by(await world.targets(people)) == ["exhausted"]


async def test_a_phone_that_says_nothing_is_given_up_too(make_world: MakeWorld) -> None:
    world = await make_world("*=no-answer:ring_after_ms=none")
    people = await world.campaign(number(1), ring_ms=400)
    await world.until_status(people)
    [attempt] = await world.attempts()
    assert (attempt.hangup_reason, attempt.tm_ringing) == ("noanswer", None)


async def test_success_ends_a_target(make_world: MakeWorld) -> None:
    world = await make_world(f"*={BUSY}/{ANSWERS}")
    people = await world.campaign((number(1), number(2)), (number(3), number(4)), tries=(3, 3, 0, 0, 0), interval_ms=20)
    await world.until_status(people)
    assert sorted(world.dialled()) == [number(1), number(1), number(3), number(3)]
    assert done_by(await world.targets(people)) == ["success"] * 2


async def test_who_answered_is_not_called_again_unless_wanted(make_world: MakeWorld) -> None:
    world = await make_world(longest_call_ms=100)
    talk = [action("sleep", duration=5_000)]
    once = await world.campaign(number(1), tries=(3, 0, 0, 0, 0), interval_ms=20, actions=talk, redial_answered=False)
    again = await world.campaign(number(2), tries=(3, 0, 0, 0, 0), interval_ms=20, actions=talk)
    await world.until_status(once)
    await world.until_status(again)
    assert sorted(world.dialled()) == [number(1), number(2), number(2), number(2)]
    assert {a.hangup_reason for a in await world.attempts()} == {"timeout"}
    assert done_by([*await world.targets(once), *await world.targets(again)]) == ["exhausted"] * 2


async def test_a_ringing_call_is_hung_up_by_rest(make_world: MakeWorld) -> None:
    world = await make_world(f"*={RINGS}")
    people = await world.campaign(number(1))
    await world.until_ringing()
    await _hang_up_by_rest(world)
    await world.until_status(people)
    [attempt] = await world.attempts()
    assert (attempt.hangup_reason, attempt.hangup_detail, attempt.answered) == ("cancel", "operator", False)


async def test_an_answered_call_is_hung_up_by_rest(make_world: MakeWorld) -> None:
    world = await make_world()
    people = await world.campaign(number(1), actions=[action("sleep", duration=30_000)])
    await world.until_talking()
    await _hang_up_by_rest(world)
    await world.until_status(people)
    [attempt] = await world.attempts()
    assert (attempt.hangup_reason, attempt.hangup_detail, attempt.answered) == ("normal", "operator", True)


async def test_a_call_hung_up_before_its_slot_is_not_sent(make_world: MakeWorld) -> None:
    world = await make_world(rate=4)
    world.clock.stand()
    people = await world.campaign(*numbers(2))

    async def claimed() -> bool:
        return len(await world.attempts()) == 2

    await world.until(claimed)
    waiting = (await world.attempts())[1]
    assert waiting.destination.target not in world.dialled()
    rest = await world.rest()
    await rest.calls.hang_up(format_id(waiting.reference_id))
    world.clock.go_on()
    await world.until_ended(2)
    ended = next(a for a in await world.attempts() if a.id == waiting.id)
    assert (ended.charged, ended.hangup_reason) == (False, "failed")
    assert ended.hangup_detail in CALLED_OFF
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 2


async def _hang_up_by_rest(world: World) -> None:
    [attempt] = await world.attempts()
    rest = await world.rest()
    await rest.calls.hang_up(format_id(attempt.reference_id))
