"""Secrets and a phone number that no log, metric, URL, file or stranger may ever show, through a whole real life.

The program runs as people run it, at the log level DEBUG, over real SIP; mistakes are made on purpose with the
canaries in them. A canary may stand in these places and in no other:

- what its owner is answered by the REST side, its events and webhooks, and the owner's command line;
- on the wire of SIP (numbers; of a password only the digest);
- numbers in the books; of secrets only those that must be used again (a peer's password, a webhook's secret, the
  install secret);
- the first access key on standard output, once, and in its key file; the trunk's password in its own file.
"""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from outdialer.carriers.simulator.behaviours import MIXES, parse_rule
from outdialer.phones.digest import Credentials
from outdialer.phones.network import PhoneNetwork

NUMBER = "+12025550188"
SECRETS = {
    "trunk password": "canary-Trunk-7Jq2mX9r",
    "agent password": "canary-Agent-W4tz8KpL",
    "extension password": "canary-Extension-c6VnB3yH",
    "exchange password": "canary-Exchange-R5sd1GuE",
    "password in a prompt's URL": "canary-Prompt-u8Fk2aZq",
    "wrong login": "canary-Login-9PwTxe4M",
    "wrong key": "vb_canaryKeyA7canaryKeyA7canaryKeyA",
}
TEXTS = {"person": "Canary Quillfeather", "data": "canary-data-E2rJ"}
USABLE_AGAIN = {"extension password", "exchange password", "password in a prompt's URL", "webhook secret"}
"""Secrets that the books keep because a peer wants to see them again."""
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


class Hook:
    """A receiver of webhooks on loopback."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.first = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        self.bodies.append(head + await reader.readexactly(int(length[1]) if length else 0))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        if NUMBER.encode() in self.bodies[-1]:
            self.first.set()


class Served(Struct):
    """The program as a process of its own."""

    folder: Path
    url: str
    key: str
    process: asyncio.subprocess.Process
    arguments: list[str]

    def client(self, token: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=PATIENCE_S)

    def environment(self) -> dict[str, str]:
        return environment(self.folder)


def environment(folder: Path) -> dict[str, str]:
    """A home of its own, so that whatever is written anywhere is found."""
    homes = {name: str(folder / "home") for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "PYTHONUNBUFFERED": "1",
        **homes,
    }


@contextlib.asynccontextmanager
async def serving(folder: Path, port: int) -> AsyncIterator[Served]:
    secret = folder / "trunk-password"
    secret.write_text(SECRETS["trunk password"] + "\n")
    arguments = [
        *("--db", str(folder / "books.db"), "--http", "127.0.0.1:0", "--trunk", f"sip:127.0.0.1:{port}"),
        *("--username", "outdialer", "--password-file", str(secret), "--rate", "50", "--log-level", "DEBUG"),
        *("--allow-network", "127.0.0.0/8", "--grace", "0"),
    ]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        command = [sys.executable, "-m", "outdialer.cli.main", "serve", *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=out, stderr=err, cwd=ROOT, env=environment(folder)
        )
    try:
        text = await _ready(folder, process)
        url = re.search(r"serves (http://\S+)/v1.0", text)
        key = re.search(r"shown this once: (\S+)", text)
        assert url is not None
        assert key is not None
        yield Served(folder, url[1], key[1], process, arguments)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


async def _ready(folder: Path, process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while "ready" not in (text := (folder / "stdout").read_text()):
            assert process.returncode is None, (folder / "stderr").read_text()
            await asyncio.sleep(0.05)
    return text


def command_lines(of: int) -> Iterator[str]:
    """What the process list shows of a process and its descendants."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if of in (int(folder.name), parent):
                yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()


async def created(client: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def live(served: Served, owner: httpx.AsyncClient, hook_port: int) -> dict[str, str]:
    """Everything that an owner does, with canaries in it; the secrets that were made on the way."""
    made = {"access key": served.key}
    agent = {"username": "canary@company.example", "password": SECRETS["agent password"], "permission": 64}
    await created(owner, "/v1.0/agents", **agent)
    login = await created(owner, "/auth/login", username=agent["username"], password=agent["password"])
    made["token"] = login["token"]
    await created(owner, "/v1.0/extensions", extension="2001", password=SECRETS["extension password"], name="desk")
    await created(owner, "/v1.0/trunks", name="exchange", username="pbx", password=SECRETS["exchange password"])
    hook = await created(owner, "/v1.0/webhooks", uri=f"http://127.0.0.1:{hook_port}/hook", event_types=[])
    made["webhook secret"] = hook["secret"]
    key = await created(owner, "/v1.0/accesskeys", name="second")
    made["second key"] = key["token"]
    source = {"type": "tel", "target": "+12025550100"}
    outplan = await created(owner, "/v1.0/outplans", name="plan", source=source, dial_timeout=5_000)
    person = {"name": TEXTS["person"], "data": TEXTS["data"], "destination_0": {"target": NUMBER}}
    url = f"http://prompts:{SECRETS['password in a prompt' + chr(39) + 's URL']}@127.0.0.1:1/hello.wav"
    actions = [{"type": "play", "option": {"stream_urls": [url]}}, {"type": "hangup"}]
    for script in (actions, [{"type": "hangup"}]):
        outdial = await created(owner, "/v1.0/outdials", name="people")
        await created(owner, f"/v1.0/outdials/{outdial['id']}/targets", **person)
        refers = {"outplan_id": outplan["id"], "outdial_id": outdial["id"]}
        campaign = await created(owner, "/v1.0/campaigns", name="calls", actions=script, **refers)
        order = await owner.put(f"/v1.0/campaigns/{campaign['id']}/status", json={"status": "run"})
        assert order.status_code == 200, order.text
    return made


async def until_called(owner: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            calls: list[dict[str, Any]] = (await owner.get("/v1.0/campaigncalls")).json()["result"]
            done = [call for call in calls if call["status"] == "done" and call["answered"]]
            if done:
                return done[0]
            await asyncio.sleep(0.1)


async def follow(served: Served, token: str, heard: asyncio.Event) -> None:
    """Follow the events with the key where browsers must put it: in the URL."""
    async with (
        served.client("") as client,
        client.stream("GET", f"/v1.0/events?accesskey={token}") as answer,
    ):
        async for line in answer.aiter_lines():
            if NUMBER in line:
                heard.set()


async def err(served: Served, owner: httpx.AsyncClient) -> None:
    """Mistakes with canaries in them, wherever a client can put one."""
    wrong = {"username": "canary@company.example", "password": SECRETS["wrong login"]}
    assert (await owner.post("/auth/login", json=wrong)).status_code == 400
    async with served.client(SECRETS["wrong key"]) as stranger:
        assert (await stranger.get("/v1.0/campaigns")).status_code == 401
        assert (await stranger.get(f"/v1.0/campaigns?token={SECRETS['wrong key']}")).status_code == 401
    for method, path, body in (
        ("GET", f"/v1.0/{NUMBER}", None),
        ("GET", f"/v1.0/campaigns/{NUMBER}", None),
        ("GET", f"/v1.0/campaigns?page_token={NUMBER}&page_size={SECRETS['agent password']}", None),
        ("PATCH", f"/v1.0/campaigns?accesskey={served.key}", None),
        ("POST", "/v1.0/outplans", {"source": {"target": f"{NUMBER}{SECRETS['trunk password']}"}}),
        ("POST", "/v1.0/agents", {"username": SECRETS["agent password"], "password": 7}),
        ("POST", "/v1.0/extensions", {"extension": "2001", "password": SECRETS["extension password"]}),
        ("POST", "/v1.0/webhooks", {"uri": f"http://user:{SECRETS['agent password']}@10.0.0.1/"}),
        ("POST", "/v1.0/accesskeys", {"name": 7, "token": served.key}),
    ):
        answer = await owner.request(method, path, json=body, headers={"X-Request-Id": NUMBER})
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code, answer.text)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2]))
    writer.write(f"GET /{NUMBER} HTTP/9.9\r\nAuthorization Bearer {served.key}\r\n\r\n".encode())
    await writer.drain()
    await reader.read()
    writer.close()


async def everything_of(client: httpx.AsyncClient) -> str:
    """All that somebody can read without knowing an id."""
    document = (await client.get("/openapi.json")).json()
    paths = [path for path, item in document["paths"].items() if "get" in item and "{" not in path]
    answers = []
    for path in paths:
        if not path.startswith("/v1.0/events"):
            answers.append((await client.get(path)).text)
    return "\n".join(answers)


async def commands(served: Served, key: str) -> tuple[str, str]:
    """What the commands write, on standard output and on standard error, for the owner."""
    told, erred = "", ""
    environment = {**served.environment(), "OUTDIALER_SERVER": served.url, "OUTDIALER_KEY": key}
    for arguments in (
        ["campaign", "list", "--json"],
        ["key", "list"],
        ["target", "list", "--outdial", NUMBER],
        ["attempt", "list"],
        ["export", str(served.folder / "books.db"), "--results", str(served.folder / "owner.jsonl")],
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "outdialer.cli.main", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=environment,
        )
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        told, erred = told + out.decode(), erred + err.decode()
    return told, erred


def found_in(text: str, canaries: dict[str, str]) -> list[str]:
    return [name for name, canary in canaries.items() if canary in text]


class Answers(Struct):
    """What was answered, by whom to whom."""

    told: str
    """By the owner's commands."""
    erred: str
    processes: str
    metrics: str
    document: str
    stranger: str
    owner: str


# The second is part of the call script that they wrote themselves.
SHOWN_TO_ADMINS = {"webhook secret", "password in a prompt's URL"}
OURS = {"books.db", "books.db-wal", "books.db-shm", "books.key", "trunk-password", "stdout", "stderr"}
OURS |= {"owner.jsonl", "wire.jsonl"}


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
        async with serving(tmp_path, phones.address[1]) as served, served.client(served.key) as owner:
            tenant = await created(owner, "/v1.0/customers", name="another tenant", email="office@other.example")
            heard = asyncio.Event()
            following = asyncio.create_task(follow(served, served.key, heard))
            made = await live(served, owner, receiver.sockets[0].getsockname()[1])
            call = await until_called(owner)
            assert call["destination"]["target"] == NUMBER
            await asyncio.wait_for(asyncio.gather(heard.wait(), hook.first.wait()), PATIENCE_S)
            await err(served, owner)
            told, erred = await commands(served, made["second key"])
            processes = "\n".join(command_lines(served.process.pid))
            async with served.client("") as nobody, served.client(tenant["accesskey"]["token"]) as stranger:
                metrics = (await nobody.get("/metrics")).text
                theirs = await everything_of(stranger)
                document = (await nobody.get("/openapi.json")).text
            mine = await everything_of(owner)
            following.cancel()
            await asyncio.wait({following})
    finally:
        await phones.stop()
        receiver.close()
    judge(tmp_path, served.key, {**SECRETS, **made}, Answers(told, erred, processes, metrics, document, theirs, mine))
    delivered = {name for body in hook.bodies for name in found_in(body.decode(), {**SECRETS, **made})}
    assert delivered <= {"password in a prompt's URL"}, "webhooks"


def judge(folder: Path, first_key: str, secrets: dict[str, str], answers: Answers) -> None:
    """Look for the canaries in all that was written and answered."""
    everything = {**secrets, "number": NUMBER, "digits": NUMBER[1:], **TEXTS}
    out, err_text = (folder / "stdout").read_text(), (folder / "stderr").read_text()
    assert '"action": "engine_stopped"' in err_text
    nowhere = {
        "standard error": err_text,
        "standard output": out.replace(first_key, "", 1),
        "metrics": answers.metrics,
        "the document": answers.document,
        "another tenant's answers": answers.stranger,
        "the process list": answers.processes,
    }
    assert {place: found for place, text in nowhere.items() if (found := found_in(text, everything))} == {}
    owners = {
        "the owner's command line": answers.told + answers.erred,
        "the wire": (folder / "wire.jsonl").read_text(),
        "the export": (folder / "owner.jsonl").read_text(),
    }
    hidden = {name: secret for name, secret in secrets.items() if name not in SHOWN_TO_ADMINS}
    assert {place: found for place, text in owners.items() if (found := found_in(text, hidden))} == {}
    assert all(NUMBER in text for text in owners.values())
    assert set(found_in(answers.owner, secrets)) <= SHOWN_TO_ADMINS, "the owner's own lists"
    judge_files(folder, secrets, everything)


def judge_files(folder: Path, secrets: dict[str, str], everything: dict[str, str]) -> None:
    """Look for the canaries in whatever was left behind."""
    books = b"".join(path.read_bytes() for path in folder.glob("books.db*"))
    assert NUMBER.encode() in books
    assert {name for name, secret in secrets.items() if secret.encode() in books} <= USABLE_AGAIN
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in OURS:
            assert found_in(path.read_bytes().decode("latin-1"), everything) == [], path
        assert found_in(str(path), everything) == [], path
    assert (folder / "books.key").stat().st_mode & 0o077 == 0
