"""What a remedy makes of an array is plausible as sound, or the remedy is not shown."""

import numpy as np
import pytest

from tonearm.pipeline.plausibility import is_plausible
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, StftGrid, Waveform

GRID = StftGrid(sample_rate=8000, n_fft=64, hop_length=16, win_length=64)


def magnitudes(low, high):
    values = np.geomspace(low, high, 33 * 10, dtype=np.float32).reshape(1, 33, 10)
    return MagnitudeSpectrogram(values=values, grid=GRID)


@pytest.mark.parametrize(
    ("peak", "plausible"), [(0.0, True), (1e-5, False), (0.01, True), (1.0, True), (3.9, True), (100.0, False)]
)
def test_waveforms_by_their_peak(peak, plausible):
    samples = np.zeros((1, 100), np.float32)
    samples[0, 7] = -peak
    assert is_plausible(Waveform(samples=samples, sample_rate=8000)) is plausible


@pytest.mark.parametrize(
    ("low", "high", "plausible"),
    [
        (1e-5, 30, True),
        (10 ** (-11.5 / 20), 10 ** (3 / 20), False),  # natural logarithms taken for decibels
        (1e-3, 1e5, False),  # decibels or integers taken for magnitudes
        (1e-30, 1, False),
        (1.0, 1.0, True),
    ],
)
def test_magnitudes_by_their_range_and_peak(low, high, plausible):
    assert is_plausible(magnitudes(low, high)) is plausible


def test_complex_values_by_their_peak():
    values = np.full((1, 33, 4), 20 + 20j, np.complex64)
    assert is_plausible(ComplexSpectrogram(values=values, grid=GRID))
    assert not is_plausible(ComplexSpectrogram(values=values * 32768, grid=GRID))


def test_a_few_values_show_no_range():
    assert is_plausible(MagnitudeSpectrogram(values=np.ones((1, 33, 1), np.float32), grid=GRID))
