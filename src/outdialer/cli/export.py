"""``outdialer export``: the books as files, read beside a running engine."""

from pathlib import Path

from msgspec.structs import replace

from outdialer.api.wire import Wire
from outdialer.app import DEFAULT_CUSTOMER
from outdialer.cli.books import check_places, write_files
from outdialer.cli.exits import DONE, STORE, Stop
from outdialer.cli.listing import Run
from outdialer.cli.objects import is_id, the_one
from outdialer.domain.units import format_id, parse_id
from outdialer.ports.store import Page, StoreTooNew, StoreUnavailable
from outdialer.store.sqlite.store import SqliteStore


async def export(
    db: Path, results: Path | None, targets: Path | None, campaign: str | None, old_time_format: bool
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
        found = await _campaign(store, campaign)
        await write_files(store, found, results, targets, Wire(DEFAULT_CUSTOMER, old_time_format))
    finally:
        await store.close()
    return DONE


async def _campaign(store: SqliteStore, wanted: str | None) -> Run:
    if wanted is None:
        newest = await store.campaigns(DEFAULT_CUSTOMER, Page(size=1))
        campaign = newest[0] if newest else None
    else:
        found = wanted if is_id(wanted) else the_one("campaign", wanted, await _names(store))
        campaign = await store.campaign(DEFAULT_CUSTOMER, parse_id(found))
    if campaign is None:
        raise Stop("there is no such campaign in these books")
    return Run(format_id(campaign.id), format_id(campaign.outdial_id))


async def _names(store: SqliteStore) -> list[tuple[str, str]]:
    """Id and name of every campaign that is not deleted."""
    named: list[tuple[str, str]] = []
    page = Page()
    while rows := await store.campaigns(DEFAULT_CUSTOMER, page):
        named += [(format_id(row.id), row.name) for row in rows]
        page = replace(page, before=rows[-1].tm_create, before_id=rows[-1].id)
    return named
