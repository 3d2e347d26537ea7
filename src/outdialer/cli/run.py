"""``outdialer run``: call the people of a list, once through, and go on where it stopped."""

import asyncio
import errno
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from msgspec import Struct

from outdialer.api.wire import Wire
from outdialer.app import DEFAULT_CUSTOMER, App
from outdialer.cli.books import check_places, write_files
from outdialer.cli.connection import explained
from outdialer.cli.exits import DONE, DRAINED, MEANINGS, STORE, TRUNK, Stop, plain
from outdialer.cli.listing import (
    Difference,
    Run,
    Terms,
    append,
    change_terms,
    create_run,
    difference,
    find_run,
    stored_attempts,
)
from outdialer.cli.options import check_reach
from outdialer.cli.people import ListError, People, describe_refusals, read_people
from outdialer.cli.progress import Progress, print_summary
from outdialer.cli.results import attempt_record
from outdialer.client import AsyncClient
from outdialer.client.resources.campaigns import CampaignStats
from outdialer.config import Settings, TrunkSettings
from outdialer.domain.attempt import AttemptStatus
from outdialer.domain.model import CampaignCall
from outdialer.ports.media import Prompt, PromptError
from outdialer.ports.store import StoreInUse, StoreTooNew, StoreUnavailable

REFUSING = ("SIP 401", "SIP 403", "SIP 407", "refused-address", "unresolved", "password")
"""Words of a trunk's pause that waiting will not cure."""

BOOKS_PATIENCE_S = 10.0
"""How long the store may fail before a run ends."""


class RunOptions(Struct, frozen=True, kw_only=True):
    """What ``outdialer run`` was asked for."""

    people: Path
    trunk: TrunkSettings
    source: str
    say: str = ""
    play: str = ""
    ring_s: int = 30
    tries: tuple[int, int, int, int, int] = (3, 3, 3, 3, 3)
    retry_after_s: int = 3_600
    redial_answered: bool = False
    db: Path
    sip_bind: tuple[str, int] = ("127.0.0.1", 0)
    advertise: str | None = None
    rtp_ports: tuple[int, int] | None = None
    results: Path | None = None
    targets: Path | None = None
    skip_bad: bool = False
    append: bool = False
    again: bool = False
    grace_s: float = 60
    follow: bool = False
    old_time_format: bool = False
    live: bool = False
    allowed_networks: tuple[str, ...] = ()
    confirmed_people: int | None = None
    """The number given with ``--yes``."""


def terms_of(options: RunOptions) -> Terms:
    """How the list is called, as the REST API takes it."""
    kind = "sip" if ":" in options.source else "tel"
    action = (
        {"type": "talk", "option": {"text": options.say}}
        if options.say
        else {"type": "play", "option": {"stream_urls": [options.play]}}
    )
    return Terms(
        outplan={
            "source": {"type": kind, "target": options.source},
            "dial_timeout": options.ring_s * 1_000,
            "try_interval": options.retry_after_s * 1_000,
            "redial_answered": options.redial_answered,
            **{f"max_try_count_{index}": count for index, count in enumerate(options.tries)},
        },
        actions=[action, {"type": "hangup", "option": {}}],
    )


def checked_people(options: RunOptions) -> People:
    """Read the list and refuse it, or its bad rows, before anything is stored.

    Raises:
        Stop: the list cannot be used as it is.
    """
    try:
        people = read_people(options.people)
    except ListError as error:
        raise Stop(str(error)) from None
    if people.refusals:
        print(describe_refusals(people))
        if not options.skip_bad:
            raise Stop("nothing was stored and nobody was called; mend the list, or give --skip-bad to leave rows out")
    if not people.rows:
        raise Stop("no row of the list can be called")
    return people


def check_live(options: RunOptions, people: People) -> None:
    """Refuse a trunk beyond this machine without ``--live``; with it, say what will happen and ask.

    Raises:
        Stop: ``--live`` or a local address for it is missing, or the answer was not yes.
    """
    trunk = options.trunk
    count = len(people.rows)
    if options.confirmed_people not in (None, count):
        raise Stop(f"--yes {options.confirmed_people}, but the list has {count} people")
    check_reach(trunk.host, options.sip_bind[0], live=options.live, flag="--bind")
    if not options.live:
        return
    print(
        f"This calls {count} people through sip:{trunk.host}:{trunk.port}, up to {trunk.rate_per_s:g} calls a second, "
        f"{trunk.channels} at once, each up to {max(options.tries)} times per destination."
    )
    if options.confirmed_people is not None:
        return
    if not sys.stdin.isatty():
        raise Stop(f"there is no terminal to ask: give --yes {count}")
    if not click.confirm("Call them?", default=False):
        raise Stop("nobody was called")


async def run(options: RunOptions) -> int:
    """Call the list; the exit code.

    Raises:
        Stop: with a message and the exit code.
    """
    check_places(options.results, options.targets)
    people = checked_people(options)
    check_live(options, people)
    app = await open_app(_settings(options), "--bind")
    print(f"the books are in {options.db}")
    try:
        async with app.client(await app.new_key("run")) as client:
            with explained():
                return await _run_in(app, client, options, people)
    except StoreUnavailable as error:
        raise Stop(f"the store cannot be written: {error}", STORE) from None
    finally:
        await app.stop()


def _settings(options: RunOptions) -> Settings:
    return Settings(
        db=options.db,
        http=None,
        sip_bind=options.sip_bind,
        advertise=options.advertise,
        rtp_ports=options.rtp_ports,
        trunk=options.trunk,
        old_time_format=options.old_time_format,
        live=options.live,
        allowed_networks=options.allowed_networks,
        sounds=Path("/"),  # Only the person who runs this says what is played.
    )


async def open_app(settings: Settings, sip_flag: str = "") -> App:
    """Open the program, with the store's troubles as exit codes. ``sip_flag`` chooses the local SIP address.

    Raises:
        Stop: the store cannot be opened, or a setting does not fit this machine.
    """
    try:
        return await App.open(settings)
    except (StoreInUse, StoreTooNew, StoreUnavailable) as error:
        raise Stop(str(error), STORE) from None
    except OSError as error:
        raise _cannot_start(error, sip_flag) from None
    except ValueError as error:
        raise Stop(str(error)) from None


def _cannot_start(error: OSError, flag: str) -> Stop:
    """What the system said, and the option for another address where that is what is needed."""
    hint = f"; another address: {flag}" if flag and error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL) else ""
    return Stop(f"cannot start: {error.strerror or error}{hint}")


async def _run_in(app: App, client: AsyncClient, options: RunOptions, people: People) -> int:
    await _prepare(app, options)
    found = await find_run(client, options.people.name)
    changed = None
    if found is not None and not options.again:
        changed = await _changes(app, found, options, people)
        if not changed and await _is_finished(client, found):
            print("everybody on this list is done; give --again to call them all once more")
            return await _report(app, client, found, options, DONE)
    elif found is not None and not await _is_finished(client, found):
        raise Stop("the last run of this list is not finished; without --again it goes on")
    if found is not None:
        await client.campaigns.stop(found.campaign_id)
    told = await _ended_before(app, found) if found is not None and changed is not None and options.follow else set()
    await start_engine(app)
    await _probe(app, options.trunk)
    found = await _stored_run(app, client, found, options, people, changed)
    with interrupts(app) as interrupted:
        code = await call_people(app, client, found, options, interrupted, told)
        return await _report(app, client, found, options, code)


async def _changes(app: App, found: Run, options: RunOptions, people: People) -> Difference:
    """What changed in the list since it was stored.

    Raises:
        Stop: something did, and ``--append`` was not given.
    """
    changed = await difference(app, found, people.rows)
    if changed and not options.append:
        raise Stop(f"the list has changed since it was stored: {changed}\ngive --append to add the new rows")
    return changed


async def _stored_run(
    app: App, client: AsyncClient, found: Run | None, options: RunOptions, people: People, changed: Difference | None
) -> Run:
    """The run to call: a new one, or the stored one with the rows and terms given now."""
    if found is None or changed is None:
        return await create_run(client, options.people.name, terms_of(options), people.rows)
    print(f"going on with {options.people.name}")
    if changed:
        added = await append(app, client, found, changed)
        print(f"rows added: {added}; stored rows that are no longer in the file and stay: {len(changed.gone)}")
    await change_terms(client, found, terms_of(options))
    return found


async def _is_finished(client: AsyncClient, found: Run) -> bool:
    stats = await client.campaigns.get_stats(found.campaign_id)
    return not stats.targets_idle and not stats.targets_progressing


async def start_engine(app: App, http_flag: str = "") -> None:
    """Start, with a busy address as a usage error. ``http_flag`` chooses that of the REST API.

    Raises:
        Stop: an address cannot be bound.
    """
    try:
        await app.start()
    except OSError as error:
        raise _cannot_start(error, http_flag) from None


async def _prepare(app: App, options: RunOptions) -> None:
    prompt = Prompt(text=options.say) if options.say else Prompt(source=options.play)
    try:
        await app.media.prepare(prompt)
    except PromptError as error:
        raise Stop(str(error)) from None


async def _probe(app: App, trunk: TrunkSettings) -> None:
    health = await app.probe_trunk()
    if not health.reachable:
        where = f"sip:{trunk.host}:{trunk.port}"
        raise Stop(f"the trunk {where} does not answer ({health.why}); nobody was called", TRUNK)


@contextmanager
def interrupts(app: App) -> Iterator[asyncio.Event]:
    """The first Ctrl-C or SIGTERM sets the event, a second one ends every call at once."""
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()

    def interrupt() -> None:
        if interrupted.is_set():
            print("ending every call now", flush=True)
            app.engine.cut()
        else:
            print("stopping: ringing calls are cancelled, conversations may finish; once more ends them", flush=True)
            interrupted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        yield interrupted
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def call_people(
    app: App,
    client: AsyncClient,
    found: Run,
    options: RunOptions,
    interrupted: asyncio.Event,
    told: set[bytes],
) -> int:
    """Run the campaign until it ends; the exit code. ``told``: attempts that need not be printed."""
    await client.campaigns.run(found.campaign_id)
    follower = _Follower(app, found, options, told) if options.follow else None
    books = _BooksWatch(app)

    def reason_to_end(stats: CampaignStats) -> str:
        return books.trouble() or _reason_to_end(stats)

    with Progress(client, found.campaign_id, options.people.name) as progress:
        reason = await progress.until_stopped(interrupted, reason_to_end, follower.print_new if follower else None)
    if books.trouble():
        await app.engine.drain(options.grace_s)
        raise Stop(f"stopped, because the books cannot be written: {books.trouble()}", STORE)
    if reason:
        await client.campaigns.stop(found.campaign_id)
        await app.engine.drain(options.grace_s)
    if follower is not None:
        await follower.print_new()
    if not reason:
        return DONE
    if reason == "interrupted":
        return DRAINED
    print(f"stopped: {plain(reason)}")
    return TRUNK


class _BooksWatch:
    """Notices when the store cannot write for so long that waiting is of no use; nobody is dialled meanwhile."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None

    def trouble(self) -> str:
        """Why the store cannot write, once it lasts; "" when it can."""
        failure = self._app.store.failure
        if not failure:
            self._since = None
        elif self._since is None:
            self._since = self._loop.time()
            print(f"the books cannot be written, nobody is dialled: {failure}", flush=True)
        return failure if self._since is not None and self._loop.time() - self._since >= BOOKS_PATIENCE_S else ""


def _reason_to_end(stats: CampaignStats) -> str:
    """Why going on is of no use: the trunk does not take our calls at all."""
    waiting_for = stats.waiting_for
    if not waiting_for.startswith("trunk_pause"):
        return ""
    nobody_got_through = stats.succeeded == 0 and stats.answered == 0
    return waiting_for if nobody_got_through or any(word in waiting_for for word in REFUSING) else ""


async def _ended_before(app: App, found: Run) -> set[bytes]:
    """The attempts whose ends an earlier command could print, or its results hold."""
    ended = stored_attempts(app.store, found.campaign_id)
    return {attempt.id async for attempt in ended if attempt.status == AttemptStatus.DONE}


class _Follower:
    """Prints each attempt once it is over."""

    def __init__(self, app: App, found: Run, options: RunOptions, told: set[bytes]) -> None:
        self._app = app
        self._found = found
        self._wire = Wire(DEFAULT_CUSTOMER, options.old_time_format)
        self._printed = told

    async def print_new(self) -> None:
        """Print the attempts that ended since the last time, in the order they were made."""
        async for attempt in stored_attempts(self._app.store, self._found.campaign_id):
            if attempt.status == AttemptStatus.DONE and attempt.id not in self._printed:
                self._printed.add(attempt.id)
                self._print(attempt)

    def _print(self, attempt: CampaignCall) -> None:
        record = attempt_record(attempt, self._wire)
        print(
            f"{record['tm_create']} {record['destination'].get('target')} try {record['try_count']}: "
            f"{record['result']} {record['hangup_reason']} ({plain(record['hangup_detail'])})",
            flush=True,
        )


async def _report(app: App, client: AsyncClient, found: Run, options: RunOptions, code: int) -> int:
    print_summary(await client.campaigns.get_stats(found.campaign_id))
    wire = Wire(DEFAULT_CUSTOMER, options.old_time_format)
    await write_files(app.store, found, options.results, options.targets, wire)
    if code == DRAINED:
        print(MEANINGS[DRAINED])
    return code
