"""The whole program with a campaign that runs at a rate, on the simulated carrier, for followers and requests."""

import asyncio
import signal
from pathlib import Path

import uvloop

from outdialer.app import App
from outdialer.config import Settings, TrunkSettings
from outdialer.engine import collector

NO_LIMIT = (1e6, 1_000_000)
"""Requests a second that are counted like any, and never too many: one address stands for hundreds here."""


async def _serve(path: Path, rate: float) -> None:
    trunk = TrunkSettings(host="127.0.0.1", rate_per_s=rate, channels=10_000)
    settings = Settings(
        db=path,
        http=("127.0.0.1", 0),
        trunk=trunk,
        simulated_trunk_seed=1,
        address_rate=NO_LIMIT,
        customer_rate=NO_LIMIT,
        key_rate=NO_LIMIT,
    )
    app = await App.open(settings)
    token = await app.new_key("bench")
    await app.start()
    assert app.http_address is not None
    print(app.http_address[1], token, flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    app.engine.cut()
    await app.stop()


def serve(path: str, rate: float) -> None:
    """Dial ``rate`` people a second of the list in the file until SIGTERM; its port and a key go to stdout."""
    collector.settle()
    uvloop.run(_serve(Path(path), rate))
