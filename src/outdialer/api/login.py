"""``/auth/login``: a username and a password for a token."""

from msgspec import Struct

from outdialer.api.credentials import Password
from outdialer.api.errors import ApiError
from outdialer.api.operations import Context, Resource
from outdialer.api.tokens import TOKEN_LIFETIME_S, new_token
from outdialer.api.wire import Text255


class LoginBody(Struct, frozen=True):
    """An agent's username and password."""

    username: Text255
    password: Password


class LoginView(Struct, frozen=True):
    """A token, good for seven days."""

    username: str
    token: str


login = Resource("auth", "Logging in.")
_EXAMPLE = {"username": "ada@company.example", "password": "correct horse battery"}


@login.operation("POST", "/auth/login", base="", secured=False, bare_refusals=True, example=_EXAMPLE)
async def log_in(context: Context, body: LoginBody) -> LoginView:
    """Log an agent in.

    Whatever is wrong, the answer is 400 without a body. The token is in the answer and in the cookie ``token``.
    """
    found = await context.store.login(body.username.strip().lower())
    kept = None if found is None else found.password_hash
    if not await context.services.passwords.fits(kept, body.password) or found is None:
        raise ApiError("INVALID_CREDENTIALS")
    customer = await context.store.customer(found.customer)
    if customer is None or customer.status_at(context.now) == "deleted":
        raise ApiError("INVALID_CREDENTIALS")
    token = new_token(found, await context.store.install_secret(), context.now)
    context.headers["Set-Cookie"] = (
        f"token={token}; Path=/; Max-Age={TOKEN_LIFETIME_S}; Secure; HttpOnly; SameSite=Strict"
    )
    context.headers["Cache-Control"] = "no-store"
    return LoginView(found.agent.username, token)
