"""What is checked of usernames, passwords and permissions, whoever is given them."""

from typing import Annotated

from msgspec import Meta

from outdialer.api.customer import EMAIL_PATTERN, is_email
from outdialer.api.errors import ApiError, FieldError, shown
from outdialer.api.operations import Context
from outdialer.api.passwords import MAX_PASSWORD_LENGTH
from outdialer.domain.permissions import PERMISSIONS, may_grant

Username = Annotated[str, Meta(max_length=254, extra_json_schema={"pattern": f"^{EMAIL_PATTERN}$"})]
Password = Annotated[str, Meta(max_length=MAX_PASSWORD_LENGTH, description="Kept as an argon2id hash; never shown.")]
NewPassword = Annotated[Password, Meta(extra_json_schema={"minLength": 1})]
Permission = Annotated[
    int,
    Meta(
        description="0, 1, 15, 16 (agent), 32 (admin), 64 (manager), 240, 256 (operator), 512 (viewer) or 65535 (all).",
        extra_json_schema={"enum": list(PERMISSIONS)},
    ),
]


def read_username(sent: str) -> str:
    """A username as it is kept.

    Raises:
        FieldError: it is not an e-mail address.
    """
    username = sent.strip().lower()
    if not is_email(username):
        raise FieldError("username", f"{shown(sent)} is not an e-mail address", "INVALID_USERNAME_FORMAT")
    return username


async def hashed(context: Context, password: str) -> str:
    """What is kept of a new password.

    Raises:
        FieldError: it is empty.
    """
    if not password:
        raise FieldError("password", "it is empty; write one")
    return await context.services.passwords.hash(password, context.customer)


def read_permission(context: Context, sent: int | None, default: int) -> int:
    """A permission that somebody wants to hand out; left out keeps ``default``.

    Raises:
        ApiError: there is no such permission, or it is more than the principal may hand out.
    """
    if sent is None:
        return default
    if sent not in PERMISSIONS:
        raise FieldError("permission", f"{sent} is not one of {', '.join(map(str, PERMISSIONS))}")
    if not may_grant(context.principal.permission, sent):
        raise not_allowed(f"handing out the permission {sent}")
    return sent


def not_allowed(what: str) -> ApiError:
    """The refusal of what the principal's permission does not cover."""
    return ApiError("PERMISSION_DENIED", f"Your permission does not allow this: {what}.")
