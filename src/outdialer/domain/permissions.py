"""Who may do what: the permission bits of the REST contract, and what a bearer of some may hand on to others."""

NONE = 0
SUPER_ADMIN = 1
"""Runs the whole installation."""
ANY_PROJECT_ROLE = 15
AGENT = 16
"""Takes calls."""
ADMIN = 32
"""Owns a customer."""
MANAGER = 64
"""Runs campaigns for a customer."""
ANY_CUSTOMER_ROLE = 240
EVERYTHING = 65_535

PERMISSIONS = (NONE, SUPER_ADMIN, ANY_PROJECT_ROLE, AGENT, ADMIN, MANAGER, ANY_CUSTOMER_ROLE, EVERYTHING)
"""The values that an agent may be given."""
MANAGERS = ADMIN | MANAGER
ANYBODY = ANY_PROJECT_ROLE | ANY_CUSTOMER_ROLE

OPERATOR_CUSTOMER = 1
"""The customer that every installation begins with; whoever holds its access keys runs the installation."""


def allows(permission: int, needed: int) -> bool:
    """Whether a permission holds one of the needed bits; the super admin's bit passes everything."""
    return bool(permission & (needed | SUPER_ADMIN))


def is_admin(permission: int) -> bool:
    """Whether a permission owns its customer."""
    return bool(permission & ADMIN)


def may_grant(permission: int, wanted: int) -> bool:
    """Whether the bearer of ``permission`` may hand ``wanted`` to somebody else: never more than it stands for."""
    if permission & SUPER_ADMIN:
        return True
    if permission & ADMIN:
        return not wanted & ~ANY_CUSTOMER_ROLE
    return not wanted & ~(AGENT | MANAGER) if permission & MANAGER else False


def of_access_key(customer: int) -> int:
    """The permission of an access key: that of its customer's admin, for the operator's that of the super admin too."""
    return ADMIN | SUPER_ADMIN if customer == OPERATOR_CUSTOMER else ADMIN
