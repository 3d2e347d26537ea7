"""Which carrier takes a customer's calls: of its routes that lead to a provider with a host name, the one with the
lowest priority carries its campaigns, at once and until it is changed or deleted; calls that are up go on. Several
routes to one provider need a share each, and the shares may not exceed what the provider allows.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Route(Versioned, kw_only=True):
    """Which carrier takes a customer's calls."""

    id: str
    customer_id: str
    """Whose calls."""
    name: str
    detail: str
    provider_id: str
    priority: int
    target: str
    rate_per_s: float
    channels: int
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_ROUTE = Operation("POST", "/v1.0/routes", Route)
_LIST_ROUTES = Operation("GET", "/v1.0/routes", Page[Route])
_GET_ROUTE = Operation("GET", "/v1.0/routes/{id}", Route)
_UPDATE_ROUTE = Operation("PUT", "/v1.0/routes/{id}", Route)
_DELETE_ROUTE = Operation("DELETE", "/v1.0/routes/{id}", Route)


class RoutesApi(Resource):
    """Which carrier takes a customer's calls: of its routes that lead to a provider with a host name, the one with the
    lowest priority carries its campaigns, at once and until it is changed or deleted; calls that are up go on.
    Several routes to one provider need a share each, and the shares may not exceed what the provider allows.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        provider_id: str | None = None,
        priority: int | None = None,
        target: Literal["", "all"] | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        customer_id: str | None = None,
    ) -> Route:
        """Create a route.

        provider_id: A UUID; "" or the nil UUID: not set.

        priority: Lower ones are tried first.

        target: ``all``. Country codes are refused: one carrier takes all numbers of a customer.

        rate_per_s: Additional. The customer's share of the provider's calls a second; 0: all.

        channels: Additional. The customer's share of the provider's calls at once; 0: all.

        customer_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_ROUTE,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "provider_id": provider_id,
                "priority": priority,
                "target": target,
                "rate_per_s": rate_per_s,
                "channels": channels,
                "customer_id": customer_id,
            },
        )

    def list(
        self,
        *,
        customer_id: str | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Route]:
        """List routes, newest first."""
        return self._api.rows(
            _LIST_ROUTES,
            {},
            {"customer_id": customer_id, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    def get(self, id: str) -> Route:
        """Read a route, deleted or not."""
        return self._api.call(_GET_ROUTE, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        provider_id: str | None = None,
        priority: int | None = None,
        target: Literal["", "all"] | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        if_match: str | None = None,
    ) -> Route:
        """Change a route.

        provider_id: A UUID; "" or the nil UUID: not set.

        priority: Lower ones are tried first.

        target: ``all``. Country codes are refused: one carrier takes all numbers of a customer.

        rate_per_s: Additional. The customer's share of the provider's calls a second; 0: all.

        channels: Additional. The customer's share of the provider's calls at once; 0: all.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_ROUTE,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "provider_id": provider_id,
                "priority": priority,
                "target": target,
                "rate_per_s": rate_per_s,
                "channels": channels,
            },
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Route:
        """Delete a route.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_ROUTE, {"id": id}, {}, if_match=if_match)


class AsyncRoutesApi(AsyncResource):
    """Which carrier takes a customer's calls: of its routes that lead to a provider with a host name, the one with the
    lowest priority carries its campaigns, at once and until it is changed or deleted; calls that are up go on.
    Several routes to one provider need a share each, and the shares may not exceed what the provider allows.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        provider_id: str | None = None,
        priority: int | None = None,
        target: Literal["", "all"] | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        customer_id: str | None = None,
    ) -> Route:
        """Create a route."""
        return await self._api.call(
            _CREATE_ROUTE,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "provider_id": provider_id,
                "priority": priority,
                "target": target,
                "rate_per_s": rate_per_s,
                "channels": channels,
                "customer_id": customer_id,
            },
        )

    def list(
        self,
        *,
        customer_id: str | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Route]:
        """List routes, newest first."""
        return self._api.rows(
            _LIST_ROUTES,
            {},
            {"customer_id": customer_id, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    async def get(self, id: str) -> Route:
        """Read a route, deleted or not."""
        return await self._api.call(_GET_ROUTE, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        provider_id: str | None = None,
        priority: int | None = None,
        target: Literal["", "all"] | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        if_match: str | None = None,
    ) -> Route:
        """Change a route."""
        return await self._api.call(
            _UPDATE_ROUTE,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "provider_id": provider_id,
                "priority": priority,
                "target": target,
                "rate_per_s": rate_per_s,
                "channels": channels,
            },
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Route:
        """Delete a route."""
        return await self._api.call(_DELETE_ROUTE, {"id": id}, {}, if_match=if_match)
