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
    """Left out until the person answers."""
    reference_type: str = ""
    reference_id: str
    """The call."""
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

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs call scripts that run without a call.

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
        """List the runs of call scripts, newest first.

        Where many were deleted, a page may be short, and even empty, with a ``next_page_token`` that is not "": go
        on until it is.
        """
        return self._api.rows(_LIST_ACTIVEFLOWS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Activeflow:
        """Read a run of a call script, deleted or not."""
        return self._api.call(_GET_ACTIVEFLOW, {"id": id}, {})

    def delete(self, id: str) -> Activeflow:
        """End the call that runs the script, and hide the run from the lists.

        The call itself stays.
        """
        return self._api.call(_DELETE_ACTIVEFLOW, {"id": id}, {})

    def stop(self, id: str) -> Activeflow:
        """End the call that runs the script: CANCEL before the answer, BYE after it.

        The answer shows the run as it is at this moment; one that has ended stays as it is.
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
        """List the runs of call scripts, newest first."""
        return self._api.rows(_LIST_ACTIVEFLOWS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Activeflow:
        """Read a run of a call script, deleted or not."""
        return await self._api.call(_GET_ACTIVEFLOW, {"id": id}, {})

    async def delete(self, id: str) -> Activeflow:
        """End the call that runs the script, and hide the run from the lists."""
        return await self._api.call(_DELETE_ACTIVEFLOW, {"id": id}, {})

    async def stop(self, id: str) -> Activeflow:
        """End the call that runs the script: CANCEL before the answer, BYE after it."""
        return await self._api.call(_STOP_ACTIVEFLOW, {"id": id}, {})
