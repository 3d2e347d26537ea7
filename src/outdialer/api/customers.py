"""``/customers``: every tenant, for whoever runs the installation."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api import accesskeys, paging
from outdialer.api.accesskeys import AccesskeyView
from outdialer.api.auth import new_access_key
from outdialer.api.credentials import Password, hashed, read_username
from outdialer.api.customer import OPTIONAL_EMAIL, CustomerUpdate, CustomerView, change_customer, check, view
from outdialer.api.editing import found
from outdialer.api.entries import CREATE_REASONS, EDIT_REASONS, merged
from outdialer.api.errors import ApiError, FieldError
from outdialer.api.operations import Context, Resource
from outdialer.api.wire import Wire
from outdialer.domain.directory import Agent, Customer, customer_key
from outdialer.domain.model import AccessKey
from outdialer.domain.permissions import ADMIN, OPERATOR_CUSTOMER
from outdialer.domain.units import MICROSECONDS_PER_SECOND, NIL_ID, Id, Instant
from outdialer.ports.directory import NameTaken, NewCustomer
from outdialer.ports.store import Page

FIRST_KEY_LIFETIME_S = accesskeys.DEFAULT_LIFETIME_S


class CustomerCreate(CustomerUpdate, frozen=True):
    """A new customer. With `username` and `password` it has a first agent, who is its admin."""

    username: (
        Annotated[
            str, Meta(max_length=254, description="An e-mail address.", extra_json_schema={"pattern": OPTIONAL_EMAIL})
        ]
        | None
    ) = None
    password: Password | None = None
    accesskey: Annotated[bool, Meta(description="Whether to make a first access key; true if left out.")] | None = None


class CustomerCreated(CustomerView, frozen=True, kw_only=True):
    """A new customer, and its first access key, whose token is shown here and nowhere else."""

    accesskey: AccesskeyView | UnsetType = UNSET


class CustomerList(Struct, frozen=True):
    """A page of customers, newest first."""

    result: list[CustomerView]
    next_page_token: str


class _Listed(Struct, frozen=True):
    """A customer as lists are ordered: the first one is the oldest."""

    id: Id
    tm_create: Instant
    customer: Customer


customers = Resource(
    "customers",
    "Every tenant, for whoever runs the installation. A tenant dials through its routes alone: until one leads "
    "to a provider, its campaigns wait for `trunk`.",
    "INVALID_ID",
    "CUSTOMER_NOT_FOUND",
)
_EXAMPLE = {"name": "Example Ltd", "email": "office@company.example"}


def _key(context: Context) -> int:
    """The store key of the customer that the path names; 0, which nobody has, for an id that is no customer's."""
    return customer_key(context.id) or 0


async def _read(context: Context) -> Customer:
    return found(await context.store.customer(_key(context)), "CUSTOMER_NOT_FOUND", "customer")


@customers.operation(
    "POST", "/customers", *CREATE_REASONS, "INVALID_USERNAME_FORMAT", "AGENT_ALREADY_EXISTS", example=_EXAMPLE
)
async def create_customer(context: Context, body: CustomerCreate) -> CustomerCreated:
    """Create a customer with a first access key, a first agent, or both."""
    check(context, body)
    if not body.username and body.accesskey is False:
        raise FieldError("accesskey", "nothing would open the customer's books; leave it out, or write a username")
    agent, password_hash = await _first_agent(context, body)
    token, key = (None, None) if body.accesskey is False else _first_key(context)
    blank = Customer(key=0, id=NIL_ID, tm_create=context.now)
    new = NewCustomer(customer=merged(blank, body), agent=agent, password_hash=password_hash, access_key=key)
    try:
        made = await context.store.create_customer(new)
    except NameTaken:
        raise ApiError("AGENT_ALREADY_EXISTS") from None
    await context.services.customer_added(made.key)
    context.services.webhooks_changed()
    context.headers["Cache-Control"] = "no-store"
    wire = Wire(made.key, context.wire.old_time_format)
    shown_key = UNSET if key is None or token is None else accesskeys.view(key, wire, token)
    seen = view(made, context.wire, context.now)
    fields = {name: getattr(seen, name) for name in CustomerView.__struct_fields__}
    return CustomerCreated(**fields, accesskey=shown_key)


async def _first_agent(context: Context, body: CustomerCreate) -> tuple[Agent | None, str]:
    if not body.username:
        return None, ""
    agent = Agent(
        id=context.services.ids.new(context.now),
        username=read_username(body.username),
        permission=ADMIN,
        tm_create=context.now,
    )
    return agent, await hashed(context, body.password or "")


def _first_key(context: Context) -> tuple[str, AccessKey]:
    """An access key for the admin of a customer whose store key is not known yet."""
    return new_access_key(
        context.services.random_bytes,
        id=context.services.ids.new(context.now),
        customer=0,
        now=context.now,
        name="first key",
        permission=ADMIN,
        tm_expire=context.now + FIRST_KEY_LIFETIME_S * MICROSECONDS_PER_SECOND,
    )


@customers.operation("GET", "/customers", "INVALID_REQUEST_PARAMETER")
async def list_customers(context: Context, page: Page) -> CustomerList:
    """List customers, deleted ones too, newest first."""

    async def read(asked: Page) -> list[_Listed]:
        return [_Listed(row.id, row.tm_create or 0, row) for row in await context.store.customers_page(asked)]

    rows, token = await paging.fetch(page, read)
    return CustomerList([view(row.customer, context.wire, context.now) for row in rows], token)


@customers.operation("GET", "/customers/{id}")
async def get_customer_by_id(context: Context) -> CustomerView:
    """Read a customer, deleted or not."""
    customer = await _read(context)
    context.show_version(customer.version)
    return view(customer, context.wire, context.now)


@customers.operation("PUT", "/customers/{id}", *EDIT_REASONS, versioned=True, example=_EXAMPLE)
async def update_customer_by_id(context: Context, body: CustomerUpdate) -> CustomerView:
    """Change a customer."""
    check(context, body)
    return await change_customer(context, _key(context), lambda customer: merged(customer, body))


@customers.operation("DELETE", "/customers/{id}", "STATE_INVALID")
async def delete_customer(context: Context) -> CustomerView:
    """Freeze a customer, which is deleted after 30 days.

    Its campaigns stop at once, and its credentials open nothing but `DELETE /auth/unregister`.
    """
    await _read(context)
    return await freeze(context, _key(context))


@customers.operation("POST", "/customers/{id}/recover", "STATE_INVALID")
async def recover_customer(context: Context) -> CustomerView:
    """Take the deletion of a frozen customer back. Its campaigns stay stopped."""
    await _read(context)
    return await keep(context, _key(context))


async def freeze(context: Context, customer: int) -> CustomerView:
    """Schedule a customer's deletion.

    Raises:
        ApiError: the installation stands on it.
    """
    if customer == OPERATOR_CUSTOMER:
        raise ApiError("STATE_INVALID", "This customer runs the installation, so it cannot be deleted.")
    frozen = found(await context.store.schedule_deletion(customer, context.now), "CUSTOMER_NOT_FOUND", "customer")
    context.services.webhooks_changed()
    return view(frozen, context.wire, context.now)


async def keep(context: Context, customer: int) -> CustomerView:
    """Take a customer's deletion back.

    Raises:
        ApiError: it is too late.
    """
    kept = found(await context.store.keep_customer(customer, context.now), "CUSTOMER_NOT_FOUND", "customer")
    if kept.tm_deletion_scheduled is not None:
        raise ApiError("STATE_INVALID", "The customer is deleted, which cannot be taken back any more.")
    context.services.webhooks_changed()
    return view(kept, context.wire, context.now)
