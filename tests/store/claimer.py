"""A process that claims and ends attempts until it is killed, and says after each commit what it was told.

Run as ``python -m tests.store.claimer FILE``. Lines on standard output: ``claimed KEY...`` and ``ended KEY...``,
each written after the store has acknowledged it.
"""

import asyncio
import os
import sys
from pathlib import Path

from outdialer.domain.attempt import AttemptEvent
from outdialer.domain.outcome import of_unknown
from outdialer.ports.store import AttemptChange, Intent
from tests.store.world import (
    BUSY,
    CUSTOMER,
    NOW,
    SECOND,
    SUCCESS,
    Ids,
    answered,
    claim_due,
    end_of,
    ended,
    furnish,
    new_target,
    open_store,
    ringing,
)

PEOPLE = 3_000


def say(word: str, keys: list[int]) -> None:
    """One atomic write: no buffer of ours can lose or invent a line."""
    os.write(1, f"{word} {' '.join(map(str, keys))}\n".encode())


async def main(path: Path) -> None:
    ids = Ids(int.from_bytes(os.urandom(6), "big") << 16)
    store = await open_store(path, inline=False, ids=ids)
    epoch = await store.begin_epoch("claimer", NOW)
    now = NOW + epoch * 3600 * SECOND
    if epoch == 1:
        setting = await furnish(store, ids, rate_per_s=0, channels=200, max_tries=(1000, 0, 0, 0, 0))
        people = [new_target(ids(), f"+1202{n:07d}") for n in range(PEOPLE)]
        await store.create_targets(CUSTOMER, setting.outdial.id, people, NOW)
    left = await store.unresolved(CUSTOMER)
    ends = [
        AttemptChange(
            keys=one.keys, at=now, attempt_event=AttemptEvent.UNRESOLVED, end=end_of(of_unknown(answered=False), now)
        )
        for one in left
    ]
    say("ended", await store.record(CUSTOMER, ends))

    async def live(intents: tuple[Intent, ...], at: int) -> None:
        """Some are ended together, some singly, some are left open."""
        await store.record(CUSTOMER, [ringing(intent, at) for intent in intents])
        half = len(intents) // 2
        changes = [answered(intent, at) for intent in intents[:half]]
        changes += [ended(intent, at, SUCCESS if intent.attempt % 50 == 0 else BUSY) for intent in intents[:half]]
        say("ended", await store.record(CUSTOMER, changes))
        for intent in intents[half : half + 5]:
            say("ended", await store.record(CUSTOMER, [ended(intent, at, BUSY)]))

    while True:
        now += 90 * SECOND
        result = await claim_due(store, ids, now)
        say("claimed", [intent.attempt for intent in result.intents])
        quarter = max(1, len(result.intents) // 4)
        parts = [result.intents[n : n + quarter] for n in range(0, len(result.intents), quarter)]
        await asyncio.gather(*(live(part, now) for part in parts))
        if len(result.intents) < 40:
            await store.begin_epoch("claimer", now)
            rest = await store.unresolved(CUSTOMER)
            changes = [
                AttemptChange(keys=one.keys, at=now, attempt_event=AttemptEvent.ENDED, end=end_of(BUSY, now))
                for one in rest
            ]
            say("ended", await store.record(CUSTOMER, changes))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
