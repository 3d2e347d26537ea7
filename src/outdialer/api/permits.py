"""Who may use which operation: one table, read before any handler runs.

A row of a resource holds for all of its operations that have no row of their own. Handlers of operations that an
agent may use on itself check that it is itself (``agents``).
"""

from collections.abc import Mapping

from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError
from outdialer.api.operations import Operation
from outdialer.domain.permissions import ADMIN, ANYBODY, MANAGERS, SUPER_ADMIN, allows

RESOURCES: Mapping[str, int] = {
    "campaigns": MANAGERS,
    "campaigncalls": MANAGERS,
    "outplans": MANAGERS,
    "outdials": MANAGERS,
    "targets": MANAGERS,
    "calls": MANAGERS,
    "groupcalls": MANAGERS,
    "recordings": MANAGERS,
    "queues": MANAGERS,
    "queuecalls": MANAGERS,
    "agents": MANAGERS,
    "tags": MANAGERS,
    "flows": MANAGERS,
    "activeflows": MANAGERS,
    "extensions": MANAGERS,
    "trunks": MANAGERS,
    "numbers": MANAGERS,
    "outbound_config": ADMIN,
    "accesskeys": ADMIN,
    "customer": ADMIN,
    "providers": SUPER_ADMIN,
    "routes": SUPER_ADMIN,
    "providercalls": SUPER_ADMIN,
}
"""The bits of which one is needed, by resource."""

OPERATIONS: Mapping[str, int] = {
    "get_customer": MANAGERS,
    "get_me": ANYBODY,
    "get_agent": ANYBODY,
    "update_agent": ANYBODY,
    "update_agent_status": ANYBODY,
    "renew_numbers": SUPER_ADMIN,
}
"""The same by operation, where it differs from its resource's."""


def needed(operation: Operation) -> int:
    """The bits of which one is needed.

    Raises:
        LookupError: nobody has decided who may use the operation.
    """
    own = OPERATIONS.get(operation.name)
    return RESOURCES[operation.tag] if own is None else own


def check_permitted(operation: Operation, principal: Principal) -> None:
    """Refuse what the principal may not do.

    Raises:
        ApiError: it may not use the operation.
    """
    if operation.secured and not allows(principal.permission, needed(operation)):
        raise ApiError("PERMISSION_DENIED", f"{operation.name} needs another permission than {principal.permission}.")
