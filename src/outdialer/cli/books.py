"""From the books to result files."""

from pathlib import Path

from outdialer.api.wire import Wire
from outdialer.cli.listing import Run, stored_attempts, stored_targets
from outdialer.cli.results import ATTEMPT_COLUMNS, TARGET_COLUMNS, attempt_record, target_record, write_records
from outdialer.ports.store import ExportStore


async def write_files(store: ExportStore, found: Run, results: Path | None, targets: Path | None, wire: Wire) -> None:
    """Write a run's attempts and people to the files that were asked for."""
    if results is not None:
        records = [attempt_record(attempt, wire) async for attempt in stored_attempts(store, found.campaign_id)]
        print(f"{write_records(results, ATTEMPT_COLUMNS, records)} attempts are in {results}")
    if targets is not None:
        last = {attempt.outdial_target_id: attempt async for attempt in stored_attempts(store, found.campaign_id)}
        stored = [target async for target in stored_targets(store, found.outdial_id)]
        rows = [target_record(line, target, last.get(target.id), wire) for line, target in enumerate(stored, start=1)]
        print(f"{write_records(targets, TARGET_COLUMNS, rows)} people are in {targets}")
