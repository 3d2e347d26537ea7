"""Agents' passwords: argon2id (RFC 9106), in a thread of its own so that logging in delays no call."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_PASSWORD_LENGTH = 1_024
_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
"""However many log in at once, one core and the memory of one hash are the most that it costs."""


class Passwords:
    """Hashes and compares. The defaults are the second recommendation of RFC 9106 section 4."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """What is kept of a password: a salted hash with its parameters."""
        return await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, self._hasher.hash, password)

    async def fits(self, kept: str | None, password: str) -> bool:
        """Whether a password is the one whose hash was kept. Without one it takes as long, and does not fit."""
        return await asyncio.get_running_loop().run_in_executor(_ONE_AT_A_TIME, self._fits, kept, password)

    def _fits(self, kept: str | None, password: str) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash("nobody's")
        try:
            return self._hasher.verify(kept or self._nobodys, password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False
