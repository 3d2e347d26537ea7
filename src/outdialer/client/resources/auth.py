"""Logging in.

Made by tools/client.py from the declared operations; ``make docs`` writes it anew.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from outdialer.client.exchange import Operation
from outdialer.client.resources.accesskeys import Accesskey
from outdialer.client.resources.customers import Customer
from outdialer.client.transport import AsyncResource, Resource


class DirectToken(Struct, frozen=True, kw_only=True):
    """A token that opens one thing."""

    token: str
    type: str
    resource_type: str
    resource_id: str
    customer_id: str
    expire: datetime
    """RFC 3339, six digits, UTC."""
    resource_data: dict[str, Any]


class Login(Struct, frozen=True, kw_only=True):
    """A token, good for seven days."""

    username: str
    token: str


class Nothing(Struct, frozen=True, kw_only=True):
    """Nothing to tell."""


class SignupResult(Struct, frozen=True, kw_only=True):
    """The new customer and its first access key; empty when there is none."""

    customer: Customer | None = None
    accesskey: Accesskey | None = None


_LOG_IN = Operation("POST", "/auth/login", Login)
_BOOT = Operation("POST", "/auth/boot", DirectToken)
_SIGN_UP = Operation("POST", "/auth/signup", SignupResult)
_VERIFY_EMAIL = Operation("POST", "/auth/email-verify", Nothing)
_FORGET_PASSWORD = Operation("POST", "/auth/password-forgot", Nothing)
_SHOW_PASSWORD_RESET = Operation("GET", "/auth/password-reset", Nothing)
_RESET_PASSWORD = Operation("POST", "/auth/password-reset", Nothing)
_UNREGISTER = Operation("POST", "/auth/unregister", Customer)
_STAY = Operation("DELETE", "/auth/unregister", Customer)


class AuthApi(Resource):
    """Logging in.

    For a client that blocks.
    """

    def log_in(self, *, username: str, password: str) -> Login:
        """Log an agent in.

        Whatever is wrong, the answer is 400 without a body. The token is in the answer and in the cookie ``token``.

        password: Kept as an argon2id hash; never shown.
        """
        return self._api.call(_LOG_IN, {}, {}, {"username": username, "password": password})

    def boot(self, *, direct_hash: str) -> DirectToken:
        """Turn a shortcut into a token.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs calls that come in.
        """
        return self._api.call(_BOOT, {}, {}, {"direct_hash": direct_hash})

    def sign_up(
        self,
        *,
        email: str,
        accepted_tos: bool,
        name: str | None = None,
        detail: str | None = None,
        phone_number: str | None = None,
        address: str | None = None,
        webhook_method: str | None = None,
        webhook_uri: str | None = None,
    ) -> SignupResult:
        """Become a customer.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs customers that sign up themselves.
        """
        return self._api.call(
            _SIGN_UP,
            {},
            {},
            {
                "email": email,
                "accepted_tos": accepted_tos,
                "name": name,
                "detail": detail,
                "phone_number": phone_number,
                "address": address,
                "webhook_method": webhook_method,
                "webhook_uri": webhook_uri,
            },
        )

    def verify_email(self, *, token: str) -> Nothing:
        """Show that mail arrives.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs mail to be sent.
        """
        return self._api.call(_VERIFY_EMAIL, {}, {}, {"token": token})

    def forget_password(self, *, username: str) -> Nothing:
        """Ask for a mail that lets a password be set.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs mail to be sent.
        """
        return self._api.call(_FORGET_PASSWORD, {}, {}, {"username": username})

    def show_password_reset(self, *, token: str | None = None) -> Nothing:
        """Show the page on which a password is set.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs mail to be sent.
        """
        return self._api.call(_SHOW_PASSWORD_RESET, {}, {"token": token})

    def reset_password(self, *, token: str, password: str) -> Nothing:
        """Set a password by what was in a mail.

        Refused with 409 ``FEATURE_UNAVAILABLE`` in this release: it needs mail to be sent.

        password: Kept as an argon2id hash; never shown.
        """
        return self._api.call(_RESET_PASSWORD, {}, {}, {"token": token, "password": password})

    def unregister(
        self, *, password: str | None = None, confirmation_phrase: str | None = None, immediate: bool | None = None
    ) -> Customer:
        """Ask that the customer be deleted.

        It is frozen at once and deleted after 30 days. ``password`` is that of the agent who asks; who has none,
        such as an access key, writes the ``confirmation_phrase``.

        password: Kept as an argon2id hash; never shown.

        confirmation_phrase: ``DELETE``.
        """
        return self._api.call(
            _UNREGISTER,
            {},
            {},
            {"password": password, "confirmation_phrase": confirmation_phrase, "immediate": immediate},
        )

    def stay(self) -> Customer:
        """Take back that the customer be deleted. Its campaigns stay stopped."""
        return self._api.call(_STAY, {}, {})


class AsyncAuthApi(AsyncResource):
    """Logging in.

    For a client that awaits.
    """

    async def log_in(self, *, username: str, password: str) -> Login:
        """Log an agent in."""
        return await self._api.call(_LOG_IN, {}, {}, {"username": username, "password": password})

    async def boot(self, *, direct_hash: str) -> DirectToken:
        """Turn a shortcut into a token."""
        return await self._api.call(_BOOT, {}, {}, {"direct_hash": direct_hash})

    async def sign_up(
        self,
        *,
        email: str,
        accepted_tos: bool,
        name: str | None = None,
        detail: str | None = None,
        phone_number: str | None = None,
        address: str | None = None,
        webhook_method: str | None = None,
        webhook_uri: str | None = None,
    ) -> SignupResult:
        """Become a customer."""
        return await self._api.call(
            _SIGN_UP,
            {},
            {},
            {
                "email": email,
                "accepted_tos": accepted_tos,
                "name": name,
                "detail": detail,
                "phone_number": phone_number,
                "address": address,
                "webhook_method": webhook_method,
                "webhook_uri": webhook_uri,
            },
        )

    async def verify_email(self, *, token: str) -> Nothing:
        """Show that mail arrives."""
        return await self._api.call(_VERIFY_EMAIL, {}, {}, {"token": token})

    async def forget_password(self, *, username: str) -> Nothing:
        """Ask for a mail that lets a password be set."""
        return await self._api.call(_FORGET_PASSWORD, {}, {}, {"username": username})

    async def show_password_reset(self, *, token: str | None = None) -> Nothing:
        """Show the page on which a password is set."""
        return await self._api.call(_SHOW_PASSWORD_RESET, {}, {"token": token})

    async def reset_password(self, *, token: str, password: str) -> Nothing:
        """Set a password by what was in a mail."""
        return await self._api.call(_RESET_PASSWORD, {}, {}, {"token": token, "password": password})

    async def unregister(
        self, *, password: str | None = None, confirmation_phrase: str | None = None, immediate: bool | None = None
    ) -> Customer:
        """Ask that the customer be deleted."""
        return await self._api.call(
            _UNREGISTER,
            {},
            {},
            {"password": password, "confirmation_phrase": confirmation_phrase, "immediate": immediate},
        )

    async def stay(self) -> Customer:
        """Take back that the customer be deleted. Its campaigns stay stopped."""
        return await self._api.call(_STAY, {}, {})
