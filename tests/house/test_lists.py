"""What is listed for the pages is said somewhere: a record or a reason that nothing uses misleads its reader."""

from pathlib import Path

import pytest

from outdialer import telemetry
from outdialer.api import errors

ROOT = Path(__file__).resolve().parents[2] / "src" / "outdialer"
GENERATED = ROOT / "client" / "resources"


def code_without(listing: str) -> str:
    """All code but the generated client's and the file of the list itself."""
    paths = (path for path in ROOT.rglob("*.py") if GENERATED not in path.parents and path != Path(listing))
    return "".join(path.read_text(encoding="utf-8") for path in sorted(paths))


@pytest.mark.parametrize(
    ("names", "listing"),
    [(telemetry.ACTIONS, telemetry.__file__), (errors.REASONS, errors.__file__)],
    ids=["log records", "reasons of refusals"],
)
def test_what_is_listed_is_used(names: dict[str, object], listing: str) -> None:
    code = code_without(listing)
    assert [name for name in names if f'"{name}"' not in code] == []
