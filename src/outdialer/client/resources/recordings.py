"""What was recorded of calls.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.transport import AsyncResource, Resource


class Recording(Struct, frozen=True, kw_only=True):
    """What was recorded of a call."""

    id: str
    customer_id: str
    owner_type: str
    owner_id: str
    reference_type: str
    reference_id: str
    status: str
    format: str
    activeflow_id: str
    on_end_flow_id: str
    tm_start: datetime | None
    tm_end: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


_LIST_RECORDINGS = Operation("GET", "/v1.0/recordings", Page[Recording])
_GET_RECORDING = Operation("GET", "/v1.0/recordings/{id}", Recording)
_DELETE_RECORDING = Operation("DELETE", "/v1.0/recordings/{id}", Recording)
_GET_RECORDING_FILE = Operation("GET", "/v1.0/recordingfiles/{id}", bytes)


class RecordingsApi(Resource):
    """What was recorded of calls.

    For a client that blocks.
    """

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> Iterator[Recording]:
        """List recordings; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs recording.
        """
        return self._api.rows(_LIST_RECORDINGS, {}, {"page_size": page_size, "page_token": page_token})

    def get(self, id: str) -> Recording:
        """Read a recording; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs recording.
        """
        return self._api.call(_GET_RECORDING, {"id": id}, {})

    def delete(self, id: str) -> Recording:
        """Delete a recording; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs recording.
        """
        return self._api.call(_DELETE_RECORDING, {"id": id}, {})

    def get_file(self, id: str) -> bytes:
        """Fetch the sound of a recording; there are none yet.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs recording.
        """
        return self._api.call(_GET_RECORDING_FILE, {"id": id}, {})


class AsyncRecordingsApi(AsyncResource):
    """What was recorded of calls.

    For a client that awaits.
    """

    def list(self, *, page_size: int | None = None, page_token: str | None = None) -> AsyncIterator[Recording]:
        """List recordings; there are none yet."""
        return self._api.rows(_LIST_RECORDINGS, {}, {"page_size": page_size, "page_token": page_token})

    async def get(self, id: str) -> Recording:
        """Read a recording; there are none yet."""
        return await self._api.call(_GET_RECORDING, {"id": id}, {})

    async def delete(self, id: str) -> Recording:
        """Delete a recording; there are none yet."""
        return await self._api.call(_DELETE_RECORDING, {"id": id}, {})

    async def get_file(self, id: str) -> bytes:
        """Fetch the sound of a recording; there are none yet."""
        return await self._api.call(_GET_RECORDING_FILE, {"id": id}, {})
