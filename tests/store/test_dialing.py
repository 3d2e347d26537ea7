"""The dialer's side of the store: snapshots, claims, records, epochs."""

import asyncio

from msgspec.structs import replace

from outdialer.domain.attempt import AttemptEvent, AttemptStatus
from outdialer.domain.breaker import Breaker
from outdialer.domain.call import CallEvent, CallStatus
from outdialer.domain.campaign import CampaignEvent, CampaignStatus, EndHandle
from outdialer.domain.model import Action, Campaign
from outdialer.domain.outcome import HangupReason, Result, of_unknown
from outdialer.domain.plan import Plan
from outdialer.domain.snapshot import Snapshot
from outdialer.domain.target import DoneReason, DueReason, TargetStatus
from outdialer.ports.store import AttemptChange, Claim, Page
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import (
    BUSY,
    CUSTOMER,
    NOT_SENT,
    NOW,
    SECOND,
    SUCCESS,
    Ids,
    Setting,
    answered,
    claim_due,
    claims_of,
    end_of,
    ended,
    furnish,
    keys_of,
    new_target,
    planned,
    ringing,
)

ALICE, BOB, CAROL = "+12025550101", "+12025550102", "+12025550103"
HOUR = 3600 * SECOND


async def snapshot(store: SqliteStore, now: int = NOW) -> Snapshot:
    return await store.snapshot(CUSTOMER, now, accepting=True, media_free=100)


async def claimed(setting: Setting, now: int = NOW) -> list[Claim]:
    return [intent.claim for intent in (await claim_due(setting.store, setting.ids, now)).intents]


# snapshots


async def test_a_snapshot_offers_due_targets_oldest_first(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), BOB)], NOW - 1)
    await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), CAROL)], NOW + SECOND)
    (view,) = (await snapshot(store)).campaigns
    assert [target.destinations[0] for target in view.due] == [BOB, ALICE]
    assert view.next_due == NOW + SECOND
    assert (view.idle, view.progressing, view.in_use) == (3, 0, 0)
    assert view.outplan is not None
    assert view.outplan.source == "+12025550100"
    assert view.outplan.max_tries == (3, 0, 0, 0, 0)


async def test_a_snapshot_is_bounded_by_the_free_channels(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, channels=2)
    await store.create_targets(
        CUSTOMER, setting.outdial.id, [new_target(ids(), f"+1202555{n:04d}") for n in range(600)], NOW
    )
    (view,) = (await snapshot(store)).campaigns
    assert 2 <= len(view.due) <= 30
    assert view.next_due == NOW
    assert view.idle == 600


async def test_a_snapshot_is_bounded_by_the_send_slots(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, rate_per_s=2)
    await store.create_targets(
        CUSTOMER, setting.outdial.id, [new_target(ids(), f"+1202555{n:04d}") for n in range(600)], NOW
    )
    (view,) = (await snapshot(store)).campaigns
    assert 1 <= len(view.due) <= 30


async def test_a_stopped_campaign_is_not_in_the_snapshot(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await store.order_stop(CUSTOMER, setting.campaign.id, NOW)
    assert (await snapshot(store)).campaigns == ()


async def test_deleted_lists_offer_nothing(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await store.delete_outdial(CUSTOMER, setting.outdial.id, NOW)
    (view,) = (await snapshot(store)).campaigns
    assert view.outdial is None
    assert view.due == ()


async def test_a_deleted_outplan_goes_on(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await store.delete_outplan(CUSTOMER, setting.outplan.id, NOW)
    assert len(await claimed(setting)) == 1


async def test_a_saved_outplan_is_dialled_at_once(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    before = await planned(store, NOW)
    await store.save_outplan(CUSTOMER, replace(setting.outplan, dial_timeout_ms=9_000), NOW)
    result = await store.claim(CUSTOMER, claims_of(before, ids), before, NOW)
    assert [loss.why for loss in result.lost] == ["changed"]
    (view,) = (await snapshot(store)).campaigns
    assert view.outplan is not None
    assert view.outplan.dial_timeout_ms == 9_000


async def test_a_trunks_pause_is_in_the_snapshot(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (row,) = await store.trunks(CUSTOMER)
    assert row.trunk == setting.trunk
    breaker = Breaker(refusals=5, pauses=1, open_until=NOW + 30 * SECOND, reason="refused")
    await store.set_trunk_pause(CUSTOMER, row.key, breaker, NOW)
    (view,) = (await snapshot(store)).trunks
    assert (view.paused_until, view.pause_reason, view.probing) == (NOW + 30 * SECOND, "refused", True)
    await store.set_trunk_pause(CUSTOMER, row.key, Breaker(), NOW)
    (view,) = (await snapshot(store)).trunks
    assert (view.paused_until, view.pause_reason, view.probing) == (0, "", False)


# claims


async def test_a_claim_writes_the_intent(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB)
    result = await claim_due(store, ids, NOW)
    assert result.lost == ()
    assert len(result.intents) == 2
    intent = result.intents[0]
    line = intent.claim.line
    attempt = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    assert attempt is not None
    assert attempt.status == AttemptStatus.DIALING
    assert attempt.campaign_id == setting.campaign.id
    assert attempt.outplan_id == setting.outplan.id
    assert attempt.outdial_id == setting.outdial.id
    assert attempt.reference_id == intent.claim.call_id
    assert attempt.activeflow_id == intent.claim.activeflow_id
    assert attempt.source.target == "+12025550100"
    assert attempt.destination.target == line.destination == ALICE
    assert (attempt.destination_index, attempt.try_count) == (0, 1)
    call = await store.call(CUSTOMER, intent.claim.call_id)
    assert call is not None
    assert call.status == CallStatus.DIALING
    assert call.campaigncall_id == intent.claim.attempt_id
    assert call.destination == attempt.destination
    assert await store.leg_of_call(CUSTOMER, intent.claim.call_id) == intent.leg
    target = await store.target(CUSTOMER, setting.outdial.id, attempt.outdial_target_id)
    assert target is not None
    assert (target.status, target.tries, target.due) == (TargetStatus.PROGRESSING, (1, 0, 0, 0, 0), None)


async def test_a_claim_moves_the_limits_on(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB, rate_per_s=10)
    result = await claim_due(store, ids, NOW)
    assert [intent.claim.line.slot for intent in result.intents] == [NOW, NOW + 100_000]
    (trunk,) = (await snapshot(store)).trunks
    assert (trunk.next_slot, trunk.in_use) == (NOW + 200_000, 2)
    (view,) = (await snapshot(store)).campaigns
    assert (view.in_use, view.idle, view.progressing) == (2, 0, 2)


async def test_planning_again_after_a_claim_plans_nothing(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    await claim_due(store, ids, NOW)
    assert (await planned(store, NOW)).lines == ()


async def test_a_claim_is_lost_when_the_target_changed(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB)
    made = await planned(store, NOW)
    (bob,) = [t for t in await store.targets(CUSTOMER, setting.outdial.id, Page()) if t.destinations[0].target == BOB]
    await store.delete_target(CUSTOMER, setting.outdial.id, bob.id, NOW)
    result = await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)
    assert [intent.claim.line.destination for intent in result.intents] == [ALICE]
    assert [(loss.line.destination, loss.why) for loss in result.lost] == [(BOB, "changed")]


async def test_nothing_is_claimed_twice(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    made = await planned(store, NOW)
    first, second = await asyncio.gather(
        store.claim(CUSTOMER, claims_of(made, ids), made, NOW),
        store.claim(CUSTOMER, claims_of(made, ids), made, NOW),
    )
    assert len(first.intents) == 2
    assert second.intents == ()
    assert {loss.why for loss in second.lost} == {"changed"}


async def test_one_line_twice_in_a_batch_wins_once(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    made = await planned(store, NOW)
    result = await store.claim(CUSTOMER, claims_of(made, ids) + claims_of(made, ids), made, NOW)
    assert (len(result.intents), [loss.why for loss in result.lost]) == (1, ["changed"])


async def test_claims_are_lost_when_the_campaign_was_stopped_or_edited(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    made = await planned(store, NOW)
    saved = await store.save_campaign(CUSTOMER, replace(setting.campaign, name="new name"), NOW)
    assert (await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)).lost[0].why == "changed"
    made = await planned(store, NOW)
    await store.order_stop(CUSTOMER, saved.id, NOW)
    assert (await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)).lost[0].why == "changed"


async def test_claims_are_lost_when_the_list_was_deleted(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    made = await planned(store, NOW)
    await store.delete_outdial(CUSTOMER, setting.outdial.id, NOW)
    assert (await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)).lost[0].why == "changed"


async def test_a_live_number_is_looked_at_again_later(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await claim_due(store, ids, NOW)
    (twin,) = await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), ALICE)], NOW) or []
    result = await claim_due(store, ids, NOW + 1)
    assert [loss.why for loss in result.lost] == ["number_live"]
    stored = await store.target(CUSTOMER, setting.outdial.id, twin.id)
    assert stored is not None
    assert (stored.status, stored.due) == (TargetStatus.IDLE, NOW + 1 + 5 * SECOND)
    assert stored.due_reason == DueReason.NUMBER_LIVE
    assert stored.tries == (0, 0, 0, 0, 0)


async def test_the_rest_of_a_batch_goes_on_when_a_number_is_live(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    await claim_due(store, ids, NOW)
    await store.create_targets(
        CUSTOMER, setting.outdial.id, [new_target(ids(), number) for number in (BOB, ALICE, CAROL)], NOW
    )
    result = await claim_due(store, ids, NOW)
    assert [intent.claim.line.destination for intent in result.intents] == [BOB, CAROL]
    assert [loss.line.destination for loss in result.lost] == [ALICE]


async def test_one_number_twice_in_a_batch_wins_once(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    made = await planned(store, NOW)
    twins = [replace(claim, line=replace(claim.line, number=ALICE)) for claim in claims_of(made, ids)]
    result = await store.claim(CUSTOMER, twins, made, NOW)
    assert (len(result.intents), [loss.why for loss in result.lost]) == (1, ["number_live"])


async def test_reslot_gives_the_next_free_slots_in_order(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB, CAROL, rate_per_s=10)
    intents = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intents[2], NOW, BUSY)])
    late = NOW + SECOND
    asked = [intents[1].attempt, intents[0].attempt, intents[2].attempt, 999]
    slots = await store.reslot(CUSTOMER, asked, late)
    assert slots == {intents[1].attempt: late, intents[0].attempt: late + 100_000}
    (trunk,) = (await snapshot(store)).trunks
    assert (trunk.next_slot, trunk.in_use) == (late + 200_000, 2)
    again = await store.reslot(CUSTOMER, [intents[0].attempt], late)
    assert again == {intents[0].attempt: late + 200_000}


async def test_reslot_leaves_out_campaigns_that_do_not_run(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.order_stop(CUSTOMER, setting.campaign.id, NOW)
    assert await store.reslot(CUSTOMER, [intent.attempt], NOW) == {}


async def test_targets_without_anything_to_dial_are_closed(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, "+1911", max_tries=(1, 0, 0, 0, 0))
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY)])
    made = await planned(store, NOW + HOUR)
    assert len(made.closures) == 2
    assert await store.close_targets(CUSTOMER, made.closures, NOW + HOUR) == 2
    assert await store.close_targets(CUSTOMER, made.closures, NOW + HOUR) == 0
    reasons = {t.done_reason for t in await store.targets(CUSTOMER, setting.outdial.id, Page())}
    assert reasons == {DoneReason.EXHAUSTED, DoneReason.INVALID}


# records


async def test_the_life_of_a_successful_attempt(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    assert await store.record(CUSTOMER, [ringing(intent, NOW + 1)]) == [intent.attempt]
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.dialing, stats.ringing, stats.talking) == (1, 1, 0)
    assert await store.record(CUSTOMER, [answered(intent, NOW + 2)]) == [intent.attempt]
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.dialing, stats.ringing, stats.talking, stats.answered) == (0, 0, 1, 1)
    assert await store.record(CUSTOMER, [ended(intent, NOW + 3, SUCCESS)]) == [intent.attempt]
    attempt = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    assert attempt is not None
    assert (attempt.status, attempt.result) == (AttemptStatus.DONE, Result.SUCCESS)
    assert attempt.hangup_reason == HangupReason.NORMAL
    assert attempt.answered
    assert (attempt.tm_ringing, attempt.tm_progressing, attempt.tm_hangup) == (NOW + 1, NOW + 2, NOW + 3)
    call = await store.call(CUSTOMER, intent.claim.call_id)
    assert call is not None
    assert (call.status, call.hangup_by, call.sip_code) == (CallStatus.HANGUP, "remote", 486)
    assert await store.leg_of_call(CUSTOMER, intent.claim.call_id) is None
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.succeeded, stats.talking, stats.targets_done) == (1, 0, {"success": 1})
    (trunk,) = (await snapshot(store)).trunks
    assert trunk.in_use == 0


async def test_a_failed_attempt_with_tries_left_waits_its_interval(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW + 3, BUSY)])
    (target,) = await store.targets(CUSTOMER, setting.outdial.id, Page())
    assert (target.status, target.due) == (TargetStatus.IDLE, NOW + 3 + 60 * SECOND)
    assert (target.due_reason, target.tries) == (DueReason.RETRY, (1, 0, 0, 0, 0))
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.failed, stats.retries_waiting, stats.next_due) == ({"busy": 1}, 1, target.due)
    assert (await planned(store, NOW + 3)).lines == ()
    (again,) = (await claim_due(store, ids, NOW + HOUR)).intents
    assert again.claim.line.try_count == 2
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert stats.retries_waiting == 0


async def test_a_used_up_target_is_done(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, max_tries=(1, 0, 0, 0, 0))
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY, tries_left=False)])
    (target,) = await store.targets(CUSTOMER, setting.outdial.id, Page())
    assert (target.status, target.done_reason, target.due) == (TargetStatus.DONE, DoneReason.EXHAUSTED, None)


async def test_what_was_not_sent_is_given_back(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW + 3, NOT_SENT)])
    (target,) = await store.targets(CUSTOMER, setting.outdial.id, Page())
    assert (target.status, target.due, target.tries) == (TargetStatus.IDLE, NOW + 3, (0, 0, 0, 0, 0))
    assert target.due_reason == DueReason.RETURNED
    attempt = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    assert attempt is not None
    assert not attempt.charged
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.failed, stats.retries_waiting, stats.targets_idle) == ({"not_sent": 1}, 0, 1)
    (again,) = (await claim_due(store, ids, NOW + 4)).intents
    assert again.claim.line.try_count == 1


async def test_an_answer_that_only_the_end_tells_of_counts(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW + 1, of_unknown(answered=True))])
    attempt = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    assert attempt is not None
    assert attempt.answered
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.answered, stats.talking, stats.dialing) == (1, 0, 0)


async def test_done_is_done(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW + 1, BUSY)])
    before = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    late = [ringing(intent, NOW + 2), answered(intent, NOW + 3), ended(intent, NOW + 4, SUCCESS)]
    assert await store.record(CUSTOMER, late) == []
    assert await store.campaigncall(CUSTOMER, intent.claim.attempt_id) == before


async def test_a_whole_life_in_one_record(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    one, two = (await claim_due(store, ids, NOW)).intents
    life = [ringing(one, NOW + 1), ringing(two, NOW + 1), answered(one, NOW + 2), ringing(one, NOW + 2)]
    life += [ended(one, NOW + 3, SUCCESS), ended(two, NOW + 3, BUSY), ended(one, NOW + 4, BUSY)]
    assert await store.record(CUSTOMER, life) == [one.attempt, two.attempt]
    attempt = await store.campaigncall(CUSTOMER, one.claim.attempt_id)
    assert attempt is not None
    assert (attempt.result, attempt.tm_hangup) == (Result.SUCCESS, NOW + 3)


async def test_a_hang_up_order_shows_on_the_call(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    order = AttemptChange(keys=keys_of(intent), at=NOW + 1, call_event=CallEvent.HANGUP_ORDERED)
    assert await store.record(CUSTOMER, [order]) == [intent.attempt]
    call = await store.call(CUSTOMER, intent.claim.call_id)
    assert call is not None
    assert call.status == CallStatus.CANCELING


async def test_a_target_deleted_in_its_call_is_removed_at_the_end(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    (target,) = await store.targets(CUSTOMER, setting.outdial.id, Page())
    deleted = await store.delete_target(CUSTOMER, setting.outdial.id, target.id, NOW + 1)
    assert deleted is not None
    assert (deleted.status, deleted.tm_delete) == (TargetStatus.PROGRESSING, NOW + 1)
    await store.record(CUSTOMER, [ended(intent, NOW + 2, BUSY)])
    stored = await store.target(CUSTOMER, setting.outdial.id, target.id)
    assert stored is not None
    assert (stored.status, stored.done_reason) == (TargetStatus.DONE, DoneReason.REMOVED)


async def test_a_list_deleted_in_its_calls_gets_nobody_back(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB)
    one, two = (await claim_due(store, ids, NOW)).intents
    await store.delete_outdial(CUSTOMER, setting.outdial.id, NOW + 1)
    await store.record(CUSTOMER, [ended(one, NOW + 2, BUSY), answered(two, NOW + 2), ended(two, NOW + 3, SUCCESS)])
    reasons = [target.done_reason for _, target in await store.targets_in_order(CUSTOMER, setting.outdial.id, 0, 9)]
    assert reasons == [DoneReason.REMOVED, DoneReason.SUCCESS]


async def test_a_late_answer_is_remembered(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW + 1, BUSY)])
    assert await store.note_late_answer(CUSTOMER, intent.claim.attempt_id, NOW + 2)
    assert not await store.note_late_answer(CUSTOMER, ids(), NOW + 2)
    attempt = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    assert attempt is not None
    assert attempt.late_answer


# epochs


async def test_a_new_epoch_finds_what_the_old_one_left(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    one, two = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [answered(two, NOW + 2)])
    assert await store.unresolved(CUSTOMER) == []
    second = await store.begin_epoch("worker", NOW + 3)
    assert second > 1
    early, late = sorted(await store.unresolved(CUSTOMER), key=lambda left: left.keys.attempt)
    assert early.keys == keys_of(one)
    assert early.attempt_id == one.claim.attempt_id
    assert (early.status, early.dialog, early.leg_number) == (AttemptStatus.DIALING, b"", 1)
    assert early.send_not_after == one.claim.line.send_not_after
    assert (early.destination, early.source, early.tries) == (ALICE, "+12025550100", (1, 0, 0, 0, 0))
    assert (late.status, late.dialog) == (AttemptStatus.PROGRESSING, b"dialog")
    assert late.answered_until == NOW + 2 + HOUR
    assert late.tm_progressing == NOW + 2
    (trunk,) = (await snapshot(store)).trunks
    assert trunk.in_use == 2
    ends = [
        AttemptChange(
            keys=left.keys, at=NOW + HOUR, attempt_event=AttemptEvent.UNRESOLVED,
            end=end_of(of_unknown(answered=left.tm_progressing is not None), NOW + HOUR),
        )
        for left in (early, late)
    ]  # fmt: skip
    assert len(await store.record(CUSTOMER, ends)) == 2
    assert await store.unresolved(CUSTOMER) == []
    call = await store.call(CUSTOMER, one.claim.call_id)
    assert call is not None
    assert call.status == CallStatus.HANGUP


async def test_a_new_epoch_recounts_the_channels(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    await claim_due(store, ids, NOW)
    before = await snapshot(store)
    await store._write(lambda database: database.execute("UPDATE limits SET in_use = 77").rowcount)
    await store.begin_epoch("worker", NOW)
    assert await snapshot(store) == before


async def test_what_an_old_epoch_writes_changes_nothing(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB, CAROL, rate_per_s=1)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    made = await planned(store, NOW + SECOND)
    life = store._life
    await store.begin_epoch("worker", NOW)
    store._life = life
    before = await store.campaigncall(CUSTOMER, intent.claim.attempt_id)
    result = await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)
    assert (result.intents, [loss.why for loss in result.lost]) == ((), ["changed"])
    assert await store.record(CUSTOMER, [answered(intent, NOW), ended(intent, NOW, SUCCESS)]) == []
    assert await store.reslot(CUSTOMER, [intent.attempt], NOW) == {}
    assert await store.close_targets(CUSTOMER, made.closures, NOW) == 0
    assert not await store.note_late_answer(CUSTOMER, intent.claim.attempt_id, NOW)
    assert await store.apply_campaign_events(CUSTOMER, [(1, CampaignEvent.FINISHED)], NOW) == []
    assert await store.campaigncall(CUSTOMER, intent.claim.attempt_id) == before
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert stats.targets_progressing == 1


async def test_a_store_without_an_epoch_claims_nothing(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    made = await planned(store, NOW)
    store._life = type(store._life)()
    assert (await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)).intents == ()


# the planner's campaign events


async def test_a_finished_campaign_stops_and_starts_the_next(store: SqliteStore, ids: Ids) -> None:
    following = await store.create_campaign(CUSTOMER, Campaign(id=ids(), name="next", tm_create=NOW))
    setting = await furnish(store, ids, ALICE, next_campaign_id=following.id)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    (view,) = (await snapshot(store)).campaigns
    finished = [(view.key, CampaignEvent.FINISHED)]
    assert await store.apply_campaign_events(CUSTOMER, finished, NOW) == []
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY, tries_left=False)])
    assert (await planned(store, NOW)).campaign_events == tuple(finished)
    assert await store.apply_campaign_events(CUSTOMER, finished, NOW) == [view.key]
    assert await store.apply_campaign_events(CUSTOMER, finished, NOW) == []
    statuses = [(await store.campaign(CUSTOMER, c.id), c.name) for c in (setting.campaign, following)]
    assert [campaign.status for campaign, _ in statuses if campaign] == [CampaignStatus.STOP, CampaignStatus.RUN]


async def test_a_deleted_or_running_next_campaign_is_left_alone(store: SqliteStore, ids: Ids) -> None:
    following = await store.create_campaign(CUSTOMER, Campaign(id=ids(), tm_create=NOW))
    await store.delete_campaign(CUSTOMER, following.id, NOW)
    setting = await furnish(store, ids, next_campaign_id=following.id)
    made = await planned(store, NOW)
    assert len(await store.apply_campaign_events(CUSTOMER, made.campaign_events, NOW)) == 1
    stored = await store.campaign(CUSTOMER, following.id)
    assert stored is not None
    assert stored.status == CampaignStatus.STOP
    assert setting.campaign.status == CampaignStatus.RUN


async def test_a_campaign_that_continues_is_not_finished(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids)
    (view,) = (await snapshot(store)).campaigns
    await store.save_campaign(CUSTOMER, replace(setting.campaign, end_handle=EndHandle.CONTINUE), NOW)
    assert await store.apply_campaign_events(CUSTOMER, [(view.key, CampaignEvent.FINISHED)], NOW) == []


async def test_a_stopping_campaign_drains(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    ordered = await store.order_stop(CUSTOMER, setting.campaign.id, NOW)
    assert ordered is not None
    assert ordered.status == CampaignStatus.STOPPING
    (view,) = (await snapshot(store)).campaigns
    drained = [(view.key, CampaignEvent.DRAINED)]
    assert await store.apply_campaign_events(CUSTOMER, drained, NOW) == []
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY)])
    assert await store.apply_campaign_events(CUSTOMER, drained, NOW) == [view.key]


# what scripts ask


async def test_scripts_and_facts(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    action = Action(id=ids(), type="talk", option={"text": "Hello ${target.name}"})
    saved = await store.save_campaign(CUSTOMER, replace(setting.campaign, actions=(action,)), NOW)
    (line,) = (await planned(store, NOW)).lines
    script = await store.call_script(CUSTOMER, line.campaign_version)
    assert (script.campaign_id, script.campaign_name, script.actions) == (saved.id, "campaign", (action,))
    facts = await store.target_facts(CUSTOMER, [line.target, 999])
    assert list(facts) == [line.target]
    assert facts[line.target].outdial_id == setting.outdial.id


async def test_what_keeps_a_campaign_from_dialing(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB, channels=1)
    made = await planned(store, NOW)
    await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert stats.waiting_for == "trunk_channels: 1 of 1"
    store.note_gates(CUSTOMER, {made.lines[0].campaign: "trunk_pause: refused"})
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert stats.waiting_for == "trunk_pause: refused"


async def test_the_planner_is_told_of_changes(store: SqliteStore, ids: Ids) -> None:
    told: list[bool] = []
    store.on_change(lambda: told.append(True))
    setting = await furnish(store, ids, ALICE)
    assert told
    told.clear()
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ringing(intent, NOW)])
    assert told == []
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY)])
    assert told == [True]
    await store.order_stop(CUSTOMER, setting.campaign.id, NOW)
    assert told == [True, True]


async def test_an_empty_claim_is_nothing(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE)
    result = await store.claim(CUSTOMER, [], Plan(), NOW)
    assert (result.intents, result.lost) == ((), ())
    assert await store.record(CUSTOMER, []) == []
