"""Logging and metrics: the names, in one place.

Every log record is one JSON object a line on stderr with ``at``, ``level``, ``action`` and the action's fields.
Records hold identifiers, never phone numbers. Credentials are cut out of every record of the process, those of
libraries too: a library that is asked to talk much writes down whole URLs and headers.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

ACTIONS: dict[str, str] = {
    "engine_started": "The engine took a new epoch and dials from now on.",
    "engine_draining": "No new attempt is made; calls that are up may finish.",
    "engine_stopped": "Everything is closed.",
    "attempts_unresolved": "Attempts of an earlier life were found; they are being cleared up.",
    "late_answer": "An answer came for an attempt that was already over; it was acknowledged and ended.",
    "store_unavailable": "The store cannot write: dialing is paused.",
    "store_recovered": "The store can write again.",
    "trunk_paused": "A trunk is left alone for a while, with the reason.",
    "trunk_reopened": "A call got through a trunk that had been paused.",
    "script_failed": "A campaign's prompts cannot be rendered, with the reason.",
    "media_lost": "The media process is gone; it is started again.",
    "request_failed": "A REST request ended with an unexpected error; the request id is in the answer too.",
    "task_failed": "A background task ended with an unexpected error.",
    "clock_jumped": "The machine's clock was set; time goes on evenly without the jump until the next start.",
    "slot_missed": "Send slots were missed and reserved anew.",
    "event_unreadable": "An event on the books cannot be read by this version of the program; nobody is told of it.",
    "webhook_disabled": "A webhook gets nothing any more until somebody enables it, with the reason.",
    "webhook_given_up": "A webhook has not taken an event in all its tries, though it took others.",
    "webhook_events_lost": "Events were removed from the books before a webhook that was disabled could take them.",
    "history_removed": "A round of removing old history is over, with the rows removed of each kind.",
}
"""Every value that ``action`` can have, with its meaning."""

_logger = logging.getLogger("outdialer")
_SECRETS = re.compile(
    r"(?P<slot>\b(?:token|accesskey)=)[^\s&;,\"']+"  # in a query or a cookie
    r"|\bvb_[A-Za-z0-9_-]{8,}"  # access keys
    r"|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # JSON web tokens (RFC 7519)
    r"|\bwhsec_[A-Za-z0-9+/=_-]+"  # secrets of webhooks
    r"|(?<=://)[^/\s@]+(?=@)"  # the user and password of a URL
    r"|(?P<number>(?<![A-Za-z0-9_.-])\+?[0-9]{7,15}(?![A-Za-z0-9_.-]))"  # phone numbers, also in SIP URIs
)
_LAST_DIGITS = 2


def redacted(text: str) -> str:
    """A text with every credential in it cut out, and every phone number but for its last two digits.

    Our own records are made of identifiers; but the text of an error is somebody else's, and may quote what it
    stumbled over.
    """
    return _SECRETS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    number = found["number"]
    return f"***{number[-_LAST_DIGITS:]}" if number else f"{found['slot'] or ''}***"


class _RedactedRecord(logging.LogRecord):
    """A record of any logger of the process, without credentials."""

    def getMessage(self) -> str:  # noqa: N802
        """The message as handlers write it."""
        return redacted(super().getMessage())


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = getattr(record, "fields", {})
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        body = {"at": at, "level": record.levelname.lower(), "action": record.getMessage(), **fields}
        if record.exc_info:
            body["error"] = self.formatException(record.exc_info)
        clean = {name: redacted(value) if isinstance(value, str) else value for name, value in body.items()}
        return json.dumps(clean, default=lambda value: redacted(str(value)))


def log_to_stderr(level: str = "INFO") -> None:
    """Send records of ``level`` and above to stderr as JSON Lines, and cut credentials out of everybody's records."""
    logging.setLogRecordFactory(_RedactedRecord)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    _logger.handlers[:] = [handler]
    _logger.setLevel(level)
    _logger.propagate = False


def log(action: str, /, level: int = logging.INFO, exc_info: BaseException | None = None, **fields: object) -> None:
    """Write one record. ``action`` must be one of ``ACTIONS``."""
    assert action in ACTIONS, action
    _logger.log(level, action, extra={"fields": fields}, exc_info=exc_info)


class Metrics:
    """The numbers for Prometheus. One object per engine, with a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.attempts_claimed = Counter(
            "outdialer_attempts_claimed", "Attempts put on the books.", registry=self.registry
        )
        self.attempts_ended = Counter(
            "outdialer_attempts_ended", "Attempts over, by hangup reason.", ["reason"], registry=self.registry
        )
        self.calls_live = Gauge("outdialer_calls_live", "Calls that are up or ringing.", registry=self.registry)
        self.calls_talking = Gauge("outdialer_calls_talking", "Calls that are answered.", registry=self.registry)
        self.slots_missed = Counter("outdialer_slots_missed", "Send slots missed.", registry=self.registry)
        self.tick_seconds = Histogram(
            "outdialer_tick_seconds",
            "Time from the start of a planning tick to its claim on disk, in s.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
            registry=self.registry,
        )
        self.send_delay_seconds = Histogram(
            "outdialer_send_delay_seconds",
            "From an attempt's send slot to its INVITE, in s.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 1.0),
            registry=self.registry,
        )
        self.history_removed = Counter(
            "outdialer_history_removed", "Rows of old history removed, by kind.", ["history"], registry=self.registry
        )
        self.webhook_tries = Counter(
            "outdialer_webhook_tries",
            "Tries to deliver events to webhooks: delivered, failed; and given_up after the last.",
            ["result"],
            registry=self.registry,
        )
        self.webhook_waiting = Gauge(
            "outdialer_webhook_waiting", "Events that are on their way to webhooks.", registry=self.registry
        )
        self.store_failures = Counter("outdialer_store_failures", "Writes that failed.", registry=self.registry)

    def render(self) -> bytes:
        """The text exposition format of Prometheus."""
        return generate_latest(self.registry)
