"""From the books to result files."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from outdialer.api.wire import Wire
from outdialer.cli.exits import STORE, Stop
from outdialer.cli.listing import Run, stored_attempts, stored_targets
from outdialer.cli.results import ATTEMPT_COLUMNS, TARGET_COLUMNS, attempt_record, target_record, write_records
from outdialer.ports.store import ExportStore


def check_places(*files: Path | None) -> None:
    """See that result files can be written, before anybody is called.

    Raises:
        Stop: a folder does not exist, or nothing may be written there.
    """
    for file in filter(None, files):
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise Stop(f"{file} cannot be written: {file.parent} is no folder that this user may write to")


async def write_files(store: ExportStore, found: Run, results: Path | None, targets: Path | None, wire: Wire) -> None:
    """Write a run's attempts and people to the files that were asked for.

    Raises:
        Stop: a file cannot be written.
    """
    if results is not None:
        records = [attempt_record(attempt, wire) async for attempt in stored_attempts(store, found.campaign_id)]
        print(f"{_written(results, ATTEMPT_COLUMNS, records)} attempts are in {results}")
    if targets is not None:
        last = {attempt.outdial_target_id: attempt async for attempt in stored_attempts(store, found.campaign_id)}
        stored = [target async for target in stored_targets(store, found.outdial_id)]
        rows = [target_record(row, target, last.get(target.id), wire) for row, target in enumerate(stored, start=1)]
        print(f"{_written(targets, TARGET_COLUMNS, rows)} people are in {targets}")


def _written(path: Path, columns: tuple[str, ...], records: Iterable[dict[str, Any]]) -> int:
    try:
        return write_records(path, columns, records)
    except OSError as error:
        raise Stop(
            f"{path} cannot be written: {error.strerror}; the books hold it all: outdialer export", STORE
        ) from None
