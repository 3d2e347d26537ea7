"""Named points at which a test may kill the engine, as a power cut or an operator would.

Nothing happens here unless a point was armed. The points are the instants between which a crash leaves different
traces: on the books, on the wire, at the far end.
"""

import os
import signal

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

_armed: dict[str, int] = {}


def arm(point: str, passes: int) -> None:
    """Kill this process with SIGKILL when ``point`` is reached for the ``passes``-th time.

    Raises:
        KeyError: there is no such point.
    """
    _ = POINTS[point]
    _armed[point] = passes


def reach(point: str) -> None:
    """Mark that a point was reached."""
    if not _armed or point not in _armed:
        return
    _armed[point] -= 1
    if _armed[point] <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
