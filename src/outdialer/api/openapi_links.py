"""Links: which operations can follow one, and where they find the ids that they need (OpenAPI 3.1 section 4.8.20)."""

from collections.abc import Sequence
from typing import Any

from outdialer.api.operations import Operation

Json = dict[str, Any]


def links_from(operation: Operation, operations: Sequence[Operation]) -> dict[str, Json]:
    """The links of an answer: to what takes the new object's id, or, where nothing is made, that of a list's first."""
    made = operation.method == "POST" and "id" in operation.answer.__struct_fields__
    creations = {other.path for other in operations if other.method == "POST" and not other.awaits}
    listed = operation.method == "GET" and operation.paged and operation.path not in creations
    if operation.awaits or not (made or listed):
        return {}
    place = "$response.body#/id" if made else "$response.body#/result/0/id"
    links = (_link(operation, other, place) for other in operations)
    return {link["operationId"]: link for link in links if link}


def _link(operation: Operation, other: Operation, place: str) -> Json:
    """The link to an operation on the object that an answer shows; {} when it is none."""
    rest = other.path.removeprefix(f"{operation.path}/{{")
    if rest == other.path or len(other.placeholders) != len(operation.placeholders) + 1:
        return {}
    parameters = {name: f"$request.path.{name}" for name in operation.placeholders}
    return {"operationId": other.name, "parameters": {**parameters, other.placeholders[-1]: place}}
