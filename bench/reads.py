"""Reads by id and lists of a hundred, against a bare Starlette app that serves the same bytes from the same file."""

import asyncio
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from bench.apart import MeasurementFailed, core, run_apart
from bench.figures import Figure, divide, load_now
from bench.lists import CUSTOMER, open_books
from bench.reads_servers import serving
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


def _rounds(case: Case, servers: dict[str, tuple[int, str]], rounds: int, seconds: float) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    for _ in range(rounds):
        bodies = set()
        for name in SERVERS:
            port, token = servers[name]
            order: dict[str, Any] = {"connections": CONNECTIONS, "warm_s": seconds / 4, "seconds": seconds}
            told = run_apart("bench.http_load:ask", on_core=core(1), port=port, path=case.path, token=token, **order)
            if told["refused"]:
                raise MeasurementFailed(f"{case.name}: {name} refused {told['refused']} times: {told['body'][:300]}")
            rates[name].append(told["rate"])
            bodies.add(told["body"])
        if len(bodies) > 1:
            raise MeasurementFailed(f"{case.name}: the two did not serve the same bytes: {[b[:600] for b in bodies]}")
    return rates


def figure(case: Case, bare: list[float], ours: list[float]) -> Figure:
    """Medians of the rounds, as a ratio."""
    rate, baseline = median(ours), median(bare)
    return Figure(
        name=case.name,
        what="answers a second on one core over kept connections",
        value=rate,
        unit="req/s",
        baseline=baseline,
        against="a bare Starlette+msgspec app with the same SQL on the same file, no keys, no checks",
        ratio=divide(rate, baseline),
        at_least=case.goal,
        note=f"{1e6 / rate:.0f} us an answer against {1e6 / baseline:.0f} us; medians of {len(ours)} rounds",
        load=load_now(),
        detail={"ours": ours, "bare": bare},
    )
