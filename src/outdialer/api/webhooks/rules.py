"""What holds for every webhook, a customer's own ``webhook_uri`` included."""

import re

from outdialer.api.errors import FieldError, shown
from outdialer.api.operations import Context
from outdialer.api.webhooks.signing import secret_of
from outdialer.domain.units import Id
from outdialer.ports.webhooks import WebhookState
from outdialer.web.addresses import UriError, read_uri, refusal_of

_CREDENTIALS = re.compile(r"(?<=//)[^/]*(?=@)")


def check_uri(field: str, uri: str, *, on_premises: bool) -> None:
    """Refuse early what would never be delivered to; what is behind a name is decided at each delivery.

    Raises:
        FieldError: the URL cannot be used.
    """
    try:
        why = refusal_of(read_uri(uri), on_premises=on_premises)
    except UriError as error:
        why = str(error)
    if why:
        raise FieldError(field, f"{shown(_CREDENTIALS.sub('***', uri))} cannot be used: {why}")


async def webhook_secret(context: Context, endpoint: Id, state: WebhookState) -> str:
    """The secret that signs for an endpoint at present; the answer that shows it must not be kept by anybody."""
    context.headers["Cache-Control"] = "no-store"
    return secret_of(await context.store.install_secret(), endpoint, state.secret_number)
