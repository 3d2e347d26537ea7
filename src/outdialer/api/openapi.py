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
from outdialer.api.operations import Empty, Operation, Raw, Resource

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
_REQUEST_ID: Json = {"X-Request-Id": {"schema": {"type": "string"}, "description": "Names this request."}}
_EXAMPLE_ID = "0198c0a5-2d5e-7c1e-8f9a-7a4b1d9f0001"
_EXAMPLE_TIME = "2026-01-15T09:30:00.123456Z"
_EXAMPLE_PAGING = f"{_EXAMPLE_TIME}_{_EXAMPLE_ID}"
_PAGING: list[Json] = [
    {
        "name": "page_size",
        "in": "query",
        "description": "Rows in a page; outside 1 to 100 it means 100.",
        "schema": {"type": "integer", "default": 100},
    },
    {
        "name": "page_token",
        "in": "query",
        "description": "The next_page_token of the page before, or a time: rows made before it.",
        "schema": {"type": "string"},
        "example": _EXAMPLE_PAGING,
    },
]
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "description": "The `ETag` of the object as it was read: the change is made only if nobody changed it since.",
    "schema": {"type": "string"},
}


def openapi_document(resources: Sequence[Resource], version: str) -> Json:
    """The whole document."""
    operations = [operation for resource in resources for operation in resource.operations]
    schemas = _schemas(operations)
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
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
        types |= {kind for kind in (operation.body, operation.answer) if kind not in (None, Raw, Empty)}
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, found = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    schemas = {_public_name(name): _renamed(schema) for name, schema in sorted(found.items())}
    schemas["ErrorFacts"]["properties"]["status"]["enum"] = sorted({status for status, _ in REASONS.values()})
    schemas["ErrorFacts"]["properties"]["reason"]["enum"] = sorted(REASONS)
    return schemas


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _renamed_text(key, value) for key, value in node.items()}
    return [_renamed(item) for item in node] if isinstance(node, list) else node


def _renamed_text(key: str, value: Any) -> Any:
    return _public_name(value) if key in ("$ref", "title") and isinstance(value, str) else _renamed(value)


def _operation(operation: Operation, schemas: dict[str, Json]) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": {"200": _success(operation, schemas), **_errors(operation)},
        "security": [{name: []} for name in SECURITY_SCHEMES] if operation.secured else [],
    }
    waits = f"Refused with 409 `FEATURE_UNAVAILABLE` in this release: it needs {operation.awaits}."
    description = " ".join(part for part in (operation.description, waits if operation.awaits else "") if part)
    if description:
        described["description"] = description
    if operation.body is not None:
        media: Json = {"schema": _reference(operation.body)}
        media["example"] = operation.example
        described["requestBody"] = {"required": True, "content": {"application/json": media}}
    return described


def _parameters(operation: Operation) -> list[Json]:
    ids = [_path_parameter(name) for name in operation.placeholders]
    query = [
        {"name": known.name, "in": "query", "description": known.description, "schema": {"type": "string"}}
        for known in operation.query
    ]
    return ids + query + (_PAGING if operation.paged else []) + ([_IF_MATCH] if operation.versioned else [])


def _path_parameter(name: str) -> Json:
    is_id = name.endswith("id")
    schema: Json = {"type": "string", "format": "uuid"} if is_id else {"type": "string"}
    example = _EXAMPLE_ID if is_id else "swagger-ui.css"
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


def _reference(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": f"#/components/schemas/{_public_name(kind.__name__)}"}


def _success(operation: Operation, schemas: dict[str, Json]) -> Json:
    if operation.answer is Empty:
        return {"description": "Done; the body is empty.", "headers": _success_headers(operation)}
    media_type = operation.media_type.partition(";")[0]
    if operation.answer is Raw:
        content: Json = {media_type: {"schema": {"type": "object" if media_type == "application/json" else "string"}}}
    else:
        schema = _reference(operation.answer)
        content = {media_type: {"schema": schema, "example": sample(schema, schemas)}}
    return {"description": "Done.", "headers": _success_headers(operation), "content": content}


def _success_headers(operation: Operation) -> Json:
    tag: Json = {"ETag": {"schema": {"type": "string"}, "description": "The object's version."}}
    return {**_REQUEST_ID, **tag} if operation.versioned else _REQUEST_ID


def reasons_of(operation: Operation) -> list[str]:
    """Every error reason that an operation may answer."""
    body = ("INVALID_REQUEST_PARAMETER",) if operation.body is not None else ()
    version = ("VERSION_MISMATCH",) if operation.versioned else ()
    secured = CREDENTIAL_REASONS if operation.secured else ()
    return list(dict.fromkeys((*operation.reasons, *body, *version, *secured, *COMMON_REASONS)))


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
        facts = {"status": status, "reason": reason, "message": meaning, "request_id": "req_b3xk"}
        answer["content"]["application/json"]["examples"][reason] = {"value": {"error": facts}}
    return answers


def _bare_errors() -> dict[str, Json]:
    away = {"application/json": {"schema": _reference(ErrorEnvelope)}}
    return {
        "400": {"description": "Refused; the body is empty.", "headers": _REQUEST_ID},
        "500": {"description": "INTERNAL", "headers": _REQUEST_ID, "content": away},
        "503": {"description": "UNAVAILABLE", "headers": _REQUEST_ID, "content": away},
    }


def sample(schema: Json, schemas: dict[str, Json]) -> Any:
    """A value that fits a schema of ours, for people to look at."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: sample(part, schemas) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema["items"], schemas)] if schema.get("items") else []
    if kind == "string":
        return {"uuid": _EXAMPLE_ID, "date-time": _EXAMPLE_TIME}.get(schema.get("format", ""), "")
    return {"integer": 0, "number": 0, "boolean": True}.get(str(kind))


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
