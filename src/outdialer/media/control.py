"""The conversation between the engine and its media process: msgpack messages behind a four-byte length.

The Unix socket pair is the process's only tie to the engine: when it closes, all audio ends.
"""

import struct
from collections.abc import Iterator
from typing import TypeAlias

import msgspec
from msgspec import Struct

from outdialer.domain.units import Milliseconds
from outdialer.ports.carrier import RemoteMedia
from outdialer.ports.media import DigitReceived, MediaStatistics, PlaybackFinished

_LENGTH = struct.Struct("!I")
LONGEST_MESSAGE = 1 << 20


class Settings(Struct, frozen=True, tag=True, kw_only=True):
    """The first message to the process."""

    cache_dir: str
    address: str
    port_range: tuple[int, int] | None
    live: bool
    quarantine_ms: Milliseconds


class WantPorts(Struct, frozen=True, tag=True):
    """Grant so many more ports, now or as they become free."""

    count: int


class ReturnPort(Struct, frozen=True, tag=True):
    """A leased port whose leg was never opened."""

    port: int


class OpenLeg(Struct, frozen=True, tag=True):
    """``Media.open``."""

    leg: int
    port: int
    remote: RemoteMedia


class Play(Struct, frozen=True, tag=True):
    """``Media.play``."""

    leg: int
    order: int
    keys: list[str]


class Silence(Struct, frozen=True, tag=True):
    """``Media.silence``."""

    leg: int


class Join(Struct, frozen=True, tag=True):
    """``Media.join``."""

    leg: int
    other: int


class Record(Struct, frozen=True, tag=True):
    """``Media.record``."""

    leg: int
    path: str


class CloseLeg(Struct, frozen=True, tag=True):
    """``Media.close``."""

    leg: int


class Count(Struct, frozen=True, tag=True):
    """``Media.statistics``; ``number`` names the question in its answer."""

    number: int


Order: TypeAlias = Settings | WantPorts | ReturnPort | OpenLeg | Play | Silence | Join | Record | CloseLeg | Count


class Granted(Struct, frozen=True, tag=True):
    """Ports that are bound and may be leased."""

    ports: list[int]


class Ready(Struct, frozen=True, tag=True):
    """The process is set up; ``trouble`` says why not."""

    trouble: str = ""


class Totals(Struct, frozen=True, tag=True):
    """The answer to ``Count``."""

    number: int
    statistics: MediaStatistics


class Trouble(Struct, frozen=True, tag=True):
    """Something to be logged: an order that could not be carried out, a recording that failed."""

    what: str


Report: TypeAlias = Granted | Ready | Totals | Trouble | PlaybackFinished | DigitReceived

orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)
_encoder = msgspec.msgpack.Encoder()


def frame(message: Order | Report) -> bytes:
    """A message as it goes through the socket."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Cuts a byte stream back into message bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that ``data`` completes.

        Raises:
            ValueError: a length over ``LONGEST_MESSAGE``: the stream is not ours.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > LONGEST_MESSAGE:
                raise ValueError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield body
