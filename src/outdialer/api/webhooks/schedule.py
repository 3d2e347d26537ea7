"""When a failed delivery is tried again, and when a failing endpoint is left alone. Pure."""

from email.utils import parsedate_to_datetime

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant

DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After the first try, the second, ...: ten tries over 75.6 hours, as Standard Webhooks proposes."""
JITTER = 0.1
"""A delay is longer by up to this part of it, so that those who failed together do not come back together."""
MOST_RETRY_AFTER_S = 86_400
"""A longer ``Retry-After`` counts as this."""
TROUBLED_AFTER = 5
"""Failures in a row after which an endpoint gets one delivery at a time, with pauses between."""
FIRST_PAUSE_S = 10
LONGEST_PAUSE_S = 3_600


def next_try(tries: int, now: Instant, chance: float) -> Instant | None:
    """When to try again after the ``tries``-th try (from 1) has failed; None: not at all.

    ``chance`` is a random number from 0 to 1.
    """
    if tries > len(DELAYS_S):
        return None
    return now + _spread(DELAYS_S[tries - 1], chance)


def pause_until(failures: int, now: Instant, chance: float) -> Instant:
    """Until when an endpoint gets nothing, after so many failures in a row; ``now``: it is not left alone."""
    if failures < TROUBLED_AFTER:
        return now
    doubled = FIRST_PAUSE_S << min(failures - TROUBLED_AFTER, 16)
    return now + _spread(min(doubled, LONGEST_PAUSE_S), chance)


def _spread(seconds: int, chance: float) -> int:
    return int(seconds * (1 + JITTER * chance) * MICROSECONDS_PER_SECOND)


def retry_after(text: str, now: Instant) -> Instant:
    """The instant that a ``Retry-After`` header means (RFC 9110 section 10.2.3); ``now`` for one that means nothing."""
    text = text.strip()
    latest = now + MOST_RETRY_AFTER_S * MICROSECONDS_PER_SECOND
    if text.isascii() and text.isdigit():
        return latest if len(text) > 5 else min(latest, now + int(text) * MICROSECONDS_PER_SECOND)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return now
    return max(now, min(latest, int(moment) * MICROSECONDS_PER_SECOND))
