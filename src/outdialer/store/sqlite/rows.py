"""Between rows and records: how the domain's structs are spelled in columns, and read back."""

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallStatus
from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.model import (
    AccessKey,
    Action,
    Address,
    Call,
    Campaign,
    CampaignCall,
    Outdial,
    Outplan,
    Target,
    Trunk,
)
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.snapshot import OutplanTerms
from outdialer.domain.target import DoneReason, DueReason, TargetStatus
from outdialer.domain.units import NIL_ID, Milliseconds

Row: TypeAlias = sqlite3.Row
Named: TypeAlias = Row | dict[str, Any]
Addresses: TypeAlias = tuple[Address, Address, Address, Address, Address]
Five: TypeAlias = tuple[int, int, int, int, int]

NOT_SET = Address()
_encode = msgspec.json.Encoder().encode


class Terms(Struct, frozen=True):
    """The JSON of an outplan version."""

    source: Address
    dial_timeout_ms: Milliseconds
    try_interval_ms: Milliseconds
    max_tries: Five
    redial_answered: bool


# Looked up by what stands in the column: calling an enumeration takes five times as long, and lists have many rows.
_attempt_status = {str(status): status for status in AttemptStatus}
_call_status = {str(status): status for status in CallStatus}
_target_status = {str(status): status for status in TargetStatus}
_result = {str(result): result for result in Result}
_hangup_reason = {str(reason): reason for reason in HangupReason}
_due_reason = {str(reason): reason for reason in DueReason}
_done_reason = {str(reason): reason for reason in DoneReason}

_terms = msgspec.json.Decoder(Terms).decode
_addresses_decoder: msgspec.json.Decoder[Addresses] = msgspec.json.Decoder(Addresses)
_actions = msgspec.json.Decoder(tuple[Action, ...]).decode
_texts = msgspec.json.Decoder(tuple[str, ...]).decode


def to_json(value: Any) -> str:
    """JSON text; identifiers become base64."""
    return _encode(value).decode()


def actions_of(text: str) -> tuple[Action, ...]:
    """A stored call script."""
    return _actions(text)


def terms_text(outplan: Outplan) -> str:
    """What an outplan version keeps."""
    return to_json(
        Terms(
            outplan.source,
            outplan.dial_timeout_ms,
            outplan.try_interval_ms,
            outplan.max_tries,
            outplan.redial_answered,
        )
    )


def outplan_terms(row: Row) -> OutplanTerms:
    """The planner's view of an outplan version."""
    terms = _terms(row["terms"])
    return OutplanTerms(
        key=row["key"],
        source=terms.source.target,
        source_name=terms.source.target_name,
        dial_timeout_ms=terms.dial_timeout_ms,
        try_interval_ms=terms.try_interval_ms,
        max_tries=terms.max_tries,
        redial_answered=terms.redial_answered,
    )


def outplan(row: Row) -> Outplan:
    """An outplan with the terms of its current version."""
    terms = _terms(row["terms"])
    return Outplan(
        id=row["id"],
        name=row["name"],
        detail=row["detail"],
        source=terms.source,
        dial_timeout_ms=terms.dial_timeout_ms,
        try_interval_ms=terms.try_interval_ms,
        max_tries=terms.max_tries,
        redial_answered=terms.redial_answered,
        version=row["version"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
    )


def outdial(row: Row) -> Outdial:
    """A list of targets."""
    return Outdial(
        id=row["id"],
        campaign_id=row["campaign_id"] or NIL_ID,
        name=row["name"],
        detail=row["detail"],
        data=row["data"],
        version=row["version"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
    )


def campaign(row: Row) -> Campaign:
    """A campaign in its current version."""
    return Campaign(
        id=row["id"],
        type=row["type"],
        name=row["name"],
        detail=row["detail"],
        status=CampaignStatus(row["status"]),
        service_level=row["service_level"],
        end_handle=EndHandle(row["end_handle"]),
        actions=_actions(row["actions"]),
        outplan_id=row["outplan_id"] or NIL_ID,
        outdial_id=row["outdial_id"] or NIL_ID,
        queue_id=row["queue_id"],
        next_campaign_id=row["next_campaign_id"],
        dial_rate=row["dial_rate"],
        dial_channels=row["dial_channels"],
        version=row["version"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
    )


def _type_of(destination: str) -> str:
    if not destination:
        return ""
    return "tel" if destination.startswith("+") else "sip"


def addresses_text(addresses: Sequence[Address]) -> str | None:
    """What five addresses say beyond their destinations, or None when that is nothing."""
    for address in addresses:
        if address.target_name or address.name or address.detail or address.type != _type_of(address.target):
            return to_json(tuple(addresses))
    return None


def _addresses_of(row: Named) -> Addresses:
    if row["addresses"] is not None:
        return _addresses_decoder.decode(row["addresses"])
    return (
        _plain_address(row["destination_0"]),
        _plain_address(row["destination_1"]),
        _plain_address(row["destination_2"]),
        _plain_address(row["destination_3"]),
        _plain_address(row["destination_4"]),
    )


def _plain_address(destination: str) -> Address:
    return Address(type=_type_of(destination), target=destination) if destination else NOT_SET


def dialled_address(row: Named) -> Address:
    """The address that an attempt dials: its destination, with the rest from its target."""
    if row["addresses"] is None:
        return _plain_address(row["destination"])
    return _addresses_decoder.decode(row["addresses"])[row["destination_index"]]


def tries_of(row: Named) -> Five:
    """Charged attempts by destination."""
    return (row["tries_0"], row["tries_1"], row["tries_2"], row["tries_3"], row["tries_4"])


def _by_name(row: Row) -> dict[str, Any]:
    """The columns of a row that many are read from: a ``Row`` looks for a name from its first column on each time."""
    return dict(zip(row.keys(), row, strict=True))


def target(of: Row) -> Target:
    """One person of a list."""
    row = _by_name(of)
    return Target(
        id=row["id"],
        outdial_id=row["outdial_id"],
        name=row["name"],
        detail=row["detail"],
        data=row["data"],
        status=_target_status[row["status"]],
        destinations=_addresses_of(row),
        tries=tries_of(row),
        due=row["due"],
        due_reason=_due_reason[row["due_reason"]],
        done_reason=_done_reason[row["done_reason"]],
        version=row["version"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
    )


def campaigncall(of: Row) -> CampaignCall:
    """One attempt as people see it."""
    row = _by_name(of)
    return CampaignCall(
        id=row["id"],
        campaign_id=row["campaign_id"],
        outplan_id=row["outplan_id"],
        outdial_id=row["outdial_id"],
        outdial_target_id=row["target_id"],
        queue_id=row["queue_id"],
        activeflow_id=row["activeflow_id"],
        reference_id=row["call_id"],
        status=_attempt_status[row["status"]],
        result=_result[row["result"]],
        source=_terms(row["terms"]).source,
        destination=dialled_address(row),
        destination_index=row["destination_index"],
        try_count=row["try_count"],
        hangup_reason=_hangup_reason[row["hangup_reason"]],
        hangup_detail=row["hangup_detail"],
        sip_code=row["sip_code"],
        q850_cause=row["q850_cause"],
        answered=bool(row["answered"]),
        charged=bool(row["charged"]),
        ring_ms=row["ring_ms"],
        talk_ms=row["talk_ms"],
        target_name=row["target_name"],
        late_answer=bool(row["late_answer"]),
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_ringing=row["tm_ringing"],
        tm_progressing=row["tm_progressing"],
        tm_hangup=row["tm_hangup"],
        tm_delete=row["tm_delete"],
    )


def call(row: Row) -> Call:
    """One call; its addresses are its attempt's."""
    return Call(
        id=row["id"],
        activeflow_id=row["activeflow_id"],
        campaigncall_id=row["attempt_id"] or NIL_ID,
        source=_terms(row["terms"]).source if row["terms"] is not None else NOT_SET,
        destination=dialled_address(row) if row["destination"] is not None else NOT_SET,
        status=_call_status[row["status"]],
        hangup_by=row["hangup_by"],
        hangup_reason=_hangup_reason[row["hangup_reason"]],
        hangup_detail=row["hangup_detail"],
        sip_code=row["sip_code"],
        q850_cause=row["q850_cause"],
        answered=bool(row["answered"]),
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_ringing=row["tm_ringing"],
        tm_progressing=row["tm_progressing"],
        tm_hangup=row["tm_hangup"],
        tm_delete=row["tm_delete"],
        tm_activeflow_end=row["tm_activeflow_end"],
        tm_activeflow_delete=row["tm_activeflow_delete"],
    )


def trunk(row: Row) -> Trunk:
    """A SIP peer with its limits."""
    return Trunk(
        id=row["id"],
        name=row["name"],
        host=row["host"],
        port=row["port"],
        domain=row["domain"],
        username=row["username"],
        password_file=row["password_file"],
        realm=row["realm"],
        rate_per_s=row["rate_per_s"],
        channels=row["channels"],
        max_ring_ms=row["max_ring_ms"],
        prefix=row["prefix"],
        postfix=row["postfix"],
        headers=row["headers"],
        provider=row["provider"],
        provider_channels=row["provider_channels"],
        pause_reason=row["pause_reason"],
        paused_until=row["paused_until"],
        version=row["version"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
    )


def access_key(row: Row) -> AccessKey:
    """A program's credential."""
    return AccessKey(
        id=row["id"],
        customer=row["customer"],
        name=row["name"],
        detail=row["detail"],
        permission=row["permission"],
        allowed_ips=_texts(row["allowed_ips"]),
        token_prefix=row["token_prefix"],
        token_hash=row["token_hash"],
        old_token_hash=row["old_token_hash"],
        tm_old_expire=row["tm_old_expire"],
        tm_expire=row["tm_expire"],
        tm_last_use=row["tm_last_use"],
        tm_create=row["tm_create"],
        tm_update=row["tm_update"],
        tm_delete=row["tm_delete"],
    )
