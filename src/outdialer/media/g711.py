"""G.711 companding (ITU-T G.711): one byte per sample, two laws, as byte tables.

No numpy here: the RTP process needs only what ``bytes.translate`` can do.
"""

from outdialer.media.rtp import PCMA, PCMU

_ULAW_BIAS = 33
_ULAW_CLIP = 8158
_ALAW_TOGGLE = 0x55


def ulaw_code(sample: int) -> int:
    """The u-law byte of a signed 14-bit sample (a 16-bit one shifted right by two)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _ULAW_CLIP) + _ULAW_BIAS
    segment = magnitude.bit_length() - 6
    return (sign | segment << 4 | (magnitude >> segment + 1) & 0x0F) ^ 0xFF


def ulaw_sample(code: int) -> int:
    """The 16-bit sample of a u-law byte."""
    code ^= 0xFF
    segment = code >> 4 & 7
    magnitude = ((code & 0x0F) * 2 + _ULAW_BIAS << segment) - _ULAW_BIAS
    return (-magnitude if code & 0x80 else magnitude) * 4


def alaw_code(sample: int) -> int:
    """The A-law byte of a signed 13-bit sample (a 16-bit one shifted right by three)."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = sample if sample >= 0 else -sample - 1
    segment = max(magnitude.bit_length() - 5, 0)
    return (sign | segment << 4 | magnitude >> max(segment, 1) & 0x0F) ^ _ALAW_TOGGLE


def alaw_sample(code: int) -> int:
    """The 16-bit sample of an A-law byte."""
    code ^= _ALAW_TOGGLE
    segment = code >> 4 & 7
    magnitude = (code & 0x0F) * 2 + 1
    if segment:
        magnitude = magnitude + 32 << segment - 1
    return (magnitude if code & 0x80 else -magnitude) * 8


SAMPLES: dict[int, tuple[int, ...]] = {
    PCMU: tuple(ulaw_sample(code) for code in range(256)),
    PCMA: tuple(alaw_sample(code) for code in range(256)),
}
"""Payload type -> the 16-bit sample of each byte."""

SILENCE: dict[int, bytes] = {PCMU: b"\xff", PCMA: b"\xd5"}
"""Payload type -> the byte that means no sound."""

_ULAW_TO_ALAW = bytes(alaw_code(sample >> 3) for sample in SAMPLES[PCMU])
_ALAW_TO_ULAW = bytes(ulaw_code(sample >> 2) for sample in SAMPLES[PCMA])
_LOW = {law: bytes(sample & 0xFF for sample in samples) for law, samples in SAMPLES.items()}
_HIGH = {law: bytes(sample >> 8 & 0xFF for sample in samples) for law, samples in SAMPLES.items()}


def transcode(audio: bytes, from_law: int, to_law: int) -> bytes:
    """G.711 audio in the other law; unchanged when the laws are the same."""
    if from_law == to_law:
        return audio
    return audio.translate(_ULAW_TO_ALAW if to_law == PCMA else _ALAW_TO_ULAW)


def to_pcm16(audio: bytes, law: int) -> bytes:
    """Signed 16-bit little-endian samples, as a WAV file wants them."""
    pcm = bytearray(2 * len(audio))
    pcm[0::2] = audio.translate(_LOW[law])
    pcm[1::2] = audio.translate(_HIGH[law])
    return bytes(pcm)
