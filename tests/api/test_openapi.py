"""The OpenAPI document: it is one by the specification, its examples fit, and answers are as it says."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from outdialer.api.customer import OPTIONAL_EMAIL, is_email
from outdialer.api.errors import ApiError
from outdialer.api.numbers import NUMBER_PATTERN
from outdialer.api.openapi import openapi_document
from outdialer.api.operations import Empty, Operation, Raw, Streamed
from outdialer.api.paging import read_page
from outdialer.api.wire import (
    ID_PATTERN,
    IDS_PATTERN,
    PAGE_TOKEN_PATTERN,
    PLAIN_PATTERN,
    AddressBody,
    parse_uuid,
    read_address,
    read_id,
)
from outdialer.domain.permissions import PERMISSIONS
from outdialer.flow.actions import ActionType
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
    assert _sent("AgentCreate", "permission")["enum"] == list(PERMISSIONS)
    assert _sent("AgentUpdate", "ring_method")["enum"] == ["", "ringall"]
    assert _sent("ActionBody", "type")["enum"] == list(ActionType)


def test_what_must_be_there_is_required_and_not_empty() -> None:
    for name in ("AgentCreate", "AgentPassword", "ExtensionCreate"):
        assert "password" in DOCUMENT["components"]["schemas"][name]["required"]
        assert _sent(name, "password")["minLength"] == 1
    assert "uri" in DOCUMENT["components"]["schemas"]["WebhookCreate"]["required"]


def _sent(name: str, field: str) -> dict[str, Any]:
    """What the document says of a field of a body, when it is there."""
    about: dict[str, Any] = DOCUMENT["components"]["schemas"][name]["properties"][field]
    return next((part for part in about.get("anyOf", ()) if part != {"type": "null"}), about)


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


def test_whatever_makes_an_object_leads_to_all_that_is_done_with_it() -> None:
    alone = []
    for making in OPERATIONS:
        if making.method != "POST" or making.awaits or "id" not in making.answer.__struct_fields__:
            continue
        wanted = {other.name for other in OPERATIONS if other.path == f"{making.path}/{{{_last_id(other)}}}"}
        if wanted:
            alone += sorted(wanted - set(described(making)["responses"]["200"]["links"]))
    assert alone == []


def _last_id(operation: Operation) -> str:
    return operation.placeholders[-1] if operation.placeholders else ""


ID = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
TIME = "2026-01-15T09:30:00"


def _reads(read: Callable[[str], object]) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            read(text)
        except (ApiError, ValueError):
            return False
        return True

    return reads


def _number(text: str) -> bool:
    return (
        _reads(lambda sent: read_address(AddressBody(type="tel", target=sent), "number"))(text) and text.strip() != ""
    )


PAGE_TOKENS = [
    *("", TIME, f"{TIME}Z", f"{TIME}.123456z_{ID}", f"{TIME}+23:59_{ID.replace('-', '')}", f"{TIME}.1234567890Z"),
    *(
        "2024-02-29 00:00:00",
        "2023-02-29 00:00:00",
        "2000-02-29t00:00:00",
        "1900-02-29t00:00:00",
        "2026-04-31T00:00:00",
    ),
    *("2026-12-31T23:59:59-00:00", "2026-02-28T24:00:00", "2026-02-28T23:59:60", "0000-01-01T00:00:00", f"{TIME}Z_"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", f"{TIME}+24:00", "yesterday", f"{TIME}Z_{ID[1:]}", "2026-13-01"),
]
IDS = ["", ID, ID.upper(), ID.replace("-", ""), ID[1:], f"{ID},{ID}", f" {ID} , {ID} ", f"{ID},", f"{ID};{ID}", "x"]
EMAILS = ["a@b", "a@b.example", "a b@c", "a@b@c", "a@", "@b", f"{'a' * 65}@b", "a@b\x85", "a@\u2003b", "ä@ö", "a@b\x1f"]
NUMBERS = [
    "+12025550123",
    " +1 (202) 555-01.23/",
    "12025550123",
    "+0123456789",
    "+123456",
    "+1234567",
    "tel:+12025550123",
]
NUMBERS += ["+" + "1" * 15, "+" + "1" * 16, "", "()+12025550123", "+12025550123x", "sip:a@b", "+1202555\u06602"]


@pytest.mark.parametrize(
    ("pattern", "read", "texts"),
    [
        (PAGE_TOKEN_PATTERN, _reads(lambda text: read_page(None, text)), PAGE_TOKENS),
        (ID_PATTERN, _reads(lambda text: read_id(text, "id")), IDS),
        (IDS_PATTERN, _reads(lambda text: [parse_uuid(part.strip()) for part in text.split(",") if text]), IDS),
        (OPTIONAL_EMAIL, lambda text: text == "" or is_email(text), EMAILS),
        (NUMBER_PATTERN, _number, NUMBERS),
        (
            PLAIN_PATTERN,
            lambda text: all(" " <= character != "\x7f" for character in text),
            ["", "a b", "\x7f", "a\tb"],
        ),
    ],
    ids=["page token", "id", "ids", "e-mail address", "number", "plain text"],
)
def test_the_forms_in_the_document_are_those_that_are_read(
    pattern: str, read: Callable[[str], bool], texts: list[str]
) -> None:
    schema = {"type": "string", "pattern": pattern}
    assert {text: not problems(schema, text) for text in texts} == {text: read(text) for text in texts}
