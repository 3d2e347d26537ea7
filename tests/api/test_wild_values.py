"""Every operation with its own example, of which parts are replaced by something wild, over both stores."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outdialer.api.openapi import reasons_of
from outdialer.api.operations import Operation
from outdialer.ports.directory import ApiStore
from tests.api.conftest import over_both_stores, refused
from tests.api.fakes import MemoryStore
from tests.api.stock import one_of
from tests.api.test_routes import OPERATIONS, path_of

BODIES = [operation for operation in OPERATIONS if operation.body is not None and not operation.bare_refusals]
UUID = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
WILD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 10**30, 1e308, -0.0]),
    st.sampled_from(
        ["", " ", UUID, "\x00", "\ud800", "\u202e", "a" * 300, "a" * 70_000, "%s", "'; --", "+12025550123"]
    ),
    st.sampled_from([[], {}, [[]], [None], [{}], {"": ""}, [0] * 600, ["x"] * 600, {"type": "tel", "target": "+"}]),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
)
HEADERS = st.dictionaries(
    st.sampled_from(["If-Match", "Idempotency-Key", "X-Request-Id", "Content-Type", "Cookie", "Expect", "Origin"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12),
    max_size=3,
)
NAMES = ["page_size", "page_token", "tag_ids", "status", "customer_id", "provider_id"]
TEXTS = ["-1", "0", "101", "1e9", "9" * 400, UUID, f"2026-01-15T09:30:00Z_{UUID}", "٣", "0x10", "😀"]
QUERY = st.dictionaries(
    st.sampled_from(NAMES) | st.text(st.characters(codec="utf-8"), max_size=3),
    st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8"), max_size=6),
    max_size=3,
)


def _places(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in items:
        yield from _places(value, (*place, name))


def _with(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = _with(copy[place[0]], place[1:], value)
    return copy


@st.composite
def wild_bodies(draw: st.DrawFn, operation: Operation) -> Any:
    """The example, and every other field that the body may have, with wild values here and there."""
    assert operation.body is not None
    document = {**operation.example}
    for name in draw(st.lists(st.sampled_from(operation.body.__struct_fields__), max_size=2)):
        document[name] = draw(WILD)
    for _ in range(draw(st.integers(0, 2))):
        document = _with(document, draw(st.sampled_from(list(_places(document)))), draw(WILD))
        if not isinstance(document, dict):
            break
    return document


@over_both_stores
@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.name)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_wild_value_is_refused_or_taken(
    client: httpx.AsyncClient, store: ApiStore, operation: Operation, data: st.DataObject
) -> None:
    if operation.tag in ("calls", "activeflows") and not isinstance(store, MemoryStore):
        return
    body = data.draw(wild_bodies(operation))
    headers = {name.encode(): text.encode("latin-1") for name, text in data.draw(HEADERS).items()}
    path = path_of(operation, UUID)
    response = await client.request(
        operation.method, path, content=json.dumps(body), params=data.draw(QUERY), headers=headers
    )
    _is_an_answer(response, operation)


@over_both_stores
@pytest.mark.parametrize("operation", BODIES, ids=lambda operation: operation.name)
@settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.data())
async def test_a_wild_value_for_an_object_that_is_there(
    client: httpx.AsyncClient, store: ApiStore, operation: Operation, bodies: st.DataObject
) -> None:
    if operation.tag in ("calls", "activeflows") and not isinstance(store, MemoryStore):
        return
    path = path_of(operation, ids=await one_of(client, store, operation.tag))
    for body in bodies.draw(st.lists(wild_bodies(operation), min_size=10, max_size=10)):
        _is_an_answer(await client.request(operation.method, path, content=json.dumps(body)), operation)


def _is_an_answer(response: httpx.Response, operation: Operation) -> None:
    if response.status_code == 200:
        return
    assert response.status_code < 500, response.text
    reason = response.json()["error"]["reason"]
    assert reason in reasons_of(operation)
    refused(response, response.status_code, reason)
