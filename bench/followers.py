"""What a thousand followers and two hundred requests a second do to the dialing: with them and without, in one run."""

import contextlib
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.apart import ROOT, MeasurementFailed, run_apart
from bench.figures import Figure, divide, load_now
from bench.lists import CUSTOMER
from bench.reads_servers import Serving
from outdialer.domain.directory import customer_id
from outdialer.domain.units import format_id

RATE = 50.0
FOLLOWERS = 1_000
REQUESTS_PER_S = 200
GOAL = 0.9
WARM_S = 3.0
_CLAIMED = re.compile(r"^outdialer_attempts_claimed_total (\S+)$", re.MULTILINE)
_DELAY = re.compile(r'^outdialer_send_delay_seconds_bucket\{le="(\S+)"\} (\S+)$', re.MULTILINE)


class Count(Struct, frozen=True, kw_only=True):
    """What the engine had counted at a moment."""

    at: float
    cpu: float
    """CPU time of the server, in s."""
    claimed: float
    delays: dict[str, float]
    """By upper bound in s: INVITEs that left at most so long after their slot."""


class Phase(Struct, frozen=True, kw_only=True):
    """The dialing between two moments."""

    rate: float
    """Attempts a second."""
    cores: float
    """How much of a core the server used."""
    p99_at_most_ms: float
    """From an attempt's slot to its INVITE: the bucket that the 99th percentile lies in."""


def followers(folder: Path, *, long: bool) -> list[Figure]:
    """A campaign at 50 calls a second, first alone, then followed and asked."""
    return compare(folder, RATE, FOLLOWERS, REQUESTS_PER_S, seconds=60.0 if long else 8.0)


def compare(folder: Path, rate: float, connections: int, requests_per_s: int, *, seconds: float) -> list[Figure]:
    """Both phases, over one engine."""
    path = folder / "books.db"
    people = int(rate * (2 * seconds + WARM_S + 60))
    run_apart("bench.lists:make_list", path=str(path), targets=people, scattered=False)
    with _serving(path, rate) as server:
        topic = f"customer_id:{format_id(customer_id(CUSTOMER))}:campaigncall"
        order: dict[str, Any] = {"port": server.port, "token": server.token, "topic": topic}
        order["paths"] = ["/v1.0/campaigns", "/v1.0/outdials", "/v1.0/campaigncalls?page_size=20", "/v1.0/me"]
        time.sleep(WARM_S)
        start = _count(server)
        time.sleep(seconds)
        alone = phase(start, _count(server))
        with _load(connections, requests_per_s, seconds, order) as load:
            start = _count(server)
            told = load()
            followed = phase(start, _count(server))
    return [dialing(alone, followed, told, rate), requests(told, requests_per_s)]


@contextlib.contextmanager
def _serving(path: Path, rate: float) -> Iterator[Serving]:
    program = f"from bench.followers_server import serve; serve({str(path)!r}, {rate})"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port, _, token = server.stdout.readline().strip().partition(" ")
        if not port:
            raise MeasurementFailed("the server did not start")
        try:
            yield Serving(int(port), token, server.pid)
        finally:
            server.terminate()


@contextlib.contextmanager
def _load(connections: int, requests_per_s: int, seconds: float, order: dict[str, Any]) -> Iterator[Any]:
    """The load in a process of its own, begun when all are connected; the value waits for its end."""
    told = {"followers": connections, "requests_per_s": requests_per_s, "seconds": seconds, **order}
    command = [sys.executable, "-m", "bench.apart", "bench.followers_load:follow_and_ask"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        load.stdin.write(msgspec.json.encode({"arguments": told, "core": None}))
        load.stdin.close()
        if load.stdout.readline() != b"begin\n":
            raise MeasurementFailed("the followers could not connect")
        output = load.stdout

        def wait() -> Any:
            line = output.readline()
            if not line:
                raise MeasurementFailed("the followers ended without a result")
            return msgspec.json.decode(line)

        yield wait


def _count(server: Serving) -> Count:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    claimed = _CLAIMED.search(text)
    assert claimed is not None
    return Count(
        at=time.perf_counter(),
        cpu=server.cpu_s(),
        claimed=float(claimed[1]),
        delays={bound: float(count) for bound, count in _DELAY.findall(text)},
    )


def phase(start: Count, end: Count) -> Phase:
    """What was dialled between two moments."""
    sent = {bound: count - start.delays.get(bound, 0.0) for bound, count in end.delays.items()}
    most = max(sent.values(), default=0.0)
    p99 = next((float(bound) for bound, count in sent.items() if count >= 0.99 * most), 0.0)
    took = end.at - start.at
    return Phase(
        rate=(end.claimed - start.claimed) / took, cores=(end.cpu - start.cpu) / took, p99_at_most_ms=p99 * 1e3
    )


def dialing(alone: Phase, followed: Phase, told: Any, rate: float) -> Figure:
    """How much of the dialing is left."""
    return Figure(
        name="dialing while followed",
        what=f"calls a second of a campaign at {rate:g}, with {told['accepted']:,} followers and requests",
        value=followed.rate,
        unit="calls/s",
        baseline=alone.rate,
        against="the same campaign before they came",
        ratio=divide(followed.rate, alone.rate),
        at_least=GOAL,
        note=f"99 of 100 INVITEs left within {followed.p99_at_most_ms:g} ms of their slot, before within "
        f"{alone.p99_at_most_ms:g} ms; {told['bytes'] / 1e6:,.0f} MB told, {told['least_bytes'] / 1e3:,.0f} kB to the "
        f"follower that got least; {told['lost']} connections lost; "
        f"the server used {followed.cores:.2f} of a core, before {alone.cores:.2f}",
        load=load_now(),
        detail={"alone": alone, "followed": followed, "told": told},
    )


def requests(told: Any, requests_per_s: int) -> Figure:
    """What the requests beside it got."""
    return Figure(
        name="requests while followed",
        what="the requests' answers, 99th percentile",
        value=told["p99_ms"],
        unit="ms",
        note=f"{told['answered']:,} of {told['asked']:,} at {requests_per_s} a second answered, {told['refused']} "
        f"refused, {told['skipped']} not sent because their connection still waited; median {told['p50_ms']:.1f} ms",
        load=load_now(),
        detail=told,
    )
