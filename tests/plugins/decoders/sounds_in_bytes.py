"""A sound as the bytes of files of several formats, for tests of what holds such bytes."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import soundfile

RATE = 16000
TONE = (0.4 * np.sin(2 * np.pi * 440 / RATE * np.arange(RATE // 2))).astype("f4")
PCM = (TONE * 32767).astype("<i2").tobytes()


def sound_bytes(container: str, samples: Any = TONE, rate: int = RATE, **how: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, **how)
    return file.getvalue()


def npy_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


WAV, FLAC, MP3, OGG = (sound_bytes(one) for one in ("WAV", "FLAC", "MP3", "OGG"))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def snr(samples: Any, expected: Any = TONE) -> float:
    """Signal-to-noise ratio in dB of the first channel."""
    found = np.asarray(samples)[0].astype("f8")
    assert len(found) == len(expected)
    return float(10 * np.log10((expected**2).sum() / (((found - expected) ** 2).sum() + 1e-30)))
