"""The phone network as a process of its own."""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from outdialer.carriers.simulator.behaviours import MIXES, Mix, Rule
from outdialer.phones.digest import Credentials
from outdialer.phones.network import PhoneNetwork


class PhonesOptions(Struct, frozen=True, kw_only=True):
    """What ``outdialer phones`` was asked for."""

    host: str = "127.0.0.1"
    port: int = 0
    rules: tuple[Rule, ...] = ()
    mix: Mix = MIXES["suffix"]
    seed: int = 0
    log_path: Path | None = None
    audio: bool = True
    talk: bool = False
    live: bool = False
    time_percent: int = 100
    record_route: bool = False
    credentials: Credentials = Credentials()
    max_seconds: float | None = None
    """Stop by itself after this time, in s."""
    exit_with_parent: bool = False
    """Stop when standard input ends, as it does when the process that holds its other end dies."""


def run(options: PhonesOptions) -> None:
    """Serve until SIGINT, SIGTERM, the end of the time or of the parent.

    Prints ``phones ready sip:HOST:PORT`` as its first line on standard output once requests are answered.

    Raises:
        NotLoopback: the address is not a loopback address and ``live`` is not set.
        OSError: the address cannot be bound or the log not opened.
    """
    _raise_file_limit()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _raise_file_limit() -> None:
    """Each call that is listened to takes a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _serve(options: PhonesOptions) -> None:
    network = PhoneNetwork(
        host=options.host,
        port=options.port,
        rules=options.rules,
        mix=options.mix,
        seed=options.seed,
        log_path=options.log_path,
        audio=options.audio,
        talk=options.talk,
        live=options.live,
        time_percent=options.time_percent,
        record_route=options.record_route,
        credentials=options.credentials,
        remember=0,
    )
    stopped = asyncio.Event()
    _watch_for_the_end(options, stopped)
    await network.start()
    try:
        sys.stdout.write(f"phones ready sip:{network.address[0]}:{network.address[1]}\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await network.stop()
    counters = network.counters
    sys.stderr.write(
        f"phones: {counters.invites} invites, {counters.answered} answered, {counters.refused} refused, "
        f"{counters.max_live} at once, {counters.retransmissions} retransmitted, {counters.problems} problems\n"
    )


def _watch_for_the_end(options: PhonesOptions, stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if options.max_seconds is not None:
        loop.call_later(options.max_seconds, stopped.set)
    if options.exit_with_parent:
        loop.add_reader(sys.stdin.fileno(), _read_stdin, stopped)


def _read_stdin(stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4_096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopped.set()
