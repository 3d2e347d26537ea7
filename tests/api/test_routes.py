"""What holds for every operation; the operations come from the application itself, so that none is forgotten."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdialer.api.app import all_resources
from outdialer.api.errors import REASONS, http_status
from outdialer.api.metrics import RequestMetrics
from outdialer.api.openapi import SECURITY_SCHEMES, as_openapi_3_0, openapi_document, reasons_of
from outdialer.api.operations import Empty, Operation
from outdialer.api.routing import Router
from tests.api.conftest import World, answered, application, created, refused
from tests.api.fakes import MemoryStore
from tests.api.stock import NEVER, one_of

RESOURCES = all_resources(RequestMetrics())
OPERATIONS = [operation for resource in RESOURCES for operation in resource.operations]
DOCUMENT = openapi_document(RESOURCES, "0")
UNSECURED = {
    "/ping",
    "/health",
    "/ready",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/{file}",
    "/swagger",
    "/redoc",
} | {f"/auth/{name}" for name in ("login", "boot", "signup", "email-verify", "password-forgot", "password-reset")}
ID = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
NAMES = [operation.name for operation in OPERATIONS]
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
WITH_ID = [operation for operation in OPERATIONS if any(name.endswith("id") for name in operation.placeholders)]
WITH_ENVELOPE = [operation for operation in WITH_BODY if not operation.bare_refusals]

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
every_body = pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
every_refused_body = pytest.mark.parametrize("operation", WITH_ENVELOPE, ids=lambda operation: operation.name)


def path_of(operation: Operation, value: str = ID, ids: Mapping[str, str] | None = None) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: (ids or {}).get(match[1], value), operation.path)


def test_the_application_serves_exactly_these() -> None:
    served = application(live=False, old_time_format=False).operations
    assert [(operation.method, operation.path) for operation in served] == [
        (operation.method, operation.path) for operation in OPERATIONS
    ]


@every_operation
def test_every_path_leads_to_its_operation(operation: Operation) -> None:
    found = Router(OPERATIONS).find(path_of(operation))
    assert found is not None
    assert found.operations[operation.method] is operation
    assert found.values == (ID,) * len(operation.placeholders)


def test_each_name_is_used_once() -> None:
    assert len(set(NAMES)) == len(NAMES)


@every_operation
def test_the_document_has_every_operation_whole(operation: Operation) -> None:
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]
    assert described["summary"]
    assert described["operationId"] == operation.name
    named = {entry["name"] for entry in described["parameters"] if entry["in"] == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", operation.path))
    content = described["responses"]["200"].get("content", {})
    assert bool(content) == (operation.answer is not Empty)
    assert all("schema" in media for media in content.values())
    assert bool(described["security"]) == (operation.path not in UNSECURED)
    if operation.body is not None:
        assert described["requestBody"]["content"]["application/json"]["example"]
    for code, answer in described["responses"].items():
        examples = answer.get("content", {}).get("application/json", {}).get("examples", {})
        assert all(http_status(reason) == int(code) for reason in examples)
    assert "500" in described["responses"]
    assert ("401" in described["responses"]) == (operation.path not in UNSECURED)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


async def test_the_document_is_served_and_whole(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    document = answered(await client.get("/openapi.json"))
    assert document["openapi"] == "3.1.0"
    assert document["paths"] == json.loads(json.dumps(DOCUMENT))["paths"]
    schemas = document["components"]["schemas"]
    used = {reference.removeprefix("#/components/schemas/") for reference in _references(document)}
    assert used <= set(schemas)
    assert set(schemas) - used == set()
    assert set(document["components"]["securitySchemes"]) == set(SECURITY_SCHEMES)


async def test_the_reference_needs_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    del client.headers["Authorization"]
    page = await client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(links) >= 4
    for link in links:
        assert link.startswith("/")
        assert (await client.get(link)).status_code == 200
    assert "'self'" in page.headers["content-security-policy"]
    start = (await client.get("/docs/start.js")).text
    older = answered(await client.get(re.findall(r'url: "([^"]+)"', start)[0]))
    assert older["openapi"].startswith("3.0.")
    assert '"null"' not in json.dumps(older["components"])
    assert older["paths"] == json.loads(json.dumps(as_openapi_3_0(DOCUMENT)))["paths"]
    refused(await client.get("/docs/index.html"), 404, "ROUTE_NOT_FOUND")
    refused(await client.get("/docs/..%2Fapp.py"), 404, "ROUTE_NOT_FOUND")


@every_operation
async def test_credentials(world: World, operation: Operation) -> None:
    async with world.anonymous() as client:
        without = await client.request(operation.method, path_of(operation))
        bad = await client.request(operation.method, path_of(operation), headers={"Authorization": "Bearer vb_bad"})
    if operation.path in UNSECURED:
        assert without.status_code not in (401, 403)
        assert bad.status_code == without.status_code
    else:
        refused(without, 401, "AUTHENTICATION_REQUIRED")
        refused(bad, 401, "INVALID_CREDENTIALS")


@every_operation
async def test_the_store_away(client: httpx.AsyncClient, store: MemoryStore, operation: Operation) -> None:
    store.away = True
    response = await client.request(operation.method, path_of(operation), json=operation.example or {})
    if operation.path not in UNSECURED:
        refused(response, 503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize("operation", WITH_ID, ids=lambda operation: operation.name)
async def test_ids_in_paths(client: httpx.AsyncClient, operation: Operation) -> None:
    for bad in ("x", "00000000-0000-0000-0000-000000000000", ID + "0", "%00", "%ff", "{id}", "'"):
        response = await client.request(operation.method, path_of(operation, bad), json={})
        refused(response, 400, "INVALID_ID", "not a valid UUID")


@every_operation
async def test_unknown_objects(client: httpx.AsyncClient, operation: Operation) -> None:
    if "id" in operation.placeholders:
        response = await client.request(operation.method, path_of(operation), json=operation.example or {})
        reason = response.json()["error"]["reason"]
        assert reason.endswith("_NOT_FOUND")
        assert reason in reasons_of(operation)
        refused(response, 404, reason)


@every_operation
async def test_paths_are_exact(client: httpx.AsyncClient, operation: Operation) -> None:
    exact = path_of(operation)
    upper = exact.upper() if "{" not in operation.path else "/v1.0"
    for path in (
        exact + "/",
        exact + "%2F",
        "http://127.0.0.1/" + exact,
        exact.replace("/v1.0/", "/v1.0//") + "//",
        upper,
    ):
        refused(await client.request(operation.method, path, json={}), 404, "ROUTE_NOT_FOUND")


@every_operation
async def test_methods(client: httpx.AsyncClient, operation: Operation) -> None:
    declared = {other.method for other in OPERATIONS if other.path == operation.path}
    for method in sorted({"GET", "POST", "PUT", "DELETE", "PATCH"} - declared):
        response = await client.request(method, path_of(operation))
        if response.status_code != 400:
            refused(response, 405, "METHOD_NOT_ALLOWED")
            assert declared <= set(re.split(r",\s*", response.headers["allow"]))


@every_body
async def test_examples_of_the_document_are_accepted(
    client: httpx.AsyncClient, store: MemoryStore, operation: Operation
) -> None:
    path = path_of(operation, ids=await one_of(client, store, operation.tag) if operation.placeholders else {})
    if operation.name == "log_in":
        await created(client, "/v1.0/agents", **operation.example)
    response = await client.request(operation.method, path, json=operation.example)
    if operation.awaits:
        refused(response, 409, "FEATURE_UNAVAILABLE", operation.awaits)
    elif operation.name == "unregister":
        refused(response, 409, "STATE_INVALID", "runs the installation")
    else:
        answered(response)


AWAITING = {
    "activeflows": 1,
    "auth": 6,
    "calls": 14,
    "groupcalls": 5,
    "numbers": 1,
    "providercalls": 4,
    "providers": 1,
    "queuecalls": 5,
    "recordings": 4,
}
"""How many operations of each resource wait for a part of the product. These numbers may only shrink."""


def test_what_still_waits_can_only_shrink(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = [operation for operation in OPERATIONS if operation.awaits]
    with capsys.disabled():
        print()
        for operation in waiting:
            print(f"waits for {operation.awaits}: {operation.method} {operation.path}")
    assert Counter(operation.tag for operation in waiting) == AWAITING


@every_operation
async def test_what_waits_says_so(client: httpx.AsyncClient, store: MemoryStore, operation: Operation) -> None:
    if not operation.awaits:
        return
    ids = await one_of(client, store, operation.tag)
    response = await client.request(operation.method, path_of(operation, ids=ids), json=operation.example or {})
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]
    assert operation.awaits in described["description"]
    if operation.paged:
        assert answered(response) == {"result": [], "next_page_token": ""}
    elif operation.tag in NEVER and "id" in operation.placeholders:
        assert response.status_code == 404
    else:
        refused(response, 409, "FEATURE_UNAVAILABLE", operation.awaits)


BODIES: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"   ", "empty"),
    (b"{", "not JSON"),
    (b"{} {}", "not JSON"),
    (b"{'a': 1}", "not JSON"),
    (b"[]", "object"),
    (b"null", "object"),
    (b'"text"', "object"),
    (b"5", "object"),
    (b'{"name": NaN}', "NaN"),
    (b'{"name": Infinity}', "Infinity"),
    (b'{"name": 1e999}', "large"),
    (b'{"name": 99999999999999999999}', "large"),
    (b'{"name": 1' + b"0" * 5_000 + b"}", "too long"),
    (b'{"name": "a", "name": "b"}', "name"),
    (b'{"x": {"a": 1, "a": 1}}', "twice"),
    (b'{"name": "\\ud800"}', "surrogate"),
    (b'{"\\udfff": 1}', "surrogate"),
    (b'{"name": "a\\u0000b"}', "NUL"),
    (b'{"name": "a\x00b"}', "not JSON"),
    (b'{"name": "\xff\xfe"}', "UTF-8"),
    (b'{"name": "\xed\xa0\x80"}', "UTF-8"),
    (b"[" * 33 + b"]" * 33, "32"),
    (b'{"x": ' * 100_000, "32"),
    (b"[" * 900_000, "32"),
    (b'\xef\xbb\xbf{"name": "bom"}', "not JSON"),
]


@every_refused_body
async def test_bodies_that_are_not_strict_json(client: httpx.AsyncClient, operation: Operation) -> None:
    for body, word in BODIES:
        response = await client.request(operation.method, path_of(operation), content=body)
        refused(response, 400, "INVALID_JSON_BODY", word if len(body) <= operation.body_limit else "longer")


@every_refused_body
async def test_long_bodies(client: httpx.AsyncClient, operation: Operation) -> None:
    body = b'{"x": "' + b"x" * operation.body_limit + b'"}'
    response = await client.request(operation.method, path_of(operation), content=body)
    refused(response, 400, "INVALID_JSON_BODY", str(operation.body_limit))


async def test_the_content_type_does_not_matter(client: httpx.AsyncClient) -> None:
    for kind in ("text/plain", "application/xml", "multipart/form-data", "x"):
        response = await client.post("/v1.0/outplans", content=b'{"name": "x"}', headers={"Content-Type": kind})
        assert answered(response)["name"] == "x"


async def test_surrogate_pairs_and_other_scripts_are_text(client: httpx.AsyncClient) -> None:
    body = b'{"name": "\\ud83d\\ude00 \xc3\xa9 <&>"}'
    assert answered(await client.post("/v1.0/outplans", content=body))["name"] == "\U0001f600 é <&>"


@pytest.mark.parametrize("sent", ["a", "A-z_0" * 12, "x" * 64])
async def test_a_decent_request_id_is_echoed(client: httpx.AsyncClient, sent: str) -> None:
    for path in ("/ping", "/nowhere", "/v1.0/campaigns", f"/v1.0/campaigns/{ID}"):
        response = await client.get(path, headers={"X-Request-Id": sent})
        assert response.headers.get_list("x-request-id") == [sent]


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", "a;b", "é", None])
async def test_else_one_is_made(client: httpx.AsyncClient, sent: str | None) -> None:
    headers = {} if sent is None else {b"X-Request-Id": sent.encode()}
    seen = set()
    for path in ("/ping", "/nowhere", "/v1.0/campaigns"):
        found = (await client.get(path, headers=headers)).headers["x-request-id"]
        assert re.fullmatch(r"req_[a-z2-7]{26}", found)
        seen.add(found)
    assert len(seen) == 3


async def test_unknown_paths(client: httpx.AsyncClient) -> None:
    for path in ("/", "/nowhere", "/v1.0", "/v1.0/nothing", "/v1.0/auth/login", "/v1.0/campaigns/a/b/c", "/%00"):
        refused(await client.get(path), 404, "ROUTE_NOT_FOUND")
        refused(await client.post(path, content=b"x"), 404, "ROUTE_NOT_FOUND")


async def test_browsers_may_ask_from_anywhere(client: httpx.AsyncClient) -> None:
    ask = {"Origin": "http://page.test", "Access-Control-Request-Method": "PUT"}
    response = await client.options("/v1.0/campaigns", headers=ask)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert "PUT" in response.headers["access-control-allow-methods"]
    assert "If-Match" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers
    for path in ("/v1.0/campaigns", "/nowhere"):
        answer = await client.get(path, headers={"Origin": "http://page.test"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in (await client.get("/ping")).headers


async def test_options_name_the_methods_of_a_path(client: httpx.AsyncClient) -> None:
    assert (await client.options("/v1.0/campaigns")).headers["allow"] == "POST, GET, OPTIONS"


async def test_of_what_stands_twice_the_first_counts_but_pages_are_asked_for_once(client: httpx.AsyncClient) -> None:
    key = client.headers.pop("Authorization").removeprefix("Bearer ")
    assert answered(await client.get(f"/v1.0/tags?accesskey={key}&accesskey=vb_bad"))["result"] == []
    twice = await client.get(f"/v1.0/tags?accesskey={key}&page_size=1&page_size=2")
    refused(twice, 400, "INVALID_REQUEST_PARAMETER", "page_size")


@pytest.mark.parametrize("path", ["/v1.0/campaigns/", "//v1.0/campaigns", "/v1.0//campaigns", "v1.0/campaigns", ""])
def test_other_spellings_lead_nowhere(path: str) -> None:
    assert Router(OPERATIONS).find(path) is None


async def test_a_client_that_leaves_amid_its_body_is_no_fault_of_ours(world: World) -> None:
    messages = [{"type": "http.request", "body": b'{"na', "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {await world.key()}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1.0/tags", "query_string": b"", "headers": headers}
    world.anonymous()
    await application(live=False, old_time_format=False)(scope, receive, send)
    assert sent[0]["status"] == 400


def test_every_reason_has_a_status() -> None:
    assert {http_status(reason) for reason in REASONS} == {400, 401, 403, 404, 405, 409, 412, 429, 500, 503}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from([ID, "run", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _fields_of(operation: Operation) -> list[str]:
    assert operation.body is not None
    return list(operation.body.__struct_fields__)


def _shaped(operation: Operation) -> st.SearchStrategy[dict[str, Any]]:
    action = st.fixed_dictionaries(
        {}, optional={"type": st.sampled_from(["talk", "goto", "x", ""]), "option": JSON_VALUES}
    )
    party = st.fixed_dictionaries(
        {}, optional={"type": JSON_VALUES, "target": JSON_VALUES | st.just("+12025550123"), "name": JSON_VALUES}
    )
    return st.dictionaries(
        st.sampled_from(_fields_of(operation)),
        JSON_VALUES | party | st.lists(action, max_size=3) | st.lists(party, max_size=3),
        max_size=6,
    )


@every_body
@settings(max_examples=20)
@given(data=st.data())
async def test_no_body_ever_gives_a_5xx(operation: Operation, data: st.DataObject) -> None:
    store = MemoryStore()
    client = await World(store).client()
    ids = await one_of(client, store, operation.tag)
    document = data.draw(_shaped(operation) | JSON_VALUES)
    raw = data.draw(st.binary(max_size=40)) if data.draw(st.booleans()) else json.dumps(document).encode()
    response = await client.request(operation.method, path_of(operation, ids=ids), content=raw)
    await client.aclose()
    if response.status_code == 200:
        return
    if operation.bare_refusals:
        assert (response.status_code, response.content) == (400, b"")
        return
    reason = response.json()["error"]["reason"]
    assert reason in reasons_of(operation)
    refused(response, http_status(reason), reason)
    assert response.status_code < 500


@every_operation
@settings(max_examples=6)
@given(data=st.data())
async def test_no_query_header_or_path_ever_gives_a_5xx(operation: Operation, data: st.DataObject) -> None:
    store = MemoryStore()
    client = await World(store).client()
    ids = await one_of(client, store, operation.tag)
    texts = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=12)
    names = st.sampled_from(["page_size", "page_token", "token", "accesskey"]) | st.text(max_size=4)
    query = data.draw(st.dictionaries(names, st.text(st.characters(codec="utf-8"), max_size=12), max_size=3))
    sent = data.draw(
        st.dictionaries(st.sampled_from(["If-Match", "Cookie", "X-Request-Id", "Content-Length", "Accept"]), texts)
    )
    headers = {name.encode(): text.encode("latin-1") for name, text in sent.items()}
    path = path_of(operation, data.draw(st.sampled_from([ID, "a b", "%2F", "é"])), ids)
    response = await client.request(operation.method, path, params=query, headers=headers, content=b"{}")
    await client.aclose()
    assert response.status_code < 500
