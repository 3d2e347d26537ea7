"""``ETag`` and ``If-Match``: of two people who change the same thing, one learns that the other was there."""

import asyncio
from typing import Any

import httpx
import pytest

from outdialer.api.operations import Operation
from outdialer.ports.directory import ApiStore
from tests.api.conftest import World, answered, created, over_both_stores, refused
from tests.api.stock import one_of
from tests.api.test_routes import OPERATIONS, path_of

VERSIONED = [operation for operation in OPERATIONS if operation.versioned]
EDITS = [operation for operation in OPERATIONS if operation.method in ("PUT", "DELETE") and not operation.awaits]
UNVERSIONED = {
    "delete_target": "nobody edits a target",
    "delete_campaigncall": "nobody edits an attempt",
    "delete_activeflow": "nobody edits a call's script while it runs",
    "delete_customer": "it only schedules the deletion, and can be taken back",
    "stay": "it takes a deletion back",
}
"""What changes something without ``If-Match``, and why."""
every_versioned = pytest.mark.parametrize("operation", VERSIONED, ids=lambda operation: operation.name)


def test_every_edit_minds_the_version() -> None:
    assert {operation.name for operation in EDITS if not operation.versioned} <= set(UNVERSIONED)


async def _send(client: httpx.AsyncClient, operation: Operation, path: str, tag: str | None) -> httpx.Response:
    headers = {} if tag is None else {"If-Match": tag}
    return await client.request(operation.method, path, json=operation.example, headers=headers)


@over_both_stores
@every_versioned
async def test_the_version_that_was_read_may_be_changed_once(
    client: httpx.AsyncClient, store: ApiStore, operation: Operation
) -> None:
    ids = await one_of(client, store, operation.tag)
    path = path_of(operation, ids=ids)
    thing = "/".join(path.split("/")[: 4 if ids else 3])
    if operation.name == "update_outbound_config":
        answered(await client.put(path, json={}))
    read = await client.get(thing)
    tag = read.headers["etag"]
    refused(await _send(client, operation, path, '"0"'), 412, "VERSION_MISMATCH", tag)
    assert answered(await client.get(thing)) == answered(read)
    first = await _send(client, operation, path, f'"0", {tag}')
    assert first.status_code == 200, first.text
    assert first.headers["etag"] == (await client.get(thing)).headers["etag"]
    if operation.method == "DELETE" or operation.name == "update_campaign_status":
        return
    assert first.headers["etag"] != tag
    refused(await _send(client, operation, path, tag), 412, "VERSION_MISMATCH", first.headers["etag"])
    answered(await _send(client, operation, path, "*"))


@over_both_stores
async def test_of_two_operators_one_wins(client: httpx.AsyncClient) -> None:
    tag = await created(client, "/v1.0/tags", name="a")
    path = f"/v1.0/tags/{tag['id']}"
    version = {"If-Match": (await client.get(path)).headers["etag"]}
    edits = [client.put(path, json={"name": f"{n}"}, headers=version) for n in range(20)]
    deletes = [client.delete(path, headers=version) for _ in range(5)]
    answers = [answer.status_code for answer in await asyncio.gather(*edits, *deletes)]
    assert sum(code == 200 for code in answers[:20]) <= 1
    assert set(answers) <= {200, 409, 412}
    assert answers.count(200) >= 1


@over_both_stores
async def test_never_run_and_deleted(world: World, client: httpx.AsyncClient) -> None:
    outplan = await created(client, "/v1.0/outplans")
    for _ in range(10):
        outdial = await created(client, "/v1.0/outdials")
        references = {"outplan_id": outplan["id"], "outdial_id": outdial["id"]}
        path = f"/v1.0/campaigns/{(await created(client, '/v1.0/campaigns', **references))['id']}"

        async def order(status: str, path: str = path) -> Any:
            return await client.put(f"{path}/status", json={"status": status})

        asked = [order("run"), client.delete(path), order("stop"), client.delete(path), order("run")]
        answers = await asyncio.gather(*asked, client.put(path, json={"name": "b"}))
        assert {answer.status_code for answer in answers} <= {200, 409}
        left = answered(await client.get(path))
        assert left["tm_delete"] is None or left["status"] == "stop"


@over_both_stores
async def test_what_runs_is_what_was_read(client: httpx.AsyncClient, store: ApiStore) -> None:
    path = f"/v1.0/campaigns/{(await one_of(client, store, 'campaigns'))['id']}"
    version = (await client.get(path)).headers["etag"]
    answered(await client.put(path, json={"name": "changed"}))
    run = await client.put(f"{path}/status", json={"status": "run"}, headers={"If-Match": version})
    refused(run, 412, "VERSION_MISMATCH")
    refused(await client.delete(path, headers={"If-Match": version}), 412, "VERSION_MISMATCH")
    assert answered(await client.get(path))["status"] == "stop"
