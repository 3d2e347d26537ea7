"""Who may use which operation: one table, read before any handler runs.

An operation's own row decides; else, where it only reads, its resource's row of ``READING``; else its resource's row
of ``RESOURCES``. An operation without any is a fault that the tests find. Handlers of operations that an agent may use
on itself check that it is itself (``agents``).
"""

from collections.abc import Collection, Mapping

from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError
from outdialer.api.operations import Operation
from outdialer.domain.permissions import (
    ADMIN,
    ANYBODY,
    MANAGERS,
    OPERATORS,
    READERS,
    SUPER_ADMIN,
    allows,
    roles_that_may,
    sees_masked,
)

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
    "auth": ADMIN,
    "accesskeys": ADMIN,
    "customer": ADMIN,
    "customers": SUPER_ADMIN,
    "outbound_configs": SUPER_ADMIN,
    "webhooks": ADMIN,
    "providers": SUPER_ADMIN,
    "routes": SUPER_ADMIN,
    "providercalls": SUPER_ADMIN,
    "events": ANYBODY,
}
"""The bits of which one is needed, by resource."""

READING: Mapping[str, int] = {
    "campaigns": READERS,
    "campaigncalls": READERS,
    "outplans": READERS,
    "outdials": READERS,
    "targets": READERS,
    "calls": READERS,
    "groupcalls": READERS,
    "queues": READERS,
    "queuecalls": READERS,
    "agents": READERS,
    "tags": READERS,
    "flows": READERS,
    "activeflows": READERS,
    "numbers": READERS,
    "recordings": OPERATORS,
    "webhooks": MANAGERS,
}
"""The same for operations that only read. A voice cannot be masked: recordings and live audio are not for viewers."""

OPERATIONS: Mapping[str, int] = {
    "update_campaign_status": OPERATORS,
    "hang_up_call": OPERATORS,
    "hang_up_groupcall": OPERATORS,
    "stop_activeflow": OPERATORS,
    "kick_queuecall": OPERATORS,
    "kick_queuecall_of_call": OPERATORS,
    "stream_call_media": OPERATORS,
    "get_customer": READERS,
    "get_me": ANYBODY,
    "get_agent": ANYBODY,
    "update_agent": ANYBODY,
    "update_agent_status": ANYBODY,
    "renew_numbers": SUPER_ADMIN,
}
"""The same by operation, where it differs from what its resource says."""


def needed(operation: Operation) -> int:
    """The bits of which one is needed.

    Raises:
        LookupError: nobody has decided who may use the operation.
    """
    own = OPERATIONS.get(operation.name)
    if own is None and operation.method == "GET":
        return needed_to_read(operation.tag)
    return RESOURCES[operation.tag] if own is None else own


def needed_to_read(tag: str) -> int:
    """The bits of which one is needed to read a resource.

    Raises:
        LookupError: nobody has decided who may read it.
    """
    return READING.get(tag) or RESOURCES[tag]


def check_permitted(operation: Operation, principal: Principal, query: Collection[str] = ()) -> None:
    """Refuse what the principal may not do; ``query`` holds the names of the parameters that it sent.

    Raises:
        ApiError: it may not use the operation.
    """
    if operation.secured and not allows(principal.permission, needed(operation)):
        roles = roles_that_may(needed(operation))
        message = f"{operation.name} is for {roles}; this credential has permission {principal.permission}."
        raise ApiError("PERMISSION_DENIED", message)
    asked = [parameter.name for parameter in operation.query if parameter.address and parameter.name in query]
    if asked and sees_masked(principal.permission):
        raise ApiError("PERMISSION_DENIED", f"{asked[0]}: who sees numbers masked cannot search for one.")
