"""Signatures, checked by the reference library of Standard Webhooks, which shares nothing with ours."""

import base64
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from outdialer.api.webhooks.signing import OVERLAP_US, secret_of, signature, signed_headers
from outdialer.ports.webhooks import WebhookState

INSTALL = bytes(range(32))
ENDPOINT = bytes(range(16))
BODY = b'{"type":"call_hangup","data":{}}'


def now() -> int:
    """The verifier refuses what is older than five minutes by the machine's clock."""
    return int(datetime.now(UTC).timestamp()) * 1_000_000


def test_the_vector_of_the_specification() -> None:
    """Its example: secret, id, timestamp and body with the signature that must come out."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_library_makes_the_same() -> None:
    secret = secret_of(INSTALL, ENDPOINT, 1)
    at = datetime.now(UTC).replace(microsecond=0)
    assert signature(secret, "evt_a", int(at.timestamp()), BODY) == Verifier(secret).sign("evt_a", at, BODY.decode())


@given(st.text("abcdefghij0123456789_", min_size=1), st.dictionaries(st.text(max_size=5), st.text(max_size=20)))
def test_the_library_accepts_what_we_sign(event_id: str, data: dict[str, Any]) -> None:
    body = msgspec.json.encode({"type": "x", "data": data})
    headers = signed_headers(INSTALL, ENDPOINT, WebhookState(), event_id, body, now())
    assert Verifier(secret_of(INSTALL, ENDPOINT, 1)).verify(body, dict(headers))["data"] == data


def test_a_changed_body_id_or_time_is_refused() -> None:
    headers = dict(signed_headers(INSTALL, ENDPOINT, WebhookState(), "evt_a", BODY, now()))
    verifier = Verifier(secret_of(INSTALL, ENDPOINT, 1))
    for wrong in ({**headers, "webhook-id": "evt_b"}, {**headers, "webhook-timestamp": str(now() // 1_000_000 + 1)}):
        with pytest.raises(WebhookVerificationError):
            verifier.verify(BODY, wrong)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(BODY + b" ", headers)


def test_both_secrets_verify_for_a_day_after_a_rotation() -> None:
    at = now()
    old, new = (Verifier(secret_of(INSTALL, ENDPOINT, number)) for number in (3, 4))
    rotated = WebhookState(secret_number=4, tm_rotate=at - OVERLAP_US + 1_000_000)
    headers = dict(signed_headers(INSTALL, ENDPOINT, rotated, "evt_a", BODY, at))
    assert old.verify(BODY, headers) == new.verify(BODY, headers)
    assert len(headers["webhook-signature"].split(" ")) == 2
    later = WebhookState(secret_number=4, tm_rotate=at - OVERLAP_US)
    headers = dict(signed_headers(INSTALL, ENDPOINT, later, "evt_a", BODY, at))
    assert new.verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        old.verify(BODY, headers)


def test_the_header_that_voipbins_clients_know() -> None:
    secret = secret_of(INSTALL, ENDPOINT, 1)
    headers = signed_headers(INSTALL, ENDPOINT, WebhookState(), "evt_a", BODY, now())
    assert headers["X-VoIPBIN-Signature"] == "sha256=" + hmac.new(secret.encode(), BODY, "sha256").hexdigest()


def test_secrets_differ_and_have_the_form_of_the_specification() -> None:
    made = {
        secret_of(install, endpoint, number)
        for install in (INSTALL, bytes(32))
        for endpoint in (ENDPOINT, bytes(16))
        for number in (1, 2, 11)
    }
    assert len(made) == 12
    for secret in made:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
