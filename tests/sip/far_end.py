"""SIPp as the far end: one scenario, a number of calls, and what it says of them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

SIPP = Path("/usr/bin/sipp")
SCENARIOS = Path(__file__).parent / "scenarios"


class FarEnd:
    """A running SIPp."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self._folder = folder

    async def verdict(self) -> str:
        """Empty when every call went as the scenario says, else what SIPp complains about."""
        code = await asyncio.wait_for(self.process.wait(), 60)
        return "" if code == 0 else f"exit code {code}\n{self._text('errors')}"

    def log(self) -> str:
        """What the scenario logged."""
        return self._text("log")

    def _text(self, name: str) -> str:
        path = self._folder / name
        return path.read_text() if path.exists() else ""


@contextlib.asynccontextmanager
async def far_end(scenario: str, calls: int, folder: Path, *options: str, **keys: str) -> AsyncIterator[FarEnd]:
    """Run ``scenarios/<scenario>.xml``, its ``[key]`` words filled in, for ``calls`` calls; stopped at last."""
    port = free_port()
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    for name, value in keys.items():
        text = text.replace(f"[{name}]", value)
    (folder / "scenario.xml").write_text(text)
    process = await asyncio.create_subprocess_exec(
        str(SIPP), "-sf", str(folder / "scenario.xml"), "-i", "127.0.0.1", "-p", str(port), "-m", str(calls),
        "-nostdin", "-trace_err", "-error_file", str(folder / "errors"), "-trace_logs", "-log_file",
        str(folder / "log"), "-timeout", "60s", *options,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    try:
        await asyncio.wait_for(_bound(port, process), 20)
        yield FarEnd(process, port, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _bound(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until the far end has bound its port: the kernel's table is the only one who knows."""
    wanted = f":{port:04X} "
    while wanted not in _udp_sockets():
        assert process.returncode is None, "SIPp did not start"
        await asyncio.sleep(0.02)


def _udp_sockets() -> str:
    return Path("/proc/net/udp").read_text()
