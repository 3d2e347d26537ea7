"""How and when to dial.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.resources.shared import Address, AddressBody
from outdialer.client.transport import AsyncResource, Resource


class Outplan(Versioned, kw_only=True):
    """How and when to dial."""

    id: str
    customer_id: str
    name: str
    detail: str
    source: Address
    dial_timeout: int
    try_interval: int
    max_try_count_0: int
    max_try_count_1: int
    max_try_count_2: int
    max_try_count_3: int
    max_try_count_4: int
    redial_answered: bool
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_OUTPLAN = Operation("POST", "/v1.0/outplans", Outplan)
_LIST_OUTPLANS = Operation("GET", "/v1.0/outplans", Page[Outplan])
_GET_OUTPLAN = Operation("GET", "/v1.0/outplans/{id}", Outplan)
_UPDATE_OUTPLAN = Operation("PUT", "/v1.0/outplans/{id}", Outplan)
_DELETE_OUTPLAN = Operation("DELETE", "/v1.0/outplans/{id}", Outplan)
_UPDATE_OUTPLAN_DIAL_INFO = Operation("PUT", "/v1.0/outplans/{id}/dial_info", Outplan)


class OutplansApi(Resource):
    """How and when to dial.

    For a client that blocks.
    """

    def create(
        self,
        *,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        dial_timeout: int | None = None,
        try_interval: int | None = None,
        max_try_count_0: int | None = None,
        max_try_count_1: int | None = None,
        max_try_count_2: int | None = None,
        max_try_count_3: int | None = None,
        max_try_count_4: int | None = None,
        redial_answered: bool | None = None,
        name: str | None = None,
        detail: str | None = None,
    ) -> Outplan:
        """Create an outplan.

        dial_timeout: Ring time in ms. 1 to 999 is read as seconds, more than 600,000 is stored as 600,000, 0 stands
        for the default of 30,000.

        try_interval: Ms from the end of an attempt to the next one; 3,600,000 when left out. At least 60,000 where
        trunks are not on loopback.

        max_try_count_0: Tries of this destination; 0 skips it.

        max_try_count_1: Tries of this destination; 0 skips it.

        max_try_count_2: Tries of this destination; 0 skips it.

        max_try_count_3: Tries of this destination; 0 skips it.

        max_try_count_4: Tries of this destination; 0 skips it.

        redial_answered: Whether who answered may be called again.
        """
        return self._api.call(
            _CREATE_OUTPLAN,
            {},
            {},
            {
                "source": source,
                "dial_timeout": dial_timeout,
                "try_interval": try_interval,
                "max_try_count_0": max_try_count_0,
                "max_try_count_1": max_try_count_1,
                "max_try_count_2": max_try_count_2,
                "max_try_count_3": max_try_count_3,
                "max_try_count_4": max_try_count_4,
                "redial_answered": redial_answered,
                "name": name,
                "detail": detail,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Outplan]:
        """List outplans, newest first."""
        return self._api.rows(
            _LIST_OUTPLANS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token}
        )

    def get(self, id: str) -> Outplan:
        """Read an outplan, deleted or not."""
        return self._api.call(_GET_OUTPLAN, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        redial_answered: bool | None = None,
        if_match: str | None = None,
    ) -> Outplan:
        """Change the name and detail of an outplan.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_OUTPLAN,
            {"id": id},
            {},
            {"name": name, "detail": detail, "redial_answered": redial_answered},
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Outplan:
        """Delete an outplan.

        It leaves the lists and stays readable by id; a campaign that runs with it goes on.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_OUTPLAN, {"id": id}, {}, if_match=if_match)

    def update_dial_info(
        self,
        id: str,
        *,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        dial_timeout: int | None = None,
        try_interval: int | None = None,
        max_try_count_0: int | None = None,
        max_try_count_1: int | None = None,
        max_try_count_2: int | None = None,
        max_try_count_3: int | None = None,
        max_try_count_4: int | None = None,
        redial_answered: bool | None = None,
        if_match: str | None = None,
    ) -> Outplan:
        """Change how an outplan dials.

        Campaigns that run with it follow within a second.

        dial_timeout: Ring time in ms. 1 to 999 is read as seconds, more than 600,000 is stored as 600,000, 0 stands
        for the default of 30,000.

        try_interval: Ms from the end of an attempt to the next one; 3,600,000 when left out. At least 60,000 where
        trunks are not on loopback.

        max_try_count_0: Tries of this destination; 0 skips it.

        max_try_count_1: Tries of this destination; 0 skips it.

        max_try_count_2: Tries of this destination; 0 skips it.

        max_try_count_3: Tries of this destination; 0 skips it.

        max_try_count_4: Tries of this destination; 0 skips it.

        redial_answered: Whether who answered may be called again.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_OUTPLAN_DIAL_INFO,
            {"id": id},
            {},
            {
                "source": source,
                "dial_timeout": dial_timeout,
                "try_interval": try_interval,
                "max_try_count_0": max_try_count_0,
                "max_try_count_1": max_try_count_1,
                "max_try_count_2": max_try_count_2,
                "max_try_count_3": max_try_count_3,
                "max_try_count_4": max_try_count_4,
                "redial_answered": redial_answered,
            },
            if_match=if_match,
        )


class AsyncOutplansApi(AsyncResource):
    """How and when to dial.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        dial_timeout: int | None = None,
        try_interval: int | None = None,
        max_try_count_0: int | None = None,
        max_try_count_1: int | None = None,
        max_try_count_2: int | None = None,
        max_try_count_3: int | None = None,
        max_try_count_4: int | None = None,
        redial_answered: bool | None = None,
        name: str | None = None,
        detail: str | None = None,
    ) -> Outplan:
        """Create an outplan."""
        return await self._api.call(
            _CREATE_OUTPLAN,
            {},
            {},
            {
                "source": source,
                "dial_timeout": dial_timeout,
                "try_interval": try_interval,
                "max_try_count_0": max_try_count_0,
                "max_try_count_1": max_try_count_1,
                "max_try_count_2": max_try_count_2,
                "max_try_count_3": max_try_count_3,
                "max_try_count_4": max_try_count_4,
                "redial_answered": redial_answered,
                "name": name,
                "detail": detail,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Outplan]:
        """List outplans, newest first."""
        return self._api.rows(
            _LIST_OUTPLANS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token}
        )

    async def get(self, id: str) -> Outplan:
        """Read an outplan, deleted or not."""
        return await self._api.call(_GET_OUTPLAN, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        redial_answered: bool | None = None,
        if_match: str | None = None,
    ) -> Outplan:
        """Change the name and detail of an outplan."""
        return await self._api.call(
            _UPDATE_OUTPLAN,
            {"id": id},
            {},
            {"name": name, "detail": detail, "redial_answered": redial_answered},
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Outplan:
        """Delete an outplan."""
        return await self._api.call(_DELETE_OUTPLAN, {"id": id}, {}, if_match=if_match)

    async def update_dial_info(
        self,
        id: str,
        *,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        dial_timeout: int | None = None,
        try_interval: int | None = None,
        max_try_count_0: int | None = None,
        max_try_count_1: int | None = None,
        max_try_count_2: int | None = None,
        max_try_count_3: int | None = None,
        max_try_count_4: int | None = None,
        redial_answered: bool | None = None,
        if_match: str | None = None,
    ) -> Outplan:
        """Change how an outplan dials."""
        return await self._api.call(
            _UPDATE_OUTPLAN_DIAL_INFO,
            {"id": id},
            {},
            {
                "source": source,
                "dial_timeout": dial_timeout,
                "try_interval": try_interval,
                "max_try_count_0": max_try_count_0,
                "max_try_count_1": max_try_count_1,
                "max_try_count_2": max_try_count_2,
                "max_try_count_3": max_try_count_3,
                "max_try_count_4": max_try_count_4,
                "redial_answered": redial_answered,
            },
            if_match=if_match,
        )
