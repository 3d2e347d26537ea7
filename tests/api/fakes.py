"""A small honest store in memory, and a clock and ids that a test controls."""

from collections.abc import Sequence
from itertools import count
from typing import Any, TypeVar

import msgspec
from msgspec import structs

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.call import CallStatus
from outdialer.domain.campaign import CampaignEvent, CampaignStatus, apply
from outdialer.domain.directory import Customer
from outdialer.domain.model import (
    Call,
    Campaign,
    CampaignCall,
    NewTarget,
    Outdial,
    Outplan,
    Target,
    Trunk,
)
from outdialer.domain.target import DoneReason, TargetStatus
from outdialer.domain.units import NIL_ID, Id, Instant
from outdialer.ports.store import CampaignStats, Conflict, Page, StoreUnavailable
from tests.api.fake_directory import expect_version
from tests.api.fake_webhooks import MemoryWebhooks

T = TypeVar("T", bound=Any)
START: Instant = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z


class FakeClock:
    """Moves one millisecond with every look."""

    def __init__(self) -> None:
        self.at = START
        self.step = 1_000

    def now(self) -> Instant:
        self.at += self.step
        return self.at


class FakeIds:
    """Ids in rising order."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, now: Instant) -> Id:
        return (now // 1_000).to_bytes(6, "big") + b"\x70\x00\x80\x00" + next(self._numbers).to_bytes(6, "big")


class MemoryStore(MemoryWebhooks):
    """The ApiStore protocol over dictionaries by (customer, id)."""

    def __init__(self) -> None:
        super().__init__()
        self.outplan_rows: dict[tuple[int, Id], Outplan] = {}
        self.outdial_rows: dict[tuple[int, Id], Outdial] = {}
        self.target_rows: dict[tuple[int, Id], Target] = {}
        self.campaign_rows: dict[tuple[int, Id], Campaign] = {}
        self.attempt_rows: dict[tuple[int, Id], CampaignCall] = {}
        self.call_rows: dict[tuple[int, Id], Call] = {}
        self.legs: dict[Id, int] = {}

    async def create_outplan(self, customer: int, outplan: Outplan) -> Outplan:
        return self._insert(self.outplan_rows, customer, outplan)

    async def outplan(self, customer: int, outplan_id: Id) -> Outplan | None:
        return self._read(self.outplan_rows, customer, outplan_id)

    async def outplans(self, customer: int, page: Page) -> list[Outplan]:
        return self._page(self.outplan_rows, customer, page)

    async def save_outplan(self, customer: int, outplan: Outplan, now: Instant) -> Outplan:
        return self._save(self.outplan_rows, customer, outplan, now)

    async def delete_outplan(
        self, customer: int, outplan_id: Id, now: Instant, seen: int | None = None
    ) -> Outplan | None:
        return self._delete(self.outplan_rows, customer, outplan_id, now, seen)

    async def create_outdial(self, customer: int, outdial: Outdial) -> Outdial:
        return self._insert(self.outdial_rows, customer, outdial)

    async def outdial(self, customer: int, outdial_id: Id) -> Outdial | None:
        return self._read(self.outdial_rows, customer, outdial_id)

    async def outdials(self, customer: int, page: Page) -> list[Outdial]:
        return self._page(self.outdial_rows, customer, page)

    async def save_outdial(self, customer: int, outdial: Outdial, now: Instant) -> Outdial:
        return self._save(self.outdial_rows, customer, outdial, now)

    async def delete_outdial(
        self, customer: int, outdial_id: Id, now: Instant, seen: int | None = None
    ) -> Outdial | None:
        return self._delete(self.outdial_rows, customer, outdial_id, now, seen)

    async def create_targets(
        self, customer: int, outdial_id: Id, targets: Sequence[NewTarget], now: Instant
    ) -> list[Target] | None:
        outdial = self._read(self.outdial_rows, customer, outdial_id)
        if outdial is None or outdial.tm_delete is not None:
            return None
        made = [
            Target(
                id=new.id,
                outdial_id=outdial_id,
                name=new.name,
                detail=new.detail,
                data=new.data,
                status=TargetStatus.IDLE,
                destinations=new.destinations,
                due=now,
                tm_create=now,
            )
            for new in targets
        ]
        return [self._insert(self.target_rows, customer, target) for target in made]

    async def target(self, customer: int, outdial_id: Id, target_id: Id) -> Target | None:
        target = self._read(self.target_rows, customer, target_id)
        return target if target is not None and target.outdial_id == outdial_id else None

    async def targets(self, customer: int, outdial_id: Id, page: Page) -> list[Target]:
        return self._page(self.target_rows, customer, page, lambda row: row.outdial_id == outdial_id)

    async def delete_target(self, customer: int, outdial_id: Id, target_id: Id, now: Instant) -> Target | None:
        if await self.target(customer, outdial_id, target_id) is None:
            return None
        deleted = self._delete(self.target_rows, customer, target_id, now)
        assert deleted is not None
        over = structs.replace(deleted, status=TargetStatus.DONE, done_reason=DoneReason.REMOVED, due=None)
        self.target_rows[customer, target_id] = over
        return over

    def _point(self, customer: int, outdial: Outdial, campaign_id: Id, now: Instant) -> None:
        changed = structs.replace(outdial, campaign_id=campaign_id, tm_update=now)
        self.outdial_rows[customer, outdial.id] = changed
        self._happened("updated", customer, changed, now)

    def _bind(self, customer: int, campaign: Campaign) -> None:
        for key, outdial in self.outdial_rows.items():
            if key[0] == customer and outdial.campaign_id == campaign.id and outdial.id != campaign.outdial_id:
                self._point(customer, outdial, NIL_ID, campaign.tm_update or campaign.tm_create)
        if campaign.outdial_id != NIL_ID:
            outdial = self.outdial_rows[customer, campaign.outdial_id]
            self._point(customer, outdial, campaign.id, campaign.tm_update or campaign.tm_create)

    async def create_campaign(self, customer: int, campaign: Campaign) -> Campaign:
        if (there := self._read(self.campaign_rows, customer, campaign.id)) is not None:
            return there
        stored = self._insert(self.campaign_rows, customer, campaign)
        self._bind(customer, stored)
        return stored

    async def campaign(self, customer: int, campaign_id: Id) -> Campaign | None:
        return self._read(self.campaign_rows, customer, campaign_id)

    async def campaigns(self, customer: int, page: Page) -> list[Campaign]:
        return self._page(self.campaign_rows, customer, page)

    async def save_campaign(self, customer: int, campaign: Campaign, now: Instant) -> Campaign:
        before = self.campaign_rows[customer, campaign.id]
        saved = self._save(self.campaign_rows, customer, campaign, now)
        if before.outdial_id != saved.outdial_id:
            self._bind(customer, saved)
        return saved

    async def delete_campaign(
        self, customer: int, campaign_id: Id, now: Instant, seen: int | None = None
    ) -> Campaign | None:
        campaign = self._read(self.campaign_rows, customer, campaign_id)
        if campaign is None or campaign.tm_delete is not None:
            return campaign
        expect_version(campaign.version, seen)
        if campaign.status is not CampaignStatus.STOP:
            raise Conflict("not stopped")
        self._bind(customer, structs.replace(campaign, outdial_id=NIL_ID))
        return self._delete(self.campaign_rows, customer, campaign_id, now, seen)

    def _live(self, customer: int, campaign_id: Id) -> bool:
        return any(
            row.campaign_id == campaign_id and row.status is not AttemptStatus.DONE
            for (owner, _), row in self.attempt_rows.items()
            if owner == customer
        )

    def _campaign_event(self, customer: int, campaign_id: Id, event: CampaignEvent, now: Instant) -> Campaign | None:
        campaign = self._read(self.campaign_rows, customer, campaign_id)
        if campaign is None or campaign.tm_delete is not None:
            return None
        status = apply(campaign.status, event)
        if status is not None:
            campaign = structs.replace(campaign, status=status, tm_update=now)
            self.campaign_rows[customer, campaign_id] = campaign
            self._happened(f"status_{status}", customer, campaign, now)
        return campaign

    async def schedule_deletion(self, customer: int, now: Instant) -> Customer | None:
        for (owner, campaign_id), campaign in list(self.campaign_rows.items()):
            if owner == customer and campaign.status == CampaignStatus.RUN:
                await self.order_stop(customer, campaign_id, now)
        return await super().schedule_deletion(customer, now)

    async def order_run(self, customer: int, campaign_id: Id, now: Instant, seen: int | None = None) -> Campaign | None:
        if self.customer_rows[customer].tm_deletion_scheduled is not None:
            raise Conflict("the customer is frozen")
        campaign = self._read(self.campaign_rows, customer, campaign_id)
        if campaign is not None and campaign.tm_delete is None:
            expect_version(campaign.version, seen)
        return self._campaign_event(customer, campaign_id, CampaignEvent.RUN_ORDERED, now)

    async def order_stop(self, customer: int, campaign_id: Id, now: Instant) -> Campaign | None:
        busy = self._live(customer, campaign_id)
        event = CampaignEvent.STOP_ORDERED_BUSY if busy else CampaignEvent.STOP_ORDERED_QUIET
        return self._campaign_event(customer, campaign_id, event, now)

    async def campaign_stats(self, customer: int, campaign_id: Id) -> CampaignStats | None:
        campaign = self._read(self.campaign_rows, customer, campaign_id)
        if campaign is None:
            return None
        mine = [row for (owner, _), row in self.target_rows.items() if owner == customer]
        of_list = [row for row in mine if row.outdial_id == campaign.outdial_id and row.tm_delete is None]
        idle = [row for row in of_list if row.status is TargetStatus.IDLE]
        attempts = [row for row in self.attempt_rows.values() if row.campaign_id == campaign_id]
        return CampaignStats(
            targets_idle=len(idle),
            attempts=len(attempts),
            next_due=min((row.due for row in idle if row.due is not None), default=None),
        )

    async def campaigncall(self, customer: int, campaigncall_id: Id) -> CampaignCall | None:
        return self._read(self.attempt_rows, customer, campaigncall_id)

    async def campaigncalls(
        self, customer: int, page: Page, campaign_id: Id | None = None, target_id: Id | None = None
    ) -> list[CampaignCall]:
        def wanted(row: CampaignCall) -> bool:
            return campaign_id in (None, row.campaign_id) and target_id in (None, row.outdial_target_id)

        return self._page(self.attempt_rows, customer, page, wanted)

    async def delete_campaigncall(self, customer: int, campaigncall_id: Id, now: Instant) -> CampaignCall | None:
        attempt = self._read(self.attempt_rows, customer, campaigncall_id)
        if attempt is not None and attempt.status is not AttemptStatus.DONE:
            raise Conflict("not done")
        return self._delete(self.attempt_rows, customer, campaigncall_id, now)

    async def call(self, customer: int, call_id: Id) -> Call | None:
        return self._read(self.call_rows, customer, call_id)

    async def calls(self, customer: int, page: Page) -> list[Call]:
        return self._page(self.call_rows, customer, page)

    async def call_of_activeflow(self, customer: int, activeflow_id: Id) -> Call | None:
        self._check()
        mine = (row for (owner, _), row in self.call_rows.items() if owner == customer)
        return next((row for row in mine if row.activeflow_id == activeflow_id), None)

    async def delete_activeflow(self, customer: int, activeflow_id: Id, now: Instant) -> Call | None:
        call = await self.call_of_activeflow(customer, activeflow_id)
        if call is None or call.tm_activeflow_delete is not None:
            return call
        ended = call.tm_activeflow_end or (None if call.status is CallStatus.HANGUP else now)
        deleted = structs.replace(call, tm_activeflow_delete=now, tm_activeflow_end=ended)
        self.call_rows[customer, call.id] = deleted
        payload = msgspec.json.encode(deleted).decode()
        self.add(customer, "activeflow_deleted", now, number=0, subject=activeflow_id, payload=payload)
        return deleted

    async def leg_of_call(self, customer: int, call_id: Id) -> int | None:
        return self.legs.get(call_id) if (customer, call_id) in self.call_rows else None

    async def put_trunk(self, customer: int, trunk: Trunk, now: Instant) -> Trunk:
        raise StoreUnavailable("this store keeps no trunks")
