"""What a log record may not show, whatever it was given."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from outdialer.telemetry import log, log_to_stderr, redacted

KEY = "vb_" + "aB3-_" * 6 + "xy"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+12025550188 is busy", "***88 is busy"),
        ("sip:12025550188@127.0.0.1:5060", "sip:***88@127.0.0.1:5060"),
        ("<sip:+12025550188@host>;tag=1", "<sip:***88@host>;tag=1"),
        ("http://ada:secret@host/a.wav: refused", "http://***@host/a.wav: refused"),
        (f"Bearer {KEY}", "Bearer ***"),
        ("token=eyJhbGciOi.eyJzdWIi.sIgn-ature_", "token=***"),
        ("whsec_aGVsbG8=", "***"),
        ("127.0.0.1:5060 did not answer 3 times", "127.0.0.1:5060 did not answer 3 times"),
        ("0198c0a5-2d5e-7c1e-8f9a-770123456789", "0198c0a5-2d5e-7c1e-8f9a-770123456789"),
        ("1 of 200 rows changed by: UPDATE x", "1 of 200 rows changed by: UPDATE x"),
    ],
)
def test_texts_are_redacted(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    made = io.StringIO()
    monkeypatch.setattr(sys, "stderr", made)
    log_to_stderr("DEBUG")
    yield made
    logging.setLogRecordFactory(logging.LogRecord)
    logger = logging.getLogger("outdialer")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


def test_records_are_redacted_with_their_errors(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot reach +12025550188 with {KEY}")
    except ValueError as error:
        log("task_failed", exc_info=error, task="dial +12025550188", count=12025550188, more=error)
    record = json.loads(stream.getvalue())
    assert record["count"] == 12025550188
    assert record["task"] == "dial ***88"
    assert record["more"] == "cannot reach ***88 with ***"
    assert record["error"].endswith("ValueError: cannot reach ***88 with ***")
