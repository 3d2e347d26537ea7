"""Result files: the published keys, cells that run nothing, all or nothing."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outdialer.api.wire import Wire
from outdialer.cli.results import ATTEMPT_COLUMNS, TARGET_COLUMNS, attempt_record, target_record, write_records
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.model import Address, CampaignCall, Target
from outdialer.domain.outcome import HangupReason, Result
from outdialer.domain.target import DueReason
from outdialer.domain.units import NIL_ID

PUBLISHED = [
    *("id", "campaign_id", "outplan_id", "outdial_id", "outdial_target_id", "queue_id", "activeflow_id"),
    *("reference_type", "reference_id", "status", "result", "source", "destination", "destination_index"),
    *("try_count", "tm_create", "tm_update"),
]
ATTEMPT = CampaignCall(
    id=bytes(range(16)),
    campaign_id=NIL_ID,
    outplan_id=NIL_ID,
    outdial_id=NIL_ID,
    outdial_target_id=NIL_ID,
    status=AttemptStatus.DONE,
    result=Result.SUCCESS,
    hangup_reason=HangupReason.NORMAL,
    source=Address(type="tel", target="+12025550100"),
    destination=Address(type="tel", target="+12025550123"),
    destination_index=0,
    try_count=1,
    talk_ms=1_250,
    target_name="=HYPERLINK(1)",
    tm_create=1_651_215_705_808_944,
)


def test_a_record_has_the_published_keys_first() -> None:
    record = attempt_record(ATTEMPT, Wire(1))
    assert list(record)[: len(PUBLISHED)] == PUBLISHED
    assert tuple(record) == ATTEMPT_COLUMNS
    assert record["talk_seconds"] == 1.25
    assert record["tm_create"] == "2022-04-29T07:01:45.808944Z"


def test_times_in_the_older_form() -> None:
    assert attempt_record(ATTEMPT, Wire(1, old_time_format=True))["tm_create"] == "2022-04-29 07:01:45.808944"


PERSON = Target(id=bytes(16), outdial_id=NIL_ID, destinations=(Address(),) * 5, due_reason=DueReason.NEW)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (None, "new"),
        ({"status": AttemptStatus.PROGRESSING, "result": Result.NONE, "hangup_reason": ""}, "being called"),
        ({"answered": True, "hangup_detail": "hangup"}, "normal: hangup"),
        (
            {"answered": True, "result": Result.FAIL, "hangup_reason": "failed", "hangup_detail": "no-media"},
            "failed: no-media, after the answer",
        ),
        ({"result": Result.FAIL, "hangup_reason": "busy", "hangup_detail": "SIP 486"}, "busy: SIP 486"),
    ],
    ids=["not called yet", "called now", "success", "answered and failed", "not answered"],
)
def test_a_person_has_the_reason_of_the_last_attempt(changes: dict[str, Any] | None, why: str) -> None:
    last = None if changes is None else msgspec.structs.replace(ATTEMPT, **changes)
    record = target_record(3, PERSON, last, Wire(1))
    assert tuple(record) == TARGET_COLUMNS
    assert (record["row"], record["why"]) == (3, why)


def test_a_spreadsheet_runs_no_cell(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert write_records(path, ATTEMPT_COLUMNS, [attempt_record(ATTEMPT, Wire(1))]) == 1
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert row["target_name"] == "'=HYPERLINK(1)"
    assert row["destination"] == "+12025550123"


def test_json_lines_keep_everything_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    assert write_records(path, ATTEMPT_COLUMNS, [attempt_record(ATTEMPT, Wire(1))]) == 1
    assert json.loads(path.read_text())["target_name"] == "=HYPERLINK(1)"


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("before")

    def breaks() -> Iterator[dict[str, Any]]:
        yield attempt_record(ATTEMPT, Wire(1))
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_records(path, ATTEMPT_COLUMNS, breaks())
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == [name]
