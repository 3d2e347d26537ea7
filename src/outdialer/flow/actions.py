"""The actions of a call script: which there are, what their options mean, and what is wrong with a given list.

The table knows every action type of the REST contract. Those in ``EXECUTABLE`` really run; the others are known by
name, so that a client learns that they are not available yet instead of that they do not exist. Option keys that a
type does not know are kept and left alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct

from outdialer.domain.model import Action
from outdialer.domain.units import NIL_ID

MAX_ACTIONS = 500
"""Most actions of one list."""
MAX_SLEEP_MS = 3_600_000
MAX_TALK_LENGTH = 5_000
"""Most characters of one spoken text."""
MAX_STREAM_URLS = 100
MAX_LOOP_COUNT = 1_000
MAX_KEY_LENGTH = 255
MAX_TEXT_LENGTH = 10_000
DEFAULT_BRANCH_VARIABLE = "voipbin.call.digits"
"""The variable that ``branch`` looks at when it names none: the digits that the person pressed."""
CONDITIONS = ("==", "!=", ">", ">=", "<", "<=")
VALUE_TYPES = ("string", "number", "length")
DIGITS_HANDLES = ("", "next")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}")


class ActionType(StrEnum):
    """Every action type of the contract except ``empty``, which clients may not send."""

    AI_SUMMARY = "ai_summary"
    AI_TALK = "ai_talk"
    AI_TASK = "ai_task"
    AMD = "amd"
    ANSWER = "answer"
    BEEP = "beep"
    BLOCK = "block"
    BRANCH = "branch"
    CALL = "call"
    CASE_CREATE = "case_create"
    CONDITION_CALL_DIGITS = "condition_call_digits"
    CONDITION_CALL_STATUS = "condition_call_status"
    CONDITION_DATETIME = "condition_datetime"
    CONDITION_VARIABLE = "condition_variable"
    CONFBRIDGE_JOIN = "confbridge_join"
    CONFERENCE_JOIN = "conference_join"
    CONNECT = "connect"
    CONVERSATION_SEND = "conversation_send"
    DIGITS_RECEIVE = "digits_receive"
    DIGITS_SEND = "digits_send"
    ECHO = "echo"
    EMAIL_SEND = "email_send"
    EXTERNAL_MEDIA_START = "external_media_start"
    EXTERNAL_MEDIA_STOP = "external_media_stop"
    FETCH = "fetch"
    FETCH_FLOW = "fetch_flow"
    GOTO = "goto"
    HANGUP = "hangup"
    MESSAGE_SEND = "message_send"
    MUTE = "mute"
    PLAY = "play"
    QUEUE_JOIN = "queue_join"
    RECORDING_START = "recording_start"
    RECORDING_STOP = "recording_stop"
    SLEEP = "sleep"
    STOP = "stop"
    STREAM_ECHO = "stream_echo"
    TALK = "talk"
    TRANSCRIBE_RECORDING = "transcribe_recording"
    TRANSCRIBE_START = "transcribe_start"
    TRANSCRIBE_STOP = "transcribe_stop"
    VARIABLE_SET = "variable_set"
    WEBHOOK_SEND = "webhook_send"


class ProblemKind(StrEnum):
    """What is wrong with an action."""

    UNKNOWN_TYPE = "unknown_type"
    UNAVAILABLE = "unavailable"
    """The type is known and does not run yet."""
    INVALID = "invalid"
    """An option or an id cannot be used."""


class ActionProblem(Struct, frozen=True):
    """One thing that is wrong with a list of actions."""

    kind: ProblemKind
    field: str
    """Where: ``actions[2].option.text``."""
    message: str
    """What came and what would be right."""


Check: TypeAlias = Callable[[Any], str]
"""Looks at the value of an option; answers what would be right, or "" when it is."""


class OptionField(Struct, frozen=True):
    """One option of an action type."""

    check: Check
    required: bool = False


def text(*, low: int = 0, high: int = MAX_TEXT_LENGTH) -> Check:
    """Text of ``low`` to ``high`` characters."""
    right = f"text of at most {high} characters" if low == 0 else f"text of {low} to {high} characters"
    return lambda value: "" if isinstance(value, str) and low <= len(value.strip() if low else value) <= high else right


def integer(low: int, high: int) -> Check:
    """A whole number from ``low`` to ``high``."""
    right = f"a whole number from {low} to {high}"
    return lambda value: "" if _is_integer(value) and low <= value <= high else right


def choice(values: Sequence[str]) -> Check:
    """One of the given texts."""
    right = "one of " + ", ".join(f'"{value}"' for value in values)
    return lambda value: "" if isinstance(value, str) and value in values else right


def list_of(check: Check, most: int, *, least: int = 0) -> Check:
    """A list of ``least`` to ``most`` values that each pass ``check``."""

    def look(value: Any) -> str:
        if not isinstance(value, list) or not least <= len(value) <= most:
            return f"a list of {least} to {most} entries"
        wrong = next((right for right in map(check, value) if right), "")
        return f"a list whose entries are each {wrong}" if wrong else ""

    return look


def boolean(value: Any) -> str:
    """True or false."""
    return "" if isinstance(value, bool) else "true or false"


def number(value: Any) -> str:
    """A number."""
    return "" if _is_integer(value) or isinstance(value, float) else "a number"


def action_id(value: Any) -> str:
    """A UUID, or "" for none."""
    return "" if isinstance(value, str) and (value == "" or _UUID.fullmatch(value)) else 'a UUID, or "" for none'


def ids_by_value(value: Any) -> str:
    """An object that names an action for each value."""
    fits = isinstance(value, dict) and len(value) <= MAX_ACTIONS and not any(action_id(item) for item in value.values())
    return "" if fits else "an object that gives the UUID of an action for each value"


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_ID = OptionField(action_id)
_TEXT = OptionField(text())

EXECUTABLE: Mapping[ActionType, Mapping[str, OptionField]] = {
    ActionType.ANSWER: {},
    ActionType.BEEP: {},
    ActionType.STOP: {},
    ActionType.TALK: {
        "text": OptionField(text(low=1, high=MAX_TALK_LENGTH), required=True),
        "language": _TEXT,
        "provider": _TEXT,
        "voice_id": _TEXT,
        "digits_handle": OptionField(choice(DIGITS_HANDLES)),
        "async": OptionField(boolean),
    },
    ActionType.PLAY: {
        "stream_urls": OptionField(list_of(text(low=1, high=2_048), MAX_STREAM_URLS, least=1), required=True),
    },
    ActionType.SLEEP: {"duration": OptionField(integer(0, MAX_SLEEP_MS), required=True)},
    ActionType.HANGUP: {"reason": _TEXT, "reference_id": _ID},
    ActionType.GOTO: {
        "target_id": OptionField(action_id, required=True),
        "loop_count": OptionField(integer(0, MAX_LOOP_COUNT)),
    },
    ActionType.BRANCH: {
        "variable": OptionField(text(high=MAX_KEY_LENGTH)),
        "default_target_id": _ID,
        "target_ids": OptionField(ids_by_value),
    },
    ActionType.VARIABLE_SET: {"key": OptionField(text(low=1, high=MAX_KEY_LENGTH), required=True), "value": _TEXT},
    ActionType.CONDITION_VARIABLE: {
        "condition": OptionField(choice(CONDITIONS), required=True),
        "variable": OptionField(text(), required=True),
        "value_type": OptionField(choice(VALUE_TYPES)),
        "value_string": _TEXT,
        "value_number": OptionField(number),
        "value_length": OptionField(integer(0, 2**31 - 1)),
        "false_target_id": _ID,
    },
    ActionType.CONDITION_DATETIME: {
        "condition": OptionField(choice(CONDITIONS), required=True),
        "minute": OptionField(integer(-1, 59)),
        "hour": OptionField(integer(-1, 23)),
        "day": OptionField(integer(-1, 31)),
        "month": OptionField(integer(-1, 12)),
        "weekdays": OptionField(list_of(integer(0, 6), 7)),
        "false_target_id": _ID,
    },
}
"""The types that run, with their options. Durations are in ms; weekdays count from 0, Sunday."""


def validate_actions(actions: Sequence[Action], field: str = "actions") -> list[ActionProblem]:
    """Everything that is wrong with a list of actions; empty when it can run. ``field`` names the list."""
    if len(actions) > MAX_ACTIONS:
        message = f"{len(actions)} actions are too many; {MAX_ACTIONS} are possible"
        return [ActionProblem(ProblemKind.INVALID, field, message)]
    problems = _repeated_ids(actions, field)
    for index, action in enumerate(actions):
        problems += _problems_of(action, f"{field}[{index}]")
    return problems


def _repeated_ids(actions: Sequence[Action], field: str) -> list[ActionProblem]:
    seen = {NIL_ID: -1}
    problems = []
    for index, action in enumerate(actions):
        if seen.setdefault(action.id, index) not in (-1, index):
            message = f"it is the id of {field}[{seen[action.id]}] too; give each action its own, or none"
            problems.append(ActionProblem(ProblemKind.INVALID, f"{field}[{index}].id", message))
    return problems


def _problems_of(action: Action, field: str) -> list[ActionProblem]:
    try:
        kind = ActionType(action.type)
    except ValueError:
        right = f"write one of {', '.join(EXECUTABLE)}"
        message = f"{action.type[:80]!r} is not an action type; {right}"
        return [ActionProblem(ProblemKind.UNKNOWN_TYPE, f"{field}.type", message)]
    if kind not in EXECUTABLE:
        message = f"the action {kind} is not available in this release; these are: {', '.join(EXECUTABLE)}"
        return [ActionProblem(ProblemKind.UNAVAILABLE, f"{field}.type", message)]
    return _option_problems(EXECUTABLE[kind], action.option, f"{field}.option")


def _option_problems(known: Mapping[str, OptionField], option: Mapping[str, Any], field: str) -> list[ActionProblem]:
    problems = []
    for name, spec in known.items():
        value = option.get(name)
        if value is None and not spec.required:
            continue
        right = spec.check(value)
        if right:
            came = "it is missing" if value is None else f"{_shown(value)} cannot be used"
            problems.append(ActionProblem(ProblemKind.INVALID, f"{field}.{name}", f"{came}; write {right}"))
    return problems


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
