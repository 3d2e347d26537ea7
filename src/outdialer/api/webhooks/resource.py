"""``/webhooks``: the places that events are delivered to.

A customer's own ``webhook_uri`` is one more of them: it has the customer's id here, and is written through
``/customer``.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api.editing import alive
from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, Shelf, merged
from outdialer.api.errors import ApiError, FieldError, shown
from outdialer.api.events.render import EVENT_TYPES
from outdialer.api.operations import Context, Resource
from outdialer.api.webhooks.rules import check_uri, webhook_secret
from outdialer.api.wire import Text255, Text2000, TimeText, UuidText, closed
from outdialer.domain.directory import Webhook, customer_id
from outdialer.domain.units import format_id
from outdialer.ports.store import Page
from outdialer.ports.webhooks import WebhookState

MOST_WEBHOOKS = 20
"""Of one customer."""
MOST_SHOWN = 100
"""Waiting events in one answer."""
UriText = Annotated[
    str,
    Meta(
        max_length=2_048,
        description="https://host/path, at a public address; the port is 443 or 8443.",
        examples=["https://crm.company.example/hook"],
    ),
]
EventTypes = Annotated[
    list[Text255], Meta(max_length=200, description=f"Empty: all events. Possible: {', '.join(EVENT_TYPES)}.")
]


class WebhookBody(Struct, frozen=True):
    """A webhook as a client writes it; what a change leaves out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    uri: UriText | None = None
    method: Literal["", "POST", "GET", "PUT", "DELETE"] | None = None
    event_types: EventTypes | None = None


class WebhookCreate(WebhookBody, frozen=True, kw_only=True):
    """A new webhook."""

    uri: UriText


class WebhookView(Struct, frozen=True, kw_only=True):
    """A place that events are delivered to."""

    id: UuidText
    customer_id: UuidText
    name: str
    detail: str
    uri: str
    method: Annotated[str, closed(("POST", "GET", "PUT", "DELETE"))]
    event_types: list[str]
    status: Annotated[str, closed(("enabled", "disabled"))]
    disabled_reason: Annotated[str, Meta(description="Why it gets nothing; empty while it is enabled.")]
    secret: (
        Annotated[str, Meta(description="Signs what is delivered. Only in the answers to creation and rotation.")]
        | UnsetType
    ) = UNSET
    tm_rotate: Annotated[TimeText | None, Meta(description="When its secret was rotated last.")]
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


class WebhookList(Struct, frozen=True):
    """A page of webhooks, newest first."""

    result: list[WebhookView]
    next_page_token: str


class TryView(Struct, frozen=True, kw_only=True):
    """One try to deliver an event."""

    event_id: str
    type: str
    tm_try: TimeText | None
    delivered: bool
    status_code: Annotated[int, Meta(description="What it answered; 0: nothing.")]
    error: str


class WaitingView(Struct, frozen=True, kw_only=True):
    """An event that was not delivered yet and is written down for its next try."""

    event_id: str
    type: str
    tries: int
    status_code: Annotated[int, Meta(description="What its last try was answered with; 0: nothing.")]
    error: str
    tm_try: Annotated[TimeText | None, Meta(description="Its last try; null: it waits behind another event.")]
    tm_next: Annotated[TimeText | None, Meta(description="Not before then.")]


class Deliveries(Struct, frozen=True):
    """What came of deliveries."""

    tried: Annotated[list[TryView], Meta(description="The latest 100 tries since the server was started.")]
    waiting: Annotated[list[WaitingView], Meta(description="The oldest 100 that wait.")]


webhooks = Resource(
    "webhooks",
    "Places that events are delivered to, signed as Standard Webhooks 1.0.0 says. The customer's own webhook_uri can "
    "be read, enabled and rotated here too, by the customer's id.",
    "INVALID_ID",
    "WEBHOOK_NOT_FOUND",
)
_shelf = Shelf(Webhook, "webhook", "WEBHOOK_NOT_FOUND")
_EXAMPLE = {"name": "CRM", "uri": "https://crm.company.example/hook", "event_types": ["campaigncall_updated"]}


def _check(context: Context, webhook: Webhook, body: WebhookBody) -> Webhook:
    changed = merged(webhook, body, event_types=_event_types(body.event_types, webhook.event_types))
    if not changed.uri:
        raise FieldError("uri", "it is missing; write https://host/path")
    if body.uri is not None:
        check_uri("uri", changed.uri, on_premises=context.services.on_premises)
    return changed


def _event_types(sent: Iterable[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    if sent is None:
        return default
    for index, name in enumerate(sent):
        if name not in EVENT_TYPES:
            raise FieldError(f"event_types[{index}]", f"{shown(name)} is not an event; write {', '.join(EVENT_TYPES)}")
    return tuple(dict.fromkeys(sent))


async def _view(context: Context, webhook: Webhook, *, secret: bool = False) -> WebhookView:
    state = await context.store.webhook_state(context.customer, webhook.id)
    return await _view_of(context, webhook, state, secret=secret)


async def _view_of(context: Context, webhook: Webhook, state: WebhookState, *, secret: bool) -> WebhookView:
    gone = webhook.tm_delete is not None
    if secret:
        context.headers["Cache-Control"] = "no-store"
    return WebhookView(
        id=format_id(webhook.id),
        customer_id=context.wire.customer_id,
        name=webhook.name,
        detail=webhook.detail,
        uri=webhook.uri,
        method=webhook.method or "POST",
        event_types=list(webhook.event_types),
        status="enabled" if state.enabled and not gone else "disabled",
        disabled_reason="it is deleted" if gone else state.reason,
        secret=await webhook_secret(context, webhook.id, state) if secret else UNSET,
        tm_rotate=context.wire.time(state.tm_rotate),
        tm_create=context.wire.time(webhook.tm_create),
        tm_update=context.wire.time(webhook.tm_update),
        tm_delete=context.wire.time(webhook.tm_delete),
    )


async def _read(context: Context) -> Webhook:
    """The webhook that the path names, the customer's own one included."""
    if context.id != customer_id(context.customer):
        return await _shelf.read(context)
    customer = await context.store.customer(context.customer)
    if customer is None or not customer.webhook_uri:
        raise ApiError("WEBHOOK_NOT_FOUND", "The customer has no webhook_uri; set it with PUT /customer.")
    return Webhook(
        id=customer.id,
        name="webhook_uri of the customer",
        uri=customer.webhook_uri,
        method=customer.webhook_method,
        tm_create=customer.tm_create or 0,
        tm_update=customer.tm_update,
    )


async def _unversioned(context: Context) -> Webhook:
    """The webhook that the path names, for an answer that is not about what people edit."""
    webhook = await _read(context)
    context.headers.pop("ETag", None)
    return webhook


def _not_own(context: Context) -> None:
    if context.id == customer_id(context.customer):
        raise ApiError("STATE_INVALID", "This is the customer's own webhook_uri; change it with PUT /customer.")


@webhooks.operation("POST", "/webhooks", *CREATE_REASONS, example=_EXAMPLE)
async def create_webhook(context: Context, body: WebhookCreate) -> WebhookView:
    """Create a webhook.

    It is told of everything that happens from now on. The answer shows its secret; after that only a rotation shows
    a new one.
    """
    blank = Webhook(id=context.services.ids.new(context.now), tm_create=context.now)
    wanted = _check(context, blank, body)
    there = await context.store.entries(context.customer, Webhook, Page(size=MOST_WEBHOOKS))
    if len(there) == MOST_WEBHOOKS and wanted.id not in {one.id for one in there}:
        raise ApiError("RESOURCE_LIMIT_EXCEEDED", f"The customer has {MOST_WEBHOOKS} webhooks; delete some first.")
    created = await _shelf.create(context, wanted)
    context.services.webhooks_changed()
    return await _view(context, created, secret=True)


@webhooks.operation("GET", "/webhooks", "INVALID_REQUEST_PARAMETER")
async def list_webhooks(context: Context, page: Page) -> WebhookList:
    """List webhooks, newest first.

    The customer's own webhook_uri is not among them.
    """
    rows, token = await _shelf.page(context, page)
    return WebhookList([await _view(context, row) for row in rows], token)


@webhooks.operation("GET", "/webhooks/{id}")
async def get_webhook(context: Context) -> WebhookView:
    """Read a webhook, deleted or not."""
    return await _view(context, await _read(context))


@webhooks.operation("PUT", "/webhooks/{id}", *EDIT_REASONS, versioned=True, example=_EXAMPLE)
async def update_webhook(context: Context, body: WebhookBody) -> WebhookView:
    """Change a webhook.

    What waits for it is delivered to the new place. One that is disabled stays so until it is enabled.
    """
    _not_own(context)
    changed = await _shelf.change(context, lambda webhook: _check(context, webhook, body))
    context.services.webhooks_changed()
    return await _view(context, changed)


@webhooks.operation("DELETE", "/webhooks/{id}", "STATE_INVALID", versioned=True)
async def delete_webhook(context: Context) -> WebhookView:
    """Delete a webhook.

    What was not delivered yet is not delivered any more.
    """
    _not_own(context)
    deleted = await _shelf.delete(context)
    context.services.webhooks_changed()
    return await _view(context, deleted)


@webhooks.operation("POST", "/webhooks/{id}/rotate_secret", "STATE_INVALID")
async def rotate_webhook_secret(context: Context) -> WebhookView:
    """Give a webhook a new secret.

    The answer shows it. For 24 hours everything is signed with the one before too.
    """
    webhook = alive(await _unversioned(context), "webhook")
    state = await context.store.rotate_webhook_secret(context.customer, webhook.id, context.now)
    context.services.webhooks_changed()
    return await _view_of(context, webhook, state, secret=True)


@webhooks.operation("POST", "/webhooks/{id}/enable", "STATE_INVALID")
async def enable_webhook(context: Context) -> WebhookView:
    """Deliver to a disabled webhook again.

    It goes on where it stopped, with everything that waits; what was removed from the books meanwhile is missing.
    Enabling an enabled one changes nothing.
    """
    webhook = alive(await _unversioned(context), "webhook")
    state = await context.store.enable_webhook(context.customer, webhook.id, context.now)
    context.services.webhooks_changed()
    return await _view_of(context, webhook, state, secret=False)


@webhooks.operation("GET", "/webhooks/{id}/deliveries")
async def list_webhook_deliveries(context: Context) -> Deliveries:
    """Read the latest tries of a webhook, and what waits for its next try.

    What a receiver has sent is not shown, only its status code.
    """
    webhook = await _unversioned(context)
    waiting = await context.store.webhook_waiting(context.customer, webhook.id, MOST_SHOWN)
    time = context.wire.time
    return Deliveries(
        tried=[
            TryView(
                event_id=one.event_id,
                type=one.type,
                tm_try=time(one.at),
                delivered=not one.why,
                status_code=one.code,
                error=one.why,
            )
            for one in context.services.webhook_tries(context.customer, webhook.id)
        ],
        waiting=[
            WaitingView(
                event_id=one.event_id,
                type=one.type,
                tries=one.tries,
                status_code=one.code,
                error=one.why,
                tm_try=time(one.last_try),
                tm_next=time(one.due),
            )
            for one in waiting
        ],
    )
