"""The two servers of the reads: the whole program, and a bare Starlette app over the same file.

The bare app is what somebody would write who has nothing but these four reads to serve: the same SQL on one read-only
connection, the row straight into the same msgspec struct, encoded. It knows no keys, customers, limits, request ids,
metrics, versions or errors, and its rows never leave the event loop's thread.
"""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


def _campaigncall(row: sqlite3.Row) -> CampaigncallView:
    return CampaigncallView(
        id=format_id(row["id"]),
        customer_id=OWNER,
        campaign_id=format_id(row["campaign_id"]),
        outplan_id=format_id(row["outplan_id"]),
        outdial_id=format_id(row["outdial_id"]),
        outdial_target_id=format_id(row["target_id"]),
        queue_id=format_id(row["queue_id"]),
        activeflow_id=format_id(row["activeflow_id"]),
        flow_id=NIL,
        reference_type="call",
        reference_id=format_id(row["call_id"]),
        status=row["status"],
        result=row["result"],
        source=_tel(_terms(row["terms"]).source.target),
        destination=_tel(row["destination"]),
        destination_index=row["destination_index"],
        try_count=row["try_count"],
        hangup_reason=row["hangup_reason"],
        hangup_detail=row["hangup_detail"],
        sip_code=row["sip_code"],
        q850_cause=row["q850_cause"],
        answered=bool(row["answered"]),
        charged=bool(row["charged"]),
        tm_create=_time(row["tm_create"]),
        tm_update=_time(row["tm_update"]),
        tm_ringing=_time(row["tm_ringing"]),
        tm_progressing=_time(row["tm_progressing"]),
        tm_hangup=_time(row["tm_hangup"]),
        tm_delete=_time(row["tm_delete"]),
    )


def _target(row: sqlite3.Row) -> TargetView:
    return TargetView(
        id=format_id(row["id"]),
        outdial_id=format_id(row["outdial_id"]),
        name=row["name"],
        detail=row["detail"],
        data=row["data"],
        status=row["status"],
        done_reason=row["done_reason"],
        due_reason=row["due_reason"] if row["due"] is not None else "",
        destination_0=_tel(row["destination_0"]),
        destination_1=_tel(row["destination_1"]),
        destination_2=_tel(row["destination_2"]),
        destination_3=_tel(row["destination_3"]),
        destination_4=_tel(row["destination_4"]),
        try_count_0=row["tries_0"],
        try_count_1=row["tries_1"],
        try_count_2=row["tries_2"],
        try_count_3=row["tries_3"],
        try_count_4=row["tries_4"],
        tm_due=_time(row["due"]),
        tm_create=_time(row["tm_create"]),
        tm_update=_time(row["tm_create"] if row["tm_update"] is None else row["tm_update"]),
        tm_delete=_time(row["tm_delete"]),
    )


def _token(rows: list[sqlite3.Row]) -> str:
    return f"{rfc3339(rows[-1]['tm_create'])}_{format_id(rows[-1]['id'])}"


def bare_app(database: sqlite3.Connection) -> Starlette:
    """Four routes and nothing else."""

    def json(answer: msgspec.Struct) -> Response:
        return Response(msgspec.json.encode(answer), media_type="application/json; charset=utf-8")

    async def campaigncall(request: Request) -> Response:
        asked = {"customer": CUSTOMER, "id": parse_id(request.path_params["id"])}
        return json(_campaigncall(database.execute(CALLS["one_attempt"], asked).fetchone()))

    async def campaigncalls(request: Request) -> Response:
        size = int(request.query_params["page_size"])
        rows = database.execute(CALLS["page_of_attempts"], {**FIRST_PAGE, "size": size}).fetchall()
        return json(CampaigncallList([_campaigncall(row) for row in rows], _token(rows)))

    async def target(request: Request) -> Response:
        asked: dict[str, Any] = {"customer": CUSTOMER, "id": parse_id(request.path_params["id"])}
        asked["outdial_id"] = parse_id(request.path_params["outdial_id"])
        return json(_target(database.execute(OUTDIALS["one_target"], asked).fetchone()))

    async def targets(request: Request) -> Response:
        outdial_id, size = parse_id(request.path_params["outdial_id"]), int(request.query_params["page_size"])
        asked = {**FIRST_PAGE, "size": size, "outdial_id": outdial_id}
        rows = database.execute(OUTDIALS["page_of_targets"], asked).fetchall()
        return json(TargetList([_target(row) for row in rows], _token(rows)))

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


@contextmanager
def serving(which: str, path: Path, core: int | None) -> Iterator[tuple[int, str]]:
    """A server (``bare`` or ``ours``) in a process of its own, on one core: its port and an access key for it."""
    command = [sys.executable, "-m", "bench.reads_servers", which, str(path), str(-1 if core is None else core)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port, _, token = server.stdout.readline().strip().partition(" ")
        if not port:
            raise MeasurementFailed(f"the {which} server did not start")
        try:
            yield int(port), token
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
