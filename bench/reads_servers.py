"""The two servers of the reads: the whole program, and a bare Starlette app over the same file.

The bare app is what somebody would write who has nothing but these four reads to serve: the same SQL on one read-only
connection, rows as plain tuples straight into the same msgspec structs, encoded. It knows no keys, customers, limits,
request ids, metrics, versions or errors, and its rows never leave the event loop's thread.
"""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.apart import ROOT, MeasurementFailed
from bench.lists import CUSTOMER
from outdialer.api.campaigncalls import CampaigncallList, CampaigncallView
from outdialer.api.targets import TargetList, TargetView
from outdialer.api.wire import AddressView, rfc3339
from outdialer.app import App
from outdialer.config import Settings
from outdialer.domain.directory import customer_id
from outdialer.domain.units import format_id, parse_id
from outdialer.store.sqlite.connect import connect_to_read
from outdialer.store.sqlite.statements import statements

CALLS, OUTDIALS = statements("calls"), statements("outdials")
OWNER = format_id(customer_id(CUSTOMER))
NIL = format_id(bytes(16))
FIRST_PAGE = {"customer": CUSTOMER, "before": (1 << 63) - 1, "before_id": b""}
UNSET = AddressView()


def _time(instant: int | None) -> str | None:
    return None if instant is None else rfc3339(instant)


def _tel(number: str) -> AddressView:
    return AddressView("tel", number, "", "", "") if number else UNSET


class _Source(msgspec.Struct):
    target: str = ""


class _Terms(msgspec.Struct):
    source: _Source


_terms = msgspec.json.Decoder(_Terms).decode


def _campaigncall(row: Any) -> CampaigncallView:
    (key, campaign, outplan, outdial, target, queue, activeflow, call, status, result, terms, *rest) = row
    (number, index, tries, reason, detail, sip_code, q850, answered, charged, *times) = rest
    created, updated, ringing, progressing, hangup, deleted = map(_time, times)
    return CampaigncallView(
        id=format_id(key),
        customer_id=OWNER,
        campaign_id=format_id(campaign),
        outplan_id=format_id(outplan),
        outdial_id=format_id(outdial),
        outdial_target_id=format_id(target),
        queue_id=format_id(queue),
        activeflow_id=format_id(activeflow),
        flow_id=NIL,
        reference_type="call",
        reference_id=format_id(call),
        status=status,
        result=result,
        source=_tel(_terms(terms).source.target),
        destination=_tel(number),
        destination_index=index,
        try_count=tries,
        hangup_reason=reason,
        hangup_detail=detail,
        sip_code=sip_code,
        q850_cause=q850,
        answered=bool(answered),
        charged=bool(charged),
        tm_create=created,
        tm_update=updated,
        tm_ringing=ringing,
        tm_progressing=progressing,
        tm_hangup=hangup,
        tm_delete=deleted,
    )


ATTEMPT = (
    *("id", "campaign_id", "outplan_id", "outdial_id", "target_id", "queue_id", "activeflow_id", "call_id"),
    *("status", "result", "terms", "destination", "destination_index", "try_count", "hangup_reason", "hangup_detail"),
    *("sip_code", "q850_cause", "answered", "charged"),
    *("tm_create", "tm_update", "tm_ringing", "tm_progressing", "tm_hangup", "tm_delete"),
)


def _target(row: Any) -> TargetView:
    (key, outdial, name, detail, data, status, done_reason, due_reason, due, *rest) = row
    (to_0, to_1, to_2, to_3, to_4, tries_0, tries_1, tries_2, tries_3, tries_4, created, updated, deleted) = rest
    return TargetView(
        id=format_id(key),
        outdial_id=format_id(outdial),
        name=name,
        detail=detail,
        data=data,
        status=status,
        done_reason=done_reason,
        due_reason=due_reason if due is not None else "",
        destination_0=_tel(to_0),
        destination_1=_tel(to_1),
        destination_2=_tel(to_2),
        destination_3=_tel(to_3),
        destination_4=_tel(to_4),
        try_count_0=tries_0,
        try_count_1=tries_1,
        try_count_2=tries_2,
        try_count_3=tries_3,
        try_count_4=tries_4,
        tm_due=_time(due),
        tm_create=_time(created),
        tm_update=_time(created if updated is None else updated),
        tm_delete=_time(deleted),
    )


TARGET = (
    *("id", "outdial_id", "name", "detail", "data", "status", "done_reason", "due_reason", "due"),
    *("destination_0", "destination_1", "destination_2", "destination_3", "destination_4"),
    *("tries_0", "tries_1", "tries_2", "tries_3", "tries_4", "tm_create", "tm_update", "tm_delete"),
)


class _Query:
    """A statement whose rows come as plain tuples of some of its columns, which is the fastest way to read them."""

    def __init__(self, database: sqlite3.Connection, sql: str, columns: Sequence[str], asked: dict[str, Any]) -> None:
        self._database = database
        self._sql = sql
        names = [column[0] for column in database.execute(sql, asked).description]
        self._pick = itemgetter(*map(names.index, columns))

    def rows(self, asked: dict[str, Any]) -> list[Any]:
        """The rows that are asked for."""
        return list(map(self._pick, self._database.execute(self._sql, asked)))


def bare_app(database: sqlite3.Connection) -> Starlette:
    """Four routes and nothing else."""
    database.row_factory = None
    anything = {**FIRST_PAGE, "size": 1, "id": b"", "outdial_id": b""}
    one_attempt = _Query(database, CALLS["one_attempt"], ATTEMPT, anything)
    some_attempts = _Query(database, CALLS["page_of_attempts"], ATTEMPT, anything)
    one_target = _Query(database, OUTDIALS["one_target"], TARGET, anything)
    some_targets = _Query(database, OUTDIALS["page_of_targets"], TARGET, anything)

    def json(answer: msgspec.Struct) -> Response:
        return Response(msgspec.json.encode(answer), media_type="application/json; charset=utf-8")

    def token(last: CampaigncallView | TargetView) -> str:
        return f"{last.tm_create}_{last.id}"

    async def campaigncall(request: Request) -> Response:
        asked = {"customer": CUSTOMER, "id": parse_id(request.path_params["id"])}
        return json(_campaigncall(one_attempt.rows(asked)[0]))

    async def campaigncalls(request: Request) -> Response:
        rows = some_attempts.rows({**FIRST_PAGE, "size": int(request.query_params["page_size"])})
        views = [_campaigncall(row) for row in rows]
        return json(CampaigncallList(views, token(views[-1])))

    async def target(request: Request) -> Response:
        asked: dict[str, Any] = {"customer": CUSTOMER, "id": parse_id(request.path_params["id"])}
        asked["outdial_id"] = parse_id(request.path_params["outdial_id"])
        return json(_target(one_target.rows(asked)[0]))

    async def targets(request: Request) -> Response:
        outdial_id, size = parse_id(request.path_params["outdial_id"]), int(request.query_params["page_size"])
        rows = some_targets.rows({**FIRST_PAGE, "size": size, "outdial_id": outdial_id})
        views = [_target(row) for row in rows]
        return json(TargetList(views, token(views[-1])))

    return Starlette(
        routes=[
            Route("/v1.0/campaigncalls", campaigncalls),
            Route("/v1.0/campaigncalls/{id}", campaigncall),
            Route("/v1.0/outdials/{outdial_id}/targets", targets),
            Route("/v1.0/outdials/{outdial_id}/targets/{id}", target),
        ]
    )


async def _bare(path: Path) -> None:
    config = uvicorn.Config(
        bare_app(connect_to_read(path)), log_config=None, access_log=False, lifespan="off", ws="none", http="httptools"
    )
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


async def _ours(path: Path) -> None:
    wide = (1e6, 1_000_000)
    app = await App.open(
        Settings(
            db=path,
            http=("127.0.0.1", 0),
            simulated_trunk_seed=1,
            address_rate=wide,
            customer_rate=wide,
            key_rate=wide,
        )
    )
    token = await app.new_key("bench")
    await app.start()
    assert app.http_address is not None
    print(app.http_address[1], token, flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await app.stop()


class Serving(msgspec.Struct):
    """A server that runs."""

    port: int
    token: str
    pid: int

    def cpu_s(self) -> float:
        """The CPU time of all its threads so far."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


@contextmanager
def serving(which: str, path: Path, core: int | None) -> Iterator[Serving]:
    """A server (``bare`` or ``ours``) in a process of its own, on one core."""
    command = [sys.executable, "-m", "bench.reads_servers", which, str(path), str(-1 if core is None else core)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port, _, token = server.stdout.readline().strip().partition(" ")
        if not port:
            raise MeasurementFailed(f"the {which} server did not start")
        try:
            yield Serving(int(port), token, server.pid)
        finally:
            server.terminate()


def main() -> None:
    """Serve until SIGTERM."""
    which, path, core = sys.argv[1:]
    if int(core) >= 0:
        os.sched_setaffinity(0, {int(core)})
    uvloop.run(_ours(Path(path)) if which == "ours" else _bare(Path(path)))


if __name__ == "__main__":
    main()
