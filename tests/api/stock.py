"""One object of each kind, made over REST, for tests that go over every operation."""

from collections.abc import Mapping
from typing import Any

import httpx

from outdialer.domain.units import format_id
from tests.api.conftest import created
from tests.api.fakes import MemoryStore
from tests.api.seeds import ATTEMPT, CALL, MemorySeeder

BODIES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "outplans": ("/v1.0/outplans", {}),
    "outdials": ("/v1.0/outdials", {}),
    "targets": ("/v1.0/outdials", {}),
    "tags": ("/v1.0/tags", {}),
    "flows": ("/v1.0/flows", {}),
    "queues": ("/v1.0/queues", {}),
    "agents": ("/v1.0/agents", {"username": "stock@company.example", "password": "x"}),
    "extensions": ("/v1.0/extensions", {"extension": "1999", "password": "x"}),
    "trunks": ("/v1.0/trunks", {}),
    "providers": ("/v1.0/providers", {}),
    "routes": ("/v1.0/routes", {}),
    "accesskeys": ("/v1.0/accesskeys", {}),
    "customers": ("/v1.0/customers", {}),
    "numbers": ("/v1.0/numbers", {"number": "+12025550199"}),
    "outbound_configs": ("/v1.0/outbound_configs", {}),
    "webhooks": ("/v1.0/webhooks", {"uri": "https://crm.company.example/hook"}),
}
"""What makes an object for the operations of a resource."""
NEVER = frozenset({"queuecalls", "groupcalls", "recordings", "providercalls"})
"""Resources of which no object can exist yet."""
SINGLE = frozenset({"events", "customer", "outbound_config", "auth", "health", "metrics", "reference"})
"""Resources whose paths hold no id."""


async def one_of(client: httpx.AsyncClient, store: object, tag: str) -> dict[str, str]:
    """The ids that stand in the paths of a resource, each of an object that is there."""
    if tag in NEVER | SINGLE:
        return {}
    if tag in ("campaigncalls", "calls", "activeflows"):
        assert isinstance(store, MemoryStore)
        MemorySeeder(store).attempt(1, ATTEMPT)
        MemorySeeder(store).call(1, CALL, 42)
        return {"id": format_id({"campaigncalls": ATTEMPT.id, "calls": CALL.id}.get(tag, CALL.activeflow_id))}
    if tag == "campaigns":
        return await _campaign(client)
    path, body = BODIES[tag]
    made = await created(client, path, **body)
    if tag != "targets":
        return {"id": made["id"]}
    target = await created(client, f"{path}/{made['id']}/targets", destination_0={"target": "+12025550123"})
    return {"id": made["id"], "target_id": target["id"]}


async def _campaign(client: httpx.AsyncClient) -> dict[str, str]:
    outplan = await created(client, "/v1.0/outplans")
    outdial = await created(client, "/v1.0/outdials")
    campaign = await created(client, "/v1.0/campaigns", outplan_id=outplan["id"], outdial_id=outdial["id"])
    return {"id": campaign["id"]}
