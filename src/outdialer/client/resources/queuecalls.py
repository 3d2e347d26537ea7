"""People in a queue.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.transport import AsyncResource, Resource


class Queuecall(Struct, frozen=True, kw_only=True):
    """One person in a queue. What is empty or zero is left out, except ids and times."""

    id: str
    customer_id: str
    reference_type: str = ""
    reference_id: str
    status: str = ""
    service_agent_id: str
    duration_waiting: int | None = None
    duration_service: int | None = None
    tm_create: datetime | None
    tm_service: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_LIST_QUEUECALLS = Operation("GET", "/v1.0/queuecalls", Page[Queuecall])
_GET_QUEUECALL = Operation("GET", "/v1.0/queuecalls/{id}", Queuecall)
_DELETE_QUEUECALL = Operation("DELETE", "/v1.0/queuecalls/{id}", Queuecall)
_KICK_QUEUECALL = Operation("POST", "/v1.0/queuecalls/{id}/kick", Queuecall)
_KICK_QUEUECALL_OF_CALL = Operation("POST", "/v1.0/queuecalls/reference_id/{id}/kick", Queuecall)


class QueuecallsApi(Resource):
    """People in a queue.

    For a client that blocks.
    """

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Queuecall]:
        """List queuecalls; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs queues that campaigns use.
        """
        return self._api.rows(_LIST_QUEUECALLS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Queuecall:
        """Read a queuecall; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs queues that campaigns use.
        """
        return self._api.call(_GET_QUEUECALL, {"id": id}, {})

    def delete(self, id: str) -> Queuecall:
        """Delete a queuecall; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs queues that campaigns use.
        """
        return self._api.call(_DELETE_QUEUECALL, {"id": id}, {})

    def kick(self, id: str) -> Queuecall:
        """Take somebody out of a queue; there is nobody yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs queues that campaigns use.
        """
        return self._api.call(_KICK_QUEUECALL, {"id": id}, {})

    def kick_of_call(self, id: str) -> Queuecall:
        """Take the person of a call out of a queue; there is nobody yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs queues that campaigns use.
        """
        return self._api.call(_KICK_QUEUECALL_OF_CALL, {"id": id}, {})


class AsyncQueuecallsApi(AsyncResource):
    """People in a queue.

    For a client that awaits.
    """

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Queuecall]:
        """List queuecalls; there are none yet."""
        return self._api.rows(_LIST_QUEUECALLS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Queuecall:
        """Read a queuecall; there are none yet."""
        return await self._api.call(_GET_QUEUECALL, {"id": id}, {})

    async def delete(self, id: str) -> Queuecall:
        """Delete a queuecall; there are none yet."""
        return await self._api.call(_DELETE_QUEUECALL, {"id": id}, {})

    async def kick(self, id: str) -> Queuecall:
        """Take somebody out of a queue; there is nobody yet."""
        return await self._api.call(_KICK_QUEUECALL, {"id": id}, {})

    async def kick_of_call(self, id: str) -> Queuecall:
        """Take the person of a call out of a queue; there is nobody yet."""
        return await self._api.call(_KICK_QUEUECALL_OF_CALL, {"id": id}, {})
