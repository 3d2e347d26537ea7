"""Attempts and calls as the engine would have written them."""

from typing import Protocol

from msgspec import structs

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallStatus
from outdialer.domain.model import Address, Call, CampaignCall
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.units import Id
from tests.api_tmp_sqlite.fakes import START, MemoryStore

CALLER = Address(type="tel", target="+12025550100")
PERSON = Address(type="tel", target="+12025550123", target_name="Jane")


def identified(number: int) -> Id:
    return bytes([0x77]) * 10 + number.to_bytes(6, "big")


ATTEMPT = CampaignCall(
    id=identified(1),
    campaign_id=identified(2),
    outplan_id=identified(3),
    outdial_id=identified(4),
    outdial_target_id=identified(5),
    activeflow_id=identified(6),
    reference_id=identified(7),
    status=AttemptStatus.DONE,
    result=Result.SUCCESS,
    source=CALLER,
    destination=PERSON,
    destination_index=0,
    try_count=1,
    hangup_reason=HangupReason.NORMAL,
    hangup_detail="bye",
    sip_code=200,
    q850_cause=16,
    answered=True,
    tm_create=START,
    tm_update=START + 9,
    tm_ringing=START + 3,
    tm_progressing=START + 5,
    tm_hangup=START + 9,
)
LIVE_ATTEMPT = structs.replace(
    ATTEMPT,
    status=AttemptStatus.PROGRESSING,
    result=Result.NONE,
    hangup_reason=HangupReason.NONE,
    hangup_detail="",
    tm_hangup=None,
)
CALL = Call(
    id=identified(7),
    activeflow_id=identified(6),
    campaigncall_id=identified(1),
    source=CALLER,
    destination=PERSON,
    status=CallStatus.PROGRESSING,
    sip_code=200,
    answered=True,
    tm_create=START,
    tm_update=START + 5,
    tm_ringing=START + 3,
    tm_progressing=START + 5,
)
ENDED_CALL = structs.replace(
    CALL,
    status=CallStatus.HANGUP,
    hangup_by="remote",
    hangup_reason=HangupReason.NORMAL,
    hangup_detail="bye",
    tm_hangup=START + 9,
)


class Seeder(Protocol):
    """Puts rows of the engine into a store."""

    def attempt(self, customer: int, attempt: CampaignCall) -> None: ...

    def call(self, customer: int, call: Call, leg: int | None) -> None: ...


class MemorySeeder:
    """The Seeder of ``MemoryStore``."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def attempt(self, customer: int, attempt: CampaignCall) -> None:
        self._store.attempt_rows[customer, attempt.id] = attempt

    def call(self, customer: int, call: Call, leg: int | None) -> None:
        self._store.call_rows[customer, call.id] = call
        if leg is not None:
            self._store.legs[call.id] = leg
