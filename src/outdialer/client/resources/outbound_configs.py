"""Where the calls of every customer may go. They are kept here; campaigns do not look at them in this release.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.shared import OutboundConfig
from outdialer.client.transport import AsyncResource, Resource

_CREATE_OUTBOUND_CONFIG = Operation("POST", "/v1.0/outbound_configs", OutboundConfig)
_LIST_OUTBOUND_CONFIGS = Operation("GET", "/v1.0/outbound_configs", Page[OutboundConfig])
_GET_OUTBOUND_CONFIG_BY_ID = Operation("GET", "/v1.0/outbound_configs/{id}", OutboundConfig)
_UPDATE_OUTBOUND_CONFIG_BY_ID = Operation("PUT", "/v1.0/outbound_configs/{id}", OutboundConfig)
_DELETE_OUTBOUND_CONFIG = Operation("DELETE", "/v1.0/outbound_configs/{id}", OutboundConfig)


class OutboundConfigsApi(Resource):
    """Where the calls of every customer may go. They are kept here; campaigns do not look at them in this release.

    For a client that blocks.
    """

    def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        destination_whitelist: Sequence[str] | None = None,
        codecs: str | None = None,
        default_outgoing_source_number_id: str | None = None,
    ) -> OutboundConfig:
        """Create the outbound config of the customer that the credential belongs to, which has one at most.

        default_outgoing_source_number_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_OUTBOUND_CONFIG,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "destination_whitelist": destination_whitelist,
                "codecs": codecs,
                "default_outgoing_source_number_id": default_outgoing_source_number_id,
            },
        )

    def list(
        self, *, customer_id: str | None = None, page_size: int | None = None, page_token: str | None = None
    ) -> Iterator[OutboundConfig]:
        """List the outbound configs of all customers, newest first."""
        return self._api.rows(
            _LIST_OUTBOUND_CONFIGS, {}, {"customer_id": customer_id, "page_size": page_size, "page_token": page_token}
        )

    def get_by_id(self, id: str) -> OutboundConfig:
        """Read an outbound config, deleted or not."""
        return self._api.call(_GET_OUTBOUND_CONFIG_BY_ID, {"id": id}, {})

    def update_by_id(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        destination_whitelist: Sequence[str] | None = None,
        codecs: str | None = None,
        default_outgoing_source_number_id: str | None = None,
        if_match: str | None = None,
    ) -> OutboundConfig:
        """Change an outbound config.

        default_outgoing_source_number_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_OUTBOUND_CONFIG_BY_ID,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "destination_whitelist": destination_whitelist,
                "codecs": codecs,
                "default_outgoing_source_number_id": default_outgoing_source_number_id,
            },
            if_match=if_match,
        )

    def delete(self, id: str, *, if_match: str | None = None) -> OutboundConfig:
        """Delete an outbound config; a second time changes nothing.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(_DELETE_OUTBOUND_CONFIG, {"id": id}, {}, if_match=if_match)


class AsyncOutboundConfigsApi(AsyncResource):
    """Where the calls of every customer may go. They are kept here; campaigns do not look at them in this release.

    For a client that awaits.
    """

    async def create(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        destination_whitelist: Sequence[str] | None = None,
        codecs: str | None = None,
        default_outgoing_source_number_id: str | None = None,
    ) -> OutboundConfig:
        """Create the outbound config of the customer that the credential belongs to, which has one at most."""
        return await self._api.call(
            _CREATE_OUTBOUND_CONFIG,
            {},
            {},
            {
                "name": name,
                "detail": detail,
                "destination_whitelist": destination_whitelist,
                "codecs": codecs,
                "default_outgoing_source_number_id": default_outgoing_source_number_id,
            },
        )

    def list(
        self, *, customer_id: str | None = None, page_size: int | None = None, page_token: str | None = None
    ) -> AsyncIterator[OutboundConfig]:
        """List the outbound configs of all customers, newest first."""
        return self._api.rows(
            _LIST_OUTBOUND_CONFIGS, {}, {"customer_id": customer_id, "page_size": page_size, "page_token": page_token}
        )

    async def get_by_id(self, id: str) -> OutboundConfig:
        """Read an outbound config, deleted or not."""
        return await self._api.call(_GET_OUTBOUND_CONFIG_BY_ID, {"id": id}, {})

    async def update_by_id(
        self,
        id: str,
        *,
        name: str | None = None,
        detail: str | None = None,
        destination_whitelist: Sequence[str] | None = None,
        codecs: str | None = None,
        default_outgoing_source_number_id: str | None = None,
        if_match: str | None = None,
    ) -> OutboundConfig:
        """Change an outbound config."""
        return await self._api.call(
            _UPDATE_OUTBOUND_CONFIG_BY_ID,
            {"id": id},
            {},
            {
                "name": name,
                "detail": detail,
                "destination_whitelist": destination_whitelist,
                "codecs": codecs,
                "default_outgoing_source_number_id": default_outgoing_source_number_id,
            },
            if_match=if_match,
        )

    async def delete(self, id: str, *, if_match: str | None = None) -> OutboundConfig:
        """Delete an outbound config; a second time changes nothing."""
        return await self._api.call(_DELETE_OUTBOUND_CONFIG, {"id": id}, {}, if_match=if_match)
