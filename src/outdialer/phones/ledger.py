"""What was on the wire, as JSON Lines: the far end's own books.

One JSON object a line, told apart by ``event``. Times are integers, microseconds since the Unix epoch (UTC). Every
key is always there.

``"event": "message"``: one request or response that came in or went out.

======================= ==============================================================================================
``at``                  when: the kernel's receive time of what came in (the time of reading where it has none), the
                        time of queueing of what went out
``dir``                 ``in`` or ``out``
``method``              of the request, or of the request that a response answers (its CSeq)
``status``              0 for requests
``call_id`` ``cseq`` ``branch``   of the message (``cseq`` the number alone)
``from`` ``to``         the header values as they stand
``number``              the number called: user part of the INVITE's Request-URI; empty where no call is known
``source``              ``ip:port`` of the other side
``retransmission``      true when the same message was seen, or sent, before
``lost``                true when the behaviour of the phone lost it: it came in but was not heard, or never went out
``problem``             what is wrong with it by the RFC, in words; empty when nothing is. ``unreadable: ...`` for
                        datagrams that are no SIP (then the other keys are empty)
======================= ==============================================================================================

``"event": "call"``: the summary of one call, written when it is over and acknowledged, or given up. An INVITE that
was challenged has a summary of its own, with status 401 or 407.

======================= ==============================================================================================
``call_id`` ``number`` ``behaviour`` ``try``   who was called, what the phone did, and the number of the try at it
``answered``            whether 200 was sent
``status``              the final response to the INVITE; 0 when none was sent
``acknowledged``        whether the final response was acknowledged
``invite_at`` ``ringing_at`` ``answered_at`` ``acknowledged_at`` ``ended_at``   0 when it did not happen
``ended_by``            ``caller`` (BYE or CANCEL), ``phone`` (its BYE or refusal), ``expires``, ``no-ack``, ``stop``
                        (the network was stopped)
``problems``            everything that was wrong with the caller's messages of this call
``audio``               null where there was none to hear, else the fields of ``AudioReport``
======================= ==============================================================================================

Lines are written out before the datagrams they belong to, and before the answers to the datagrams they belong to:
what is on the wire is in the file, whatever dies next.
"""

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from outdialer.domain.units import Instant


class MessageLine(Struct, frozen=True, kw_only=True, tag_field="event", tag="message", gc=False):
    """One message on the wire; the fields are described above."""

    at: Instant
    direction: str = msgspec.field(name="dir")
    method: str = ""
    status: int = 0
    call_id: str = ""
    cseq: int = 0
    branch: str = ""
    from_header: str = msgspec.field(name="from", default="")
    to_header: str = msgspec.field(name="to", default="")
    number: str = ""
    source: str = ""
    retransmission: bool = False
    lost: bool = False
    problem: str = ""


class AudioReport(Struct, frozen=True, kw_only=True):
    """What was heard in one call."""

    packets: int
    """RTP packets received, without those of other payload types."""
    lost: int
    """Sequence numbers between the lowest and the highest that did not come."""
    first_packet_ms: float | None
    """From the caller's ACK to the first packet, by the kernel's times; negative when it came before the ACK."""
    payload_type: int
    other_payloads: int
    """Packets of other payload types (telephone events, comfort noise)."""
    duration_ms: int
    """Audio received: 1 ms for 8 samples."""
    peak_dbfs: float
    """Highest sample, 0 is full scale; -100 for silence."""
    rms_dbfs: float
    max_gap_ms: float
    """Longest time between two packets, by the kernel's times."""
    late_packets: int
    """Packets that came more than 5 ms behind the stream's median, by their timestamps."""
    tones: str
    """The tone sequence heard (``outdialer.phones.tones``)."""
    ssrcs: tuple[int, ...]
    """Synchronisation sources seen: more than one means mixed-up audio."""
    sent_packets: int
    """RTP packets that the phone sent."""


class CallLine(Struct, frozen=True, kw_only=True, tag_field="event", tag="call"):
    """The summary of one call; the fields are described above."""

    call_id: str
    number: str
    behaviour: str
    try_number: int = msgspec.field(name="try")
    answered: bool
    status: int
    acknowledged: bool
    invite_at: Instant
    ringing_at: Instant
    answered_at: Instant
    acknowledged_at: Instant
    ended_at: Instant
    ended_by: str
    problems: tuple[str, ...]
    audio: AudioReport | None


Line: TypeAlias = MessageLine | CallLine
Listener: TypeAlias = Callable[[Line], None]


class Ledger:
    """Writes lines to a file, keeps the last ``remember`` ones in memory, and tells listeners."""

    def __init__(self, remember: int) -> None:
        self.listeners: list[Listener] = []
        self.recent: deque[Line] = deque(maxlen=remember)
        self._file = -1
        self._encode = msgspec.json.Encoder().encode
        self._buffer: list[bytes] = []

    def open(self, path: Path) -> None:
        """Write to a file from now on; it is made where it is not there, and appended to.

        Raises:
            OSError: the file cannot be opened.
        """
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if self._file >= 0:
            os.close(self._file)
        self._file = opened

    @property
    def wanted(self) -> bool:
        """Whether anybody reads the lines: where nobody does they need not be made."""
        return self._file >= 0 or self.recent.maxlen != 0 or bool(self.listeners)

    def add(self, line: Line) -> None:
        """Book one line. It is in the file after the next ``flush``."""
        if self._file >= 0:
            self._buffer.append(self._encode(line))
        if self.recent.maxlen:
            self.recent.append(line)
        for listener in tuple(self.listeners):
            listener(line)

    def flush(self) -> None:
        """Hand everything booked to the kernel. What it does not take stays booked for the next time.

        Raises:
            OSError: the disk is full, or the like.
        """
        if not self._buffer:
            return
        data = b"\n".join(self._buffer) + b"\n"
        while data:
            self._buffer = [data[:-1]]
            data = data[os.write(self._file, data) :]
        self._buffer = []

    def close(self) -> None:
        """Flush and close the file."""
        if self._file < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._file)
            self._file = -1
