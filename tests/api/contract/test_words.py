"""The closed sets of words: what the wire may say, no more and no less."""

from enum import StrEnum

import pytest
from msgspec import json as msgspec_json

from outdialer.api.errors import REASONS, http_status
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallStatus
from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.model import Action
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.permissions import PERMISSIONS
from outdialer.domain.target import TargetStatus
from outdialer.flow.actions import ProblemKind, validate_actions
from tests.api.test_openapi import DOCUMENT

WORDS: dict[type[StrEnum], set[str]] = {
    CampaignStatus: {"stop", "stopping", "run"},
    EndHandle: {"stop", "continue"},
    AttemptStatus: {"dialing", "progressing", "done"},
    Result: {"", "success", "fail"},
    TargetStatus: {"idle", "progressing", "done"},
    CallStatus: {"dialing", "ringing", "progressing", "terminating", "canceling", "hangup"},
    HangupReason: {"", "normal", "failed", "busy", "cancel", "timeout", "noanswer", "dialout", "amd"},
}
ERRORS = {
    400: (
        *("INVALID_JSON_BODY", "INVALID_ID", "INVALID_ARGUMENT", "INVALID_REQUEST_PARAMETER", "INVALID_ACTION_TYPE"),
        *("INVALID_ANONYMOUS_VALUE", "INVALID_ROUTING_METHOD", "INVALID_RING_METHOD", "INVALID_USERNAME_FORMAT"),
    ),
    401: ("AUTHENTICATION_REQUIRED", "INVALID_CREDENTIALS"),
    403: ("PERMISSION_DENIED", "ACCOUNT_FROZEN"),
    404: (
        *("ROUTE_NOT_FOUND", "CAMPAIGN_NOT_FOUND", "CAMPAIGNCALL_NOT_FOUND", "OUTPLAN_NOT_FOUND", "OUTDIAL_NOT_FOUND"),
        *("OUTDIAL_TARGET_NOT_FOUND", "QUEUE_NOT_FOUND", "QUEUECALL_NOT_FOUND", "AGENT_NOT_FOUND", "TAG_NOT_FOUND"),
        *("FLOW_NOT_FOUND", "ACTIVEFLOW_NOT_FOUND", "CALL_NOT_FOUND", "GROUPCALL_NOT_FOUND", "RECORDING_NOT_FOUND"),
        *("EXTENSION_NOT_FOUND", "TRUNK_NOT_FOUND", "PROVIDER_NOT_FOUND", "ACCESSKEY_NOT_FOUND"),
        *("CUSTOMER_NOT_FOUND", "OUTBOUND_CONFIG_NOT_FOUND"),
    ),
    409: ("AGENT_ALREADY_EXISTS", "ADDRESS_ALREADY_ASSIGNED", "STATE_INVALID", "FEATURE_UNAVAILABLE"),
    429: ("RATE_LIMIT_EXCEEDED", "RESOURCE_LIMIT_EXCEEDED"),
    500: ("INTERNAL",),
    503: ("SERVICE_UNAVAILABLE",),
}
ACTIONS = (
    *("ai_summary", "ai_talk", "ai_task", "amd", "answer", "beep", "block", "branch", "call", "case_create"),
    *("condition_call_digits", "condition_call_status", "condition_datetime", "condition_variable", "confbridge_join"),
    *("conference_join", "connect", "conversation_send", "digits_receive", "digits_send", "echo", "email_send"),
    *("external_media_start", "external_media_stop", "fetch", "fetch_flow", "goto", "hangup", "message_send", "mute"),
    *("play", "queue_join", "recording_start", "recording_stop", "sleep", "stop", "stream_echo", "talk"),
    *("transcribe_recording", "transcribe_start", "transcribe_stop", "variable_set", "webhook_send"),
)


@pytest.mark.parametrize("words", WORDS, ids=lambda kind: kind.__name__)
def test_words_of(words: type[StrEnum]) -> None:
    assert {word.value for word in words} == WORDS[words]


def test_permissions() -> None:
    assert {0, 1, 15, 16, 32, 64, 240, 65_535} <= set(PERMISSIONS)


@pytest.mark.parametrize("http", ERRORS)
def test_errors_of(http: int) -> None:
    assert [reason for reason in ERRORS[http] if reason not in REASONS or http_status(reason) != http] == []


@pytest.mark.parametrize("name", ACTIONS)
def test_the_action_is_known_if_not_yet_there(name: str) -> None:
    problems = validate_actions([Action(type=name)])
    assert [problem for problem in problems if problem.kind is ProblemKind.UNKNOWN_TYPE] == []


@pytest.mark.parametrize("name", ["empty", "", "talks", "Talk"])
def test_no_action(name: str) -> None:
    assert [problem.kind for problem in validate_actions([Action(type=name)])] == [ProblemKind.UNKNOWN_TYPE]


def test_the_document_says_the_same_words() -> None:
    text = msgspec_json.encode(DOCUMENT["components"]["schemas"]["Call"]["properties"]["hangup_reason"]).decode()
    assert all(f'"{reason}"' in text for reason in WORDS[HangupReason] if reason)
