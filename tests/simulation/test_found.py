"""What the simulated worlds found in the engine and the store, each as a small case of its own."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from outdialer.domain.breaker import LONGEST_PAUSE_S, Breaker
from outdialer.domain.gates import HORIZON_US
from outdialer.domain.plan import SEND_WINDOW_US
from outdialer.engine.sender import Sender
from outdialer.ports.store import Intent
from outdialer.simulation.loop import Timeline, VirtualLoop
from outdialer.store.sqlite.store import SqliteStore
from tests.store.world import (
    BUSY,
    CUSTOMER,
    NOW,
    SECOND,
    Ids,
    claim_due,
    claims_of,
    ended,
    furnish,
    open_store,
    planned,
)

ALICE, BOB = "+12025550101", "+12025550102"


async def _opened(folder: Path) -> tuple[SqliteStore, Ids]:
    ids = Ids()
    store = await open_store(folder / "books.db", ids=ids)
    await store.begin_epoch("worker", NOW)
    return store, ids


async def test_a_claim_whose_acknowledgement_was_lost_is_found_again(tmp_path: Path) -> None:
    store, ids = await _opened(tmp_path)
    await furnish(store, ids, ALICE, BOB)
    made = await planned(store, NOW)
    claims = claims_of(made, ids)
    assert await store.claimed(CUSTOMER, claims) == ()
    result = await store.claim(CUSTOMER, claims, made, NOW)
    assert await store.claimed(CUSTOMER, claims) == result.intents
    await store.record(CUSTOMER, [ended(result.intents[0], NOW, BUSY)])
    assert await store.claimed(CUSTOMER, claims) == result.intents[1:], "one that is over is nobody's business"
    await store.begin_epoch("worker", NOW)
    assert await store.claimed(CUSTOMER, claims) == (), "those of an earlier life are recovered, not taken on"
    await store.close()


async def test_what_waits_for_a_second_slot_is_not_sent_when_its_target_is_deleted(tmp_path: Path) -> None:
    store, ids = await _opened(tmp_path)
    setting = await furnish(store, ids, ALICE, BOB)
    first, second = (await claim_due(store, ids, NOW)).intents
    both = [first.attempt, second.attempt]
    assert await store.revoked(CUSTOMER, both) == []
    facts = await store.target_facts(CUSTOMER, [second.claim.line.target])
    await store.delete_target(CUSTOMER, setting.outdial.id, facts[second.claim.line.target].id, NOW)
    assert await store.revoked(CUSTOMER, both) == [second.attempt]
    assert list(await store.reslot(CUSTOMER, both, NOW)) == [first.attempt]
    await store.delete_outdial(CUSTOMER, setting.outdial.id, NOW)
    assert await store.revoked(CUSTOMER, both) == both
    assert await store.reslot(CUSTOMER, both, NOW) == {}
    await store.close()


async def test_channels_lowered_since_the_plan_hold_in_the_claim(tmp_path: Path) -> None:
    store, ids = await _opened(tmp_path)
    setting = await furnish(store, ids, ALICE, BOB, channels=2)
    made = await planned(store, NOW)
    await store.put_trunk(CUSTOMER, replace(setting.trunk, channels=1), NOW)
    result = await store.claim(CUSTOMER, claims_of(made, ids), made, NOW)
    assert [len(result.intents), [loss.why for loss in result.lost]] == [1, ["changed"]]
    await store.close()


async def test_a_clock_set_back_between_two_lives_keeps_no_trunk_waiting(tmp_path: Path) -> None:
    store, ids = await _opened(tmp_path)
    await furnish(store, ids, ALICE, rate_per_s=2)
    await claim_due(store, ids, NOW)
    (trunk,) = await store.trunks(CUSTOMER)
    pause = Breaker(pauses=1, open_until=NOW + 60 * SECOND, reason="refused")
    await store.set_trunk_pause(CUSTOMER, trunk.key, pause, NOW)
    earlier = NOW - 86_400 * SECOND
    await store.begin_epoch("worker", earlier)
    (view,) = (await store.snapshot(CUSTOMER, earlier, accepting=True, media_free=1)).trunks
    assert view.next_slot <= earlier + HORIZON_US + SECOND
    assert view.paused_until == earlier + LONGEST_PAUSE_S * SECOND
    await store.close()


async def test_a_new_life_keeps_the_slots_and_pauses_of_the_last(tmp_path: Path) -> None:
    store, ids = await _opened(tmp_path)
    await furnish(store, ids, ALICE, rate_per_s=0.1)
    await claim_due(store, ids, NOW)
    await store.begin_epoch("worker", NOW + SECOND)
    (view,) = (await store.snapshot(CUSTOMER, NOW, accepting=True, media_free=1)).trunks
    assert view.next_slot == NOW + 10 * SECOND
    await store.close()


class _SteppedClock:
    """A clock that is set, over a loop whose time nobody sets."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.ahead = NOW

    def now(self) -> int:
        return self._timeline.now + self.ahead


async def _intents(folder: Path) -> list[Intent]:
    store, ids = await _opened(folder)
    await furnish(store, ids, ALICE, BOB, rate_per_s=10)
    intents = (await claim_due(store, ids, NOW)).intents
    snapshot = await store.snapshot(CUSTOMER, NOW, accepting=True, media_free=1)
    await store.close()
    assert [trunk.rate_per_s for trunk in snapshot.trunks] == [10]
    return list(intents)


def test_a_clock_set_forward_between_two_slots_lets_no_invite_out_early(tmp_path: Path) -> None:
    timeline = Timeline()
    loop = VirtualLoop(timeline)
    clock, sent = _SteppedClock(timeline), list[int]()
    sender = Sender(clock, lambda _intent, _slot: sent.append(timeline.now), lambda _intent: sent.append(-1))

    async def let_out() -> None:
        intents = await _intents(tmp_path)
        for kind, key in (("trunk", 1), ("campaign", 1)):
            sender._pace(kind, key).gap = 100_000
            assert sender.lag(kind, key, 10) == SEND_WINDOW_US, (
                "how late an earlier life's last INVITE left is not known"
            )
        sender.schedule([(intents[0], NOW), (intents[1], NOW + 100_000)])
        timeline.at(10_000, lambda: setattr(clock, "ahead", NOW + 80_000))
        await asyncio.sleep(1)

    loop.run_until_complete(let_out())
    loop.close()
    assert len(sent) == 2
    assert sent[1] - sent[0] >= 100_000
