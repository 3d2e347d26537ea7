"""What the dialing engine asks of the books: lives, snapshots, claims, records."""

from collections.abc import Callable, Sequence

from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.breaker import LONGEST_PAUSE_S
from outdialer.domain.gates import HORIZON_US
from outdialer.domain.plan import Closure, Plan
from outdialer.domain.snapshot import OutplanTerms, Snapshot
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Id, Instant
from outdialer.ports.store import (
    AttemptChange,
    AttemptKeys,
    CallScript,
    Claim,
    ClaimResult,
    Intent,
    TargetFacts,
    Unresolved,
)
from outdialer.store.sqlite import claiming, planning, recording, rows
from outdialer.store.sqlite.books import Books, Database, Life
from outdialer.store.sqlite.statements import execute_each, statements

SQL = statements("lives")


class Dialing(Books):
    """The dialer's side of the store."""

    _secret: bytes

    def on_change(self, notify: Callable[[], None]) -> None:
        """Call ``notify`` on the event loop after every committed change that the planner should look at."""
        if self._connections.writer is not None:
            self._connections.writer.notify = notify

    async def customers(self) -> list[int]:
        """The keys of all customers."""
        return self._read(lambda database: [row["key"] for row in database.execute(SQL["all_customers"])])

    async def install_secret(self) -> bytes:
        """The 32 random bytes that this installation's SIP identifiers are derived from."""
        return self._secret

    async def recall(self, name: str) -> str | None:
        """What an earlier life wrote down under this name."""

        def query(database: Database) -> str | None:
            row = database.execute(SQL["meta"], {"name": name}).fetchone()
            return None if row is None else bytes(row["value"]).decode()

        return self._read(query)

    async def write_down(self, name: str, value: str) -> None:
        """Keep a short text for the next life."""
        row = {"name": name, "value": value.encode()}
        await self._write(lambda database: database.execute(SQL["put_meta"], row).rowcount, wakes=False)

    async def begin_epoch(self, worker: str, now: Instant) -> int:
        """Fence off every earlier life: take a new epoch, recount the limits from the live attempts."""
        self._life = await self._write(lambda database: _begin(database, worker, now))
        return self._life.epoch

    async def snapshot(self, customer: int, now: Instant, *, accepting: bool, media_free: int) -> Snapshot:
        """A bounded picture for ``domain.plan.plan``."""

        def terms(version: int) -> OutplanTerms:
            return self._terms_of(customer, version)

        def query(database: Database) -> Snapshot:
            trunks = planning.trunk_views(database, customer)
            campaigns = planning.campaign_views(database, customer, trunks, terms, now)
            return Snapshot(campaigns=campaigns, trunks=trunks, accepting=accepting, media_free=media_free)

        return self._read(query)

    async def claim(self, customer: int, claims: Sequence[Claim], plan: Plan, now: Instant) -> ClaimResult:
        """Put a batch of intents on the books in one durable transaction, and the decision behind them."""
        life = self._life
        result = await self._write(
            lambda database: claiming.claim(database, life, customer, claims, plan, now),
            rows=len(claims),
            wakes=False,
        )
        for line in plan.lines:
            self._closed_gates[customer, line.campaign] = ""
        for key, gate in plan.closed_gates.items():
            self._closed_gates[customer, key] = claiming.describe(gate)
        return result

    async def claimed(self, customer: int, claims: Sequence[Claim]) -> tuple[Intent, ...]:
        """Those of these claims of this life that are on the books and not over."""

        def query(database: Database) -> tuple[Intent, ...]:
            asked = {"customer": customer, "epoch": self._life.epoch}
            found = ((claim, _claimed(database, asked, claim)) for claim in claims)
            return tuple(
                Intent(claim=claim, attempt=row["attempt"], call=row["call"], leg=row["leg"], leg_number=row["number"])
                for claim, row in found
                if row is not None
            )

        return self._read(query)

    async def reslot(self, customer: int, attempts: Sequence[int], now: Instant) -> dict[int, Instant]:
        """Reserve a new send slot for live attempts that missed theirs; the new slots by attempt key."""
        life = self._life
        return await self._write(
            lambda database: claiming.reslot(database, life, customer, attempts, now), rows=len(attempts), wakes=False
        )

    async def revoked(self, customer: int, attempts: Sequence[int]) -> list[int]:
        """Those of these attempts whose target or list was deleted."""
        asked = {"customer": customer, "attempts": rows.to_json(list(attempts))}
        return self._read(lambda database: [row["key"] for row in database.execute(SQL["revoked"], asked)])

    async def close_targets(self, customer: int, closures: Sequence[Closure], now: Instant) -> int:
        """Finish due targets that have nothing left to dial; how many changed."""
        life = self._life
        return await self._write(
            lambda database: claiming.close_targets(database, life, customer, closures, now), rows=len(closures)
        )

    async def record(self, customer: int, changes: Sequence[AttemptChange]) -> list[int]:
        """Write what happened to live attempts; the attempts changed are returned."""
        life = self._life
        return await self._write(
            lambda database: recording.record(database, life, customer, changes),
            rows=len(changes),
            wakes=any(change.end is not None for change in changes),
        )

    async def note_late_answer(self, customer: int, attempt_id: Id, at: Instant) -> bool:
        """Remember on an attempt that a 200 came too late; whether the attempt exists."""
        life = self._life
        return await self._write(
            lambda database: recording.note_late_answer(database, life, customer, attempt_id, at), wakes=False
        )

    async def unresolved(self, customer: int) -> list[Unresolved]:
        """The attempts of earlier epochs that are not done."""
        asked = {"customer": customer, "epoch": self._life.epoch}
        return self._read(
            lambda database: [
                _unresolved(row, self._terms_of(customer, row["outplan_version"]))
                for row in database.execute(SQL["unresolved"], asked)
            ]
        )

    async def call_script(self, customer: int, campaign_version: int) -> CallScript:
        """The actions of an immutable campaign version; ``LookupError`` when there is none."""

        def query(database: Database) -> CallScript:
            asked = {"customer": customer, "key": campaign_version}
            row = database.execute(SQL["call_script"], asked).fetchone()
            if row is None:
                raise LookupError(f"no campaign version {campaign_version}")
            return CallScript(campaign_id=row["id"], campaign_name=row["name"], actions=rows.actions_of(row["actions"]))

        return self._read(query)

    async def target_facts(self, customer: int, targets: Sequence[int]) -> dict[int, TargetFacts]:
        """What scripts may say about these targets, by key."""
        asked = {"customer": customer, "targets": rows.to_json(list(targets))}
        return self._read(
            lambda database: {row["key"]: _facts(row) for row in database.execute(SQL["target_facts"], asked)}
        )


def _begin(database: Database, worker: str, now: Instant) -> Life:
    database.execute(SQL["insert_worker"], {"name": worker})
    key = database.execute(SQL["worker"], {"name": worker}).fetchone()["key"]
    epoch = database.execute(SQL["insert_epoch"], {"worker": key, "now": now}).lastrowid
    assert epoch is not None
    for customer in database.execute(SQL["all_customers"]).fetchall():
        _recount_channels(database, customer["key"])
        _settle_times(database, customer["key"], now)
    return Life(epoch=epoch, worker=key)


def _recount_channels(database: Database, customer: int) -> None:
    database.execute(SQL["forget_channels"], {"customer": customer})
    live = database.execute(SQL["live_channels"], {"customer": customer}).fetchall()
    channels: dict[str, int] = {}
    for row in live:
        for scope in (f"campaign:{row['campaign']}", f"trunk:{row['trunk']}"):
            channels[scope] = channels.get(scope, 0) + 1
    taken = [
        {"customer": customer, "scope": scope, "next_slot": 0, "channels": count} for scope, count in channels.items()
    ]
    execute_each(database, claiming.SQL["reserve"], taken)


def _settle_times(database: Database, customer: int, now: Instant) -> None:
    """Bring instants back that a clock wrote which has been set back since: nobody may be kept waiting by them."""
    asked = {
        "customer": customer,
        "horizon": now + HORIZON_US,
        "longest": now + LONGEST_PAUSE_S * MICROSECONDS_PER_SECOND,
    }
    for name in ("settle_trunk_slots", "settle_campaign_slots", "settle_pauses"):
        database.execute(SQL[name], asked)


def _unresolved(row: rows.Row, terms: OutplanTerms) -> Unresolved:
    return Unresolved(
        keys=AttemptKeys(
            attempt=row["key"],
            call=row["call"],
            leg=row["leg"],
            campaign=row["campaign"],
            outdial=row["outdial"],
            target=row["target"],
            trunk=row["trunk"],
            index=row["destination_index"],
        ),
        attempt_id=row["id"],
        leg_number=row["leg_number"],
        status=AttemptStatus(row["status"]),
        destination=row["destination"],
        source=terms.source,
        source_name=terms.source_name,
        outplan=terms,
        destinations=(
            row["destination_0"],
            row["destination_1"],
            row["destination_2"],
            row["destination_3"],
            row["destination_4"],
        ),
        tries=rows.tries_of(row),
        send_not_after=row["send_not_after"],
        tm_ringing=row["tm_ringing"],
        tm_progressing=row["tm_progressing"],
        dialog=row["dialog"],
        answered_until=row["answered_until"],
    )


def _claimed(database: Database, asked: dict[str, int], claim: Claim) -> rows.Row | None:
    row: rows.Row | None = database.execute(SQL["claimed"], {**asked, "id": claim.attempt_id}).fetchone()
    return row


def _facts(row: rows.Row) -> TargetFacts:
    return TargetFacts(
        id=row["id"],
        name=row["name"],
        detail=row["detail"],
        data=row["data"],
        outdial_id=row["outdial_id"],
        outdial_name=row["outdial_name"],
        outdial_data=row["outdial_data"],
    )
