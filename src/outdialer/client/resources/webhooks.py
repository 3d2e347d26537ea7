"""Places that events are delivered to, signed as Standard Webhooks 1.0.0 says. The customer's own webhook_uri can be
read, enabled and rotated here too, by the customer's id.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Waiting(Struct, frozen=True, kw_only=True):
    """An event that was not delivered yet and is written down for its next try."""

    event_id: str
    type: str
    tries: int
    status_code: int
    """What its last try was answered with; 0: nothing."""
    error: str
    tm_try: datetime | None
    """Its last try; null: it waits behind another event."""
    tm_next: datetime | None
    """Not before then."""


class Try(Struct, frozen=True, kw_only=True):
    """One try to deliver an event."""

    event_id: str
    type: str
    tm_try: datetime | None
    delivered: bool
    status_code: int
    """What it answered; 0: nothing."""
    error: str


class Deliveries(Struct, frozen=True, kw_only=True):
    """What came of deliveries."""

    tried: list[Try]
    """The latest 100 tries since the server was started."""
    waiting: list[Waiting]
    """The oldest 100 that wait."""


class Webhook(Versioned, kw_only=True):
    """A place that events are delivered to."""

    id: str
    customer_id: str
    name: str
    detail: str
    uri: str
    method: str
    event_types: list[str]
    status: str
    disabled_reason: str
    """Why it gets nothing; empty while it is enabled."""
    secret: str = ""
    """Signs what is delivered. Only in the answers to creation and rotation."""
    tm_rotate: datetime | None
    """When its secret was rotated last."""
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_WEBHOOK = Operation("POST", "/v1.0/webhooks", Webhook)
_LIST_WEBHOOKS = Operation("GET", "/v1.0/webhooks", Page[Webhook])
_GET_WEBHOOK = Operation("GET", "/v1.0/webhooks/{id}", Webhook)
_UPDATE_WEBHOOK = Operation("PUT", "/v1.0/webhooks/{id}", Webhook)
_DELETE_WEBHOOK = Operation("DELETE", "/v1.0/webhooks/{id}", Webhook)
_ROTATE_WEBHOOK_SECRET = Operation("POST", "/v1.0/webhooks/{id}/rotate_secret", Webhook)
_ENABLE_WEBHOOK = Operation("POST", "/v1.0/webhooks/{id}/enable", Webhook)
_LIST_WEBHOOK_DELIVERIES = Operation("GET", "/v1.0/webhooks/{id}/deliveries", Deliveries)


class WebhooksApi(Resource):
    """Places that events are delivered to, signed as Standard Webhooks 1.0.0 says. The customer's own webhook_uri can
    be read, enabled and rotated here too, by the customer's id.

    For a client that blocks.
    """

    def create(
        self,
        *,
        uri: str,
        name: str | None = None,
        detail: str | None = None,
        method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        event_types: Sequence[str] | None = None,
    ) -> Webhook:
        """Create a webhook.

        It is told of everything that happens from now on. The answer shows its secret; after that only a rotation
        shows a new one.

        event_types: Empty: all events. Possible: activeflow_created, activeflow_deleted, activeflow_updated,
        agent_created, agent_deleted, agent_status_updated, agent_updated, call_canceling, call_created,
        call_hangup, call_progressing, call_ringing, call_terminating, campaign_created, campaign_deleted,
        campaign_status_run, campaign_status_stop, campaign_status_stopping, campaign_updated,
        campaigncall_created, campaigncall_deleted, campaigncall_updated, extension_created,
        extension_deleted, extension_updated, flow_created, flow_deleted, flow_updated, outdial_created,
        outdial_deleted, outdial_updated, outplan_created, outplan_deleted, outplan_updated, tag_created,
        tag_deleted, tag_updated, trunk_created, trunk_deleted, trunk_updated.

        uri: https://host/path, at a public address; the port is 443 or 8443.
        """
        return self._api.call(
            _CREATE_WEBHOOK,
            {},
            {},
            {"uri": uri, "name": name, "detail": detail, "method": method, "event_types": event_types},
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Webhook]:
        """List webhooks, newest first.

        The customer's own webhook_uri is not among them.
        """
        return self._api.rows(_LIST_WEBHOOKS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Webhook:
        """Read a webhook, deleted or not."""
        return self._api.call(_GET_WEBHOOK, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        uri: str | None = None,
        method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        event_types: Sequence[str] | None = None,
        if_match: str | None = None,
    ) -> Webhook:
        """Change a webhook.

        What waits for it is delivered to the new place. One that is disabled stays so until it is enabled.

        uri: https://host/path, at a public address; the port is 443 or 8443.

        event_types: Empty: all events. Possible: activeflow_created, activeflow_deleted, activeflow_updated,
        agent_created, agent_deleted, agent_status_updated, agent_updated, call_canceling, call_created,
        call_hangup, call_progressing, call_ringing, call_terminating, campaign_created, campaign_deleted,
        campaign_status_run, campaign_status_stop, campaign_status_stopping, campaign_updated,
        campaigncall_created, campaigncall_deleted, campaigncall_updated, extension_created,
        extension_deleted, extension_updated, flow_created, flow_deleted, flow_updated, outdial_created,
        outdial_deleted, outdial_updated, outplan_created, outplan_deleted, outplan_updated, tag_created,
        tag_deleted, tag_updated, trunk_created, trunk_deleted, trunk_updated.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_WEBHOOK,
            {"id": id},
            {},
            {"name": name, "detail": detail, "uri": uri, "method": method, "event_types": event_types},
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Webhook:
        """Delete a webhook.

        What was not delivered yet is not delivered any more.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_WEBHOOK, {"id": id}, {}, if_match=if_match)

    def rotate_secret(self, id: str) -> Webhook:
        """Give a webhook a new secret.

        The answer shows it. For 24 hours everything is signed with the one before too.
        """
        return self._api.call(_ROTATE_WEBHOOK_SECRET, {"id": id}, {})

    def enable(self, id: str) -> Webhook:
        """Deliver to a disabled webhook again.

        It goes on where it stopped, with everything that waits; what was removed from the books meanwhile is
        missing. Enabling an enabled one changes nothing.
        """
        return self._api.call(_ENABLE_WEBHOOK, {"id": id}, {})

    def list_deliveries(self, id: str) -> Deliveries:
        """Read the latest tries of a webhook, and what waits for its next try.

        What a receiver has sent is not shown, only its status code.
        """
        return self._api.call(_LIST_WEBHOOK_DELIVERIES, {"id": id}, {})


class AsyncWebhooksApi(AsyncResource):
    """Places that events are delivered to, signed as Standard Webhooks 1.0.0 says. The customer's own webhook_uri can
    be read, enabled and rotated here too, by the customer's id.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        uri: str,
        name: str | None = None,
        detail: str | None = None,
        method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        event_types: Sequence[str] | None = None,
    ) -> Webhook:
        """Create a webhook."""
        return await self._api.call(
            _CREATE_WEBHOOK,
            {},
            {},
            {"uri": uri, "name": name, "detail": detail, "method": method, "event_types": event_types},
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Webhook]:
        """List webhooks, newest first."""
        return self._api.rows(_LIST_WEBHOOKS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Webhook:
        """Read a webhook, deleted or not."""
        return await self._api.call(_GET_WEBHOOK, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        uri: str | None = None,
        method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        event_types: Sequence[str] | None = None,
        if_match: str | None = None,
    ) -> Webhook:
        """Change a webhook."""
        return await self._api.call(
            _UPDATE_WEBHOOK,
            {"id": id},
            {},
            {"name": name, "detail": detail, "uri": uri, "method": method, "event_types": event_types},
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Webhook:
        """Delete a webhook."""
        return await self._api.call(_DELETE_WEBHOOK, {"id": id}, {}, if_match=if_match)

    async def rotate_secret(self, id: str) -> Webhook:
        """Give a webhook a new secret."""
        return await self._api.call(_ROTATE_WEBHOOK_SECRET, {"id": id}, {})

    async def enable(self, id: str) -> Webhook:
        """Deliver to a disabled webhook again."""
        return await self._api.call(_ENABLE_WEBHOOK, {"id": id}, {})

    async def list_deliveries(self, id: str) -> Deliveries:
        """Read the latest tries of a webhook, and what waits for its next try."""
        return await self._api.call(_LIST_WEBHOOK_DELIVERIES, {"id": id}, {})
