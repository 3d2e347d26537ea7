"""A client that sends back what it read, or makes no choice where there is one, is not refused; over both stores."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.inspect import LiteralType, Metadata, NoneType, UnionType

from outdialer.api.operations import Operation
from outdialer.ports.directory import ApiStore
from tests.api.conftest import answered, created, over_both_stores, refused
from tests.api.fakes import MemoryStore
from tests.api.stock import one_of
from tests.api.test_routes import OPERATIONS, WITH_ENVELOPE, path_of

pytestmark = over_both_stores
ORDERS = {("update_campaign_status", "status")}
"""What is asked for, and no choice."""
OWN_WORDS = frozenset({"ring_method", "routing_method", "webhook_method"})
"""Choices that are checked by their handlers."""


def is_choice(kind: Any) -> bool:
    """Whether a field holds one of a closed set of texts, or nothing."""
    if isinstance(kind, Metadata):
        words = (kind.extra_json_schema or {}).get("enum", [0])
        return is_choice(kind.type) or all(isinstance(word, str) for word in words)
    if isinstance(kind, UnionType):
        return any(is_choice(item) for item in kind.types if not isinstance(item, NoneType))
    return isinstance(kind, LiteralType)


def choices() -> Iterator[Any]:
    """Every choice of every body."""
    for operation in WITH_ENVELOPE:
        body: Any = msgspec.inspect.type_info(operation.body)
        for field in body.fields:
            name = field.encode_name
            if (is_choice(field.type) or name in OWN_WORDS) and (operation.name, name) not in ORDERS:
                yield pytest.param(operation, name, id=f"{operation.name}-{name}")


@pytest.mark.parametrize(("operation", "name"), [*choices()])
async def test_no_choice_is_no_fault(
    client: httpx.AsyncClient, store: ApiStore, operation: Operation, name: str
) -> None:
    if operation.tag in ("calls", "activeflows") and not isinstance(store, MemoryStore):
        return
    path = path_of(operation, ids=await one_of(client, store, operation.tag))
    for unset in ("", None):
        response = await client.request(operation.method, path, json={**operation.example, name: unset})
        assert response.status_code != 400, response.text


async def test_no_choice_keeps_the_value(client: httpx.AsyncClient) -> None:
    campaign = await created(client, "/v1.0/campaigns", type="", end_handle="")
    assert (campaign["type"], campaign["end_handle"]) == ("call", "stop")
    path = f"/v1.0/campaigns/{campaign['id']}"
    answered(await client.put(path, json={"end_handle": "continue"}))
    kept = answered(await client.put(path, json={"type": "", "end_handle": "", "name": ""}))
    assert (kept["type"], kept["end_handle"], kept["name"]) == ("call", "continue", "")
    assert (await created(client, "/v1.0/providers", type=""))["type"] == "sip"
    assert (await created(client, "/v1.0/routes", target=""))["target"] == "all"
    assert (await created(client, "/v1.0/numbers", number="+12025550177", type=""))["type"] == "normal"


async def test_another_value_is_refused_with_those_that_there_are(client: httpx.AsyncClient) -> None:
    for name, value in (("type", "sms"), ("end_handle", " ")):
        response = await client.post("/v1.0/campaigns", json={name: value})
        message = refused(response, 400, "INVALID_ARGUMENT", name, value)
        assert "one of , " not in message


READ = {operation.path for operation in OPERATIONS if operation.method == "GET" and "{id}" in operation.path}
CHANGES = [operation for operation in OPERATIONS if operation.method == "PUT" and operation.path in READ]
MOVES = {"tm_update", "version"}


@pytest.mark.parametrize("operation", CHANGES, ids=lambda operation: operation.name)
async def test_what_was_read_can_be_sent_back(client: httpx.AsyncClient, store: ApiStore, operation: Operation) -> None:
    path = path_of(operation, ids=await one_of(client, store, operation.tag))
    read = answered(await client.get(path))
    again = answered(await client.put(path, content=json.dumps(read)))
    assert {name: value for name, value in again.items() if name not in MOVES} == {
        name: value for name, value in read.items() if name not in MOVES
    }
    empty = {name: "" for name, value in read.items() if isinstance(value, str) and not name.startswith("tm_")}
    if "uri" not in empty:
        answered(await client.put(path, json=empty))
