"""Call scripts that can be named.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.resources.shared import Action, ActionBody
from outdialer.client.transport import AsyncResource, Resource


class Flow(Versioned, kw_only=True):
    """A call script. What is empty is left out, except ids and times."""

    id: str
    customer_id: str
    type: str = ""
    name: str = ""
    detail: str = ""
    actions: list[Action] | None = None
    direct_hash: str = ""
    on_complete_flow_id: str
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_FLOW = Operation("POST", "/v1.0/flows", Flow)
_LIST_FLOWS = Operation("GET", "/v1.0/flows", Page[Flow])
_GET_FLOW = Operation("GET", "/v1.0/flows/{id}", Flow)
_UPDATE_FLOW = Operation("PUT", "/v1.0/flows/{id}", Flow)
_DELETE_FLOW = Operation("DELETE", "/v1.0/flows/{id}", Flow)
_REGENERATE_FLOW_DIRECT_HASH = Operation("POST", "/v1.0/flows/{id}/direct-hash-regenerate", Flow)


class FlowsApi(Resource):
    """Call scripts that can be named.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        on_complete_flow_id: str | None = None,
    ) -> Flow:
        """Create a flow.

        Actions without an id get one.

        on_complete_flow_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_FLOW,
            {},
            {},
            {"name": name, "detail": detail, "actions": actions, "on_complete_flow_id": on_complete_flow_id},
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Flow]:
        """List flows, newest first."""
        return self._api.rows(_LIST_FLOWS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Flow:
        """Read a flow, deleted or not."""
        return self._api.call(_GET_FLOW, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        on_complete_flow_id: str | None = None,
        if_match: str | None = None,
    ) -> Flow:
        """Change a flow.

        on_complete_flow_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_FLOW,
            {"id": id},
            {},
            {"name": name, "detail": detail, "actions": actions, "on_complete_flow_id": on_complete_flow_id},
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Flow:
        """Delete a flow.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_FLOW, {"id": id}, {}, if_match=if_match)

    def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Flow:
        """Give a flow a new shortcut.

        It is kept for calls that come in, which are not part of this release.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_REGENERATE_FLOW_DIRECT_HASH, {"id": id}, {}, if_match=if_match)


class AsyncFlowsApi(AsyncResource):
    """Call scripts that can be named.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        on_complete_flow_id: str | None = None,
    ) -> Flow:
        """Create a flow."""
        return await self._api.call(
            _CREATE_FLOW,
            {},
            {},
            {"name": name, "detail": detail, "actions": actions, "on_complete_flow_id": on_complete_flow_id},
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Flow]:
        """List flows, newest first."""
        return self._api.rows(_LIST_FLOWS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Flow:
        """Read a flow, deleted or not."""
        return await self._api.call(_GET_FLOW, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        on_complete_flow_id: str | None = None,
        if_match: str | None = None,
    ) -> Flow:
        """Change a flow."""
        return await self._api.call(
            _UPDATE_FLOW,
            {"id": id},
            {},
            {"name": name, "detail": detail, "actions": actions, "on_complete_flow_id": on_complete_flow_id},
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Flow:
        """Delete a flow."""
        return await self._api.call(_DELETE_FLOW, {"id": id}, {}, if_match=if_match)

    async def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Flow:
        """Give a flow a new shortcut."""
        return await self._api.call(_REGENERATE_FLOW_DIRECT_HASH, {"id": id}, {}, if_match=if_match)
