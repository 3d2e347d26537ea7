"""When a trunk that refuses everybody is left alone, so that nobody's tries are burned on it.

A row of refusals that are about us and not about the person called (401, 403, 407: the trunk does not take our
calls; 503: it has no room, RFC 3261 section 21.5.4) opens the breaker; a 503 that says for how long (Retry-After)
opens it at once and for that long. Any other final answer closes it. After the pause one call at a time tries again.
"""

from msgspec import Struct
from msgspec.structs import replace

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant

OVERLOADED = 503
REFUSING_CODES = frozenset({401, 403, 407, OVERLOADED})
REFUSALS_IN_A_ROW = 5
PAUSE_S = 30
LONGEST_PAUSE_S = 600


class Breaker(Struct, frozen=True, kw_only=True):
    """What a trunk's last answers say about the trunk."""

    refusals: int = 0
    """Refusals in a row."""
    pauses: int = 0
    """Pauses in a row; the pause doubles with each."""
    open_until: Instant = 0
    """Nothing is sent before this instant."""
    reason: str = ""
    """Why it is or was open; "" once a call got through."""

    @property
    def probing(self) -> bool:
        """Whether the last pause has not yet been followed by a call that got through: one call at a time."""
        return self.pauses > 0


def after_answer(breaker: Breaker, sip_code: int, retry_after_s: int, now: Instant) -> Breaker:
    """The breaker after a final answer (0: none came) to an INVITE on its trunk."""
    if sip_code not in REFUSING_CODES:
        return Breaker() if sip_code else breaker
    refusals = breaker.refusals + 1
    asked_s = min(LONGEST_PAUSE_S, retry_after_s) if sip_code == OVERLOADED else 0
    if refusals >= REFUSALS_IN_A_ROW or (breaker.probing and not asked_s):
        return _opened(breaker, f"{refusals} calls in a row were refused with SIP {sip_code}", retry_after_s, now)
    if asked_s:
        return _opened_as_asked(breaker, asked_s, now)
    return replace(breaker, refusals=refusals)


def after_failure(breaker: Breaker, why: str, now: Instant) -> Breaker:
    """The breaker after the trunk's address could not be used at all."""
    return _opened(breaker, why, 0, now)


def _opened_as_asked(breaker: Breaker, asked_s: int, now: Instant) -> Breaker:
    """Open for as long as the trunk asks for. Calls that were on their way hear the same a little later: only a pause
    that ends at least a second after the one there is or was is a new one."""
    until = now + asked_s * MICROSECONDS_PER_SECOND
    if until < breaker.open_until + MICROSECONDS_PER_SECOND:
        return replace(breaker, refusals=breaker.refusals + 1)
    return Breaker(
        refusals=breaker.refusals + 1,
        pauses=max(breaker.pauses, 1),
        open_until=until,
        reason=f"a call was refused with SIP {OVERLOADED}, which asks for a pause of {asked_s} s",
    )


def _opened(breaker: Breaker, reason: str, retry_after_s: int, now: Instant) -> Breaker:
    if now < breaker.open_until:
        return replace(breaker, refusals=breaker.refusals + 1)
    pause_s = min(LONGEST_PAUSE_S, max(retry_after_s, PAUSE_S * 2**breaker.pauses))
    return Breaker(
        refusals=breaker.refusals + 1,
        pauses=min(breaker.pauses + 1, 10),
        open_until=now + pause_s * MICROSECONDS_PER_SECOND,
        reason=reason,
    )
