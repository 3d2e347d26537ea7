"""The Python client of the REST API; docs/client.md shows it at work."""

from outdialer.client.client import AsyncClient, Client
from outdialer.client.errors import (
    ClientError,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    Refused,
    ServerFault,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
    VersionMismatch,
)
from outdialer.client.exchange import Retries
from outdialer.client.following import Event

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Conflict",
    "Event",
    "InvalidRequest",
    "NotFound",
    "PermissionDenied",
    "Refused",
    "Retries",
    "ServerFault",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "UnexpectedAnswer",
    "Unreachable",
    "VersionMismatch",
]
