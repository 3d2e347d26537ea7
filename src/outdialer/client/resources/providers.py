"""Carriers. A route sends a customer's campaigns to one. The trunk that the server was started with is the
installation's own: it is not listed here, and goes before the routes of the first customer.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class ProviderMetadata(Struct, frozen=True, kw_only=True):
    """Kept empty."""


class Provider(Versioned, kw_only=True):
    """A carrier."""

    id: str
    type: str
    hostname: str
    tech_prefix: str
    tech_postfix: str
    tech_headers: dict[str, str]
    metadata: ProviderMetadata
    name: str
    detail: str
    codecs: str
    rate_per_s: float
    channels: int
    max_ring_ms: int
    health_status: str
    """Carriers are not probed in this release."""
    health_checked_at: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


class ProviderCredentials(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What opens an account at a carrier."""

    api_key: str | None = None


_CREATE_PROVIDER = Operation("POST", "/v1.0/providers", Provider)
_LIST_PROVIDERS = Operation("GET", "/v1.0/providers", Page[Provider])
_SET_UP_PROVIDER = Operation("POST", "/v1.0/providers/setup", Provider)
_GET_PROVIDER = Operation("GET", "/v1.0/providers/{id}", Provider)
_UPDATE_PROVIDER = Operation("PUT", "/v1.0/providers/{id}", Provider)
_DELETE_PROVIDER = Operation("DELETE", "/v1.0/providers/{id}", Provider)


class ProvidersApi(Resource):
    """Carriers. A route sends a customer's campaigns to one. The trunk that the server was started with is the
    installation's own: it is not listed here, and goes before the routes of the first customer.

    For a client that blocks.
    """

    def create(
        self,
        *,
        type: Literal["", "sip"] | None = None,
        hostname: str | None = None,
        tech_prefix: str | None = None,
        tech_postfix: str | None = None,
        tech_headers: Mapping[str, str] | None = None,
        name: str | None = None,
        detail: str | None = None,
        codecs: str | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        max_ring_ms: int | None = None,
    ) -> Provider:
        """Create a carrier.

        hostname: A host name or address, with its port.

        tech_headers: Header lines of every INVITE to it, beside those that a call has anyway.

        rate_per_s: Additional. Calls a second, of all customers together; 0: no limit.

        channels: Additional. Calls up at once, of all customers together; 0: no limit.

        max_ring_ms: Additional. How long it may ring when nobody cancels, ms (Expires).
        """
        return self._api.call(
            _CREATE_PROVIDER,
            {},
            {},
            {
                "type": type,
                "hostname": hostname,
                "tech_prefix": tech_prefix,
                "tech_postfix": tech_postfix,
                "tech_headers": tech_headers,
                "name": name,
                "detail": detail,
                "codecs": codecs,
                "rate_per_s": rate_per_s,
                "channels": channels,
                "max_ring_ms": max_ring_ms,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Provider]:
        """List carriers, newest first."""
        return self._api.rows(
            _LIST_PROVIDERS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token}
        )

    def set_up(
        self,
        *,
        carrier: Literal["", "telnyx"] | None = None,
        name: str | None = None,
        detail: str | None = None,
        credentials: ProviderCredentials | Mapping[str, Any] | None = None,
    ) -> Provider:
        """Set up an account at a carrier.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs the set-up of accounts at carriers.
        """
        return self._api.call(
            _SET_UP_PROVIDER, {}, {}, {"carrier": carrier, "name": name, "detail": detail, "credentials": credentials}
        )

    def get(self, id: str) -> Provider:
        """Read a carrier, deleted or not."""
        return self._api.call(_GET_PROVIDER, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        type: Literal["", "sip"] | None = None,
        hostname: str | None = None,
        tech_prefix: str | None = None,
        tech_postfix: str | None = None,
        tech_headers: Mapping[str, str] | None = None,
        name: str | None = None,
        detail: str | None = None,
        codecs: str | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        max_ring_ms: int | None = None,
        if_match: str | None = None,
    ) -> Provider:
        """Change a carrier.

        hostname: A host name or address, with its port.

        tech_headers: Header lines of every INVITE to it, beside those that a call has anyway.

        rate_per_s: Additional. Calls a second, of all customers together; 0: no limit.

        channels: Additional. Calls up at once, of all customers together; 0: no limit.

        max_ring_ms: Additional. How long it may ring when nobody cancels, ms (Expires).

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_PROVIDER,
            {"id": id},
            {},
            {
                "type": type,
                "hostname": hostname,
                "tech_prefix": tech_prefix,
                "tech_postfix": tech_postfix,
                "tech_headers": tech_headers,
                "name": name,
                "detail": detail,
                "codecs": codecs,
                "rate_per_s": rate_per_s,
                "channels": channels,
                "max_ring_ms": max_ring_ms,
            },
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Provider:
        """Delete a carrier.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_PROVIDER, {"id": id}, {}, if_match=if_match)


class AsyncProvidersApi(AsyncResource):
    """Carriers. A route sends a customer's campaigns to one. The trunk that the server was started with is the
    installation's own: it is not listed here, and goes before the routes of the first customer.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        type: Literal["", "sip"] | None = None,
        hostname: str | None = None,
        tech_prefix: str | None = None,
        tech_postfix: str | None = None,
        tech_headers: Mapping[str, str] | None = None,
        name: str | None = None,
        detail: str | None = None,
        codecs: str | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        max_ring_ms: int | None = None,
    ) -> Provider:
        """Create a carrier."""
        return await self._api.call(
            _CREATE_PROVIDER,
            {},
            {},
            {
                "type": type,
                "hostname": hostname,
                "tech_prefix": tech_prefix,
                "tech_postfix": tech_postfix,
                "tech_headers": tech_headers,
                "name": name,
                "detail": detail,
                "codecs": codecs,
                "rate_per_s": rate_per_s,
                "channels": channels,
                "max_ring_ms": max_ring_ms,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Provider]:
        """List carriers, newest first."""
        return self._api.rows(
            _LIST_PROVIDERS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token}
        )

    async def set_up(
        self,
        *,
        carrier: Literal["", "telnyx"] | None = None,
        name: str | None = None,
        detail: str | None = None,
        credentials: ProviderCredentials | Mapping[str, Any] | None = None,
    ) -> Provider:
        """Set up an account at a carrier."""
        return await self._api.call(
            _SET_UP_PROVIDER, {}, {}, {"carrier": carrier, "name": name, "detail": detail, "credentials": credentials}
        )

    async def get(self, id: str) -> Provider:
        """Read a carrier, deleted or not."""
        return await self._api.call(_GET_PROVIDER, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        type: Literal["", "sip"] | None = None,
        hostname: str | None = None,
        tech_prefix: str | None = None,
        tech_postfix: str | None = None,
        tech_headers: Mapping[str, str] | None = None,
        name: str | None = None,
        detail: str | None = None,
        codecs: str | None = None,
        rate_per_s: float | None = None,
        channels: int | None = None,
        max_ring_ms: int | None = None,
        if_match: str | None = None,
    ) -> Provider:
        """Change a carrier."""
        return await self._api.call(
            _UPDATE_PROVIDER,
            {"id": id},
            {},
            {
                "type": type,
                "hostname": hostname,
                "tech_prefix": tech_prefix,
                "tech_postfix": tech_postfix,
                "tech_headers": tech_headers,
                "name": name,
                "detail": detail,
                "codecs": codecs,
                "rate_per_s": rate_per_s,
                "channels": channels,
                "max_ring_ms": max_ring_ms,
            },
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Provider:
        """Delete a carrier."""
        return await self._api.call(_DELETE_PROVIDER, {"id": id}, {}, if_match=if_match)
