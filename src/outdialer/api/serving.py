"""From an ASGI request to an operation's answer, and from every failure to the one error form."""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from outdialer.api import cors
from outdialer.api.auth import NOBODY, Principal, authenticate
from outdialer.api.body import BodiesUnderWay, read_json, to_struct
from outdialer.api.errors import RETRY_AFTER_S, ApiError, FieldError, envelope
from outdialer.api.events.websocket import PATHS, Sockets
from outdialer.api.http import Receive, Request, Response, Scope, Send, StreamedResponse
from outdialer.api.idempotency import HEADER as IDEMPOTENCY_KEY
from outdialer.api.idempotency import Asked, Once, asked
from outdialer.api.metrics import RequestMetrics
from outdialer.api.operations import (
    JSON_MEDIA_TYPE,
    Context,
    Empty,
    Operation,
    Raw,
    Streamed,
    page_of,
    path_ids,
)
from outdialer.api.permits import check_permitted
from outdialer.api.routing import Router
from outdialer.api.services import ApiServices
from outdialer.api.throttle import Throttle
from outdialer.domain.routing import Oversold
from outdialer.domain.units import Instant
from outdialer.engine.lifecycle import Tasks
from outdialer.ports.clock import Ids
from outdialer.ports.directory import MOST_ENTRIES, LimitReached, NameTaken
from outdialer.ports.store import Conflict, StoreUnavailable
from outdialer.telemetry import log

Work: TypeAlias = Callable[[], Awaitable[Response]]
REQUEST_ID_HEADER = "x-request-id"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
"""RFC 4648 section 6."""
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
_PLACES = range(120, -1, -10)
"""Of ten bits each in the 130 that 26 characters hold; two characters at a time cost half of what ``base64`` does."""
_GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestIds:
    """The ``X-Request-Id`` of each request: the caller's where it is a decent one, else a new one."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def of(self, request: Request) -> str:
        """The same text for the same request, however often it is asked for."""
        if not request.id:
            sent = request.headers.get(REQUEST_ID_HEADER, "")
            request.id = sent if _GOOD_REQUEST_ID.fullmatch(sent) else self._new(request.arrived)
        return request.id

    def _new(self, now: Instant) -> str:
        number = int.from_bytes(self._ids.new(now)) << 2
        return "req_" + "".join([_PAIRS[number >> place & 1023] for place in _PLACES])


class Server:
    """Serves operations over ``ApiServices``."""

    def __init__(self, services: ApiServices, own_metrics: RequestMetrics, operations: Sequence[Operation]) -> None:
        self._services = services
        self._metrics = own_metrics
        self._once = Once(services.store, services.kept_answer_bytes)
        self._throttle = Throttle(services.rates)
        self._bodies = BodiesUnderWay()
        self.operations = operations
        self._router = Router(operations)
        self._sockets = Sockets(services, self._authenticated, self.failure)
        self._tasks = Tasks()
        self.request_ids = RequestIds(services.ids)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        request = Request(scope, receive, self._services.clock.now())
        if scope["type"] == "websocket":
            await self._sockets.serve(request, receive, send)
            return
        response = await self._respond(request)
        headers = [(REQUEST_ID_HEADER.encode(), self.request_ids.of(request).encode())]
        if "origin" in request.headers:
            headers += cors.ON_EVERY_ANSWER
        if isinstance(response, StreamedResponse):
            await self._stream(request, response, send, headers)
        else:
            await response.send(send, headers)

    async def _stream(
        self, request: Request, response: StreamedResponse, send: Send, headers: list[tuple[bytes, bytes]]
    ) -> None:
        """Send an answer that lasts, and notice when nobody reads it any more."""

        async def watch() -> None:
            await request.disconnected()
            response.gone()

        watching = self._tasks.start(watch(), "client")
        try:
            await response.send(send, headers)
        finally:
            watching.cancel()

    async def _respond(self, request: Request) -> Response:
        found = self._router.find(request.path)
        if request.method == "OPTIONS":
            return cors.options(request, [*found.operations, "OPTIONS"] if found else [])
        if found is None:
            only = "Here is a websocket: open it as one." if request.path in PATHS else "No such path: paths are exact."
            return self.failure(request, ApiError("ROUTE_NOT_FOUND", only))
        operation = found.operations.get(request.method)
        if operation is None:
            allow = ", ".join(found.operations)
            refusal = ApiError("METHOD_NOT_ALLOWED", f"This path takes {allow}.", headers={"Allow": allow})
            return self.failure(request, refusal)
        request.path_params = dict(zip(operation.placeholders, found.values, strict=True))
        return await self._answer(operation, request)

    async def _answer(self, operation: Operation, request: Request) -> Response:
        try:
            response = await self._serve(operation, request)
        except Exception as error:
            response = self.failure(request, error)
            if operation.bare_refusals and response.status_code in (400, 401, 403, 404):
                response = Response(b"", media_type=JSON_MEDIA_TYPE, status_code=400)
        self._metrics.count(operation, response.status_code, request.arrived, self._services.clock.now())
        return response

    async def _serve(self, operation: Operation, request: Request) -> Response:
        services, now = self._services, request.arrived
        if not operation.secured:
            self._throttle.check_address(request.scope, now)
            principal = NOBODY
        else:
            principal = await self._authenticated(request, while_frozen=operation.while_frozen)
        ids = path_ids(operation, request.path_params)
        check_permitted(operation, principal, request.query_params)
        context = Context(
            services,
            principal,
            now,
            ids,
            if_match=request.headers.get("if-match"),
            path=request.path_params,
            query=request.query_params,
            last_event_id=request.headers.get("last-event-id"),
        )
        given: dict[str, Any] = {}
        if operation.paged:
            closed = (parameter.name for parameter in operation.query if parameter.values)
            request.check_once("page_size", "page_token", *closed)
            given["page"] = page_of(operation, request.query_params)
        if operation.body is None:
            return await self._run(operation, request, context, given)
        with self._bodies.of(principal.customer) as count:
            raw, document = await read_json(request, operation.body_limit, count)
            given["body"] = to_struct(document, operation.body)
            return await self._run(operation, request, context, given, raw)

    async def _run(
        self, operation: Operation, request: Request, context: Context, given: dict[str, Any], raw: bytes = b""
    ) -> Response:
        async def work() -> Response:
            return _success(await operation.handler(context, **given), context)

        keyed = self._keyed(operation, request, raw)
        if keyed is None:
            return await work()
        return await self._once.answer(context, keyed, self.request_ids.of(request), self._whole(request, work))

    @staticmethod
    def _keyed(operation: Operation, request: Request, body: bytes) -> Asked | None:
        if not operation.idempotent:
            return None
        sent = f"{operation.method} {request.path}"
        return asked(request, sent, body, request.all_of(IDEMPOTENCY_KEY))

    def _whole(self, request: Request, work: Work) -> Work:
        """``work`` with its refusals as answers."""

        async def answered() -> Response:
            try:
                return await work()
            except Exception as error:
                return self.failure(request, error)

        return answered

    async def _authenticated(self, request: Request, *, while_frozen: bool = False) -> Principal:
        now = request.arrived
        self._throttle.check_address(request.scope, now)
        try:
            principal = await authenticate(request, self._services.store, now, while_frozen=while_frozen)
        except ApiError as error:
            if error.reason == "INVALID_CREDENTIALS":
                self._throttle.charge_failed_credential(request.scope, now)
            raise
        self._throttle.check_principal(request.scope, principal, now)
        return principal

    def failure(self, request: Request, error: Exception) -> Response:
        """The error answer for whatever went wrong."""
        request_id = self.request_ids.of(request)
        refusal = _refusal(error)
        if refusal.reason == "INTERNAL":
            log("request_failed", logging.ERROR, error, method=request.method, request_id=request_id)
        return Response(
            envelope(refusal, request_id),
            media_type=JSON_MEDIA_TYPE,
            status_code=refusal.http_status,
            headers=refusal.headers,
        )


def _success(answer: msgspec.Struct, context: Context) -> Response:
    headers = context.headers
    if isinstance(answer, Empty):
        return Response(b"", media_type=JSON_MEDIA_TYPE, headers=headers, status_code=200)
    if isinstance(answer, Streamed):
        return StreamedResponse(answer.pieces, media_type=answer.media_type, headers=answer.headers, gone=answer.gone)
    if isinstance(answer, Raw):
        return Response(answer.content, media_type=answer.media_type, headers=answer.headers, status_code=200)
    return Response(context.wire.encode(answer), media_type=JSON_MEDIA_TYPE, headers=headers, status_code=200)


def _refusal(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, StoreUnavailable):
        message = f"The store cannot be reached or written at the moment: {error}"
        return ApiError("SERVICE_UNAVAILABLE", message, headers={"Retry-After": str(RETRY_AFTER_S)})
    if isinstance(error, Conflict):
        return ApiError("STATE_INVALID", "Somebody else changed the object meanwhile; read it and try again.")
    if isinstance(error, LimitReached):
        return ApiError("RESOURCE_LIMIT_EXCEEDED", f"The customer has {MOST_ENTRIES} of these; delete some first.")
    if isinstance(error, Oversold):
        return FieldError(error.field, error.problem)
    if isinstance(error, NameTaken):
        return ApiError("NAME_ALREADY_EXISTS", f"Another {error.field} has this name already; choose another one.")
    return ApiError("INTERNAL")
