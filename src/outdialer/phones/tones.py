"""A sequence of single tones as a mark in the audio: how tests and the demo know whose prompt they hear.

The alphabet is the sixteen hexadecimal digits; digit ``d`` is ``500 + 150 * d`` Hz (500 to 2,750 Hz), 60 ms long,
followed by 40 ms of silence. All frequencies are whole multiples of 50 Hz, so that they do not leak into each other
in a window of 20 ms, and within the telephone band. A byte takes 200 ms.

``decode`` looks at a window of 20 ms every 5 ms, needs no start mark and no alignment, bears noise 12 dB below
the tones, and one lost packet of 20 ms within a tone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from outdialer.phones.g711 import SAMPLE_RATE, Samples

DIGITS = "0123456789ABCDEF"
FREQUENCIES = tuple(500 + 150 * index for index in range(16))
"""Hz of each digit."""
TONE_MS = 60
GAP_MS = 40
AMPLITUDE = 10_000
"""Peak of a synthesised tone, of 32,767."""

_WINDOW = SAMPLE_RATE * 20 // 1_000
_HOP = SAMPLE_RATE * 5 // 1_000
_PURITY = 0.6
"""Share of a window's energy that must lie in one tone."""
_FLOOR = 200.0**2
"""Mean square below which a window is silent."""
_SHORTEST_WINDOWS = 4
"""Windows of one digit that make a tone: at least 35 ms of it."""
_GAP_WINDOWS = 7
"""Windows without a digit that part two tones of the same digit: a gap has eight, a lost packet five at most."""


def _basis() -> NDArray[np.complex64]:
    """Goertzel's filters of all digits as the columns of one matrix."""
    times = np.arange(_WINDOW)[:, None] / SAMPLE_RATE
    filters: NDArray[np.complex64] = np.exp(-2j * np.pi * times * np.array(FREQUENCIES)).astype(np.complex64)
    return filters


_BASIS = _basis()


def encode(data: bytes | str) -> list[tuple[int, int]]:
    """The tones that say ``data``: (Hz, ms) pairs, 0 Hz is silence. Text is taken as hexadecimal digits.

    Raises:
        ValueError: a character is no hexadecimal digit.
    """
    digits = data.hex().upper() if isinstance(data, bytes) else data.upper()
    return [pair for digit in digits for pair in ((FREQUENCIES[DIGITS.index(digit)], TONE_MS), (0, GAP_MS))]


def synthesise(tones: Sequence[tuple[int, int]]) -> Samples:
    """The samples of (Hz, ms) pairs."""
    parts = [
        AMPLITUDE * np.sin(2 * np.pi * hz * np.arange(SAMPLE_RATE * ms // 1_000) / SAMPLE_RATE) for hz, ms in tones
    ]
    return np.concatenate([np.zeros(0), *parts]).astype(np.int16)


def decode(frames: Sequence[Samples]) -> str:
    """The hexadecimal digits heard in consecutive frames of samples, of any lengths."""
    samples = np.concatenate([np.zeros(0, dtype=np.int16), *frames])
    if len(samples) < _WINDOW:
        return ""
    return "".join(DIGITS[digit] for digit in _tones(_classified(samples)))


def _classified(samples: Samples) -> NDArray[np.int64]:
    """For each window its digit, or -1."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP].astype(np.float32)
    energy = np.einsum("ij,ij->i", windows, windows)
    power = np.abs(windows @ _BASIS) ** 2 * (2.0 / _WINDOW)
    best = np.argmax(power, axis=1)
    strongest = np.take_along_axis(power, best[:, None], axis=1)[:, 0]
    heard = (energy > _FLOOR * _WINDOW) & (strongest > _PURITY * energy)
    return np.where(heard, best, -1)


def _tones(classified: NDArray[np.int64]) -> list[int]:
    """The digits of runs long enough; runs of one digit with less than a gap between them are one."""
    found: list[int] = []
    current, length, silent = -1, 0, 0
    for digit in [*classified.tolist(), *([-1] * _GAP_WINDOWS)]:
        if digit == current and digit >= 0:
            length, silent = length + 1, 0
            continue
        if digit < 0:
            silent += 1
        if current >= 0 and (digit >= 0 or silent >= _GAP_WINDOWS):
            if length >= _SHORTEST_WINDOWS:
                found.append(current)
            current, length = -1, 0
        if digit >= 0:
            current, length, silent = digit, 1, 0
    return found
