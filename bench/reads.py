"""Reads by id and lists of a hundred, against a bare Starlette app that serves the same bytes from the same file."""

import asyncio
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from bench.apart import MeasurementFailed, core, run_apart
from bench.figures import Figure, divide, load_now
from bench.lists import CUSTOMER, open_books
from bench.reads_servers import Serving, serving
from outdialer.domain.units import format_id
from outdialer.ports.store import Page

PEOPLE = 2_000
CONNECTIONS = 16
SERVERS = ("bare", "ours")


class Case(Struct, frozen=True, kw_only=True):
    """One path that is read."""

    name: str
    path: str
    goal: float


class Round(Struct, frozen=True, kw_only=True):
    """What one server did in one round."""

    rate: float
    """Answers a second."""
    per_cpu_s: float
    """Answers for each second of its CPU time: what is left of the rate when others use the machine too."""
    body: str


def reads(folder: Path, *, long: bool) -> list[Figure]:
    """Campaigncalls and targets, one and a hundred."""
    return compare(folder, PEOPLE, rounds=5 if long else 3, seconds=3.0 if long else 1.0)


def compare(folder: Path, people: int, *, rounds: int, seconds: float) -> list[Figure]:
    """Both servers at once, asked in turn."""
    path = folder / "books.db"
    run_apart("bench.lists:make_list", path=str(path), targets=people)
    run_apart("bench.whole_engine:simulate", path=str(path), attempts=people)
    cases = asyncio.run(_cases(path))
    with serving("ours", path, core(0)) as ours, serving("bare", path, core(0)) as bare:
        told = {case.name: _rounds(case, {"ours": ours, "bare": bare}, rounds, seconds) for case in cases}
    return [figure(case, **told[case.name]) for case in cases]


async def _cases(path: Path) -> list[Case]:
    store = await open_books(path)
    (outdial,) = await store.outdials(CUSTOMER, Page())
    target = (await store.targets(CUSTOMER, outdial.id, Page()))[50]
    attempt = (await store.campaigncalls(CUSTOMER, Page()))[50]
    await store.close()
    targets = f"/v1.0/outdials/{format_id(outdial.id)}/targets"
    return [
        Case(name="read a campaigncall", path=f"/v1.0/campaigncalls/{format_id(attempt.id)}", goal=0.5),
        Case(name="read a target", path=f"{targets}/{format_id(target.id)}", goal=0.5),
        Case(name="list 100 campaigncalls", path="/v1.0/campaigncalls?page_size=100", goal=0.4),
        Case(name="list 100 targets", path=f"{targets}?page_size=100", goal=0.4),
    ]


def _rounds(case: Case, servers: dict[str, Serving], rounds: int, seconds: float) -> dict[str, list[Round]]:
    told: dict[str, list[Round]] = {name: [] for name in SERVERS}
    for _ in range(rounds):
        for name in SERVERS:
            told[name].append(_round(case, name, servers[name], seconds))
        bodies = {told[name][-1].body for name in SERVERS}
        if len(bodies) > 1:
            raise MeasurementFailed(f"{case.name}: the two did not serve the same: {[body[:600] for body in bodies]}")
    return told


def _round(case: Case, name: str, server: Serving, seconds: float) -> Round:
    order: dict[str, Any] = {"port": server.port, "path": case.path, "token": server.token, "seconds": seconds}
    before = server.cpu_s()
    told = run_apart("bench.http_load:ask", on_core=core(1), connections=CONNECTIONS, **order)
    if told["refused"]:
        raise MeasurementFailed(f"{case.name}: {name} refused {told['refused']} times: {told['body'][:300]}")
    return Round(rate=told["rate"], per_cpu_s=told["answers"] / (server.cpu_s() - before), body=told["body"])


def figure(case: Case, bare: list[Round], ours: list[Round]) -> Figure:
    """Medians of the rounds, as a ratio."""
    rate, baseline = median(one.per_cpu_s for one in ours), median(one.per_cpu_s for one in bare)
    told, told_bare = median(one.rate for one in ours), median(one.rate for one in bare)
    return Figure(
        name=case.name,
        what="answers for each second of the server's CPU time",
        value=rate,
        unit="per s",
        baseline=baseline,
        against="a bare Starlette+msgspec app with the same SQL and bytes: no keys, no limits, no checks",
        ratio=divide(rate, baseline),
        at_least=case.goal,
        note=f"by the clock {told:,.0f} a second against {told_bare:,.0f}; medians of {len(ours)} rounds",
        load=load_now(),
        detail={"by_the_clock": told, "bare_by_the_clock": told_bare},
    )
