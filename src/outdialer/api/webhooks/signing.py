"""Signatures of webhooks: Standard Webhooks 1.0.0, and beside it the header that VoIPBin's clients know.

An endpoint's secret is derived from the installation's, the endpoint's id and a number that each rotation counts on.
Nothing has to be kept secret beside the installation's own secret, and no row of the books holds one.
"""

import base64
import hmac
from collections.abc import Iterator, Mapping

from outdialer.domain.units import MICROSECONDS_PER_SECOND, Id, Instant
from outdialer.ports.webhooks import WebhookState

PREFIX = "whsec_"
OVERLAP_US = 86_400 * MICROSECONDS_PER_SECOND
"""How long after a rotation the secret before it signs too."""


def secret_of(install_secret: bytes, endpoint: Id, number: int) -> str:
    """The text of an endpoint's secret: ``whsec_`` and the base64 of 32 bytes."""
    key = hmac.digest(install_secret, b"webhook secret %d of " % number + endpoint, "sha256")
    return PREFIX + base64.b64encode(key).decode()


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """One signature of ``webhook-signature``; ``timestamp`` in s since the Unix epoch."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, b"%s.%d.%s" % (event_id.encode(), timestamp, body), "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def signed_headers(
    install_secret: bytes, endpoint: Id, state: WebhookState, event_id: str, body: bytes, now: Instant
) -> Mapping[str, str]:
    """The headers that prove a delivery, sent at ``now``."""
    secrets = [secret_of(install_secret, endpoint, number) for number in _numbers(state, now)]
    timestamp = now // MICROSECONDS_PER_SECOND
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, event_id, timestamp, body) for secret in secrets),
        "X-VoIPBIN-Signature": f"sha256={hmac.digest(secrets[0].encode(), body, 'sha256').hex()}",
    }


def _numbers(state: WebhookState, now: Instant) -> Iterator[int]:
    """The secrets that sign: the present one, and for a while the one before it."""
    yield state.secret_number
    if state.tm_rotate is not None and now < state.tm_rotate + OVERLAP_US:
        yield state.secret_number - 1
