"""G.711 against the standard library's tables and against its own definition."""

import warnings
from typing import Any

import numpy as np
import pytest

from outdialer.media import g711, samples
from outdialer.media.rtp import PCMA, PCMU

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = bytes(range(256))


@pytest.fixture
def audioop() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("audioop", reason="this Python has no audioop, and audioop-lts is not installed")


@pytest.mark.parametrize(("law", "name"), [(PCMU, "ulaw"), (PCMA, "alaw")])
def test_every_sample_and_code_is_the_standard_librarys(audioop: Any, law: int, name: str) -> None:
    assert samples.encode(EVERY_SAMPLE, law) == getattr(audioop, f"lin2{name}")(EVERY_SAMPLE.tobytes(), 2)
    assert samples.decode(EVERY_CODE, law).tobytes() == getattr(audioop, f"{name}2lin")(EVERY_CODE, 2)


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_decoded_codes_encode_to_themselves(law: int) -> None:
    again = samples.encode(samples.decode(EVERY_CODE, law), law)
    negative_zero = b"\x7f" if law == PCMU else b""
    assert [a for a, b in zip(EVERY_CODE, again, strict=True) if a != b] == list(negative_zero)


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_the_error_is_small_everywhere(law: int) -> None:
    decoded = samples.decode(samples.encode(EVERY_SAMPLE, law), law).astype(int)
    error = np.abs(decoded - EVERY_SAMPLE.astype(int))
    assert np.all(error <= np.maximum(np.abs(EVERY_SAMPLE.astype(int)) / 16, 16))


@pytest.mark.parametrize("law", [PCMU, PCMA])
def test_byte_tables_agree_with_the_arrays(law: int) -> None:
    assert g711.to_pcm16(EVERY_CODE, law) == samples.decode(EVERY_CODE, law).astype("<i2").tobytes()
    other = PCMA if law == PCMU else PCMU
    assert g711.transcode(EVERY_CODE, law, other) == samples.encode(samples.decode(EVERY_CODE, law), other)
    assert g711.transcode(EVERY_CODE, law, law) is EVERY_CODE


def test_silence_is_silent() -> None:
    assert abs(int(samples.decode(g711.SILENCE[PCMU], PCMU)[0])) == 0
    assert abs(int(samples.decode(g711.SILENCE[PCMA], PCMA)[0])) == 8
