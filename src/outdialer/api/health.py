"""``/ping``, ``/health`` and ``/ready``: whether the server is there, alive and able to place calls."""

from msgspec import Struct

from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource


class Pong(Struct, frozen=True):
    """The server is there."""

    message: str


class Health(Struct, frozen=True):
    """The server is alive, or ready."""

    status: str


health = Resource("health", "Whether the server is there, alive and able to place calls.")


@health.operation("GET", "/ping", base="", secured=False)
async def ping(context: Context) -> Pong:
    """Whether the server is there."""
    return Pong("pong")


@health.operation("GET", "/health", base="", secured=False)
async def liveness(context: Context) -> Health:
    """Whether the process is alive."""
    return Health("ok")


@health.operation("GET", "/ready", base="", secured=False)
async def readiness(context: Context) -> Health:
    """Whether calls can be placed; 503 with the reasons while they cannot."""
    why = context.services.readiness()
    if why:
        raise ApiError("SERVICE_UNAVAILABLE", "; ".join(why))
    return Health("ready")
