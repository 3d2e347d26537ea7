"""Session descriptions for one audio stream (RFC 8866, offer and answer by RFC 3264)."""

from functools import lru_cache
from typing import NamedTuple

from outdialer.carriers.sip.core.headers import parameter
from outdialer.carriers.sip.core.message import Message
from outdialer.ports.carrier import RemoteMedia

CODECS = {0: "PCMU/8000", 8: "PCMA/8000"}
"""The static payload types we speak (RFC 3551)."""
EVENTS = 101
"""Our payload type for telephone events (RFC 4733)."""
CONTENT_TYPE = "application/sdp"
CONTENT_TYPE_LINE = f"Content-Type: {CONTENT_TYPE}\r\n"
_OPPOSITE = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class Description(NamedTuple):
    """What a far end's description says about its audio."""

    media: RemoteMedia | None
    """None: no stream, no common codec, or the stream was refused (port 0)."""
    direction: str
    """Theirs: ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``."""


def describe(
    address: str, port: int, session: int, version: int = 1, *, payload: int | None = None, direction: str = "sendrecv"
) -> bytes:
    """Our offer (``payload`` None: both codecs) or our answer with the one chosen codec; 20 ms packets."""
    family = "IP6" if ":" in address else "IP4"
    return (
        f"v=0\r\no=- {session} {version} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {_formats(payload)}a=ptime:20\r\na={direction}\r\n"
    ).encode("latin-1")


@lru_cache
def _formats(payload: int | None) -> str:
    """The end of the ``m=`` line and the lines that say what its numbers mean."""
    types = CODECS if payload is None else {payload: CODECS[payload]}
    maps = "".join(f"a=rtpmap:{number} {codec}\r\n" for number, codec in types.items())
    events = f"a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-16\r\n"
    return f"{' '.join(map(str, types))} {EVENTS}\r\n{maps}{events}"


def answering_direction(description: Description) -> str:
    """The direction of our answer to an offer (RFC 3264 section 6.1); a zero address is the old way to hold."""
    if description.media is not None and description.media.address in ("0.0.0.0", "::"):
        return "recvonly"
    return _OPPOSITE[description.direction]


def description_in(message: Message) -> Description | None:
    """The session description a message carries, also inside a multipart body (RFC 5621), or None."""
    content_type = message.headers.get("content-type", "").lower()
    if content_type.startswith(CONTENT_TYPE):
        return parse_description(message.body)
    if content_type.startswith("multipart/"):
        boundary = parameter(message.headers["content-type"], "boundary")
        for part in message.body.split(b"--" + boundary.encode("latin-1")) if boundary else ():
            head, _, body = part.partition(b"\r\n\r\n")
            if CONTENT_TYPE.encode() in head.lower():
                return parse_description(body)
    return None


def parse_description(body: bytes) -> Description | None:
    """Read a description: its first audio stream that we can speak to. None when it is not SDP."""
    lines = body.decode("latin-1").replace("\r\n", "\n").split("\n")
    if not lines[0].startswith("v="):
        return None
    audio: list[str] = []
    address, direction = "", "sendrecv"
    session: tuple[str, str] | None = None
    for line in lines[1:]:
        kind = line[:2]
        if kind == "m=":
            if audio:
                break
            session = session or (address, direction)
            address, direction = session
            audio = line[2:].split() if line.startswith("m=audio ") else []
        elif kind == "c=":
            address = line.rpartition(" ")[2].partition("/")[0]
        elif kind == "a=" and line[2:] in _OPPOSITE:
            direction = line[2:]
    return Description(_media(audio, address), direction)


def _media(audio: list[str], address: str) -> RemoteMedia | None:
    """The stream of an ``m=audio`` line's fields."""
    if len(audio) < 4 or not audio[1].isascii() or not audio[1].isdecimal() or len(audio[1]) > 5 or not address:
        return None
    port = int(audio[1])
    spoken = [int(text) for text in audio[3:] if text in ("0", "8")]
    if not 0 < port < 65_536 or not spoken or audio[2] != "RTP/AVP":
        return None
    return RemoteMedia(address=address, port=port, payload_type=spoken[0])
