"""SIP messages as a phone reads and writes them (RFC 3261 sections 7, 18.2, 20 and 25).

A parser of the phones' own: it must not share the dialer's mistakes, so it shares none of its code. It is written
for speed: string slicing, one pass over the header lines, nothing looked at that nobody asks for. It reads what it
is sent strictly enough to tell when a caller is wrong, and never guesses.
"""

from collections.abc import Iterable
from urllib.parse import unquote

from msgspec import Struct

BRANCH_COOKIE = "z9hG4bK"
SUPPORTED_METHODS = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE"

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    600: "Busy Everywhere",
    603: "Decline",
}

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "e": "content-encoding",
    "k": "supported",
    "s": "subject",
}


class NotSip(ValueError):
    """The datagram is not a SIP message that can be answered; the text says why."""


class Message(Struct, frozen=True, gc=False):
    """One request (``status`` 0) or response (``method`` is that of its CSeq)."""

    method: str
    uri: str
    status: int
    headers: dict[str, list[str]]
    """Values by lower-case long name, in the order they came; lists of values are not split."""
    body: str
    call_id: str
    cseq: int
    from_header: str
    from_tag: str
    to_header: str
    to_tag: str
    via: str
    """The topmost Via value."""
    sent_by: str
    branch: str

    def header(self, name: str) -> str:
        """The first value of a header by its lower-case long name, or empty."""
        values = self.headers.get(name)
        return values[0] if values else ""

    def listed(self, name: str) -> list[str]:
        """All values of a header that may hold several, comma-separated or repeated."""
        return [item for value in self.headers.get(name, ()) for item in split_list(value)]


def parse(datagram: bytes) -> Message:
    """The message in one datagram.

    Raises:
        NotSip: there is no start line, a mandatory header is missing or unreadable, or the body is cut short.
    """
    head, separator, body = datagram.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
    if not separator:
        raise NotSip("no empty line ends the headers")
    if "\r\n " in head or "\r\n\t" in head:
        head = head.replace("\r\n ", " ").replace("\r\n\t", " ")
    start, *lines = head.split("\r\n")
    headers = _headers(lines)
    try:
        via = split_list(headers["via"][0])[0]
        from_header, to_header = headers["from"][0], headers["to"][0]
        call_id = headers["call-id"][0]
        number, method = headers["cseq"][0].split()
        cseq = _number(number)
    except NotSip:
        raise
    except (KeyError, ValueError, IndexError) as missing:
        raise NotSip(f"no readable header: {missing}") from None
    status, uri = _start_line(start, method)
    protocol, _, rest = via.partition(" ")
    if protocol.upper() != "SIP/2.0/UDP":
        raise NotSip(f"Via of another transport: {protocol}")
    return Message(
        method=method,
        uri=uri,
        status=status,
        headers=headers,
        body=_body(headers, body),
        call_id=call_id,
        cseq=cseq,
        from_header=from_header,
        from_tag=tag_of(from_header),
        to_header=to_header,
        to_tag=tag_of(to_header),
        via=via,
        sent_by=rest.partition(";")[0].strip(),
        branch=_parameter(rest, "branch"),
    )


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 10:
        raise NotSip(f"not a number: {text[:20]!r}")
    return int(text)


def _headers(lines: list[str]) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise NotSip(f"a header line without a colon: {line[:40]!r}")
        name = name.rstrip().lower()
        name = _COMPACT.get(name, name)
        found = headers.get(name)
        if found is None:
            headers[name] = [value.strip()]
        else:
            found.append(value.strip())
    return headers


def _start_line(start: str, cseq_method: str) -> tuple[int, str]:
    first, _, rest = start.partition(" ")
    if first == "SIP/2.0":
        code = rest[:3]
        if not code.isdecimal() or not 100 <= int(code) <= 699:
            raise NotSip(f"a status line without a status: {start[:40]!r}")
        return int(code), ""
    uri, _, version = rest.partition(" ")
    if version != "SIP/2.0" or not uri:
        raise NotSip(f"not a SIP request line: {start[:40]!r}")
    if first != cseq_method:
        raise NotSip(f"the CSeq of {first} says {cseq_method}")
    return 0, uri


def _body(headers: dict[str, list[str]], body: str) -> str:
    """The body cut at Content-Length (RFC 3261 section 18.3)."""
    stated = headers.get("content-length")
    if stated is None:
        return body
    length = _number(stated[0])
    raw = body.encode("utf-8", "surrogateescape")
    if len(raw) == length:
        return body
    if len(raw) < length:
        raise NotSip(f"{len(raw)} bytes of body where Content-Length says {length}")
    return raw[:length].decode("utf-8", "surrogateescape")


def split_list(value: str) -> list[str]:
    """The items of a comma-separated header value; commas in quotes and angle brackets do not separate."""
    if "," not in value:
        return [value]
    items, start, quoted, bracketed = [], 0, False, False
    for index, character in enumerate(value):
        if character == '"' and value[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted and character in "<>":
            bracketed = character == "<"
        elif character == "," and not quoted and not bracketed:
            items.append(value[start:index].strip())
            start = index + 1
    items.append(value[start:].strip())
    return items


def uri_of(address: str) -> str:
    """The URI of a name-addr or addr-spec header value (RFC 3261 section 20.10)."""
    opening = address.rfind("<")
    if opening >= 0:
        return address[opening + 1 :].partition(">")[0]
    return address.partition(";")[0].strip()


def tag_of(address: str) -> str:
    """The ``tag`` parameter of a From or To value, or empty."""
    closing = address.rfind(">")
    return _parameter(address[closing + 1 :] if closing >= 0 else address, "tag")


def _parameter(text: str, name: str) -> str:
    for part in text.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip()
    return ""


def number_of(uri: str) -> str:
    """Who a SIP or tel URI calls: its user part without parameters and password, or its host when it has no user."""
    rest = uri.partition(":")[2]
    if uri[:4].lower() == "tel:":
        return rest.partition(";")[0]
    user, at, host = rest.rpartition("@")
    if not at:
        return host.partition(";")[0]
    return unquote(user.partition(";")[0].partition(":")[0])


def host_port_of(uri: str) -> tuple[str, int]:
    """Host and port (5060 where it has none) of a SIP URI.

    Raises:
        ValueError: the port is not a number.
    """
    rest = uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0].rstrip(">")
    return split_host_port(rest)


def split_host_port(text: str) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[v6]:port`` as host and port (5060 where it has none).

    Raises:
        ValueError: the port is not a number.
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest.startswith(":") else 5060
    host, colon, port = text.partition(":")
    return host.strip(), int(port) if colon else 5060


def reply_address(message: Message, source: tuple[str, int]) -> tuple[str, int]:
    """Where responses go: the source with ``rport`` (RFC 3581), else its address at the sent-by port (18.2.2).

    Raises:
        ValueError: the port of the Via is not a number.
    """
    if has_flag(message.via, "rport"):
        return source
    return source[0], split_host_port(message.sent_by)[1]


def has_flag(value: str, name: str) -> bool:
    """Whether a header value has the parameter ``name``, with or without a value."""
    return any(part.partition("=")[0].strip().lower() == name for part in value.split(";")[1:])


def response_head(message: Message, source: tuple[str, int], to_tag: str) -> str:
    """The header lines that every response to ``message`` repeats (RFC 3261 section 8.2.6.2), each with its CRLF."""
    vias = message.listed("via")
    vias[0] = _stamped(vias[0], message.sent_by, source)
    to_header = message.to_header if message.to_tag or not to_tag else f"{message.to_header};tag={to_tag}"
    lines = "".join(f"Via: {via}\r\n" for via in vias)
    return (
        f"{lines}From: {message.from_header}\r\nTo: {to_header}\r\nCall-ID: {message.call_id}\r\n"
        f"CSeq: {message.cseq} {message.method}\r\n"
    )


def _stamped(via: str, sent_by: str, source: tuple[str, int]) -> str:
    parts = []
    asked = False
    for part in via.split(";"):
        if part.strip().lower() == "rport":
            asked = True
            part = f"rport={source[1]}"
        parts.append(part)
    if asked or sent_by.partition(":")[0] != source[0]:
        parts.append(f"received={source[0]}")
    return ";".join(parts)


def render(start: str, head: str, extra: Iterable[str] = (), body: str = "") -> bytes:
    """The datagram of a start line, ready header lines, further header lines and an SDP body."""
    more = "".join(f"{line}\r\n" for line in extra)
    kind = "Content-Type: application/sdp\r\n" if body else ""
    content = body.encode("utf-8", "surrogateescape")
    text = f"{start}\r\n{head}{more}{kind}Content-Length: {len(content)}\r\n\r\n"
    return text.encode("utf-8", "surrogateescape") + content


def status_line(status: int) -> str:
    """The start line of a response."""
    return f"SIP/2.0 {status} {REASONS.get(status, 'Unknown')}"
