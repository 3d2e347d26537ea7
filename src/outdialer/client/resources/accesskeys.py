"""Credentials of programs.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.transport import AsyncResource, Resource


class Accesskey(Struct, frozen=True, kw_only=True):
    """A credential of a program. Its token is in the answer to its creation, and nowhere else."""

    id: str
    customer_id: str
    name: str = ""
    detail: str = ""
    token: str = ""
    token_prefix: str = ""
    """Its first 11 characters."""
    tm_expire: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_ACCESSKEY = Operation("POST", "/v1.0/accesskeys", Accesskey)
_LIST_ACCESSKEYS = Operation("GET", "/v1.0/accesskeys", Page[Accesskey])
_GET_ACCESSKEY = Operation("GET", "/v1.0/accesskeys/{id}", Accesskey)
_UPDATE_ACCESSKEY = Operation("PUT", "/v1.0/accesskeys/{id}", Accesskey)
_DELETE_ACCESSKEY = Operation("DELETE", "/v1.0/accesskeys/{id}", Accesskey)


class AccesskeysApi(Resource):
    """Credentials of programs.

    For a client that blocks.
    """

    def create(self, *, name: str | None = None, detail: str | None = None, expire: int | None = None) -> Accesskey:
        """Create an access key.

        The answer shows its token; nothing shows it again.

        expire: Seconds until it opens nothing; a year if left out.
        """
        return self._api.call(_CREATE_ACCESSKEY, {}, {}, {"name": name, "detail": detail, "expire": expire})

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Accesskey]:
        """List access keys, newest first."""
        return self._api.rows(_LIST_ACCESSKEYS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Accesskey:
        """Read an access key, deleted or not."""
        return self._api.call(_GET_ACCESSKEY, {"id": id}, {})

    def update(self, id: str, *, name: str | None = None, detail: str | None = None) -> Accesskey:
        """Change the name and detail of an access key."""
        return self._api.call(_UPDATE_ACCESSKEY, {"id": id}, {}, {"name": name, "detail": detail})

    def delete(self, id: str) -> Accesskey:
        """Revoke an access key: it opens nothing from this moment on."""
        return self._api.call(_DELETE_ACCESSKEY, {"id": id}, {})


class AsyncAccesskeysApi(AsyncResource):
    """Credentials of programs.

    For a client that awaits.
    """

    async def create(
        self, *, name: str | None = None, detail: str | None = None, expire: int | None = None
    ) -> Accesskey:
        """Create an access key."""
        return await self._api.call(_CREATE_ACCESSKEY, {}, {}, {"name": name, "detail": detail, "expire": expire})

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Accesskey]:
        """List access keys, newest first."""
        return self._api.rows(_LIST_ACCESSKEYS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Accesskey:
        """Read an access key, deleted or not."""
        return await self._api.call(_GET_ACCESSKEY, {"id": id}, {})

    async def update(self, id: str, *, name: str | None = None, detail: str | None = None) -> Accesskey:
        """Change the name and detail of an access key."""
        return await self._api.call(_UPDATE_ACCESSKEY, {"id": id}, {}, {"name": name, "detail": detail})

    async def delete(self, id: str) -> Accesskey:
        """Revoke an access key: it opens nothing from this moment on."""
        return await self._api.call(_DELETE_ACCESSKEY, {"id": id}, {})
