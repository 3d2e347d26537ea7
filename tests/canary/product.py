"""The program as a process of its own, its people, and whoever follows what happens in it."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct, field
from websockets.asyncio.client import connect

from tests.canary.canaries import SECRETS

PATIENCE_S = 60.0
AGAIN_S = 0.5


class Hook:
    """A receiver of webhooks on loopback."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        """What came, without the request line: that is the URL, which holds a canary."""
        self.heard_the_end = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        self.bodies.append((head.partition(b"\r\n")[2] + body).decode())
        if "call_hangup" in self.bodies[-1]:
            self.heard_the_end.set()


class Life(Struct):
    """One life of the program."""

    folder: Path
    url: str
    key: str
    """The first access key; "" in a later life."""
    process: asyncio.subprocess.Process
    sent: list[str] = field(default_factory=list)
    """What was sent to it: URLs, headers and bodies of requests."""

    def client(self, token: str) -> httpx.AsyncClient:
        """Somebody who asks."""

        async def note(request: httpx.Request) -> None:
            self.sent.append(f"{request.url} {request.headers.raw} {request.content.decode()}")

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=PATIENCE_S, event_hooks={"request": [note]}
        )


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
async def living(folder: Path, port: int, number: int) -> AsyncIterator[Life]:
    """A life of the program; it ends by SIGTERM, where it has not ended before."""
    secret = folder / "trunk-password"
    secret.write_text(SECRETS["trunk password"] + "\n")
    arguments = [
        *("--db", str(folder / "books.db"), "--http", "127.0.0.1:0", "--trunk", f"sip:127.0.0.1:{port}"),
        *("--username", "outdialer", "--password-file", str(secret), "--rate", "50", "--log-level", "DEBUG"),
        *("--allow-network", "127.0.0.0/8", "--grace", "0"),
        *(f"--{who}-rate=100000" for who in ("address", "login", "customer", "key")),
    ]
    told, erred = folder / f"stdout-{number}", folder / f"stderr-{number}"
    with told.open("wb") as out, erred.open("wb") as err:
        command = [sys.executable, "-m", "outdialer.cli.main", "serve", *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=out, stderr=err, cwd=folder, env=environment(folder)
        )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while "ready" not in (text := told.read_text()):
                assert process.returncode is None, erred.read_text()
                await asyncio.sleep(0.05)
        url = re.search(r"serves (http://\S+)/v1.0", text)
        key = re.search(r"shown this once: (\S+)", text)
        assert url is not None
        yield Life(folder, url[1], key[1] if key else "", process)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


def descendants(of: int) -> Iterator[int]:
    """A process, and all that came of it."""
    yield of
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == of:
                yield from descendants(int(folder.name))


def seen_from_outside(of: int) -> str:
    """What the process list shows of a process and its descendants: their command lines and environments."""
    return "\n".join(
        Path(f"/proc/{process}/{name}").read_bytes().replace(b"\0", b"\n").decode()
        for process in descendants(of)
        for name in ("cmdline", "environ")
    )


def core_limits(of: int) -> set[str]:
    """The limits of core files of a process and its descendants."""
    return {
        line
        for process in descendants(of)
        for line in Path(f"/proc/{process}/limits").read_text().splitlines()
        if line.startswith("Max core file size")
    }


class Follower:
    """Somebody who hears what happens, as Server-Sent Events and over the websocket, with the key in the URL."""

    def __init__(self, life: Life, token: str, customer: str) -> None:
        self._life = life
        self._token = token
        self._customer = customer
        self._grown = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.streamed = ""
        self.framed = ""

    @property
    def heard(self) -> str:
        """Everything, over both."""
        return self.streamed + self.framed

    async def begin(self, owner: httpx.AsyncClient, name: str) -> None:
        """Follow, and be sure of it."""
        self._tasks = [asyncio.create_task(self._stream()), asyncio.create_task(self._web())]
        await self.caught_up(owner, name)

    async def caught_up(self, owner: httpx.AsyncClient, name: str) -> None:
        """Wait until both have heard of a tag that its owner makes now, and so of everything before."""
        async with asyncio.timeout(PATIENCE_S):
            while not (name in self.streamed and name in self.framed):
                await created(owner, "/v1.0/tags", name=name)
                self._grown.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._grown.wait(), AGAIN_S)

    async def end(self) -> None:
        """Go away."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended

    async def _stream(self) -> None:
        async with (
            self._life.client("") as client,
            client.stream("GET", f"/v1.0/events?accesskey={self._token}") as answer,
        ):
            async for text in answer.aiter_text():
                self.streamed += text
                self._grown.set()

    async def _web(self) -> None:
        url = self._life.url.replace("http:", "ws:")
        async with connect(f"{url}/v1.0/ws?token={self._token}", max_size=None) as web:
            await web.send(f'{{"type": "subscribe", "topics": ["customer_id:{self._customer}"]}}')
            async for frame in web:
                self.framed += frame if isinstance(frame, str) else frame.decode()
                self._grown.set()


async def created(client: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    """Make something."""
    answer = await client.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def until(owner: httpx.AsyncClient, good: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for an attempt."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            calls: list[dict[str, Any]] = (await owner.get("/v1.0/campaigncalls")).json()["result"]
            found = [call for call in calls if good(call)]
            if found:
                return found[0]
            await asyncio.sleep(0.1)


async def commanded(life: Life, key: str, *arguments: str) -> str:
    """What a command writes, on standard output and on standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outdialer.cli.main", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=life.folder,
        env={**environment(life.folder), "OUTDIALER_SERVER": life.url, "OUTDIALER_KEY": key},
    )
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return out.decode()
