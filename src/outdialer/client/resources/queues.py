"""Where answered calls wait for an agent. Campaigns cannot use them in this release.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Queue(Versioned, kw_only=True):
    """Where answered calls wait for an agent. What is empty or zero is left out, except ids and times."""

    id: str
    customer_id: str
    name: str = ""
    detail: str = ""
    routing_method: str = ""
    tag_ids: list[str] | None = None
    direct_hash: str = ""
    wait_flow_id: str
    wait_timeout: int | None = None
    service_timeout: int | None = None
    wait_queuecall_ids: list[str] | None = None
    service_queuecall_ids: list[str] | None = None
    total_incoming_count: int | None = None
    total_serviced_count: int | None = None
    total_abandoned_count: int | None = None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_QUEUE = Operation("POST", "/v1.0/queues", Queue)
_LIST_QUEUES = Operation("GET", "/v1.0/queues", Page[Queue])
_GET_QUEUE = Operation("GET", "/v1.0/queues/{id}", Queue)
_UPDATE_QUEUE = Operation("PUT", "/v1.0/queues/{id}", Queue)
_DELETE_QUEUE = Operation("DELETE", "/v1.0/queues/{id}", Queue)
_UPDATE_QUEUE_TAG_IDS = Operation("PUT", "/v1.0/queues/{id}/tag_ids", Queue)
_UPDATE_QUEUE_ROUTING_METHOD = Operation("PUT", "/v1.0/queues/{id}/routing_method", Queue)
_REGENERATE_QUEUE_DIRECT_HASH = Operation("POST", "/v1.0/queues/{id}/direct-hash-regenerate", Queue)


class QueuesApi(Resource):
    """Where answered calls wait for an agent. Campaigns cannot use them in this release.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        routing_method: Literal["", "random", "ringall"] | None = None,
        tag_ids: Sequence[str] | None = None,
        wait_flow_id: str | None = None,
        wait_timeout: int | None = None,
        service_timeout: int | None = None,
    ) -> Queue:
        """Create a queue.

        routing_method: ``random``.

        wait_flow_id: A UUID; "" or the nil UUID: not set.

        wait_timeout: Ms; 0: no limit.

        service_timeout: Ms; 0: no limit.
        """
        return self._api.call(
            _CREATE_QUEUE,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "routing_method": routing_method,
                "tag_ids": tag_ids,
                "wait_flow_id": wait_flow_id,
                "wait_timeout": wait_timeout,
                "service_timeout": service_timeout,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Queue]:
        """List queues, newest first."""
        return self._api.rows(_LIST_QUEUES, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Queue:
        """Read a queue, deleted or not."""
        return self._api.call(_GET_QUEUE, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        routing_method: Literal["", "random", "ringall"] | None = None,
        tag_ids: Sequence[str] | None = None,
        wait_flow_id: str | None = None,
        wait_timeout: int | None = None,
        service_timeout: int | None = None,
        if_match: str | None = None,
    ) -> Queue:
        """Change a queue.

        routing_method: ``random``.

        wait_flow_id: A UUID; "" or the nil UUID: not set.

        wait_timeout: Ms; 0: no limit.

        service_timeout: Ms; 0: no limit.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_QUEUE,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "routing_method": routing_method,
                "tag_ids": tag_ids,
                "wait_flow_id": wait_flow_id,
                "wait_timeout": wait_timeout,
                "service_timeout": service_timeout,
            },
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Queue:
        """Delete a queue.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_QUEUE, {"id": id}, {}, if_match=if_match)

    def update_tag_ids(self, id: str, *, tag_ids: Sequence[str] | None = None, if_match: str | None = None) -> Queue:
        """Change which agents a queue takes.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_QUEUE_TAG_IDS, {"id": id}, {}, {"tag_ids": tag_ids}, if_match=if_match)

    def update_routing_method(
        self, id: str, *, routing_method: Literal["", "random", "ringall"] | None = None, if_match: str | None = None
    ) -> Queue:
        """Change how a queue chooses among its agents.

        routing_method: ``random``.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_QUEUE_ROUTING_METHOD, {"id": id}, {}, {"routing_method": routing_method}, if_match=if_match
        )

    def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Queue:
        """Give a queue a new shortcut.

        It is kept for calls that come in, which are not part of this release.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_REGENERATE_QUEUE_DIRECT_HASH, {"id": id}, {}, if_match=if_match)


class AsyncQueuesApi(AsyncResource):
    """Where answered calls wait for an agent. Campaigns cannot use them in this release.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        routing_method: Literal["", "random", "ringall"] | None = None,
        tag_ids: Sequence[str] | None = None,
        wait_flow_id: str | None = None,
        wait_timeout: int | None = None,
        service_timeout: int | None = None,
    ) -> Queue:
        """Create a queue."""
        return await self._api.call(
            _CREATE_QUEUE,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "routing_method": routing_method,
                "tag_ids": tag_ids,
                "wait_flow_id": wait_flow_id,
                "wait_timeout": wait_timeout,
                "service_timeout": service_timeout,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Queue]:
        """List queues, newest first."""
        return self._api.rows(_LIST_QUEUES, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Queue:
        """Read a queue, deleted or not."""
        return await self._api.call(_GET_QUEUE, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        routing_method: Literal["", "random", "ringall"] | None = None,
        tag_ids: Sequence[str] | None = None,
        wait_flow_id: str | None = None,
        wait_timeout: int | None = None,
        service_timeout: int | None = None,
        if_match: str | None = None,
    ) -> Queue:
        """Change a queue."""
        return await self._api.call(
            _UPDATE_QUEUE,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "routing_method": routing_method,
                "tag_ids": tag_ids,
                "wait_flow_id": wait_flow_id,
                "wait_timeout": wait_timeout,
                "service_timeout": service_timeout,
            },
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Queue:
        """Delete a queue."""
        return await self._api.call(_DELETE_QUEUE, {"id": id}, {}, if_match=if_match)

    async def update_tag_ids(
        self, id: str, *, tag_ids: Sequence[str] | None = None, if_match: str | None = None
    ) -> Queue:
        """Change which agents a queue takes."""
        return await self._api.call(_UPDATE_QUEUE_TAG_IDS, {"id": id}, {}, {"tag_ids": tag_ids}, if_match=if_match)

    async def update_routing_method(
        self, id: str, *, routing_method: Literal["", "random", "ringall"] | None = None, if_match: str | None = None
    ) -> Queue:
        """Change how a queue chooses among its agents."""
        return await self._api.call(
            _UPDATE_QUEUE_ROUTING_METHOD, {"id": id}, {}, {"routing_method": routing_method}, if_match=if_match
        )

    async def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Queue:
        """Give a queue a new shortcut."""
        return await self._api.call(_REGENERATE_QUEUE_DIRECT_HASH, {"id": id}, {}, if_match=if_match)
