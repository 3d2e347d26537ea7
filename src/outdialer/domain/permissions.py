"""Who may do what: the permission bits of the REST contract, and what a bearer of some may hand on to others.

The bits up to 128 are those of the contract; OPERATOR and VIEWER are ours, in bits that the contract leaves free.
"""

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
OPERATOR = 256
"""Starts and stops campaigns and ends calls that others have set up."""
VIEWER = 512
"""Looks on, and sees numbers masked."""
EVERYTHING = 65_535

PERMISSIONS = (
    NONE,
    SUPER_ADMIN,
    ANY_PROJECT_ROLE,
    AGENT,
    ADMIN,
    MANAGER,
    ANY_CUSTOMER_ROLE,
    OPERATOR,
    VIEWER,
    EVERYTHING,
)
"""The values that an agent or an access key may be given."""
MANAGERS = ADMIN | MANAGER
OPERATORS = MANAGERS | OPERATOR
READERS = OPERATORS | VIEWER
ANYBODY = ANY_PROJECT_ROLE | ANY_CUSTOMER_ROLE | READERS

ROLES = {
    SUPER_ADMIN: "super admin",
    ADMIN: "owner",
    MANAGER: "manager",
    OPERATOR: "operator",
    VIEWER: "viewer",
    AGENT: "agent",
}
"""What people call the bits that have a name, the mightiest first."""

OPERATOR_CUSTOMER = 1
"""The customer that every installation begins with; whoever holds its access keys runs the installation."""


def allows(permission: int, needed: int) -> bool:
    """Whether a permission holds one of the needed bits; the super admin's bit passes everything."""
    return bool(permission & (needed | SUPER_ADMIN))


def roles_that_may(needed: int) -> str:
    """The roles that one of the needed bits makes, for a person to read; the super admin may everything."""
    return ", ".join(f"{name} ({bit})" for bit, name in ROLES.items() if bit & (needed | SUPER_ADMIN))


def is_admin(permission: int) -> bool:
    """Whether a permission owns its customer."""
    return bool(permission & ADMIN)


def sees_masked(permission: int) -> bool:
    """Whether numbers are masked for the bearer: for viewers who are nothing more."""
    return bool(permission & VIEWER) and not allows(permission, OPERATORS)


def may_grant(permission: int, wanted: int) -> bool:
    """Whether the bearer of ``permission`` may hand ``wanted`` to somebody else: never more than it stands for."""
    if permission & SUPER_ADMIN:
        return True
    if permission & ADMIN:
        return not wanted & ~(ANY_CUSTOMER_ROLE | OPERATOR | VIEWER)
    return not wanted & ~(AGENT | MANAGER | OPERATOR | VIEWER) if permission & MANAGER else False


def of_access_key(customer: int) -> int:
    """The most that a customer's access key can be: its admin, and for the operator's customer the super admin too."""
    return ADMIN | SUPER_ADMIN if customer == OPERATOR_CUSTOMER else ADMIN
