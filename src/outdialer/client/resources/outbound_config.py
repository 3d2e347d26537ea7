"""Where a customer's calls may go. It is kept here; campaigns do not look at it in this release.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import Sequence

from outdialer.client.exchange import Operation
from outdialer.client.resources.shared import OutboundConfig
from outdialer.client.transport import AsyncResource, Resource

_GET_OUTBOUND_CONFIG = Operation("GET", "/v1.0/outbound_config", OutboundConfig)
_UPDATE_OUTBOUND_CONFIG = Operation("PUT", "/v1.0/outbound_config", OutboundConfig)


class OutboundConfigApi(Resource):
    """Where a customer's calls may go. It is kept here; campaigns do not look at it in this release.

    For a client that blocks.
    """

    def get(self) -> OutboundConfig:
        """Read where the customer's calls may go."""
        return self._api.call(_GET_OUTBOUND_CONFIG, {}, {})

    def update(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        destination_whitelist: Sequence[str] | None = None,
        codecs: str | None = None,
        default_outgoing_source_number_id: str | None = None,
        if_match: str | None = None,
    ) -> OutboundConfig:
        """Change where the customer's calls may go; the first time makes it.

        default_outgoing_source_number_id: A UUID; "" or the nil UUID: not set.

        if_match: the ``etag`` of the object as it was read.
        """
        return self._api.call(
            _UPDATE_OUTBOUND_CONFIG,
            {},
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


class AsyncOutboundConfigApi(AsyncResource):
    """Where a customer's calls may go. It is kept here; campaigns do not look at it in this release.

    For a client that awaits.
    """

    async def get(self) -> OutboundConfig:
        """Read where the customer's calls may go."""
        return await self._api.call(_GET_OUTBOUND_CONFIG, {}, {})

    async def update(
        self,
        *,
        name: str | None = None,
        detail: str | None = None,
        destination_whitelist: Sequence[str] | None = None,
        codecs: str | None = None,
        default_outgoing_source_number_id: str | None = None,
        if_match: str | None = None,
    ) -> OutboundConfig:
        """Change where the customer's calls may go; the first time makes it."""
        return await self._api.call(
            _UPDATE_OUTBOUND_CONFIG,
            {},
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
