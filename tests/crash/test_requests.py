"""Requests with an ``Idempotency-Key`` to a real server that dies between effect and answer."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import Struct

from tests.crash.harness import READY_S, ROOT
from tests.crash.rest_process import Served

pytestmark = pytest.mark.slow

KEY = {"Idempotency-Key": "0c6a9a8e-8a4f-4a0e-9d0e-0d6c3a0b3f10"}
PERSON = {"destination_0": {"target": "+12025550123"}}
DEATH_S = 10.0


class Server(Struct, frozen=True):
    """One life of a server, and a client of it."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def died(self) -> int:
        """How it ended."""
        async with asyncio.timeout(DEATH_S):
            return await self.process.wait()


class Lives:
    """Servers over the same books, one after another."""

    def __init__(self, db: Path) -> None:
        self._db = db
        self._key = ""

    @asynccontextmanager
    async def serve(self, point: str = "") -> AsyncIterator[Server]:
        """The next life; it dies where a request reaches ``point``."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.rest_process", str(self._db), point),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            served = msgspec.json.decode(await process.stdout.readline(), type=Served)
        self._key = served.key or self._key
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{served.port}/v1.0",
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=READY_S,
            limits=limits,
        ) as client:
            server = Server(process, client)
            try:
                yield server
            finally:
                if process.returncode is None:
                    process.send_signal(signal.SIGTERM)
                await server.died()


@pytest.fixture
def lives(tmp_path: Path) -> Lives:
    return Lives(tmp_path / "books.db")


async def _prepare(lives: Lives) -> str:
    async with lives.serve() as server:
        outdial = await server.client.post("/outdials", json={"name": "list"})
        return str(outdial.json()["id"])


def _posts(outdial: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("/outdials", {"name": "a"}),
        (f"/outdials/{outdial}/targets/bulk", {"targets": [PERSON] * 5}),
        ("/accesskeys", {"name": "a"}),
    ]


@pytest.mark.parametrize("number", range(3))
async def test_the_answer_comes_after_a_death_and_the_effect_only_once(lives: Lives, number: int) -> None:
    outdial = await _prepare(lives)
    path, body = _posts(outdial)[number]
    async with lives.serve("answer-made") as server:
        with pytest.raises(httpx.TransportError):
            await server.client.post(path, json=body, headers=KEY)
        assert await server.died() == -signal.SIGKILL
    async with lives.serve() as server:
        made = await _all(server, path)
        answers = [await server.client.post(path, json=body, headers=KEY) for _ in range(2)]
        assert await _all(server, path) == made
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].json() == answers[1].json()
    ids = [row["id"] for row in answers[0].json().get("result", [answers[0].json()])]
    assert set(ids) <= {row["id"] for row in made}
    async with lives.serve() as server:
        again = await server.client.post(path, json=body, headers=KEY)
    assert again.json() == answers[0].json()
    assert again.headers["idempotency-replayed"] == "true"


async def _all(server: Server, path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await server.client.get(path.removesuffix("/bulk"))).json()["result"]
    return rows


async def test_a_hundred_over_real_connections_have_one_effect(lives: Lives) -> None:
    outdial = await _prepare(lives)
    path = f"/outdials/{outdial}/targets"
    async with lives.serve() as server:
        answers = await asyncio.gather(*[server.client.post(path, json=PERSON, headers=KEY) for _ in range(100)])
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert len(await _all(server, path)) == 1
