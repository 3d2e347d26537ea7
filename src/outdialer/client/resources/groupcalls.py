"""Calls that ring several destinations for one answer.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.shared import Action, ActionBody, Address, AddressBody
from outdialer.client.transport import AsyncResource, Resource


class Groupcall(Struct, frozen=True, kw_only=True):
    """Several destinations that are rung for one answer."""

    id: str
    customer_id: str
    owner_type: str
    owner_id: str
    status: str
    flow_id: str
    source: Address
    destinations: list[Address]
    master_call_id: str
    master_groupcall_id: str
    ring_method: str
    answer_method: str
    answer_call_id: str
    call_ids: list[str]
    answer_groupcall_id: str
    groupcall_ids: list[str]
    call_count: int
    groupcall_count: int
    dial_index: int
    tm_create: datetime | None = None
    """RFC 3339, six digits, UTC."""
    tm_update: datetime | None = None
    """RFC 3339, six digits, UTC."""
    tm_delete: datetime | None = None
    """RFC 3339, six digits, UTC."""


_CREATE_GROUPCALL = Operation("POST", "/v1.0/groupcalls", Groupcall)
_LIST_GROUPCALLS = Operation("GET", "/v1.0/groupcalls", Page[Groupcall])
_GET_GROUPCALL = Operation("GET", "/v1.0/groupcalls/{id}", Groupcall)
_DELETE_GROUPCALL = Operation("DELETE", "/v1.0/groupcalls/{id}", Groupcall)
_HANG_UP_GROUPCALL = Operation("POST", "/v1.0/groupcalls/{id}/hangup", Groupcall)


class GroupcallsApi(Resource):
    """Calls that ring several destinations for one answer.

    For a client that blocks.
    """

    def create(
        self,
        *,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        destinations: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        ring_method: Literal["", "linear", "ring_all"] | None = None,
        answer_method: Literal["", "hangup_others"] | None = None,
    ) -> Groupcall:
        """Ring several destinations for one answer.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls to agents.

        flow_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_GROUPCALL,
            {},
            {},
            {
                "source": source,
                "destinations": destinations,
                "flow_id": flow_id,
                "actions": actions,
                "ring_method": ring_method,
                "answer_method": answer_method,
            },
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Groupcall]:
        """List groupcalls; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls to agents.
        """
        return self._api.rows(_LIST_GROUPCALLS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Groupcall:
        """Read a groupcall; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls to agents.
        """
        return self._api.call(_GET_GROUPCALL, {"id": id}, {})

    def delete(self, id: str) -> Groupcall:
        """Hang up and delete a groupcall; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls to agents.
        """
        return self._api.call(_DELETE_GROUPCALL, {"id": id}, {})

    def hang_up(self, id: str) -> Groupcall:
        """Hang up a groupcall; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls to agents.
        """
        return self._api.call(_HANG_UP_GROUPCALL, {"id": id}, {})


class AsyncGroupcallsApi(AsyncResource):
    """Calls that ring several destinations for one answer.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        destinations: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        ring_method: Literal["", "linear", "ring_all"] | None = None,
        answer_method: Literal["", "hangup_others"] | None = None,
    ) -> Groupcall:
        """Ring several destinations for one answer."""
        return await self._api.call(
            _CREATE_GROUPCALL,
            {},
            {},
            {
                "source": source,
                "destinations": destinations,
                "flow_id": flow_id,
                "actions": actions,
                "ring_method": ring_method,
                "answer_method": answer_method,
            },
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Groupcall]:
        """List groupcalls; there are none yet."""
        return self._api.rows(_LIST_GROUPCALLS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Groupcall:
        """Read a groupcall; there are none yet."""
        return await self._api.call(_GET_GROUPCALL, {"id": id}, {})

    async def delete(self, id: str) -> Groupcall:
        """Hang up and delete a groupcall; there are none yet."""
        return await self._api.call(_DELETE_GROUPCALL, {"id": id}, {})

    async def hang_up(self, id: str) -> Groupcall:
        """Hang up a groupcall; there are none yet."""
        return await self._api.call(_HANG_UP_GROUPCALL, {"id": id}, {})
