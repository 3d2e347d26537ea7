"""What may be followed: topics, and who may follow which.

A topic is ``customer_id:<own customer>`` or ``agent_id:<own agent>``, and more of it after a colon. A follower gets
the events of which one topic begins with one of its own.
"""

from collections.abc import Iterable

from outdialer.api.auth import Principal
from outdialer.api.errors import ApiError, shown
from outdialer.api.events.render import RESOURCES
from outdialer.api.permits import needed_to_read
from outdialer.api.wire import Wire
from outdialer.domain.permissions import READERS, allows
from outdialer.domain.units import format_id

MOST_TOPICS = 100
LONGEST_TOPIC = 255


def roots(principal: Principal) -> list[str]:
    """The topics that hold everything a principal may follow; empty: it may follow nothing."""
    found = []
    if allows(principal.permission, READERS):
        found.append(f"customer_id:{Wire(principal.customer).customer_id}")
    if principal.agent is not None:
        found.append(f"agent_id:{format_id(principal.agent.id)}")
    return found


def hidden_from(principal: Principal) -> frozenset[str]:
    """The resources of its customer that a principal may not read."""
    return frozenset(name for name in RESOURCES if not allows(principal.permission, needed_to_read(f"{name}s")))


def check_topics(topics: Iterable[object], principal: Principal) -> frozenset[str]:
    """The topics, where the principal may follow all of them.

    Raises:
        ApiError: one is malformed or somebody else's.
    """
    allowed = roots(principal)
    asked = list(topics)
    if len(asked) > MOST_TOPICS:
        raise ApiError("INVALID_REQUEST_PARAMETER", f"topics: {len(asked)} are too many; {MOST_TOPICS} are possible.")
    for topic in asked:
        good = isinstance(topic, str) and len(topic) <= LONGEST_TOPIC
        if not good or not any(topic == root or topic.startswith(f"{root}:") for root in allowed):  # type: ignore[attr-defined]
            right = " or ".join(f"{root}[:<resource>[:<rest>]]" for root in allowed) or "nothing at all"
            raise ApiError("INVALID_REQUEST_PARAMETER", f"topics: {shown(topic)} cannot be followed; only {right} can.")
    return frozenset(map(str, asked))
