"""Phone numbers and SIP addresses as somebody sees them who may not know them.

Whole texts are masked, not numbers inside of sentences: what people write into free texts is theirs to keep clean.
A target's free ``data`` that is JSON, as an object is kept, is masked like an object.
"""

import json
import re
from typing import Any

ADDRESS_FIELDS = frozenset({"target", "number", "phone_number", "extension"})
"""Fields that hold a number or an address and nothing else, in whatever form."""
_NUMBER = re.compile(r"\+[0-9 ().-]{6,30}|[0-9]{7,15}")
_ADDRESS = re.compile(r"(sips?|tel):.+", re.IGNORECASE | re.DOTALL)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TWO_DIGIT_CODES = re.compile(
    r"2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]",
)
"""Country codes of two digits (ITU-T E.164, list of assigned codes); 1 and 7 have one digit, all others three."""
_FREE_DATA = "data"
_KEPT_AT_THE_END = 2
_HIDDEN = "***"


def masked_number(number: str) -> str:
    """A number with its country code, its last two digits and its length: ``+1********23``."""
    digits = re.sub(r"[^0-9]", "", number)
    kept = _code_length(digits) if number.startswith("+") else 0
    hidden = len(digits) - kept - _KEPT_AT_THE_END
    if hidden < _KEPT_AT_THE_END:
        return _HIDDEN
    plus = "+" if number.startswith("+") else ""
    return f"{plus}{digits[:kept]}{'*' * hidden}{digits[-_KEPT_AT_THE_END:]}"


def _code_length(digits: str) -> int:
    if digits[:1] in ("1", "7"):
        return 1
    return 2 if _TWO_DIGIT_CODES.match(digits) else 3


def masked_address(text: str) -> str:
    """A number, SIP or tel URI, or anything else that calls reach, masked; a UUID says nothing and stays."""
    if not text or _UUID.fullmatch(text):
        return text
    if _NUMBER.fullmatch(text):
        return masked_number(text)
    if _ADDRESS.fullmatch(text):
        return _masked_uri(text)
    return _HIDDEN


def _masked_uri(text: str) -> str:
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "tel":
        return f"{scheme}:{masked_address(rest.partition(';')[0])}"
    user, at, host = rest.rpartition("@")
    return f"{scheme}:{_HIDDEN}@{re.split('[;?>]', host)[0]}" if at and user else f"{scheme}:{_HIDDEN}"


def masked_document(value: Any, field: str = "") -> Any:
    """A JSON value in which every text that is a number or an address as a whole is masked, at any depth."""
    if isinstance(value, str) and field == _FREE_DATA and value[:1] in ("{", "["):
        return _masked_json(value)
    if isinstance(value, str):
        is_address = field in ADDRESS_FIELDS or _NUMBER.fullmatch(value) or _ADDRESS.fullmatch(value)
        return masked_address(value) if is_address else value
    if isinstance(value, dict):
        return {masked_document(name): masked_document(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_document(inner, field) for inner in value]
    return value


def _masked_json(text: str) -> str:
    """JSON in a text, masked, also numbers that are no texts; all of it is hidden where it cannot be read."""
    try:
        return json.dumps(masked_document(json.loads(text, parse_int=_masked_int)), separators=(",", ":"))
    except (ValueError, RecursionError):
        return _HIDDEN


def _masked_int(digits: str) -> str | int:
    return masked_number(digits) if _NUMBER.fullmatch(digits) else int(digits)
