"""``outdialer demo``: a whole campaign on this machine, through the public REST API and over real SIP and RTP."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from outdialer.api.wire import Wire
from outdialer.app import DEFAULT_CUSTOMER, App
from outdialer.cli.books import write_files
from outdialer.cli.connection import explained
from outdialer.cli.exits import DONE, DRAINED, LEDGERS_DIFFER, Stop
from outdialer.cli.ledger import compare, initial_invites
from outdialer.cli.listing import Run, Terms, create_run, stored_attempts
from outdialer.cli.people import Person, describe_refusals, read_people
from outdialer.cli.progress import Progress, print_summary
from outdialer.cli.run import interrupts, open_app, start_engine
from outdialer.client import AsyncClient
from outdialer.config import Settings, TrunkSettings
from outdialer.domain.identity import leg_identity
from outdialer.domain.model import CampaignCall
from outdialer.media.prompts import demonstration

CALLS_PER_SECOND = 40.0
CHANNELS = 100
CALLER_ID = "+12025550100"
READY = "phones ready sip:"
PHONES_START_S = 15.0
DRAIN_S = 5.0

OUTPLAN = {
    "source": {"type": "tel", "target": CALLER_ID},
    "dial_timeout": 4_000,
    "try_interval": 3_000,
    "max_try_count_0": 2,
    "max_try_count_1": 1,
    "max_try_count_2": 1,
    "max_try_count_3": 0,
    "max_try_count_4": 0,
}
"""Ring for 4 s; 3 s between tries; two tries of the first number, one of each further one."""


Booked: TypeAlias = tuple[str, CampaignCall]


class DemoOptions(Struct, frozen=True, kw_only=True):
    """What ``outdialer demo`` was asked for."""

    people: Path | None
    folder: Path
    seed: int


async def demo(options: DemoOptions) -> int:
    """Run the demo; the exit code.

    Raises:
        Stop: with a message and the exit code.
    """
    try:
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(f"the folder {options.folder} cannot be made: {error.strerror}") from None
    with tempfile.TemporaryDirectory(prefix="outdialer-demo-") as folder:
        log = Path(folder) / "phones.jsonl"
        async with _phones(log, options.seed) as port:
            attempts, code = await _call_everybody(Path(folder), port, options)
        if code != DONE:
            return code
        differences = compare(attempts, initial_invites(log))
    print(f"ledgers: {differences}")
    clean = differences.equal and not differences.not_sent and not differences.unknown
    return DONE if clean else LEDGERS_DIFFER


async def _call_everybody(folder: Path, port: int, options: DemoOptions) -> tuple[list[Booked], int]:
    """Run the campaign in an engine of its own; its attempts with their Call-IDs, and the exit code."""
    settings = Settings(
        db=folder / "demo.db",
        http=("127.0.0.1", 0),
        trunk=TrunkSettings(host="127.0.0.1", port=port, rate_per_s=CALLS_PER_SECOND, channels=CHANNELS),
        sounds=demonstration().parent,
    )
    app = await open_app(settings)
    try:
        await start_engine(app)
        with interrupts(app) as interrupted:
            found, reason = await _run_campaign(app, port, _people(options), interrupted)
        await _save(app, found, options.folder)
        secret = await app.store.install_secret()
        attempts = [
            (leg_identity(secret, attempt.id, 1).call_id, attempt)
            async for attempt in stored_attempts(app.store, found.campaign_id)
        ]
    finally:
        await app.stop()
    return attempts, DRAINED if reason else DONE


async def _run_campaign(app: App, port: int, people: tuple[Person, ...], interrupted: asyncio.Event) -> tuple[Run, str]:
    """Import the list, create everything over HTTP and follow the campaign to its end, or to an interruption."""
    assert app.http_address is not None
    url = f"http://127.0.0.1:{app.http_address[1]}"
    print(f"phone network at sip:127.0.0.1:{port}, REST API at {url}/v1.0, its reference at {url}/docs")
    token = await app.new_key("demo")
    async with AsyncClient(url, token) as client:
        with explained():
            found = await create_run(client, "demo", _terms(demonstration()), people)
            print(f"{len(people)} people imported; calling them, {CALLS_PER_SECOND:g} calls a second", flush=True)
            await client.campaigns.run(found.campaign_id)
            with Progress(client, found.campaign_id, "outdialer demo") as progress:
                reason = await progress.until_stopped(interrupted, lambda _: "")
            if reason:
                await app.engine.drain(DRAIN_S)
            print_summary(await client.campaigns.get_stats(found.campaign_id))
    return found, reason


def _terms(sound: Path) -> Terms:
    play = {"type": "play", "option": {"stream_urls": [str(sound)]}}
    return Terms(outplan=OUTPLAN, actions=[play, {"type": "hangup", "option": {}}])


def _people(options: DemoOptions) -> tuple[Person, ...]:
    if options.people is not None:
        people = read_people(options.people)
    else:
        with as_file(files("outdialer.cli") / "data" / "people.csv") as shipped:
            people = read_people(shipped)
    if people.refusals:
        raise Stop(describe_refusals(people))
    return people.rows


async def _save(app: App, found: Run, folder: Path) -> None:
    wire = Wire(DEFAULT_CUSTOMER)
    await write_files(app.store, found, folder / "attempts.csv", folder / "people.csv", wire)
    await write_files(app.store, found, folder / "attempts.jsonl", folder / "people.jsonl", wire)


@asynccontextmanager
async def _phones(log: Path, seed: int) -> AsyncIterator[int]:
    """A phone network in a process of its own, on a free port; it ends with us, whatever happens to us."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "outdialer.cli.main", "phones", "--port", "0", "--mix", "town"),
        *("--seed", str(seed), "--log", str(log), "--exit-with-parent"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PHONES_START_S):
            line = (await process.stdout.readline()).decode()
        if not line.startswith(READY):
            raise Stop("the phone network did not start")
        yield int(line.rsplit(":", 1)[1])
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
