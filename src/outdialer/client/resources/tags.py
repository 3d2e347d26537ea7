"""Skills and teams: a queue takes agents that hold any of its tags.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Tag(Versioned, kw_only=True):
    """A skill or a team."""

    id: str
    customer_id: str
    name: str
    detail: str
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_TAG = Operation("POST", "/v1.0/tags", Tag)
_LIST_TAGS = Operation("GET", "/v1.0/tags", Page[Tag])
_GET_TAG = Operation("GET", "/v1.0/tags/{id}", Tag)
_UPDATE_TAG = Operation("PUT", "/v1.0/tags/{id}", Tag)
_DELETE_TAG = Operation("DELETE", "/v1.0/tags/{id}", Tag)


class TagsApi(Resource):
    """Skills and teams: a queue takes agents that hold any of its tags.

    For a client that blocks.
    """

    def create(self, *, name: str | None = None, detail: str | None = None) -> Tag:
        """Create a tag."""
        return self._api.call(_CREATE_TAG, {}, {}, {"name": name, "detail": detail})

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Tag]:
        """List tags, newest first."""
        return self._api.rows(_LIST_TAGS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Tag:
        """Read a tag, deleted or not."""
        return self._api.call(_GET_TAG, {"id": id}, {})

    def update(
        self, id: str, *, name: str | None = None, detail: str | None = None, if_match: str | None = None
    ) -> Tag:
        """Change a tag.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_TAG, {"id": id}, {}, {"name": name, "detail": detail}, if_match=if_match)

    def delete(self, id: str, *, if_match: str | None = None) -> Tag:
        """Delete a tag.

        Queues and agents that name it keep the id.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_TAG, {"id": id}, {}, if_match=if_match)


class AsyncTagsApi(AsyncResource):
    """Skills and teams: a queue takes agents that hold any of its tags.

    For a client that awaits.
    """

    async def create(self, *, name: str | None = None, detail: str | None = None) -> Tag:
        """Create a tag."""
        return await self._api.call(_CREATE_TAG, {}, {}, {"name": name, "detail": detail})

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Tag]:
        """List tags, newest first."""
        return self._api.rows(_LIST_TAGS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Tag:
        """Read a tag, deleted or not."""
        return await self._api.call(_GET_TAG, {"id": id}, {})

    async def update(
        self, id: str, *, name: str | None = None, detail: str | None = None, if_match: str | None = None
    ) -> Tag:
        """Change a tag."""
        return await self._api.call(_UPDATE_TAG, {"id": id}, {}, {"name": name, "detail": detail}, if_match=if_match)

    async def delete(self, id: str, *, if_match: str | None = None) -> Tag:
        """Delete a tag."""
        return await self._api.call(_DELETE_TAG, {"id": id}, {}, if_match=if_match)
