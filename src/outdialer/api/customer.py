"""``/customer``: the tenant that a credential belongs to."""

import re
from collections.abc import Callable
from typing import Annotated, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from outdialer.api.editing import edit, found
from outdialer.api.entries import EDIT_REASONS, merged, unless_empty
from outdialer.api.errors import FieldError, shown
from outdialer.api.operations import Context, Resource
from outdialer.api.permits import needed_to_read
from outdialer.api.webhooks.rules import check_uri, webhook_secret
from outdialer.api.wire import IdText, Text255, Text2000, TimeText, UuidText, Wire, closed, read_id
from outdialer.domain.directory import Customer
from outdialer.domain.permissions import ADMIN, allows
from outdialer.domain.units import Instant, format_id

_BLANKS = r" \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
EMAIL_PATTERN = rf"[^@{_BLANKS}\x00-\x1f\x7f]{{1,64}}@[^@{_BLANKS}\x00-\x1f\x7f]{{1,190}}"
_EMAIL = re.compile(EMAIL_PATTERN)
OPTIONAL_EMAIL = f"^({EMAIL_PATTERN})?$"
Email = Annotated[str, Meta(max_length=254, extra_json_schema={"pattern": OPTIONAL_EMAIL})]
"""What ``check`` lets pass."""
WebhookMethod = Literal["", "POST", "GET", "PUT", "DELETE"]


class CustomerUpdate(Struct, frozen=True):
    """What is left out keeps its value."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    email: Email | None = None
    phone_number: Text255 | None = None
    address: Text255 | None = None
    webhook_method: WebhookMethod | None = None
    webhook_uri: Annotated[str, Meta(max_length=2_048)] | None = None


class CustomerMetadataUpdate(Struct, frozen=True):
    """Switches of a customer."""

    rtp_debug: bool | None = None


class CustomerBilling(Struct, frozen=True):
    """Which account a customer is billed to; nothing is billed here."""

    billing_account_id: IdText | None = None


class CustomerMetadata(Struct, frozen=True):
    """Switches of a customer."""

    rtp_debug: bool


class CustomerView(Struct, frozen=True, kw_only=True):
    """A tenant. What is empty is left out, except ids, switches and times."""

    id: UuidText
    name: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    phone_number: str | UnsetType = UNSET
    address: str | UnsetType = UNSET
    webhook_method: Annotated[str, closed(get_args(WebhookMethod))] | UnsetType = UNSET
    webhook_uri: str | UnsetType = UNSET
    webhook_secret: Annotated[str, Meta(description="Signs webhooks; for admins.")] | UnsetType = UNSET
    billing_account_id: UuidText
    metadata: CustomerMetadata
    email_verified: bool
    status: Annotated[str, closed(("active", "frozen", "deleted"), "`frozen`: its deletion is scheduled.")]
    identity_verification_status: Annotated[str, closed(("none",), "Nothing is verified here.")]
    tm_deletion_scheduled: TimeText | None
    tm_create: TimeText | None
    tm_update: TimeText | None
    tm_delete: TimeText | None


own_customer = Resource("customer", "The tenant that owns everything a credential opens.")
_EXAMPLE = {"name": "Example Ltd", "email": "office@company.example"}


def view(customer: Customer, wire: Wire, now: Instant) -> CustomerView:
    """A customer as clients read it at ``now``."""
    return CustomerView(
        id=format_id(customer.id),
        name=unless_empty(customer.name),
        detail=unless_empty(customer.detail),
        email=unless_empty(customer.email),
        phone_number=unless_empty(customer.phone_number),
        address=unless_empty(customer.address),
        webhook_method=unless_empty(customer.webhook_method),
        webhook_uri=unless_empty(customer.webhook_uri),
        billing_account_id=format_id(customer.billing_account_id),
        metadata=CustomerMetadata(rtp_debug=customer.rtp_debug),
        email_verified=False,
        status=customer.status_at(now),
        identity_verification_status="none",
        tm_deletion_scheduled=wire.time(customer.tm_deletion_scheduled),
        tm_create=wire.time(customer.tm_create),
        tm_update=wire.time(customer.tm_update),
        tm_delete=wire.time(customer.tm_delete),
    )


def is_email(text: str) -> bool:
    """Whether a text has the form of an e-mail address."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def check(context: Context, body: CustomerUpdate) -> None:
    """Check what a customer is to be.

    Raises:
        FieldError: a field cannot be used.
    """
    if body.email and not is_email(body.email):
        raise FieldError("email", f"{shown(body.email)} is not an e-mail address")
    if body.webhook_uri:
        check_uri("webhook_uri", body.webhook_uri, on_premises=context.services.on_premises)


async def _read(context: Context, key: int) -> Customer:
    return found(await context.store.customer(key), "CUSTOMER_NOT_FOUND", "customer")


async def change_customer(context: Context, key: int, merge: Callable[[Customer], Customer]) -> CustomerView:
    """Merge a change into the customer with this store key.

    Raises:
        ApiError: there is none, or it has another version than ``If-Match`` asks for.
    """

    async def change(customer: Customer) -> Customer:
        return merge(customer)

    saved = await edit(
        context,
        lambda: _read(context, key),
        change,
        lambda changed: context.store.save_customer(changed, context.now),
        "customer",
    )
    context.services.webhooks_changed()
    return await _as_seen(context, saved)


async def _as_seen(context: Context, customer: Customer) -> CustomerView:
    """A customer as the caller reads it: its own admins see what signs its webhooks.

    Where they go may hold a secret, and is shown to whoever may read webhooks.
    """
    seen = view(customer, context.wire, context.now)
    if not allows(context.principal.permission, needed_to_read("webhooks")):
        return structs.replace(seen, webhook_method=UNSET, webhook_uri=UNSET)
    own = customer.key == context.customer and allows(context.principal.permission, ADMIN)
    if not own or not customer.webhook_uri:
        return seen
    state = await context.store.webhook_state(customer.key, customer.id)
    return structs.replace(seen, webhook_secret=await webhook_secret(context, customer.id, state))


@own_customer.operation("GET", "/customer")
async def get_customer(context: Context) -> CustomerView:
    """Read the customer that the credential belongs to."""
    customer = await _read(context, context.customer)
    context.show_version(customer.version)
    return await _as_seen(context, customer)


@own_customer.operation("PUT", "/customer", *EDIT_REASONS, versioned=True, example=_EXAMPLE)
async def update_customer(context: Context, body: CustomerUpdate) -> CustomerView:
    """Change the customer.

    Events are delivered to its webhook_uri from then on; a new one is enabled, see the webhooks. "" ends that.
    """
    check(context, body)
    return await change_customer(context, context.customer, lambda customer: merged(customer, body))


@own_customer.operation("PUT", "/customer/metadata", *EDIT_REASONS, versioned=True, example={"rtp_debug": False})
async def update_customer_metadata(context: Context, body: CustomerMetadataUpdate) -> CustomerView:
    """Change the customer's switches."""
    return await change_customer(context, context.customer, lambda customer: merged(customer, body))


@own_customer.operation(
    "PUT", "/customer/billing_account_id", *EDIT_REASONS, versioned=True, example={"billing_account_id": ""}
)
async def update_customer_billing_account_id(context: Context, body: CustomerBilling) -> CustomerView:
    """Change which account the customer is billed to."""

    def merge(customer: Customer) -> Customer:
        account = read_id(body.billing_account_id, "billing_account_id", customer.billing_account_id)
        return structs.replace(customer, billing_account_id=account)

    return await change_customer(context, context.customer, merge)
