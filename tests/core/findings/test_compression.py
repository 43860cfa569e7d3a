"""Compression of magnitudes: logarithms and roots are found, and no magnitudes of a sound are taken for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from real_sounds import SOUNDS, SPEECH, stft

from tonearm.findings.compression import MIN_FRAMES, seems_compressed
from tonearm.signals.windows import window_values

GRIDS = ((1024, 256, 1024), (512, 128, 400), (2048, 300, 1200), (400, 160, 400), (1024, 512, 1024))

Change = Callable[[Any], Any]


def found(values: Any, n_fft: int = 1024, hop: int = 256, win: int = 1024, window: str = "hann") -> bool:
    return seems_compressed(np.asarray(values, np.float32), window_values(window, win, n_fft), hop)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", SOUNDS)
def test_magnitudes_of_sounds_are_none(name: str, grid: tuple[int, int, int]) -> None:
    n_fft, hop, win = grid
    for window in ("hann", "hamming", "blackman"):
        magnitudes = np.abs(stft(SOUNDS[name], n_fft, hop, win, window))
        assert not found(magnitudes, n_fft, hop, win, window)
        assert not found(np.round(magnitudes / max(magnitudes.max(), 1e-9) * 255), n_fft, hop, win, window)


@pytest.mark.parametrize("width", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("grid", GRIDS[:3])
def test_smooth_predictions_of_speech_are_none(width: float, grid: tuple[int, int, int]) -> None:
    from scipy.ndimage import gaussian_filter

    n_fft, hop, win = grid
    logarithms = np.log(np.abs(stft(SPEECH, n_fft, hop, win)) + 1e-4)
    assert not found(np.exp(gaussian_filter(logarithms, width)), n_fft, hop, win)


def decibels(magnitudes: Any) -> Any:
    return 20 * np.log10(np.maximum(magnitudes, 1e-5))


COMPRESSED: dict[str, Change] = {
    "log1p": np.log1p,
    "log1p of 100 x": lambda x: np.log1p(100 * x),
    "a root": lambda x: x**0.3,
    "keithito": lambda x: np.clip((decibels(x) + 80) / 100, 0, 1),
    "decibels": lambda x: decibels(x) + 100,
    "a picture": lambda x: np.round(255 * (decibels(x) + 100) / 140),
    "logarithms as decibels": lambda x: 10 ** (np.log(np.maximum(x, 1e-5)) / 20),
}


@pytest.mark.parametrize("change", COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("name", ["speech", "noise", "full noise"])
def test_logarithms_and_roots_of_magnitudes_are_found(change: Change, name: str) -> None:
    assert found(change(np.abs(stft(SOUNDS[name]))))


def test_few_values_and_few_frames_show_nothing() -> None:
    root = np.abs(stft(SPEECH)) ** 0.3
    assert found(root)
    assert not found(root[:, 100 : 100 + MIN_FRAMES - 1])
    assert not found(root[:100, 100:140])


def test_infinite_values_and_constants_show_nothing() -> None:
    root = np.abs(stft(SPEECH)) ** 0.3
    root[5, root.shape[1] // 2] = np.inf
    assert not found(root)
    assert not found(np.zeros((513, 100)))
