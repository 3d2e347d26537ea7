"""``GET /events``: what happens, as Server-Sent Events (the WHATWG HTML standard, section 9.2)."""

from collections.abc import AsyncGenerator, Sequence
from typing import TypeAlias

from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError
from outdialer.api.events.event import ClientEvent
from outdialer.api.events.feed import Feed, Place
from outdialer.api.events.follower import Ending, Follower
from outdialer.api.events.topics import check_topics, hidden_from, roots
from outdialer.api.events.welcome import Welcome
from outdialer.api.operations import Context, QueryParameter, Resource, Streamed
from outdialer.api.wire import Wire
from outdialer.domain.permissions import OPERATOR_CUSTOMER

MEDIA_TYPE = "text/event-stream; charset=utf-8"
HEARTBEAT_S = 15.0
RETRY_MS = 2_000
"""When a client shall come again after a connection was lost."""
_GAP = (
    b'event: gap\ndata: {"reason":"events after your Last-Event-ID are not kept any more; read the objects anew"}\n\n'
)
_UNKNOWN = b'event: gap\ndata: {"reason":"your Last-Event-ID is not an id of ours; events follow from now on"}\n\n'

Pieces: TypeAlias = AsyncGenerator[bytes, None]

events = Resource("events", "What happens, told while it happens.")


def written(happened: Sequence[ClientEvent]) -> bytes:
    """Events as this channel writes them."""
    return b"".join(
        b"id: %b\nevent: %b\ndata: %b\n\n" % (event.id.encode(), event.type.encode(), event.data) for event in happened
    )


def admit(follower: Follower, principal: Principal, feed: Feed) -> None:
    """Count a principal's connection that is about to follow.

    Raises:
        ApiError: there is nothing that it may follow, or its customer has as many connections as it may have.
    """
    if not roots(principal):
        raise ApiError("PERMISSION_DENIED", f"There is nothing to follow with the permission {principal.permission}.")
    if not feed.admit(follower):
        raise ApiError(
            "RESOURCE_LIMIT_EXCEEDED", f"{feed.most} connections of this customer follow already; close some."
        )


@events.operation(
    "GET",
    "/events",
    "INVALID_REQUEST_PARAMETER",
    "RESOURCE_LIMIT_EXCEEDED",
    media_type=MEDIA_TYPE,
    query=(
        QueryParameter(
            "topics",
            "Topics separated by commas, as over the websocket; absent: everything that may be followed.",
            example=f"customer_id:{Wire(OPERATOR_CUSTOMER).customer_id}:campaigncall",
        ),
        QueryParameter(
            "last_event_id",
            "Where to go on, for clients that cannot send the header `Last-Event-ID`, which decides when both are "
            "there: the id of the last event that was read.",
            example="evt_5zq2m7kdvw3xj4nhcaoy6bgtre",
        ),
    ),
)
async def follow_events(context: Context) -> Streamed:
    """Follow what happens, as Server-Sent Events.

    Each event has its id, its type (`event:`) and the object right after the change (`data:`), as its GET answered
    then. Send the last id as `Last-Event-ID` to go on where a connection was lost; an event `gap` says that some are
    not kept any more. Comments keep the connection open.
    """
    principal, feed = context.principal, context.services.feed
    asked = context.query.get("topics")
    topics = check_topics(asked.split(",") if asked else roots(principal), principal)
    last = context.last_event_id or context.query.get("last_event_id")
    place = await feed.place_of(last) if last else None
    follower = Follower(context.wire, written, topics, hidden_from(principal))
    admit(follower, principal, feed)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    pieces = _pieces(context, follower, place, unknown=bool(last) and place is None)
    return Streamed(pieces, MEDIA_TYPE, gone=lambda: follower.end(Ending.GONE), headers=headers)


async def _pieces(context: Context, follower: Follower, place: Place | None, *, unknown: bool) -> Pieces:
    feed = context.services.feed
    welcome = Welcome(context.principal, context.services)
    try:
        yield b"retry: %d\n\n" % RETRY_MS + (_UNKNOWN if unknown else b"")
        if place is None:
            await feed.join(follower)
        else:
            async for missed in feed.catch_up(follower, place):
                if missed.lost:
                    yield _GAP
                if missed.piece:
                    yield missed.piece
                if follower.ending is not None:
                    break
        while (piece := await follower.next(HEARTBEAT_S)) is not None:
            yield piece or b":\n\n"
            if not await welcome.holds():
                follower.end(Ending.REVOKED)
        yield b": %b\n\n" % str(follower.ending).encode()
    finally:
        feed.leave(follower)
