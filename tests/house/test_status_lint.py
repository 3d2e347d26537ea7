"""The status lint: the product is clean, planted violations are caught, honest code passes."""

from pathlib import Path

import pytest

from tools import status_lint

CAUGHT = [
    "attempt.status = AttemptStatus.DONE",
    "attempt.status = status",
    "call.call_status: str = 'hangup'",
    "working.status = other.status",
    "a.status, b = AttemptStatus.DONE, 1",
    "row['status'] = 'done'",
    "setattr(attempt, 'status', status)",
    "working.result = Result.SUCCESS",
    "replace(campaign, status=CampaignStatus.RUN)",
    "structs.replace(campaign, status=wanted)",
    "Campaign(status=CampaignStatus.RUN)",
    "Target(status=TargetStatus.DONE if done else TargetStatus.IDLE)",
    "CampaignCall(result=Result.SUCCESS)",
    "{'status': AttemptStatus.DONE}",
    "{'status': str(AttemptStatus.DONE)}",
    "{'target_status': TargetStatus.DONE.value}",
    "database.execute(\"UPDATE targets SET status = 'done' WHERE key = ?\")",
    "def one():\n    status = apply(old, event)\ndef other(x, status):\n    x.status = status",
    "class Call:\n    def __init__(self):\n        self.status = CallStatus.HANGUP",
]

PASSED = [
    "status = apply(attempt.status, event)\nattempt.status = status",
    "attempt.status = apply(attempt.status, event) or attempt.status",
    "def f(x):\n    if (status := target.apply(x.status, event)):\n        return replace(x, status=status)",
    "Campaign(status=CampaignStatus.STOP)",
    "Target(status=TargetStatus(row['status']))",
    "CampaignCall(result=outcome.result)",
    "{'status': str(working.status), 'result': str(end.outcome.result)}",
    "{'status': AttemptStatus.DIALING}",
    "View(status=campaign.status)",
    "if attempt.status == AttemptStatus.DONE: pass",
    "f(done=attempt.status == AttemptStatus.DONE)",
    "replace(campaign, name='x')",
    "class Call:\n    def __init__(self, status):\n        self.status = status",
    "job.result = job.operation(connection)",
    "database.execute('UPDATE targets SET status = ? WHERE key = ? AND status = 1', row)",
]


def found(source: str, path: str = "src/outdialer/store/x.py") -> list[status_lint.Finding]:
    return list(status_lint.check_python(path, source))


@pytest.mark.parametrize("source", CAUGHT)
def test_a_planted_violation_is_caught(source: str) -> None:
    assert found(source)


@pytest.mark.parametrize("source", PASSED)
def test_honest_code_passes(source: str) -> None:
    assert found(source) == []


def test_a_request_body_outside_the_store_may_spell_a_status() -> None:
    source = "client.put(url, json={'status': 'run'})"
    assert found(source, "src/outdialer/cli/run.py") == []
    assert found(source)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE targets SET status = 'done' WHERE key = :key",
        "UPDATE targets\nSET due = NULL,\n    status = 'idle'\nWHERE key = :key",
        "UPDATE attempts SET result = 'fail', status = :status",
        "UPDATE attempts SET status = CASE WHEN status = 'dialing' THEN 'done' ELSE status END",
        "INSERT INTO t (status) VALUES (:status) ON CONFLICT DO UPDATE SET status = 'run'",
        "UPDATE targets SET status = excluded.status",
    ],
)
def test_sql_that_sets_a_status_itself_is_caught(sql: str) -> None:
    assert list(status_lint.check_sql("x.sql", sql))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE targets SET status = :status, due = :due WHERE status = 'idle'",
        "UPDATE attempts SET status = ?, result = ? WHERE status <> 'done'",
        "UPDATE attempts SET status = $1::text WHERE key = $2",
        "-- SET status = 'done'\nSELECT 1",
        "SELECT key FROM targets WHERE status = 'idle'",
        "UPDATE attempts SET sip_status = 200",
    ],
)
def test_honest_sql_passes(sql: str) -> None:
    assert list(status_lint.check_sql("x.sql", sql)) == []


def test_a_finding_names_its_line() -> None:
    sql = "-- name: finish\nUPDATE targets\nSET due = NULL,\n    status = 'done'\nWHERE key = :key;"
    assert [finding.line for finding in status_lint.check_sql("x.sql", sql)] == [4]


def test_the_product_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_lint.main([str(status_lint.ROOT / "src/outdialer")]) == 0, capsys.readouterr().out


def test_only_the_owners_of_the_tables_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("domain/attempt.py", "domain/other.py", "engine/x.py", "phones/x.py", "store/sqlite/q/x.sql"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x.status = y\n" if name.endswith(".py") else "UPDATE t SET status = 'done';")
    assert status_lint.main([str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].removeprefix(f"{tmp_path}/") for line in lines] == [
        "domain/other.py",
        "engine/x.py",
        "store/sqlite/q/x.sql",
    ]
