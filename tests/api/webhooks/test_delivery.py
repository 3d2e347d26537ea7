"""From the outbox to receivers over real HTTP on loopback, over both stores."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from outdialer.api.webhooks.signing import OVERLAP_US
from outdialer.domain.directory import customer_id
from tests.api.conftest import over_both_stores
from tests.api.webhooks.post_office import HOUR, SECOND, PostOffice, about, count_is, ids, names_of, text, told
from tests.web.receiver import Got, Receiver, accept, always, status

pytestmark = over_both_stores


async def test_what_a_receiver_gets(office: PostOffice) -> None:
    async with Receiver() as receiver, office.open():
        webhook = await office.endpoint(receiver.url)
        tag = await office.tag("a")
        await receiver.until(count_is(receiver, 1))
        secret = await office.secret(webhook.id)
    got = receiver.got[0]
    assert (got.method, got.path, got.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert msgspec.json.decode(got.body)["type"] == "tag_created"
    assert about(got) == text(tag)
    assert got.headers["user-agent"].startswith("outdialer/")
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    signed = Verifier(secret).sign(got.headers["webhook-id"], at, got.body.decode())
    assert got.headers["webhook-signature"] == signed


async def test_nothing_is_read_while_there_is_no_endpoint(office: PostOffice) -> None:
    async with office.open():
        for _ in range(5):
            await office.tag()
            await asyncio.sleep(0)
        assert office.store.reads == 0


async def test_an_endpoint_begins_after_its_own_creation(office: PostOffice) -> None:
    async with Receiver() as receiver:
        await office.tag("before")
        await office.endpoint(receiver.url)
        await office.tag("after")
        async with office.open():
            await receiver.until(count_is(receiver, 1))
    assert names_of(receiver) == ["after"]


async def test_the_customers_own_webhook_uri(office: PostOffice) -> None:
    store = office.world.store
    async with Receiver() as receiver, office.open() as deliverer:
        customer = await store.customer(1)
        assert customer is not None
        own = msgspec.structs.replace(customer, webhook_uri=receiver.url, webhook_method="PUT")
        own = await store.save_customer(own, office.clock.now())
        await store.webhook_endpoints()
        deliverer.changed()
        await office.tag("a")
        await receiver.until(count_is(receiver, 1))
        assert receiver.got[0].method == "PUT"
        assert (await store.webhook_endpoints())[0].id == customer_id(1)
        await store.save_customer(msgspec.structs.replace(own, webhook_uri=""), office.clock.now())
        assert await store.webhook_endpoints() == []


async def test_only_the_events_that_were_asked_for_and_only_ones_own(office: PostOffice) -> None:
    async with Receiver() as receiver, Receiver() as other, office.open():
        await office.endpoint(receiver.url, "tag_updated")
        await office.endpoint(other.url, customer=2)
        tag = await office.tag("a")
        await office.rename(tag, "b")
        await office.tag("foreign", customer=2)
        await receiver.until(count_is(receiver, 1))
        await other.until(count_is(other, 1))
    assert told(receiver) == [("tag_updated", "b")]
    assert told(other) == [("tag_created", "foreign")]


async def test_a_failure_is_tried_again_with_the_same_id_and_none_overtakes_it(office: PostOffice) -> None:
    async with Receiver(always(status(500))) as receiver, office.open():
        webhook = await office.endpoint(receiver.url)
        tag = await office.tag("a")
        await office.until_tried(webhook.id, 1)
        await office.rename(tag, "b")
        await office.tag("other")
        await office.until_tried(webhook.id, 2)
        receiver.answer = accept
        office.pass_time(6)
        await receiver.until(count_is(receiver, 5))
    assert names_of(receiver)[:2] == ["a", "other"]
    assert [name for name in names_of(receiver)[2:] if name != "other"] == ["a", "b"]
    assert len(set(ids(receiver))) == 3
    assert len({got.body for got in receiver.got}) == 3


async def test_a_redirect_is_a_failure(office: PostOffice) -> None:
    async with Receiver(always(status(307, "Location: http://127.0.0.1:1/"))) as receiver, office.open() as deliverer:
        webhook = await office.endpoint(receiver.url)
        await office.tag()
        await office.until_tried(webhook.id, 1)
    assert [(one.code, bool(one.why)) for one in deliverer.tried(1, webhook.id)] == [(307, True)]


async def test_410_disables_and_enabling_goes_on_where_it_stopped(office: PostOffice) -> None:
    store = office.world.store
    async with Receiver(always(status(410))) as receiver, office.open() as deliverer:
        webhook = await office.endpoint(receiver.url)
        await office.tag("a")
        await office.until_disabled(webhook.id)
        assert "410" in (await store.webhook_state(1, webhook.id)).reason
        await office.tag("b")
        receiver.answer = accept
        receiver.got.clear()
        await store.enable_webhook(1, webhook.id, office.clock.now())
        deliverer.changed()
        await receiver.until(count_is(receiver, 2))
    assert sorted(names_of(receiver)) == ["a", "b"]


async def test_days_of_failures_disable_and_lose_nothing(office: PostOffice) -> None:
    async with Receiver(always(status(500))) as receiver, office.open() as deliverer:
        webhook = await office.endpoint(receiver.url)
        tag = await office.tag("a")
        await office.rename(tag, "b")
        for tries in range(1, 10):
            await receiver.until(count_is(receiver, tries))
            await office.until_tried(webhook.id, tries)
            office.pass_time(30 * 3_600)
        await office.until_disabled(webhook.id)
        assert "10 tries" in (await office.world.store.webhook_state(1, webhook.id)).reason
        receiver.answer = accept
        receiver.got.clear()
        await office.world.store.enable_webhook(1, webhook.id, office.clock.now())
        deliverer.changed()
        await receiver.until(count_is(receiver, 2))
    assert names_of(receiver) == ["a", "b"]


async def test_who_takes_too_slowly_is_disabled_before_the_outbox_grows_for_ever(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdialer.api.webhooks.queue.MOST_WAITING", 2)
    async with Receiver(always(status(500))) as bad, Receiver() as good, office.open(keep_us=24 * HOUR):
        webhook, quick = await office.endpoint(bad.url), await office.endpoint(good.url)
        for number in range(30):
            await office.tag(str(number))
        await good.until(count_is(good, 30))
        await office.until_tried(webhook.id, 1)
        office.pass_time(25 * 3_600)
        await office.tag("late")
        await good.until(count_is(good, 31))
        assert (await office.world.store.webhook_state(1, webhook.id)).enabled
        office.pass_time(3_700)
        await office.until_disabled(webhook.id)
        state = await office.world.store.webhook_state(1, webhook.id)
        assert "older than events are kept" in state.reason
        assert (await office.world.store.webhook_state(1, quick.id)).enabled
        bad.answer = accept
        await office.world.store.enable_webhook(1, webhook.id, office.clock.now())
        office.pass_time(1)
        await bad.until(lambda: {"0", "29", "late"} <= set(names_of(bad)))


async def test_who_has_been_away_may_catch_up(office: PostOffice) -> None:
    async with Receiver() as receiver:
        webhook = await office.endpoint(receiver.url)
        for number in range(60):
            await office.tag(str(number))
        office.pass_time(50 * 3_600)
        async with office.open(keep_us=24 * HOUR):
            await receiver.until(count_is(receiver, 60))
            office.pass_time(3_700)
            await office.tag("new")
            await receiver.until(count_is(receiver, 61))
            assert (await office.world.store.webhook_state(1, webhook.id)).enabled


async def test_a_receiver_that_hangs_delays_nobody_else(office: PostOffice) -> None:
    async def hang(got: Got, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with Receiver(hang) as slow, Receiver() as quick, office.open():
        await office.endpoint(slow.url)
        await office.endpoint(quick.url)
        for number in range(50):
            await office.tag(f"{number:02}")
        await quick.until(count_is(quick, 50), seconds=15)
        assert len(slow.got) == 8
    assert sorted(names_of(quick)) == [f"{number:02}" for number in range(50)]


async def test_a_life_that_ends_between_the_answer_and_its_mark_delivers_again(office: PostOffice) -> None:
    async with Receiver() as receiver:
        await office.endpoint(receiver.url)
        office.store.failing = True
        async with office.open():
            await office.tag("a")
            await receiver.until(count_is(receiver, 1))
        office.store.failing = False
        async with office.open():
            await office.tag("b")
            await receiver.until(count_is(receiver, 3))
    assert sorted(names_of(receiver)) == ["a", "a", "b"]
    assert len(set(ids(receiver))) == 2
    async with Receiver() as late, office.open():
        await office.endpoint(late.url)
        await office.tag("c")
        await late.until(count_is(late, 1))
    assert names_of(late) == ["c"]


async def test_what_waits_survives_a_restart(office: PostOffice) -> None:
    async with Receiver(always(status(503))) as receiver:
        webhook = await office.endpoint(receiver.url)
        async with office.open():
            tag = await office.tag("a")
            await office.until_tried(webhook.id, 1)
            await office.rename(tag, "b")
        first = ids(receiver)[0]
        receiver.got.clear()
        receiver.answer = accept
        office.clock.at += 10 * SECOND
        async with office.open():
            await office.until_tried(webhook.id, 2)
    assert names_of(receiver) == ["a", "b"]
    assert ids(receiver)[0] == first
    assert await office.world.store.webhook_waiting(1, webhook.id, 10) == []


async def test_a_rotation_in_the_middle_of_retries(office: PostOffice) -> None:
    store = office.world.store
    async with Receiver(always(status(500))) as receiver, office.open():
        webhook = await office.endpoint(receiver.url)
        old = await office.secret(webhook.id)
        await office.tag("a")
        await office.until_tried(webhook.id, 1)
        await store.rotate_webhook_secret(1, webhook.id, office.clock.now())
        office.pass_time(6)
        await office.until_tried(webhook.id, 2)
        office.pass_time(OVERLAP_US / SECOND)
        await office.until_tried(webhook.id, 3)
        new = await office.secret(webhook.id)
    assert old != new
    signatures = [got.headers["webhook-signature"].split(" ") for got in receiver.got]
    assert [len(one) for one in signatures] == [1, 2, 1]
    assert len(set(ids(receiver))) == 1
