"""Following what happens, as Server-Sent Events: what an event is, and when to come back. No I/O, no clock."""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from httpx_sse import ServerSentEvent
from msgspec import Struct

from outdialer.client.errors import UnexpectedAnswer
from outdialer.client.exchange import NOTHING_DONE, Outcome, Retries, error_of, retry_after_s

PATH = "/v1.0/events"
SILENCE_S = 45.0
"""The server says something every 15 s; after so long without a word the connection is taken for dead."""
FIRST_WAIT_S = 2.0
"""Before coming back, until the server says otherwise."""


class Event(Struct, frozen=True):
    """One change of one object."""

    id: str
    """The same on every channel and at every delivery; "" for a ``gap``."""
    type: str
    """``campaigncall_created``, ``call_hangup``, ...; ``gap``: some before are not kept any more, read anew."""
    data: dict[str, Any]
    """The object right after the change, as its GET answered then."""


class Following:
    """What one follower has seen, and when it may come back."""

    def __init__(self, topics: Sequence[str], last_event_id: str, server: str, retries: Retries) -> None:
        self._topics = ",".join(topics)
        self._last = last_event_id
        self._server = server
        self._retries = retries
        self._wait_s = FIRST_WAIT_S
        self._failures = 0

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the request."""
        return {"topics": self._topics} if self._topics else {}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request: they say where to go on."""
        going_on = {"Last-Event-ID": self._last} if self._last else {}
        return {"Accept": "text/event-stream", "Cache-Control": "no-store", **going_on}

    def read(self, told: ServerSentEvent) -> Event | None:
        """The event that was told; None: it was only said when to come back.

        Raises:
            UnexpectedAnswer: it is no event of this API.
        """
        self._failures = 0
        if told.retry is not None:
            self._wait_s = told.retry / 1_000
        if not told.data:
            return None
        self._last = told.id or self._last
        try:
            return Event(told.id if told.event != "gap" else "", told.event, msgspec.json.decode(told.data, type=dict))
        except msgspec.DecodeError as error:
            raise UnexpectedAnswer(f"{PATH}: not an event of this API: {error}") from None

    def wait_s(self, outcome: Outcome) -> float:
        """How long to wait before coming back, after a stream that ended (None), was refused, or broke.

        Raises:
            Refused: coming back would not help, or not soon.
            Unreachable: it failed as often in a row as a request is tried.
        """
        if outcome is None:
            return self._wait_s
        self._failures += 1
        asked, final = None, False
        if isinstance(outcome, httpx.Response):
            asked, final = retry_after_s(outcome), outcome.status_code not in NOTHING_DONE
        wait_s = self._wait_s if asked is None else asked
        if final or self._failures >= self._retries.tries or wait_s > self._retries.longest_wait_s:
            raise error_of(outcome, self._server)
        return wait_s
