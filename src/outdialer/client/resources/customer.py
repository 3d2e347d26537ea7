"""The tenant that owns everything a credential opens.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from typing import Literal

from outdialer.client.exchange import Operation
from outdialer.client.resources.customers import Customer
from outdialer.client.transport import AsyncResource, Resource

_GET_CUSTOMER = Operation("GET", "/v1.0/customer", Customer)
_UPDATE_CUSTOMER = Operation("PUT", "/v1.0/customer", Customer)
_UPDATE_CUSTOMER_METADATA = Operation("PUT", "/v1.0/customer/metadata", Customer)
_UPDATE_CUSTOMER_BILLING_ACCOUNT_ID = Operation("PUT", "/v1.0/customer/billing_account_id", Customer)


class CustomerApi(Resource):
    """The tenant that owns everything a credential opens.

    For a client that blocks.
    """

    def get(self) -> Customer:
        """Read the customer that the credential belongs to."""
        return self._api.call(_GET_CUSTOMER, {}, {})

    def update(
        self,
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
        """Change the customer.

        Events are delivered to its webhook_uri from then on; a new one is enabled, see the webhooks. "" ends that.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CUSTOMER,
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
            },
            if_match=if_match,
        )

    def update_metadata(self, *, rtp_debug: bool | None = None, if_match: str | None = None) -> Customer:
        """Change the customer's switches.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_UPDATE_CUSTOMER_METADATA, {}, {}, {"rtp_debug": rtp_debug}, if_match=if_match)

    def update_billing_account_id(
        self, *, billing_account_id: str | None = None, if_match: str | None = None
    ) -> Customer:
        """Change which account the customer is billed to.

        billing_account_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_CUSTOMER_BILLING_ACCOUNT_ID, {}, {}, {"billing_account_id": billing_account_id}, if_match=if_match
        )


class AsyncCustomerApi(AsyncResource):
    """The tenant that owns everything a credential opens.

    For a client that awaits.
    """

    async def get(self) -> Customer:
        """Read the customer that the credential belongs to."""
        return await self._api.call(_GET_CUSTOMER, {}, {})

    async def update(
        self,
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
        """Change the customer."""
        return await self._api.call(
            _UPDATE_CUSTOMER,
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
            },
            if_match=if_match,
        )

    async def update_metadata(self, *, rtp_debug: bool | None = None, if_match: str | None = None) -> Customer:
        """Change the customer's switches."""
        return await self._api.call(_UPDATE_CUSTOMER_METADATA, {}, {}, {"rtp_debug": rtp_debug}, if_match=if_match)

    async def update_billing_account_id(
        self, *, billing_account_id: str | None = None, if_match: str | None = None
    ) -> Customer:
        """Change which account the customer is billed to."""
        return await self._api.call(
            _UPDATE_CUSTOMER_BILLING_ACCOUNT_ID, {}, {}, {"billing_account_id": billing_account_id}, if_match=if_match
        )
