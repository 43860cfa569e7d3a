import math

import numpy as np
import pytest
from dsp_reference import hann

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.phase_gradient import effective_length, gradient_factors, magnitude_floor


def grid_of(window, hop=128):
    return FrameGrid.checked(window, hop_length=hop, pad=0, frames=3)


@pytest.mark.parametrize(("n_fft", "win_length"), [(1024, 1024), (1024, 600), (2048, 240), (64, 64)])
def test_a_hann_window_is_as_long_as_it_is_and_as_any_scale_of_it(n_fft, win_length):
    window = hann(n_fft, win_length)
    assert effective_length(grid_of(window)) == pytest.approx(win_length, rel=1e-3)
    assert effective_length(grid_of(window * 7)) == pytest.approx(win_length, rel=1e-3)


def test_other_windows_are_as_long_as_the_hann_window_of_their_width():
    gaussian = np.exp(-0.5 * ((np.arange(2048) - 1024) / 100) ** 2)
    # The squared window has a deviation of 100 / sqrt(2) samples, and that of Hann a length of 7.07 deviations.
    assert effective_length(grid_of(gaussian)) == pytest.approx(100 / math.sqrt(2) / 0.14143, rel=1e-3)
    impulse = np.zeros(1024)
    impulse[512] = 1
    assert 0 < effective_length(grid_of(impulse)) < 5


@pytest.mark.parametrize("offset", [-0.7, -0.3, 0.2, 0.7])
def test_beside_a_tone_magnitudes_say_how_fast_it_turns(offset):
    """A tone beside a bin advances by less or more than the bin: the bend makes up for the difference."""
    n_fft, hop, m = 1024, 256, 100
    window = hann(n_fft)
    spectrum = np.fft.rfft(window * np.cos(2 * np.pi * (m + offset) / n_fft * np.arange(n_fft)))
    _, bend = gradient_factors(grid_of(window, hop))
    rise = np.log2(np.abs(spectrum[m + 1] / spectrum[m - 1]))
    assert 2 * bend * rise == pytest.approx(hop / n_fft * offset, rel=0.12)


def test_slope_and_bend_belong_to_one_gaussian():
    slope, bend = gradient_factors(grid_of(hann(512)))
    assert slope * bend == pytest.approx(math.log(2) ** 2 / (32 * math.pi**2))


def test_the_floor_lies_below_all_magnitudes_that_count_and_ignores_nan():
    magnitude = np.array([[1e-3, np.nan, 5.0]], np.float32)
    assert magnitude_floor(magnitude) == pytest.approx(5e-10)
    assert magnitude_floor(np.zeros((1, 3), np.float32)) == 1e-30
