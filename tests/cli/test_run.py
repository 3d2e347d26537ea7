"""``outdialer run`` against a phone network: the whole way, and every way it refuses or goes on."""

import asyncio
import io
import json
import signal
import sqlite3
import sys
import wave
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from outdialer.carriers.simulator.behaviours import MIXES, parse_rule
from outdialer.cli.exits import DONE, DRAINED, STORE, TRUNK, USAGE, Stop
from outdialer.cli.ledger import compare, initial_invites
from outdialer.cli.run import RunOptions, run
from outdialer.config import TrunkSettings
from outdialer.domain.identity import leg_identity
from outdialer.phones.network import PhoneNetwork
from outdialer.store.sqlite.store import SqliteStore

QUICK = parse_rule("answer:ring_after_ms=none,final_after_ms=0")
BUSY = parse_rule("*0199=busy:final_after_ms=0")


@pytest.fixture
async def phones(tmp_path: Path) -> AsyncIterator[PhoneNetwork]:
    network = PhoneNetwork(rules=(BUSY, QUICK), mix=MIXES["answer"], log_path=tmp_path / "phones.jsonl", audio=False)
    await network.start()
    yield network
    await network.stop()


def _short_sound(folder: Path) -> str:
    path = folder / "beep.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(3_200))
    return str(path)


def _list(folder: Path, *numbers: str) -> Path:
    path = folder / "people.csv"
    path.write_text("name,destination_0\n" + "".join(f"P{number},+1202555{number}\n" for number in numbers))
    return path


def _options(people: Path, phones: PhoneNetwork | None, **changes: Any) -> RunOptions:
    port = phones.address[1] if phones else 9
    options = RunOptions(
        people=people,
        trunk=TrunkSettings(host="127.0.0.1", port=port, rate_per_s=100, channels=20),
        source="+12025550100",
        play=_short_sound(people.parent),
        tries=(2, 2, 2, 2, 2),
        retry_after_s=0,
        db=people.with_suffix(".db"),
        results=people.with_name("results.jsonl"),
        targets=people.with_name("targets.jsonl"),
    )
    return msgspec.structs.replace(options, **changes)


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_list_is_called_once_through(tmp_path: Path, phones: PhoneNetwork) -> None:
    options = _options(_list(tmp_path, "0101", "0102", "0199"), phones)
    assert await run(options) == DONE
    attempts = _records(tmp_path / "results.jsonl")
    outcomes = Counter((record["target_name"], record["result"], record["hangup_reason"]) for record in attempts)
    assert outcomes == {
        ("P0101", "success", "normal"): 1,
        ("P0102", "success", "normal"): 1,
        ("P0199", "fail", "busy"): 2,
    }
    people = {record["name"]: (record["outcome"], record["tries"]) for record in _records(tmp_path / "targets.jsonl")}
    assert people == {"P0101": ("success", 1), "P0102": ("success", 1), "P0199": ("exhausted", 2)}
    assert phones.counters.problems == 0
    await _ledgers_agree(options, tmp_path)


async def _ledgers_agree(options: RunOptions, folder: Path) -> None:
    store = await SqliteStore.open_reader(options.db)
    secret, stored = await store.install_secret(), await store.campaigncalls_in_order(1, None, 0, 10_000)
    await store.close()
    await asyncio.sleep(0)
    attempts = [(leg_identity(secret, attempt.id, 1).call_id, attempt) for _, attempt in stored]
    assert compare(attempts, initial_invites(folder / "phones.jsonl")).equal


async def test_a_finished_list_calls_nobody_until_again(
    tmp_path: Path, phones: PhoneNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    options = _options(_list(tmp_path, "0101"), phones)
    assert await run(options) == DONE
    assert await run(options) == DONE
    assert phones.invites == 1
    assert "--again" in capsys.readouterr().out
    assert await run(msgspec.structs.replace(options, again=True)) == DONE
    assert phones.invites == 2


async def test_following_again_prints_only_what_is_new(
    tmp_path: Path, phones: PhoneNetwork, capsys: pytest.CaptureFixture[str]
) -> None:
    options = _options(_list(tmp_path, "0101"), phones, follow=True)
    assert await run(options) == DONE
    assert "+12025550101 try 1: success" in capsys.readouterr().out
    _list(tmp_path, "0101", "0102")
    assert await run(msgspec.structs.replace(options, append=True)) == DONE
    printed = capsys.readouterr().out
    assert "+12025550102 try 1: success" in printed
    assert "+12025550101 try" not in printed


async def test_a_taken_address_is_named_with_the_option_for_another(tmp_path: Path, phones: PhoneNetwork) -> None:
    options = _options(_list(tmp_path, "0101"), phones, sip_bind=phones.address)
    with pytest.raises(Stop, match=r"in use.*--bind") as stopped:
        await run(options)
    assert stopped.value.exit_code == USAGE


async def test_a_changed_list_is_refused_and_can_be_appended(tmp_path: Path, phones: PhoneNetwork) -> None:
    assert await run(_options(_list(tmp_path, "0101"), phones)) == DONE
    options = _options(_list(tmp_path, "0101", "0102"), phones)
    with pytest.raises(Stop, match="P0102") as refused:
        await run(options)
    assert refused.value.exit_code == USAGE
    assert phones.invites == 1
    assert await run(msgspec.structs.replace(options, append=True)) == DONE
    assert phones.invites == 2


async def test_a_stored_number_cannot_be_appended_under_another_name(tmp_path: Path, phones: PhoneNetwork) -> None:
    assert await run(_options(_list(tmp_path, "0101"), phones)) == DONE
    people = _list(tmp_path, "0101")
    people.write_text(people.read_text().replace("P0101", "Somebody else"))
    with pytest.raises(Stop, match="already, in another row"):
        await run(_options(people, phones, append=True))
    assert phones.invites == 1


async def test_bad_rows_stop_the_run_or_are_left_out(tmp_path: Path, phones: PhoneNetwork) -> None:
    people = _list(tmp_path, "0101")
    people.write_text(people.read_text() + "Bad,911\n")
    options = _options(people, phones)
    with pytest.raises(Stop, match="nothing was stored"):
        await run(options)
    assert not options.db.exists()
    assert await run(msgspec.structs.replace(options, skip_bad=True)) == DONE
    assert phones.invites == 1


async def test_a_silent_trunk_is_found_before_anything_is_stored(tmp_path: Path) -> None:
    options = _options(_list(tmp_path, "0101"), None)
    with pytest.raises(Stop, match="does not answer") as refused:
        await run(options)
    assert refused.value.exit_code == TRUNK
    assert sqlite3.connect(options.db).execute("SELECT count(*) FROM targets").fetchone() == (0,)


async def test_a_trunk_that_refuses_everybody_stops_the_run(tmp_path: Path) -> None:
    network = PhoneNetwork(rules=(parse_rule("endless-digest"),), audio=False)
    await network.start()
    try:
        numbers = [f"01{index:02d}" for index in range(30)]
        assert await run(_options(_list(tmp_path, *numbers), network, tries=(3, 0, 0, 0, 0), retry_after_s=60)) == TRUNK
        assert network.invites < 30
    finally:
        await network.stop()
    attempts = _records(tmp_path / "results.jsonl")
    assert {record["sip_code"] for record in attempts} <= {0, 401}


async def test_a_second_engine_on_the_same_books_is_refused(tmp_path: Path, phones: PhoneNetwork) -> None:
    options = _options(_list(tmp_path, "0101"), phones)
    assert await run(options) == DONE
    store = await SqliteStore.open(options.db, new_id=lambda: bytes(16), random_bytes=bytes)
    try:
        with pytest.raises(Stop, match=r"people\.db") as refused:
            await run(options)
        assert refused.value.exit_code == STORE
    finally:
        await store.close()


async def test_books_that_cannot_be_written_end_the_run_and_lose_nothing(
    tmp_path: Path, phones: PhoneNetwork, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trunk = TrunkSettings(host="127.0.0.1", port=phones.address[1], rate_per_s=100, channels=20, max_ring_ms=1_000)
    options = _options(_list(tmp_path, *(f"01{index:02d}" for index in range(40))), phones, trunk=trunk)
    monkeypatch.setattr("outdialer.cli.run.BOOKS_PATIENCE_S", 0.5)
    claims = SqliteStore.claim

    async def claim(store: SqliteStore, customer: int, *rest: Any) -> Any:
        def full(database: sqlite3.Connection) -> None:
            database.execute("PRAGMA max_page_count = 1")

        result = await claims(store, customer, *rest)
        await store._write(full)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "claim", claim)
        with pytest.raises(Stop, match="full") as stopped:
            await run(msgspec.structs.replace(options, grace_s=1))
    assert stopped.value.exit_code == STORE
    assert "nobody is dialled" in capsys.readouterr().out
    assert phones.invites < 40
    assert await run(options) == DONE
    await _ledgers_agree(options, tmp_path)


@pytest.mark.parametrize("host", ["192.0.2.1", "trunk.example", "10.0.0.1", "2001:db8::1"])
async def test_other_machines_need_live(tmp_path: Path, host: str) -> None:
    options = _options(_list(tmp_path, "0101"), None, trunk=TrunkSettings(host=host))
    with pytest.raises(Stop, match="--live"):
        await run(options)
    assert not options.db.exists()


async def test_other_machines_need_an_address_that_reaches_them(tmp_path: Path) -> None:
    options = _options(_list(tmp_path, "0101"), None, trunk=TrunkSettings(host="192.0.2.1"), live=True)
    with pytest.raises(Stop, match="--bind ADDRESS:5060"):
        await run(options)
    assert not options.db.exists()


@pytest.mark.parametrize(("confirmed", "words"), [(None, "--yes 1"), (7, "the list has 1")])
async def test_live_asks_or_wants_the_number_of_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, confirmed: int | None, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    options = _options(
        _list(tmp_path, "0101"),
        None,
        trunk=TrunkSettings(host="192.0.2.1"),
        sip_bind=("192.0.2.7", 5060),
        live=True,
        confirmed_people=confirmed,
    )
    with pytest.raises(Stop, match=words):
        await run(options)
    assert not options.db.exists()


@pytest.mark.slow
async def test_ctrl_c_drains_and_the_same_command_goes_on(tmp_path: Path) -> None:
    network = PhoneNetwork(
        rules=(parse_rule("*7=no-answer"), parse_rule("answer:final_after_ms=300")),
        log_path=tmp_path / "phones.jsonl",
        audio=False,
    )
    await network.start()
    people = _list(tmp_path, *(f"0{index}" for index in range(100, 140)))
    command = [
        *(sys.executable, "-m", "outdialer.cli.main", "run", str(people), "--from", "+12025550100"),
        *("--trunk", f"sip:127.0.0.1:{network.address[1]}", "--play", _short_sound(tmp_path), "--rate", "10"),
        *("--channels", "10", "--tries", "1", "--ring", "2", "--db", str(tmp_path / "books.db")),
        *("--results", str(tmp_path / "results.jsonl"), "--targets", str(tmp_path / "targets.jsonl")),
    ]
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        await network.wait_for(lambda line: getattr(line, "status", 0) == 200, count=3, timeout_s=30)
        process.send_signal(signal.SIGINT)
        printed, _ = await process.communicate()
        assert process.returncode == DRAINED
        assert b"the same command goes on" in printed
        stopped = _records(tmp_path / "results.jsonl")
        assert all(record["status"] == "done" for record in stopped)
        assert "unknown after a restart" not in {record["hangup_detail"] for record in stopped}
        invites = network.invites
        assert 0 < invites < 40
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        await process.communicate()
        assert process.returncode == DONE
    finally:
        await network.stop()
    records = _records(tmp_path / "results.jsonl")
    assert len(_records(tmp_path / "targets.jsonl")) == 40
    charged = Counter(record["target_name"] for record in records if "not sent" not in record["hangup_detail"])
    assert set(charged.values()) == {1}, "nobody above their tries"
    assert len(charged) == 40
    assert network.counters.problems == 0
