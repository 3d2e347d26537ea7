"""Logging in.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from msgspec import Struct

from outdialer.client.exchange import Operation
from outdialer.client.transport import AsyncResource, Resource


class Login(Struct, frozen=True, kw_only=True):
    """A token, good for seven days."""

    username: str
    token: str


_LOG_IN = Operation("POST", "/auth/login", Login)


class AuthApi(Resource):
    """Logging in.

    For a client that blocks.
    """

    def log_in(self, *, username: str, password: str) -> Login:
        """Log an agent in.

        Whatever is wrong, the answer is 400 without a body. The token is in the answer and in the cookie ``token``.

        password: Kept as an argon2id hash; never shown.
        """
        return self._api.call(_LOG_IN, {}, {}, {"username": username, "password": password})


class AsyncAuthApi(AsyncResource):
    """Logging in.

    For a client that awaits.
    """

    async def log_in(self, *, username: str, password: str) -> Login:
        """Log an agent in."""
        return await self._api.call(_LOG_IN, {}, {}, {"username": username, "password": password})
