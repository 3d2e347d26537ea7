from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from outdialer.phones.command import phones

PROGRAM = "from outdialer.phones.command import phones; phones()"
OPTIONS = (
    b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKo;rport\r\nMax-Forwards: 70\r\n"
    b"From: <sip:a@127.0.0.1>;tag=f\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n"
)
Started = tuple[asyncio.subprocess.Process, tuple[str, int]]


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[Started]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        "--port",
        "0",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            first = (await process.stdout.readline()).decode()
        found = re.fullmatch(r"phones ready sip:(127\.0\.0\.1):(\d+)\n", first)
        assert found, first
        yield process, (found[1], int(found[2]))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def end_of_stdin(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        ((), lambda process: process.send_signal(signal.SIGTERM)),
        ((), lambda process: process.send_signal(signal.SIGINT)),
        (("--exit-with-parent",), end_of_stdin),
        (("--max-seconds", "0.1"), lambda process: None),
    ],
    ids=["SIGTERM", "SIGINT", "parent", "time"],
)
async def test_ends_cleanly(
    tmp_path: Path, arguments: tuple[str, ...], end: Callable[[asyncio.subprocess.Process], None]
) -> None:
    async with running("--no-audio", "--log", str(tmp_path / "log"), *arguments) as (process, _):
        end(process)
        async with asyncio.timeout(30):
            assert await process.wait() == 0


async def test_answers_and_logs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running("--log", str(log)) as (_, address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendto(caller, OPTIONS, address)
            async with asyncio.timeout(10):
                reply, _ = await loop.sock_recvfrom(caller, 2_000)
    assert reply.startswith(b"SIP/2.0 200 OK\r\n")
    lines = [msgspec.json.decode(line) for line in await asyncio.to_thread(lambda: log.read_bytes().splitlines())]
    assert [(line["dir"], line["method"], line["status"]) for line in lines] == [
        ("in", "OPTIONS", 0),
        ("out", "OPTIONS", 200),
    ]


def test_shares_no_code_with_the_dialer() -> None:
    program = (
        "import sys, outdialer.phones.command\n"
        "print([name for name in sys.modules if name.startswith(('outdialer.carriers.sip', 'outdialer.engine'))])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert result.stdout.strip() == "[]"


def test_lists_behaviours() -> None:
    result = CliRunner().invoke(phones, ["--list-behaviours"])
    assert result.exit_code == 0
    assert "early-media" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "192.0.2.1"], "--live"),
        (["--behaviour", "nobody"], "unknown behaviour 'nobody'"),
        (["--mix", "village"], "village"),
    ],
)
def test_refuses_nonsense(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(phones, arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_refuses_a_population_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mix.json"
    path.write_text('{"people": 3}')
    result = CliRunner().invoke(phones, ["--rules", str(path)])
    assert result.exit_code == 2
    assert "people" in result.output


def test_says_when_the_port_is_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        result = CliRunner().invoke(phones, ["--port", str(taken.getsockname()[1])])
    assert result.exit_code == 2
    assert "cannot start" in result.output
    assert "--port" in result.output
