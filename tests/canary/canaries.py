"""A canary for every secret that enters the program, and for one phone number in every form that people write.

``test_table`` finds secrets by their names, in the document of the API and among the options of the commands, and fails
when one has no row here.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

NUMBER = "+12025550188"
NUMBERS = {
    "number": NUMBER,
    "digits": "12025550188",
    "national": "2025550188",
    "grouped": "202-555-0188",
    "brackets": "(202) 555-0188",
}
"""One number as programs and as people write it."""
TEXTS = {"person": "Canary Quillfeather", "data": "canary-data-E2rJ"}
"""What is no secret from the owner and its people, and nobody else's business."""


class Canary(Struct, frozen=True):
    """A secret that somebody tells the program."""

    text: str
    enters: tuple[str, ...] = ()
    """The places of the API and the options through which it comes in."""
    kept: bool = False
    """Whether the books keep it, because a peer wants to see it again; everything else is hashed or forgotten."""
    shown: bool = False
    """Whether it is part of an object that its admins write and read."""


CANARIES = {
    "trunk password": Canary("canary-Trunk-7Jq2mX9r", ("serve --password-file", "run --password-file")),
    "agent password": Canary("canary-Agent-W4tz8KpL", ("AgentCreate.password",)),
    "other agent password": Canary("canary-Other-Bq3vN8sW", ("AgentPassword.password",)),
    "first agent password": Canary("canary-Tenant-x9RmT4jD", ("CustomerCreate.password",)),
    "wrong login": Canary("canary-Login-9PwTxe4M", ("LoginBody.password",)),
    "leaver password": Canary("canary-Leaver-p7GfZ2kC", ("Unregistration.password",)),
    "password after a mail": Canary("canary-Reset-L5hYs8vQ", ("PasswordReset.password",)),
    "mailed token": Canary(
        "canaryMailedTokenH3dXw6",
        ("MailedToken.token", "PasswordReset.token", "query token of /auth/password-reset"),
    ),
    "shortcut": Canary("canaryShortcutV2nKe8", ("DirectBoot.direct_hash",)),
    "password in a file": Canary(
        "canary-File-G6bXt9oM", ("agent create --password-file", "agent update --password-file")
    ),
    "extension password": Canary("canary-Extension-c6VnB3yH", ("ExtensionCreate.password",), kept=True),
    "other extension password": Canary("canary-Exten2-T8wMa5rJ", ("ExtensionUpdate.password",), kept=True),
    "exchange password": Canary("canary-Exchange-R5sd1GuE", ("TrunkCreate.password",), kept=True),
    "other exchange password": Canary("canary-Exchan2-Y4kPb7nF", ("TrunkUpdate.password",), kept=True),
    "carrier API key": Canary("canary-Carrier-D6uSz9xA", ("ProviderCredentials.api_key",)),
    "header line of a carrier": Canary("canary-Header-M2cLg5tV", ("ProviderBody.tech_headers",), kept=True, shown=True),
    "secret in a webhook URL": Canary(
        "canary-Hook-Q8eJf3wN",
        (
            "WebhookBody.uri",
            "WebhookCreate.uri",
            "CustomerUpdate.webhook_uri",
            "ActiveflowCreate.webhook_uri",
        ),
        kept=True,
        shown=True,
    ),
    "secret in a tenant webhook URL": Canary(
        "canary-Their-Z5pKv2nR", ("CustomerCreate.webhook_uri", "Signup.webhook_uri"), kept=True, shown=True
    ),
    "password in a prompt URL": Canary("canary-Prompt-u8Fk2aZq", kept=True, shown=True),
    "password in a refused URL": Canary("canary-Refused-S7iXo4bH"),
    "idempotency key": Canary("canary-Once-K9zRd6mU", ("header Idempotency-Key",)),
    "wrong key": Canary(
        "vb_canaryKeyA7canaryKeyA7canaryKeyA",
        ("header Authorization", "query accesskey", "cookie accesskey", "query token", "cookie token"),
    ),
}

MADE = {
    "first key": ("Accesskey.token", "serve --no-key-file", "OUTDIALER_KEY"),
    "tenant key": ("CustomerCreated.accesskey",),
    "token": ("Login.token",),
    "webhook secret": ("Webhook.secret", "Customer.webhook_secret", "CustomerCreated.webhook_secret"),
}
"""Secrets that the program makes itself, by where it shows them once; the run looks for what it was given there."""

NOT_SECRET: Mapping[str, str] = {
    "Accesskey.token_prefix": "it tells keys apart, and is a quarter of one",
    "CustomerCreate.accesskey": "it says whether there shall be one",
    "CallRecordingStart.end_of_key": "a key of a telephone",
    "Agent.direct_hash": "a shortcut that is put into public pages; nothing comes of it before calls come in",
    "Extension.direct_hash": "the same",
    "Flow.direct_hash": "the same",
    "Queue.direct_hash": "the same",
    "Extension.password": "always empty",
    "Trunk.password": "always empty",
    "Provider.tech_headers": "what was written there, for whoever wrote it",
    "ProviderSetup.credentials": "what is in it has a row",
    "Webhook.uri": "what was written there, for whoever wrote it",
    "Customer.webhook_uri": "the same",
    "CustomerCreated.webhook_uri": "the same",
    "Activeflow.webhook_uri": "the same",
    "DirectToken.token": "made by nothing before calls come in",
    "SignupResult.accesskey": "made by nothing before customers sign up themselves",
    "webhook create --uri": "a command line is no place for a secret; the API takes one",
    "webhook update --uri": "the same",
    "phones --password-file": "of the phone network, whose passwords are fictional",
}
"""What only has the name of a secret, and why it is none."""

SECRETS = {name: canary.text for name, canary in CANARIES.items()}
KEPT = {name for name, canary in CANARIES.items() if canary.kept}
SHOWN = {name for name, canary in CANARIES.items() if canary.shown}


def found_in(text: str, canaries: Mapping[str, str]) -> list[str]:
    """The names of the canaries in a text."""
    return [name for name, canary in canaries.items() if canary in text]


def sounds_secret(name: str) -> bool:
    """Whether a field, a parameter or an option has the name of a secret."""
    return _SECRET.search(name) is not None


_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token|api_?key|access_?key|credential|hash|idempotency|authorization|private"
    r"|key[-_]file|of_key|(^|_)uri$|headers$",
    re.IGNORECASE,
)
