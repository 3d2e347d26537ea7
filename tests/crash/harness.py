"""A campaign over real SIP whose engine is killed again and again: phones, engine and media as real processes."""

import asyncio
import json
import os
import random
import signal
import socket
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from outdialer.engine.crash import POINTS
from tests.crash.checkers import Books, Ledgers, Terms, Violation, Wire, read_books, read_wire
from tests.crash.engine_process import Born, Life, Ready

ROOT = Path(__file__).resolve().parents[2]
TICK_S = 0.02
"""How often the books are looked at while something is waited for."""
READY_S = 30.0
POINT_S = 20.0
"""How long a point may take to be reached before the engine is killed from outside."""
DEATH_S = 10.0
CALLS_S = 20.0

ENGINE, MEDIA, BOTH, POINT, STARTING = "engine", "media", "both", "point", "starting"


class Kill(Struct, frozen=True, kw_only=True):
    """One planned kill."""

    what: str
    """``engine``, ``media``, ``both``; ``point``: the engine kills itself there; ``starting``: before it dials."""
    point: str = ""
    passes: int = 1
    calls: int = 0
    """How many attempts must be live before it happens."""
    delay_s: float = 0.0
    """And then this much later."""


class Killed(Struct, frozen=True, kw_only=True):
    """One kill that happened."""

    kill: Kill
    at: int
    """Microseconds since the Unix epoch, no earlier than the death."""
    hit: bool
    """False: the point was not reached in time, and the engine was killed from outside."""
    media_gone_s: float | None = None
    """How long the media process outlived the engine; None where it was killed itself."""
    start_s: float = 0.0
    """How long the life before had taken to begin."""


class Plan(Struct, frozen=True, kw_only=True):
    """A world to be."""

    kills: tuple[Kill, ...]
    seed: int
    people: int = 800
    mutant: str = ""
    rate: float = 50.0
    channels: int = 200
    try_interval_ms: int = 2_000
    max_tries: tuple[int, int] = (2, 1)
    dial_timeout_ms: int = 1_500
    max_ring_ms: int = 3_000
    mix: str = "town"
    time_percent: int = 20
    """Of the phones."""

    @property
    def terms(self) -> Terms:
        """For the checkers."""
        return Terms(self.try_interval_ms * 1_000, (*self.max_tries, 0, 0, 0))

    @property
    def rest_s(self) -> float:
        """How long the campaign may take after the last kill: everybody still to be called, and what is unknown."""
        unresolved = 32 + self.max_ring_ms / 1_000
        return 60 + unresolved + 2 * self.people / self.rate


class Outcome(Struct, frozen=True, kw_only=True):
    """What is left of a world."""

    plan: Plan
    folder: Path
    kills: tuple[Killed, ...]
    wire: Wire
    books: Books
    engine_log: str

    @property
    def ledgers(self) -> Ledgers:
        """Both ledgers, for the checkers."""
        kills = tuple(killed.at for killed in self.kills if killed.kill.what != MEDIA)
        return Ledgers(self.wire, self.books, self.plan.terms, kills)

    @property
    def db(self) -> Path:
        """The books' file."""
        return self.folder / "books.db"

    @property
    def log(self) -> Path:
        """The phones' log."""
        return self.folder / "phones.jsonl"

    @property
    def calls_up(self) -> list[int]:
        """How many calls the phones had at each kill."""
        return [self.wire.up_at(killed.at) for killed in self.kills]

    def complaints(self) -> list[Violation]:
        """Errors that the engine logged, except that media was lost where it was killed."""
        found = []
        for line in self.engine_log.splitlines():
            expected = line.startswith("{") and ('"level": "error"' not in line or '"action": "media_lost"' in line)
            if line.strip() and not expected:
                found.append(Violation("engine error", line))
        return found


def now() -> int:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


def random_kills(count: int, seed: int) -> tuple[Kill, ...]:
    """Each point in turn, then engine, media and both at random moments, shuffled, by ``seed``."""
    source = random.Random(seed)
    kinds = [POINT] * len(POINTS) + [ENGINE] * 6 + [MEDIA] * 3 + [BOTH] * 5 + [STARTING]
    chosen = [kinds[n % len(kinds)] for n in range(count)]
    points = list(POINTS)
    source.shuffle(points)
    kills = []
    for kind in chosen:
        point = ""
        if kind == POINT:
            point = points.pop()
            points = points or list(POINTS)
        kills.append(_kill(kind, point, source))
    source.shuffle(kills)
    return tuple(kills)


def _kill(what: str, point: str, source: random.Random) -> Kill:
    rare = point in ("before-claim", "claimed", "recorded")
    passes = source.randint(2, 4) if rare else source.randint(8, 16)
    return Kill(what=what, point=point, passes=passes, calls=source.randint(8, 25), delay_s=source.uniform(0, 0.25))


def people(count: int) -> tuple[tuple[str, str], ...]:
    """Fictional people with two numbers each; every twentieth shares a number with the one before."""
    numbers = [f"+1{202 + n // 100}55501{n % 100:02d}" for n in range(2 * count)]
    pairs = [(numbers[n], numbers[count + n]) for n in range(count)]
    for n in range(19, count, 20):
        pairs[n] = (pairs[n - 1][0], pairs[n][1])
    return tuple(pairs)


class World:
    """The processes of one campaign."""

    def __init__(self, plan: Plan, folder: Path, phones_port: int, engines: asyncio.subprocess.Process) -> None:
        self._plan, self._folder, self._phones_port, self._engines = plan, folder, phones_port, engines
        self._sip_port = free_port(random.Random())
        self._begun = False
        self._books: sqlite3.Connection | None = None
        self.pid = 0
        self.start_s = 0.0
        self.kills: list[Killed] = []

    async def start(self, kill: Kill | None = None) -> None:
        """Begin the next life; it will die by itself where ``kill`` names a point. Returns when it dials."""
        plan = self._plan
        armed = kill is not None and kill.what == POINT
        life = Life(
            db=str(self._folder / "books.db"),
            sip_port=self._sip_port,
            phones_port=self._phones_port,
            rate=plan.rate,
            channels=plan.channels,
            max_ring_ms=plan.max_ring_ms,
            dial_timeout_ms=plan.dial_timeout_ms,
            try_interval_ms=plan.try_interval_ms,
            max_tries=plan.max_tries,
            people=() if self._begun else people(plan.people),
            point=kill.point if kill is not None and armed else "",
            passes=kill.passes if kill is not None else 1,
            mutant=plan.mutant,
        )
        assert self._engines.stdin is not None
        began = time.monotonic()
        self._engines.stdin.write(msgspec.json.encode(life) + b"\n")
        while not isinstance(news := await self._news(), Born):
            pass
        self.pid = news.pid
        self._begun = True
        if kill is None or kill.what != STARTING:
            await self._ready(may_die=armed)
        self.start_s = time.monotonic() - began

    async def _news(self) -> Born | Ready:
        assert self._engines.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await self._engines.stdout.readline()
        if not line:
            raise RuntimeError(f"no engine: {(self._folder / 'engine.log').read_text()[-2_000:]}")
        return msgspec.json.decode(line, type=Born | Ready)

    async def _ready(self, *, may_die: bool) -> None:
        """Wait until the life dials; one that dies at a point may do so before that."""
        ready = asyncio.ensure_future(self._news())
        death = asyncio.ensure_future(died(self.pid, READY_S))
        try:
            await asyncio.wait({ready, death}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done() and not may_die:
                raise RuntimeError(f"the engine ended: {(self._folder / 'engine.log').read_text()[-2_000:]}")
        finally:
            for waiting in (ready, death):
                waiting.cancel()
            await asyncio.gather(ready, death, return_exceptions=True)

    async def suffer(self, kill: Kill) -> Killed:
        """Let one kill happen to the life that goes on, and wait until it has."""
        media = media_of(self.pid)
        if kill.what == POINT:
            killed = await self._die_at_a_point(kill, media)
        elif kill.what == STARTING:
            await asyncio.sleep(kill.delay_s)
            killed = await self._die(kill, media_of(self.pid))
        else:
            await until(lambda: self._live() >= kill.calls, CALLS_S, strict=False)
            await asyncio.sleep(kill.delay_s)
            await until(lambda: media_of(self.pid) != 0, READY_S)
            killed = await self._die(kill, media_of(self.pid))
        self.kills.append(killed)
        if not killed.hit and "task_failed" in (log := (self._folder / "engine.log").read_text()):
            raise RuntimeError(f"the engine does not work: {log[-2_000:]}")
        return killed

    async def _die_at_a_point(self, kill: Kill, media: int) -> Killed:
        hit = await died(self.pid, POINT_S)
        if not hit:
            os.kill(self.pid, signal.SIGKILL)
            await died(self.pid, DEATH_S)
        return await self._record(kill, media, hit=hit)

    async def _die(self, kill: Kill, media: int) -> Killed:
        if kill.what in (MEDIA, BOTH):
            os.kill(media, signal.SIGKILL)
        if kill.what == MEDIA:
            at = now()
            await died(media, DEATH_S)
            await until(lambda: media_of(self.pid) not in (0, media), READY_S)
            return Killed(kill=kill, at=at, hit=True, start_s=self.start_s)
        os.kill(self.pid, signal.SIGKILL)
        await died(self.pid, DEATH_S)
        return await self._record(kill, media, hit=True)

    async def _record(self, kill: Kill, media: int, *, hit: bool) -> Killed:
        at, began = now(), time.monotonic()
        gone = await died(media, DEATH_S) if media else True
        outlived = None if kill.what == BOTH or not media else time.monotonic() - began if gone else DEATH_S
        return Killed(kill=kill, at=at, hit=hit, media_gone_s=outlived, start_s=self.start_s)

    def ask(self, question: str) -> int:
        """A number from the books, beside the engine."""
        if self._books is None:
            uri = f"{(self._folder / 'books.db').absolute().as_uri()}?mode=ro"
            self._books = sqlite3.connect(uri, uri=True, isolation_level=None)
        return int(self._books.execute(question).fetchone()[0])

    def _live(self) -> int:
        """Attempts of this life that should be on the wire."""
        return self.ask(
            "SELECT count(*) FROM attempts WHERE status <> 'done' AND epoch = (SELECT max(key) FROM epochs) "
            f"AND send_not_before <= {now()}"
        )

    async def finish(self) -> None:
        """Let the campaign run to its end, then end the engine as an operator would."""
        await until(
            lambda: (
                not self.ask(
                    "SELECT (SELECT count(*) FROM campaigns WHERE status <> 'stop')"
                    " + (SELECT count(*) FROM attempts WHERE status <> 'done')"
                )
            ),
            self._plan.rest_s,
            strict=False,
        )
        await self.terminate()

    async def terminate(self) -> None:
        """SIGTERM, and wait."""
        os.kill(self.pid, signal.SIGTERM)
        if not await died(self.pid, 30.0):
            raise TimeoutError("the engine did not end after SIGTERM")

    def close(self) -> None:
        """Forget the books."""
        if self._books is not None:
            self._books.close()


async def run(plan: Plan, folder: Path, *, to_the_end: bool = True) -> Outcome:
    """Live through all kills, and then to the end of the campaign."""
    async with processes_of(plan, folder) as world:
        for number, kill in enumerate(plan.kills):
            if number == 0 or plan.kills[number - 1].what != MEDIA or kill.what == POINT:
                if number and plan.kills[number - 1].what == MEDIA:
                    await world.terminate()
                await world.start(kill)
            await world.suffer(kill)
        if not plan.kills or plan.kills[-1].what != MEDIA:
            await world.start()
        if to_the_end:
            await world.finish()
        else:
            os.kill(world.pid, signal.SIGKILL)
            await died(world.pid, DEATH_S)
        kills = tuple(world.kills)
    return outcome(plan, folder, kills)


def outcome(plan: Plan, folder: Path, kills: tuple[Killed, ...]) -> Outcome:
    """What is left, when everything has ended."""
    return Outcome(
        plan=plan,
        folder=folder,
        kills=kills,
        wire=read_wire(folder / "phones.jsonl"),
        books=read_books(folder / "books.db"),
        engine_log=(folder / "engine.log").read_text(),
    )


def make_folder(folder: Path) -> None:
    """Make a folder for the files of a world."""
    folder.mkdir(parents=True, exist_ok=True)


@asynccontextmanager
async def processes_of(plan: Plan, folder: Path) -> AsyncIterator[World]:
    """Phones and a nursery of engines; at the end every call must have ended before the phones go."""
    make_folder(folder)
    async with phones(folder / "phones.jsonl", plan) as port, _engines(folder) as engines:
        world = World(plan, folder, port, engines)
        try:
            yield world
            await until(lambda: no_call_is_up(folder / "phones.jsonl"), 5.0, strict=False)
        finally:
            world.close()


@asynccontextmanager
async def phones(log: Path, plan: Plan) -> AsyncIterator[int]:
    """A phone network in a process of its own; its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outdialer.cli.main", "phones", "--port", "0", "--mix", plan.mix),
        *("--seed", str(plan.seed), "--time-percent", str(plan.time_percent), "--log", str(log), "--exit-with-parent"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = (await process.stdout.readline()).decode()
        yield int(line.rsplit(":", 1)[1])
    finally:
        await _end(process)


@asynccontextmanager
async def _engines(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / "engine.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.engine_process"),
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield process
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()


async def until(reached: Callable[[], bool], seconds: float, *, strict: bool = True) -> bool:
    """Look until something has come about, at most this long; whether it has.

    Raises:
        TimeoutError: it has not, and ``strict``.
    """
    try:
        async with asyncio.timeout(seconds):
            while not reached():  # noqa: ASYNC110 - files and other processes tell no event
                await asyncio.sleep(TICK_S)
    except TimeoutError:
        if strict:
            raise
        return False
    return True


def no_call_is_up(log: Path) -> bool:
    """Whether every call that began at the phones has ended."""
    wire = read_wire(log)
    return {invite.call_id for invite in wire.invites} <= {call.call_id for call in wire.calls}


def free_port(source: random.Random) -> int:
    """A UDP port of loopback that is free now, and not among those that others are given while we are dead."""
    while True:
        port = source.randrange(20_000, 30_000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def died(pid: int, seconds: float) -> bool:
    """Wait until a process, not necessarily a child of ours, has died, at most this long; whether it has."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        async with asyncio.timeout(seconds):
            await gone.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True


def media_of(pid: int) -> int:
    """The media process of an engine; 0 when it has none."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                with suppress(OSError):
                    if b"outdialer.media.process" in Path(f"/proc/{child}/cmdline").read_bytes():
                        return int(child)
    return 0


def _median(values: Iterable[float]) -> float:
    return statistics.median([0.0, *values])


def describe(outcome: Outcome) -> str:
    """A few lines for people."""
    kills, books = outcome.kills, outcome.books
    up = outcome.calls_up or [0]
    gone = [killed.media_gone_s for killed in kills if killed.media_gone_s is not None] or [0.0]
    by_kind: dict[str, int] = {}
    for killed in kills:
        name = killed.kill.point or killed.kill.what
        by_kind[name] = by_kind.get(name, 0) + 1
    unknown = sum(attempt.unknown for attempt in books.attempts)
    return (
        f"{len(kills)} kills ({sum(not killed.hit for killed in kills)} points missed): {json.dumps(by_kind)}\n"
        f"  calls up at a kill: {sum(up) / len(up):.1f} on average, {min(up)} to {max(up)}\n"
        f"  {len(outcome.wire.invites)} INVITEs on the wire, {len(books.attempts)} attempts on the books, "
        f"{unknown} unknown, {sum(not attempt.charged for attempt in books.attempts)} not sent, "
        f"{sum(attempt.late_answer for attempt in books.attempts)} late answers\n"
        f"  a life began within {_median(killed.start_s for killed in kills):.2f} s (median), "
        f"the media process was gone within {max(gone):.2f} s"
    )
