"""Examples of answers: values that fit their schemas, taken from the examples of requests where there are any."""

from collections.abc import Mapping, Sequence
from typing import Any

from outdialer.api.operations import EXAMPLE_ID, Operation

EXAMPLE_TIME = "2026-01-15T09:30:00.123456Z"
EXAMPLE_PAGING = f"{EXAMPLE_TIME}_{EXAMPLE_ID}"
_UNSET_TIMES = frozenset({"tm_delete", "tm_deletion_scheduled"})
"""Times that most objects do not have."""
_BY_FORMAT = {"uuid": EXAMPLE_ID, "date-time": EXAMPLE_TIME}
_BY_TYPE: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": True, "null": None}

Json = dict[str, Any]


class Examples:
    """What answers look like."""

    def __init__(self, operations: Sequence[Operation], schemas: Mapping[str, Json]) -> None:
        self._schemas = schemas
        self._sent: dict[str, Json] = {}
        for operation in operations:
            if isinstance(operation.example, dict):
                known = self._sent.setdefault(operation.tag, {})
                self._sent[operation.tag] = {**operation.example, **known}

    def answer(self, operation: Operation, schema: Json) -> Any:
        """The answer to an operation whose request is its own example."""
        own = operation.example if isinstance(operation.example, dict) else {}
        return self._value(schema, {**self._sent.get(operation.tag, {}), **own})

    def _value(self, schema: Json, like: Any) -> Any:
        """A value that fits a schema, like a given one where that fits too."""
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rsplit("/", 1)[1]], like)
        if "anyOf" in schema:
            return self._value(schema["anyOf"][0], like)
        if "enum" in schema:
            return like if like in schema["enum"] else schema["enum"][0]
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, like if isinstance(like, dict) else {})
        if kind == "array":
            return self._array(schema.get("items"), like)
        return _scalar(schema, like)

    def _object(self, schema: Json, like: Json) -> Json:
        fields = schema.get("properties")
        if fields is None:
            return like
        rows = {"result": like} if "result" in fields else {}
        return {name: self._field(name, part, {**like, **rows}.get(name)) for name, part in fields.items()}

    def _field(self, name: str, schema: Json, like: Any) -> Any:
        if name == "next_page_token":
            return EXAMPLE_PAGING
        unset = name in _UNSET_TIMES and {"type": "null"} in schema.get("anyOf", ())
        return None if unset else self._value(schema, like)

    def _array(self, items: Any, like: Any) -> list[Any]:
        if not isinstance(items, dict):
            return []
        rows = like if isinstance(like, list) else [like]
        return [self._value(items, row) for row in rows]


def _scalar(schema: Json, like: Any) -> Any:
    made = _BY_FORMAT.get(schema.get("format", "")) or _BY_TYPE.get(str(schema.get("type")))
    both_numbers = type(made) is int and type(like) in (int, float)
    if (type(like) is type(made) and like != "") or both_numbers:
        return like
    return schema.get("examples", [made])[0]
