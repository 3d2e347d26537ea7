"""Holds a served REST API against its own OpenAPI document with Schemathesis.

    .venv/bin/python tools/conformance.py --phases fuzzing,stateful --max-examples 50

Starts the program on loopback over a new file with the simulated carrier, runs a small campaign so that there are
calls to look at, and lets Schemathesis send what the document allows and what it does not, follow the links, and judge
every answer with all of its checks. Each phase is a run of its own with a verdict of its own. Tests run the short form.
Exits with 0 when no phase found anything.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from outdialer.app import DEFAULT_CUSTOMER, App
from outdialer.client import AsyncClient
from outdialer.config import Settings, TrunkSettings
from outdialer.domain.units import format_id

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""Where the books are: the disk is not what is looked at here."""
NO_LIMIT = (0.0, 0)
CONFIG = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
OWN_KEY = "OUTDIALER_CONFORMANCE_KEY"
MADE = "OUTDIALER_CONFORMANCE_MADE"
"""Where the hooks find the id of the access key that the requests are sent with, and those of what is there."""
STATEFUL = "stateful"
PHASES = ("examples", "coverage", "fuzzing", STATEFUL)
STATEFUL_SCENARIOS = 100
"""At most, from one seed. Seeds follow until the time is up: most end early, because objects that an earlier scenario
made have names that a later one wants, and Hypothesis takes a scenario that does not repeat itself for the end."""
OK = 200
SAY = {"type": "talk", "option": {"text": "Good morning", "language": "en-GB"}}
PEOPLE = 5
CAMPAIGN_S = 60
"""Longest wait for the first attempt to be done."""
Link = tuple[str, str]
"""The operation that a link is shown by, as ``POST /v1.0/tags``, and the name of the one that it leads to."""


def command(server: str, token: str, phase: str, part: str, events: Path, options: argparse.Namespace) -> list[str]:
    """The Schemathesis command line for a phase over a served API; what happens is written to ``events``."""
    if phase == STATEFUL:
        seconds, amount = str(options.stateful_seconds), STATEFUL_SCENARIOS
        own = ["--max-time", seconds, "--include-path-regex", f"^/v1[.]0/{part}(/|$)"]
    else:
        own, amount = [], options.max_examples
    return [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", f"{server}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--phases", phase, "--seed", str(options.seed)),
        # An object that is deleted stays readable and says so: the hooks check that instead.
        *("--checks", "all", "--exclude-checks", "use_after_free", "--continue-on-failure"),
        *("--max-examples", str(amount), "--workers", "1", "--generation-database", "none"),
        *("--suppress-health-check", "all", "--no-color", "--report", "ndjson", "--report-ndjson-path", str(events)),
        *own,
        *options.rest,
    ]


async def make_a_campaign(client: AsyncClient) -> dict[str, str]:
    """A campaign that could run over a few fictional people.

    Returns the ids of what was made for it, by the path of its creation.
    """
    outplan = await client.outplans.create(source={"target": "+12025550100"}, dial_timeout=25_000)
    outdial = await client.outdials.create(name="conformance")
    people = [{"destination_0": {"target": f"+1202555010{digit}"}} for digit in range(1, 1 + PEOPLE)]
    await client.targets.add(outdial.id, people)
    campaign = await client.campaigns.create(outplan_id=outplan.id, outdial_id=outdial.id, actions=[SAY])
    provider = await client.providers.create(name="conformance", hostname="127.0.0.1")
    made = {"campaigns": campaign.id, "outdials": outdial.id, "outplans": outplan.id, "providers": provider.id}
    return {f"/v1.0/{collection}": id for collection, id in made.items()}


async def run_a_campaign(client: AsyncClient) -> None:
    """Call people until the first attempt is done, so that lists of calls have rows."""
    campaign = (await make_a_campaign(client))["/v1.0/campaigns"]
    await client.campaigns.run(campaign)
    async with asyncio.timeout(CAMPAIGN_S):
        while not [call async for call in client.campaigncalls.list(status="done")]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await client.campaigns.stop(campaign)


async def go(options: argparse.Namespace) -> int:
    """Serve, judge, and return the largest of Schemathesis's exit codes."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        settings = Settings(
            db=Path(folder, "books.db"),
            http=("127.0.0.1", 0),
            trunk=TrunkSettings(host="127.0.0.1", rate_per_s=100, channels=100),
            simulated_trunk_seed=options.seed,
            address_rate=NO_LIMIT,
            login_rate=NO_LIMIT,
            customer_rate=NO_LIMIT,
            key_rate=NO_LIMIT,
        )
        app = await App.open(settings)
        try:
            token = await app.new_key("conformance")
            (own_key,) = await app.store.access_keys(DEFAULT_CUSTOMER)
            await app.start()
            assert app.http_address is not None
            server = "http://{}:{}".format(*app.http_address)
            environment = {**os.environ, OWN_KEY: format_id(own_key.id), "SCHEMATHESIS_HOOKS": str(HOOKS)}
            async with AsyncClient(server, token) as client:
                await run_a_campaign(client)
            return await judge(options, server, token, environment, Path(options.events or folder))
        finally:
            await app.stop()


async def judge(options: argparse.Namespace, server: str, token: str, environment: dict[str, str], folder: Path) -> int:
    """Run every phase, and the one that follows links once for each collection, so that each gets its turn."""
    document = await document_of(server)
    known = sorted({source.split("/")[2] for source, _ in links_of(document)})
    collections = options.collections.split(",") if options.collections else known
    verdicts: list[tuple[str, int, float]] = []
    for phase in options.phases.split(","):
        started = time.monotonic()
        codes = []
        for part in collections if phase == STATEFUL else ("all",):
            events = folder / f"{phase}-{part}.ndjson"
            arguments = command(server, token, phase, part, events, options)
            # Anew each time: what was there before has been deleted since.
            async with AsyncClient(server, token) as client:
                told = {**environment, MADE: json.dumps(await make_a_campaign(client))}
            process = await asyncio.create_subprocess_exec(*arguments, cwd=folder, env=told)
            codes.append(await process.wait())
        verdicts.append((phase, max(codes), time.monotonic() - started))
    if STATEFUL in options.phases:
        tell_links(document, [folder / f"{STATEFUL}-{part}.ndjson" for part in collections])
    for phase, code, seconds in verdicts:
        print(f"{phase}: {'clean' if code == 0 else f'not clean (exit code {code})'}, {seconds:.0f} s")
    return max(code for _, code, _ in verdicts)


async def document_of(server: str) -> dict[str, Any]:
    """The document that a server shows of itself."""
    async with httpx.AsyncClient(base_url=server) as http:
        document: dict[str, Any] = (await http.get("/openapi.json")).json()
        return document


def tell_links(document: dict[str, Any], events: Sequence[Path]) -> None:
    """Say which of the document's links were followed, and how many of them to an answer of 200."""
    shown = set(links_of(document))
    followed = [step for file in events for step in followed_in(file)]
    seen = {link for link, _ in followed}
    well = {link for link, status in followed if status == OK}
    print(f"links: {len(seen & shown)} of {len(shown)} were followed, {len(well & shown)} of them to an answer of 200")
    for source, target in sorted(shown - seen):
        print(f"  not followed: {source} -> {target}")


def links_of(document: dict[str, Any]) -> Iterator[Link]:
    """The links of an OpenAPI document."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from ((f"{method.upper()} {path}", name) for name in operation["responses"]["200"].get("links", ()))


def followed_in(events: Path) -> Iterator[tuple[Link, int]]:
    """The links that Schemathesis took an id from, and what it was answered there."""
    for line in events.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        for name, case in scenario["recorder"].get("cases", {}).items() if scenario else ():
            response = scenario["recorder"]["interactions"].get(name, {}).get("response")
            if case.get("is_transition_applied") and response:
                source, way, _ = case["transition"]["id"].split(" -> ")
                yield (source, way.rpartition(" ")[2]), response["status_code"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the options and run; what is not known here goes to Schemathesis as it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--max-examples", type=int, default=50, help="requests an operation and phase; default 50")
    parser.add_argument("--seed", type=int, default=1, help="of the requests; default 1")
    parser.add_argument("--phases", default=",".join(PHASES), help=f"default {','.join(PHASES)}")
    parser.add_argument("--stateful-seconds", type=int, default=10, help="for each collection; default 10 s")
    parser.add_argument("--collections", help="whose links are followed, as tags,outdials; default: all of them")
    parser.add_argument("--events", help="a folder to leave what happened in; default: it is thrown away")
    options, rest = parser.parse_known_args(arguments)
    options.rest = rest
    return asyncio.run(go(options))


if __name__ == "__main__":
    sys.exit(main())
