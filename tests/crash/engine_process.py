"""Engines in processes of their own, made to be killed: ``python -m tests.crash.engine_process``.

Reads one ``Life`` as JSON a line from standard input and lives it in a child process, forked after everything is
imported, so that the next life begins at once. Standard output tells of each child twice, as JSON: ``Born`` when it
is forked and ``Ready`` when it dials. Children die with this process, and this process ends with its standard input.

Two lives are wrong on purpose (``mutant``), to prove that the checkers would see it:

``send-first``    the INVITE goes out while its intent is not on the books yet;
``retry-at-once`` an unknown attempt of an earlier life is closed and its person due again at once.
"""

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from msgspec import Struct
from msgspec.structs import replace

from outdialer.app import App
from outdialer.cli.listing import Terms, create_run
from outdialer.cli.people import Person
from outdialer.config import Settings, TrunkSettings
from outdialer.domain.plan import SEND_WINDOW_US, Plan
from outdialer.domain.snapshot import Snapshot
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant
from outdialer.engine import crash
from outdialer.engine.recovery import Recovery, as_live_call
from outdialer.ports.store import AttemptChange, Claim, ClaimResult, Intent, Unresolved
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import log_to_stderr

SEND_FIRST = "send-first"
RETRY_AT_ONCE = "retry-at-once"


class Life(Struct, frozen=True, kw_only=True):
    """One life of the engine."""

    db: str
    sip_port: int
    phones_port: int
    rate: float
    channels: int
    max_ring_ms: int
    dial_timeout_ms: int
    try_interval_ms: int
    max_tries: tuple[int, int]
    people: tuple[tuple[str, str], ...] = ()
    """Two destinations each; not empty: create the campaign and run it."""
    point: str = ""
    """Where to die (``outdialer.engine.crash``), when it is reached for the ``passes``-th time."""
    passes: int = 1
    mutant: str = ""


class Born(Struct, frozen=True, tag=True):
    """The process is there."""

    pid: int


class Ready(Struct, frozen=True, tag=True):
    """It dials."""

    pid: int


def main() -> None:
    """Live one life after another until standard input ends."""
    lifeline, ours = os.pipe()
    child = 0
    for line in sys.stdin.buffer:
        _reap(child)
        life = msgspec.json.decode(line, type=Life)
        child = os.fork()
        if child == 0:
            os.close(ours)
            _be(life, lifeline)
        _say(Born(child))
    _reap(child)


def _reap(child: int) -> None:
    """Wait for the child of before; whoever orders the next life has seen it die."""
    if child:
        with suppress(ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _say(news: Born | Ready) -> None:
    os.write(1, msgspec.json.encode(news) + b"\n")


def _be(life: Life, lifeline: int) -> None:
    """Live, and never come back."""
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        log_to_stderr("WARNING")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(life, lifeline))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


async def _live(life: Life, lifeline: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_reader(lifeline, os._exit, 2)
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    if life.mutant:
        MUTANTS[life.mutant]()
    app = await App.open(_settings(life))
    if life.point:
        crash.arm(life.point, life.passes)
    await app.start()
    if life.people:
        await _begin_campaign(app, life)
    _say(Ready(os.getpid()))
    await stopped.wait()
    await app.engine.drain(5.0)
    await app.stop()


def _settings(life: Life) -> Settings:
    trunk = TrunkSettings(
        host="127.0.0.1",
        port=life.phones_port,
        rate_per_s=life.rate,
        channels=life.channels,
        max_ring_ms=life.max_ring_ms,
    )
    return Settings(db=Path(life.db), http=None, sip_bind=("127.0.0.1", life.sip_port), trunk=trunk, sounds=Path("/"))


async def _begin_campaign(app: App, life: Life) -> None:
    async with app.client(await app.new_key("crash tests")) as client:
        people = [Person(n, f"person {n}", "", "", (*pair, "", "", "")) for n, pair in enumerate(life.people)]
        with as_file(files("outdialer.media") / "data" / "demo.wav") as sound:
            run = await create_run(client, "crash tests", _terms(life, sound), people)
        await client.campaigns.run(run.campaign_id)


def _terms(life: Life, sound: Path) -> Terms:
    tries = (*life.max_tries, 0, 0, 0)
    return Terms(
        outplan={
            "source": {"type": "tel", "target": "+12025550100"},
            "dial_timeout": life.dial_timeout_ms,
            "try_interval": life.try_interval_ms,
            **{f"max_try_count_{index}": count for index, count in enumerate(tries)},
        },
        actions=[
            {"type": "play", "option": {"stream_urls": [str(sound)]}},
            {"type": "hangup", "option": {}},
        ],
    )


# The wrong lives


class SendFirst:
    """Puts claims on the books only after their INVITEs have left, as a dialer does that sends and then records."""

    def __init__(self) -> None:
        self._claim = SqliteStore.claim
        self._record = SqliteStore.record
        self._snapshot = SqliteStore.snapshot
        self._late: asyncio.Task[ClaimResult] | None = None

    async def claim(
        self, store: SqliteStore, customer: int, claims: Sequence[Claim], plan: Plan, now: Instant
    ) -> ClaimResult:
        """Say that all is well, and write it later."""
        await self.settled()
        last = store._read(_last_keys)
        intents = tuple(
            Intent(claim=claim, attempt=last[0] + n, call=last[1] + n, leg=last[2] + n)
            for n, claim in enumerate(claims, 1)
        )
        sent_by = max(claim.line.slot for claim in claims) + SEND_WINDOW_US
        self._late = asyncio.get_running_loop().create_task(self._later(store, customer, claims, plan, now, sent_by))
        return ClaimResult(intents, ())

    async def _later(self, store: SqliteStore, *claim: Any) -> ClaimResult:
        *arguments, sent_by = claim
        await asyncio.sleep((sent_by - arguments[3]) / MICROSECONDS_PER_SECOND)
        return await self._claim(store, *arguments)

    async def settled(self) -> None:
        """What was claimed is on the books."""
        if self._late is not None:
            await asyncio.shield(self._late)

    async def record(self, store: SqliteStore, customer: int, changes: Sequence[AttemptChange]) -> list[int]:
        """Write what happened to attempts that are on the books by now."""
        await self.settled()
        return await self._record(store, customer, changes)

    async def snapshot(self, store: SqliteStore, customer: int, now: Instant, **given: Any) -> Snapshot:
        """A picture in which nobody is idle who was just called."""
        await self.settled()
        return await self._snapshot(store, customer, now, **given)


def _last_keys(database: Any) -> tuple[int, int, int]:
    keys = [database.execute(f"SELECT coalesce(max(key), 0) FROM {name}").fetchone()[0] for name in _KEYED]
    return keys[0], keys[1], keys[2]


_KEYED = ("attempts", "calls", "legs")


def _send_first() -> None:
    wrong = SendFirst()
    for name in ("claim", "record", "snapshot"):
        method = getattr(wrong, name)
        setattr(SqliteStore, name, lambda store, *given, _method=method, **named: _method(store, *given, **named))


def _retry_at_once() -> None:
    def start(self: Recovery, attempts: list[Unresolved], peer: Any, recover: Any) -> None:
        """What a job queue does with the work of a worker that died."""
        for attempt in attempts:
            impatient = replace(attempt, outplan=replace(attempt.outplan, try_interval_ms=0))
            self._desk.add(as_live_call(impatient))
            self._desk.close_unresolved(attempt.keys.leg, self._clock.now())

    setattr(Recovery, "start", start)  # noqa: B010


MUTANTS = {SEND_FIRST: _send_first, RETRY_AT_ONCE: _retry_at_once}

if __name__ == "__main__":
    main()
