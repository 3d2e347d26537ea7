"""Endpoints of webhooks in the books. Where they begin and end is the schema's business (``0006_webhooks.sql``)."""

from collections.abc import Sequence
from typing import Any

import msgspec

from outdialer.domain.units import Id, Instant
from outdialer.ports.webhooks import Endpoint, Progress, Waiting, WebhookState
from outdialer.store.sqlite.books import Books, Database
from outdialer.store.sqlite.rows import Row
from outdialer.store.sqlite.statements import statements

SQL = statements("webhooks")
_event_types = msgspec.json.Decoder(tuple[str, ...]).decode


class Webhooks(Books):
    """What was passed on, and what waits. The dialing engine does not look at it, so nothing here wakes it."""

    async def webhook_endpoints(self) -> list[Endpoint]:
        """The enabled endpoints of all customers."""
        return self._read(
            lambda database: [
                _endpoint(row) for name in ("endpoints", "own_endpoints") for row in database.execute(SQL[name])
            ]
        )

    async def webhook_state(self, customer: int, endpoint: Id) -> WebhookState:
        """Where an endpoint stands."""
        return self._read(lambda database: _state(database, _named(customer, endpoint)))

    async def rotate_webhook_secret(self, customer: int, endpoint: Id, now: Instant) -> WebhookState:
        """Count one secret on."""
        asked = {**_named(customer, endpoint), "now": now}

        def rotate(database: Database) -> WebhookState:
            database.execute(SQL["rotate_secret"], asked)
            return _state(database, asked)

        return await self._write(rotate, wakes=False)

    async def enable_webhook(self, customer: int, endpoint: Id, now: Instant) -> WebhookState:
        """Deliver again, from where it stopped."""
        asked = {**_named(customer, endpoint), "now": now}

        def enable(database: Database) -> WebhookState:
            if database.execute(SQL["enable"], asked).rowcount:
                database.execute(SQL["begin_again"], asked)
            return _state(database, asked)

        return await self._write(enable, wakes=False)

    async def webhook_waiting(self, customer: int, endpoint: Id, limit: int) -> list[Waiting]:
        """What waits for an endpoint, the oldest first, without what is sent."""
        asked = {**_named(customer, endpoint), "count": limit}
        return await self._read_long(
            lambda database: [msgspec.convert(dict(row), Waiting) for row in database.execute(SQL["waiting"], asked)]
        )

    async def webhook_body(self, customer: int, endpoint: Id, event_id: str) -> bytes | None:
        """What is sent of a waiting event."""
        asked = {**_named(customer, endpoint), "event_id": event_id}
        row = self._read(lambda database: database.execute(SQL["body"], asked).fetchone())
        return None if row is None else bytes(row["body"])

    async def keep_webhook_progress(self, progress: Sequence[Progress]) -> None:
        """Write progress down, all in one durable transaction."""
        rows = sum(1 + len(one.put) + len(one.gone) for one in progress)

        def keep(database: Database) -> None:
            for one in progress:
                _keep(database, one)

        await self._write(keep, rows=rows, wakes=False)


def _named(customer: int, endpoint: Id) -> dict[str, Any]:
    return {"customer": customer, "endpoint": endpoint}


def _keep(database: Database, progress: Progress) -> None:
    named = _named(progress.customer, progress.endpoint)
    facts = {"cursor": progress.cursor, "failing_since": progress.failing_since, "disabled": progress.disabled}
    if not database.execute(SQL["keep_progress"], {**named, **facts}).rowcount:
        return
    database.executemany(SQL["put_waiting"], [{**msgspec.structs.asdict(one), **named} for one in progress.put])
    database.executemany(SQL["delete_waiting"], [{**named, "event_id": event_id} for event_id in progress.gone])


def _state(database: Database, asked: dict[str, Any]) -> WebhookState:
    row = database.execute(SQL["state"], asked).fetchone()
    return WebhookState() if row is None else _state_of(row)


def _state_of(row: Row) -> WebhookState:
    return WebhookState(
        enabled=row["standing"] != "disabled",
        reason=row["reason"],
        secret_number=row["secret_number"],
        tm_rotate=row["tm_rotate"],
    )


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(
        customer=row["customer"],
        id=row["endpoint"],
        uri=row["uri"],
        method=row["method"],
        event_types=_event_types(row["event_types"]),
        state=_state_of(row),
        cursor=row["cursor"],
        failing_since=row["failing_since"],
    )
