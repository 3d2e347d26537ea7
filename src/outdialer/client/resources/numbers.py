"""Phone numbers that belong to a customer. They are kept here; calls that come in are not part of this release, and a
campaign's caller id need not be one of them.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class NumberMetadata(Struct, frozen=True, kw_only=True):
    """Switches of a number."""

    rtp_debug: bool


class Number(Versioned, kw_only=True):
    """A phone number that belongs to a customer."""

    id: str
    customer_id: str
    number: str
    type: str
    call_flow_id: str
    message_flow_id: str
    name: str
    detail: str
    status: str
    t38_enabled: bool
    emergency_enabled: bool
    metadata: NumberMetadata
    tm_purchase: datetime | None
    tm_renew: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


class NumbersRenewed(Struct, frozen=True, kw_only=True):
    """The numbers that were renewed."""

    result: list[Number]


_CREATE_NUMBER = Operation("POST", "/v1.0/numbers", Number)
_LIST_NUMBERS = Operation("GET", "/v1.0/numbers", Page[Number])
_RENEW_NUMBERS = Operation("POST", "/v1.0/numbers/renew", NumbersRenewed)
_GET_NUMBER = Operation("GET", "/v1.0/numbers/{id}", Number)
_UPDATE_NUMBER = Operation("PUT", "/v1.0/numbers/{id}", Number)
_DELETE_NUMBER = Operation("DELETE", "/v1.0/numbers/{id}", Number)
_UPDATE_NUMBER_FLOW_IDS = Operation("PUT", "/v1.0/numbers/{id}/flow_ids", Number)
_UPDATE_NUMBER_METADATA = Operation("PUT", "/v1.0/numbers/{id}/metadata", Number)


class NumbersApi(Resource):
    """Phone numbers that belong to a customer. They are kept here; calls that come in are not part of this release,
    and a campaign's caller id need not be one of them.

    For a client that blocks.
    """

    def create(
        self,
        *,
        number: str,
        call_flow_id: str | None = None,
        message_flow_id: str | None = None,
        name: str | None = None,
        detail: str | None = None,
        type: Literal["", "normal", "virtual"] | None = None,
    ) -> Number:
        """Add a number.

        Nothing is bought or rented by it.

        call_flow_id: A UUID; "" or the nil UUID: not set.

        message_flow_id: A UUID; "" or the nil UUID: not set.

        number: ``+`` and 7 to 15 digits.
        """
        return self._api.call(
            _CREATE_NUMBER,
            {},
            {},
            {
                "number": number,
                "call_flow_id": call_flow_id,
                "message_flow_id": message_flow_id,
                "name": name,
                "detail": detail,
                "type": type,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Number]:
        """List numbers, newest first."""
        return self._api.rows(_LIST_NUMBERS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    def renew(self, *, tm_renew: str) -> NumbersRenewed:
        """Renew numbers.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs numbers that are rented.

        tm_renew: RFC 3339, six digits, UTC.
        """
        return self._api.call(_RENEW_NUMBERS, {}, {}, {"tm_renew": tm_renew})

    def get(self, id: str) -> Number:
        """Read a number, deleted or not."""
        return self._api.call(_GET_NUMBER, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        call_flow_id: str | None = None,
        message_flow_id: str | None = None,
        name: str | None = None,
        detail: str | None = None,
        if_match: str | None = None,
    ) -> Number:
        """Change a number.

        call_flow_id: A UUID; "" or the nil UUID: not set.

        message_flow_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_NUMBER,
            {"id": id},
            {},
            {"call_flow_id": call_flow_id, "message_flow_id": message_flow_id, "name": name, "detail": detail},
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Number:
        """Delete a number.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_NUMBER, {"id": id}, {}, if_match=if_match)

    def update_flow_ids(
        self,
        id: str,
        *,
        call_flow_id: str | None = None,
        message_flow_id: str | None = None,
        if_match: str | None = None,
    ) -> Number:
        """Change what happens to calls and messages that come in.

        call_flow_id: A UUID; "" or the nil UUID: not set.

        message_flow_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_NUMBER_FLOW_IDS,
            {"id": id},
            {},
            {"call_flow_id": call_flow_id, "message_flow_id": message_flow_id},
            if_match=if_match,
        )

    def update_metadata(self, id: str, *, rtp_debug: bool | None = None, if_match: str | None = None) -> Number:
        """Change the switches of a number.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_NUMBER_METADATA, {"id": id}, {}, {"rtp_debug": rtp_debug}, if_match=if_match)


class AsyncNumbersApi(AsyncResource):
    """Phone numbers that belong to a customer. They are kept here; calls that come in are not part of this release,
    and a campaign's caller id need not be one of them.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        number: str,
        call_flow_id: str | None = None,
        message_flow_id: str | None = None,
        name: str | None = None,
        detail: str | None = None,
        type: Literal["", "normal", "virtual"] | None = None,
    ) -> Number:
        """Add a number."""
        return await self._api.call(
            _CREATE_NUMBER,
            {},
            {},
            {
                "number": number,
                "call_flow_id": call_flow_id,
                "message_flow_id": message_flow_id,
                "name": name,
                "detail": detail,
                "type": type,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Number]:
        """List numbers, newest first."""
        return self._api.rows(_LIST_NUMBERS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    async def renew(self, *, tm_renew: str) -> NumbersRenewed:
        """Renew numbers."""
        return await self._api.call(_RENEW_NUMBERS, {}, {}, {"tm_renew": tm_renew})

    async def get(self, id: str) -> Number:
        """Read a number, deleted or not."""
        return await self._api.call(_GET_NUMBER, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        call_flow_id: str | None = None,
        message_flow_id: str | None = None,
        name: str | None = None,
        detail: str | None = None,
        if_match: str | None = None,
    ) -> Number:
        """Change a number."""
        return await self._api.call(
            _UPDATE_NUMBER,
            {"id": id},
            {},
            {"call_flow_id": call_flow_id, "message_flow_id": message_flow_id, "name": name, "detail": detail},
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Number:
        """Delete a number."""
        return await self._api.call(_DELETE_NUMBER, {"id": id}, {}, if_match=if_match)

    async def update_flow_ids(
        self,
        id: str,
        *,
        call_flow_id: str | None = None,
        message_flow_id: str | None = None,
        if_match: str | None = None,
    ) -> Number:
        """Change what happens to calls and messages that come in."""
        return await self._api.call(
            _UPDATE_NUMBER_FLOW_IDS,
            {"id": id},
            {},
            {"call_flow_id": call_flow_id, "message_flow_id": message_flow_id},
            if_match=if_match,
        )

    async def update_metadata(self, id: str, *, rtp_debug: bool | None = None, if_match: str | None = None) -> Number:
        """Change the switches of a number."""
        return await self._api.call(
            _UPDATE_NUMBER_METADATA, {"id": id}, {}, {"rtp_debug": rtp_debug}, if_match=if_match
        )
