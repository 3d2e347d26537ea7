"""What can be done to a call besides reading it and hanging it up. All of it waits for the voice work."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from outdialer.api.activeflows import Variables
from outdialer.api.calls import CallView, read_call
from outdialer.api.groupcalls import Destinations, GroupcallView
from outdialer.api.operations import Context, Empty, QueryParameter, Raw, Resource, unavailable
from outdialer.api.wire import ActionBody, AddressBody, IdText, Text255

CALLS = "calls that no campaign makes"
VOICE = "commands to a call that is up"
DELETION = "the deletion of single calls"
Seconds = Annotated[int, Meta(ge=0, le=86_400, description="Seconds; 0: no limit.")]


class CallsCreate(Struct, frozen=True):
    """Calls to be made, and what happens on answer: a flow, or the given actions."""

    flow_id: IdText | None = None
    actions: list[ActionBody] | None = None
    source: AddressBody | None = None
    destinations: Destinations | None = None
    anonymous: Literal["", "yes", "no", "auto"] | None = None
    variables: Variables | None = None


class CallsMadeView(Struct, frozen=True):
    """The calls that were made."""

    calls: list[CallView]
    groupcalls: list[GroupcallView]


class CallMute(Struct, frozen=True):
    """Who is not heard."""

    direction: Literal["", "both", "in", "out"] | None = None


class CallTalk(Struct, frozen=True):
    """Words to be spoken into a call."""

    text: Annotated[str, Meta(max_length=5_000)] | None = None
    language: Text255 | None = None
    provider: Text255 | None = None
    voice_id: Text255 | None = None


class CallRecordingStart(Struct, frozen=True):
    """How a call is recorded."""

    format: Literal["", "wav"] | None = None
    end_of_silence: Seconds | None = None
    end_of_key: Text255 | None = None
    duration: Seconds | None = None
    on_end_flow_id: IdText | None = None


call_verbs = Resource("calls", "Calls as SIP knows them.", "INVALID_ID", "CALL_NOT_FOUND")
_BODY = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")


@call_verbs.operation(
    "POST",
    "/calls",
    *_BODY,
    "INVALID_ANONYMOUS_VALUE",
    awaits=CALLS,
    example={"source": {"target": "+12025550100"}, "destinations": [{"target": "+12025550123"}], "actions": []},
)
async def create_calls(context: Context, body: CallsCreate) -> CallsMadeView:
    """Call somebody, outside of any campaign."""
    raise unavailable(CALLS)


@call_verbs.operation("DELETE", "/calls/{id}", awaits=DELETION)
async def delete_call(context: Context) -> CallView:
    """Hang up a call and delete it."""
    await read_call(context)
    raise unavailable(DELETION)


@call_verbs.operation("POST", "/calls/{id}/hold", awaits=VOICE)
async def hold_call(context: Context) -> Empty:
    """Put a call on hold."""
    return await _refuse(context)


@call_verbs.operation("DELETE", "/calls/{id}/hold", awaits=VOICE)
async def unhold_call(context: Context) -> Empty:
    """Take a call off hold."""
    return await _refuse(context)


@call_verbs.operation("POST", "/calls/{id}/moh", awaits=VOICE)
async def start_call_music(context: Context) -> Empty:
    """Play music to a call."""
    return await _refuse(context)


@call_verbs.operation("DELETE", "/calls/{id}/moh", awaits=VOICE)
async def stop_call_music(context: Context) -> Empty:
    """Stop the music of a call."""
    return await _refuse(context)


@call_verbs.operation("POST", "/calls/{id}/silence", awaits=VOICE)
async def silence_call(context: Context) -> Empty:
    """Send a call silence."""
    return await _refuse(context)


@call_verbs.operation("DELETE", "/calls/{id}/silence", awaits=VOICE)
async def unsilence_call(context: Context) -> Empty:
    """Stop sending a call silence."""
    return await _refuse(context)


@call_verbs.operation("POST", "/calls/{id}/mute", *_BODY, awaits=VOICE, example={"direction": "both"})
async def mute_call(context: Context, body: CallMute) -> Empty:
    """Mute a call."""
    return await _refuse(context)


@call_verbs.operation("DELETE", "/calls/{id}/mute", *_BODY, awaits=VOICE, example={"direction": "both"})
async def unmute_call(context: Context, body: CallMute) -> Empty:
    """Undo the muting of a call."""
    return await _refuse(context)


@call_verbs.operation("POST", "/calls/{id}/talk", *_BODY, awaits=VOICE, example={"text": "One moment, please."})
async def talk_to_call(context: Context, body: CallTalk) -> Empty:
    """Speak into a call."""
    return await _refuse(context)


@call_verbs.operation("POST", "/calls/{id}/recording_start", *_BODY, awaits=VOICE, example={"format": "wav"})
async def start_call_recording(context: Context, body: CallRecordingStart) -> CallView:
    """Start recording a call."""
    await read_call(context)
    raise unavailable(VOICE)


@call_verbs.operation("POST", "/calls/{id}/recording_stop", awaits=VOICE)
async def stop_call_recording(context: Context) -> CallView:
    """Stop recording a call."""
    await read_call(context)
    raise unavailable(VOICE)


@call_verbs.operation(
    "GET",
    "/calls/{id}/media_stream",
    media_type="application/octet-stream",
    awaits=VOICE,
    query=(QueryParameter("encapsulation", "How the sound is wrapped.", "rtp"),),
)
async def stream_call_media(context: Context) -> Raw:
    """Listen to a call."""
    await read_call(context)
    raise unavailable(VOICE)


async def _refuse(context: Context) -> Empty:
    await read_call(context)
    raise unavailable(VOICE)
