import itertools

import numpy as np
import pytest
from dsp_material import BOTH, smooth_magnitude
from dsp_reference import clip, hann, peak_locked_phases, synthesise, with_turns

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.griffin_lim import griffin_lim
from tonearm_plugins.dsp.phase_recovery.plgi import PeakLockedPhases


@pytest.mark.parametrize(("setting", "engine"), BOTH)
def test_phases_are_as_written_bin_by_bin(setting, engine):
    n_fft, hop, win_length = setting
    window = hann(n_fft, win_length)
    magnitude = smooth_magnitude(n_fft // 2 + 1, 40)
    spectra = with_turns(magnitude, peak_locked_phases(magnitude.astype(float), hop, n_fft, win_length))
    length = 39 * hop
    expected = clip(synthesise(spectra, window, hop, n_fft // 2, length, 1e-3), n_fft // 2, length)
    found = griffin_lim(
        magnitude.T[None], window=window, hop_length=hop, pad=n_fft // 2, start="plgi", iterations=0, engine=engine
    ).samples[0]
    assert np.linalg.norm(found - expected) < 2e-4 * np.linalg.norm(expected)


def test_blocks_of_any_size_give_the_same_phases():
    grid = FrameGrid.checked(hann(512), hop_length=128, pad=256, frames=300)
    magnitude = smooth_magnitude(257, 300)
    whole = PeakLockedPhases(magnitude, grid)(0, 300)
    in_blocks = PeakLockedPhases(magnitude, grid)
    ends = [0, 1, 2, 9, 137, 138, 300]
    assert np.array_equal(whole, np.concatenate([in_blocks(a, b) for a, b in itertools.pairwise(ends)]))
    assert np.allclose(np.abs(whole), magnitude, rtol=1e-6)


def test_magnitudes_in_double_precision_stay_as_they_are():
    grid = FrameGrid.checked(hann(512), hop_length=128, pad=256, frames=30)
    magnitude = smooth_magnitude(257, 30).astype(float) + 1e-9
    spectra = PeakLockedPhases(magnitude, grid)(0, 30)
    assert spectra.dtype == np.complex128
    assert np.allclose(np.abs(spectra), magnitude, rtol=1e-15, atol=0)


def test_nan_stays_in_its_bin():
    grid = FrameGrid.checked(hann(512), hop_length=128, pad=256, frames=30)
    magnitude = smooth_magnitude(257, 30)
    magnitude[10, 100] = np.nan
    assert np.argwhere(np.isnan(PeakLockedPhases(magnitude, grid)(0, 30))).tolist() == [[10, 100]]
