"""Result files: one record per attempt, or one per person, as CSV or JSON Lines, written whole or not at all."""

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from outdialer.api.campaigncalls import view as campaigncall_view
from outdialer.api.wire import Wire
from outdialer.cli.reasons import outcome_of, why_of
from outdialer.domain.model import CampaignCall, Target
from outdialer.domain.target import TargetStatus

PHONE_NUMBERS = re.compile(r"\+[0-9]+(?: \+[0-9]+)*")
RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that starts so for a formula."""
ATTEMPT_COLUMNS = (
    "id",
    "campaign_id",
    "outplan_id",
    "outdial_id",
    "outdial_target_id",
    "queue_id",
    "activeflow_id",
    "reference_type",
    "reference_id",
    "status",
    "result",
    "source",
    "destination",
    "destination_index",
    "try_count",
    "tm_create",
    "tm_update",
    "target_name",
    "hangup_reason",
    "hangup_detail",
    "sip_code",
    "answered",
    "talk_seconds",
)
"""The keys of the published campaigncall, then what is additional in results."""
TARGET_COLUMNS = ("row", "name", "detail", "outcome", "why", "tries", "destinations", "next_try")


def attempt_record(attempt: CampaignCall, wire: Wire) -> dict[str, Any]:
    """One attempt as a result record."""
    fields = msgspec.to_builtins(campaigncall_view(attempt, wire))
    fields["target_name"] = attempt.target_name
    fields["talk_seconds"] = round(attempt.talk_ms / 1_000, 3)
    return {column: fields[column] for column in ATTEMPT_COLUMNS}


def target_record(row: int, target: Target, last: CampaignCall | None, wire: Wire) -> dict[str, Any]:
    """One person as a result record: what came of it, and why.

    Args:
        row: its place among the people of the list, from 1; not the line of a file, which may have had more.
        target: the person.
        last: the last attempt, if there was one.
        wire: how times are written.
    """
    waiting = target.status == TargetStatus.IDLE
    return {
        "row": row,
        "name": target.name,
        "detail": target.detail,
        "outcome": outcome_of(target),
        "why": why_of(target, last),
        "tries": sum(target.tries),
        "destinations": " ".join(address.target for address in target.destinations if address.target),
        "next_try": wire.time(target.due) if waiting else None,
    }


def write_records(path: Path, columns: tuple[str, ...], records: Iterable[dict[str, Any]]) -> int:
    """Write records to ``path`` by way of a file beside it and a rename; how many there were.

    A name ending in ``.csv`` makes CSV (cells that a spreadsheet would run are quoted with an apostrophe), any other
    JSON Lines.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            lines = _csv_lines(columns, records) if path.suffix.lower() == ".csv" else _json_lines(records)
            writer = csv.writer(file)
            written = 0
            for line in lines:
                if isinstance(line, str):
                    file.write(line)
                else:
                    writer.writerow(line)
                written += 1
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return written - (path.suffix.lower() == ".csv")


def _json_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"


def _csv_lines(columns: tuple[str, ...], records: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    yield list(columns)
    for record in records:
        yield [_cell(record[column]) for column in columns]


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("target", "")
    if isinstance(value, str) and value.startswith(RISKY_STARTS) and not PHONE_NUMBERS.fullmatch(value):
        return "'" + value
    return value
