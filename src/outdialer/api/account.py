"""``/auth/*`` beside the login: signing up, forgotten passwords and the like. They wait for what they need."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api.accesskeys import AccesskeyView
from outdialer.api.credentials import Password
from outdialer.api.customer import CustomerView
from outdialer.api.customers import freeze, keep
from outdialer.api.errors import FieldError
from outdialer.api.operations import Context, QueryParameter, Resource, unavailable
from outdialer.api.wire import Text255, Text2000, TimeText, UuidText

DIRECT = "calls that come in"
SIGNUP = "customers that sign up themselves"
MAIL = "mail to be sent"
CONFIRMATION = "DELETE"


class DirectBoot(Struct, frozen=True):
    """The shortcut that a page was given."""

    direct_hash: Text255


class DirectToken(Struct, frozen=True, kw_only=True):
    """A token that opens one thing."""

    token: str
    type: str
    resource_type: str
    resource_id: UuidText
    customer_id: UuidText
    expire: TimeText
    resource_data: dict[str, Any]


class Signup(Struct, frozen=True, kw_only=True):
    """Who wants to become a customer."""

    name: Text255 | None = None
    detail: Text2000 | None = None
    email: Text255
    phone_number: Text255 | None = None
    address: Text255 | None = None
    webhook_method: Text255 | None = None
    webhook_uri: Text2000 | None = None
    accepted_tos: bool


class SignupResult(Struct, frozen=True):
    """The new customer and its first access key; empty when there is none."""

    customer: CustomerView | UnsetType = UNSET
    accesskey: AccesskeyView | UnsetType = UNSET


class MailedToken(Struct, frozen=True):
    """What was in a mail."""

    token: Text255


class PasswordForgotten(Struct, frozen=True):
    """Whose password is forgotten."""

    username: Text255


class PasswordReset(Struct, frozen=True):
    """What was in a mail, and the new password."""

    token: Text255
    password: Password


class Unregistration(Struct, frozen=True):
    """That a customer really wants to leave."""

    password: Password | None = None
    confirmation_phrase: Annotated[str, Meta(max_length=255, description="`DELETE`.")] | None = None
    immediate: bool | None = None


class Nothing(Struct, frozen=True):
    """Nothing to tell."""


account = Resource("auth", "Logging in.")
_BODY = ("INVALID_JSON_BODY", "INVALID_ARGUMENT")
_RESET = {"token": "mailed", "password": "correct horse battery"}


@account.operation(
    "POST", "/auth/boot", *_BODY, base="", secured=False, awaits=DIRECT, example={"direct_hash": "5f1d0c3a9b7e"}
)
async def boot(context: Context, body: DirectBoot) -> DirectToken:
    """Turn a shortcut into a token."""
    raise unavailable(DIRECT)


@account.operation(
    "POST",
    "/auth/signup",
    *_BODY,
    base="",
    secured=False,
    awaits=SIGNUP,
    example={"name": "Example Ltd", "email": "office@company.example", "accepted_tos": True},
)
async def sign_up(context: Context, body: Signup) -> SignupResult:
    """Become a customer."""
    raise unavailable(SIGNUP)


@account.operation(
    "POST", "/auth/email-verify", *_BODY, base="", secured=False, awaits=MAIL, example={"token": "mailed"}
)
async def verify_email(context: Context, body: MailedToken) -> Nothing:
    """Show that mail arrives."""
    raise unavailable(MAIL)


@account.operation(
    "POST",
    "/auth/password-forgot",
    *_BODY,
    base="",
    secured=False,
    awaits=MAIL,
    example={"username": "ada@company.example"},
)
async def forget_password(context: Context, body: PasswordForgotten) -> Nothing:
    """Ask for a mail that lets a password be set."""
    raise unavailable(MAIL)


@account.operation(
    "GET",
    "/auth/password-reset",
    base="",
    secured=False,
    awaits=MAIL,
    query=(QueryParameter("token", "What was in the mail.", "mailed"),),
)
async def show_password_reset(context: Context) -> Nothing:
    """Show the page on which a password is set."""
    raise unavailable(MAIL)


@account.operation("POST", "/auth/password-reset", *_BODY, base="", secured=False, awaits=MAIL, example=_RESET)
async def reset_password(context: Context, body: PasswordReset) -> Nothing:
    """Set a password by what was in a mail."""
    raise unavailable(MAIL)


@account.operation(
    "POST",
    "/auth/unregister",
    *_BODY,
    "STATE_INVALID",
    base="",
    example={"confirmation_phrase": CONFIRMATION},
)
async def unregister(context: Context, body: Unregistration) -> CustomerView:
    """Ask that the customer be deleted.

    It is frozen at once and deleted after 30 days. `password` is that of the agent who asks; who has none, such as an
    access key, writes the `confirmation_phrase`.
    """
    if body.immediate:
        raise FieldError("immediate", "a customer is deleted after 30 days; leave it out")
    if not await _confirmed(context, body):
        raise FieldError("confirmation_phrase", f"write {CONFIRMATION}, or your password as password")
    return await freeze(context, context.customer)


async def _confirmed(context: Context, body: Unregistration) -> bool:
    agent = context.principal.agent
    if body.password is None or agent is None:
        return body.confirmation_phrase == CONFIRMATION
    login = await context.store.login_of(agent.id)
    kept = None if login is None else login.password_hash
    return await context.services.passwords.fits(kept, body.password, context.customer)


@account.operation("DELETE", "/auth/unregister", "STATE_INVALID", base="", while_frozen=True)
async def stay(context: Context) -> CustomerView:
    """Take back that the customer be deleted. Its campaigns stay stopped."""
    return await keep(context, context.customer)
