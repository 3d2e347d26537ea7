"""One simulated world: an engine that lives several lives, its phones, its people and its troubles, from one seed."""

import logging
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import cast

from msgspec import Struct

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant
from outdialer.engine import crash
from outdialer.engine.engine import Engine
from outdialer.engine.system import SystemClock
from outdialer.ports.store import DialerStore, StoreUnavailable
from outdialer.simulation.carrier import NetworkCarrier, coin
from outdialer.simulation.loop import Deadlock, PowerCut, Timeline, VirtualLoop, WorldEnds, at_once
from outdialer.simulation.media import TroubledMedia
from outdialer.simulation.network import PhoneNetwork
from outdialer.simulation.operators import Operators
from outdialer.simulation.seeds import SeededIds, mixture, people, stream
from outdialer.simulation.store import TroubledStore
from outdialer.simulation.trace import Trace
from outdialer.store.sqlite.connect import connect_to_read
from outdialer.store.sqlite.store import SqliteStore
from outdialer.telemetry import Metrics

START: Instant = 1_750_000_000 * MICROSECONDS_PER_SECOND
"""What the wall clock says when a world begins."""
LONGEST_CALL_MS = 60_000
SHORTEST_BREAK_MS = 100
"""No engine is back sooner than the datagrams that its last life sent are through."""
GRACE_S = 5.0
LOOK_MS = 15_000
"""How often a world that has become calm is looked at."""
PATIENCE_S = 5_400
"""By then a calm world must be at rest: the longest bound of an unknown call, its retries and the trunk's pauses."""
CLOCK_JUMPS_S = (-1, 1, -0.2, 0.2, -3_600, 3_600, 86_400)


class _ErrorLog(logging.Handler):
    """Keeps the errors that nobody expects: tasks that failed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__()
        self._problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of a failed task."""
        if record.getMessage() == "task_failed":
            error = record.exc_info[1] if record.exc_info else None
            self._problems.append(f"task failed: {error!r}")


class _Life(Struct, eq=False):
    """What an engine has while it lives; all of it goes with the power."""

    number: int
    loop: VirtualLoop
    clock: SystemClock
    inner: SqliteStore
    store: TroubledStore
    media: TroubledMedia
    engine: Engine
    leaving: bool = False


class World:
    """Run it with ``run``; then read its ``trace`` and its ``problems``."""

    def __init__(self, seed: int, path: Path) -> None:
        """``path``: the store's file, which must not exist yet."""
        self.seed = seed
        self.path = path
        self.mixture = mixture(seed)
        self.timeline = Timeline()
        self.trace = Trace(lambda: self.timeline.now, self.now)
        self.problems: list[str] = []
        """What the world itself could see go wrong: errors nobody caught, no progress, no rest."""
        self.calm = False
        self._wall_offset: Instant = START
        self._life: _Life | None = None
        self._lives = 0
        self._ids = SeededIds(stream(seed, "ids"))
        self._chance = stream(seed, "troubles")
        self._operators = Operators(self.trace, self._ids, self.now, stream(seed, "operators"))
        self._network = PhoneNetwork(
            self.timeline,
            self.trace,
            seed=seed,
            mix=people(seed),
            mixture=self.mixture,
            chance=stream(seed, "network"),
        )
        self._rest_by: Instant = 0

    def now(self) -> Instant:
        """What the engine's clock says, or the machine's where no engine runs."""
        return self._life.clock.now() if self._life is not None else self._wall()

    def _wall(self) -> Instant:
        return self.timeline.now + self._wall_offset

    def run(self) -> None:
        """Let everything happen, from the first start to rest."""
        errors = _ErrorLog(self.problems)
        logger = logging.getLogger("outdialer")
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        logger.handlers[:] = [errors]
        try:
            self._begin()
            while True:
                self._go_on()
        except WorldEnds:
            self.trace.add("end")
        except Deadlock as error:
            self.problems.append(f"deadlock: {error}")
        finally:
            self._bury()
            logger.handlers.clear()
            logger.propagate = True

    def _begin(self) -> None:
        self._start_life(self._operators.furnish)
        mix = self.mixture
        for every_s, trouble in (
            (mix.crash_every_s, self._crash),
            (mix.restart_every_s, self._restart),
            (mix.away_every_s, self._store_away),
            (mix.media_every_s, self._lose_media),
            (mix.operator_every_s, self._operate),
            (mix.clock_every_s, self._set_clock),
        ):
            if every_s:
                self._later(every_s, trouble)
        self.timeline.after(mix.length_s * 1_000, self._become_calm)

    def _later(self, every_s: float, trouble: Callable[[], None]) -> None:
        def happen() -> None:
            if not self.calm:
                self._later(every_s, trouble)
                trouble()

        self.timeline.after(self._chance.expovariate(1 / every_s) * 1_000, happen)

    def _go_on(self) -> None:
        """Until the running life ends, or the next event where there is none."""
        life = self._life
        if life is None:
            self.timeline.advance()
            return
        try:
            life.loop.run_forever()
        except PowerCut as cut:
            self.trace.add("crash", life=life.number, why=str(cut))
            self._bury()
            self._start_later()

    # Lives

    def _start_later(self) -> None:
        break_ms = SHORTEST_BREAK_MS + self._chance.randrange(self.mixture.down_ms)
        self.timeline.after(break_ms, self._start_life)

    def _start_life(self, before: Callable[[], None] | None = None) -> None:
        self._lives += 1
        chance = stream(self.seed, f"life {self._lives}")
        clock = SystemClock(self._wall, lambda: self.timeline.now)
        inner = at_once(
            SqliteStore.open(
                self.path, new_id=lambda: self._ids.new(clock.now()), random_bytes=chance.randbytes, inline=True
            )
        )
        store = TroubledStore(inner, self.trace, self.mixture, chance)
        store.calm = self.calm
        self._operators.store = inner
        media = TroubledMedia(coin(chance, 0 if self.calm else self.mixture.no_port))
        carrier = NetworkCarrier(
            clock=clock,
            secret=at_once(inner.install_secret()),
            network=self._network,
            life=self._lives,
            unusable=coin(chance, 0 if self.calm else self.mixture.unusable),
        )
        engine = Engine(
            store=cast(DialerStore, store),
            carrier=carrier,
            media=media,
            clock=clock,
            ids=self._ids,
            metrics=Metrics(),
            longest_call_ms=LONGEST_CALL_MS,
        )
        loop = VirtualLoop(self.timeline)
        self._life = _Life(self._lives, loop, clock, inner, store, media, engine)
        if before is not None:
            before()
        self.trace.add("life", life=self._lives)
        loop.create_task(_start(engine), name="start")

    def _bury(self) -> None:
        """The power is off: nothing of the life is left but its file."""
        life, self._life = self._life, None
        crash.disarm()
        if life is None:
            return
        self.problems += [f"life {life.number}: {error}" for error in life.loop.errors]
        life.loop.discard()
        at_once(life.inner.close())
        self._network.cut()

    # Troubles

    def _crash(self) -> None:
        if self._life is None:
            return
        if self._chance.random() >= self.mixture.crash_at_point:
            raise PowerCut("at a random instant")
        point = self._chance.choice(sorted(crash.POINTS))
        crash.arm(point, self._chance.choice((1, 1, 2, 5)), _cut_power)

    def _restart(self) -> None:
        life = self._life
        if life is None or life.leaving:
            return
        life.leaving = True
        self.trace.add("leaving", life=life.number)
        life.loop.create_task(self._leave(life), name="leave")

    async def _leave(self, life: _Life) -> None:
        await life.engine.drain(GRACE_S)
        await life.engine.stop()
        raise PowerCut("an orderly end")

    def _store_away(self) -> None:
        life = self._life
        if life is not None and not life.store.away:
            life.store.away = True
            self.trace.add("store away")
            self.timeline.after(self._chance.randrange(100, 20_000), partial(self._store_back, life))

    def _store_back(self, life: _Life) -> None:
        life.store.away = False
        self.trace.add("store back", life=life.number)

    def _lose_media(self) -> None:
        life = self._life
        if life is not None and life.engine.epoch and not life.leaving:
            self.trace.add("media lost")
            life.loop.create_task(life.media.lose(self._chance.choice((0, 0, 3))), name="lose media")

    def _operate(self) -> None:
        if self._life is not None and not self._life.store.away:
            self._operators.act()

    def _set_clock(self) -> None:
        jump_s = self._chance.choice(CLOCK_JUMPS_S)
        self._wall_offset += int(jump_s * MICROSECONDS_PER_SECOND)
        self.trace.add("clock set", by_s=jump_s)

    # The end

    def _become_calm(self) -> None:
        """No trouble from now on: everything must come to its end."""
        self.calm = self._network.calm = True
        crash.disarm()
        self.trace.add("calm")
        if self._life is not None:
            self._life.store.calm = True
        self._rest_by = self.timeline.now + PATIENCE_S * MICROSECONDS_PER_SECOND
        self.timeline.after(1_000, self._last_orders)

    def _last_orders(self) -> None:
        """An engine whose media or carrier was left in trouble goes on with it, and must cope."""
        if self._life is None:
            self.timeline.after(1_000, self._last_orders)
            return
        self._operators.stop_some()
        self.timeline.after(LOOK_MS, self._look)

    def _look(self) -> None:
        restless = self._restless()
        if not restless:
            raise WorldEnds
        if self.timeline.now > self._rest_by:
            self.problems += [f"no rest: {why}" for why in restless]
            raise WorldEnds
        self.timeline.after(LOOK_MS, self._look)

    def _restless(self) -> list[str]:
        """What is not at rest yet: read from the file, as somebody from outside would."""
        found = []
        if self._network.live_calls():
            found.append(f"{self._network.live_calls()} calls are up")
        with closing(connect_to_read(self.path)) as database:
            for name, statement in REST.items():
                count = database.execute(statement, {"now": self.now()}).fetchone()[0]
                if count:
                    found.append(f"{count} {name}")
        return found


REST = {
    "attempts open": "SELECT count(*) FROM attempts WHERE status <> 'done'",
    "targets in progress": "SELECT count(*) FROM targets WHERE status = 'progressing'",
    "campaigns stopping": "SELECT count(*) FROM campaigns WHERE status = 'stopping'",
    "targets due and not called": """
        SELECT count(*) FROM targets AS t
        JOIN outdials AS o ON o.key = t.outdial AND o.tm_delete IS NULL
        JOIN campaigns AS c ON c.status = 'run'
        JOIN campaign_versions AS v ON v.campaign = c.key AND v.version = c.version AND v.outdial = o.key
        WHERE t.status = 'idle' AND t.tm_delete IS NULL AND t.due <= :now""",
}
"""What must come to nothing once a world is calm."""


async def _start(engine: Engine) -> None:
    try:
        await engine.start()
    except StoreUnavailable as error:
        raise PowerCut("it could not start") from error


def _cut_power(point: str) -> None:
    raise PowerCut(point)


def clean_up(path: Path) -> None:
    """Remove a store's file with all that lies beside it."""
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
