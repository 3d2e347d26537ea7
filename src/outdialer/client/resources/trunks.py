"""How customers' exchanges prove who they are. They are kept here; calls that come in are not part of this release.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Trunk(Versioned, kw_only=True):
    """How a customer's exchange proves who it is. The password is never shown."""

    id: str
    customer_id: str
    name: str
    detail: str
    domain_name: str
    auth_types: list[str]
    username: str
    password: str
    """Always empty."""
    allowed_ips: list[str]
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_TRUNK = Operation("POST", "/v1.0/trunks", Trunk)
_LIST_TRUNKS = Operation("GET", "/v1.0/trunks", Page[Trunk])
_GET_TRUNK = Operation("GET", "/v1.0/trunks/{id}", Trunk)
_UPDATE_TRUNK = Operation("PUT", "/v1.0/trunks/{id}", Trunk)
_DELETE_TRUNK = Operation("DELETE", "/v1.0/trunks/{id}", Trunk)


class TrunksApi(Resource):
    """How customers' exchanges prove who they are. They are kept here; calls that come in are not part of this
    release.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        auth_types: Sequence[Literal["basic", "ip"]] | None = None,
        username: str | None = None,
        password: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        domain_name: str | None = None,
    ) -> Trunk:
        """Create a trunk.

        password: Never shown again; "" keeps the old one.

        allowed_ips: Addresses or networks.
        """
        return self._api.call(
            _CREATE_TRUNK,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "auth_types": auth_types,
                "username": username,
                "password": password,
                "allowed_ips": allowed_ips,
                "domain_name": domain_name,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Trunk]:
        """List trunks, newest first."""
        return self._api.rows(_LIST_TRUNKS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Trunk:
        """Read a trunk, deleted or not."""
        return self._api.call(_GET_TRUNK, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        auth_types: Sequence[Literal["basic", "ip"]] | None = None,
        username: str | None = None,
        password: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        if_match: str | None = None,
    ) -> Trunk:
        """Change a trunk.

        password: Never shown again; "" keeps the old one.

        allowed_ips: Addresses or networks.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_TRUNK,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "auth_types": auth_types,
                "username": username,
                "password": password,
                "allowed_ips": allowed_ips,
            },
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Trunk:
        """Delete a trunk; its domain is free again.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_TRUNK, {"id": id}, {}, if_match=if_match)


class AsyncTrunksApi(AsyncResource):
    """How customers' exchanges prove who they are. They are kept here; calls that come in are not part of this
    release.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        auth_types: Sequence[Literal["basic", "ip"]] | None = None,
        username: str | None = None,
        password: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        domain_name: str | None = None,
    ) -> Trunk:
        """Create a trunk."""
        return await self._api.call(
            _CREATE_TRUNK,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "auth_types": auth_types,
                "username": username,
                "password": password,
                "allowed_ips": allowed_ips,
                "domain_name": domain_name,
            },
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Trunk]:
        """List trunks, newest first."""
        return self._api.rows(_LIST_TRUNKS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Trunk:
        """Read a trunk, deleted or not."""
        return await self._api.call(_GET_TRUNK, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        auth_types: Sequence[Literal["basic", "ip"]] | None = None,
        username: str | None = None,
        password: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        if_match: str | None = None,
    ) -> Trunk:
        """Change a trunk."""
        return await self._api.call(
            _UPDATE_TRUNK,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "auth_types": auth_types,
                "username": username,
                "password": password,
                "allowed_ips": allowed_ips,
            },
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Trunk:
        """Delete a trunk; its domain is free again."""
        return await self._api.call(_DELETE_TRUNK, {"id": id}, {}, if_match=if_match)
