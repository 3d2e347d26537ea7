"""The attempts, with the facts of their calls.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.shared import Address
from outdialer.client.transport import AsyncResource, Resource


class Campaigncall(Struct, frozen=True, kw_only=True):
    """One attempt: one try of one destination."""

    id: str
    customer_id: str
    campaign_id: str
    outplan_id: str
    outdial_id: str
    outdial_target_id: str
    queue_id: str
    activeflow_id: str
    flow_id: str
    reference_type: str
    reference_id: str
    """The call."""
    status: str
    """``progressing``: the person has answered."""
    result: str
    """Only the reason ``normal`` is a success."""
    source: Address
    destination: Address
    destination_index: int
    try_count: int
    """The number of this try of this destination, from 1."""
    hangup_reason: str
    hangup_detail: str
    """What exactly happened."""
    sip_code: int
    """Final response to the INVITE; 0: none."""
    q850_cause: int
    answered: bool
    charged: bool
    """False: nothing was sent, and the try was given back."""
    tm_create: datetime | None
    tm_update: datetime | None
    tm_ringing: datetime | None
    tm_progressing: datetime | None
    tm_hangup: datetime | None
    tm_delete: datetime | None


_LIST_CAMPAIGNCALLS = Operation("GET", "/v1.0/campaigncalls", Page[Campaigncall])
_GET_CAMPAIGNCALL = Operation("GET", "/v1.0/campaigncalls/{id}", Campaigncall)
_DELETE_CAMPAIGNCALL = Operation("DELETE", "/v1.0/campaigncalls/{id}", Campaigncall)


class CampaigncallsApi(Resource):
    """The attempts, with the facts of their calls.

    For a client that blocks.
    """

    def list(
        self,
        *,
        campaign_id: str | None = None,
        outdial_target_id: str | None = None,
        status: Literal["", "dialing", "progressing", "done"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Campaigncall]:
        """List attempts of all campaigns, or of one, newest first."""
        return self._api.rows(
            _LIST_CAMPAIGNCALLS,
            {},
            {
                "campaign_id": campaign_id,
                "outdial_target_id": outdial_target_id,
                "status": status,
                "deleted": deleted,
                "page_size": page_size,
                "page_token": page_token,
            },
        )

    def get(self, id: str) -> Campaigncall:
        """Read an attempt, deleted or not."""
        return self._api.call(_GET_CAMPAIGNCALL, {"id": id}, {})

    def delete(self, id: str) -> Campaigncall:
        """Hide an attempt that is done from the lists.

        It still counts.
        """
        return self._api.call(_DELETE_CAMPAIGNCALL, {"id": id}, {})


class AsyncCampaigncallsApi(AsyncResource):
    """The attempts, with the facts of their calls.

    For a client that awaits.
    """

    def list(
        self,
        *,
        campaign_id: str | None = None,
        outdial_target_id: str | None = None,
        status: Literal["", "dialing", "progressing", "done"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Campaigncall]:
        """List attempts of all campaigns, or of one, newest first."""
        return self._api.rows(
            _LIST_CAMPAIGNCALLS,
            {},
            {
                "campaign_id": campaign_id,
                "outdial_target_id": outdial_target_id,
                "status": status,
                "deleted": deleted,
                "page_size": page_size,
                "page_token": page_token,
            },
        )

    async def get(self, id: str) -> Campaigncall:
        """Read an attempt, deleted or not."""
        return await self._api.call(_GET_CAMPAIGNCALL, {"id": id}, {})

    async def delete(self, id: str) -> Campaigncall:
        """Hide an attempt that is done from the lists."""
        return await self._api.call(_DELETE_CAMPAIGNCALL, {"id": id}, {})
