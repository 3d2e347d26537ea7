"""Refusals: the one error form of the REST side, and the closed list of its reasons.

Every error body is ``{"error": {"status", "reason", "message", "request_id"}}``. A message names the field, the
value that came and what would be right.
"""

import json
import re
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

HTTP_STATUS: dict[str, int] = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "FAILED_PRECONDITION": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
"""The HTTP status of each error status."""

REASONS: dict[str, tuple[str, str]] = {
    "INVALID_JSON_BODY": ("INVALID_ARGUMENT", "The body is not JSON, or a field has the wrong JSON type."),
    "INVALID_ID": ("INVALID_ARGUMENT", "An id in the path is not a UUID."),
    "INVALID_ARGUMENT": ("INVALID_ARGUMENT", "A field has a value that cannot be used; the message names it."),
    "INVALID_REQUEST_PARAMETER": ("INVALID_ARGUMENT", "A query parameter or a header cannot be read."),
    "INVALID_ACTION_TYPE": ("INVALID_ARGUMENT", "An action has an unknown type."),
    "INVALID_ANONYMOUS_VALUE": ("INVALID_ARGUMENT", "anonymous is not one of yes, no, auto."),
    "INVALID_ROUTING_METHOD": ("INVALID_ARGUMENT", "The routing method is not random."),
    "INVALID_RING_METHOD": ("INVALID_ARGUMENT", "The ring method is not ringall."),
    "INVALID_USERNAME_FORMAT": ("INVALID_ARGUMENT", "The username is not an e-mail address."),
    "METHOD_NOT_ALLOWED": ("INVALID_ARGUMENT", "The path exists, but not with this method (HTTP 405)."),
    "AUTHENTICATION_REQUIRED": ("UNAUTHENTICATED", "No access key or token was given."),
    "INVALID_CREDENTIALS": (
        "UNAUTHENTICATED",
        "The access key or token is unknown, revoked, expired or not for this address.",
    ),
    "PERMISSION_DENIED": ("PERMISSION_DENIED", "Whoever holds this access key or token may not do this."),
    "ACCOUNT_FROZEN": (
        "PERMISSION_DENIED",
        "The customer is to be deleted; details say when, and how to take it back.",
    ),
    "ROUTE_NOT_FOUND": ("NOT_FOUND", "No such path, or no such route."),
    "CAMPAIGN_NOT_FOUND": ("NOT_FOUND", "No such campaign."),
    "CAMPAIGNCALL_NOT_FOUND": ("NOT_FOUND", "No such campaigncall."),
    "OUTPLAN_NOT_FOUND": ("NOT_FOUND", "No such outplan."),
    "OUTDIAL_NOT_FOUND": ("NOT_FOUND", "No such outdial."),
    "OUTDIAL_TARGET_NOT_FOUND": ("NOT_FOUND", "No such target in this outdial."),
    "CALL_NOT_FOUND": ("NOT_FOUND", "No such call."),
    "TAG_NOT_FOUND": ("NOT_FOUND", "No such tag."),
    "FLOW_NOT_FOUND": ("NOT_FOUND", "No such flow."),
    "ACTIVEFLOW_NOT_FOUND": ("NOT_FOUND", "No such activeflow."),
    "QUEUE_NOT_FOUND": ("NOT_FOUND", "No such queue."),
    "QUEUECALL_NOT_FOUND": ("NOT_FOUND", "No such queuecall."),
    "AGENT_NOT_FOUND": ("NOT_FOUND", "No such agent."),
    "GROUPCALL_NOT_FOUND": ("NOT_FOUND", "No such groupcall."),
    "RECORDING_NOT_FOUND": ("NOT_FOUND", "No such recording."),
    "EXTENSION_NOT_FOUND": ("NOT_FOUND", "No such extension."),
    "TRUNK_NOT_FOUND": ("NOT_FOUND", "No such trunk."),
    "PROVIDER_NOT_FOUND": ("NOT_FOUND", "No such provider."),
    "PROVIDERCALL_NOT_FOUND": ("NOT_FOUND", "No such providercall."),
    "NUMBER_NOT_FOUND": ("NOT_FOUND", "No such number."),
    "OUTBOUND_CONFIG_NOT_FOUND": ("NOT_FOUND", "The customer has no outbound config yet."),
    "ACCESSKEY_NOT_FOUND": ("NOT_FOUND", "No such access key."),
    "WEBHOOK_NOT_FOUND": ("NOT_FOUND", "No such webhook."),
    "CUSTOMER_NOT_FOUND": ("NOT_FOUND", "No such customer."),
    "AGENT_ALREADY_EXISTS": ("ALREADY_EXISTS", "Another agent has this username."),
    "ADDRESS_ALREADY_ASSIGNED": ("ALREADY_EXISTS", "Another agent has one of these addresses."),
    "NAME_ALREADY_EXISTS": ("ALREADY_EXISTS", "Another one has this name, which must be unique."),
    "RESOURCE_LIMIT_EXCEEDED": ("RESOURCE_EXHAUSTED", "The customer has as many of these as it may have."),
    "RATE_LIMIT_EXCEEDED": ("RESOURCE_EXHAUSTED", "Too many requests; Retry-After says how many seconds to wait."),
    "STATE_INVALID": ("FAILED_PRECONDITION", "The object's state forbids this."),
    "FEATURE_UNAVAILABLE": ("FAILED_PRECONDITION", "This part of the contract is not available in this release."),
    "IDEMPOTENCY_KEY_REUSED": ("FAILED_PRECONDITION", "The Idempotency-Key stands for another request."),
    "VERSION_MISMATCH": ("FAILED_PRECONDITION", "If-Match names another version of the object (HTTP 412)."),
    "INTERNAL": ("INTERNAL", "A fault of the server."),
    "SERVICE_UNAVAILABLE": ("UNAVAILABLE", "The store cannot be reached or written at the moment."),
}
"""Every reason that is ever sent, with its status and meaning."""

OWN_HTTP_STATUS: dict[str, int] = {"METHOD_NOT_ALLOWED": 405, "VERSION_MISMATCH": 412}
"""Reasons whose HTTP status is not their status's usual one."""

COMMON_REASONS = ("INTERNAL", "SERVICE_UNAVAILABLE")
"""What every operation may answer."""
CREDENTIAL_REASONS = (
    "AUTHENTICATION_REQUIRED",
    "INVALID_CREDENTIALS",
    "PERMISSION_DENIED",
    "ACCOUNT_FROZEN",
    "RATE_LIMIT_EXCEEDED",
)
"""What every operation that needs a credential may answer."""
RETRY_AFTER_S = 5
"""What ``Retry-After`` says while the store is away, in s."""


class ErrorFacts(Struct, frozen=True):
    """What went wrong."""

    status: str
    """The class of the error."""
    reason: str
    """What exactly, from a closed list."""
    message: str
    """For people: the field, its value and what would be right."""
    request_id: str
    """The ``X-Request-Id`` of this answer."""
    details: tuple[dict[str, Any], ...] | UnsetType = UNSET
    """Facts for programs, with some reasons: ``limited_by`` (ip, customer, key) with ``RATE_LIMIT_EXCEEDED``."""


class ErrorEnvelope(Struct, frozen=True):
    """The body of every error."""

    error: ErrorFacts


class ApiError(Exception):
    """A refusal with its reason; becomes the error envelope."""

    def __init__(
        self,
        reason: str,
        message: str = "",
        *,
        headers: dict[str, str] | None = None,
        details: tuple[dict[str, Any], ...] = (),
    ) -> None:
        self.reason = reason
        self.status, meaning = REASONS[reason]
        self.message = message or meaning
        self.headers = headers or {}
        self.details = details
        super().__init__(f"{reason}: {self.message}")

    @property
    def http_status(self) -> int:
        """The HTTP status code."""
        return http_status(self.reason)


_SECRET_FIELD = re.compile(r"password|token|secret|api_key|credential|direct_hash|header|uri\b", re.IGNORECASE)


class FieldError(ApiError):
    """A refusal of one field of a body; ``field`` is its path (``source.target``, ``actions[2].type``)."""

    def __init__(self, field: str, problem: str, reason: str = "INVALID_ARGUMENT") -> None:
        self.field = field
        super().__init__(reason, f"{field}: {problem}" if field else problem)


def http_status(reason: str) -> int:
    """The HTTP status code that a reason is sent with."""
    return OWN_HTTP_STATUS.get(reason) or HTTP_STATUS[REASONS[reason][0]]


def shown(value: Any) -> str:
    """A value as a message quotes it: its JSON, cut to a readable length."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    return text if len(text) <= 80 else f"{text[:77]}..."


def quoted(field: str, value: Any) -> str:
    """A field's value as a message quotes it; what a secret may be in is not quoted: answers are written down."""
    return "the value" if _SECRET_FIELD.search(field) else shown(value)


def envelope(error: ApiError, request_id: str) -> bytes:
    """The body of an error answer."""
    facts = ErrorFacts(
        status=error.status,
        reason=error.reason,
        message=error.message,
        request_id=request_id,
        details=error.details or UNSET,
    )
    return msgspec.json.encode(ErrorEnvelope(facts))
