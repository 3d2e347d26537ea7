"""What people and programs change and read."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from outdialer.domain.campaign import CampaignStatus
from outdialer.domain.directory import Standing
from outdialer.domain.model import (
    AccessKey,
    Action,
    Address,
    Campaign,
    NewTarget,
    Outdial,
    Outplan,
    Trunk,
)
from outdialer.domain.target import DoneReason, TargetStatus
from outdialer.domain.units import NIL_ID, Id
from outdialer.ports.store import Conflict, Page
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import (
    BUSY,
    CUSTOMER,
    NOBODY,
    NOW,
    Ids,
    claim_due,
    ended,
    furnish,
    new_target,
    planned,
)

ALICE, BOB, CAROL = "+12025550101", "+12025550102", "+12025550103"
STRANGER = 2
"""A customer that nothing here belongs to."""


class Dated(Protocol):
    """Anything that a list shows."""

    @property
    def id(self) -> Id: ...

    @property
    def tm_create(self) -> int: ...


async def every_page(fetch: Callable[[Page], Awaitable[list[Any]]], size: int) -> list[Any]:
    """All rows, page by page, as a client walks them."""
    rows: list[Any] = []
    page = Page(size=size)
    while batch := await fetch(page):
        rows += batch
        page = Page(size=size, before=batch[-1].tm_create, before_id=batch[-1].id)
    return rows


def newest_first(rows: list[Any]) -> list[Id]:
    return [row.id for row in sorted(rows, key=lambda row: (row.tm_create, row.id), reverse=True)]


# outplans


async def test_outplans(store: SqliteStore, ids: Ids) -> None:
    outplan = Outplan(
        id=ids(),
        name="plan",
        detail="é\u2028",
        source=Address(type="sip", target="sip:us@127.0.0.1", target_name="Us", name="n", detail="d"),
        dial_timeout_ms=1000,
        try_interval_ms=2000,
        max_tries=(1, 2, 3, 4, 5),
        redial_answered=False,
        tm_create=NOW,
    )
    assert await store.create_outplan(CUSTOMER, outplan) == outplan
    assert await store.outplan(CUSTOMER, outplan.id) == outplan
    assert await store.outplan(STRANGER, outplan.id) is None
    saved = await store.save_outplan(CUSTOMER, replace(outplan, name="other", max_tries=(5, 0, 0, 0, 0)), NOW + 1)
    assert saved == replace(outplan, name="other", max_tries=(5, 0, 0, 0, 0), version=2, tm_update=NOW + 1)
    assert await store.outplan(CUSTOMER, outplan.id) == saved
    with pytest.raises(Conflict):
        await store.save_outplan(CUSTOMER, outplan, NOW + 2)
    with pytest.raises(Conflict):
        await store.save_outplan(STRANGER, saved, NOW + 2)
    deleted = await store.delete_outplan(CUSTOMER, outplan.id, NOW + 3)
    assert deleted is not None
    assert deleted.tm_delete == NOW + 3
    assert await store.delete_outplan(CUSTOMER, outplan.id, NOW + 4) == deleted
    assert await store.delete_outplan(CUSTOMER, ids(), NOW + 4) is None
    assert await store.delete_outplan(STRANGER, outplan.id, NOW + 4) is None
    assert await store.outplan(CUSTOMER, outplan.id) == deleted
    assert await store.outplans(CUSTOMER, Page()) == []
    with pytest.raises(Conflict):
        await store.save_outplan(CUSTOMER, deleted, NOW + 5)


async def test_pages_of_outplans_lose_and_repeat_nothing(store: SqliteStore, ids: Ids) -> None:
    made = [Outplan(id=ids(), tm_create=NOW + n // 3) for n in range(10)]
    for outplan in made:
        await store.create_outplan(CUSTOMER, outplan)
    rows = await every_page(lambda page: store.outplans(CUSTOMER, page), 4)
    assert [row.id for row in rows] == newest_first(made)
    assert await store.outplans(STRANGER, Page()) == []
    before = await store.outplans(CUSTOMER, Page(before=NOW + 1))
    assert [row.id for row in before] == newest_first(made[:3])


# outdials and targets


async def test_outdials(store: SqliteStore, ids: Ids) -> None:
    outdial = Outdial(id=ids(), name="list", detail="d", data="{}", tm_create=NOW)
    assert await store.create_outdial(CUSTOMER, outdial) == outdial
    assert await store.outdial(CUSTOMER, outdial.id) == outdial
    assert await store.outdial(STRANGER, outdial.id) is None
    saved = await store.save_outdial(CUSTOMER, replace(outdial, name="other"), NOW + 1)
    assert (saved.name, saved.version, saved.tm_update) == ("other", 2, NOW + 1)
    with pytest.raises(Conflict):
        await store.save_outdial(CUSTOMER, outdial, NOW + 2)
    deleted = await store.delete_outdial(CUSTOMER, outdial.id, NOW + 3)
    assert deleted is not None
    assert deleted.tm_delete == NOW + 3
    assert await store.delete_outdial(CUSTOMER, ids(), NOW) is None
    assert await store.outdials(CUSTOMER, Page()) == []
    assert await store.create_targets(CUSTOMER, outdial.id, [new_target(ids(), ALICE)], NOW) is None
    assert await store.create_targets(CUSTOMER, ids(), [new_target(ids(), ALICE)], NOW) is None


async def test_pages_of_outdials(store: SqliteStore, ids: Ids) -> None:
    made = [Outdial(id=ids(), tm_create=NOW) for _ in range(7)]
    for outdial in made:
        await store.create_outdial(CUSTOMER, outdial)
    rows = await every_page(lambda page: store.outdials(CUSTOMER, page), 3)
    assert [row.id for row in rows] == newest_first(made)


async def test_a_campaign_binds_its_list(store: SqliteStore, ids: Ids) -> None:
    first = await store.create_outdial(CUSTOMER, Outdial(id=ids(), tm_create=NOW))
    second = await store.create_outdial(CUSTOMER, Outdial(id=ids(), tm_create=NOW))

    async def bindings() -> list[Id]:
        found = [await store.outdial(CUSTOMER, outdial.id) for outdial in (first, second)]
        return [outdial.campaign_id for outdial in found if outdial is not None]

    campaign = await store.create_campaign(CUSTOMER, Campaign(id=ids(), outdial_id=first.id, tm_create=NOW))
    assert await bindings() == [campaign.id, NIL_ID]
    campaign = await store.save_campaign(CUSTOMER, replace(campaign, outdial_id=second.id), NOW)
    assert await bindings() == [NIL_ID, campaign.id]
    await store.delete_campaign(CUSTOMER, campaign.id, NOW)
    assert await bindings() == [NIL_ID, NIL_ID]


async def test_targets(store: SqliteStore, ids: Ids) -> None:
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids(), tm_create=NOW))
    rich = NewTarget(
        id=ids(),
        name="Ada",
        detail="d",
        data='{"a": 1}',
        destinations=(
            Address(type="tel", target=ALICE, target_name="Ada", name="n", detail="d"),
            NOBODY,
            Address(type="sip", target="sip:ada@127.0.0.1"),
            NOBODY,
            NOBODY,
        ),
    )
    plain = new_target(ids(), BOB)
    made = await store.create_targets(CUSTOMER, outdial.id, [rich, plain], NOW)
    assert made is not None
    assert [target.destinations for target in made] == [rich.destinations, plain.destinations]
    assert made[0].status == TargetStatus.IDLE
    assert made[0].due == NOW
    for target in made:
        assert await store.target(CUSTOMER, outdial.id, target.id) == target
        assert await store.target(STRANGER, outdial.id, target.id) is None
        assert await store.target(CUSTOMER, ids(), target.id) is None
    deleted = await store.delete_target(CUSTOMER, outdial.id, rich.id, NOW + 1)
    assert deleted is not None
    assert (deleted.status, deleted.done_reason) == (TargetStatus.DONE, DoneReason.REMOVED)
    assert (deleted.tm_delete, deleted.due) == (NOW + 1, None)
    assert await store.delete_target(CUSTOMER, outdial.id, rich.id, NOW + 2) == deleted
    assert await store.delete_target(CUSTOMER, ids(), rich.id, NOW + 2) is None
    assert await store.delete_target(CUSTOMER, outdial.id, ids(), NOW + 2) is None
    assert [target.id for target in await store.targets(CUSTOMER, outdial.id, Page())] == [plain.id]
    in_order = await store.targets_in_order(CUSTOMER, outdial.id, 0, 10)
    assert [target.id for _, target in in_order] == [rich.id, plain.id]
    assert await store.targets_in_order(CUSTOMER, outdial.id, in_order[0][0], 10) == in_order[1:]


async def test_a_target_deleted_between_its_tries_waits_no_more(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY)])
    (target,) = await store.targets(CUSTOMER, setting.outdial.id, Page())
    await store.delete_target(CUSTOMER, setting.outdial.id, target.id, NOW)
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert (stats.retries_waiting, stats.targets_idle, stats.targets_done) == (0, 0, {"removed": 1})


async def test_pages_of_targets_while_rows_are_added(store: SqliteStore, ids: Ids) -> None:
    outdial = await store.create_outdial(CUSTOMER, Outdial(id=ids(), tm_create=NOW))
    made = await store.create_targets(CUSTOMER, outdial.id, [new_target(ids(), ALICE) for _ in range(9)], NOW)
    assert made is not None
    page = await store.targets(CUSTOMER, outdial.id, Page(size=4))
    await store.create_targets(CUSTOMER, outdial.id, [new_target(ids(), BOB)], NOW + 1)
    rest = await store.targets(CUSTOMER, outdial.id, Page(size=9, before=NOW, before_id=page[-1].id))
    assert [target.id for target in page + rest] == newest_first(made)
    assert await store.targets(STRANGER, outdial.id, Page()) == []


async def test_ten_thousand_targets_at_once(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids)
    many = [new_target(ids(), ALICE) for _ in range(10_000)]
    made = await store.create_targets(CUSTOMER, setting.outdial.id, many, NOW)
    assert made is not None
    assert len(made) == 10_000
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert stats.targets_idle == 10_000


async def test_a_target_id_is_taken_once(store: SqliteStore, ids: Ids) -> None:
    """A batch with a taken id changes nothing, and the store goes on."""
    setting = await furnish(store, ids, ALICE)
    (taken,) = await store.targets(CUSTOMER, setting.outdial.id, Page())
    with pytest.raises(Exception, match="UNIQUE"):
        await store.create_targets(CUSTOMER, setting.outdial.id, [new_target(ids(), BOB), new_target(taken.id)], NOW)
    assert len(await store.targets(CUSTOMER, setting.outdial.id, Page())) == 1
    assert store.failure == ""


# campaigns


async def test_campaigns(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, running=False)
    campaign = Campaign(
        id=ids(),
        type="flow",
        name="c",
        detail="d",
        service_level=80,
        actions=(Action(id=ids(), type="talk", option={"text": "Hi", "n": [1, None]}),),
        outplan_id=setting.outplan.id,
        queue_id=ids(),
        next_campaign_id=ids(),
        dial_rate=1.5,
        dial_channels=7,
        tm_create=NOW,
    )
    assert await store.create_campaign(CUSTOMER, campaign) == campaign
    assert await store.campaign(CUSTOMER, campaign.id) == campaign
    assert await store.campaign(STRANGER, campaign.id) is None
    edited = replace(campaign, name="other", status=CampaignStatus.RUN, actions=())
    saved = await store.save_campaign(CUSTOMER, edited, NOW + 1)
    assert saved == replace(edited, status=CampaignStatus.STOP, version=2, tm_update=NOW + 1)
    with pytest.raises(Conflict):
        await store.save_campaign(CUSTOMER, campaign, NOW + 2)
    deleted = await store.delete_campaign(CUSTOMER, campaign.id, NOW + 3)
    assert deleted is not None
    assert deleted.tm_delete == NOW + 3
    assert await store.delete_campaign(CUSTOMER, campaign.id, NOW + 4) == deleted
    assert await store.delete_campaign(CUSTOMER, ids(), NOW) is None
    assert await store.order_run(CUSTOMER, campaign.id, NOW) is None
    assert await store.order_stop(CUSTOMER, ids(), NOW) is None
    assert [row.id for row in await store.campaigns(CUSTOMER, Page())] == [setting.campaign.id]


async def test_running_and_stopping(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, running=False)

    async def status_after(order: Callable[[int, Id, int], Awaitable[Campaign | None]]) -> str:
        campaign = await order(CUSTOMER, setting.campaign.id, NOW)
        assert campaign is not None
        assert campaign == await store.campaign(CUSTOMER, setting.campaign.id)
        return campaign.status

    assert await status_after(store.order_stop) == "stop"
    assert await status_after(store.order_run) == "run"
    assert await status_after(store.order_run) == "run"
    with pytest.raises(Conflict):
        await store.delete_campaign(CUSTOMER, setting.campaign.id, NOW)
    assert await status_after(store.order_stop) == "stop"
    assert await status_after(store.order_run) == "run"
    (intent,) = (await claim_due(store, ids, NOW)).intents
    assert await status_after(store.order_stop) == "stopping"
    assert await status_after(store.order_stop) == "stopping"
    with pytest.raises(Conflict):
        await store.delete_campaign(CUSTOMER, setting.campaign.id, NOW)
    await store.record(CUSTOMER, [ended(intent, NOW, BUSY)])
    assert await status_after(store.order_stop) == "stop"


async def test_an_order_does_not_disturb_an_edit(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, running=False)
    await store.order_run(CUSTOMER, setting.campaign.id, NOW)
    saved = await store.save_campaign(CUSTOMER, replace(setting.campaign, name="other"), NOW)
    assert (saved.name, saved.status) == ("other", CampaignStatus.RUN)


async def test_stats_of_nothing(store: SqliteStore, ids: Ids) -> None:
    campaign = await store.create_campaign(CUSTOMER, Campaign(id=ids(), tm_create=NOW))
    stats = await store.campaign_stats(CUSTOMER, campaign.id)
    assert stats is not None
    assert (stats.attempts, stats.targets_idle, stats.targets_done, stats.next_due) == (0, 0, {}, None)
    assert await store.campaign_stats(CUSTOMER, ids()) is None
    assert await store.campaign_stats(STRANGER, campaign.id) is None


# attempts and calls


async def test_campaigncalls_and_calls(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE, BOB, CAROL)
    intents = (await claim_due(store, ids, NOW)).intents
    attempts = await every_page(lambda page: store.campaigncalls(CUSTOMER, page), 2)
    assert [row.id for row in attempts] == newest_first(attempts)
    assert {row.id for row in attempts} == {intent.claim.attempt_id for intent in intents}
    assert await every_page(lambda page: store.campaigncalls(CUSTOMER, page, setting.campaign.id), 2) == attempts
    assert await store.campaigncalls(CUSTOMER, Page(), ids()) == []
    assert await store.campaigncalls(STRANGER, Page()) == []
    assert await store.campaigncalls(CUSTOMER, Page(), None, ids()) == []
    for row in attempts:
        assert await store.campaigncalls(CUSTOMER, Page(), None, row.outdial_target_id) == [row]
        assert await store.campaigncalls(CUSTOMER, Page(), setting.campaign.id, row.outdial_target_id) == [row]
        assert await store.campaigncalls(CUSTOMER, Page(), ids(), row.outdial_target_id) == []
        assert await store.campaigncalls(STRANGER, Page(), None, row.outdial_target_id) == []
    calls = await every_page(lambda page: store.calls(CUSTOMER, page), 2)
    assert {row.id for row in calls} == {intent.claim.call_id for intent in intents}
    assert [row.id for row in calls] == newest_first(calls)
    for row in attempts:
        assert await store.campaigncall(CUSTOMER, row.id) == row
        assert await store.campaigncall(STRANGER, row.id) is None
    for row in calls:
        assert await store.call(CUSTOMER, row.id) == row
        assert await store.call(STRANGER, row.id) is None
        assert await store.leg_of_call(STRANGER, row.id) is None
    in_order = await store.campaigncalls_in_order(CUSTOMER, None, 0, 2)
    assert [key for key, _ in in_order] == [1, 2]
    assert [key for key, _ in await store.campaigncalls_in_order(CUSTOMER, setting.campaign.id, 2, 5)] == [3]
    assert await store.campaigncalls_in_order(CUSTOMER, ids(), 0, 5) == []


async def test_the_activeflow_of_a_call(store: SqliteStore, ids: Ids) -> None:
    await furnish(store, ids, ALICE, BOB)
    one, _ = (await claim_due(store, ids, NOW)).intents
    activeflow = one.claim.activeflow_id
    call = await store.call_of_activeflow(CUSTOMER, activeflow)
    assert call == await store.call(CUSTOMER, one.claim.call_id)
    assert await store.call_of_activeflow(STRANGER, activeflow) is None
    assert await store.delete_activeflow(STRANGER, activeflow, NOW) is None
    deleted = await store.delete_activeflow(CUSTOMER, activeflow, NOW + 2)
    assert deleted is not None
    assert (deleted.tm_activeflow_delete, deleted.tm_activeflow_end, deleted.tm_delete) == (NOW + 2, NOW + 2, None)
    assert await store.delete_activeflow(CUSTOMER, activeflow, NOW + 3) == deleted
    marked = [row.id for row in await store.calls(CUSTOMER, Page()) if row.tm_activeflow_delete is not None]
    assert marked == [one.claim.call_id]
    newest = (await store.events_after(0, 1_000)).rows[-1]
    assert (newest.kind, newest.subject, newest.at) == ("activeflow_deleted", activeflow, NOW + 2)


async def test_deleting_a_campaigncall_hides_it(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    attempt_id = intent.claim.attempt_id
    with pytest.raises(Conflict):
        await store.delete_campaigncall(CUSTOMER, attempt_id, NOW)
    await store.record(CUSTOMER, [ended(intent, NOW + 1, BUSY)])
    deleted = await store.delete_campaigncall(CUSTOMER, attempt_id, NOW + 2)
    assert deleted is not None
    assert deleted.tm_delete == NOW + 2
    assert await store.delete_campaigncall(CUSTOMER, attempt_id, NOW + 3) == deleted
    assert await store.delete_campaigncall(CUSTOMER, ids(), NOW) is None
    assert await store.campaigncalls(CUSTOMER, Page()) == []
    assert await store.campaigncalls(CUSTOMER, Page(), setting.campaign.id) == []
    for campaign in (None, setting.campaign.id):
        assert await store.campaigncalls(CUSTOMER, Page(deleted=True), campaign) == [deleted]
        assert await store.campaigncalls(STRANGER, Page(deleted=True), campaign) == []
        assert await store.campaigncalls(CUSTOMER, Page(deleted=True), campaign, deleted.outdial_target_id) == [deleted]
        assert await store.campaigncalls(CUSTOMER, Page(), campaign, deleted.outdial_target_id) == []
    assert await store.campaigncall(CUSTOMER, attempt_id) == deleted
    assert len(await store.campaigncalls_in_order(CUSTOMER, None, 0, 9)) == 1
    stats = await store.campaign_stats(CUSTOMER, setting.campaign.id)
    assert stats is not None
    assert stats.attempts == 1


# trunks and access keys


async def test_trunks(store: SqliteStore, ids: Ids) -> None:
    trunk = Trunk(id=ids(), name="t", host="127.0.0.1", username="u", password_file="p", rate_per_s=2.5, channels=3)
    made = await store.put_trunk(CUSTOMER, trunk, NOW)
    assert made == replace(trunk, tm_create=NOW)
    second = await store.put_trunk(CUSTOMER, replace(trunk, id=ids(), name="other"), NOW)
    assert [row.trunk for row in await store.trunks(CUSTOMER)] == [made, second]
    again = await store.put_trunk(CUSTOMER, replace(trunk, channels=9), NOW + 1)
    assert (again.channels, again.version, again.tm_update) == (9, 2, NOW + 1)
    assert [row.key for row in await store.trunks(CUSTOMER)] == [1, 2]
    assert await store.trunks(STRANGER) == []


async def test_a_trunks_pause_survives_new_limits_and_not_a_new_way_in(store: SqliteStore, ids: Ids) -> None:
    from outdialer.domain.breaker import Breaker

    trunk = await store.put_trunk(CUSTOMER, Trunk(id=ids(), host="127.0.0.1"), NOW)
    await store.set_trunk_pause(CUSTOMER, 1, Breaker(pauses=1, open_until=NOW + 9, reason="refused"), NOW)
    assert (await store.put_trunk(CUSTOMER, replace(trunk, channels=2), NOW)).pause_reason == "refused"
    assert (await store.put_trunk(CUSTOMER, replace(trunk, port=5070), NOW)).pause_reason == ""


async def test_access_keys(store: SqliteStore, ids: Ids) -> None:
    key = AccessKey(
        id=ids(), customer=CUSTOMER, name="k", token_prefix="od_", token_hash=b"h" * 32, tm_expire=NOW, tm_create=NOW
    )
    await store.put_access_key(key)
    assert await store.access_key(b"h" * 32) == (key, Standing())
    await store.schedule_deletion(CUSTOMER, NOW)
    assert await store.access_key(b"h" * 32) == (key, Standing("active", NOW))
    assert await store.access_key(b"x" * 32) is None
    assert await store.access_keys(CUSTOMER) == [key]
    assert await store.access_keys(STRANGER) == []


# the outbox


async def test_every_change_has_its_event(store: SqliteStore, ids: Ids) -> None:
    setting = await furnish(store, ids, ALICE)
    (intent,) = (await claim_due(store, ids, NOW)).intents
    await store.record(CUSTOMER, [ended(intent, NOW + 1, BUSY)])
    await store.order_stop(CUSTOMER, setting.campaign.id, NOW)
    await store.delete_campaign(CUSTOMER, setting.campaign.id, NOW)
    kinds = store._read(lambda database: [row["kind"] for row in database.execute("SELECT kind FROM outbox")])
    assert kinds == [
        "outplan_created",
        "outdial_created",
        "outdial_updated",
        "campaign_created",
        "campaign_status_run",
        "claimed",
        "ended",
        "campaign_status_stop",
        "outdial_updated",
        "campaign_deleted",
    ]


@pytest.mark.parametrize("slow", ["trunk", "campaign"])
async def test_a_higher_rate_holds_at_once(store: SqliteStore, ids: Ids, slow: str) -> None:
    setting = await furnish(store, ids, "+12025550101", "+12025550102", "+12025550103")
    trunk, campaign = setting.trunk, setting.campaign
    if slow == "trunk":
        trunk = await store.put_trunk(CUSTOMER, replace(trunk, rate_per_s=0.001), NOW)
    else:
        campaign = await store.save_campaign(CUSTOMER, replace(campaign, dial_rate=0.001), NOW)
    assert len((await claim_due(store, ids, NOW)).intents) == 1
    soon = NOW + 1_000_000
    assert (await planned(store, soon)).lines == ()
    await store.put_trunk(CUSTOMER, replace(trunk, rate_per_s=100), soon)
    await store.save_campaign(CUSTOMER, replace(campaign, dial_rate=100), soon)
    assert len((await planned(store, soon + 300_000)).lines) == 2
