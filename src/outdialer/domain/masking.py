"""Phone numbers and SIP addresses as somebody sees them who may not know them.

Every text is searched, names and sentences too; a field that holds an address and nothing else is masked as a whole.
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
_IN_TEXT = re.compile(
    r"(?P<kept>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|(?<![0-9])[0-9]{4}-(?:0[1-9]|1[0-2])-[0-3][0-9]"  # a date, and the time after it
    r"(?:[T ][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:\.[0-9]{1,9})?)?)?(?![0-9]))"
    r"|(?P<credentials>(?<=://)[^/\s@]+(?=@))"
    r"|(?P<uri>\b(?:sips?|tel):[^\s,<>\"']+)"
    r"|(?P<number>\+\(?[0-9](?:[ ().-]{0,3}[0-9]){5,}"
    r"|(?<![A-Za-z0-9])\(?(?:[0-9](?:[ ().-]{0,3}[0-9]){8,}|[0-9]{7,}))",
    re.IGNORECASE,
)
"""What is looked for inside of a text: what stays though it has as many digits, and what does not.

Numbers that people group with blanks and the like are believed from nine digits on: fewer are dates and prices. Each
alternative takes all digits that follow, so that a long text takes no more than its length.
"""
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


def masked_text(text: str) -> str:
    """A text with every number and address in it masked, and what opens a URL cut out."""
    return _IN_TEXT.sub(_masked_part, text)


def _masked_part(found: re.Match[str]) -> str:
    if found["kept"]:
        return found["kept"]
    if found["credentials"]:
        return _HIDDEN
    return masked_address(found["uri"]) if found["uri"] else masked_number(found["number"])


def masked_document(value: Any, field: str = "") -> Any:
    """A JSON value in which numbers and addresses are masked, at any depth, in the names of fields too."""
    if isinstance(value, str):
        return _masked_value(value, field)
    if isinstance(value, dict):
        return {masked_document(name): masked_document(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_document(inner, field) for inner in value]
    if isinstance(value, int) and field in ADDRESS_FIELDS:
        return masked_address(str(value))
    return value


def _masked_value(text: str, field: str) -> str:
    if field == _FREE_DATA and text.lstrip()[:1] in ("{", "["):
        return _masked_json(text)
    is_address = field in ADDRESS_FIELDS or _NUMBER.fullmatch(text) or _ADDRESS.fullmatch(text)
    return masked_address(text) if is_address else masked_text(text)


def _masked_json(text: str) -> str:
    """JSON in a text, masked, also numbers that are no texts; all of it is hidden where it cannot be read."""
    try:
        return json.dumps(masked_document(json.loads(text, parse_int=_masked_int)), separators=(",", ":"))
    except (ValueError, RecursionError):
        return _HIDDEN


def _masked_int(digits: str) -> str | int:
    return masked_number(digits) if _NUMBER.fullmatch(digits) else int(digits)
