"""``/recordings`` and ``/recordingfiles``: what was recorded of calls. Nothing is until the voice work is there."""

from msgspec import Struct

from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Raw, Resource
from outdialer.api.wire import TimeText, UuidText
from outdialer.ports.store import Page

AWAITS = "recording"


class RecordingView(Struct, frozen=True, kw_only=True):
    """What was recorded of a call."""

    id: UuidText
    customer_id: UuidText
    owner_type: str
    owner_id: UuidText
    reference_type: str
    reference_id: UuidText
    status: str
    format: str
    activeflow_id: UuidText
    on_end_flow_id: UuidText
    tm_start: TimeText | None
    tm_end: TimeText | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class RecordingList(Struct, frozen=True):
    """A page of recordings, newest first."""

    result: list[RecordingView]
    next_page_token: str


recordings = Resource("recordings", "What was recorded of calls.", "INVALID_ID", "RECORDING_NOT_FOUND")
_MISSING = ApiError("RECORDING_NOT_FOUND", "The recording was not found.")


@recordings.operation("GET", "/recordings", "INVALID_REQUEST_PARAMETER", awaits=AWAITS)
async def list_recordings(context: Context, page: Page) -> RecordingList:
    """List recordings; there are none yet."""
    return RecordingList([], "")


@recordings.operation("GET", "/recordings/{id}", awaits=AWAITS)
async def get_recording(context: Context) -> RecordingView:
    """Read a recording; there are none yet."""
    raise _MISSING


@recordings.operation("DELETE", "/recordings/{id}", awaits=AWAITS)
async def delete_recording(context: Context) -> RecordingView:
    """Delete a recording; there are none yet."""
    raise _MISSING


@recordings.operation("GET", "/recordingfiles/{id}", media_type="application/octet-stream", awaits=AWAITS)
async def get_recording_file(context: Context) -> Raw:
    """Fetch the sound of a recording; there are none yet."""
    raise _MISSING
