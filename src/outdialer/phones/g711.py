"""G.711 coding by tables (ITU-T G.711): mu-law (PCMU, payload type 0) and A-law (PCMA, payload type 8)."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]

SAMPLE_RATE = 8_000
SILENCE = {0: 0xFF, 8: 0xD5}
"""The byte for silence by payload type."""


def _mu_law_table() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _a_law_table() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment, mantissa = (code & 0x70) >> 4, (code & 0x0F) << 4
    magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_DECODE: dict[int, Samples] = {0: _mu_law_table(), 8: _a_law_table()}


def _encode_table(payload_type: int) -> NDArray[np.uint8]:
    """For each 16-bit sample the code whose value is nearest."""
    values = _DECODE[payload_type].astype(np.int32)
    order = np.argsort(values, kind="stable")
    borders = (values[order][1:] + values[order][:-1]) / 2
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16)
    return order.astype(np.uint8)[np.searchsorted(borders, samples)]


_ENCODE = {payload_type: _encode_table(payload_type) for payload_type in _DECODE}


def decode(data: bytes, payload_type: int) -> Samples:
    """The 16-bit samples of G.711 bytes.

    Raises:
        KeyError: the payload type is neither 0 nor 8.
    """
    return _DECODE[payload_type][np.frombuffer(data, dtype=np.uint8)]


def encode(samples: Samples, payload_type: int) -> bytes:
    """The G.711 bytes nearest to 16-bit samples.

    Raises:
        KeyError: the payload type is neither 0 nor 8.
    """
    return _ENCODE[payload_type][samples.view(np.uint16)].tobytes()
