"""What may be dialled: reading, normalising and refusing destinations.

A destination is an E.164 number (``+`` and 7 to 15 digits, ITU-T E.164) or a SIP URI (RFC 3261 section 19.1).
Emergency and premium-rate numbers are refused always, in both forms; the numbering plans come from the
``phonenumbers`` library's data (Google's libphonenumber).
"""

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import unquote

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SEPARATORS = re.compile(r"[\s().\-/]")
_SIP_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[A-Za-z0-9+\-_.!~*'()&=$,;?/%]{1,64})@)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>(?:;[A-Za-z0-9\-_.!%*+`'~]{1,64}(?:=[A-Za-z0-9\-_.!%*+`'~\[\]:]{1,64})?){0,8})",
    re.IGNORECASE,
)
_DIALLED_DIGITS = re.compile(r"\+?[0-9]{2,18}")
_NOT_DIALLED = re.compile(r"[^0-9A-Za-z]")
"""Visual separators (RFC 3966 section 5.1.1), blanks, and whatever else a far end may pass over."""
_URI_SCHEME = re.compile(r"(?:tel|sips?):", re.IGNORECASE)
_END_OF_NUMBER = re.compile(r"[;,?&=]|(?<=[0-9])[pwPW]")
"""Parameters, and the pauses after which digits are sent as tones."""
_SERVICE_CODE = re.compile(r"[*#]+[0-9]{2}[*#]?")
"""What hides the caller (``*67``, ``#31#``) and the like; the number follows."""
_OUTSIDE_LINE = re.compile(r"[09](?=(?:911|112|999)\Z)")
"""What many exchanges want before a number of the public network."""
MOST_ESCAPES = 3
"""How often escapes are undone: each system on the way may undo them once."""
_INTERNATIONAL_PREFIX = re.compile(r"00|011")
"""How a country code is announced where no + is used: most of the world, and North America."""
MAX_DESTINATION_LENGTH = 255
LONGEST_EMERGENCY_NUMBER = 6
"""No numbering plan has a longer one; a test holds the data against it. Asking all patterns takes 2 us a number."""


class DestinationError(ValueError):
    """A destination cannot be used; the message says what is wrong with it and what would be right."""


def normalise(text: str) -> str:
    """The one spelling of a destination that is stored, compared and dialled.

    Raises:
        DestinationError: neither an E.164 number nor a SIP URI.
    """
    stripped = text.strip()
    if len(stripped) > MAX_DESTINATION_LENGTH:
        raise DestinationError(f"it is longer than {MAX_DESTINATION_LENGTH} characters")
    if ":" in stripped or "@" in stripped:
        return _normalise_uri(stripped)
    number = _SEPARATORS.sub("", stripped)
    if _E164.fullmatch(number):
        return number
    raise DestinationError(
        f"{text!r} is not a phone number or SIP URI: write + and 7 to 15 digits (+12025550123) or sip:user@host"
    )


def _normalise_uri(text: str) -> str:
    if text.lower().startswith("tel:"):
        raise DestinationError(f"{text!r} is a tel URI: write the number alone, such as +12025550123")
    uri = text if text.lower().startswith(("sip:", "sips:")) else f"sip:{text}"
    match = _SIP_URI.fullmatch(uri)
    port = match["port"] if match else None
    if match is None or (port is not None and not 1 <= int(port) <= 65535):
        raise DestinationError(f"{text!r} is not a SIP URI: write sip:user@host or sip:user@host:port")
    user = f"{match['user']}@" if match["user"] else ""
    suffix = f":{int(port)}" if port else ""
    return f"{match['scheme'].lower()}:{user}{match['host'].lower()}{suffix}{match['parameters'].lower()}"


def person_key(destination: str) -> str:
    """What identifies the person behind a normalised destination inside one customer.

    The number itself, also when it is the user part of a SIP URI; else the URI without its parameters.
    """
    if destination.startswith("+"):
        return destination
    user = _dialled_parts(destination)[0]
    if _E164.fullmatch(user):
        return user
    match = _SIP_URI.fullmatch(destination)
    return destination[: match.start("parameters")] if match else destination


def _dialled_parts(uri: str) -> list[str]:
    """What the far end may dial: the user part without its parameters, or the host where there is no user.

    Escapes are undone and a number's visual separators removed, because the far end does both (RFC 3261 section
    19.1.4 and RFC 3966 section 5.1.1): ``9-1-1`` and ``%39%31%31`` reach the same desk as ``911``. The first one is
    the number as it stands; others follow where a code stands before it.
    """
    user, at, host = uri.split(":", 1)[1].rpartition("@")
    if not at:
        return [host.split(";", 1)[0].split(":", 1)[0].rstrip(".")]
    for _ in range(MOST_ESCAPES):
        user = unquote(user)
    user = _END_OF_NUMBER.split(_URI_SCHEME.sub("", user, 1), 1)[0]
    code = _SERVICE_CODE.match(user)
    return [_number(user)] if code is None else [_number(user), _number(user[code.end() :])]


def _number(user: str) -> str:
    plus = "+" if user.strip().startswith("+") else ""
    number = plus + _NOT_DIALLED.sub("", user)
    return number if _DIALLED_DIGITS.fullmatch(number) else user


def refusal(destination: str) -> str:
    """Why a normalised destination must never be dialled, or "" when it may be."""
    numbers = [destination] if destination.startswith("+") else _dialled_parts(destination)
    numbers += [_OUTSIDE_LINE.sub("", number, 1) for number in numbers if _OUTSIDE_LINE.match(number)]
    return next((why for why in map(_refusal_of, numbers) if why), "")


def _refusal_of(number: str) -> str:
    if not _DIALLED_DIGITS.fullmatch(number):
        return ""
    digits = number.removeprefix("+")
    if len(digits) <= LONGEST_EMERGENCY_NUMBER and _emergency_numbers().fullmatch(digits):
        return "emergency numbers are never dialled"
    code, national = _split(digits)
    if code and _is_emergency_in(code, national):
        return "emergency numbers are never dialled"
    if code and _premium_numbers(code).fullmatch(national):
        return "premium-rate numbers are never dialled"
    return ""


def _split(digits: str) -> tuple[int, str]:
    """The country code and the national number; 0 where no country code begins the digits."""
    prefix = _INTERNATIONAL_PREFIX.match(digits)
    international = digits[prefix.end() :] if prefix else digits
    for length in (1, 2, 3):
        code = int(international[:length] or 0)
        if code in COUNTRY_CODE_TO_REGION_CODE and not international.startswith("0"):
            return code, international[length:]
    return 0, digits


@cache
def _emergency_numbers() -> re.Pattern[str]:
    regions = {region for regions in COUNTRY_CODE_TO_REGION_CODE.values() for region in regions}
    return _union(_emergency_pattern(region) for region in sorted(regions))


@cache
def _emergency_of_code(code: int) -> re.Pattern[str]:
    return _union(_emergency_pattern(region) for region in COUNTRY_CODE_TO_REGION_CODE[code])


def _is_emergency_in(code: int, national: str) -> bool:
    return len(national) <= LONGEST_EMERGENCY_NUMBER and _emergency_of_code(code).fullmatch(national) is not None


def _emergency_pattern(region: str) -> str | None:
    metadata = PhoneMetadata.short_metadata_for_region(region, None)
    if metadata is None or metadata.emergency is None:
        return None
    return metadata.emergency.national_number_pattern


@cache
def _premium_numbers(code: int) -> re.Pattern[str]:
    return _union(_premium_patterns(code))


def _premium_patterns(code: int) -> list[str]:
    patterns = []
    for region in COUNTRY_CODE_TO_REGION_CODE[code]:
        if region == "001":
            metadata = PhoneMetadata.metadata_for_nongeo_region(code, None)
        else:
            metadata = PhoneMetadata.metadata_for_region(region, None)
        description = metadata.premium_rate if metadata else None
        if description is not None and description.national_number_pattern:
            patterns.append(description.national_number_pattern)
    return patterns


def _union(patterns: Iterable[str | None]) -> re.Pattern[str]:
    unique = [pattern for pattern in dict.fromkeys(patterns) if pattern]
    alternatives = "|".join(f"(?:{pattern})" for pattern in unique)
    return re.compile(alternatives or r"(?!)")
