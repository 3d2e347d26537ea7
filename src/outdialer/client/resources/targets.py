"""The people of a list.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.shared import Address, AddressBody
from outdialer.client.transport import AsyncResource, Resource


class RowError(Struct, frozen=True, kw_only=True):
    """Why a row was refused."""

    status: str
    reason: str
    field: str
    message: str


class RowResult(Struct, frozen=True, kw_only=True):
    """What became of one row: its target's id, or the error."""

    index: int
    id: str = ""
    error: RowError | None = None


class Target(Struct, frozen=True, kw_only=True):
    """A person of a list."""

    id: str
    outdial_id: str
    name: str
    detail: str
    data: str
    status: str
    done_reason: str
    """Why it is done."""
    due_reason: str
    """What ``tm_due`` stands for."""
    destination_0: Address
    destination_1: Address
    destination_2: Address
    destination_3: Address
    destination_4: Address
    try_count_0: int
    try_count_1: int
    try_count_2: int
    try_count_3: int
    try_count_4: int
    tm_due: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


class TargetBulkResult(Struct, frozen=True, kw_only=True):
    """What became of each row, in the order of the request."""

    result: list[RowResult]


class TargetCreate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person of a list: at least one destination that may be dialled."""

    name: str | None = None
    detail: str | None = None
    data: str | dict[str, Any] | None = None
    destination_0: AddressBody | None = None
    destination_1: AddressBody | None = None
    destination_2: AddressBody | None = None
    destination_3: AddressBody | None = None
    destination_4: AddressBody | None = None


_CREATE_TARGET = Operation("POST", "/v1.0/outdials/{id}/targets", Target)
_LIST_TARGETS = Operation("GET", "/v1.0/outdials/{id}/targets", Page[Target])
_CREATE_TARGETS_IN_BULK = Operation("POST", "/v1.0/outdials/{id}/targets/bulk", TargetBulkResult)
_GET_TARGET = Operation("GET", "/v1.0/outdials/{id}/targets/{target_id}", Target)
_DELETE_TARGET = Operation("DELETE", "/v1.0/outdials/{id}/targets/{target_id}", Target)


class TargetsApi(Resource):
    """The people of a list.

    For a client that blocks.
    """

    def create(
        self,
        outdial_id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        data: str | Mapping[str, Any] | None = None,
        destination_0: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_1: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_2: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_3: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_4: AddressBody | Address | Mapping[str, Any] | None = None,
    ) -> Target:
        """Add a person to a list.

        Due at once.

        data: Free data: text, or an object, which is stored as JSON text.
        """
        return self._api.call(
            _CREATE_TARGET,
            {"id": outdial_id},
            {},
            {
                "name": name,
                "detail": detail,
                "data": data,
                "destination_0": destination_0,
                "destination_1": destination_1,
                "destination_2": destination_2,
                "destination_3": destination_3,
                "destination_4": destination_4,
            },
        )

    def list(
        self,
        outdial_id: str,
        *,
        status: Literal["", "idle", "progressing", "done"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Target]:
        """List the people of a list, newest first."""
        return self._api.rows(
            _LIST_TARGETS,
            {"id": outdial_id},
            {"status": status, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    def create_in_bulk(
        self, outdial_id: str, *, targets: Sequence[TargetCreate | Mapping[str, Any]]
    ) -> TargetBulkResult:
        """Add up to 10,000 people to a list at once.

        The good rows are stored all together in one transaction; each bad row is reported with its index, the field
        and the reason.
        """
        return self._api.call(_CREATE_TARGETS_IN_BULK, {"id": outdial_id}, {}, {"targets": targets})

    def get(self, outdial_id: str, target_id: str) -> Target:
        """Read a person of a list, deleted or not."""
        return self._api.call(_GET_TARGET, {"id": outdial_id, "target_id": target_id}, {})

    def delete(self, outdial_id: str, target_id: str) -> Target:
        """Delete a person of a list.

        Not dialled from this moment on.
        """
        return self._api.call(_DELETE_TARGET, {"id": outdial_id, "target_id": target_id}, {})


class AsyncTargetsApi(AsyncResource):
    """The people of a list.

    For a client that awaits.
    """

    async def create(
        self,
        outdial_id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        data: str | Mapping[str, Any] | None = None,
        destination_0: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_1: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_2: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_3: AddressBody | Address | Mapping[str, Any] | None = None,
        destination_4: AddressBody | Address | Mapping[str, Any] | None = None,
    ) -> Target:
        """Add a person to a list."""
        return await self._api.call(
            _CREATE_TARGET,
            {"id": outdial_id},
            {},
            {
                "name": name,
                "detail": detail,
                "data": data,
                "destination_0": destination_0,
                "destination_1": destination_1,
                "destination_2": destination_2,
                "destination_3": destination_3,
                "destination_4": destination_4,
            },
        )

    def list(
        self,
        outdial_id: str,
        *,
        status: Literal["", "idle", "progressing", "done"] | None = None,
        deleted: Literal["", "false", "true"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Target]:
        """List the people of a list, newest first."""
        return self._api.rows(
            _LIST_TARGETS,
            {"id": outdial_id},
            {"status": status, "deleted": deleted, "page_size": page_size, "page_token": page_token},
        )

    async def create_in_bulk(
        self, outdial_id: str, *, targets: Sequence[TargetCreate | Mapping[str, Any]]
    ) -> TargetBulkResult:
        """Add up to 10,000 people to a list at once."""
        return await self._api.call(_CREATE_TARGETS_IN_BULK, {"id": outdial_id}, {}, {"targets": targets})

    async def get(self, outdial_id: str, target_id: str) -> Target:
        """Read a person of a list, deleted or not."""
        return await self._api.call(_GET_TARGET, {"id": outdial_id, "target_id": target_id}, {})

    async def delete(self, outdial_id: str, target_id: str) -> Target:
        """Delete a person of a list."""
        return await self._api.call(_DELETE_TARGET, {"id": outdial_id, "target_id": target_id}, {})
