"""The call script machine: one pure function from (script, state, event) to (state, commands).

Theory of operation. A script is a list of actions. The machine runs actions until one has to wait (for a prompt to
be played, for time to pass) or the script ends. Whoever drives it performs the commands and feeds back the event
that carries the command's order number; an event with another number is late and changes nothing. The state is
plain data and survives a restart as JSON. Reaching the end of the script ends the call.
"""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from outdialer.domain.model import Action
from outdialer.domain.outcome import FLOW_FAILED
from outdialer.domain.units import NIL_ID, Instant, Milliseconds, parse_id
from outdialer.flow.actions import DEFAULT_BRANCH_VARIABLE
from outdialer.flow.conditions import datetime_holds, variable_holds
from outdialer.flow.variables import substitute

CALLEE = "callee"
"""The leg of the person called, as commands name it."""
END_OF_SCRIPT = "end-of-script"
STEPS_WITHOUT_WAITING = 1_000
"""Actions in a row that take no time; a script that runs more of them goes in circles."""
BEEP = ((1_000, 300),)


class Say(Struct, frozen=True, tag=True, kw_only=True):
    """Speak a text to a leg; answered by ``Finished`` or ``Failed``."""

    order: int
    leg: str = CALLEE
    text: str
    language: str = ""
    voice: str = ""


class Play(Struct, frozen=True, tag=True, kw_only=True):
    """Play WAV files (paths or URLs) to a leg one after the other; answered by ``Finished`` or ``Failed``."""

    order: int
    leg: str = CALLEE
    sources: tuple[str, ...]


class Tone(Struct, frozen=True, tag=True, kw_only=True):
    """Play tones, (Hz, ms) pairs, to a leg; answered by ``Finished`` or ``Failed``."""

    order: int
    leg: str = CALLEE
    tones: tuple[tuple[int, int], ...]


class Wait(Struct, frozen=True, tag=True, kw_only=True):
    """Let time pass; answered by ``Finished``."""

    order: int
    length_ms: Milliseconds


class HangUp(Struct, frozen=True, tag=True, kw_only=True):
    """End a leg. The last command of a script."""

    leg: str = CALLEE
    why: str


Command: TypeAlias = Say | Play | Tone | Wait | HangUp


class Begin(Struct, frozen=True, tag=True):
    """The person answered."""


class Finished(Struct, frozen=True, tag=True):
    """What the command with this order number started is over."""

    order: int


class Failed(Struct, frozen=True, tag=True):
    """What the command with this order number wanted is not possible."""

    order: int
    why: str


Event: TypeAlias = Begin | Finished | Failed


class FlowState(Struct, frozen=True, kw_only=True):
    """Where a script stands."""

    position: int = 0
    """Index of the action to run next."""
    order: int = 0
    """The number of the last command that has an answer."""
    waiting: bool = False
    """Whether the answer to ``order`` is awaited."""
    ended: bool = False
    error: str = ""
    """Why the script failed; "" when it did not."""
    variables: dict[str, str] = {}
    loops: dict[int, int] = {}
    """Jumps that each ``goto`` has left, by position."""


class _ScriptError(Exception):
    """The script cannot go on; the message says why."""


class _Run:
    """The state of one step while it is being made."""

    def __init__(self, script: tuple[Action, ...], state: FlowState, now: Instant) -> None:
        self.script = script
        self.state = state
        self.now = now
        self.commands: list[Command] = []

    def next_order(self, *, waits: bool = True) -> int:
        self.state = replace(self.state, order=self.state.order + 1, waiting=waits)
        return self.state.order

    def jump(self, position: int) -> None:
        self.state = replace(self.state, position=position)

    def position_of(self, action_id: object, field: str) -> int:
        wanted = parse_id(action_id) if isinstance(action_id, str) and action_id else NIL_ID
        for position, action in enumerate(self.script):
            if wanted != NIL_ID and action.id == wanted:
                return position
        raise _ScriptError(f"{field} {action_id!r} names no action of the script")

    def end(self, why: str, error: str = "") -> None:
        self.state = replace(self.state, ended=True, waiting=False, error=error)
        self.commands.append(HangUp(why=why))


def step(
    script: tuple[Action, ...], state: FlowState, event: Event, now: Instant
) -> tuple[FlowState, tuple[Command, ...]]:
    """What a script does next.

    Args:
        script: the actions, as validated by ``flow.actions``.
        state: where the script stands.
        event: what happened.
        now: for conditions on the time of day.
    """
    run = _Run(script, state, now)
    if state.ended or not _awaited(state, event):
        return state, ()
    if isinstance(event, Failed):
        run.end(FLOW_FAILED, event.why)
        return run.state, tuple(run.commands)
    run.state = replace(run.state, waiting=False)
    try:
        _run_until_waiting(run)
    except (_ScriptError, ValueError) as error:
        run.end(FLOW_FAILED, str(error))
    return run.state, tuple(run.commands)


def _awaited(state: FlowState, event: Event) -> bool:
    if isinstance(event, Begin):
        return state.order == 0 and not state.waiting
    return state.waiting and event.order == state.order


def _run_until_waiting(run: _Run) -> None:
    for _ in range(STEPS_WITHOUT_WAITING):
        if run.state.waiting or run.state.ended:
            return
        if run.state.position >= len(run.script):
            run.end(END_OF_SCRIPT)
            return
        _run_one(run, run.script[run.state.position])
    raise _ScriptError(f"more than {STEPS_WITHOUT_WAITING} actions in a row that take no time")


def _run_one(run: _Run, action: Action) -> None:
    here = run.state.position
    following = here + 1 if action.next_id == NIL_ID else _position_of_id(run, action.next_id)
    run.jump(following)
    option = substitute(action.option, run.state.variables)
    _RUNNERS[action.type](run, option, here)


def _position_of_id(run: _Run, action_id: bytes) -> int:
    for position, action in enumerate(run.script):
        if action.id == action_id:
            return position
    raise _ScriptError("next_id names no action of the script")


def _talk(run: _Run, option: dict[str, object], _here: int) -> None:
    order = run.next_order(waits=not option.get("async"))
    run.commands.append(
        Say(
            order=order,
            text=str(option.get("text", "")),
            language=str(option.get("language") or ""),
            voice=str(option.get("voice_id") or ""),
        )
    )


def _play(run: _Run, option: dict[str, object], _here: int) -> None:
    sources = option.get("stream_urls")
    names = tuple(str(source) for source in sources) if isinstance(sources, list) else ()
    if names:
        run.commands.append(Play(order=run.next_order(), sources=names))


def _beep(run: _Run, _option: dict[str, object], _here: int) -> None:
    run.commands.append(Tone(order=run.next_order(), tones=BEEP))


def _sleep(run: _Run, option: dict[str, object], _here: int) -> None:
    run.commands.append(Wait(order=run.next_order(), length_ms=_integer(option, "duration")))


def _hangup(run: _Run, option: dict[str, object], _here: int) -> None:
    run.end(str(option.get("reason") or "hangup"))


def _stop(run: _Run, _option: dict[str, object], _here: int) -> None:
    run.end("stop")


def _answer(_run: _Run, _option: dict[str, object], _here: int) -> None:
    """Nothing: a script starts when the call is answered."""


def _goto(run: _Run, option: dict[str, object], here: int) -> None:
    left = run.state.loops.get(here, _integer(option, "loop_count"))
    if left > 0:
        run.state = replace(run.state, loops={**run.state.loops, here: left - 1})
        run.jump(run.position_of(option.get("target_id"), "target_id"))


def _branch(run: _Run, option: dict[str, object], _here: int) -> None:
    name = str(option.get("variable") or DEFAULT_BRANCH_VARIABLE)
    targets = option.get("target_ids")
    value = run.state.variables.get(name, "")
    chosen = targets.get(value) if isinstance(targets, dict) else None
    run.state = replace(run.state, variables={**run.state.variables, name: ""})
    if chosen:
        run.jump(run.position_of(chosen, f"target_ids[{value!r}]"))
    else:
        run.jump(run.position_of(option.get("default_target_id"), "default_target_id"))


def _variable_set(run: _Run, option: dict[str, object], _here: int) -> None:
    key = str(option.get("key") or "")
    run.state = replace(run.state, variables={**run.state.variables, key: str(option.get("value") or "")})


def _condition_variable(run: _Run, option: dict[str, object], _here: int) -> None:
    if not variable_holds(option):
        run.jump(run.position_of(option.get("false_target_id"), "false_target_id"))


def _condition_datetime(run: _Run, option: dict[str, object], _here: int) -> None:
    if not datetime_holds(option, run.now):
        run.jump(run.position_of(option.get("false_target_id"), "false_target_id"))


def _integer(option: dict[str, object], name: str) -> int:
    value = option.get(name) or 0
    return int(value) if isinstance(value, int | float | str) else 0


_RUNNERS: dict[str, Callable[[_Run, dict[str, object], int], None]] = {
    "talk": _talk,
    "play": _play,
    "beep": _beep,
    "sleep": _sleep,
    "hangup": _hangup,
    "stop": _stop,
    "answer": _answer,
    "goto": _goto,
    "branch": _branch,
    "variable_set": _variable_set,
    "condition_variable": _condition_variable,
    "condition_datetime": _condition_datetime,
}

EXECUTABLE_ACTIONS = frozenset(_RUNNERS)
"""The action types that this machine runs."""
