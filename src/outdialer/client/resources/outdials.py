"""Lists of people.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Outdial(Versioned, kw_only=True):
    """A list of people."""

    id: str
    customer_id: str
    campaign_id: str
    name: str
    detail: str
    data: str
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_OUTDIAL = Operation("POST", "/v1.0/outdials", Outdial)
_LIST_OUTDIALS = Operation("GET", "/v1.0/outdials", Page[Outdial])
_GET_OUTDIAL = Operation("GET", "/v1.0/outdials/{id}", Outdial)
_UPDATE_OUTDIAL = Operation("PUT", "/v1.0/outdials/{id}", Outdial)
_DELETE_OUTDIAL = Operation("DELETE", "/v1.0/outdials/{id}", Outdial)
_UPDATE_OUTDIAL_CAMPAIGN_ID = Operation("PUT", "/v1.0/outdials/{id}/campaign_id", Outdial)
_UPDATE_OUTDIAL_DATA = Operation("PUT", "/v1.0/outdials/{id}/data", Outdial)


class OutdialsApi(Resource):
    """Lists of people.

    For a client that blocks.
    """

    def create(
        self,
        *,
        campaign_id: str | None = None,
        name: str | None = None,
        detail: str | None = None,
        data: str | Mapping[str, Any] | None = None,
    ) -> Outdial:
        """Create an outdial.

        campaign_id: A UUID; "" or the nil UUID: not set.

        data: Free data: text, or an object, which is stored as JSON text.
        """
        return self._api.call(
            _CREATE_OUTDIAL, {}, {}, {"campaign_id": campaign_id, "name": name, "detail": detail, "data": data}
        )

    def list(
        self,
        *,
        campaign_id: str | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Outdial]:
        """List outdials, newest first."""
        return self._api.rows(
            _LIST_OUTDIALS,
            {},
            {"campaign_id": campaign_id, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    def get(self, id: str) -> Outdial:
        """Read an outdial, deleted or not."""
        return self._api.call(_GET_OUTDIAL, {"id": id}, {})

    def update(
        self, id: str, *, name: str | None = None, detail: str | None = None, if_match: str | None = None
    ) -> Outdial:
        """Change the name and detail of an outdial.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_OUTDIAL, {"id": id}, {}, {"name": name, "detail": detail}, if_match=if_match)

    def delete(self, id: str, *, if_match: str | None = None) -> Outdial:
        """Delete an outdial.

        None of its targets is dialled any more.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_OUTDIAL, {"id": id}, {}, if_match=if_match)

    def update_campaign_id(self, id: str, *, campaign_id: str | None = None, if_match: str | None = None) -> Outdial:
        """Bind an outdial to a campaign, or free it.

        campaign_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_OUTDIAL_CAMPAIGN_ID, {"id": id}, {}, {"campaign_id": campaign_id}, if_match=if_match
        )

    def update_data(
        self, id: str, *, data: str | Mapping[str, Any] | None = None, if_match: str | None = None
    ) -> Outdial:
        """Change the free data of an outdial.

        data: Free data: text, or an object, which is stored as JSON text.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_OUTDIAL_DATA, {"id": id}, {}, {"data": data}, if_match=if_match)


class AsyncOutdialsApi(AsyncResource):
    """Lists of people.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        campaign_id: str | None = None,
        name: str | None = None,
        detail: str | None = None,
        data: str | Mapping[str, Any] | None = None,
    ) -> Outdial:
        """Create an outdial."""
        return await self._api.call(
            _CREATE_OUTDIAL, {}, {}, {"campaign_id": campaign_id, "name": name, "detail": detail, "data": data}
        )

    def list(
        self,
        *,
        campaign_id: str | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Outdial]:
        """List outdials, newest first."""
        return self._api.rows(
            _LIST_OUTDIALS,
            {},
            {"campaign_id": campaign_id, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    async def get(self, id: str) -> Outdial:
        """Read an outdial, deleted or not."""
        return await self._api.call(_GET_OUTDIAL, {"id": id}, {})

    async def update(
        self, id: str, *, name: str | None = None, detail: str | None = None, if_match: str | None = None
    ) -> Outdial:
        """Change the name and detail of an outdial."""
        return await self._api.call(
            _UPDATE_OUTDIAL, {"id": id}, {}, {"name": name, "detail": detail}, if_match=if_match
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Outdial:
        """Delete an outdial."""
        return await self._api.call(_DELETE_OUTDIAL, {"id": id}, {}, if_match=if_match)

    async def update_campaign_id(
        self, id: str, *, campaign_id: str | None = None, if_match: str | None = None
    ) -> Outdial:
        """Bind an outdial to a campaign, or free it."""
        return await self._api.call(
            _UPDATE_OUTDIAL_CAMPAIGN_ID, {"id": id}, {}, {"campaign_id": campaign_id}, if_match=if_match
        )

    async def update_data(
        self, id: str, *, data: str | Mapping[str, Any] | None = None, if_match: str | None = None
    ) -> Outdial:
        """Change the free data of an outdial."""
        return await self._api.call(_UPDATE_OUTDIAL_DATA, {"id": id}, {}, {"data": data}, if_match=if_match)
