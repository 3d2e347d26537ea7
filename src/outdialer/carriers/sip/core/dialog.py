"""A dialog: whom the far end is, where its requests go, and by which route (RFC 3261 section 12)."""

import ipaddress
from functools import lru_cache

import msgspec
from msgspec import Struct

from outdialer.carriers.sip.core.headers import address_parts, parameter, tag_of, values
from outdialer.carriers.sip.core.message import Message
from outdialer.carriers.sip.core.outputs import Address
from outdialer.carriers.sip.core.transaction import Request
from outdialer.carriers.sip.core.uri import parse_uri

_MAX_ROUTES = 16


class Dialog(Struct, frozen=True, kw_only=True):
    """The state of a confirmed dialog; stored as JSON so that a restarted engine can end it."""

    call_id: str
    local: str
    """Our From value with its tag."""
    remote: str
    """Their To value with its tag."""
    target: str
    """The remote target, from Contact."""
    routes: tuple[str, ...]
    """The route set, in sending order."""
    sequence: int
    """CSeq number of the INVITE that made it."""
    fallback: Address
    """Where the answer came from: used when the next hop is a name, which the core cannot resolve."""

    @property
    def remote_tag(self) -> str:
        """The far end's tag."""
        return tag_of(self.remote)


def dialog_from(answer: Message, source: Address, fallback_uri: str) -> Dialog:
    """The dialog that a 2xx to an INVITE makes: the route set is Record-Route reversed (section 12.1.2)."""
    contact = values(answer.headers.get("contact", ""))[:1]
    target = address_parts(contact[0])[0] if contact else ""
    routes = [address_parts(value)[0] for value in values(answer.headers.get("record-route", ""))[:_MAX_ROUTES]]
    return Dialog(
        call_id=answer.call_id,
        local=answer.headers["from"],
        remote=answer.headers["to"],
        target=target if parse_uri(target) else fallback_uri,
        routes=tuple(uri for uri in reversed(routes) if parse_uri(uri)),
        sequence=answer.sequence,
        fallback=source,
    )


def refreshed(dialog: Dialog, message: Message) -> Dialog:
    """The dialog after a target refresh request of the far end (section 12.2.2): its Contact is the new target."""
    target = address_parts(next(iter(values(message.headers.get("contact", ""))), ""))[0]
    return msgspec.structs.replace(dialog, target=target) if parse_uri(target) else dialog


def in_dialog_request(dialog: Dialog, method: str, sequence: int, via: str, branch: str) -> Request:
    """A request inside the dialog, with loose or strict routing (section 12.2.1.1)."""
    uri, routes = dialog.target, dialog.routes
    if routes and not _is_loose(routes[0]):
        uri, routes = routes[0], (*routes[1:], dialog.target)
    return Request(
        method=method,
        uri=uri,
        via=via,
        branch=branch,
        from_value=dialog.local,
        to_value=dialog.remote,
        call_id=dialog.call_id,
        sequence=sequence,
        routes="".join(f"Route: <{route}>\r\n" for route in routes),
    )


def next_hop(dialog: Dialog) -> Address:
    """Where in-dialog requests are sent: the first route, else the remote target (section 8.1.2)."""
    uri = parse_uri(dialog.routes[0] if dialog.routes else dialog.target)
    if uri is None or uri.scheme != "sip" or not is_numeric(uri.host):
        return dialog.fallback
    return uri.host, uri.port


@lru_cache(maxsize=4_096)
def is_numeric(host: str) -> bool:
    """Whether ``host`` is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def dump(dialog: Dialog) -> bytes:
    """What ``Answered.dialog`` carries."""
    return msgspec.json.encode(dialog)


def load(stored: bytes) -> Dialog | None:
    """The dialog stored with an answer, or None when it cannot be read."""
    try:
        return msgspec.json.decode(stored, type=Dialog)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _is_loose(route: str) -> bool:
    uri = parse_uri(route)
    return uri is not None and parameter(uri.parameters, "lr") is not None
