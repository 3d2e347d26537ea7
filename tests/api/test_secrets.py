"""Credentials stand in no log, whoever writes it, and in no repr."""

import asyncio
import io
import json
import logging
import socket
from collections.abc import Iterator

import httpx
import pytest
import uvicorn

from outdialer.api.auth import Principal, new_access_key
from outdialer.domain.directory import Agent, Extension, InboundTrunk, Login
from outdialer.domain.units import NIL_ID
from outdialer.telemetry import log, log_to_stderr, redacted
from tests.api.conftest import World, answered, application, created

LOGIN = {"username": "ada@clinic.example", "password": "correct horse"}


@pytest.fixture
def talkative() -> Iterator[io.StringIO]:
    """Everything that any logger of the process writes at its most talkative."""
    root, own = logging.getLogger(), logging.getLogger("outdialer")
    before = (root.level, own.level, own.propagate, own.handlers[:], logging.getLogRecordFactory())
    log_to_stderr("DEBUG")
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    (ours,) = own.handlers
    assert isinstance(ours, logging.StreamHandler)
    ours.setStream(text)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(before[0])
    own.setLevel(before[1])
    own.propagate, own.handlers[:] = before[2], before[3]
    logging.setLogRecordFactory(before[4])


async def test_no_library_writes_a_credential_down(
    world: World, client: httpx.AsyncClient, talkative: io.StringIO
) -> None:
    await created(client, "/v1.0/agents", **LOGIN, permission=64)
    key = await world.key()
    app = application(live=False, old_time_format=False)
    config = uvicorn.Config(app, log_config=None, access_log=True, log_level=5, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    port = listener.getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as asking:
        token = answered(await asking.post("/auth/login", json=LOGIN))["token"]
        for secret in (key, token):
            for slot in ("token", "accesskey"):
                answered(await asking.get(f"/v1.0/tags?{slot}={secret}"))
                answered(await asking.get("/v1.0/tags", headers={"Cookie": f"{slot}={secret}"}))
            answered(await asking.get("/v1.0/tags", headers={"Authorization": f"Bearer {secret}"}))
            await asking.get(f"/nowhere/{secret}")
    server.should_exit = True
    await serving
    written = talkative.getvalue()
    assert "/v1.0/tags?accesskey=***" in written, "the libraries did write down URLs"
    for secret in (key, token, LOGIN["password"]):
        assert secret not in written
        assert secret[-20:] not in written


def test_our_own_records_hold_none_either(talkative: io.StringIO) -> None:
    key = "vb_" + "Ab1-" * 8
    log("request_failed", logging.ERROR, ValueError(f"at accesskey={key}"), method=key)
    line = talkative.getvalue().splitlines()[0]
    assert key not in line
    assert json.loads(line)["method"] == "***"


def test_what_is_no_credential_stays() -> None:
    text = "GET /v1.0/campaigns?page_token=2026-01-15T09:30:00.123456Z&page_size=5 vb_ token"
    assert redacted(text) == text


def test_no_repr_holds_a_secret() -> None:
    token, key = new_access_key(lambda count: bytes(range(count)), id=NIL_ID, customer=1, now=0)
    agent = Agent(id=NIL_ID, username="ada@clinic.example")
    holders = [
        key,
        Principal(1, 32, key=key, agent=agent, proof=key.token_hash),
        Login(customer=1, agent=agent, password_hash="$argon2id$secret"),
        Extension(id=NIL_ID, extension="2001", password="secret"),
        InboundTrunk(id=NIL_ID, password="secret"),
    ]
    shown = repr(holders)
    assert token not in shown
    assert str(key.token_hash)[2:-1] not in shown
    assert "secret" not in shown
