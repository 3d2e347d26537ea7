"""The wire forms of times, identifiers, addresses and actions, both ways."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from outdialer.api.errors import FieldError, shown
from outdialer.domain.directory import customer_id
from outdialer.domain.masking import masked_document
from outdialer.domain.model import Action, Address
from outdialer.domain.numbers import DestinationError, normalise, refusal
from outdialer.domain.units import MICROSECONDS_PER_SECOND, NIL_ID, Id, Instant, format_id
from outdialer.flow.actions import ActionType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}")
_TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<clock>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9}))?"
    r"(?P<zone>[Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FOREIGN_ADDRESS_TYPES = frozenset(
    {"extension", "agent", "conference", "email", "line", "web_session", "webchat", "ai", "ai_team", "whatsapp"}
)

_ID_PATTERN = "([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})"
ID_PATTERN = f"^{_ID_PATTERN}?$"
"""What the document says of the form of an id that may be left empty."""
IDS_PATTERN = rf"^(\s*{_ID_PATTERN}\s*(,\s*{_ID_PATTERN}\s*)*)?$"
"""The same of ids with commas between."""
PLAIN_PATTERN = r"^[^\x00-\x1f\x7f]*$"
"""The same of a text without control characters."""
_YEAR_AND_DAY = (
    "[0-9]{4}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
    "|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
)
TIME_PATTERN = (
    f"(?!0000)({_YEAR_AND_DAY})[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]){{2}}([.][0-9]{{1,9}})?"
    "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
)
"""The same of a time that ``parse_time`` reads, without the anchors."""
PAGE_TOKEN_PATTERN = f"^({TIME_PATTERN}(_{_ID_PATTERN})?)?$"
"""The same of the token of a page."""

Text255 = Annotated[str, Meta(max_length=255)]
Text2000 = Annotated[str, Meta(max_length=2000)]
IdText = Annotated[
    str,
    Meta(
        description='A UUID; "" or the nil UUID: not set.',
        max_length=64,
        extra_json_schema={"pattern": ID_PATTERN},
    ),
]
UuidText = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
TimeText = Annotated[str, Meta(description="RFC 3339, six digits, UTC.", extra_json_schema={"format": "date-time"})]
MAX_DATA_LENGTH = 65_536
CUSTOMERS_KEPT = 1_024
SECONDS_KEPT = 4_096
"""Seconds whose text is remembered: the rows of a list share few of them."""


def closed(values: Iterable[str], description: str = "") -> Meta:
    """Says of a text in an answer that it is always one of ``values``; reading an answer does not check it."""
    return Meta(description=description or None, extra_json_schema={"enum": list(dict.fromkeys(map(str, values)))})


PlainText255 = Annotated[Text255, Meta(extra_json_schema={"pattern": PLAIN_PATTERN})]


class AddressBody(Struct, frozen=True):
    """A party as a client writes it; the type is inferred from the target where it is left out."""

    type: Annotated[str, Meta(description="`tel` or `sip`.", max_length=32)] | None = None
    target: Annotated[str, Meta(description="`+` and 7 to 15 digits, or a SIP URI.", max_length=255)] | None = None
    target_name: Text255 | None = None
    name: Text255 | None = None
    detail: Text2000 | None = None


class AddressView(Struct, frozen=True):
    """A party of a call: all five keys, or an empty object when it is not set."""

    type: Annotated[str, Meta(examples=["tel"])] | UnsetType = UNSET
    target: Annotated[str, Meta(examples=["+12025550123"])] | UnsetType = UNSET
    target_name: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    detail: str | UnsetType = UNSET


NOT_SET = AddressView()


class ActionBody(Struct, frozen=True):
    """A step of a call script as a client writes it."""

    type: Annotated[str, Meta(max_length=64, extra_json_schema={"enum": [str(kind) for kind in ActionType]})] | None = (
        None
    )
    id: IdText | None = None
    next_id: Annotated[IdText, Meta(description="Nil: the following action.")] | None = None
    option: dict[str, Any] | None = None


class ActionView(Struct, frozen=True):
    """A step of a call script, as it was sent."""

    id: UuidText
    next_id: UuidText
    type: str | UnsetType = UNSET
    """Left out when empty."""
    option: dict[str, Any] | UnsetType = UNSET
    """Left out when empty."""
    tm_execute: TimeText | None = None


class Wire(Struct, frozen=True):
    """How one customer's answers are written."""

    customer: int
    old_time_format: bool = False
    masked: bool = False
    """Whether numbers and addresses are masked, for who may not know them."""

    def encode(self, answer: Any) -> bytes:
        """An answer or the frame of an event as JSON, masked where it must be. The one way out for both."""
        if not self.masked:
            return msgspec.json.encode(answer)
        return msgspec.json.encode(masked_document(msgspec.to_builtins(answer)))

    @property
    def customer_id(self) -> str:
        """The customer's public id."""
        return _customer_text(self.customer)

    def time(self, instant: Instant | None) -> str | None:
        """An instant as clients read it; None when it is not set."""
        if instant is None:
            return None
        return old_time(instant) if self.old_time_format else rfc3339(instant)


@lru_cache(CUSTOMERS_KEPT)
def _customer_text(customer: int) -> str:
    return format_id(customer_id(customer))


@lru_cache(SECONDS_KEPT)
def _second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()


def rfc3339(instant: Instant) -> str:
    """``2026-01-15T09:30:00.123456Z``."""
    second, microseconds = divmod(instant, MICROSECONDS_PER_SECOND)
    return f"{_second(second)}.{microseconds:06d}Z"


def old_time(instant: Instant) -> str:
    """``2026-01-15 09:30:00.123456``."""
    return rfc3339(instant).replace("T", " ").rstrip("Z")


def parse_time(text: str) -> Instant:
    """The instant that a text in RFC 3339 or in the older form means; without a zone it is UTC.

    Raises:
        ValueError: it is in neither form.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    zone = match["zone"] or "Z"
    whole = datetime.fromisoformat(f"{match['date']}T{match['clock']}{'+00:00' if zone in 'Zz' else zone}")
    fraction = (match["fraction"] or "").ljust(6, "0")[:6]
    return (whole - _EPOCH) // _MICROSECOND + int(fraction)


def parse_uuid(text: str) -> Id:
    """The sixteen bytes of a UUID with or without hyphens, in any case.

    Raises:
        ValueError: it is not a UUID.
    """
    if not _UUID.fullmatch(text):
        raise ValueError(text)
    return bytes.fromhex(text.replace("-", ""))


def read_id(text: str | None, field: str, default: Id = NIL_ID) -> Id:
    """A reference in a body: left out keeps ``default``, "" and nil mean "not set".

    Raises:
        FieldError: it is not a UUID.
    """
    if text is None:
        return default
    if text == "":
        return NIL_ID
    try:
        return parse_uuid(text)
    except ValueError:
        raise FieldError(field, f'{shown(text)} is not a UUID; write one, or "" for none') from None


def read_data(data: str | dict[str, Any] | None, field: str, default: str = "") -> str:
    """Free data of a client: text as it is, an object as its JSON text.

    Raises:
        FieldError: it is too long.
    """
    if data is None:
        return default
    text = data if isinstance(data, str) else _json_text(data)
    if len(text) > MAX_DATA_LENGTH:
        raise FieldError(field, f"it has {len(text)} characters; {MAX_DATA_LENGTH} are possible")
    return text


def read_address(body: AddressBody | None, field: str, default: Address = Address()) -> Address:  # noqa: B008
    """A party in a body, checked and normalised: left out keeps ``default``, an empty target unsets it.

    Raises:
        FieldError: its type or target cannot be used.
    """
    if body is None:
        return default
    target = (body.target or "").strip()
    kind = body.type or ""
    if kind in _FOREIGN_ADDRESS_TYPES:
        raise FieldError(f"{field}.type", f"{shown(kind)} cannot be used here; only tel and sip can")
    if kind not in ("", "tel", "sip"):
        raise FieldError(f"{field}.type", f"{shown(kind)} is not an address type; write tel or sip")
    if not target:
        return Address()
    texts = {name: getattr(body, name) or "" for name in ("target_name", "name", "detail")}
    for name, text in texts.items():
        if _CONTROL.search(text):
            raise FieldError(f"{field}.{name}", f"{shown(text)} holds control characters; write plain text")
    normal = _normal_target(target, kind, f"{field}.target")
    return Address(type="tel" if normal.startswith("+") else "sip", target=normal, **texts)


def _normal_target(target: str, kind: str, field: str) -> str:
    try:
        normal = normalise(target)
    except DestinationError as error:
        raise FieldError(field, str(error)) from None
    found = "tel" if normal.startswith("+") else "sip"
    if kind and kind != found:
        right = "+ and 7 to 15 digits" if kind == "tel" else "sip:user@host"
        raise FieldError(field, f"{shown(target)} does not fit the type {kind}; write {right}, or leave the type out")
    return normal


def read_destination(body: AddressBody | None, field: str) -> Address:
    """A destination: an address that may be dialled, or an unset one.

    Raises:
        FieldError: it cannot be used, or must never be dialled.
    """
    address = read_address(body, field)
    why = refusal(address.target) if address.target else ""
    if why:
        raise FieldError(f"{field}.target", f"{shown(address.target)} is refused: {why}")
    return address


def address_view(address: Address) -> AddressView:
    """A party as clients read it."""
    if not address.target:
        return NOT_SET
    return AddressView(address.type, address.target, address.target_name, address.name, address.detail)


def action_view(action: Action) -> ActionView:
    """A step of a script as clients read it."""
    return ActionView(
        id=format_id(action.id),
        next_id=format_id(action.next_id),
        type=action.type or UNSET,
        option=action.option or UNSET,
    )


def _json_text(data: dict[str, Any]) -> str:
    return msgspec.json.encode(data).decode()
