"""Asking again, from time to time, whether whoever holds a long-lived connection is still welcome."""

import asyncio

from outdialer.api.auth import Principal, still_valid
from outdialer.api.services import ApiServices
from outdialer.ports.store import StoreUnavailable

ASK_EVERY_S = 30.0


class Welcome:
    """Whether a connection's credential still means what it meant when the connection was made."""

    def __init__(self, principal: Principal, services: ApiServices) -> None:
        self._principal = principal
        self._services = services
        self._next = asyncio.get_running_loop().time() + ASK_EVERY_S

    async def holds(self) -> bool:
        """Whether it does; looked up when the last look-up is long ago. A store that is away ends nothing."""
        now = asyncio.get_running_loop().time()
        if now < self._next:
            return True
        self._next = now + ASK_EVERY_S
        try:
            return await still_valid(self._principal, self._services.store, self._services.clock.now())
        except StoreUnavailable:
            return True
