"""Credentials of programs.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Accesskey(Versioned, kw_only=True):
    """A credential of a program. Its token is in the answer to its creation or rotation, and nowhere else."""

    id: str
    customer_id: str
    name: str = ""
    detail: str = ""
    token: str = ""
    token_prefix: str = ""
    """Its first 11 characters."""
    permission: int
    """What it may do, as of agents."""
    allowed_ips: list[str]
    tm_expire: datetime | None
    tm_old_expire: datetime | None
    tm_last_use: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_ACCESSKEY = Operation("POST", "/v1.0/accesskeys", Accesskey)
_LIST_ACCESSKEYS = Operation("GET", "/v1.0/accesskeys", Page[Accesskey])
_GET_ACCESSKEY = Operation("GET", "/v1.0/accesskeys/{id}", Accesskey)
_UPDATE_ACCESSKEY = Operation("PUT", "/v1.0/accesskeys/{id}", Accesskey)
_DELETE_ACCESSKEY = Operation("DELETE", "/v1.0/accesskeys/{id}", Accesskey)
_ROTATE_ACCESSKEY = Operation("POST", "/v1.0/accesskeys/{id}/rotate", Accesskey)


class AccesskeysApi(Resource):
    """Credentials of programs.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        expire: int | None = None,
        permission: Literal[0, 1, 15, 16, 32, 64, 240, 256, 512, 65535] | None = None,
    ) -> Accesskey:
        """Create an access key.

        The answer shows its token; nothing shows it again. It can be given no more than its maker may do.

        allowed_ips: Networks (``192.0.2.0/24``, ``2001:db8::/32``) or addresses from which it opens anything;
        empty: from everywhere.

        expire: Seconds from now until it opens nothing.

        permission: 0, 1, 15, 16 (agent), 32 (admin), 64 (manager), 240, 256 (operator), 512 (viewer) or 65535
        (all).
        """
        return self._api.call(
            _CREATE_ACCESSKEY,
            {},
            {},
            {"name": name, "detail": detail, "allowed_ips": allowed_ips, "expire": expire, "permission": permission},
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Accesskey]:
        """List access keys, newest first."""
        return self._api.rows(_LIST_ACCESSKEYS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Accesskey:
        """Read an access key, deleted or not."""
        return self._api.call(_GET_ACCESSKEY, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        if_match: str | None = None,
    ) -> Accesskey:
        """Change an access key's name, detail and networks.

        allowed_ips: Networks (``192.0.2.0/24``, ``2001:db8::/32``) or addresses from which it opens anything;
        empty: from everywhere.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_ACCESSKEY,
            {"id": id},
            {},
            {"name": name, "detail": detail, "allowed_ips": allowed_ips},
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Accesskey:
        """Revoke an access key: neither of its tokens opens anything from this moment on.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_ACCESSKEY, {"id": id}, {}, if_match=if_match)

    def rotate(
        self, id: str, *, grace: int | None = None, expire: int | None = None, if_match: str | None = None
    ) -> Accesskey:
        """Give an access key another token.

        The answer shows it; nothing shows it again. The token of before works for ``grace`` seconds more; one
        before that ends at once.

        grace: Seconds for which the token of before works too; a day if left out, 0: it ends at once.

        expire: Seconds from now until it opens nothing.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_ROTATE_ACCESSKEY, {"id": id}, {}, {"grace": grace, "expire": expire}, if_match=if_match)


class AsyncAccesskeysApi(AsyncResource):
    """Credentials of programs.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        expire: int | None = None,
        permission: Literal[0, 1, 15, 16, 32, 64, 240, 256, 512, 65535] | None = None,
    ) -> Accesskey:
        """Create an access key."""
        return await self._api.call(
            _CREATE_ACCESSKEY,
            {},
            {},
            {"name": name, "detail": detail, "allowed_ips": allowed_ips, "expire": expire, "permission": permission},
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Accesskey]:
        """List access keys, newest first."""
        return self._api.rows(_LIST_ACCESSKEYS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Accesskey:
        """Read an access key, deleted or not."""
        return await self._api.call(_GET_ACCESSKEY, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        allowed_ips: Sequence[str] | None = None,
        if_match: str | None = None,
    ) -> Accesskey:
        """Change an access key's name, detail and networks."""
        return await self._api.call(
            _UPDATE_ACCESSKEY,
            {"id": id},
            {},
            {"name": name, "detail": detail, "allowed_ips": allowed_ips},
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Accesskey:
        """Revoke an access key: neither of its tokens opens anything from this moment on."""
        return await self._api.call(_DELETE_ACCESSKEY, {"id": id}, {}, if_match=if_match)

    async def rotate(
        self, id: str, *, grace: int | None = None, expire: int | None = None, if_match: str | None = None
    ) -> Accesskey:
        """Give an access key another token."""
        return await self._api.call(
            _ROTATE_ACCESSKEY, {"id": id}, {}, {"grace": grace, "expire": expire}, if_match=if_match
        )
