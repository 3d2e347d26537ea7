"""The feed without a server: who is offered what, and that trouble passes."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdialer.api.events.event import ClientEvent
from outdialer.api.events.feed import Feed, Place
from outdialer.api.events.follower import MOST_AT_ONCE_BYTES, Ending, Follower
from outdialer.api.events.render import Renderer
from outdialer.api.wire import Wire
from outdialer.domain.directory import Tag
from tests.api.conftest import CUSTOMER, OTHER_CUSTOMER
from tests.api.fakes import START, MemoryStore

EVERYTHING = frozenset({"customer_id:"})


def written(events: Sequence[ClientEvent]) -> bytes:
    return b"".join(b"%d " % event.cursor for event in events)


def follower(customer: int = CUSTOMER, *, masked: bool = False) -> Follower:
    return Follower(Wire(customer, masked=masked), written, EVERYTHING)


def happen(store: MemoryStore, events: int, customer: int = CUSTOMER) -> None:
    for _ in range(events):
        store._happened("created", customer, Tag(id=bytes(16)), START)


async def heard(who: Follower) -> list[int]:
    piece = await who.next(10)
    assert piece is not None
    return [int(word) for word in piece.split()]


@pytest.fixture
async def feed(store: MemoryStore) -> AsyncIterator[Feed]:
    feed = Feed(store, Renderer)
    feed.start()
    yield feed
    await feed.stop()


async def test_all_that_want_the_same_get_the_same_piece(store: MemoryStore, feed: Feed) -> None:
    many = [follower() for _ in range(120)]
    other, masked = follower(OTHER_CUSTOMER), follower(masked=True)
    for who in (*many, other, masked):
        await feed.join(who)
    happen(store, 3)
    happen(store, 1, OTHER_CUSTOMER)
    pieces = [await who.next(10) for who in many]
    assert {id(piece) for piece in pieces} == {id(pieces[0])}
    assert pieces[0] == b"1 2 3 "
    assert await heard(other) == [4]
    assert await heard(masked) == [1, 2, 3]


async def test_who_comes_later_hears_the_later(store: MemoryStore, feed: Feed) -> None:
    first, second = follower(), follower()
    await feed.join(first)
    happen(store, 2)
    await feed.join(second)
    happen(store, 1)
    assert await heard(first) == [1, 2, 3]
    assert await heard(second) == [3]
    feed.leave(first)
    happen(store, 1)
    assert await heard(second) == [4]
    feed.leave(second)
    happen(store, 5)
    third = follower()
    await feed.join(third)
    happen(store, 1)
    assert await heard(third) == [10]


async def test_a_store_that_is_away_loses_nothing(
    store: MemoryStore, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outdialer.api.events.feed.AWAY_S", 0.001)
    who = follower()
    await feed.join(who)
    store.away = True
    happen(store, 2)
    await asyncio.sleep(0)
    store.away = False
    assert await heard(who) == [1, 2]


async def test_nothing_is_missed_or_repeated_while_it_catches_up(store: MemoryStore, feed: Feed) -> None:
    happen(store, 450)
    who, numbers = follower(), []
    async for missed in feed.catch_up(who, Place(100, 0)):
        assert not missed.lost
        numbers += [int(word) for word in missed.piece.split()]
        happen(store, 1)
    while len(numbers) < len(store.outbox) - 101:
        numbers += await heard(who)
    assert numbers == list(range(102, len(store.outbox) + 1))


async def test_the_end_is_told_after_what_waits() -> None:
    who = follower()
    who.offer(b"a")
    who.end(Ending.STOPPED)
    who.end(Ending.GONE)
    who.offer(b"b")
    assert [await who.next(1), await who.next(1), who.ending] == [b"a", None, Ending.STOPPED]


async def test_before_the_start_nobody_follows(store: MemoryStore) -> None:
    who = follower()
    await Feed(store, Renderer).join(who)
    assert await who.next(1) is None


@given(st.lists(st.text("ab:", max_size=4), max_size=8), st.text("ab:", max_size=6))
def test_a_topic_is_wanted_when_it_begins_as_one_of_them(wanted: list[str], topic: str) -> None:
    who = Follower(Wire(CUSTOMER), written, frozenset(wanted))
    assert who._names(topic) == topic.startswith(tuple(wanted))


async def test_followers_who_want_nothing_of_it_hold_nobody_up(store: MemoryStore, feed: Feed) -> None:
    for number in range(400):
        await feed.join(Follower(Wire(CUSTOMER), written, frozenset({f"customer_id:{number}"})))
    last = follower()
    await feed.join(last)
    happen(store, 150)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        await heard(last)
        counting.cancel()
    assert turns > 30


async def test_what_waits_for_many_is_in_memory_once(store: MemoryStore, feed: Feed) -> None:
    many = [Follower(Wire(CUSTOMER), written, frozenset({"customer_id:", f"x{number}"})) for number in range(60)]
    for who in many:
        await feed.join(who)
    happen(store, 2)
    await many[-1]._bell.wait(10)
    for number in range(2):
        assert len({id(who._waiting[number]) for who in many}) == 1
    assert await heard(many[0]) == [1, 2]


async def test_what_is_put_together_for_one_connection_is_bounded() -> None:
    who = follower()
    sizes = [MOST_AT_ONCE_BYTES - 10, 10, 1, 3 * MOST_AT_ONCE_BYTES, 5, 5]
    who.offer(*(bytes(size) for size in sizes))
    assert [len(await who.next(1) or b"") for _ in range(4)] == [MOST_AT_ONCE_BYTES, 1, 3 * MOST_AT_ONCE_BYTES, 10]
    assert who._size == 0
