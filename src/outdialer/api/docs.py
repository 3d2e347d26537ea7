"""``/openapi.json`` and ``/docs``: the contract for programs and, in the browser, for people.

The pages' files come from the installed package ``swagger_ui_bundle``; nothing is loaded from elsewhere.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from swagger_ui_bundle import swagger_ui_path

from outdialer.api.errors import ApiError
from outdialer.api.openapi import as_openapi_3_0
from outdialer.api.operations import JSON_MEDIA_TYPE, Context, Raw, Resource

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>outdialer: REST reference</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<p><a href="/openapi.json">The OpenAPI 3.1 document</a></p>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """\
SwaggerUIBundle({url: "/docs/openapi-3.0.json", dom_id: "#reference", deepLinking: true, validatorUrl: null});
"""
_HTML = "text/html; charset=utf-8"
_MEDIA_TYPES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _installed(name: str) -> bytes:
    return Path(str(swagger_ui_path), name).read_bytes()


def docs_resource(document: Callable[[], dict[str, Any]]) -> Resource:
    """The operations that show the contract; ``document`` gives the OpenAPI document."""
    resource = Resource("reference", "The contract itself.")

    @resource.operation("GET", "/openapi.json", base="", secured=False)
    async def openapi_json(context: Context) -> Raw:
        """The OpenAPI 3.1 document."""
        return Raw(msgspec.json.encode(document()), JSON_MEDIA_TYPE)

    async def page(context: Context) -> Raw:
        """The reference for people, in the browser."""
        return Raw(_PAGE.encode(), _HTML, _HEADERS)

    for path in ("/docs", "/swagger", "/redoc"):
        resource.operation("GET", path, base="", secured=False, media_type=_HTML, name=path[1:])(page)

    @resource.operation("GET", "/docs/{file}", "ROUTE_NOT_FOUND", base="", secured=False, media_type="*/*")
    async def docs_file(context: Context) -> Raw:
        """The files of the reference."""
        name = context.path["file"]
        if name == "start.js":
            return Raw(_START.encode(), "text/javascript; charset=utf-8", _HEADERS)
        if name == "openapi-3.0.json":
            return Raw(msgspec.json.encode(as_openapi_3_0(document())), JSON_MEDIA_TYPE, _HEADERS)
        if name not in _MEDIA_TYPES:
            raise ApiError("ROUTE_NOT_FOUND")
        return Raw(_installed(name), _MEDIA_TYPES[name], _HEADERS)

    return resource
