"""Sounds for tests of what values show: speech, noise, tones and others, and their transforms by librosa."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np

RATE = 22050
SPEECH = np.load(Path(__file__).parents[3] / "configs" / "samples" / "utt00.npy").reshape(-1).astype(np.float64)


def sounds() -> dict[str, Any]:
    """Return usual sounds of a second or two, float64, by name."""
    rng, time = np.random.default_rng(3), np.arange(RATE) / RATE
    noise = 0.1 * rng.standard_normal(RATE)
    tones = sum(0.1 * np.sin(2 * np.pi * f * time) for f in (220, 277, 330, 440, 880))
    notes = sum(0.1 * np.sign(np.sin(2 * np.pi * f * time)) * np.exp(-12 * (time % 0.25)) for f in (110, 165, 220))
    clicks = np.zeros(RATE)
    clicks[::2205] = 1
    return {
        "speech": SPEECH,
        "noisy speech": SPEECH + 0.02 * rng.standard_normal(SPEECH.size),
        "a short piece": SPEECH[20000:26000],
        "loud": np.tanh(8 * SPEECH),
        "noise": noise,
        "full noise": rng.uniform(-1, 1, RATE),
        "room": 1e-3 * noise,
        "waves": noise * (1 + np.sin(2 * np.pi * 3 * time)),
        "a hit": noise * np.exp(-6 * time),
        "a tone": 0.5 * np.sin(2 * np.pi * 440 * time),
        "a square wave": 0.5 * np.sign(np.sin(2 * np.pi * 220.3 * time)),
        "a chord": tones,
        "music": notes + 0.05 * noise * np.exp(-10 * (time % 0.125)),
        "a sweep": 0.5 * np.sin(2 * np.pi * (50 * time + 2000 * time**2)),
        "clicks": clicks,
        "one click": np.where(np.arange(RATE) == 9000, 1.0, 0.0),
        "silence": np.zeros(RATE),
    }


SOUNDS = sounds()


def stft(samples: Any, n_fft: int = 1024, hop: int = 256, win: int | None = None, window: str = "hann") -> Any:
    """Return a short-time Fourier transform, complex128 of shape (bins, frames)."""
    return librosa.stft(samples, n_fft=n_fft, hop_length=hop, win_length=win or n_fft, window=window)
