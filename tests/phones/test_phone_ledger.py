from pathlib import Path

import msgspec
import pytest

from outdialer.phones.ledger import Ledger, Line, MessageLine


def test_lines_reach_the_file_the_memory_and_the_listeners(tmp_path: Path) -> None:
    ledger, told = Ledger(2), list[Line]()
    assert ledger.wanted
    ledger.open(tmp_path / "log")
    ledger.listeners.append(told.append)
    lines = [MessageLine(at=at, direction="in", from_header="<a>") for at in range(3)]
    for line in lines:
        ledger.add(line)
    assert (tmp_path / "log").read_bytes() == b""
    ledger.flush()
    written = [msgspec.json.decode(text) for text in (tmp_path / "log").read_bytes().splitlines()]
    assert [line["at"] for line in written] == [0, 1, 2]
    assert (written[0]["event"], written[0]["dir"], written[0]["from"]) == ("message", "in", "<a>")
    assert (list(ledger.recent), told) == (lines[1:], lines)
    ledger.close()


def test_nobody_wants_lines() -> None:
    ledger = Ledger(0)
    assert not ledger.wanted
    ledger.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said_and_nothing_is_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(0)
    ledger.open(Path("/dev/full"))
    ledger.add(MessageLine(at=1, direction="in"))
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            ledger.flush()
    ledger.open(tmp_path / "log")
    ledger.add(MessageLine(at=2, direction="in"))
    ledger.close()
    assert [msgspec.json.decode(line)["at"] for line in (tmp_path / "log").read_bytes().splitlines()] == [1, 2]
