"""One delivery: what is sent to an endpoint, and what its answer means."""

from collections.abc import Callable

import outdialer
from outdialer.api.webhooks.queue import Outcome
from outdialer.api.webhooks.schedule import retry_after
from outdialer.api.webhooks.signing import signed_headers
from outdialer.domain.units import Instant
from outdialer.ports.webhooks import Endpoint
from outdialer.web.addresses import UriError, read_uri
from outdialer.web.client import WebClient
from outdialer.web.connection import Answer, WebError

SECONDS = 20.0
"""How long one delivery may take altogether."""
MOST_READ = 64 << 10
"""How many bytes of an answer are read; nothing of them is kept or shown."""
MOST_SENT = 20_000
"""The longest body; an object that makes a longer one is replaced by its id, see ``body_of``."""
USER_AGENT = f"outdialer/{outdialer.__version__}"


def body_of(event_type: str, data: bytes, resource_id: str) -> bytes:
    """What is sent of an event: its type and its object's JSON, or the object's id alone when that is too long."""
    whole = b'{"type":"%s","data":%s}' % (event_type.encode(), data)
    if len(whole) <= MOST_SENT:
        return whole
    return b'{"type":"%s","data":{"id":"%s"},"truncated":true}' % (event_type.encode(), resource_id.encode())


class Sender:
    """Sends events. ``secret`` is the installation's; ``web`` makes the client when the first one is sent."""

    def __init__(self, secret: bytes, web: Callable[[], WebClient]) -> None:
        self._secret = secret
        self._make_web = web
        self._web: WebClient | None = None

    async def send(self, endpoint: Endpoint, event_id: str, body: bytes, now: Instant) -> Outcome:
        """Deliver one event. Only a status of 2xx says that it was taken."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **signed_headers(self._secret, endpoint.id, endpoint.state, event_id, body, now),
        }
        self._web = self._web or self._make_web()
        try:
            target = read_uri(endpoint.uri)
            answer = await self._web.ask(
                endpoint.method or "POST", target, headers, body, seconds=SECONDS, most_bytes=MOST_READ
            )
        except (WebError, UriError) as error:
            return Outcome(why=str(error))
        return _meaning(answer, now)

    async def close(self) -> None:
        """Close every connection."""
        if self._web is not None:
            await self._web.close()


def _meaning(answer: Answer, now: Instant) -> Outcome:
    if 200 <= answer.status < 300:
        return Outcome(answer.status)
    asked = answer.headers.get("retry-after")
    not_before = 0 if asked is None else retry_after(asked, now)
    return Outcome(answer.status, f"it answered {answer.status}", not_before)
