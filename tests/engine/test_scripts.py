"""Call scripts at work: what is rendered when, what is performed, and what a closed call does not do any more."""

import asyncio
from collections.abc import Sequence
from typing import Any

from outdialer.domain.model import Action
from outdialer.domain.units import NIL_ID, format_id
from outdialer.engine.lifecycle import Tasks
from outdialer.engine.scripts import ScriptRun, ScriptShelf, standing_prompts, variables_of
from outdialer.flow.machine import BEEP, Finished
from outdialer.ports.media import PreparedPrompt, Prompt, PromptError
from outdialer.ports.store import CallScript, TargetFacts
from tests.engine.parts import TestClock, an_intent

PATIENCE_S = 10
GREETING = "${voipbin.outdialtarget.name}"


class FakeMedia:
    """Renders what it is told to, when it is told to, and notes what is played."""

    def __init__(self) -> None:
        self.prepared: list[Prompt] = []
        self.played: list[tuple[int, int, list[str]]] = []
        self.broken: set[str] = set()
        self.slow: dict[str, asyncio.Event] = {}
        self.news = asyncio.Event()

    async def prepare(self, prompt: Prompt) -> PreparedPrompt:
        key = prompt.text or prompt.source or "tones"
        if key in self.slow:
            await self.slow[key].wait()
        self.prepared.append(prompt)
        if key in self.broken:
            raise PromptError(f"no {key}")
        return PreparedPrompt(key=key, duration_ms=100)

    def play(self, leg: int, order: int, keys: list[str]) -> None:
        self.played.append((leg, order, keys))
        self.news.set()


def act(kind: str, **option: Any) -> Action:
    return Action(type=kind, option=option)


def script(*actions: Action) -> CallScript:
    return CallScript(campaign_id=bytes(15) + b"1", campaign_name="spring", actions=actions)


class Running:
    """A script on a call."""

    def __init__(self, *actions: Action, variables: dict[str, str] | None = None) -> None:
        self.media = FakeMedia()
        self.tasks = Tasks()
        self.hung_up: list[tuple[int, str]] = []
        self.over = asyncio.Event()
        self.run = ScriptRun(
            5,
            script(*actions),
            variables or {},
            media=self.media,  # type: ignore[arg-type]
            clock=TestClock(),
            tasks=self.tasks,
            hang_up=self._hang_up,
        )

    def _hang_up(self, leg: int, why: str) -> None:
        self.hung_up.append((leg, why))
        self.over.set()

    async def settle(self) -> None:
        """Let the prompts that are being prepared be played."""
        while self.tasks._tasks:
            await asyncio.wait_for(asyncio.gather(*self.tasks._tasks), PATIENCE_S)


def shelf_of(media: FakeMedia, changed: Sequence[asyncio.Event]) -> tuple[ScriptShelf, Tasks]:
    tasks = Tasks()
    return ScriptShelf(media, tasks, changed[0].set), tasks  # type: ignore[arg-type]


async def test_a_script_is_performed_step_by_step() -> None:
    running = Running(act("play", stream_urls=["a.wav", "b.wav"]), act("beep"), act("sleep", duration=1), act("hangup"))
    running.run.begin()
    await running.settle()
    assert running.media.played == [(5, 1, ["a.wav", "b.wav"])]
    running.run.feed(Finished(1))
    await running.settle()
    assert running.media.played[1:] == [(5, 2, ["tones"])]
    assert running.media.prepared[-1] == Prompt(tones=BEEP)
    running.run.feed(Finished(2))
    await asyncio.wait_for(running.over.wait(), PATIENCE_S)
    assert running.hung_up == [(5, "hangup")]


async def test_an_end_that_was_told_twice_or_of_another_order_changes_nothing() -> None:
    running = Running(act("play", stream_urls=["a.wav"]), act("play", stream_urls=["b.wav"]))
    running.run.begin()
    running.run.begin()
    await running.settle()
    running.run.feed(Finished(9))
    running.run.feed(Finished(1))
    running.run.feed(Finished(1))
    await running.settle()
    assert running.media.played == [(5, 1, ["a.wav"]), (5, 2, ["b.wav"])]
    assert running.hung_up == []


async def test_a_prompt_that_cannot_be_rendered_fails_the_call() -> None:
    running = Running(act("talk", text=GREETING), variables={"voipbin.outdialtarget.name": "Jo"})
    running.media.broken.add("Jo")
    running.run.begin()
    await running.settle()
    assert running.hung_up == [(5, "flow-failed")]
    assert running.run.state.error == "no Jo"


async def test_a_closed_call_plays_nothing_and_hangs_up_nothing() -> None:
    running = Running(act("play", stream_urls=["slow.wav"]), act("sleep", duration=0))
    gate = running.media.slow["slow.wav"] = asyncio.Event()
    running.run.begin()
    running.run.close()
    gate.set()
    await running.settle()
    running.run.feed(Finished(1))
    assert (running.media.played, running.hung_up) == ([], [])


async def test_a_closed_call_does_not_go_on_after_its_sleep() -> None:
    running = Running(act("sleep", duration=60_000))
    running.run.begin()
    timer = running.run._timer
    assert timer is not None
    running.run.close()
    assert timer.cancelled()


async def test_what_is_said_beside_the_script_keeps_its_place() -> None:
    running = Running(act("talk", text="slowly rendered", **{"async": True}), act("play", stream_urls=["quick.wav"]))
    gate = running.media.slow["slowly rendered"] = asyncio.Event()
    running.run.begin()
    asyncio.get_running_loop().call_later(0.02, gate.set)
    await running.settle()
    assert [keys for _, _, keys in running.media.played] == [["slowly rendered"], ["quick.wav"]]


async def test_a_script_is_ready_when_its_standing_prompts_are_rendered() -> None:
    media, changed = FakeMedia(), asyncio.Event()
    gate = media.slow["Hello"] = asyncio.Event()
    shelf, tasks = shelf_of(media, [changed])
    made = script(act("talk", text="Hello"), act("sleep", duration=500), act("talk", text=GREETING))
    assert shelf.state(1) == ""
    shelf.render(1, made)
    assert shelf.state(1) == "rendering"
    gate.set()
    await asyncio.wait_for(changed.wait(), PATIENCE_S)
    assert shelf.state(1) == "ready"
    assert shelf.script(1) is made
    assert [prompt.text for prompt in media.prepared] == ["Hello"], "what differs by target is rendered at its call"
    assert shelf.longest_ms(1) is None, "nobody knows how long a name takes"
    await tasks.cancel()


async def test_a_script_that_cannot_be_rendered_says_why() -> None:
    media, changed = FakeMedia(), asyncio.Event()
    media.broken.add("lost.wav")
    shelf, tasks = shelf_of(media, [changed])
    shelf.render(1, script(act("play", stream_urls=["lost.wav"])))
    await asyncio.wait_for(changed.wait(), PATIENCE_S)
    assert shelf.state(1) == "no lost.wav"
    await tasks.cancel()


async def test_the_length_of_a_straight_script_is_known() -> None:
    media, changed = FakeMedia(), asyncio.Event()
    shelf, tasks = shelf_of(media, [changed])
    shelf.render(1, script(act("play", stream_urls=["a", "b"]), act("sleep", duration=700), act("beep"), act("hangup")))
    await asyncio.wait_for(changed.wait(), PATIENCE_S)
    assert shelf.longest_ms(1) == 3 * 100 + 700
    changed.clear()
    shelf.render(2, script(act("beep"), act("goto", target_id=format_id(bytes(15) + b"9"), loop_count=3)))
    await asyncio.wait_for(changed.wait(), PATIENCE_S)
    assert shelf.longest_ms(2) is None
    await tasks.cancel()


def test_standing_prompts_are_those_without_references() -> None:
    actions = (
        act("talk", text="Hello", language="en-GB", voice_id="alba"),
        act("talk", text=f"Hello {GREETING}"),
        act("play", stream_urls=["a.wav", "http://127.0.0.1/b.wav"]),
        act("play", stream_urls=["${voipbin.outdialtarget.data}"]),
        act("beep"),
        act("sleep", duration=5),
    )
    assert standing_prompts(actions) == [
        Prompt(text="Hello", language="en-GB", voice="alba"),
        Prompt(source="a.wav"),
        Prompt(source="http://127.0.0.1/b.wav"),
        Prompt(tones=BEEP),
    ]


def test_a_script_may_speak_of_its_call_its_campaign_and_its_target() -> None:
    claim = an_intent(1).claim
    facts = TargetFacts(
        id=bytes(15) + b"T",
        name="Jo",
        detail="first floor",
        data="{}",
        outdial_id=bytes(15) + b"O",
        outdial_name="list",
        outdial_data="x",
    )
    found = variables_of(script(), claim, facts)
    assert found["voipbin.outdialtarget.name"] == "Jo"
    assert found["voipbin.outdialtarget.id"] == format_id(bytes(15) + b"T")
    assert found["voipbin.outdial.name"] == "list"
    assert found["voipbin.campaign.name"] == "spring"
    assert found["voipbin.call.id"] == format_id(claim.call_id)
    assert found["voipbin.campaigncall.id"] == format_id(claim.attempt_id)
    assert found["voipbin.campaigncall.try_count"] == "1"
    assert found["voipbin.call.destination.target"] == "+12025550123"
    assert all(isinstance(value, str) for value in found.values())
    without = variables_of(script(), claim, None)
    assert set(without) == {key for key in found if ".outdial" not in key}
    assert format_id(NIL_ID) not in without.values()
