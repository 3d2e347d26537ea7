"""One connection that follows events: what it wants, what waits for it, and how it ends."""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeAlias

from outdialer.api.events.event import ClientEvent
from outdialer.api.wire import Wire
from outdialer.engine.lifecycle import Bell
from outdialer.ports.events import Cursor

Form: TypeAlias = Callable[[Sequence[ClientEvent]], bytes]
"""How a channel writes events down, all of them in one piece."""

MOST_WAITING_BYTES = 8 * 1_048_576
"""What may wait for a connection that reads slowly; more ends it. The pieces are the same ones for many connections."""
MOST_AT_ONCE_BYTES = 65_536
"""Pieces are put together up to this size: what is made for one connection alone is bounded by it."""


class Ending(StrEnum):
    """Why a connection is ended; told to the client."""

    SLOW = "too slow: events came faster than they were read; connect again and read faster"
    STOPPED = "the server stops; connect again"
    REVOKED = "the credential is not good any more, or means something else now; connect again with a good one"
    TOPIC = "a topic that may not be followed"
    GONE = "the client went away"


class Follower:
    """What a connection follows, and the pieces that wait to be sent over it."""

    def __init__(
        self,
        wire: Wire,
        form: Form,
        topics: frozenset[str] = frozenset(),
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self.wire = wire
        self.form = form
        self.topics = topics
        self.hidden = hidden
        """The resources that its principal may not read, except what belongs to the principal itself."""
        self.seen: Cursor = 0
        """It is offered what comes after this place only."""
        self.ending: Ending | None = None
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._bell = Bell()

    @property
    def topics(self) -> frozenset[str]:
        """Beginnings of the topics that it wants."""
        return self._topics

    @topics.setter
    def topics(self, topics: frozenset[str]) -> None:
        self._topics = topics
        self._beginnings: list[str] = []
        """The same in order, without those that another one is the beginning of."""
        for topic in sorted(topics):
            if not self._beginnings or not topic.startswith(self._beginnings[-1]):
                self._beginnings.append(topic)

    def wants(self, event: ClientEvent) -> bool:
        """Whether one of its topics names the event, and it may see it."""
        hidden = event.resource in self.hidden
        return any(self._names(topic) for topic in event.topics if not (hidden and topic.startswith("customer_id:")))

    def _names(self, topic: str) -> bool:
        """Whether a topic begins as a wanted one; only the last one that is not behind it in the order can be that."""
        place = bisect_right(self._beginnings, topic)
        return place > 0 and topic.startswith(self._beginnings[place - 1])

    def offer(self, *pieces: bytes) -> None:
        """Put pieces where they wait to be sent; a connection that is too slow is ended."""
        if self.ending is not None or not any(pieces):
            return
        size = sum(map(len, pieces))
        if self._waiting and self._size + size > MOST_WAITING_BYTES:
            self._waiting.clear()
            self.end(Ending.SLOW)
            return
        self._waiting.extend(pieces)
        self._size += size
        self._bell.ring()

    def end(self, why: Ending) -> None:
        """Send what waits and nothing more; the first reason counts."""
        self.ending = self.ending or why
        self._bell.ring()

    async def next(self, seconds: float) -> bytes | None:
        """What waits, up to ``MOST_AT_ONCE_BYTES`` but at least one piece.

        It is b"" when nothing came for so many seconds, None at the end.
        """
        time = asyncio.get_running_loop().time
        until = time() + seconds
        while not self._waiting and self.ending is None and (left := until - time()) > 0:
            await self._bell.wait(left)
        if not self._waiting:
            return None if self.ending is not None else b""
        return self._taken()

    def _taken(self) -> bytes:
        pieces = [self._waiting.popleft()]
        size = len(pieces[0])
        while self._waiting and size + len(self._waiting[0]) <= MOST_AT_ONCE_BYTES:
            pieces.append(self._waiting.popleft())
            size += len(pieces[-1])
        self._size -= size
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
