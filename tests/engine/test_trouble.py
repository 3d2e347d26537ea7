"""What goes wrong around the engine burns nobody's tries, loses no attempt and rings nobody by mistake."""

import asyncio
import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from outdialer.carriers.simulator.media import SimulatorMedia
from outdialer.domain.breaker import PAUSE_S, REFUSALS_IN_A_ROW
from outdialer.domain.campaign import CampaignStatus
from outdialer.domain.model import Trunk
from outdialer.domain.units import MICROSECONDS_PER_SECOND
from outdialer.engine import calls
from outdialer.engine.dialer import NO_PORT_REST_US
from outdialer.media.client import MediaProcess
from outdialer.ports.carrier import Sent
from outdialer.ports.media import MediaLost, MediaSink, NoRtpPort, RtpPort
from tests.engine.conftest import MakeWorld
from tests.engine.world import ANSWERS, CUSTOMER, HANGS_UP, RINGS, World, action, attempt_of, done_by, number, numbers


class FewPorts(SimulatorMedia):
    """Media with only so many RTP ports, which are free again at once."""

    def __init__(self, ports: int) -> None:
        super().__init__()
        self.ports = ports
        self.refused = 0
        self.leased: set[RtpPort] = set()
        self._by_leg: dict[int, RtpPort] = {}

    def lease(self) -> RtpPort:
        if len(self.leased) >= self.ports:
            self.refused += 1
            raise NoRtpPort("none is free")
        port = super().lease()
        self.leased.add(port)
        return port

    def release(self, port: RtpPort) -> None:
        self.leased.discard(port)

    def open(self, leg: int, port: RtpPort, remote: object) -> None:
        self._by_leg[leg] = port

    def close(self, leg: int) -> None:
        super().close(leg)
        self.leased.discard(self._by_leg.pop(leg))


class DyingMedia(SimulatorMedia):
    """Media that can be killed, and whose start may fail."""

    def __init__(self, *, failed_starts: int = 0) -> None:
        super().__init__()
        self.starts = 0
        self.dead = True
        self._failures = failed_starts
        self.used_after_death: list[RtpPort] = []
        self._alive: set[RtpPort] = set()

    async def start(self, sink: MediaSink) -> None:
        self.starts += 1
        if self.starts > 1 and self._failures:
            self._failures -= 1
            raise OSError("cannot start")
        self.dead = False
        await super().start(sink)

    def lease(self) -> RtpPort:
        if self.dead:
            raise NoRtpPort("the media process is not running")
        port = super().lease()
        self._alive.add(port)
        return port

    def release(self, port: RtpPort) -> None:
        if port not in self._alive:
            self.used_after_death.append(port)

    def open(self, leg: int, port: RtpPort, remote: object) -> None:
        self.release(port)

    def die(self) -> None:
        self.dead = True
        self._alive.clear()
        self._sink(MediaLost("killed"))


# The trunk


@pytest.mark.parametrize("code", [401, 403, 503])
async def test_a_trunk_that_refuses_everybody_is_left_alone(make_world: MakeWorld, code: int) -> None:
    world = await make_world(f"*=busy:status={code},final_after_ms=10", rate=50)
    people = await world.campaign(*numbers(30), tries=(3, 0, 0, 0, 0))
    reason = f"trunk_pause: {REFUSALS_IN_A_ROW} calls in a row were refused with SIP {code}"

    async def waits() -> bool:
        return (await world.stats(people)).waiting_for == reason

    await world.until(waits)
    await world.until_nothing_is_live()
    assert len(world.invites) <= REFUSALS_IN_A_ROW + 2, "what was on its way when the fifth refusal came"
    attempts = await world.attempts()
    assert {a.hangup_detail for a in attempts if not a.charged} <= {"not sent: trunk-paused"}
    trunks = await world.store.trunks(CUSTOMER)
    assert trunks[0].trunk.pause_reason == reason.removeprefix("trunk_pause: ")
    world.clock.stand()
    left = world.engine._offices[0].trunks.breaker(1).open_until - world.clock.now()
    assert left > PAUSE_S / 2 * MICROSECONDS_PER_SECOND
    world.clock.jump(left / MICROSECONDS_PER_SECOND - 1)
    world.look_again()
    await world.nothing_more_for(0.2)
    assert await world.status(people) == CampaignStatus.RUN


async def test_after_the_pause_one_call_probes_and_a_success_reopens(make_world: MakeWorld) -> None:
    refused = "busy:status=503,final_after_ms=10,retry_after_s=90"
    world = await make_world(*(f"{who}={refused}/{ANSWERS}" for who in numbers(5)), channels=20)
    people = await world.campaign(*numbers(20), tries=(2, 0, 0, 0, 0), channels=5)
    await world.until(lambda: bool(world.engine._offices[0].trunks.breaker(1).reason))
    await world.until_nothing_is_live()
    burned = len(world.invites)
    world.clock.jump(85)
    world.look_again()
    await world.nothing_more_for(0.2)
    world.clock.jump(6)
    world.look_again()
    await world.until_invited(burned + 1)
    probe = world.invites[burned]
    await world.until_status(people)
    ended = {a.id.hex(): a.tm_hangup for a in await world.attempts()}
    followed = world.invites[burned + 1]
    hangup = ended[probe.attempt]
    assert hangup is not None
    assert followed.at >= hangup, "one call at a time until one got through"
    assert done_by(await world.targets(people)) == ["success"] * 20
    assert (await world.store.trunks(CUSTOMER))[0].trunk.pause_reason == ""


async def test_a_trunk_that_asks_for_a_pause_gets_it_at_once(make_world: MakeWorld) -> None:
    world = await make_world(f"{number(0)}=busy:status=503,final_after_ms=10,retry_after_s=90", rate=50)
    people = await world.campaign(*numbers(5), channels=1)
    await world.until_ended(1)
    await world.nothing_more_for(0.2)
    reason = "a call was refused with SIP 503, which asks for a pause of 90 s"
    assert (await world.stats(people)).waiting_for == f"trunk_pause: {reason}"
    world.clock.jump(91)
    world.look_again()
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["exhausted", *["success"] * 4]


async def test_a_probe_that_fails_doubles_the_pause(make_world: MakeWorld) -> None:
    world = await make_world("*=busy:status=403,final_after_ms=10")
    await world.campaign(*numbers(20), channels=1)
    await world.until_ended(REFUSALS_IN_A_ROW)
    await world.nothing_more_for(0.2)
    world.clock.jump(PAUSE_S + 1)
    world.look_again()
    await world.until_ended(REFUSALS_IN_A_ROW + 1)
    await world.nothing_more_for(0.1)
    world.clock.jump(2 * PAUSE_S - 5)
    world.look_again()
    await world.nothing_more_for(0.1)
    world.clock.jump(6)
    world.look_again()
    await world.until_ended(REFUSALS_IN_A_ROW + 2)


async def test_a_paused_trunk_stays_paused_through_a_restart(make_world: MakeWorld) -> None:
    world = await make_world("*=busy:status=403,final_after_ms=10")
    await world.campaign(*numbers(20), channels=1)

    async def paused() -> bool:
        return bool((await world.store.trunks(CUSTOMER))[0].trunk.pause_reason)

    await world.until(paused)
    await world.until_nothing_is_live()
    await world.engine.drain(0)
    await world.engine.stop()
    await world.new_life()
    await world.engine.start()
    await world.nothing_more_for(0.3)
    world.clock.jump(PAUSE_S + 1)
    world.look_again()
    await world.until_ended(REFUSALS_IN_A_ROW + 1)
    await world.nothing_more_for(0.1)


async def test_a_trunk_whose_address_is_unknown_is_paused_and_burns_no_try(make_world: MakeWorld) -> None:
    trunk = Trunk(id=bytes(15) + b"7", host="nowhere.invalid", rate_per_s=20, channels=2)
    world = await make_world(trunk=trunk)
    people = await world.campaign(*numbers(5))

    async def waits() -> bool:
        return (await world.stats(people)).waiting_for.startswith("trunk_pause: unresolved: the trunk's host name")

    await world.until(waits)
    await world.until_nothing_is_live()
    attempts = await world.attempts()
    assert not any(a.charged for a in attempts)
    assert {a.hangup_detail for a in attempts} <= {"not sent: unresolved", "not sent: trunk-paused"}
    assert len(attempts) <= 12
    assert world.invites == []
    assert {target.tries for target in await world.targets(people)} == {(0, 0, 0, 0, 0)}


async def test_a_challenge_for_credentials_is_no_second_call(make_world: MakeWorld) -> None:
    world = await make_world("*=digest:ring_after_ms=10,final_after_ms=40", started=False)
    secret = world.folder / "password"
    secret.write_text("fictional\n")
    trunk = Trunk(
        id=world.trunk.id,
        host=world.trunk.host,
        port=world.trunk.port,
        rate_per_s=0,
        channels=0,
        username="outdialer",
        password_file=str(secret),
    )
    await world.store.put_trunk(CUSTOMER, trunk, world.clock.now())
    await world.engine.start()
    people = await world.campaign(*numbers(4))
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 4
    assert len(world.messages("INVITE")) == 8
    assert len(world.invites) == 4


# The media


async def test_without_an_rtp_port_nobody_is_called_and_no_try_is_burned(make_world: MakeWorld) -> None:
    media = FewPorts(0)
    world = await make_world(media=media, rate=200)
    people = await world.campaign(*numbers(10))
    await world.until_ended(1)
    await world.nothing_more_for(NO_PORT_REST_US / MICROSECONDS_PER_SECOND / 2)
    attempts = await world.attempts()
    assert {(a.charged, a.hangup_detail) for a in attempts} == {(False, "not sent: no-rtp-port")}
    # Ten attempts a second; where the machine stands still the trunk's rate would make up for it, this does not.
    assert len(attempts) <= 40, "it does not try again as fast as the trunk allows"
    assert world.invites == []
    assert {target.tries for target in await world.targets(people)} == {(0, 0, 0, 0, 0)}
    media.ports = 100
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 10


async def test_the_ports_there_are_bound_the_calls(make_world: MakeWorld) -> None:
    media = FewPorts(3)
    world = await make_world(media=media, media_ports=3)
    people = await world.campaign(*numbers(12), actions=[action("sleep", duration=50)])
    await world.until_status(people)
    assert media.refused == 0
    assert media.leased == set()
    assert done_by(await world.targets(people)) == ["success"] * 12


async def test_the_calls_that_are_being_set_up_bound_the_next_ones(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST_UNHEARD", 0)
    world = await make_world()
    people = await world.campaign(*numbers(3))

    async def waits() -> bool:
        return (await world.stats(people)).waiting_for == "setups: 0 free"

    await world.until(waits)
    assert world.invites == []
    monkeypatch.undo()
    world.look_again()
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 3


async def test_lost_media_ends_the_calls_and_the_campaign_goes_on(make_world: MakeWorld) -> None:
    media = DyingMedia(failed_starts=1)
    world = await make_world(f"{number(9)}={RINGS}/{HANGS_UP}", f"*={ANSWERS}/{HANGS_UP}", media=media)
    talk = [action("sleep", duration=60_000)]
    people = await world.campaign(*numbers(10), tries=(2, 0, 0, 0, 0), interval_ms=10, actions=talk)
    await world.until_talking(9)
    media.die()
    await world.until_status(people)
    assert media.starts == 3, "one start failed and was tried again"
    assert media.used_after_death == []
    reasons = await world.reasons()
    assert all(reasons[who] == ["failed", "normal"] for who in numbers(9))
    assert reasons[number(9)] == ["cancel", "normal"], "it rang with a port that was gone"
    assert {a.hangup_detail for a in await world.attempts() if a.charged} == {"media-lost", "bye"}


async def test_a_killed_media_process_is_started_again(make_world: MakeWorld, tmp_path: Path) -> None:
    media = MediaProcess(cache_dir=tmp_path / "cache", reserve=8)
    world = await make_world(f"*={ANSWERS}/{HANGS_UP}", media=media)
    talk = [action("beep"), action("sleep", duration=60_000)]
    people = await world.campaign(*numbers(3), tries=(2, 0, 0, 0, 0), interval_ms=10, actions=talk)
    await world.until_talking(3)
    before = media.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    await world.until_status(people)
    assert media.pid not in (None, before)
    assert done_by(await world.targets(people)) == ["success"] * 3
    assert [a.hangup_detail for a in await world.attempts() if a.charged] == ["media-lost"] * 3 + ["bye"] * 3


# The script and the call limit


async def test_a_call_that_lasts_too_long_is_ended(make_world: MakeWorld) -> None:
    world = await make_world(longest_call_ms=300)
    people = await world.campaign(number(1), actions=[action("sleep", duration=60_000)])
    await world.until_status(people)
    [attempt] = await world.attempts()
    assert (attempt.hangup_reason, attempt.hangup_detail, attempt.answered) == ("timeout", "call-limit", True)
    assert 290 <= attempt.talk_ms < 10_000, "of a minute"


async def test_a_script_that_fails_fails_the_call(make_world: MakeWorld) -> None:
    nowhere = {"target_id": "00000000-0000-4000-8000-000000000099", "loop_count": 1}
    world = await make_world()
    people = await world.campaign(number(1), actions=[action("goto", **nowhere)])
    await world.until_status(people)
    [attempt] = await world.attempts()
    assert (attempt.hangup_reason, attempt.hangup_detail, attempt.answered) == ("failed", "flow-failed", True)


async def test_a_script_that_cannot_be_rendered_calls_nobody(make_world: MakeWorld, tmp_path: Path) -> None:
    world = await make_world(media=MediaProcess(cache_dir=tmp_path / "cache", reserve=4))
    bad = await world.campaign(number(1), actions=[action("play", stream_urls=[str(tmp_path / "missing.wav")])])
    good = await world.campaign(number(2), actions=[action("beep")])
    await world.until_status(good)

    async def says_why() -> bool:
        waiting_for = (await world.stats(bad)).waiting_for
        return waiting_for.startswith("script: ") and "missing.wav" in waiting_for

    await world.until(says_why)
    assert world.dialled() == [number(2)]


# The store


async def test_while_the_store_is_away_nobody_is_called_and_nothing_is_lost(make_world: MakeWorld) -> None:
    world = await make_world(rate=40)
    people = await world.campaign(*numbers(40), actions=[action("sleep", duration=500)])
    await world.until_talking(3)
    world.store.failure = "disk full"
    await world.until(lambda: world.store.refused >= 2)
    assert "disk full" in world.engine.problems()
    # What was on the books already may still leave: the slots of half a second.
    await world.until(lambda: world.slots() == 0)
    away = sum(isinstance(event, Sent) for event in world.events)
    await world.until_invited(away)
    await world.nothing_more_for(0.7)
    world.store.failure = ""
    await world.until_status(people)
    assert away < 40
    assert done_by(await world.targets(people)) == ["success"] * 40
    assert len(world.invites) == 40
    assert world.engine.problems() == []


async def test_a_slot_missed_while_the_store_is_away_is_reserved_when_it_is_back(make_world: MakeWorld) -> None:
    world = await make_world(rate=10)
    world.clock.stand()
    people = await world.campaign(*numbers(3))
    await world.until(lambda: world.slots() == 2)
    world.store.failure = "disk full"
    world.clock.jump(60)  # A suspended machine: every slot is long past when it wakes.
    world.engine._offices[0].dialer._sender._due()
    await world.until(lambda: world.store.refused >= 2)
    invited = len(world.invites)
    world.store.failure = ""
    world.clock.go_on()
    await world.until_status(people)
    assert invited == 1
    assert done_by(await world.targets(people)) == ["success"] * 3
    assert all(a.charged for a in await world.attempts())


async def test_an_answer_that_nobody_may_take_before_it_is_on_the_books(make_world: MakeWorld) -> None:
    world = await make_world(f"*={ANSWERS}")
    hold = world.store.held["record"] = asyncio.Event()
    people = await world.campaign(number(1))
    await world.store.holding["record"].wait()
    await world.until(lambda: bool([e for e in world.lines if getattr(e, "status", 0) == 200]))
    await world.nothing_more_for(0.7)
    assert world.messages("ACK") == [], "the answer is not on the books"
    del world.store.held["record"]
    hold.set()
    await world.until_status(people)
    assert len(world.messages("ACK")) >= 1
    assert done_by(await world.targets(people)) == ["success"]


# The end


async def test_draining_cancels_what_rings_and_lets_answered_calls_finish(make_world: MakeWorld) -> None:
    world = await make_world(*(f"{who}={RINGS}" for who in numbers(3)), channels=6)
    people = await world.campaign(*numbers(50), actions=[action("sleep", duration=400)])
    await world.until_ringing(3)
    await world.until_talking(3)
    await world.engine.drain(10)
    reasons = await world.reasons()
    assert [reasons[who] for who in numbers(3)] == [["cancel"]] * 3
    attempts = await world.attempts()
    talked = [a for a in attempts if a.answered]
    assert len(talked) >= 3
    assert {(a.hangup_reason, a.hangup_detail) for a in talked} == {("normal", "end-of-script")}
    assert all(a.talk_ms >= 390 for a in talked)
    assert {a.status for a in attempts} == {"done"}
    assert {a.hangup_detail for a in attempts if not a.charged} <= {"not sent: stopped"}
    assert await world.status(people) == CampaignStatus.RUN, "the next start goes on with it"
    await world.nothing_more_for(0.2)


async def test_draining_ends_talking_calls_after_the_grace(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.campaign(*numbers(2), actions=[action("sleep", duration=60_000)])
    await world.until_talking(2)
    await world.engine.drain(0.2)
    assert {(a.hangup_reason, a.hangup_detail) for a in await world.attempts()} == {("normal", "drain")}


async def test_draining_waits_for_a_claim_that_is_on_its_way_to_the_books(make_world: MakeWorld) -> None:
    world = await make_world()
    hold = world.store.held["claim"] = asyncio.Event()
    await world.campaign(*numbers(3))
    await world.store.holding["claim"].wait()
    draining = asyncio.get_running_loop().create_task(world.engine.drain(5))
    asyncio.get_running_loop().call_later(0.1, hold.set)
    await draining
    assert {(a.status, a.charged, a.hangup_detail) for a in await world.attempts()} == {
        ("done", False, "not sent: stopped")
    }
    assert world.invites == []


async def test_a_late_answer_is_counted_as_not_answered_and_ended(make_world: MakeWorld) -> None:
    # Each phone answers within some ms of the ring limit: some before it, some after, some while the CANCEL is under
    # way; whatever happens, both sides agree in the end.
    moments = [300 + offset for offset in (-6, -3, -2, -1, 0, 1, 2, 3, 6)]
    rules = [f"{number(n)}=answer:ring_after_ms=10,final_after_ms={moment}" for n, moment in enumerate(moments)]
    world = await make_world(*rules)
    world.may_err = True
    people = await world.campaign(*numbers(len(moments)), ring_ms=300)
    await world.until_status(people)
    await world.until(lambda: len(world.summaries()) == len(moments))
    booked = {a.id.hex(): a for a in await world.attempts()}
    for heard in world.summaries():
        attempt = booked[attempt_of(heard.call_id)]
        assert heard.acknowledged
        if attempt.answered:
            assert heard.answered
            assert attempt.hangup_reason == "normal"
        else:
            assert (attempt.hangup_reason, attempt.hangup_detail) == ("noanswer", "ring-limit")
        if heard.answered:
            assert len(world.messages("BYE", heard.call_id)) == 1


async def test_nothing_is_sent_before_the_claim_is_on_the_books(make_world: MakeWorld) -> None:
    world = await make_world()
    hold = world.store.held["claim"] = asyncio.Event()
    people = await world.campaign(*numbers(5))
    await world.store.holding["claim"].wait()
    await world.nothing_more_for(0.3)
    assert world.invites == []
    del world.store.held["claim"]
    hold.set()
    await world.until_status(people)
    assert len(world.invites) == 5


async def test_the_engine_goes_on_after_a_restart_between_calls(make_world: MakeWorld) -> None:
    world = await make_world(rate=20)
    people = await world.campaign(*numbers(12), tries=(2, 0, 0, 0, 0), interval_ms=10)
    await world.until_ended(5)
    await _restart(world)
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 12
    assert set(world.dialled()) == set(numbers(12))
    for before, after in pairwise(sorted(world.invites, key=lambda i: i.at)):
        assert after.at - before.at >= 48_000


async def test_a_life_that_ended_suddenly_is_cleared_up_by_the_next(make_world: MakeWorld) -> None:
    world = await make_world(f"{number(0)}={RINGS}/{HANGS_UP}", f"*={ANSWERS}/{HANGS_UP}")
    world.unknown = 2
    people = await world.campaign(
        *numbers(2), tries=(2, 0, 0, 0, 0), interval_ms=300, actions=[action("sleep", duration=60_000)]
    )
    await world.until_ringing(2)
    await world.until_talking(1)
    await world.engine.stop()
    await world.new_life()
    await world.engine.start()
    await world.until_ended(2)
    first, second = await world.attempts()
    for attempt in (first, second):
        assert (attempt.hangup_reason, attempt.hangup_detail) == ("failed", "unknown after a restart")
        assert attempt.charged
    if world.phones is not None:
        ended = {line.number: line.ended_by for line in world.summaries()}
        assert ended == {number(0): "caller", number(1): "caller"}, "nobody is left on a line"
    await world.until_status(people)
    assert done_by(await world.targets(people)) == ["success"] * 2
    assert sorted(world.dialled()) == [number(0), number(0), number(1), number(1)]


async def test_an_unexpected_error_does_not_end_the_dialing(make_world: MakeWorld) -> None:
    world = await make_world(started=False)
    snapshot, failures = world.store.inner.snapshot, iter([True, True])

    async def fails_twice(*arguments: Any, **options: Any) -> Any:
        if next(failures, False):
            world.changed()
            raise KeyError("a row that nobody expected")
        return await snapshot(*arguments, **options)

    world.store.inner.snapshot = fails_twice  # type: ignore[method-assign]
    people = await world.campaign(*numbers(3))
    await world.engine.start()
    await world.until(lambda: any("nobody expected" in problem for problem in world.engine.problems()))
    await world.until_status(people)
    assert world.engine.problems() == []


async def _restart(world: World) -> None:
    await world.engine.drain(5)
    await world.engine.stop()
    await world.new_life()
    await world.engine.start()
