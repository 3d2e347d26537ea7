"""Every tenant, for whoever runs the installation. A tenant dials through its routes alone: until one leads to a
provider, its campaigns wait for ``trunk``.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page, Versioned
from outdialer.client.resources.accesskeys import Accesskey
from outdialer.client.resources.shared import CustomerMetadata
from outdialer.client.transport import AsyncResource, Resource


class Customer(Versioned, kw_only=True):
    """A tenant. What is empty is left out, except ids, switches and times."""

    id: str
    name: str = ""
    detail: str = ""
    email: str = ""
    phone_number: str = ""
    address: str = ""
    webhook_method: str = ""
    webhook_uri: str = ""
    webhook_secret: str = ""
    """Signs webhooks; for admins."""
    billing_account_id: str
    metadata: CustomerMetadata
    email_verified: bool
    status: str
    """``frozen``: its deletion is scheduled."""
    identity_verification_status: str
    """Nothing is verified here."""
    tm_deletion_scheduled: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


class CustomerCreated(Struct, frozen=True, kw_only=True):
    """A new customer, and its first access key, whose token is shown here and nowhere else."""

    id: str
    name: str = ""
    detail: str = ""
    email: str = ""
    phone_number: str = ""
    address: str = ""
    webhook_method: str = ""
    webhook_uri: str = ""
    webhook_secret: str = ""
    """Signs webhooks; for admins."""
    billing_account_id: str
    metadata: CustomerMetadata
    email_verified: bool
    status: str
    """``frozen``: its deletion is scheduled."""
    identity_verification_status: str
    """Nothing is verified here."""
    tm_deletion_scheduled: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None
    accesskey: Accesskey | None = None


_CREATE_CUSTOMER = Operation("POST", "/v1.0/customers", CustomerCreated)
_LIST_CUSTOMERS = Operation("GET", "/v1.0/customers", Page[Customer])
_GET_CUSTOMER_BY_ID = Operation("GET", "/v1.0/customers/{id}", Customer)
_UPDATE_CUSTOMER_BY_ID = Operation("PUT", "/v1.0/customers/{id}", Customer)
_DELETE_CUSTOMER = Operation("DELETE", "/v1.0/customers/{id}", Customer)
_RECOVER_CUSTOMER = Operation("POST", "/v1.0/customers/{id}/recover", Customer)


class CustomersApi(Resource):
    """Every tenant, for whoever runs the installation. A tenant dials through its routes alone: until one leads to a
    provider, its campaigns wait for ``trunk``.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        email: str | None = None,
        phone_number: str | None = None,
        address: str | None = None,
        webhook_method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        webhook_uri: str | None = None,
        username: str | None = None,
        password: str | None = None,
        accesskey: bool | None = None,
    ) -> CustomerCreated:
        """Create a customer with a first access key, a first agent, or both.

        username: An e-mail address.

        password: Kept as an argon2id hash; never shown.

        accesskey: Whether to make a first access key; true if left out.
        """
        return self._api.call(
            _CREATE_CUSTOMER,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "email": email,
                "phone_number": phone_number,
                "address": address,
                "webhook_method": webhook_method,
                "webhook_uri": webhook_uri,
                "username": username,
                "password": password,
                "accesskey": accesskey,
            },
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Customer]:
        """List customers, deleted ones too, newest first."""
        return self._api.rows(_LIST_CUSTOMERS, {}, {"page_size": page_size, "page_token": page_token})

    def get_by_id(self, id: str) -> Customer:
        """Read a customer, deleted or not."""
        return self._api.call(_GET_CUSTOMER_BY_ID, {"id": id}, {})

    def update_by_id(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        email: str | None = None,
        phone_number: str | None = None,
        address: str | None = None,
        webhook_method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        webhook_uri: str | None = None,
        if_match: str | None = None,
    ) -> Customer:
        """Change a customer.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CUSTOMER_BY_ID,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "email": email,
                "phone_number": phone_number,
                "address": address,
                "webhook_method": webhook_method,
                "webhook_uri": webhook_uri,
            },
            if_match=if_match,
        )

    def delete(self, id: str) -> Customer:
        """Freeze a customer, which is deleted after 30 days.

        Its campaigns stop at once, and its credentials open nothing but ``DELETE /auth/unregister``.
        """
        return self._api.call(_DELETE_CUSTOMER, {"id": id}, {})

    def recover(self, id: str) -> Customer:
        """Take the deletion of a frozen customer back. Its campaigns stay stopped."""
        return self._api.call(_RECOVER_CUSTOMER, {"id": id}, {})


class AsyncCustomersApi(AsyncResource):
    """Every tenant, for whoever runs the installation. A tenant dials through its routes alone: until one leads to a
    provider, its campaigns wait for ``trunk``.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        email: str | None = None,
        phone_number: str | None = None,
        address: str | None = None,
        webhook_method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        webhook_uri: str | None = None,
        username: str | None = None,
        password: str | None = None,
        accesskey: bool | None = None,
    ) -> CustomerCreated:
        """Create a customer with a first access key, a first agent, or both."""
        return await self._api.call(
            _CREATE_CUSTOMER,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "email": email,
                "phone_number": phone_number,
                "address": address,
                "webhook_method": webhook_method,
                "webhook_uri": webhook_uri,
                "username": username,
                "password": password,
                "accesskey": accesskey,
            },
        )

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Customer]:
        """List customers, deleted ones too, newest first."""
        return self._api.rows(_LIST_CUSTOMERS, {}, {"page_size": page_size, "page_token": page_token})

    async def get_by_id(self, id: str) -> Customer:
        """Read a customer, deleted or not."""
        return await self._api.call(_GET_CUSTOMER_BY_ID, {"id": id}, {})

    async def update_by_id(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        email: str | None = None,
        phone_number: str | None = None,
        address: str | None = None,
        webhook_method: Literal["", "DELETE", "GET", "POST", "PUT"] | None = None,
        webhook_uri: str | None = None,
        if_match: str | None = None,
    ) -> Customer:
        """Change a customer."""
        return await self._api.call(
            _UPDATE_CUSTOMER_BY_ID,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "email": email,
                "phone_number": phone_number,
                "address": address,
                "webhook_method": webhook_method,
                "webhook_uri": webhook_uri,
            },
            if_match=if_match,
        )

    async def delete(self, id: str) -> Customer:
        """Freeze a customer, which is deleted after 30 days."""
        return await self._api.call(_DELETE_CUSTOMER, {"id": id}, {})

    async def recover(self, id: str) -> Customer:
        """Take the deletion of a frozen customer back. Its campaigns stay stopped."""
        return await self._api.call(_RECOVER_CUSTOMER, {"id": id}, {})
