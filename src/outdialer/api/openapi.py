"""The OpenAPI 3.1 document, made from the declarations of the operations."""

from collections.abc import Sequence
from typing import Any

import msgspec

from outdialer.api.errors import (
    COMMON_REASONS,
    CREDENTIAL_REASONS,
    REASONS,
    ErrorEnvelope,
    ErrorFacts,
    http_status,
)
from outdialer.api.openapi_examples import EXAMPLE_PAGING, Examples
from outdialer.api.openapi_links import links_from
from outdialer.api.operations import EXAMPLE_ID, Empty, Operation, QueryParameter, Raw, Resource, Streamed
from outdialer.api.wire import PAGE_TOKEN_PATTERN
from outdialer.domain.units import NIL_ID, format_id

Json = dict[str, Any]

SECURITY_SCHEMES: dict[str, Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access key, or the token of `POST /auth/login`: `Authorization: Bearer vb_...`.",
    },
    "accesskeyQuery": {"type": "apiKey", "in": "query", "name": "accesskey"},
    "accesskeyCookie": {"type": "apiKey", "in": "cookie", "name": "accesskey"},
    "tokenQuery": {"type": "apiKey", "in": "query", "name": "token"},
    "tokenCookie": {"type": "apiKey", "in": "cookie", "name": "token"},
}
_DESCRIPTION = """\
Lists of people are dialled in campaigns. Make an outplan (how to dial), an outdial (who) with its targets, a
campaign (what happens on answer), and run it.

Ids that are not set are the nil UUID; `""`, nil or leaving the field out mean the same on the way in, and so does
`null` for every field. Times are RFC 3339 in UTC with six digits, null when not set. A change names only the fields
that change. Every error has the same form; its `reason` comes from a closed list."""
_REQUEST_ID: Json = {
    "X-Request-Id": {
        "schema": {"type": "string"},
        "description": "Names this request in logs; the caller's own, where it sent a decent one.",
        "example": "req_b3xkq2",
    }
}
_RETRY_AFTER: Json = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait.", "example": 5}}
_WAITING = (429, 503)
"""The answers that say how long to wait."""
_PAGING: list[Json] = [
    {
        "name": "page_size",
        "in": "query",
        "description": "Rows in a page; outside 1 to 100 it means 100.",
        "schema": {"type": "integer", "default": 100},
        "allowEmptyValue": True,
        "example": 50,
    },
    {
        "name": "page_token",
        "in": "query",
        "description": "The next_page_token of the page before, or a time: rows made before it.",
        "schema": {"type": "string", "pattern": PAGE_TOKEN_PATTERN},
        "example": EXAMPLE_PAGING,
    },
]
_ETAG: Json = {"ETag": {"schema": {"type": "string"}, "description": "The object's version.", "example": '"3"'}}
_PATH_ID: Json = {"type": "string", "format": "uuid", "not": {"enum": [format_id(NIL_ID)]}}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` of the object as it was read: the change is made only if nobody changed it since.",
    "schema": {"type": "string"},
    "example": '"3"',
}


_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 255 visible characters, such as a random UUID. The same key with the same request has one "
    "effect and gets the same answer for a day, with the header `Idempotency-Replayed: true`.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "5b1f8c0e-6c1d-4a57-9f0e-3f4a2f6a9b11",
}


def openapi_document(resources: Sequence[Resource], version: str) -> Json:
    """The whole document."""
    operations = [operation for resource in resources for operation in resource.operations]
    schemas = _schemas(operations)
    _mark_owned(operations, schemas)
    described = _Described(operations, schemas)
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = described.operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "outdialer", "version": version, "description": _DESCRIPTION, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": about} for tag, about in _tags(resources).items()],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY_SCHEMES},
    }


def _tags(resources: Sequence[Resource]) -> dict[str, str]:
    return {resource.tag: resource.description for resource in resources}


def _public_name(name: str) -> str:
    return name.removesuffix("View")


def _schemas(operations: Sequence[Operation]) -> dict[str, Json]:
    types: set[type[msgspec.Struct]] = {ErrorEnvelope, ErrorFacts}
    for operation in operations:
        types |= {kind for kind in (operation.body, operation.answer) if kind not in (None, Raw, Streamed, Empty)}
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, found = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    schemas = {_public_name(name): _renamed(schema) for name, schema in sorted(found.items())}
    for name in ("ErrorFacts", "RowError"):
        if name in schemas:
            schemas[name]["properties"]["status"]["enum"] = sorted({status for status, _ in REASONS.values()})
            schemas[name]["properties"]["reason"]["enum"] = sorted(REASONS)
    return schemas


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _renamed_text(key, value) for key, value in node.items()}
    return [_renamed(item) for item in node] if isinstance(node, list) else node


def _renamed_text(key: str, value: Any) -> Any:
    return _public_name(value) if key in ("$ref", "title") and isinstance(value, str) else _renamed(value)


def _mark_owned(operations: Sequence[Operation], schemas: dict[str, Json]) -> None:
    """Mark as ``readOnly`` what the server alone writes: no body of the resource has a field of that name."""
    for operation in operations:
        if operation.answer in (Raw, Streamed, Empty):
            continue
        bodies = [other.body for other in operations if other.tag == operation.tag and other.body is not None]
        written = {name for body in bodies for name in body.__struct_fields__}
        for name, field in schemas[_public_name(operation.answer.__name__)]["properties"].items():
            if name not in written and name != "result":
                field["readOnly"] = True


class _Described:
    """Operations as the document shows them."""

    def __init__(self, operations: Sequence[Operation], schemas: dict[str, Json]) -> None:
        self._operations = operations
        self._examples = Examples(operations, schemas)

    def operation(self, operation: Operation) -> Json:
        """An operation object."""
        described: Json = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary,
            "parameters": _parameters(operation),
            "responses": {"200": self._success(operation), **_errors(operation)},
            "security": [{name: []} for name in SECURITY_SCHEMES] if operation.secured else [],
        }
        waits = f"Refused with 409 `FEATURE_UNAVAILABLE` in this release: it needs {operation.awaits}."
        description = " ".join(part for part in (operation.description, waits if operation.awaits else "") if part)
        if description:
            described["description"] = description
        if operation.body is not None:
            media: Json = {"schema": _reference(operation.body), "example": operation.example}
            described["requestBody"] = {"required": True, "content": {"application/json": media}}
        return described

    def _success(self, operation: Operation) -> Json:
        headers = {**_REQUEST_ID, **_ETAG} if self._shows_version(operation) else _REQUEST_ID
        if operation.answer is Empty:
            return {"description": "Done; the body is empty.", "headers": headers}
        answer: Json = {"description": "Done.", "headers": headers, "content": self._content(operation)}
        links = links_from(operation, self._operations)
        return {**answer, "links": links} if links else answer

    def _content(self, operation: Operation) -> Json:
        media_type = operation.media_type.partition(";")[0]
        if operation.answer is Streamed:
            return {media_type: {"schema": {"description": "Events without end, as in the text/event-stream format."}}}
        if operation.answer is Raw:
            return {media_type: {"schema": {"type": "object" if media_type == "application/json" else "string"}}}
        schema = _reference(operation.answer)
        return {media_type: {"schema": schema, "example": self._examples.answer(operation, schema)}}

    def _shows_version(self, operation: Operation) -> bool:
        """Whether an answer carries the object's version: it is made, read or changed, and ``If-Match`` protects it."""
        places = (operation.path, f"{operation.path}/{{id}}")
        protected = any(
            other.versioned and other.path in places and other.answer is operation.answer for other in self._operations
        )
        return operation.versioned or (protected and operation.method != "DELETE")


def _parameters(operation: Operation) -> list[Json]:
    ids = [_path_parameter(name) for name in operation.placeholders]
    query = [_query_parameter(known) for known in operation.query]
    return ids + query + (_PAGING if operation.paged else []) + _headers(operation)


def _headers(operation: Operation) -> list[Json]:
    key = [_IDEMPOTENCY_KEY] if operation.idempotent else []
    return key + ([_IF_MATCH] if operation.versioned else [])


def _query_parameter(known: QueryParameter) -> Json:
    form = {"enum": list(known.values)} if known.values else {"pattern": known.pattern} if known.pattern else {}
    schema = {"type": "string", **form}
    described = {"name": known.name, "in": "query", "description": known.description, "schema": schema}
    return {**described, "example": known.example} if known.example else described


def _path_parameter(name: str) -> Json:
    about: Json = {"name": name, "in": "path", "required": True}
    if not name.endswith("id"):
        return {**about, "description": "A file's name.", "schema": {"type": "string"}, "example": "swagger-ui.css"}
    kind = name.removesuffix("id").rstrip("_")
    description = f"The id of the {kind or 'object'}."
    return {**about, "description": description, "schema": _PATH_ID, "example": EXAMPLE_ID}


def _reference(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": f"#/components/schemas/{_public_name(kind.__name__)}"}


def reasons_of(operation: Operation) -> list[str]:
    """Every error reason that an operation may answer."""
    body = ("INVALID_JSON_BODY", "INVALID_ARGUMENT") if operation.body is not None else ()
    readable = ("INVALID_REQUEST_PARAMETER",) if operation.body is not None or operation.idempotent else ()
    key = ("IDEMPOTENCY_KEY_REUSED", "RESOURCE_LIMIT_EXCEEDED") if operation.idempotent else ()
    version = ("VERSION_MISMATCH",) if operation.versioned else ()
    secured = CREDENTIAL_REASONS if operation.secured else ()
    return list(dict.fromkeys((*operation.reasons, *body, *readable, *key, *version, *secured, *COMMON_REASONS)))


def _errors(operation: Operation) -> dict[str, Json]:
    if operation.bare_refusals:
        return _bare_errors()
    answers: dict[str, Json] = {}
    for reason in sorted(reasons_of(operation), key=http_status):
        status, meaning = REASONS[reason]
        answer = answers.setdefault(
            str(http_status(reason)),
            {
                "description": status,
                "headers": _REQUEST_ID,
                "content": {"application/json": {"schema": _reference(ErrorEnvelope), "examples": {}}},
            },
        )
        if http_status(reason) in _WAITING:
            answer["headers"] = {**_REQUEST_ID, **_RETRY_AFTER}
        facts = {"status": status, "reason": reason, "message": meaning, "request_id": "req_b3xkq2"}
        answer["content"]["application/json"]["examples"][reason] = {"value": {"error": facts}}
    return answers


def _bare_errors() -> dict[str, Json]:
    away = {"application/json": {"schema": _reference(ErrorEnvelope)}}
    return {
        "400": {"description": "Refused; the body is empty.", "headers": _REQUEST_ID},
        "429": {"description": "RESOURCE_EXHAUSTED", "headers": {**_REQUEST_ID, **_RETRY_AFTER}, "content": away},
        "500": {"description": "INTERNAL", "headers": _REQUEST_ID, "content": away},
        "503": {"description": "UNAVAILABLE", "headers": {**_REQUEST_ID, **_RETRY_AFTER}, "content": away},
    }


def as_openapi_3_0(document: Json) -> Json:
    """The same document in the form of OpenAPI 3.0, which is what the installed reference pages can show."""
    older: Json = _older(document)
    return {**older, "openapi": "3.0.3"}


def _older(node: Any) -> Any:
    if isinstance(node, list):
        return [_older(item) for item in node]
    if not isinstance(node, dict):
        return node
    choices = node.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [_older(choice) for choice in choices if choice != {"type": "null"}]
        others = {key: _older(value) for key, value in node.items() if key != "anyOf"}
        return {**others, ("allOf" if len(rest) == 1 else "anyOf"): rest, "nullable": True}
    return {key: _older(value) for key, value in node.items()}
