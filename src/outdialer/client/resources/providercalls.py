"""Test calls through one carrier.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.shared import Action, ActionBody, Address, AddressBody
from outdialer.client.transport import AsyncResource, Resource


class Providercall(Struct, frozen=True, kw_only=True):
    """A test call through one carrier."""

    id: str
    customer_id: str
    provider_id: str
    flow_id: str
    source: Address
    destinations: list[Address]
    anonymous: str
    call_ids: list[str]
    groupcall_ids: list[str]
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_PROVIDERCALL = Operation("POST", "/v1.0/providercalls", Providercall)
_LIST_PROVIDERCALLS = Operation("GET", "/v1.0/providercalls", Page[Providercall])
_GET_PROVIDERCALL = Operation("GET", "/v1.0/providercalls/{id}", Providercall)
_DELETE_PROVIDERCALL = Operation("DELETE", "/v1.0/providercalls/{id}", Providercall)


class ProvidercallsApi(Resource):
    """Test calls through one carrier.

    For a client that blocks.
    """

    def create(
        self,
        *,
        provider_id: str | None = None,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        destinations: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        anonymous: Literal["", "auto", "no", "yes"] | None = None,
    ) -> Providercall:
        """Make a test call through one carrier.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls through a chosen carrier.

        provider_id: A UUID; "" or the nil UUID: not set.

        flow_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_PROVIDERCALL,
            {},
            {},
            {
                "provider_id": provider_id,
                "flow_id": flow_id,
                "actions": actions,
                "source": source,
                "destinations": destinations,
                "anonymous": anonymous,
            },
        )

    def list(
        self, *, provider_id: str | None = None, page_size: int | None = None, page_token: str | None = None
    ) -> Iterator[Providercall]:
        """List test calls; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls through a chosen carrier.
        """
        return self._api.rows(
            _LIST_PROVIDERCALLS, {}, {"provider_id": provider_id, "page_size": page_size, "page_token": page_token}
        )

    def get(self, id: str) -> Providercall:
        """Read a test call; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls through a chosen carrier.
        """
        return self._api.call(_GET_PROVIDERCALL, {"id": id}, {})

    def delete(self, id: str) -> Providercall:
        """Delete a test call; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls through a chosen carrier.
        """
        return self._api.call(_DELETE_PROVIDERCALL, {"id": id}, {})


class AsyncProvidercallsApi(AsyncResource):
    """Test calls through one carrier.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        provider_id: str | None = None,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        destinations: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        anonymous: Literal["", "auto", "no", "yes"] | None = None,
    ) -> Providercall:
        """Make a test call through one carrier."""
        return await self._api.call(
            _CREATE_PROVIDERCALL,
            {},
            {},
            {
                "provider_id": provider_id,
                "flow_id": flow_id,
                "actions": actions,
                "source": source,
                "destinations": destinations,
                "anonymous": anonymous,
            },
        )

    def list(
        self, *, provider_id: str | None = None, page_size: int | None = None, page_token: str | None = None
    ) -> AsyncIterator[Providercall]:
        """List test calls; there are none yet."""
        return self._api.rows(
            _LIST_PROVIDERCALLS, {}, {"provider_id": provider_id, "page_size": page_size, "page_token": page_token}
        )

    async def get(self, id: str) -> Providercall:
        """Read a test call; there are none yet."""
        return await self._api.call(_GET_PROVIDERCALL, {"id": id}, {})

    async def delete(self, id: str) -> Providercall:
        """Delete a test call; there are none yet."""
        return await self._api.call(_DELETE_PROVIDERCALL, {"id": id}, {})
