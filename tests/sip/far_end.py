"""SIPp as the far end: one row's ladder, a number of calls, and what it says of them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from .scenario import scenario
from .table import Row

SIPP = Path("/usr/bin/sipp")


class FarEnd:
    """A running SIPp."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self._folder = folder

    async def verdict(self) -> str:
        """Empty when every call went as the scenario says, else what SIPp complains about."""
        try:
            code = await asyncio.wait_for(self.process.wait(), 60)
        except TimeoutError:
            return f"not every call came to its end\n{self._text('errors')}"
        return "" if code == 0 else f"exit code {code}\n{self._text('errors')}"

    def log(self) -> str:
        """What the scenario logged."""
        return self._text("log")

    def _text(self, name: str) -> str:
        path = self._folder / name
        return path.read_text() if path.exists() else ""


@contextlib.asynccontextmanager
async def far_end(row: Row, calls: int, folder: Path) -> AsyncIterator[FarEnd]:
    """Play a row's ladder for so many calls; stopped at last."""
    (folder / "scenario.xml").write_text(scenario(row.name, row.ladder))
    process, port = await _started(folder, [*_ends(row, calls), *(["-lost", str(row.lost)] if row.lost else [])])
    try:
        yield FarEnd(process, port, folder)
    finally:
        await _stop(process)


def _ends(row: Row, calls: int) -> list[str]:
    """SIPp goes when it had its calls; where it would count wrong it stays until it is stopped."""
    return ["-m", str(100 * calls if row.lost or row.silent else calls), "-timeout", "600s"]


async def _started(folder: Path, options: list[str]) -> tuple[asyncio.subprocess.Process, int]:
    """A running SIPp and its port; another port when somebody else took the first."""
    for _ in range(5):
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            str(SIPP), "-sf", str(folder / "scenario.xml"), "-i", "127.0.0.1", "-p", str(port), "-nostdin",
            "-trace_err", "-error_file", str(folder / "errors"), "-trace_logs", "-log_file", str(folder / "log"),
            *options,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        try:
            if await asyncio.wait_for(_bound(port, process), 20):
                return process, port
        except BaseException:
            await _stop(process)
            raise
    raise AssertionError("SIPp did not start")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _bound(port: int, process: asyncio.subprocess.Process) -> bool:
    """Wait until the far end has bound its port (the kernel's table is the only one who knows); False: it went."""
    wanted = f":{port:04X} "
    while wanted not in _udp_sockets():
        if process.returncode is not None:
            return False
        await asyncio.sleep(0.02)
    return True


def _udp_sockets() -> str:
    return Path("/proc/net/udp").read_text()
