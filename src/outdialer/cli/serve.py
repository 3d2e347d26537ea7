"""``outdialer serve``: the engine with its REST API, until it is told to stop."""

import asyncio

from msgspec import Struct

from outdialer.cli.options import check_reach
from outdialer.cli.run import interrupts, open_app, start_engine
from outdialer.config import Settings


class ServeOptions(Struct, frozen=True, kw_only=True):
    """What ``outdialer serve`` was asked for."""

    settings: Settings
    grace_s: float = 60


async def serve(options: ServeOptions, *, stop: asyncio.Event | None = None) -> int:
    """Serve until Ctrl-C, SIGTERM or ``stop``; then drain. The exit code.

    Raises:
        Stop: with a message and the exit code.
    """
    settings = options.settings
    if settings.trunk is not None:
        check_reach(settings.trunk.host, settings.sip_bind[0], live=settings.live, flag="--sip-bind")
    app = await open_app(settings, "--sip-bind")
    try:
        token = await app.first_key()
        await start_engine(app, "--http")
        _announce(app.http_address, options.settings, token)
        with interrupts(app) as interrupted:
            await _either(interrupted, stop or asyncio.Event())
            await app.engine.drain(options.grace_s)
    finally:
        await app.stop()
    return 0


def _announce(address: tuple[str, int] | None, settings: Settings, token: str | None) -> None:
    if address is not None:
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        print(f"outdialer serves http://{host}:{address[1]}/v1.0 (reference: http://{host}:{address[1]}/docs)")
    print(f"the books are in {settings.db}")
    if token is not None:
        print(f"access key, shown this once: {token}")
    if settings.key_file is not None and settings.key_file.exists():
        print(f"{'it' if token else 'the first access key'} is kept in {settings.key_file}")
    if settings.trunk is None:
        print("no --trunk: campaigns dial through the routes to providers that were written over REST, or wait")
    print("ready", flush=True)


async def _either(first: asyncio.Event, second: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    waits = {loop.create_task(first.wait()), loop.create_task(second.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
