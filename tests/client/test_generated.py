"""The generated part of the client is what the declared operations make it, and has every one of them."""

import inspect
import re

from outdialer.api.app import all_resources
from outdialer.api.metrics import RequestMetrics
from outdialer.client import AsyncClient, Client
from outdialer.client.transport import AsyncResource, Resource
from tools import client as generator

PUBLIC = re.compile(r"[a-z]\w*")


def test_it_is_up_to_date() -> None:
    assert generator.stale() == [], "run make docs"


def _methods(client: Client | AsyncClient, kind: type[object]) -> dict[str, inspect.Signature]:
    resources = {name: resource for name, resource in vars(client).items() if isinstance(resource, kind)}
    return {
        f"{name}.{method}": inspect.signature(getattr(resource, method))
        for name, resource in resources.items()
        for method in dir(resource)
        if PUBLIC.fullmatch(method)
    }


async def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    with Client(key="vb_x") as client:
        blocking = _methods(client, Resource)
    async with AsyncClient(key="vb_x") as awaiting_client:
        awaiting = _methods(awaiting_client, AsyncResource)
    assert {name: str(found.parameters) for name, found in blocking.items()} == {
        name: str(found.parameters) for name, found in awaiting.items()
    }
    declared = [operation for resource in all_resources(RequestMetrics()) for operation in resource.operations]
    left_out = [operation for operation in declared if operation.tag in generator.LEFT_OUT]
    streams = [operation for operation in declared if operation.media_type.startswith(generator.STREAM)]
    by_hand = {"campaigns.run", "campaigns.stop", "targets.add"}
    assert len(blocking.keys() - by_hand) == len(declared) - len(left_out) - len(streams)
