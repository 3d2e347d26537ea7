"""``outdialer export``: the books as files, read beside a running engine."""

from pathlib import Path

from outdialer.api.wire import Wire
from outdialer.app import DEFAULT_CUSTOMER
from outdialer.cli.books import check_places, write_files
from outdialer.cli.exits import DONE, STORE, Stop
from outdialer.cli.listing import Run
from outdialer.domain.units import format_id, parse_id
from outdialer.ports.store import Page, StoreTooNew, StoreUnavailable
from outdialer.store.sqlite.store import SqliteStore


async def export(
    db: Path, results: Path | None, targets: Path | None, campaign_id: str | None, old_time_format: bool
) -> int:
    """Write the asked for files; the exit code.

    Raises:
        Stop: with a message and the exit code.
    """
    if results is None and targets is None:
        raise Stop("nothing to write was named: give --results FILE, --targets FILE or both")
    check_places(results, targets)
    try:
        store = await SqliteStore.open_reader(db)
    except (StoreTooNew, StoreUnavailable) as error:
        raise Stop(str(error), STORE) from None
    try:
        found = await _campaign(store, campaign_id)
        await write_files(store, found, results, targets, Wire(DEFAULT_CUSTOMER, old_time_format))
    finally:
        await store.close()
    return DONE


async def _campaign(store: SqliteStore, campaign_id: str | None) -> Run:
    if campaign_id is not None:
        try:
            campaign = await store.campaign(DEFAULT_CUSTOMER, parse_id(campaign_id))
        except ValueError:
            raise Stop(f"{campaign_id!r} is not a campaign's id; `outdialer campaign list` shows the ids") from None
    else:
        newest = await store.campaigns(DEFAULT_CUSTOMER, Page(size=1))
        campaign = newest[0] if newest else None
    if campaign is None:
        raise Stop("there is no such campaign in these books")
    return Run(format_id(campaign.id), format_id(campaign.outdial_id))
