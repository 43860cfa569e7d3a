"""Real arrays and what inspection guesses of them, for several tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np

from tonearm.api import MelDialect
from tonearm.findings.notes import Notes
from tonearm.inspect import Guess, compute_statistics, guess
from tonearm.plugins.registry import default

SAMPLES = Path(__file__).parents[3] / "configs" / "samples"
DIALECTS = default().catalogue(MelDialect)
WAVE = np.load(SAMPLES / "utt00.npy").reshape(-1)
STFT = librosa.stft(WAVE, n_fft=1024, hop_length=256)
DB = librosa.amplitude_to_db(np.abs(STFT))


def long_mel() -> np.ndarray[Any, Any]:
    """Return a mel spectrogram of the dialect hifigan with more than 700 frames."""
    hifigan = DIALECTS.find("hifigan")
    magnitudes = np.abs(librosa.stft(np.tile(WAVE, 3), n_fft=1024, hop_length=256))
    values: np.ndarray[Any, Any] = hifigan.to_native((hifigan.mel_basis() @ magnitudes)[None])[0]
    return values.astype("f4")


def guessed(array: Any, **more: Any) -> Guess:
    """Return the guess for an array."""
    return guess(compute_statistics(np.asarray(array)), default(), **more)


def notes_of(array: Any, sample_rate: int | None = None) -> Notes:
    """Return empty notes on an array."""
    return Notes(compute_statistics(np.asarray(array)), default().catalogue, sample_rate)


def certain(found: Guess) -> dict[str, str]:
    """Return the findings that are certain."""
    return {one.what: one.value for one in found.findings if one.confidence == "certain"}


def confidence(found: Guess, what: str = "kind") -> str:
    """Return the confidence of the first finding about something."""
    return str(next(one.confidence for one in found.findings if one.what == what))
