"""The first access key goes into a file that nobody else can read."""

import stat
from pathlib import Path

from outdialer.app import App
from outdialer.config import Settings


async def test_a_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    kept = tmp_path / "books.key"
    kept.write_text("of earlier books\n")
    kept.chmod(0o644)
    app = await App.open(Settings(db=tmp_path / "books.db", key_file=kept, simulated_trunk_seed=1))
    try:
        token = await app.first_key()
    finally:
        await app.stop()
    assert kept.read_text() == f"{token}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
