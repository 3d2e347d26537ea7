"""``Idempotency-Key``: a request that comes again has one effect and the same answer, for a day.

The request is put on the books before it runs, and its answer after it. In between, what it makes carries the time of
the reservation and identifiers drawn from it, and stores know an object again by its id. So when the server dies
between effect and answer, the request simply runs again: it finds what it made, and gives the same answer. A secret
is drawn from the asking credential too, and an answer that holds one (``Cache-Control: no-store``) is sealed with it,
so that a stolen copy of the books gives away neither; and nobody else is shown it.
"""

import asyncio
import contextlib
import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from msgspec import Struct, structs

from outdialer.api.auth import credential
from outdialer.api.errors import ApiError, ErrorEnvelope
from outdialer.api.http import Request, Response
from outdialer.api.operations import JSON_MEDIA_TYPE, Context
from outdialer.domain.units import Id, Instant
from outdialer.engine.crash import reach
from outdialer.engine.system import uuid7
from outdialer.ports.directory import ApiStore
from outdialer.ports.idempotency import KeptAnswer, KeptFull, Reservation
from outdialer.ports.store import StoreUnavailable
from outdialer.telemetry import log

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_GOOD_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_WITHOUT_EFFECT = frozenset({400, 401, 403, 429})
"""Answers after which the key is free again, for the request as it should have been."""
_NOT_YOURS = "its answer holds a secret, which is shown to the credential that asked first alone"
_FIRST_FAILURE = 500
"""Answers from here on are not kept: whether they had an effect is found out when the request comes again."""


class Asked(Struct, frozen=True):
    """A request that carries a key."""

    key: bytes
    credential: bytes
    request: str
    """Method and path."""
    body: bytes

    def reservation(self, now: Instant) -> Reservation:
        """What is put on the books of it."""
        mac = hmac.new(self.key, self.request.encode(), "sha256")
        mac.update(b"\n")
        mac.update(self.body)
        return Reservation(
            name=hashlib.sha256(self.key).digest(),
            request=self.request,
            fingerprint=mac.digest(),
            credential=hashlib.sha256(self.credential).digest(),
            at=now,
        )

    def sealed(self, body: bytes, at: Instant) -> bytes:
        """A body under a one-time pad, and back again: the pad is used for one answer of one reservation alone."""
        seed = hmac.digest(self.key, at.to_bytes(8, "big") + self.credential, "sha256")
        pad = hashlib.shake_256(seed).digest(len(body))
        return (int.from_bytes(body, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(body), "big")

    def unsealed(self, held: Reservation) -> bytes:
        """The body that was kept."""
        assert held.answer is not None
        is_sealed = _is_secret(held.answer.headers)
        return self.sealed(held.answer.body, held.at) if is_sealed else held.answer.body


class Draws:
    """Identifiers and secrets that come out the same whenever the same request runs again."""

    def __init__(self, seed: bytes, credential: bytes, *, is_first: bool) -> None:
        self._seed = seed
        self._secret_seed = hmac.digest(seed, credential, "sha256")
        self._is_first = is_first
        self._drawn = 0
        self.refused = False
        """Whether a secret was asked for by a credential that may not see it."""

    def new(self, now: Instant) -> Id:
        """The next identifier: a UUID version 7."""
        return uuid7(now, self._draw(self._seed, 10))

    def random_bytes(self, count: int) -> bytes:
        """The next bytes of a secret.

        Raises:
            ApiError: another credential than this one asked first.
        """
        if not self._is_first:
            self.refused = True
            raise _reused(_NOT_YOURS)
        return self._draw(self._secret_seed, count)

    def _draw(self, seed: bytes, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(seed + self._drawn.to_bytes(8, "big")).digest(count)


def asked(request: Request, sent: str, body: bytes, keys: list[str]) -> Asked | None:
    """The request as one that carries a key; None when it carries none. ``sent``: its method and path.

    Raises:
        ApiError: the key cannot be read.
    """
    if not keys:
        return None
    if len(keys) > 1 or not _GOOD_KEY.fullmatch(keys[0]):
        raise ApiError("INVALID_REQUEST_PARAMETER", f"{HEADER}: send one key of 1 to 255 visible ASCII characters.")
    return Asked(keys[0].encode(), (credential(request) or "").encode(), sent, body)


class Once:
    """Runs each keyed request once."""

    def __init__(self, store: ApiStore, most_bytes: int) -> None:
        """``most_bytes`` may be kept of one customer's requests."""
        self._store = store
        self._most = most_bytes
        self._running: dict[tuple[int, bytes], asyncio.Event] = {}

    async def answer(
        self, context: Context, request: Asked, request_id: str, work: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The answer to a keyed request: what ``work`` answers over ``context``, or what was answered before.

        Raises:
            ApiError: the key stands for another request, or is one too many.
        """
        wanted = request.reservation(context.now)
        name = (context.customer, wanted.name)
        while name in self._running:
            await self._running[name].wait()
        self._running[name] = asyncio.Event()
        try:
            return await self._answer(context, request, wanted, request_id, work)
        finally:
            self._running.pop(name).set()

    async def _answer(
        self,
        context: Context,
        request: Asked,
        wanted: Reservation,
        request_id: str,
        work: Callable[[], Awaitable[Response]],
    ) -> Response:
        held = await self._reserved(context.customer, wanted)
        is_first = hmac.compare_digest(held.credential, wanted.credential)
        _check_same(held, wanted)
        if held.answer is not None:
            if _is_secret(held.answer.headers) and not is_first:
                raise _reused(_NOT_YOURS)
            return _replay(held.answer, request.unsealed(held), request_id)
        draws = await self._draws(context.customer, request, held.at, is_first=is_first)
        context.now, context.again = held.at, held.at != wanted.at
        context.services = structs.replace(context.services, ids=draws, random_bytes=draws.random_bytes)
        response = await work()
        if draws.refused:
            return response
        reach("answer-made")
        await self._remember(context, request, held, response)
        return response

    async def _reserved(self, customer: int, wanted: Reservation) -> Reservation:
        try:
            return await self._store.reserve_request(customer, wanted, self._most)
        except KeptFull:
            raise ApiError(
                "RESOURCE_LIMIT_EXCEEDED",
                f"{HEADER}: {self._most // 1_000_000} MB are kept of this customer's answers of the last 24 hours, "
                "which is the most. Send fewer keys, or without one what may happen twice; nothing has been done.",
            ) from None

    async def _draws(self, customer: int, request: Asked, at: Instant, *, is_first: bool) -> Draws:
        facts = customer.to_bytes(8, "big") + at.to_bytes(8, "big") + request.key
        secret = await self._store.install_secret()
        return Draws(hmac.digest(secret, b"idempotency" + facts, "sha256"), request.credential, is_first=is_first)

    async def _remember(self, context: Context, request: Asked, held: Reservation, response: Response) -> None:
        customer, status = context.customer, response.status_code
        refused = status in _WITHOUT_EFFECT
        if status >= _FIRST_FAILURE or (refused and context.again):
            return
        try:
            if refused:
                await self._store.free_request(customer, held)
                return
            body = response.content
            if _is_secret(response.headers):
                body = request.sealed(body, held.at)
            kept = KeptAnswer(status=status, headers=response.headers, body=body)
            await self._store.keep_answer(customer, held, kept)
        except StoreUnavailable as error:
            # The effect is there and the answer is right; the same request would find both again.
            log("store_unavailable", logging.ERROR, why=str(error))


def _is_secret(headers: Mapping[str, str]) -> bool:
    return headers.get("Cache-Control") == "no-store"


def _check_same(held: Reservation, wanted: Reservation) -> None:
    if held.request != wanted.request:
        raise _reused(f"it stands for {held.request}")
    if not hmac.compare_digest(held.fingerprint, wanted.fingerprint):
        raise _reused("it stands for a request with another body")


def _reused(why: str) -> ApiError:
    return ApiError("IDEMPOTENCY_KEY_REUSED", f"{HEADER}: {why}; send a new key with a new request.")


def _replay(answer: KeptAnswer, body: bytes, request_id: str) -> Response:
    if answer.status >= 400:
        with contextlib.suppress(msgspec.DecodeError):
            envelope = msgspec.json.decode(body, type=ErrorEnvelope)
            body = msgspec.json.encode(ErrorEnvelope(structs.replace(envelope.error, request_id=request_id)))
    headers = {**answer.headers, REPLAYED: "true"}
    return Response(body, media_type=JSON_MEDIA_TYPE, status_code=answer.status, headers=headers)
