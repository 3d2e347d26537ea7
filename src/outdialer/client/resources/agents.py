"""People who take calls or run the place.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.resources.shared import Address, AddressBody
from outdialer.client.transport import AsyncResource, Resource


class Agent(Versioned, kw_only=True):
    """A person who takes calls or runs the place. Times that are not set are left out."""

    id: str
    customer_id: str
    username: str
    name: str
    detail: str
    ring_method: str
    status: str
    permission: int
    tag_ids: list[str]
    addresses: list[Address]
    direct_hash: str
    tm_create: datetime | None = None
    """RFC 3339, six digits, UTC."""
    tm_update: datetime | None = None
    """RFC 3339, six digits, UTC."""
    tm_delete: datetime | None = None
    """RFC 3339, six digits, UTC."""


_CREATE_AGENT = Operation("POST", "/v1.0/agents", Agent)
_LIST_AGENTS = Operation("GET", "/v1.0/agents", Page[Agent])
_GET_AGENT = Operation("GET", "/v1.0/agents/{id}", Agent)
_UPDATE_AGENT = Operation("PUT", "/v1.0/agents/{id}", Agent)
_DELETE_AGENT = Operation("DELETE", "/v1.0/agents/{id}", Agent)
_UPDATE_AGENT_ADDRESSES = Operation("PUT", "/v1.0/agents/{id}/addresses", Agent)
_UPDATE_AGENT_TAG_IDS = Operation("PUT", "/v1.0/agents/{id}/tag_ids", Agent)
_UPDATE_AGENT_STATUS = Operation("PUT", "/v1.0/agents/{id}/status", Agent)
_UPDATE_AGENT_PERMISSION = Operation("PUT", "/v1.0/agents/{id}/permission", Agent)
_UPDATE_AGENT_PASSWORD = Operation("PUT", "/v1.0/agents/{id}/password", Agent)
_REGENERATE_AGENT_DIRECT_HASH = Operation("POST", "/v1.0/agents/{id}/direct-hash-regenerate", Agent)
_GET_ME = Operation("GET", "/v1.0/me", Agent)


class AgentsApi(Resource):
    """People who take calls or run the place.

    For a client that blocks.
    """

    def create(
        self,
        *,
        username: str,
        password: str,
        name: str | None = None,
        detail: str | None = None,
        ring_method: Literal["", "ringall"] | None = None,
        permission: Literal[0, 1, 15, 16, 32, 64, 240, 256, 512, 65535] | None = None,
        tag_ids: Sequence[str] | None = None,
        addresses: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
    ) -> Agent:
        """Create an agent.

        Nobody can hand out more than their own permission.

        ring_method: ``ringall``.

        username: An e-mail address, unique over all customers.

        password: Kept as an argon2id hash; never shown.

        permission: 0, 1, 15, 16 (agent), 32 (admin), 64 (manager), 240, 256 (operator), 512 (viewer) or 65535
        (all).
        """
        return self._api.call(
            _CREATE_AGENT,
            {},
            {},
            {
                "username": username,
                "password": password,
                "name": name,
                "detail": detail,
                "ring_method": ring_method,
                "permission": permission,
                "tag_ids": tag_ids,
                "addresses": addresses,
            },
        )

    def list(
        self,
        *,
        tag_ids: str | None = None,
        status: Literal["available", "away", "busy", "offline", "ringing", ""] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Agent]:
        """List agents, newest first."""
        return self._api.rows(
            _LIST_AGENTS, {}, {"tag_ids": tag_ids, "status": status, "page_size": page_size, "page_token": page_token}
        )

    def get(self, id: str) -> Agent:
        """Read an agent, deleted or not; agents may read themselves."""
        return self._api.call(_GET_AGENT, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        ring_method: Literal["", "ringall"] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change an agent's name, detail and ring method; agents may change their own.

        ring_method: ``ringall``.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_AGENT,
            {"id": id},
            {},
            {"name": name, "detail": detail, "ring_method": ring_method},
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Agent:
        """Delete an agent, whose tokens end; the last admin stays.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_AGENT, {"id": id}, {}, if_match=if_match)

    def update_addresses(
        self,
        id: str,
        *,
        addresses: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change where an agent is rung.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_AGENT_ADDRESSES, {"id": id}, {}, {"addresses": addresses}, if_match=if_match)

    def update_tag_ids(self, id: str, *, tag_ids: Sequence[str] | None = None, if_match: str | None = None) -> Agent:
        """Change an agent's skills and teams.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_AGENT_TAG_IDS, {"id": id}, {}, {"tag_ids": tag_ids}, if_match=if_match)

    def update_status(
        self,
        id: str,
        *,
        status: Literal["", "available", "away", "busy", "offline", "ringing"] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change whether an agent takes calls; agents may change their own.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_AGENT_STATUS, {"id": id}, {}, {"status": status}, if_match=if_match)

    def update_permission(
        self,
        id: str,
        *,
        permission: Literal[0, 1, 15, 16, 32, 64, 240, 256, 512, 65535] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change what an agent may do.

        The last admin stays one.

        permission: 0, 1, 15, 16 (agent), 32 (admin), 64 (manager), 240, 256 (operator), 512 (viewer) or 65535
        (all).

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_AGENT_PERMISSION, {"id": id}, {}, {"permission": permission}, if_match=if_match)

    def update_password(self, id: str, *, password: str, if_match: str | None = None) -> Agent:
        """Change an agent's password: every token of the agent ends.

        password: Kept as an argon2id hash; never shown.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_AGENT_PASSWORD, {"id": id}, {}, {"password": password}, if_match=if_match)

    def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Agent:
        """Give an agent a new shortcut.

        It is kept for calls that come in, which are not part of this release.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_REGENERATE_AGENT_DIRECT_HASH, {"id": id}, {}, if_match=if_match)

    def get_me(self) -> Agent:
        """Read who sends this request.

        A program with an access key is shown as an agent that has the key's id, name and permission.
        """
        return self._api.call(_GET_ME, {}, {})


class AsyncAgentsApi(AsyncResource):
    """People who take calls or run the place.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        username: str,
        password: str,
        name: str | None = None,
        detail: str | None = None,
        ring_method: Literal["", "ringall"] | None = None,
        permission: Literal[0, 1, 15, 16, 32, 64, 240, 256, 512, 65535] | None = None,
        tag_ids: Sequence[str] | None = None,
        addresses: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
    ) -> Agent:
        """Create an agent."""
        return await self._api.call(
            _CREATE_AGENT,
            {},
            {},
            {
                "username": username,
                "password": password,
                "name": name,
                "detail": detail,
                "ring_method": ring_method,
                "permission": permission,
                "tag_ids": tag_ids,
                "addresses": addresses,
            },
        )

    def list(
        self,
        *,
        tag_ids: str | None = None,
        status: Literal["available", "away", "busy", "offline", "ringing", ""] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Agent]:
        """List agents, newest first."""
        return self._api.rows(
            _LIST_AGENTS, {}, {"tag_ids": tag_ids, "status": status, "page_size": page_size, "page_token": page_token}
        )

    async def get(self, id: str) -> Agent:
        """Read an agent, deleted or not; agents may read themselves."""
        return await self._api.call(_GET_AGENT, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        ring_method: Literal["", "ringall"] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change an agent's name, detail and ring method; agents may change their own."""
        return await self._api.call(
            _UPDATE_AGENT,
            {"id": id},
            {},
            {"name": name, "detail": detail, "ring_method": ring_method},
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Agent:
        """Delete an agent, whose tokens end; the last admin stays."""
        return await self._api.call(_DELETE_AGENT, {"id": id}, {}, if_match=if_match)

    async def update_addresses(
        self,
        id: str,
        *,
        addresses: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change where an agent is rung."""
        return await self._api.call(
            _UPDATE_AGENT_ADDRESSES, {"id": id}, {}, {"addresses": addresses}, if_match=if_match
        )

    async def update_tag_ids(
        self, id: str, *, tag_ids: Sequence[str] | None = None, if_match: str | None = None
    ) -> Agent:
        """Change an agent's skills and teams."""
        return await self._api.call(_UPDATE_AGENT_TAG_IDS, {"id": id}, {}, {"tag_ids": tag_ids}, if_match=if_match)

    async def update_status(
        self,
        id: str,
        *,
        status: Literal["", "available", "away", "busy", "offline", "ringing"] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change whether an agent takes calls; agents may change their own."""
        return await self._api.call(_UPDATE_AGENT_STATUS, {"id": id}, {}, {"status": status}, if_match=if_match)

    async def update_permission(
        self,
        id: str,
        *,
        permission: Literal[0, 1, 15, 16, 32, 64, 240, 256, 512, 65535] | None = None,
        if_match: str | None = None,
    ) -> Agent:
        """Change what an agent may do."""
        return await self._api.call(
            _UPDATE_AGENT_PERMISSION, {"id": id}, {}, {"permission": permission}, if_match=if_match
        )

    async def update_password(self, id: str, *, password: str, if_match: str | None = None) -> Agent:
        """Change an agent's password: every token of the agent ends."""
        return await self._api.call(_UPDATE_AGENT_PASSWORD, {"id": id}, {}, {"password": password}, if_match=if_match)

    async def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Agent:
        """Give an agent a new shortcut."""
        return await self._api.call(_REGENERATE_AGENT_DIRECT_HASH, {"id": id}, {}, if_match=if_match)

    async def get_me(self) -> Agent:
        """Read who sends this request."""
        return await self._api.call(_GET_ME, {}, {})
