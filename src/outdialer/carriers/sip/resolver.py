"""Names of peers to addresses: numbers at once, names through the loop, remembered until asked again."""

import asyncio
import socket

from outdialer.carriers.sip.core.dialog import is_numeric
from outdialer.carriers.sip.transport import Address


class Resolver:
    """A cache of host names. A name is looked up once, however many calls wait for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, family: socket.AddressFamily) -> None:
        """``family`` is that of the socket the addresses are for."""
        self._loop = loop
        self._family = family
        self._known: dict[str, str] = {}
        self._asking: dict[str, asyncio.Task[str | None]] = {}

    def known(self, host: str, port: int) -> Address | None:
        """The address, when it needs no look-up."""
        found = self._known.get(host)
        if found is None and is_numeric(host):
            found = self._known[host] = host
        return (found, port) if found is not None else None

    async def resolve(self, host: str, port: int, *, again: bool = False) -> Address | None:
        """The address, or None when the name has none; ``again`` looks up a known name anew."""
        if not again or is_numeric(host):
            address = self.known(host, port)
            if address is not None:
                return address
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = self._loop.create_task(self._ask(host))
            task.add_done_callback(lambda _: self._asking.pop(host, None))
        found = await asyncio.shield(task)
        return (found, port) if found is not None else None

    async def close(self) -> None:
        """Give up what is being asked."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, host: str) -> str | None:
        try:
            rows = await self._loop.getaddrinfo(host, None, family=self._family, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            return self._known.get(host)
        self._known[host] = str(rows[0][4][0])
        return self._known[host]
