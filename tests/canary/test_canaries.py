"""Secrets and a phone number that no log, metric, URL, file or stranger may ever show, through two whole lives.

The program runs as people run it, at the log level DEBUG, over real SIP; mistakes are made on purpose with the
canaries in them; its second life ends by a fault. A canary may stand in these places and in no other:

- what its owner is answered by the REST side, its events and webhooks, and the owner's command line: numbers, and the
  secrets that are part of what admins write and read;
- on the wire of SIP (numbers; of a password only the digest);
- numbers in the books; of secrets only those that must be used again (``canaries.KEPT``, the install secret);
- the first access key on standard output, once, and in its key file; the trunk's password in its own file.
"""

import asyncio
import base64
import signal
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from msgspec import Struct

from outdialer.carriers.simulator.behaviours import MIXES, parse_rule
from outdialer.phones.digest import Credentials
from outdialer.phones.network import PhoneNetwork
from tests.canary import deeds
from tests.canary.canaries import KEPT, NUMBER, NUMBERS, SECRETS, SHOWN, TEXTS, found_in
from tests.canary.product import (
    PATIENCE_S,
    Follower,
    Hook,
    Life,
    commanded,
    core_limits,
    living,
    seen_from_outside,
    until,
)

MAY_SEE = {
    "second": SHOWN | {"customer webhook secret"},
    "manager": {"password in a prompt URL", "secret in a webhook URL"},
    "operator": {"password in a prompt URL"},
    "viewer": set[str](),
    "agent": set[str](),
    "tenant": {"secret in a tenant webhook URL"},
}
"""What each role is shown of the secrets; the second key's is an owner who runs the installation."""
OURS = {"books.db", "books.db-wal", "books.db-shm", "books.key", "trunk-password", "password-file"}
OURS |= {"owner.jsonl", "wire.jsonl", "stdout-1", "stderr-1", "stdout-2", "stderr-2"}


class Told(Struct):
    """What was told, by whom or to whom."""

    made: dict[str, str]
    """The secrets that the program made."""
    sent: str
    answers: dict[str, dict[str, str]]
    """Each role's, by path."""
    heard: dict[str, str]
    """Each follower's."""
    commands: dict[str, str]
    refusals: str
    metrics: str
    document: str
    outside: str
    """What the process list shows."""
    bodies: list[str]
    """Of webhooks."""


async def first_life(life: Life, hook: Hook, hook_port: int) -> Told:
    """Everything that people do and read."""
    async with life.client(life.key) as owner, life.client("") as nobody:
        made = await deeds.make_people(life, owner)
        keys = {role: made[f"{role} key"] for role in (*deeds.ROLES, "tenant")}
        async with life.client(keys["tenant"]) as stranger:
            owners = {"second": owner, "viewer": owner, "tenant": stranger}
            followers = {role: await _follower(life, role, keys[role], owners[role]) for role in owners}
            made |= await deeds.furnish(owner, hook_port)
            await deeds.campaign(owner, deeds.prompt(), {"type": "hangup"})
            await deeds.campaign(owner, {"type": "hangup"})
            call = await until(owner, lambda call: call["status"] == "done" and call["answered"])
            assert call["destination"]["target"] == NUMBER
            refusals = await deeds.err(life, owner, made["token"])
            await deeds.misplace(life, owner)
            commands = await _commands(life, keys)
            document = (await nobody.get("/openapi.json")).json()
            ids = await deeds.ids_of(owner, document)
            answers = {}
            for role, key in keys.items():
                async with life.client(key) as reader:
                    answers[role] = await deeds.read_all(reader, document, ids)
            for role, follower in followers.items():
                await follower.caught_up(owners[role], f"the end of {role}")
                await follower.end()
            await asyncio.wait_for(hook.heard_the_end.wait(), PATIENCE_S)
        return Told(
            made=made,
            sent="\n".join(life.sent),
            answers=answers,
            heard={role: follower.heard for role, follower in followers.items()},
            commands=commands,
            refusals=refusals,
            metrics=(await nobody.get("/metrics")).text,
            document=(await nobody.get("/openapi.json")).text,
            outside=seen_from_outside(life.process.pid),
            bodies=hook.bodies,
        )


async def _follower(life: Life, role: str, key: str, owner: httpx.AsyncClient) -> Follower:
    customer = deeds.done(await owner.get("/v1.0/customer"))["id"]
    follower = Follower(life, key, customer)
    await follower.begin(owner, f"the beginning of {role}")
    return follower


async def _commands(life: Life, keys: Mapping[str, str]) -> dict[str, str]:
    """What commands write, by who gave them."""
    secret = life.folder / "password-file"
    secret.write_text(SECRETS["password in a file"])
    results = str(life.folder / "owner.jsonl")
    given = {
        "second": (
            ("agent", "create", "--username", "file@company.example", "--password-file", str(secret)),
            ("campaign", "list", "--json"),
            ("key", "list"),
            ("target", "list", "--outdial", NUMBER),
            ("webhook", "list"),
            ("export", str(life.folder / "books.db"), "--results", results),
        ),
        "viewer": (("campaign", "list", "--json"), ("outplan", "list", "--json"), ("agent", "list")),
    }
    both = (("attempt", "list"), ("attempt", "list", "--json"), ("call", "list", "--json"))
    return {
        role: "\n".join([await commanded(life, keys[role], *arguments) for arguments in (*orders, *both)])
        for role, orders in given.items()
    }


async def second_life(life: Life, key: str) -> str:
    """A call is up, a request meets a fault of the program, and the program dies; what was answered before."""
    async with life.client(key) as owner:
        await deeds.campaign(owner, {"type": "sleep", "option": {"duration": 60_000}})
        await until(owner, lambda call: call["status"] == "progressing")
        assert {tuple(line.split()[-3:-1]) for line in core_limits(life.process.pid)} == {("0", "0")}
        with closing(sqlite3.connect(life.folder / "books.db")) as books:
            books.execute("ALTER TABLE agents RENAME TO gone")
        broken = {"username": "late@company.example", "password": SECRETS["agent password"]}
        answers = [await owner.post("/v1.0/agents", json=broken), await owner.get(f"/v1.0/agents?accesskey={key}")]
        assert [answer.status_code for answer in answers] == [500, 500]
    life.process.send_signal(signal.SIGABRT)
    assert await asyncio.wait_for(life.process.wait(), PATIENCE_S) == -signal.SIGABRT
    return "\n".join(answer.text for answer in answers)


@pytest.mark.slow
async def test_no_canary_sings(tmp_path: Path) -> None:
    hook = Hook()
    receiver = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
    credentials = Credentials(username="outdialer", realm="phones.invalid", password=SECRETS["trunk password"])
    phones = PhoneNetwork(
        rules=(parse_rule("digest:final_after_ms=0"),),
        mix=MIXES["answer"],
        audio=False,
        log_path=tmp_path / "wire.jsonl",
        credentials=credentials,
    )
    await phones.start()
    try:
        async with living(tmp_path, phones.address[1], 1) as life:
            told = await first_life(life, hook, receiver.sockets[0].getsockname()[1])
        async with living(tmp_path, phones.address[1], 2) as life:
            told.answers["of a fault"] = {"/v1.0/agents": await second_life(life, told.made["first key"])}
    finally:
        await phones.stop()
        receiver.close()
    told.made |= install_secret(tmp_path)
    judge_logs(tmp_path, told)
    judge_answers(told)
    judge_files(tmp_path, told)


def install_secret(folder: Path) -> dict[str, str]:
    """The secret of the installation, in the forms in which one would find it."""
    with closing(sqlite3.connect(folder / "books.db")) as books:
        (value,) = books.execute("SELECT value FROM meta WHERE name = 'install_secret'").fetchone()
    encoded = base64.b64encode(value).decode().rstrip("=")
    return {"install secret": value.decode("latin-1"), "in hex": value.hex(), "in base64": encoded}


def everything(told: Told) -> dict[str, str]:
    """All canaries."""
    return {**SECRETS, **told.made, **NUMBERS, **TEXTS}


def findings(places: Mapping[str, str], canaries: Mapping[str, str]) -> dict[str, list[str]]:
    """Which canaries stand where."""
    return {place: found for place, text in places.items() if (found := found_in(text, canaries))}


def judge_logs(folder: Path, told: Told) -> None:
    """What the program wrote for those who run it, and what machines collect of it."""
    logs = {name: (folder / name).read_text() for name in ("stdout-1", "stderr-1", "stdout-2", "stderr-2")}
    assert '"action": "engine_stopped"' in logs["stderr-1"]
    assert '"action": "request_failed"' in logs["stderr-2"]
    assert "Fatal Python error: Aborted" in logs["stderr-2"]
    assert logs["stdout-1"].count(told.made["first key"]) == 1
    logs["stdout-1"] = logs["stdout-1"].replace(told.made["first key"], "")
    logs |= {"metrics": told.metrics, "the document": told.document, "the process list": told.outside}
    assert findings(logs, everything(told)) == {}


def judge_answers(told: Told) -> None:
    """What people were told; that each canary was really there to be told."""
    missing = set(SECRETS) - set(found_in(told.sent, SECRETS)) - {"trunk password", "password in a file"}
    assert missing == set(), "sent by nobody"
    secrets = {**SECRETS, **told.made}
    for role, may in MAY_SEE.items():
        hidden = {name: secret for name, secret in secrets.items() if name not in may}
        assert findings(told.answers[role], hidden) == {}, role
    assert findings(told.answers["viewer"], NUMBERS) == {}
    theirs = told.answers["tenant"] | {"heard": told.heard["tenant"]}
    strange = {name: text for name, text in everything(told).items() if name not in MAY_SEE["tenant"]}
    assert findings(theirs, strange) == {}
    assert findings({"viewer": told.heard["viewer"] + told.commands["viewer"]}, {**secrets, **NUMBERS}) == {}
    hidden = {name: secret for name, secret in secrets.items() if name != "password in a prompt URL"}
    events = {"webhooks": "\n".join(told.bodies), "followers": told.heard["second"]}
    assert findings(events, hidden) == {}
    hidden = {name: secret for name, secret in secrets.items() if name not in SHOWN}
    assert findings({"commands": told.commands["second"]}, hidden) == {}
    assert findings({"refusals": told.refusals} | told.answers["of a fault"], secrets) == {}
    assert all(found_in(text, NUMBERS) for text in (*events.values(), told.commands["second"]))
    seen = {"answers": "\n".join(told.answers["viewer"].values()), "heard": told.heard["viewer"]}
    assert all("+1********88" in text for text in seen.values())
    assert TEXTS["person"] in seen["answers"], "names stay"
    assert told.heard["tenant"].count("tag_created") >= 2
    for channel in events.values():
        assert all(name in channel for name in ("campaigncall_updated", "call_hangup", "activeflow_updated"))


def judge_files(folder: Path, told: Told) -> None:
    """What was left behind: the books, what a dump of them holds, and whatever else there is."""
    secrets = {**SECRETS, **told.made}
    books = "".join(path.read_bytes().decode("latin-1") for path in folder.glob("books.db*"))
    assert NUMBER in books
    assert set(found_in(books + dump_of(folder), secrets)) <= KEPT | {"install secret"}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in OURS:
            assert found_in(path.read_bytes().decode("latin-1"), everything(told)) == [], path
        assert found_in(str(path), everything(told)) == [], path
        assert not path.name.startswith("core"), "memory was written down"
    private = {path.name: path.stat().st_mode & 0o077 for path in folder.glob("books.*")}
    assert set(private.values()) == {0}, private
    export = {"the export": (folder / "owner.jsonl").read_text(), "the wire": (folder / "wire.jsonl").read_text()}
    assert findings(export, secrets) == {}
    assert all(NUMBER in text for text in export.values())


def dump_of(folder: Path) -> str:
    """Every value of the books, as it is."""
    with closing(sqlite3.connect(folder / "books.db")) as books:
        tables = [name for (name,) in books.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = [row for table in tables for row in books.execute(f'SELECT * FROM "{table}"')]
    cells = [cell for row in rows for cell in row]
    return "\n".join(cell.decode("latin-1") if isinstance(cell, bytes) else str(cell) for cell in cells)
