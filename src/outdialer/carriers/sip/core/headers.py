"""Reading header values (RFC 3261 section 25.1). Nothing here raises: what cannot be read is empty."""

import re

_MARKS = {separator: re.compile(rf'"(?:[^"\\]|\\.|\\\Z)*"?|<[^>]*|{separator}', re.DOTALL) for separator in ",;"}
"""A quoted string, an angle bracket with what is in it, or the separator: whichever comes first. None can backtrack."""


def split_outside(text: str, separator: str) -> list[str]:
    """Split at ``separator`` (a comma or semicolon) where it stands outside quoted strings and angle brackets."""
    if '"' not in text and "<" not in text:
        return text.split(separator)
    parts, start = [], 0
    for mark in _MARKS[separator].finditer(text):
        if mark[0] == separator:
            parts.append(text[start : mark.start()])
            start = mark.end()
    parts.append(text[start:])
    return parts


def values(header: str) -> list[str]:
    """The elements of a list header, over all its lines, in order."""
    if "," not in header and "\n" not in header:
        return [header] if header else []
    found = [part.strip(" \t") for line in header.split("\n") for part in split_outside(line, ",")]
    return [part for part in found if part]


def address_parts(value: str) -> tuple[str, str]:
    """URI and parameter text of a From, To, Contact, Route or Record-Route value."""
    if value[:1] == "<":
        uri, _, parameters = value[1:].partition(">")
        return uri.strip(" \t"), parameters
    if "<" in value:
        pieces = split_outside(value, ";")
        display, _, rest = pieces[0].rpartition("<")
        if display or "<" in pieces[0]:
            return rest.partition(">")[0].strip(" \t"), ";".join(["", *pieces[1:]])
    uri, semicolon, parameters = value.partition(";")
    return uri.strip(" \t"), semicolon + parameters


def parameter(text: str, name: str) -> str | None:
    """The value of ``;name=value`` in a parameter text; empty when it has none; None when it is absent."""
    for part in split_outside(text, ";"):
        key, _, value = part.partition("=")
        if key.strip(" \t").lower() == name:
            return value.strip(" \t").strip('"')
    return None


def tag_of(value: str) -> str:
    """The tag of a From or To value, or empty."""
    uri, found, tag = value.partition(">;tag=")
    if found and uri[:1] == "<" and tag.isalnum():  # How nearly everybody writes it.
        return tag
    return parameter(address_parts(value)[1], "tag") or ""


def branch_of(via: str) -> str:
    """The branch of the topmost Via, or empty."""
    start = via.find(";branch=")
    if start < 0 or "," in via or "\n" in via:
        first = values(via)[:1]
        return (parameter(first[0], "branch") or "") if first else ""
    start += 8
    end = via.find(";", start)
    return (via[start:] if end < 0 else via[start:end]).strip(" \t")


def single_via(via: str) -> bool:
    """Whether there is one Via value only: a response with more went astray (RFC 3261 section 8.1.3.3)."""
    return ("," not in via and "\n" not in via) or len(values(via)) == 1


def stamp_via(via: str, host: str, port: int) -> str:
    """``via`` with where its request really came from (RFC 3261 section 18.2.1, RFC 3581 section 4).

    Its lines stay lines: one that holds thousands of values must not become thousands of header fields.
    """
    line, *more = [line for line in via.split("\n") if line.strip(", \t")]
    first, *others = values(line)
    kept = []
    for part in split_outside(first, ";"):
        key = part.partition("=")[0].strip(" \t").lower()
        if key == "rport":
            kept.append(f"rport={port}")
        elif key != "received":
            kept.append(part)
    return "\n".join([", ".join([";".join(kept) + f";received={host}", *others]), *more])


def via_port(via: str, source_port: int) -> int:
    """The port a response goes to: the source's when rport asks for it, else the sent-by port (RFC 3581)."""
    first = values(via)[0]
    if parameter(first, "rport") is not None:
        return source_port
    sent_by = first.partition(";")[0].rpartition(" ")[2]
    port = sent_by.rpartition(":")[2] if ":" in sent_by and not sent_by.endswith("]") else ""
    return int(port) if port.isascii() and port.isdecimal() and 0 < len(port) < 6 and 0 < int(port) < 65_536 else 5060


def seconds(value: str) -> int:
    """The leading whole number of a Retry-After like value (RFC 3261 section 20.33), or 0."""
    digits = value.strip(" \t").partition(";")[0].partition("(")[0].strip(" \t")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 8 else 0


def q850_cause(reason: str) -> int:
    """The cause of a ``Reason: Q.850;cause=n`` value (RFC 3326), or 0."""
    for value in values(reason):
        protocol, _, parameters = value.partition(";")
        if protocol.strip(" \t").upper() == "Q.850":
            return seconds(parameter(parameters, "cause") or "")
    return 0
