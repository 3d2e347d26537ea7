"""One request from its first try to its answer: what is sent, when again, and what comes of it. No I/O, no clock.

``exchange`` is a generator: it yields what to send or how long to wait and is sent back what happened, so that the
client that blocks and the one that awaits share every decision.
"""

import secrets
from collections.abc import Generator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from outdialer.client.errors import ClientError, UnexpectedAnswer, Unreachable, refusal

T = TypeVar("T")
BASE_WAIT_S = 0.5
NOTHING_DONE = frozenset({429, 503})
"""Answers after which the same request may be sent again: the server did nothing."""


class Operation(Struct, Generic[T], frozen=True):
    """One method of one path, and what its answer is."""

    method: str
    path: str
    """With placeholders: ``/v1.0/campaigns/{id}``."""
    answer: type[T]


class Page(Struct, Generic[T], frozen=True):
    """Some rows of a list; "" as the token: nothing follows."""

    result: list[T]
    next_page_token: str = ""


class Versioned(Struct, kw_only=True):
    """An object that several people may change."""

    etag: str = ""
    """Its version when it was read on its own; as ``if_match`` it guards a change. "": not known."""


class Retries(Struct, frozen=True):
    """How stubborn a client is."""

    tries: int = 4
    """How often a request is sent at most; 1: never again."""
    longest_wait_s: float = 30.0
    """A server that asks for a longer wait, in s, is not waited for."""


class Send(Struct, frozen=True, kw_only=True):
    """A request to send."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes | None

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no more than once: a guarded change would meet its own new version."""
        return "If-Match" not in self.headers


class Wait(Struct, frozen=True):
    """Wait before the next try, in s."""

    seconds: float


Outcome: TypeAlias = httpx.Response | httpx.TransportError | None


def request_of(
    operation: Operation[Any],
    ids: Mapping[str, str],
    query: Mapping[str, Any],
    body: Mapping[str, Any] | None,
    if_match: str | None,
) -> Send:
    """The request of an operation; what is None is left out of query and body."""
    headers: dict[str, str] = {}
    if if_match:
        headers["If-Match"] = if_match
    if operation.method == "POST":
        headers["Idempotency-Key"] = secrets.token_hex(16)
    content = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        content = msgspec.json.encode({name: value for name, value in body.items() if value is not None})
    return Send(
        method=operation.method,
        path=operation.path.format_map({name: quote(value, safe="") for name, value in ids.items()}),
        query={name: str(value) for name, value in query.items() if value is not None},
        headers=headers,
        content=content,
    )


def exchange(request: Send, server: str, retries: Retries) -> Generator[Send | Wait, Outcome, httpx.Response]:
    """Send until an answer is final; it is returned when it is a success.

    Raises:
        Unreachable: no answer came.
        Refused: the answer is an error.
    """
    tried = 0
    while True:
        outcome = yield request
        tried += 1
        if isinstance(outcome, httpx.Response) and outcome.is_success:
            return outcome
        wait_s = _wait_s(request, outcome, tried)
        if wait_s is None or wait_s > retries.longest_wait_s or tried >= retries.tries:
            raise error_of(outcome, server)
        yield Wait(wait_s)


def _wait_s(request: Send, outcome: Outcome, tried: int) -> float | None:
    """How long to wait before the next try; None: there must be none."""
    backoff = BASE_WAIT_S * 2 ** (tried - 1) * (0.5 + secrets.randbelow(1_000) / 1_000)
    if isinstance(outcome, httpx.Response):
        return (retry_after_s(outcome) or backoff) if outcome.status_code in NOTHING_DONE else None
    return backoff if request.repeatable or isinstance(outcome, httpx.ConnectError) else None


def retry_after_s(response: httpx.Response) -> float | None:
    """The seconds of ``Retry-After`` (RFC 9110 section 10.2.3); None: absent, or a date."""
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() else None


def error_of(outcome: Outcome, server: str) -> ClientError:
    """The exception for an outcome that is no success."""
    if isinstance(outcome, httpx.Response):
        request_id = outcome.headers.get("x-request-id", "")
        return refusal(outcome.status_code, outcome.content, request_id, retry_after_s(outcome))
    return Unreachable(server, str(outcome) or type(outcome).__name__)


def read(operation: Operation[T], response: httpx.Response) -> T:
    """The answer as the operation's type.

    Raises:
        UnexpectedAnswer: it is something else.
    """
    answer: Any = operation.answer
    if answer is type(None):
        return None  # type: ignore[return-value]
    if answer is bytes:
        return response.content  # type: ignore[return-value]
    try:
        found: T = msgspec.json.decode(response.content, type=operation.answer)
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(f"{operation.method} {response.url.path}: not an answer of this API: {error}") from None
    if isinstance(found, Versioned):
        found.etag = response.headers.get("etag", "")
    return found
