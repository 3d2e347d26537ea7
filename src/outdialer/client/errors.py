"""What can go wrong for a client: the server cannot be reached, it refuses, or it is another server."""

import msgspec
from msgspec import Struct


class ClientError(Exception):
    """Everything that a client raises."""


class Unreachable(ClientError):
    """No answer came: nobody listens there, the connection broke, or it took too long."""

    def __init__(self, server: str, why: str) -> None:
        self.server = server
        self.why = why
        super().__init__(f"{server} cannot be reached: {why}")


class UnexpectedAnswer(ClientError):
    """The answer is not one of this API: another server, or another version of it."""


class Refused(ClientError):
    """The server refused the request; nothing of it was done."""

    def __init__(self, http_status: int, facts: "Facts", retry_after_s: float | None = None) -> None:
        self.http_status = http_status
        self.status = facts.status
        """The class of the error: ``NOT_FOUND``."""
        self.reason = facts.reason
        """What exactly, from a closed list: ``CAMPAIGN_NOT_FOUND``."""
        self.message = facts.message
        """For people: the field, its value and what would be right."""
        self.request_id = facts.request_id
        """The ``X-Request-Id`` under which the server's log has it."""
        self.retry_after_s = retry_after_s
        """How long the server asked to wait, in s; None: it did not say."""
        super().__init__(f"{self.reason or http_status}: {self.message}")


class InvalidRequest(Refused):
    """A field or parameter cannot be used (400)."""


class Unauthenticated(Refused):
    """The access key is missing, unknown, revoked or expired (401)."""


class PermissionDenied(Refused):
    """The access key may not do this (403)."""


class NotFound(Refused):
    """No such object (404)."""


class Conflict(Refused):
    """The object's state forbids it, or another one is in the way (409)."""


class VersionMismatch(Refused):
    """Somebody else changed the object since it was read (412)."""


class TooManyRequests(Refused):
    """A limit of requests is reached (429)."""


class ServerFault(Refused):
    """A fault of the server (500)."""


class Unavailable(ServerFault):
    """The server cannot work at the moment (503)."""


class Facts(Struct, frozen=True):
    """What an error's body says."""

    status: str = ""
    reason: str = ""
    message: str = ""
    request_id: str = ""


class _Envelope(Struct, frozen=True):
    error: Facts


_KINDS: dict[int, type[Refused]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    412: VersionMismatch,
    429: TooManyRequests,
    503: Unavailable,
}


def refusal(http_status: int, content: bytes, request_id: str, retry_after_s: float | None) -> Refused:
    """The exception for an answer that is no success."""
    try:
        facts = msgspec.json.decode(content, type=_Envelope).error
    except msgspec.DecodeError:
        facts = Facts(message=f"the server answered {http_status} without saying why", request_id=request_id)
    kind = _KINDS.get(http_status) or (ServerFault if http_status >= 500 else Refused)
    return kind(http_status, facts, retry_after_s)
