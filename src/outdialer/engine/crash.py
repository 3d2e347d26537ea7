"""Named points at which a test may kill the engine, as a power cut or an operator would.

Nothing happens here unless a point was armed. The points are the instants between which a crash leaves different
traces: on the books, on the wire, at the far end.
"""

import os
import signal
from collections.abc import Callable

POINTS: dict[str, str] = {
    "before-claim": "A plan was made; nothing is on the books.",
    "claimed": "The intents are durable; nothing was sent.",
    "sent": "The INVITE was handed to the kernel.",
    "trying": "The far end has the INVITE.",
    "ringing": "The far end rings.",
    "answer-seen": "A 200 came; it is neither on the books nor acknowledged.",
    "answer-recorded": "The answer is durable; it is not acknowledged.",
    "accepted": "The answer is acknowledged.",
    "end-seen": "The call is over; that is not on the books.",
    "recorded": "Changes of attempts are durable.",
}
"""In the life of a call."""

REQUEST_POINTS: dict[str, str] = {
    "answer-made": "A request with an Idempotency-Key has had its effect; its answer is not on the books.",
}
"""In the life of a request."""

_armed: dict[str, tuple[int, Callable[[str], None]]] = {}


def _kill(_point: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str, passes: int, strike: Callable[[str], None] = _kill) -> None:
    """Kill this process with SIGKILL, or ``strike``, when ``point`` is reached for the ``passes``-th time.

    Raises:
        KeyError: there is no such point.
    """
    _ = (POINTS | REQUEST_POINTS)[point]
    _armed[point] = passes, strike


def disarm() -> None:
    """Forget what was armed."""
    _armed.clear()


def reach(point: str) -> None:
    """Mark that a point was reached."""
    if not _armed or point not in _armed:
        return
    passes, strike = _armed.pop(point)
    if passes > 1:
        _armed[point] = passes - 1, strike
    else:
        strike(point)
