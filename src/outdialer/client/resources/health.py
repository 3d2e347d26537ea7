"""Whether the server is there, alive and able to place calls.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from msgspec import Struct

from outdialer.client.exchange import Operation
from outdialer.client.transport import AsyncResource, Resource


class Health(Struct, frozen=True, kw_only=True):
    """The server is alive, or ready."""

    status: str


class Pong(Struct, frozen=True, kw_only=True):
    """The server is there."""

    message: str


_PING = Operation("GET", "/ping", Pong)
_LIVENESS = Operation("GET", "/health", Health)
_READINESS = Operation("GET", "/ready", Health)


class HealthApi(Resource):
    """Whether the server is there, alive and able to place calls.

    For a client that blocks.
    """

    def ping(self) -> Pong:
        """Whether the server is there."""
        return self._api.call(_PING, {}, {})

    def liveness(self) -> Health:
        """Whether the process is alive."""
        return self._api.call(_LIVENESS, {}, {})

    def readiness(self) -> Health:
        """Whether calls can be placed; 503 with the reasons while they cannot."""
        return self._api.call(_READINESS, {}, {})


class AsyncHealthApi(AsyncResource):
    """Whether the server is there, alive and able to place calls.

    For a client that awaits.
    """

    async def ping(self) -> Pong:
        """Whether the server is there."""
        return await self._api.call(_PING, {}, {})

    async def liveness(self) -> Health:
        """Whether the process is alive."""
        return await self._api.call(_LIVENESS, {}, {})

    async def readiness(self) -> Health:
        """Whether calls can be placed; 503 with the reasons while they cannot."""
        return await self._api.call(_READINESS, {}, {})
