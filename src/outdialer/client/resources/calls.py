"""Calls as SIP knows them.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from outdialer.client.exchange import Operation, Page
from outdialer.client.resources.groupcalls import Groupcall
from outdialer.client.resources.shared import Action, ActionBody, Address, AddressBody
from outdialer.client.transport import AsyncResource, Resource


class Call(Struct, frozen=True, kw_only=True):
    """One call with one far end. A call that is not over has no ``hangup_reason`` and no ``hangup_by``."""

    id: str
    customer_id: str
    owner_type: str
    owner_id: str
    flow_id: str
    activeflow_id: str
    campaigncall_id: str
    """The attempt that this call belongs to."""
    type: str
    master_call_id: str
    recording_id: str
    groupcall_id: str
    source: Address
    destination: Address
    status: str
    action: Action
    direction: str
    hangup_by: str = ""
    hangup_reason: str = ""
    hangup_detail: str = ""
    sip_code: int
    q850_cause: int
    answered: bool
    tm_progressing: datetime | None
    tm_ringing: datetime | None
    tm_hangup: datetime | None
    tm_create: datetime | None
    tm_update: datetime | None
    tm_delete: datetime | None


class CallsMade(Struct, frozen=True, kw_only=True):
    """The calls that were made."""

    calls: list[Call]
    groupcalls: list[Groupcall]


_LIST_CALLS = Operation("GET", "/v1.0/calls", Page[Call])
_CREATE_CALLS = Operation("POST", "/v1.0/calls", CallsMade)
_GET_CALL = Operation("GET", "/v1.0/calls/{id}", Call)
_DELETE_CALL = Operation("DELETE", "/v1.0/calls/{id}", Call)
_HANG_UP_CALL = Operation("POST", "/v1.0/calls/{id}/hangup", Call)
_HOLD_CALL = Operation("POST", "/v1.0/calls/{id}/hold", type(None))
_UNHOLD_CALL = Operation("DELETE", "/v1.0/calls/{id}/hold", type(None))
_START_CALL_MUSIC = Operation("POST", "/v1.0/calls/{id}/moh", type(None))
_STOP_CALL_MUSIC = Operation("DELETE", "/v1.0/calls/{id}/moh", type(None))
_SILENCE_CALL = Operation("POST", "/v1.0/calls/{id}/silence", type(None))
_UNSILENCE_CALL = Operation("DELETE", "/v1.0/calls/{id}/silence", type(None))
_MUTE_CALL = Operation("POST", "/v1.0/calls/{id}/mute", type(None))
_UNMUTE_CALL = Operation("DELETE", "/v1.0/calls/{id}/mute", type(None))
_TALK_TO_CALL = Operation("POST", "/v1.0/calls/{id}/talk", type(None))
_START_CALL_RECORDING = Operation("POST", "/v1.0/calls/{id}/recording_start", Call)
_STOP_CALL_RECORDING = Operation("POST", "/v1.0/calls/{id}/recording_stop", Call)
_STREAM_CALL_MEDIA = Operation("GET", "/v1.0/calls/{id}/media_stream", bytes)


class CallsApi(Resource):
    """Calls as SIP knows them.

    For a client that blocks.
    """

    def list(
        self,
        *,
        status: Literal["", "dialing", "ringing", "progressing", "terminating", "canceling", "hangup"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Iterator[Call]:
        """List calls, newest first."""
        return self._api.rows(_LIST_CALLS, {}, {"status": status, "page_size": page_size, "page_token": page_token})

    def create(
        self,
        *,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        destinations: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        anonymous: Literal["", "auto", "no", "yes"] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> CallsMade:
        """Call somebody, outside of any campaign.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls that no campaign makes.

        flow_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _CREATE_CALLS,
            {},
            {},
            {
                "flow_id": flow_id,
                "actions": actions,
                "source": source,
                "destinations": destinations,
                "anonymous": anonymous,
                "variables": variables,
            },
        )

    def get(self, id: str) -> Call:
        """Read a call."""
        return self._api.call(_GET_CALL, {"id": id}, {})

    def delete(self, id: str) -> Call:
        """Hang up a call and delete it.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs the deletion of single calls.
        """
        return self._api.call(_DELETE_CALL, {"id": id}, {})

    def hang_up(self, id: str) -> Call:
        """End a call: CANCEL before the answer, BYE after it.

        The answer shows the call as it is at this moment; one that is ending or over stays as it is.
        """
        return self._api.call(_HANG_UP_CALL, {"id": id}, {})

    def hold(self, id: str) -> None:
        """Put a call on hold.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_HOLD_CALL, {"id": id}, {})

    def unhold(self, id: str) -> None:
        """Take a call off hold.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_UNHOLD_CALL, {"id": id}, {})

    def start_music(self, id: str) -> None:
        """Play music to a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_START_CALL_MUSIC, {"id": id}, {})

    def stop_music(self, id: str) -> None:
        """Stop the music of a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_STOP_CALL_MUSIC, {"id": id}, {})

    def silence(self, id: str) -> None:
        """Send a call silence.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_SILENCE_CALL, {"id": id}, {})

    def unsilence(self, id: str) -> None:
        """Stop sending a call silence.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_UNSILENCE_CALL, {"id": id}, {})

    def mute(self, id: str, *, direction: Literal["", "both", "in", "out"] | None = None) -> None:
        """Mute a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_MUTE_CALL, {"id": id}, {}, {"direction": direction})

    def unmute(self, id: str, *, direction: Literal["", "both", "in", "out"] | None = None) -> None:
        """Undo the muting of a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(_UNMUTE_CALL, {"id": id}, {}, {"direction": direction})

    def talk_to(
        self,
        id: str,
        *,
        text: str | None = None,
        language: str | None = None,
        provider: str | None = None,
        voice_id: str | None = None,
    ) -> None:
        """Speak into a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        self._api.call(
            _TALK_TO_CALL,
            {"id": id},
            {},
            {"text": text, "language": language, "provider": provider, "voice_id": voice_id},
        )

    def start_recording(
        self,
        id: str,
        *,
        format: Literal["", "wav"] | None = None,
        end_of_silence: int | None = None,
        end_of_key: str | None = None,
        duration: int | None = None,
        on_end_flow_id: str | None = None,
    ) -> Call:
        """Start recording a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.

        end_of_silence: Seconds; 0: no limit.

        duration: Seconds; 0: no limit.

        on_end_flow_id: A UUID; "" or the nil UUID: not set.
        """
        return self._api.call(
            _START_CALL_RECORDING,
            {"id": id},
            {},
            {
                "format": format,
                "end_of_silence": end_of_silence,
                "end_of_key": end_of_key,
                "duration": duration,
                "on_end_flow_id": on_end_flow_id,
            },
        )

    def stop_recording(self, id: str) -> Call:
        """Stop recording a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        return self._api.call(_STOP_CALL_RECORDING, {"id": id}, {})

    def stream_media(self, id: str, *, encapsulation: str | None = None) -> bytes:
        """Listen to a call.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs commands to a call that is up.
        """
        return self._api.call(_STREAM_CALL_MEDIA, {"id": id}, {"encapsulation": encapsulation})


class AsyncCallsApi(AsyncResource):
    """Calls as SIP knows them.

    For a client that awaits.
    """

    def list(
        self,
        *,
        status: Literal["", "dialing", "ringing", "progressing", "terminating", "canceling", "hangup"] | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> AsyncIterator[Call]:
        """List calls, newest first."""
        return self._api.rows(_LIST_CALLS, {}, {"status": status, "page_size": page_size, "page_token": page_token})

    async def create(
        self,
        *,
        flow_id: str | None = None,
        actions: Sequence[ActionBody | Action | Mapping[str, Any]] | None = None,
        source: AddressBody | Address | Mapping[str, Any] | None = None,
        destinations: Sequence[AddressBody | Address | Mapping[str, Any]] | None = None,
        anonymous: Literal["", "auto", "no", "yes"] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> CallsMade:
        """Call somebody, outside of any campaign."""
        return await self._api.call(
            _CREATE_CALLS,
            {},
            {},
            {
                "flow_id": flow_id,
                "actions": actions,
                "source": source,
                "destinations": destinations,
                "anonymous": anonymous,
                "variables": variables,
            },
        )

    async def get(self, id: str) -> Call:
        """Read a call."""
        return await self._api.call(_GET_CALL, {"id": id}, {})

    async def delete(self, id: str) -> Call:
        """Hang up a call and delete it."""
        return await self._api.call(_DELETE_CALL, {"id": id}, {})

    async def hang_up(self, id: str) -> Call:
        """End a call: CANCEL before the answer, BYE after it."""
        return await self._api.call(_HANG_UP_CALL, {"id": id}, {})

    async def hold(self, id: str) -> None:
        """Put a call on hold."""
        await self._api.call(_HOLD_CALL, {"id": id}, {})

    async def unhold(self, id: str) -> None:
        """Take a call off hold."""
        await self._api.call(_UNHOLD_CALL, {"id": id}, {})

    async def start_music(self, id: str) -> None:
        """Play music to a call."""
        await self._api.call(_START_CALL_MUSIC, {"id": id}, {})

    async def stop_music(self, id: str) -> None:
        """Stop the music of a call."""
        await self._api.call(_STOP_CALL_MUSIC, {"id": id}, {})

    async def silence(self, id: str) -> None:
        """Send a call silence."""
        await self._api.call(_SILENCE_CALL, {"id": id}, {})

    async def unsilence(self, id: str) -> None:
        """Stop sending a call silence."""
        await self._api.call(_UNSILENCE_CALL, {"id": id}, {})

    async def mute(self, id: str, *, direction: Literal["", "both", "in", "out"] | None = None) -> None:
        """Mute a call."""
        await self._api.call(_MUTE_CALL, {"id": id}, {}, {"direction": direction})

    async def unmute(self, id: str, *, direction: Literal["", "both", "in", "out"] | None = None) -> None:
        """Undo the muting of a call."""
        await self._api.call(_UNMUTE_CALL, {"id": id}, {}, {"direction": direction})

    async def talk_to(
        self,
        id: str,
        *,
        text: str | None = None,
        language: str | None = None,
        provider: str | None = None,
        voice_id: str | None = None,
    ) -> None:
        """Speak into a call."""
        await self._api.call(
            _TALK_TO_CALL,
            {"id": id},
            {},
            {"text": text, "language": language, "provider": provider, "voice_id": voice_id},
        )

    async def start_recording(
        self,
        id: str,
        *,
        format: Literal["", "wav"] | None = None,
        end_of_silence: int | None = None,
        end_of_key: str | None = None,
        duration: int | None = None,
        on_end_flow_id: str | None = None,
    ) -> Call:
        """Start recording a call."""
        return await self._api.call(
            _START_CALL_RECORDING,
            {"id": id},
            {},
            {
                "format": format,
                "end_of_silence": end_of_silence,
                "end_of_key": end_of_key,
                "duration": duration,
                "on_end_flow_id": on_end_flow_id,
            },
        )

    async def stop_recording(self, id: str) -> Call:
        """Stop recording a call."""
        return await self._api.call(_STOP_CALL_RECORDING, {"id": id}, {})

    async def stream_media(self, id: str, *, encapsulation: str | None = None) -> bytes:
        """Listen to a call."""
        return await self._api.call(_STREAM_CALL_MEDIA, {"id": id}, {"encapsulation": encapsulation})
