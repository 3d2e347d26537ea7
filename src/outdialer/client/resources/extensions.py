"""Phones that register. They are kept here; registering them is not part of this release.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.transport import AsyncResource, Resource


class Extension(Versioned, kw_only=True):
    """A phone that registers. The password is never shown."""

    id: str
    customer_id: str
    name: str
    detail: str
    extension: str
    domain_name: str
    """The customer's id."""
    username: str
    password: str
    """Always empty."""
    direct_hash: str
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_CREATE_EXTENSION = Operation("POST", "/v1.0/extensions", Extension)
_LIST_EXTENSIONS = Operation("GET", "/v1.0/extensions", Page[Extension])
_GET_EXTENSION = Operation("GET", "/v1.0/extensions/{id}", Extension)
_UPDATE_EXTENSION = Operation("PUT", "/v1.0/extensions/{id}", Extension)
_DELETE_EXTENSION = Operation("DELETE", "/v1.0/extensions/{id}", Extension)
_REGENERATE_EXTENSION_DIRECT_HASH = Operation("POST", "/v1.0/extensions/{id}/direct-hash-regenerate", Extension)


class ExtensionsApi(Resource):
    """Phones that register. They are kept here; registering them is not part of this release.

    For a client that blocks.
    """

    def create(self, *, password: str, extension: str, name: str | None = None, detail: str | None = None) -> Extension:
        """Create an extension.

        password: Never shown again.

        extension: Its number or name: letters, digits, ``.``, ``_``, ``-``.
        """
        return self._api.call(
            _CREATE_EXTENSION, {}, {}, {"password": password, "extension": extension, "name": name, "detail": detail}
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Extension]:
        """List extensions, newest first."""
        return self._api.rows(
            _LIST_EXTENSIONS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token}
        )

    def get(self, id: str) -> Extension:
        """Read an extension, deleted or not."""
        return self._api.call(_GET_EXTENSION, {"id": id}, {})

    def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        password: str | None = None,
        if_match: str | None = None,
    ) -> Extension:
        """Change an extension.

        password: Never shown again; "" keeps the old one.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_EXTENSION, {"id": id}, {}, {"name": name, "detail": detail, "password": password}, if_match=if_match
        )

    def delete(self, id: str, *, if_match: str | None = None) -> Extension:
        """Delete an extension; its number is free again.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_EXTENSION, {"id": id}, {}, if_match=if_match)

    def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Extension:
        """Give an extension a new shortcut.

        It is kept for calls that come in, which are not part of this release.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_REGENERATE_EXTENSION_DIRECT_HASH, {"id": id}, {}, if_match=if_match)


class AsyncExtensionsApi(AsyncResource):
    """Phones that register. They are kept here; registering them is not part of this release.

    For a client that awaits.
    """

    async def create(
        self, *, password: str, extension: str, name: str | None = None, detail: str | None = None
    ) -> Extension:
        """Create an extension."""
        return await self._api.call(
            _CREATE_EXTENSION, {}, {}, {"password": password, "extension": extension, "name": name, "detail": detail}
        )

    def list(
        self,
        *,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Extension]:
        """List extensions, newest first."""
        return self._api.rows(
            _LIST_EXTENSIONS, {}, {"deleted": deleted, "page_size": page_size, "page_token": page_token}
        )

    async def get(self, id: str) -> Extension:
        """Read an extension, deleted or not."""
        return await self._api.call(_GET_EXTENSION, {"id": id}, {})

    async def update(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        password: str | None = None,
        if_match: str | None = None,
    ) -> Extension:
        """Change an extension."""
        return await self._api.call(
            _UPDATE_EXTENSION, {"id": id}, {}, {"name": name, "detail": detail, "password": password}, if_match=if_match
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> Extension:
        """Delete an extension; its number is free again."""
        return await self._api.call(_DELETE_EXTENSION, {"id": id}, {}, if_match=if_match)

    async def regenerate_direct_hash(self, id: str, *, if_match: str | None = None) -> Extension:
        """Give an extension a new shortcut."""
        return await self._api.call(_REGENERATE_EXTENSION_DIRECT_HASH, {"id": id}, {}, if_match=if_match)
