"""Runs of a call script.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.shared import Action, ActionBody
from outdialer.client.transport import AsyncResource, Resource


class Activeflow(Struct, frozen=True, kw_only=True):
    """One run of a call script."""

    id: str
    customer_id: str
    flow_id: str
    status: str = ""
    reference_type: str = ""
    reference_id: str
    reference_activeflow_id: str
    on_complete_flow_id: str
    webhook_uri: str = ""
    webhook_method: str = ""
    current_action: Action
    forward_action_id: str
    executed_actions: list[Action] | None = None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_ACTIVEFLOW = Operation("POST", "/v1.0/activeflows", Activeflow)
_LIST_ACTIVEFLOWS = Operation("GET", "/v1.0/activeflows", Page[Activeflow])
_GET_ACTIVEFLOW = Operation("GET", "/v1.0/activeflows/{id}", Activeflow)
_DELETE_ACTIVEFLOW = Operation("DELETE", "/v1.0/activeflows/{id}", Activeflow)
_STOP_ACTIVEFLOW = Operation("POST", "/v1.0/activeflows/{id}/stop", Activeflow)


class ActiveflowsApi(Resource):
    """Runs of a call script.

    For a client that blocks.
    """

    def create(
        self,
        *,
        id: str | None = None,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        variables: Mapping[str, str] | None = None,
        webhook_uri: str | None = None,
        webhook_method: str | None = None,
    ) -> Activeflow:
        """Run a call script without a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs call scripts that run outside of
        campaigns.

        id: A UUID; "" or the nil UUID: not set.

        flow_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_ACTIVEFLOW,
            {},
            {},
            {
                "id": id,
                "flow_id": flow_id,
                "actions": actions,
                "variables": variables,
                "webhook_uri": webhook_uri,
                "webhook_method": webhook_method,
            },
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Activeflow]:
        """List activeflows; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs call scripts that run outside of
        campaigns.
        """
        return self._api.rows(_LIST_ACTIVEFLOWS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Activeflow:
        """Read an activeflow; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs call scripts that run outside of
        campaigns.
        """
        return self._api.call(_GET_ACTIVEFLOW, {"id": id}, {})

    def delete(self, id: str) -> Activeflow:
        """Stop and delete an activeflow; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs call scripts that run outside of
        campaigns.
        """
        return self._api.call(_DELETE_ACTIVEFLOW, {"id": id}, {})

    def stop(self, id: str) -> Activeflow:
        """Stop an activeflow; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs call scripts that run outside of
        campaigns.
        """
        return self._api.call(_STOP_ACTIVEFLOW, {"id": id}, {})


class AsyncActiveflowsApi(AsyncResource):
    """Runs of a call script.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        id: str | None = None,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        variables: Mapping[str, str] | None = None,
        webhook_uri: str | None = None,
        webhook_method: str | None = None,
    ) -> Activeflow:
        """Run a call script without a call."""
        return await self._api.call(
            _CREATE_ACTIVEFLOW,
            {},
            {},
            {
                "id": id,
                "flow_id": flow_id,
                "actions": actions,
                "variables": variables,
                "webhook_uri": webhook_uri,
                "webhook_method": webhook_method,
            },
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Activeflow]:
        """List activeflows; there are none yet."""
        return self._api.rows(_LIST_ACTIVEFLOWS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Activeflow:
        """Read an activeflow; there are none yet."""
        return await self._api.call(_GET_ACTIVEFLOW, {"id": id}, {})

    async def delete(self, id: str) -> Activeflow:
        """Stop and delete an activeflow; there are none yet."""
        return await self._api.call(_DELETE_ACTIVEFLOW, {"id": id}, {})

    async def stop(self, id: str) -> Activeflow:
        """Stop an activeflow; there are none yet."""
        return await self._api.call(_STOP_ACTIVEFLOW, {"id": id}, {})
