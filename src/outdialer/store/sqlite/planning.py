"""The snapshot: a bounded picture of due targets, limits and trunks for one plan."""

from collections.abc import Callable

from outdialer.domain.campaign import CampaignStatus, EndHandle
from outdialer.domain.gates import HORIZON_US
from outdialer.domain.limits import interval
from outdialer.domain.snapshot import LINES_PER_PLAN, CampaignView, DueTarget, OutplanTerms, TrunkView
from outdialer.domain.units import NIL_ID, Instant
from outdialer.store.sqlite.books import Database
from outdialer.store.sqlite.rows import Row
from outdialer.store.sqlite.statements import statements

SQL = statements("planning")

SPARE_TARGETS = 20
"""Offered beyond what can be dialled, for those that turn out not to be dialable."""


def trunk_views(database: Database, customer: int) -> tuple[TrunkView, ...]:
    """The customer's trunks: that of the command line first, then that of a route."""
    rows = database.execute(SQL["trunk_views"], {"customer": customer}).fetchall()
    return tuple(
        TrunkView(
            key=row["key"],
            rate_per_s=row["rate_per_s"],
            channels=row["channels"],
            next_slot=row["next_slot"],
            in_use=row["in_use"],
            paused_until=row["paused_until"],
            pause_reason=row["pause_reason"],
            probing=row["pauses"] > 0,
        )
        for row in sorted(rows, key=lambda row: (row["provider"] != NIL_ID, row["key"]))
    )


def campaign_views(
    database: Database,
    customer: int,
    trunks: tuple[TrunkView, ...],
    terms: Callable[[int], OutplanTerms],
    now: Instant,
) -> tuple[CampaignView, ...]:
    """The customer's campaigns that run or drain, with their due targets.

    Args:
        database: where to read.
        customer: whose.
        trunks: all of the customer's trunks; the first carries the campaigns.
        terms: the terms of an outplan version, by its key.
        now: what is due is due by then.
    """
    trunk = trunks[0] if trunks else None
    rows = database.execute(SQL["awake_campaigns"], {"customer": customer}).fetchall()
    return tuple(_campaign_view(database, customer, row, trunk, terms, now) for row in rows)


def one_campaign(database: Database, customer: int, key: int) -> Row | None:
    """A campaign that is not deleted, whatever its status, as ``awake_campaigns`` has it."""
    row: Row | None = database.execute(SQL["one_campaign"], {"customer": customer, "key": key}).fetchone()
    return row


def first_due(database: Database, customer: int, outdial: int) -> Instant | None:
    """When the first idle target of a list is due."""
    row = database.execute(SQL["next_due"], {"customer": customer, "outdial": outdial}).fetchone()
    return None if row is None else row["due"]


def _campaign_view(
    database: Database,
    customer: int,
    row: Row,
    trunk: TrunkView | None,
    terms: Callable[[int], OutplanTerms],
    now: Instant,
) -> CampaignView:
    due: tuple[DueTarget, ...] = ()
    next_due: Instant | None = None
    if row["outdial"] is not None and row["idle"]:
        due, next_due = _due(database, customer, row["outdial"], _targets_wanted(row, trunk, now), now)
    return view(row, trunk, terms, due, next_due)


def view(
    row: Row,
    trunk: TrunkView | None,
    terms: Callable[[int], OutplanTerms],
    due: tuple[DueTarget, ...] = (),
    next_due: Instant | None = None,
) -> CampaignView:
    """The view of a campaign's row with the targets given."""
    return CampaignView(
        key=row["key"],
        version_key=row["version_key"],
        status=CampaignStatus(row["status"]),
        end_handle=EndHandle(row["end_handle"]),
        outplan=None if row["outplan_version"] is None else terms(row["outplan_version"]),
        outdial=row["outdial"],
        trunk=None if trunk is None else trunk.key,
        rate_per_s=row["dial_rate"],
        channels=row["dial_channels"],
        next_slot=row["next_slot"],
        in_use=row["in_use"],
        idle=row["idle"],
        progressing=row["progressing"],
        due=due,
        next_due=next_due,
        service_level=row["service_level"],
    )


def _targets_wanted(row: Row, trunk: TrunkView | None, now: Instant) -> int:
    """How many due targets a plan could use: never more than the free channels and the send slots allow."""
    if row["status"] != CampaignStatus.RUN or trunk is None or trunk.paused_until > now:
        return 1
    lines = min(
        LINES_PER_PLAN,
        _free(trunk.channels, trunk.in_use),
        _free(row["dial_channels"], row["in_use"]),
        _slots(trunk.rate_per_s, trunk.next_slot, now),
        _slots(row["dial_rate"], row["next_slot"], now),
    )
    return min(LINES_PER_PLAN, lines + lines // 10 + SPARE_TARGETS) if lines else 1


def _free(channels: int, in_use: int) -> int:
    return max(0, channels - in_use) if channels else LINES_PER_PLAN


def _slots(rate_per_s: float, next_slot: Instant, now: Instant) -> int:
    """Send slots before the planning horizon."""
    spacing = interval(rate_per_s)
    if not spacing:
        return LINES_PER_PLAN
    return max(0, -((max(now, next_slot) - now - HORIZON_US) // spacing))


def _due(
    database: Database, customer: int, outdial: int, wanted: int, now: Instant
) -> tuple[tuple[DueTarget, ...], Instant | None]:
    """Up to ``wanted`` due targets, and when the first one behind them is due."""
    asked = {"customer": customer, "outdial": outdial, "count": wanted + 1}
    due: list[DueTarget] = []
    cursor = database.cursor()
    cursor.row_factory = None  # Plain tuples: there are many, and all of their columns are taken.
    for key, version, d0, d1, d2, d3, d4, t0, t1, t2, t3, t4, when in cursor.execute(SQL["due_targets"], asked):
        if when > now or len(due) == wanted:
            return tuple(due), when
        due.append(DueTarget(key, version, (d0, d1, d2, d3, d4), (t0, t1, t2, t3, t4)))
    return tuple(due), None
