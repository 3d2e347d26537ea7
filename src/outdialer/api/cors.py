"""Cross-origin requests (https://fetch.spec.whatwg.org): pages of any origin, without their cookies."""

from outdialer.api.http import Request, Response

ALLOWED_METHODS = ("POST", "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
ALLOWED_HEADERS = (
    "Origin",
    "X-Requested-With",
    "Content-Type",
    "Accept",
    "Authorization",
    "If-Match",
    "Idempotency-Key",
    "Last-Event-ID",
)
EXPOSED_HEADERS = ("ETag", "X-Request-Id", "Retry-After", "Idempotency-Replayed")
PREFLIGHT_LASTS_S = 600

ON_EVERY_ANSWER = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
)
"""For a page that asked from elsewhere."""


def options(request: Request, methods: list[str]) -> Response:
    """The answer to OPTIONS: what a browser wants to know before it asks, and the methods of a path."""
    headers = {"Allow": ", ".join(methods)} if methods else {}
    if "access-control-request-method" in request.headers:
        headers["Access-Control-Allow-Methods"] = ", ".join(ALLOWED_METHODS)
        headers["Access-Control-Allow-Headers"] = ", ".join(ALLOWED_HEADERS)
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_LASTS_S)
    return Response(b"", media_type="text/plain; charset=utf-8", status_code=204, headers=headers)
