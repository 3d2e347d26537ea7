"""SIP messages: bytes in, a ``Message`` out, and back (RFC 3261 section 7).

Only the frame is parsed here: start line, header fields, body. Header values stay text until somebody asks
(``headers``). Text is Latin-1 so that every byte survives the way in and out.
"""

from functools import lru_cache

from msgspec import Struct

MAX_DATAGRAM = 65_535
"""The largest UDP payload considered, in bytes."""
MAX_HEADERS = 128
MAX_HEADER_LENGTH = 8_192
"""The longest header field accepted, unfolded, in characters."""
VERSION = "SIP/2.0"
MAX_SEQUENCE = 2**31 - 1

_COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject", "t": "to",
    "u": "allow-events", "v": "via", "x": "session-expires",
}  # fmt: skip
"""Compact header names (RFC 3261 section 7.3.3 and the IANA registry)."""
_ONCE = ("from", "to", "call-id", "cseq", "content-length", "max-forwards", "content-type")
_NAMES = {
    name: name.lower()
    for name in (
        "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Content-Type", "Record-Route", "Allow",
        "Max-Forwards", "User-Agent", "Server", "Supported", "Reason", "WWW-Authenticate", "Proxy-Authenticate",
    )
}  # fmt: skip
"""Usual spellings, so that the common case costs one look-up."""
_REMEMBERED_LINES = 256
"""Nearly all responses have the same few status lines and CSeq values."""
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")


class ParseError(ValueError):
    """The bytes are not an acceptable SIP message; the text says why."""


class Message(Struct):
    """A request (``method`` and ``uri`` set) or a response (``status`` set).

    ``headers`` maps lower-case full names to values; the values of a repeated header are joined by a line feed,
    which cannot occur in a value.
    """

    method: str
    """The request's method, or the method that the response's CSeq names."""
    uri: str
    status: int
    """100-699, or 0 for a request."""
    reason: str
    headers: dict[str, str]
    body: bytes
    sequence: int
    """The CSeq number."""

    @property
    def call_id(self) -> str:
        """The Call-ID header."""
        return self.headers["call-id"]


def parse(data: bytes) -> Message:
    """Read one datagram.

    Raises:
        ParseError: the only exception, whatever the bytes are.
    """
    if len(data) > MAX_DATAGRAM:
        raise ParseError("too long")
    head, separator, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise ParseError("no end of headers")
    text = head.decode("latin-1")
    if "\r\n " in text or "\r\n\t" in text:
        text = _unfold(text)
    lines = text.split("\r\n")
    if not len(lines) - 1 == text.count("\n") == text.count("\r"):
        raise ParseError("bare line end")
    if len(text) > MAX_HEADER_LENGTH and max(map(len, lines)) > MAX_HEADER_LENGTH:
        raise ParseError("header too long")
    headers = _parse_headers(lines)
    method, uri, status, reason = _parse_start(lines[0])
    sequence, named = _parse_sequence(headers["cseq"])
    if status:
        method = named
    elif named != method:
        raise ParseError("CSeq names another method")
    return Message(method, uri, status, reason, headers, _cut_body(headers, body), sequence)


def _unfold(text: str) -> str:
    """Folded lines become one (RFC 3261 section 7.3.1)."""
    first, *rest = text.split("\r\n")
    pieces = [first]
    for line in rest:
        folded = line[:1] in (" ", "\t")
        pieces += (" ", line.strip(" \t")) if folded else ("\r\n", line)
    return "".join(pieces)


@lru_cache(maxsize=_REMEMBERED_LINES)
def _parse_start(line: str) -> tuple[str, str, int, str]:
    parts = line.split(" ", 2)
    if len(parts) < 3:
        raise ParseError("start line")
    first, middle, last = parts
    if first.upper() == VERSION:
        if len(middle) != 3 or not middle.isascii() or not middle.isdecimal() or not "100" <= middle <= "699":
            raise ParseError("status code")
        return "", "", int(middle), last
    if last.upper() != VERSION or not middle or not is_token(first):
        raise ParseError("request line")
    return first, middle, 0, ""


def _parse_headers(lines: list[str]) -> dict[str, str]:
    if len(lines) - 1 > MAX_HEADERS:
        raise ParseError("too many headers")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        key = _NAMES.get(name) or _header_name(name)
        if not colon:
            raise ParseError("header line")
        value = value.strip(" \t")
        if key in headers:
            if key in _ONCE:
                raise ParseError(f"{key} given twice")
            value = f"{headers[key]}\n{value}"
        headers[key] = value
    for key in ("via", "from", "to", "call-id", "cseq"):
        if not headers.get(key):
            raise ParseError(f"{key} is missing")
    if not headers["via"].strip(", \t\n"):
        raise ParseError("via is empty")
    return headers


def _header_name(name: str) -> str:
    key = name.rstrip(" \t").lower()
    if not is_token(key):
        raise ParseError("header name")
    return _COMPACT.get(key, key)


@lru_cache(maxsize=_REMEMBERED_LINES)
def _parse_sequence(value: str) -> tuple[int, str]:
    number, _, method = value.replace("\t", " ").partition(" ")
    method = method.strip(" \t")
    if not number.isascii() or not number.isdecimal() or len(number) > 10 or not is_token(method):
        raise ParseError("CSeq")
    if int(number) > MAX_SEQUENCE:
        raise ParseError("CSeq number")
    return int(number), method


def _cut_body(headers: dict[str, str], body: bytes) -> bytes:
    """What Content-Length says is the body; more bytes are noise, fewer an error (RFC 3261 section 18.3)."""
    length = headers.get("content-length")
    if length is None:
        return body
    if not length.isascii() or not length.isdecimal() or len(length) > 9:
        raise ParseError("Content-Length")
    if int(length) > len(body):
        raise ParseError("body shorter than Content-Length")
    return body[: int(length)]


def is_token(text: str) -> bool:
    """Whether ``text`` is a ``token`` of RFC 3261 section 25.1."""
    return bool(text) and _TOKEN.issuperset(text)


def serialise_request(method: str, uri: str, lines: str, body: bytes = b"") -> bytes:
    """A request; ``lines`` are complete header lines, each ended by CRLF, without Content-Length."""
    return f"{method} {uri} {VERSION}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


def serialise_response(status: int, reason: str, lines: str, body: bytes = b"") -> bytes:
    """A response; ``lines`` as for requests."""
    return f"{VERSION} {status} {reason}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
