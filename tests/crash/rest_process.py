"""A REST server in a process of its own, made to be killed: ``python -m tests.crash.rest_process DB POINT``.

Whom it dials is simulated, and its webhooks may be on loopback. Standard output gets one line of JSON, ``Served``,
when it serves.
"""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from outdialer.app import App
from outdialer.config import Settings, TrunkSettings
from outdialer.engine import crash


class Served(Struct, frozen=True):
    """Where it serves, and the first access key if this life made it."""

    port: int
    key: str


async def main(db: Path, point: str) -> None:
    """Serve until SIGTERM, or until a request reaches ``point``."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    settings = Settings(
        db=db,
        http=("127.0.0.1", 0),
        trunk=TrunkSettings(host="127.0.0.1", port=9, rate_per_s=100, channels=100),
        simulated_trunk_seed=1,
        allowed_networks=("127.0.0.0/8",),
    )
    app = await App.open(settings)
    key = await app.first_key() or ""
    if point:
        crash.arm(point, 1)
    await app.start()
    assert app.http_address is not None
    sys.stdout.buffer.write(msgspec.json.encode(Served(app.http_address[1], key)) + b"\n")
    sys.stdout.flush()
    await stopped.wait()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
