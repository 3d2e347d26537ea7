"""A refusal names the field, and never quotes what a secret may be in: answers are written down by who gets them."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from tests.api.conftest import World
from tests.api.stock import one_of
from tests.api.test_routes import WITH_BODY, path_of
from tests.canary.canaries import sounds_secret

CANARY = "canary-Refused"
WRONG: list[Any] = [
    [CANARY],
    {CANARY: CANARY, "api_key": {"x": CANARY}},
    CANARY * 1_000,
    f"{CANARY}\0",
    f"{CANARY}\ud800",
    f"{CANARY}\n",
    {"X-Account": f"{CANARY}\n"},
]
QUOTED = {"uri", "webhook_uri", "accesskey", "end_of_key"}
"""URLs are quoted without what opens them; the others only have the name of a secret."""
SECRET_FIELDS = [
    (operation, field.name)
    for operation in WITH_BODY
    if operation.body is not None
    for field in msgspec.structs.fields(operation.body)
    if sounds_secret(field.name) and field.name not in QUOTED
]


@pytest.mark.parametrize(
    ("operation", "field"), SECRET_FIELDS, ids=[f"{operation.name}-{field}" for operation, field in SECRET_FIELDS]
)
async def test_a_refused_secret_is_not_quoted(
    world: World, client: httpx.AsyncClient, operation: Any, field: str
) -> None:
    path = path_of(operation, ids=await one_of(client, world.store, operation.tag))
    for wrong in WRONG:
        body = msgspec.to_builtins(operation.example or {}) | {field: wrong}
        answer = await client.request(
            operation.method, path, content=_spelled(body), headers={"Content-Type": "application/json"}
        )
        if answer.status_code >= 400:
            assert "canary" not in answer.text.lower(), (wrong, answer.text)


def _spelled(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
