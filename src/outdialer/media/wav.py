"""Reading WAV files (RIFF WAVE): PCM and float of any width, rate and channels, and G.711.

The standard library's ``wave`` refuses the extensible format that 24-bit files come in, hence a reader of our own.
"""

import struct

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from outdialer.media import g711
from outdialer.media.rtp import PCMA, PCMU

Floats = NDArray[np.float32]

_PCM, _FLOAT, _ALAW, _ULAW = 1, 3, 6, 7
"""Format tags (RFC 2361)."""
_EXTENSIBLE = 0xFFFE
_MOST_CHANNELS = 64
_FORMAT = struct.Struct("<HHIIHH")
_RATES = range(1_000, 768_001)


class NotWav(Exception):
    """The bytes are not a WAV file we can read; the message says what is wrong with them."""


class Sound(Struct, frozen=True):
    """Mono audio, samples from -1 to 1."""

    rate: int
    samples: Floats


class _Format(Struct, frozen=True):
    tag: int
    channels: int
    rate: int
    bits: int


def read_wav(data: bytes) -> Sound:
    """The sound in a WAV file, its channels mixed into one.

    Raises:
        NotWav: with what is wrong.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NotWav("it does not start like a RIFF WAVE file")
    chunks = _chunks(data)
    if b"fmt " not in chunks or b"data" not in chunks:
        raise NotWav("its format or data chunk is missing")
    form = _format(chunks[b"fmt "])
    samples = _samples(chunks[b"data"], form)
    whole = len(samples) // form.channels * form.channels
    if whole == 0:
        raise NotWav("it holds no audio")
    mono = samples[:whole].reshape(-1, form.channels).mean(axis=1, dtype=np.float32)
    return Sound(form.rate, np.nan_to_num(mono, posinf=1.0, neginf=-1.0))


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each kind; the last one may be cut short, as streams leave it."""
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        found.setdefault(data[place : place + 4], data[place + 8 : place + 8 + size])
        place += 8 + size + size % 2
    return found


def _format(chunk: bytes) -> _Format:
    if len(chunk) < _FORMAT.size:
        raise NotWav("its format chunk is too short")
    tag, channels, rate, _, _, bits = _FORMAT.unpack_from(chunk)
    if tag == _EXTENSIBLE and len(chunk) >= 26:
        tag = int.from_bytes(chunk[24:26], "little")
    if not 1 <= channels <= _MOST_CHANNELS or rate not in _RATES:
        raise NotWav(f"it claims {channels} channels at {rate} Hz")
    return _Format(tag, channels, rate, bits)


def _samples(data: bytes, form: _Format) -> Floats:
    kind = form.tag, form.bits
    if kind == (_PCM, 8):
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    if kind in ((_PCM, 16), (_PCM, 32)):
        return _integers(data, form.bits // 8)
    if kind == (_PCM, 24):
        return _from_24_bit(data)
    if kind in ((_FLOAT, 32), (_FLOAT, 64)):
        size = form.bits // 8
        return np.frombuffer(data[: len(data) // size * size], f"<f{size}").astype(np.float32)
    if kind in ((_ALAW, 8), (_ULAW, 8)):
        return _integers(g711.to_pcm16(data, PCMA if form.tag == _ALAW else PCMU), 2)
    raise NotWav(f"its encoding (format {form.tag}, {form.bits} bit) is not PCM, float or G.711")


def _integers(data: bytes, size: int) -> Floats:
    whole = np.frombuffer(data[: len(data) // size * size], f"<i{size}")
    return (whole / float(1 << 8 * size - 1)).astype(np.float32)


def _from_24_bit(data: bytes) -> Floats:
    octets = np.frombuffer(data[: len(data) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.int32)
    values = octets[:, 0] | octets[:, 1] << 8 | octets[:, 2] << 16
    return (((values ^ 0x800000) - 0x800000) / float(1 << 23)).astype(np.float32)
