"""Frames of complex spectrograms: another hop, window or sign is found, and those of any sound fit their own grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
from real_sounds import RATE, SOUNDS, SPEECH, stft

from tonearm.findings.frames import OtherGrid, other_grid
from tonearm.signals import StftGrid


def grid(n_fft: int = 1024, hop: int = 256, win: int | None = None, **more: Any) -> StftGrid:
    return StftGrid(sample_rate=RATE, n_fft=n_fft, hop_length=hop, win_length=win or n_fft, **more)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", SOUNDS)
def test_frames_of_sounds_fit_their_grid(name: str, dtype: str) -> None:
    for n_fft, hop, win in ((1024, 256, 1024), (512, 128, 400), (2048, 300, 1200), (400, 160, 400), (1024, 512, 1024)):
        assert other_grid(stft(SOUNDS[name], n_fft, hop, win).astype(dtype), grid(n_fft, hop, win)) is None


@pytest.mark.parametrize("name", ["speech", "noise", "music", "a chord"])
@pytest.mark.parametrize("hop", [100, 128, 300, 512, 1000])
def test_another_hop_is_found(name: str, hop: int) -> None:
    assert other_grid(stft(SOUNDS[name]), grid(hop=hop)) == OtherGrid({"hop_length": 256})


@pytest.mark.parametrize("hop", [160, 256, 275, 333])
def test_hops_that_are_no_part_of_n_fft_are_found(hop: int) -> None:
    assert other_grid(stft(SPEECH, 2048, hop), grid(2048, 512)) == OtherGrid({"hop_length": hop})


def test_conjugate_values_and_exchanged_parts_are_found() -> None:
    values = stft(SPEECH)
    assert other_grid(values.conj(), grid()) == OtherGrid({}, "conjugate")
    assert other_grid(values.imag + 1j * values.real, grid()) == OtherGrid({}, "swapped")


def test_another_window_is_found() -> None:
    assert other_grid(stft(SPEECH), grid(window="boxcar")) == OtherGrid({"window": "hann"})
    assert other_grid(stft(SPEECH, window="hamming"), grid()) == OtherGrid({"window": "hamming"})
    assert other_grid(stft(SPEECH, 1024, 200, 800), grid(hop=200)) == OtherGrid({"win_length": 800})
    shown = other_grid(stft(SPEECH, 1024, 200, 800), grid())
    assert shown == OtherGrid({"hop_length": 200, "win_length": 800})


def test_windows_at_the_start_of_the_transform_are_found() -> None:
    values = scipy.signal.stft(SPEECH, RATE, nperseg=320, nfft=512, noverlap=240)[2]
    assert other_grid(values, grid(512, 80, 320)) == OtherGrid({"window_position": "start"})
    assert other_grid(values, grid(512, 80)) == OtherGrid({"win_length": 320, "window_position": "start"})
    assert other_grid(values, grid(512, 80, 320, window_position="start")) is None


@pytest.mark.parametrize(("n_fft", "hop", "win"), [(512, 128, 512), (512, 100, 400), (401, 100, 401)])
def test_phases_that_count_from_the_centre_of_the_window_are_found(n_fft: int, hop: int, win: int) -> None:
    window = scipy.signal.get_window("hann", win)
    values = scipy.signal.ShortTimeFFT(window, hop, RATE, mfft=n_fft).stft(SPEECH)
    assert other_grid(values, grid(n_fft, hop, win)) == OtherGrid({"phase_origin": "window-center"})
    shown = other_grid(values, grid(n_fft, hop))
    assert shown is not None
    assert shown.options.items() <= {"phase_origin": "window-center", "win_length": win}.items()
    assert ("win_length" in shown.options) == (win < n_fft)


def test_masks_and_rounding_do_not_hide_the_hop() -> None:
    rng, values = np.random.default_rng(5), stft(SPEECH)
    assert other_grid(values * rng.uniform(0, 1, values.shape), grid()) is None
    assert other_grid(np.round(values * 8) / 8, grid()) is None


def test_random_phases_show_no_other_grid() -> None:
    values = stft(SPEECH)
    turned = np.abs(values) * np.exp(2j * np.pi * np.random.default_rng(5).uniform(0, 1, values.shape))
    assert other_grid(turned, grid()) is None


def test_few_frames_show_nothing() -> None:
    assert other_grid(stft(SPEECH)[:, 100:103], grid(hop=128)) is None
