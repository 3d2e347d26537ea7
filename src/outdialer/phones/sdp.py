"""The session descriptions of a telephone: one audio stream, G.711 (RFC 4566, RFC 3264, RFC 3551)."""

from msgspec import Struct

CODECS = {0: "PCMU", 8: "PCMA"}


class Offer(Struct, frozen=True, gc=False):
    """Where the other side wants its audio, and what it may be sent."""

    address: str
    port: int
    payload_types: tuple[int, ...]
    event_type: int = -1
    """The payload type of telephone-event (RFC 4733); -1 when it was not offered."""

    @property
    def codec(self) -> int | None:
        """The first payload type that a telephone speaks, or None."""
        return next((code for code in self.payload_types if code in CODECS), None)


def read(body: str) -> Offer:
    """The first audio stream of a session description.

    Raises:
        ValueError: there is none, or a line of it cannot be read.
    """
    address, session_address, port, event_type, in_audio = "", "", 0, -1, False
    codes: tuple[int, ...] = ()
    for line in body.splitlines():
        if line.startswith("m="):
            if in_audio:
                break
            in_audio = line.startswith("m=audio ")
            if in_audio:
                _, port_text, _, *formats = line.split()
                port, codes = int(port_text.partition("/")[0]), tuple(int(code) for code in formats)
        elif line.startswith("c="):
            _, _, found = line[2:].split()
            address, session_address = (found, session_address) if in_audio else (address, found)
        elif in_audio and line.startswith("a=rtpmap:") and "telephone-event/8000" in line:
            event_type = int(line[9:].split()[0])
    if not codes or not (address or session_address):
        raise ValueError("no audio stream with an address")
    return Offer(address or session_address, port, codes, event_type)


def write(host: str, port: int, codec: int, event_type: int, session: int) -> str:
    """A session description that receives one codec (and telephone events where they were offered)."""
    family = "IP6" if ":" in host else "IP4"
    events = f"a=rtpmap:{event_type} telephone-event/8000\r\na=fmtp:{event_type} 0-15\r\n" if event_type >= 0 else ""
    formats = f"{codec} {event_type}" if event_type >= 0 else str(codec)
    return (
        f"v=0\r\no=phone {session} {session} IN {family} {host}\r\ns=-\r\nc=IN {family} {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {formats}\r\na=rtpmap:{codec} {CODECS[codec]}/8000\r\n{events}"
        "a=ptime:20\r\na=sendrecv\r\n"
    )
