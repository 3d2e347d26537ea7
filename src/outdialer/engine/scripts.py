"""Drives call scripts: performs the machine's commands on media and leg, and renders prompts ahead of time."""

import asyncio
import logging
from collections.abc import Callable

from outdialer.domain.model import Action
from outdialer.domain.units import Milliseconds, format_id
from outdialer.engine.lifecycle import Tasks
from outdialer.flow.machine import (
    BEEP,
    Begin,
    Command,
    Event,
    Failed,
    Finished,
    FlowState,
    HangUp,
    Play,
    Say,
    Tone,
    Wait,
    step,
)
from outdialer.flow.variables import has_references
from outdialer.ports.clock import Clock
from outdialer.ports.media import Media, Prompt, PromptError
from outdialer.ports.store import CallScript, Claim, TargetFacts
from outdialer.telemetry import log


def prompts_of(command: Say | Play | Tone) -> list[Prompt]:
    """What has to be rendered for a command."""
    if isinstance(command, Say):
        return [Prompt(text=command.text, language=command.language, voice=command.voice)]
    if isinstance(command, Play):
        return [Prompt(source=source) for source in command.sources]
    return [Prompt(tones=command.tones)]


def standing_prompts(actions: tuple[Action, ...]) -> list[Prompt]:
    """The prompts of a script that are the same for everybody."""
    prompts = []
    for action in actions:
        option = action.option
        if has_references(option):
            continue
        if action.type == "talk":
            language, voice = str(option.get("language") or ""), str(option.get("voice_id") or "")
            prompts.append(Prompt(text=str(option["text"]), language=language, voice=voice))
        elif action.type == "play":
            prompts += [Prompt(source=str(source)) for source in option.get("stream_urls", ())]
        elif action.type == "beep":
            prompts.append(Prompt(tones=BEEP))
    return prompts


class ScriptShelf:
    """The scripts of the campaign versions in use, each rendered before its first call."""

    def __init__(self, media: Media, tasks: Tasks, changed: Callable[[], None]) -> None:
        self._media = media
        self._tasks = tasks
        self._changed = changed
        self._states: dict[int, str] = {}
        self._scripts: dict[int, CallScript] = {}
        self._lengths: dict[int, Milliseconds | None] = {}

    def state(self, version: int) -> str:
        """``ready``, ``rendering``, the reason why it cannot be played, or "" for a version not seen yet."""
        return self._states.get(version, "")

    def script(self, version: int) -> CallScript:
        """The script of a version that was rendered."""
        return self._scripts[version]

    def longest_ms(self, version: int) -> Milliseconds | None:
        """How long a call of this script can last, in ms; None when that cannot be told beforehand."""
        return self._lengths.get(version)

    def render(self, version: int, script: CallScript) -> None:
        """Start rendering a version's prompts; ``changed`` is called when its state changes."""
        self._states[version] = "rendering"
        self._scripts[version] = script
        self._tasks.start(self._render(version, script), "render prompts")

    async def _render(self, version: int, script: CallScript) -> None:
        try:
            prepared = [await self._media.prepare(prompt) for prompt in standing_prompts(script.actions)]
        except PromptError as error:
            self._states[version] = str(error)
            log("script_failed", logging.ERROR, campaign=format_id(script.campaign_id), why=str(error))
        else:
            self._states[version] = "ready"
            self._lengths[version] = _longest(script.actions, sum(prompt.duration_ms for prompt in prepared))
        self._changed()


_LINEAR = frozenset({"talk", "play", "beep", "sleep", "hangup", "answer", "stop", "variable_set"})


def _longest(actions: tuple[Action, ...], prompts_ms: Milliseconds) -> Milliseconds | None:
    """The length of a script without jumps whose prompts are all known."""
    if any(action.type not in _LINEAR or has_references(action.option) for action in actions):
        return None
    return prompts_ms + sum(int(action.option.get("duration", 0)) for action in actions if action.type == "sleep")


class ScriptRun:
    """One script running on one answered call."""

    def __init__(
        self,
        leg: int,
        script: CallScript,
        variables: dict[str, str],
        *,
        media: Media,
        clock: Clock,
        tasks: Tasks,
        hang_up: Callable[[int, str], None],
    ) -> None:
        self._leg = leg
        self._script = script
        self._media = media
        self._clock = clock
        self._tasks = tasks
        self._hang_up = hang_up
        self._timer: asyncio.TimerHandle | None = None
        self._open = True
        self._to_play: list[Say | Play | Tone] = []
        self.state = FlowState(variables=variables)

    def begin(self) -> None:
        """The person answered and hears us."""
        self.feed(Begin())

    def close(self) -> None:
        """The call is over: nothing more is performed."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()

    def feed(self, event: Event) -> None:
        """Let the machine take one step and perform what it wants."""
        if not self._open:
            return
        self.state, commands = step(self._script.actions, self.state, event, self._clock.now())
        for command in commands:
            self._perform(command)

    def _perform(self, command: Command) -> None:
        if isinstance(command, HangUp):
            self._hang_up(self._leg, command.why)
        elif isinstance(command, Wait):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(command.length_ms / 1_000, self.feed, Finished(command.order))
        else:
            self._to_play.append(command)
            if len(self._to_play) == 1:
                self._tasks.start(self._play_in_order(), "play")

    async def _play_in_order(self) -> None:
        """One prompt after the other: a slow one must not be overtaken by the next."""
        while self._to_play:
            await self._play(self._to_play[0])
            del self._to_play[0]

    async def _play(self, command: Say | Play | Tone) -> None:
        try:
            prepared = [await self._media.prepare(prompt) for prompt in prompts_of(command)]
        except PromptError as error:
            self.feed(Failed(command.order, str(error)))
            return
        if self._open:
            self._media.play(self._leg, command.order, [prompt.key for prompt in prepared])


def variables_of(script: CallScript, claim: Claim, facts: TargetFacts | None) -> dict[str, str]:
    """What a script may say: the call, the campaign, the list and the target."""
    line = claim.line
    values = {
        "voipbin.call.id": format_id(claim.call_id),
        "voipbin.call.direction": "outgoing",
        "voipbin.call.destination.target": line.destination,
        "voipbin.activeflow.id": format_id(claim.activeflow_id),
        "voipbin.campaign.id": format_id(script.campaign_id),
        "voipbin.campaign.name": script.campaign_name,
        "voipbin.campaigncall.id": format_id(claim.attempt_id),
        "voipbin.campaigncall.try_count": str(line.try_count),
        "voipbin.campaigncall.destination_index": str(line.index),
    }
    if facts is not None:
        values |= {
            "voipbin.outdial.id": format_id(facts.outdial_id),
            "voipbin.outdial.name": facts.outdial_name,
            "voipbin.outdial.data": facts.outdial_data,
            "voipbin.outdialtarget.id": format_id(facts.id),
            "voipbin.outdialtarget.name": facts.name,
            "voipbin.outdialtarget.detail": facts.detail,
            "voipbin.outdialtarget.data": facts.data,
        }
    return values
