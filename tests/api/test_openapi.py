"""The OpenAPI document: it is one by the specification, its examples fit, and answers are as it says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from outdialer.api.openapi import openapi_document
from outdialer.api.operations import Empty, Operation, Raw, Streamed
from tests.api.fakes import MemoryStore
from tests.api.stock import one_of
from tests.api.test_routes import OPERATIONS, RESOURCES, path_of

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi_document(RESOURCES, "0")))
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """Where a value does not fit a schema of the document."""
    whole = {**schema, "components": DOCUMENT["components"]}
    found = jsonschema_rs.Draft202012Validator(whole, validate_formats=True).iter_errors(value)
    return [f"{list(error.instance_path)}: {error.message}" for error in found]


def test_it_is_an_openapi_document() -> None:
    found = jsonschema_rs.Draft202012Validator(OPENAPI_31).iter_errors(DOCUMENT)
    assert [f"{list(error.instance_path)}: {error.message}" for error in found] == []


def _examples(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every example below a node, with the schema that stands beside it."""
    if isinstance(node, dict):
        if "schema" in node:
            if "example" in node:
                yield node["schema"], node["example"]
            yield from ((node["schema"], example["value"]) for example in node.get("examples", {}).values())
        for value in node.values():
            yield from _examples(value)
    elif isinstance(node, list):
        for value in node:
            yield from _examples(value)


@every_operation
def test_examples_are_there_and_fit(operation: Operation) -> None:
    shown = described(operation)
    assert [problem for schema, example in _examples(shown) for problem in problems(schema, example)] == []
    for parameter in shown["parameters"]:
        assert parameter["description"], parameter["name"]
        assert "example" in parameter, parameter["name"]
    for code, answer in shown["responses"].items():
        assert "X-Request-Id" in answer["headers"]
        assert ("Retry-After" in answer["headers"]) == (code in ("429", "503"))
        if operation.answer not in (Raw, Streamed) and not operation.bare_refusals:
            for media in answer.get("content", {}).values():
                assert "example" in media or media["examples"]


def test_links_name_every_id_that_their_operation_needs() -> None:
    by_name = {operation.name: operation for operation in OPERATIONS}
    linked = set()
    for operation in OPERATIONS:
        for name, link in described(operation)["responses"]["200"].get("links", {}).items():
            assert link["operationId"] == name
            assert set(link["parameters"]) == set(by_name[name].placeholders)
            linked.add(name)
    needing = {operation.name for operation in OPERATIONS if operation.placeholders and not operation.awaits}
    alone = needing - linked
    assert alone == {"docs_file", "create_target", "create_targets_in_bulk", "list_targets"} - linked


def test_what_the_server_alone_writes_is_read_only() -> None:
    campaign = DOCUMENT["components"]["schemas"]["Campaign"]["properties"]
    owned = {name for name, field in campaign.items() if field.get("readOnly")}
    assert owned == {"id", "customer_id", "tm_create", "tm_update", "tm_delete"}
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            if field.startswith("tm_") and about.get("readOnly"):
                assert "date-time" in json.dumps(about), f"{name}.{field}"


def test_closed_sets_are_in_the_schemas() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Campaign"]["properties"]["status"]["enum"] == ["stop", "run", "stopping"]
    assert schemas["Campaigncall"]["properties"]["result"]["enum"] == ["", "success", "fail"]
    assert "noanswer" in schemas["Call"]["properties"]["hangup_reason"]["enum"]
    assert schemas["Target"]["properties"]["status"]["enum"] == ["idle", "progressing", "done"]
    assert "available" in schemas["Agent"]["properties"]["status"]["enum"]


@every_operation
async def test_answers_are_as_the_document_says(
    client: httpx.AsyncClient, store: MemoryStore, operation: Operation
) -> None:
    path = path_of(operation, ids=await one_of(client, store, operation.tag))
    response = await client.request(operation.method, path, json=operation.example)
    answer = described(operation)["responses"][str(response.status_code)]
    assert response.status_code != 200 or ("etag" in response.headers) == ("ETag" in answer["headers"])
    if response.status_code == 200 and operation.answer not in (Empty, Raw, Streamed):
        (media,) = answer["content"].values()
        assert problems(media["schema"], response.json()) == []
    if response.status_code >= 400 and response.content:
        reason = response.json()["error"]["reason"]
        assert reason in answer["content"]["application/json"]["examples"]
    assert re.match(r"\w", response.headers["x-request-id"])
