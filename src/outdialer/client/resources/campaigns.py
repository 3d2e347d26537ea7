"""Who is called, how, and what happens on answer.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.resources.campaigncalls import Campaigncall
from outdialer.client.resources.shared import Action, ActionBody
from outdialer.client.transport import AsyncResource, Resource


class Campaign(Versioned, kw_only=True):
    """Who is called, how, and what happens on answer."""

    id: str
    customer_id: str
    type: str
    name: str
    detail: str
    status: str
    """``stopping`` while calls are up after a stop."""
    service_level: int
    end_handle: str
    actions: list[Action]
    outplan_id: str
    outdial_id: str
    queue_id: str
    next_campaign_id: str
    dial_rate: float
    dial_channels: int
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


class CampaignStats(Struct, frozen=True, kw_only=True):
    """Where a campaign stands, in numbers."""

    targets_idle: int
    targets_progressing: int
    targets_done: dict[str, int]
    """By reason: success, exhausted, invalid, removed."""
    attempts: int
    dialing: int
    """Attempts neither answered nor over, ringing ones included."""
    ringing: int
    talking: int
    succeeded: int
    failed: dict[str, int]
    """By hangup reason; ``not_sent`` for attempts never sent."""
    answered: int
    retries_waiting: int
    tm_next_due: datetime | None
    waiting_for: str
    """What keeps the campaign from dialing more, with its value."""


_CREATE_CAMPAIGN = Operation("POST", "/v1.0/campaigns", Campaign)
_LIST_CAMPAIGNS = Operation("GET", "/v1.0/campaigns", Page[Campaign])
_GET_CAMPAIGN = Operation("GET", "/v1.0/campaigns/{id}", Campaign)
_UPDATE_CAMPAIGN = Operation("PUT", "/v1.0/campaigns/{id}", Campaign)
_DELETE_CAMPAIGN = Operation("DELETE", "/v1.0/campaigns/{id}", Campaign)
_UPDATE_CAMPAIGN_STATUS = Operation("PUT", "/v1.0/campaigns/{id}/status", Campaign)
_UPDATE_CAMPAIGN_SERVICE_LEVEL = Operation("PUT", "/v1.0/campaigns/{id}/service_level", Campaign)
_UPDATE_CAMPAIGN_ACTIONS = Operation("PUT", "/v1.0/campaigns/{id}/actions", Campaign)
_UPDATE_CAMPAIGN_RESOURCE_INFO = Operation("PUT", "/v1.0/campaigns/{id}/resource_info", Campaign)
_UPDATE_CAMPAIGN_NEXT_CAMPAIGN_ID = Operation("PUT", "/v1.0/campaigns/{id}/next_campaign_id", Campaign)
_LIST_CAMPAIGN_CAMPAIGNCALLS = Operation("GET", "/v1.0/campaigns/{id}/campaigncalls", Page[Campaigncall])
_GET_CAMPAIGN_STATS = Operation("GET", "/v1.0/campaigns/{id}/stats", CampaignStats)


class CampaignsApi(Resource):
    """Who is called, how, and what happens on answer.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        type: Literal["", "call", "flow"] | None = None,
        service_level: int | None = None,
        end_handle: Literal["", "continue", "stop"] | None = None,
        dial_rate: float | None = None,
        dial_channels: int | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        outplan_id: str | None = None,
        outdial_id: str | None = None,
        queue_id: str | None = None,
        next_campaign_id: str | None = None,
    ) -> Campaign:
        """Create a campaign.

        It is stopped at first.

        service_level: Percent of the available agents to dial for.

        dial_rate: Calls a second; 0: as many as the trunk allows.

        dial_channels: Calls up at once; 0: as many as the trunk allows.

        outplan_id: A UUID; "" or the nil UUID: not set.

        outdial_id: A UUID; "" or the nil UUID: not set.

        queue_id: A UUID; "" or the nil UUID: not set.

        next_campaign_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_CAMPAIGN,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "type": type,
                "service_level": service_level,
                "end_handle": end_handle,
                "dial_rate": dial_rate,
                "dial_channels": dial_channels,
                "actions": actions,
                "outplan_id": outplan_id,
                "outdial_id": outdial_id,
                "queue_id": queue_id,
                "next_campaign_id": next_campaign_id,
            },
        )

    def list(
        self,
        *,
        status: Literal["", "stop", "run", "stopping"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Campaign]:
        """List campaigns, newest first."""
        return self._api.rows(
            _LIST_CAMPAIGNS,
            {},
            {"status": status, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    def get(self, id: str) -> Campaign:
        """Read a campaign, deleted or not."""
        return self._api.call(_GET_CAMPAIGN, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        type: Literal["", "call", "flow"] | None = None,
        service_level: int | None = None,
        end_handle: Literal["", "continue", "stop"] | None = None,
        dial_rate: float | None = None,
        dial_channels: int | None = None,
        if_match: str | None = None,
    ) -> Campaign:
        """Change a campaign.

        One that runs follows within a second.

        service_level: Percent of the available agents to dial for.

        dial_rate: Calls a second; 0: as many as the trunk allows.

        dial_channels: Calls up at once; 0: as many as the trunk allows.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CAMPAIGN,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "type": type,
                "service_level": service_level,
                "end_handle": end_handle,
                "dial_rate": dial_rate,
                "dial_channels": dial_channels,
            },
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Campaign:
        """Delete a stopped campaign and free its outdial.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_CAMPAIGN, {"id": id}, {}, if_match=if_match)

    def update_status(self, id: str, *, status: Literal["run", "stop"], if_match: str | None = None) -> Campaign:
        """Start or stop a campaign.

        A stop cuts no call: while calls are up the status is ``stopping``. Running a campaign that runs, or
        stopping one that is stopped, changes nothing.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_CAMPAIGN_STATUS, {"id": id}, {}, {"status": status}, if_match=if_match)

    def update_service_level(
        self, id: str, *, service_level: int | None = None, if_match: str | None = None
    ) -> Campaign:
        """Change how many agents a campaign dials for.

        service_level: Percent of the available agents to dial for.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CAMPAIGN_SERVICE_LEVEL, {"id": id}, {}, {"service_level": service_level}, if_match=if_match
        )

    def update_actions(
        self,
        id: str,
        *,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        if_match: str | None = None,
    ) -> Campaign:
        """Change what happens on answer.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_CAMPAIGN_ACTIONS, {"id": id}, {}, {"actions": actions}, if_match=if_match)

    def update_resource_info(
        self,
        id: str,
        *,
        outplan_id: str | None = None,
        outdial_id: str | None = None,
        queue_id: str | None = None,
        next_campaign_id: str | None = None,
        if_match: str | None = None,
    ) -> Campaign:
        """Change what a campaign refers to.

        outplan_id: A UUID; "" or the nil UUID: not set.

        outdial_id: A UUID; "" or the nil UUID: not set.

        queue_id: A UUID; "" or the nil UUID: not set.

        next_campaign_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CAMPAIGN_RESOURCE_INFO,
            {"id": id},
            {},
            {
                "outplan_id": outplan_id,
                "outdial_id": outdial_id,
                "queue_id": queue_id,
                "next_campaign_id": next_campaign_id,
            },
            if_match=if_match,
        )

    def update_next_campaign_id(
        self, id: str, *, next_campaign_id: str | None = None, if_match: str | None = None
    ) -> Campaign:
        """Change which campaign follows this one.

        next_campaign_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CAMPAIGN_NEXT_CAMPAIGN_ID, {"id": id}, {}, {"next_campaign_id": next_campaign_id}, if_match=if_match
        )

    def list_campaigncalls(
        self,
        id: str,
        *,
        outdial_target_id: str | None = None,
        status: Literal["", "dialing", "progressing", "done"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Campaigncall]:
        """List the attempts of a campaign, newest first."""
        return self._api.rows(
            _LIST_CAMPAIGN_CAMPAIGNCALLS,
            {"id": id},
            {
                "outdial_target_id": outdial_target_id,
                "status": status,
                "deleted": deleted,
                "page_size": page_size,
                "page_token": page_token,
            },
        )

    def get_stats(self, id: str) -> CampaignStats:
        """Read where a campaign stands, in numbers."""
        return self._api.call(_GET_CAMPAIGN_STATS, {"id": id}, {})


class AsyncCampaignsApi(AsyncResource):
    """Who is called, how, and what happens on answer.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        type: Literal["", "call", "flow"] | None = None,
        service_level: int | None = None,
        end_handle: Literal["", "continue", "stop"] | None = None,
        dial_rate: float | None = None,
        dial_channels: int | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        outplan_id: str | None = None,
        outdial_id: str | None = None,
        queue_id: str | None = None,
        next_campaign_id: str | None = None,
    ) -> Campaign:
        """Create a campaign."""
        return await self._api.call(
            _CREATE_CAMPAIGN,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "type": type,
                "service_level": service_level,
                "end_handle": end_handle,
                "dial_rate": dial_rate,
                "dial_channels": dial_channels,
                "actions": actions,
                "outplan_id": outplan_id,
                "outdial_id": outdial_id,
                "queue_id": queue_id,
                "next_campaign_id": next_campaign_id,
            },
        )

    def list(
        self,
        *,
        status: Literal["", "stop", "run", "stopping"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Campaign]:
        """List campaigns, newest first."""
        return self._api.rows(
            _LIST_CAMPAIGNS,
            {},
            {"status": status, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    async def get(self, id: str) -> Campaign:
        """Read a campaign, deleted or not."""
        return await self._api.call(_GET_CAMPAIGN, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        type: Literal["", "call", "flow"] | None = None,
        service_level: int | None = None,
        end_handle: Literal["", "continue", "stop"] | None = None,
        dial_rate: float | None = None,
        dial_channels: int | None = None,
        if_match: str | None = None,
    ) -> Campaign:
        """Change a campaign."""
        return await self._api.call(
            _UPDATE_CAMPAIGN,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "type": type,
                "service_level": service_level,
                "end_handle": end_handle,
                "dial_rate": dial_rate,
                "dial_channels": dial_channels,
            },
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Campaign:
        """Delete a stopped campaign and free its outdial."""
        return await self._api.call(_DELETE_CAMPAIGN, {"id": id}, {}, if_match=if_match)

    async def update_status(self, id: str, *, status: Literal["run", "stop"], if_match: str | None = None) -> Campaign:
        """Start or stop a campaign."""
        return await self._api.call(_UPDATE_CAMPAIGN_STATUS, {"id": id}, {}, {"status": status}, if_match=if_match)

    async def update_service_level(
        self, id: str, *, service_level: int | None = None, if_match: str | None = None
    ) -> Campaign:
        """Change how many agents a campaign dials for."""
        return await self._api.call(
            _UPDATE_CAMPAIGN_SERVICE_LEVEL, {"id": id}, {}, {"service_level": service_level}, if_match=if_match
        )

    async def update_actions(
        self,
        id: str,
        *,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        if_match: str | None = None,
    ) -> Campaign:
        """Change what happens on answer."""
        return await self._api.call(_UPDATE_CAMPAIGN_ACTIONS, {"id": id}, {}, {"actions": actions}, if_match=if_match)

    async def update_resource_info(
        self,
        id: str,
        *,
        outplan_id: str | None = None,
        outdial_id: str | None = None,
        queue_id: str | None = None,
        next_campaign_id: str | None = None,
        if_match: str | None = None,
    ) -> Campaign:
        """Change what a campaign refers to."""
        return await self._api.call(
            _UPDATE_CAMPAIGN_RESOURCE_INFO,
            {"id": id},
            {},
            {
                "outplan_id": outplan_id,
                "outdial_id": outdial_id,
                "queue_id": queue_id,
                "next_campaign_id": next_campaign_id,
            },
            if_match=if_match,
        )

    async def update_next_campaign_id(
        self, id: str, *, next_campaign_id: str | None = None, if_match: str | None = None
    ) -> Campaign:
        """Change which campaign follows this one."""
        return await self._api.call(
            _UPDATE_CAMPAIGN_NEXT_CAMPAIGN_ID, {"id": id}, {}, {"next_campaign_id": next_campaign_id}, if_match=if_match
        )

    def list_campaigncalls(
        self,
        id: str,
        *,
        outdial_target_id: str | None = None,
        status: Literal["", "dialing", "progressing", "done"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Campaigncall]:
        """List the attempts of a campaign, newest first."""
        return self._api.rows(
            _LIST_CAMPAIGN_CAMPAIGNCALLS,
            {"id": id},
            {
                "outdial_target_id": outdial_target_id,
                "status": status,
                "deleted": deleted,
                "page_size": page_size,
                "page_token": page_token,
            },
        )

    async def get_stats(self, id: str) -> CampaignStats:
        """Read where a campaign stands, in numbers."""
        return await self._api.call(_GET_CAMPAIGN_STATS, {"id": id}, {})
