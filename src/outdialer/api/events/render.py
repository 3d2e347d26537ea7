"""From the books' events to clients' events: which there are, what they are called, what they carry.

``EVENT_TYPES`` is the whole list. The object in an event is what its GET answers, made by the same function.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from outdialer.api import (
    activeflows,
    agents,
    calls,
    campaigncalls,
    campaigns,
    extensions,
    flows,
    outdials,
    outplans,
    tags,
    trunks,
)
from outdialer.api.events import past
from outdialer.api.events.event import ClientEvent, EventIds
from outdialer.api.wire import Wire
from outdialer.domain.directory import Agent, Extension, Flow, InboundTrunk, Tag
from outdialer.domain.model import Call, Campaign, CampaignCall, Outdial, Outplan
from outdialer.domain.units import NIL_ID, Id
from outdialer.ports.events import AttemptNow, OutboxRow
from outdialer.telemetry import log

View: TypeAlias = Callable[[Any, Wire], Struct]

_ATTEMPT_EVENTS: Mapping[str, tuple[str, ...]] = {
    "claimed": ("campaigncall_created", "call_created", "activeflow_created"),
    "ringing": ("call_ringing",),
    "answered": ("campaigncall_updated", "call_progressing", "activeflow_updated"),
    "canceling": ("call_canceling", "activeflow_updated"),
    "terminating": ("call_terminating", "activeflow_updated"),
    "ended": ("campaigncall_updated", "call_hangup", "activeflow_updated"),
}
"""What clients are told of each event of an attempt; of the activeflow, which comes last, only where it changed."""

_RESOURCES: Mapping[str, tuple[type[Struct], View]] = {
    "campaign": (Campaign, campaigns.view),
    "campaigncall": (CampaignCall, campaigncalls.view),
    "activeflow": (Call, activeflows.view),
    "outplan": (Outplan, outplans.view),
    "outdial": (Outdial, outdials.view),
    "agent": (Agent, agents.view),
    "tag": (Tag, tags.view),
    "flow": (Flow, flows.view),
    "extension": (Extension, extensions.view),
    "trunk": (InboundTrunk, trunks.view),
}
"""What the books tell of whole objects, by resource."""

_RESOURCE_EVENTS: Mapping[str, tuple[str, ...]] = {
    "campaign": ("created", "updated", "deleted", "status_run", "status_stopping", "status_stop"),
    "campaigncall": ("deleted",),
    "activeflow": ("deleted",),
    "outplan": ("created", "updated", "deleted"),
    "outdial": ("created", "updated", "deleted"),
    "agent": ("created", "updated", "deleted", "status_updated"),
    "tag": ("created", "updated", "deleted"),
    "flow": ("created", "updated", "deleted"),
    "extension": ("created", "updated", "deleted"),
    "trunk": ("created", "updated", "deleted"),
}

_DECODERS = {name: msgspec.json.Decoder(kind) for name, (kind, _) in _RESOURCES.items()}
_RESOURCE_OF = {f"{name}_{what}": name for name, whats in _RESOURCE_EVENTS.items() for what in whats}
RESOURCES = (*_RESOURCES, "call")
"""Every kind of object that events are about."""
EVENT_TYPES = tuple(sorted({*_RESOURCE_OF, *(name for names in _ATTEMPT_EVENTS.values() for name in names)}))
"""Every event that clients are told of."""

_MEANINGS = {
    "campaigncall_created": "an attempt is on the books; nothing is sent yet",
    "campaigncall_updated": "the person has answered, or the attempt is over",
    "activeflow_created": "a call is about to be placed whose script will run on answer",
    "activeflow_updated": "the script runs because the person has answered, or its run is over",
    "activeflow_deleted": "the run of a script was deleted, which ends it",
    "call_created": "a call is about to be placed",
    "call_ringing": "the far end rings",
    "call_progressing": "the person has answered",
    "call_canceling": "our side gives the call up before an answer",
    "call_terminating": "our side ends the call after the answer",
    "call_hangup": "the call is over",
    "campaign_status_run": "a campaign runs",
    "campaign_status_stopping": "a campaign places no more calls and waits for those that are up",
    "campaign_status_stop": "a campaign has stopped",
    "agent_status_updated": "an agent has another status",
}


def meaning_of(event_type: str) -> str:
    """What an event tells, in a few words."""
    resource, _, what = event_type.partition("_")
    article = "an" if resource[0] in "aeiou" else "a"
    change = "changed" if what == "updated" else what
    return _MEANINGS.get(event_type) or f"{article} {resource} was {change}"


class Renderer:
    """Makes clients' events from outbox rows, the same ones every time. ``secret`` is the installation's."""

    def __init__(self, secret: bytes) -> None:
        self.ids = EventIds(secret)

    def events(self, row: OutboxRow, wire: Wire) -> Iterator[ClientEvent]:
        """The events of a row, in order; none for what is not told to clients. ``wire`` is of the row's customer."""
        if row.kind in _ATTEMPT_EVENTS:
            yield from self._of_attempt(row, wire)
        elif row.kind in _RESOURCE_OF:
            yield from self._of_resource(row, wire)

    def _of_attempt(self, row: OutboxRow, wire: Wire) -> Iterator[ClientEvent]:
        if row.attempt is None:
            return
        then = _AS_OF[row.kind](row.attempt, row.at)
        for position, name in enumerate(_ATTEMPT_EVENTS[row.kind]):
            if name.startswith("campaigncall"):
                attempt = then.campaigncall
                yield self._event(row, wire, position, name, attempt.id, campaigncalls.view(attempt, wire))
            elif name.startswith("activeflow"):
                if past.script_changed(row.kind, row.attempt.call, row.at):
                    script = activeflows.view(then.call, wire)
                    yield self._event(row, wire, position, name, then.call.activeflow_id, script)
            else:
                yield self._event(row, wire, position, name, then.call.id, calls.view(then.call, wire))

    def _of_resource(self, row: OutboxRow, wire: Wire) -> Iterator[ClientEvent]:
        resource = _RESOURCE_OF[row.kind]
        try:
            stored = _DECODERS[resource].decode(row.payload)
        except msgspec.DecodeError:
            log("event_unreadable", logging.ERROR, kind=row.kind, cursor=row.cursor)
            return
        owner = row.subject if resource == "agent" else NIL_ID
        yield self._event(row, wire, 0, row.kind, row.subject, _RESOURCES[resource][1](stored, wire), owner)

    def _event(
        self, row: OutboxRow, wire: Wire, position: int, name: str, subject: Id, view: Struct, owner: Id = NIL_ID
    ) -> ClientEvent:
        return ClientEvent(
            id=self.ids.of(row.before, position),
            type=name,
            customer=row.customer,
            resource_id=subject,
            owner_id=owner,
            at=row.at,
            data=wire.encode(view),
            cursor=row.cursor,
        )


_AS_OF: Mapping[str, Callable[[AttemptNow, int], AttemptNow]] = {
    "claimed": lambda now, _at: past.as_claimed(now),
    "ringing": past.as_ringing,
    "answered": past.as_answered,
    "canceling": past.as_canceling,
    "terminating": past.as_terminating,
    "ended": past.as_ended,
}
