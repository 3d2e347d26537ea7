"""Agents' passwords: argon2id (RFC 9106), in a thread of its own so that logging in delays no call."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from outdialer.api.errors import ApiError

MAX_PASSWORD_LENGTH = 1_024
LOGGING_IN = 0
"""Whoever logs in: of which customer they are is not known yet. No customer has this store key."""
MOST_LOGINS = 100
"""That wait; more are refused, so that nobody waits for longer than a few seconds."""
MOST_OF_CUSTOMER = 4
"""New passwords of one customer that wait: it cannot keep the others from logging in."""
_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
"""However many log in at once, one core and the memory of one hash are the most that it costs."""


class Passwords:
    """Hashes and compares. The defaults are the second recommendation of RFC 9106 section 4."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._nobodys: str | None = None
        self._waiting: Counter[int] = Counter()

    async def hash(self, password: str, customer: int) -> str:
        """What is kept of a password: a salted hash with its parameters. ``customer``: the store key of who asks.

        Raises:
            ApiError: too many of the customer's wait already.
        """
        with self._turn(customer):
            return await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, self._hasher.hash, password)

    async def fits(self, kept: str | None, password: str, customer: int = LOGGING_IN) -> bool:
        """Whether a password is the one whose hash was kept. Without one it takes as long, and does not fit.

        Raises:
            ApiError: too many wait already.
        """
        with self._turn(customer):
            return await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, self._fits, kept, password)

    @contextmanager
    def _turn(self, customer: int) -> Iterator[None]:
        if self._waiting[customer] >= (MOST_LOGINS if customer == LOGGING_IN else MOST_OF_CUSTOMER):
            limited_by = "ip" if customer == LOGGING_IN else "customer"
            message = "Too many passwords wait to be looked at; wait 1 s (Retry-After)."
            raise ApiError(
                "RATE_LIMIT_EXCEEDED", message, headers={"Retry-After": "1"}, details=({"limited_by": limited_by},)
            )
        self._waiting[customer] += 1
        try:
            yield
        finally:
            self._waiting[customer] -= 1
            if not self._waiting[customer]:
                del self._waiting[customer]

    def _fits(self, kept: str | None, password: str) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody's")
        try:
            return self._hasher.verify(kept or self._nobodys, password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False
