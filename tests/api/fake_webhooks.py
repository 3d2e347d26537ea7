"""The part of the store in memory that keeps where webhooks stand."""

from collections.abc import Sequence

from msgspec import Struct, structs

from outdialer.domain.directory import Webhook
from outdialer.domain.units import Id, Instant
from outdialer.ports.webhooks import Endpoint, Progress, Waiting, WebhookState
from tests.api.fake_directory import MemoryDirectory

Key = tuple[int, Id]


class Kept(Struct):
    """What is kept of one endpoint."""

    cursor: int
    uri: str
    state: WebhookState = WebhookState()
    failing_since: Instant | None = None
    waiting: dict[str, Waiting] = {}


class MemoryWebhooks(MemoryDirectory):
    """The WebhookStore protocol over a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: dict[Key, Kept] = {}
        self.secret_rows: dict[Key, WebhookState] = {}

    def _living_endpoints(self) -> dict[Key, Endpoint]:
        rows = [
            Endpoint(customer=owner, id=row.id, uri=row.uri, method=row.method, event_types=row.event_types)
            for (owner, _), row in self.entry_rows[Webhook].items()
            if row.tm_delete is None and isinstance(row, Webhook)
        ]
        own = [
            Endpoint(customer=key, id=row.id, uri=row.webhook_uri, method=row.webhook_method)
            for key, row in self.customer_rows.items()
            if row.webhook_uri
        ]
        return {(one.customer, one.id): one for one in [*rows, *own]}

    def _begin_and_end(self) -> dict[Key, Endpoint]:
        """What the schema's triggers do for the store in a file."""
        living = self._living_endpoints()
        for key in [key for key in self.endpoints if key not in living]:
            self.secret_rows[key] = self.endpoints.pop(key).state
        for key, one in living.items():
            newest = self.removed + len(self.outbox)
            state = structs.replace(self.secret_rows.get(key, WebhookState()), enabled=True, reason="")
            kept = self.endpoints.setdefault(key, Kept(newest, one.uri, state))
            if kept.uri != one.uri and key[1] == self.customer_rows[key[0]].id:
                kept.state = structs.replace(kept.state, enabled=True, reason="")
            kept.uri = one.uri
        return living

    async def webhook_endpoints(self) -> list[Endpoint]:
        self._check()
        return [
            structs.replace(one, state=kept.state, cursor=kept.cursor, failing_since=kept.failing_since)
            for key, one in self._begin_and_end().items()
            if (kept := self.endpoints[key]).state.enabled and not self.customer_rows[key[0]].tm_deletion_scheduled
        ]

    async def webhook_state(self, customer: int, endpoint: Id) -> WebhookState:
        self._check()
        self._begin_and_end()
        kept = self.endpoints.get((customer, endpoint))
        return self.secret_rows.get((customer, endpoint), WebhookState()) if kept is None else kept.state

    async def rotate_webhook_secret(self, customer: int, endpoint: Id, now: Instant) -> WebhookState:
        state = await self.webhook_state(customer, endpoint)
        if state.tm_rotate == now:
            return state
        rotated = structs.replace(state, secret_number=state.secret_number + 1, tm_rotate=now)
        self.endpoints[customer, endpoint].state = rotated
        return rotated

    async def enable_webhook(self, customer: int, endpoint: Id, now: Instant) -> WebhookState:
        state = await self.webhook_state(customer, endpoint)
        kept = self.endpoints[customer, endpoint]
        if not state.enabled:
            kept.state, kept.failing_since = structs.replace(state, enabled=True, reason=""), None
            again = {"tries": 0, "first_try": None, "due": now}
            kept.waiting = {name: structs.replace(one, **again) for name, one in kept.waiting.items()}
        return kept.state

    async def webhook_waiting(self, customer: int, endpoint: Id, limit: int) -> list[Waiting]:
        self._check()
        kept = self.endpoints.get((customer, endpoint))
        rows = [] if kept is None else list(kept.waiting.values())
        return [structs.replace(one, body=b"", size=len(one.body)) for one in rows[:limit]]

    async def webhook_body(self, customer: int, endpoint: Id, event_id: str) -> bytes | None:
        self._check()
        kept = self.endpoints.get((customer, endpoint))
        one = None if kept is None else kept.waiting.get(event_id)
        return None if one is None else one.body

    async def keep_webhook_progress(self, progress: Sequence[Progress]) -> None:
        self._check()
        for one in progress:
            kept = self.endpoints.get((one.customer, one.endpoint))
            if kept is not None and kept.state.enabled:
                self._keep(kept, one)

    @staticmethod
    def _keep(kept: Kept, progress: Progress) -> None:
        kept.cursor, kept.failing_since = progress.cursor, progress.failing_since
        if progress.disabled:
            kept.state = structs.replace(kept.state, enabled=False, reason=progress.disabled)
        for one in progress.put:
            before = kept.waiting.get(one.event_id)
            kept.waiting[one.event_id] = one if before is None else structs.replace(one, body=before.body)
        for event_id in progress.gone:
            kept.waiting.pop(event_id, None)
