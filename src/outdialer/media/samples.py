"""Arithmetic on audio with numpy: telephone rate, level, tones, and G.711 by table."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from outdialer.media import g711
from outdialer.media.rtp import PCMA, PCMU, SAMPLE_RATE
from outdialer.media.wav import Floats, Sound

Samples = NDArray[np.int16]

_FULL_SCALE = 32767
_TARGET_PEAK = 0.7
_MOST_GAIN = 2.0
_TONE_PEAK = 10 ** (-12 / 20)
_RAMP_SAMPLES = SAMPLE_RATE * 5 // 1000


def telephone(sound: Sound) -> Samples:
    """The sound at 8 kHz, its peak brought towards -3 dBFS by no more than doubling; never clipped."""
    samples = sound.samples
    if sound.rate != SAMPLE_RATE:
        samples = soxr.resample(samples, sound.rate, SAMPLE_RATE, quality="HQ")
    peak = float(np.max(np.abs(samples), initial=0.0))
    gain = min(_TARGET_PEAK / peak, _MOST_GAIN) if peak > 0 else 1.0
    return np.asarray(np.rint(samples * (gain * _FULL_SCALE)), dtype=np.int16)


def tones(sequence: Sequence[tuple[int, int]]) -> Samples:
    """Sines at -12 dBFS with 5 ms ramps, one after the other: (Hz, ms) pairs; 0 Hz is silence."""
    return np.concatenate([_tone(frequency, length_ms) for frequency, length_ms in sequence])


def _tone(frequency: int, length_ms: int) -> Samples:
    count = length_ms * SAMPLE_RATE // 1000
    if frequency == 0:
        return np.zeros(count, dtype=np.int16)
    wave: Floats = np.sin(2 * np.pi * frequency / SAMPLE_RATE * np.arange(count)).astype(np.float32)
    ramp = min(_RAMP_SAMPLES, count // 2)
    slope = np.linspace(0, 1, ramp, endpoint=False, dtype=np.float32)
    wave[:ramp] *= slope
    wave[count - ramp :] *= slope[::-1]
    return np.asarray(np.rint(wave * (_TONE_PEAK * _FULL_SCALE)), dtype=np.int16)


def encode(samples: Samples, law: int) -> bytes:
    """G.711 bytes of 16-bit samples."""
    codes: NDArray[np.uint8] = _codes(law)[samples.view(np.uint16)]
    return codes.tobytes()


def decode(audio: bytes, law: int) -> Samples:
    """16-bit samples of G.711 bytes."""
    return np.array(g711.SAMPLES[law], dtype=np.int16)[np.frombuffer(audio, np.uint8)]


@cache
def _codes(law: int) -> NDArray[np.uint8]:
    """The code of every 16-bit sample, indexed by the sample taken as unsigned."""
    shift, code = {PCMU: (2, g711.ulaw_code), PCMA: (3, g711.alaw_code)}[law]
    steps = range(-(0x8000 >> shift), 0x8000 >> shift)
    ordered = np.repeat(np.array([code(step) for step in steps], dtype=np.uint8), 1 << shift)
    return np.roll(ordered, -0x8000)
