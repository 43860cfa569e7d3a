import numpy as np
import pytest
from dsp_material import NARROW, only_native, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.engines.scipy import ScipyRecovery
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.initial_phases import spectra_with_phases
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.targets import MagnitudeTarget

pytestmark = only_native


@pytest.mark.parametrize("setting", [(1024, 256, 1024), (2048, 300, 1200), (400, 160, 400), (1920, 480, 1920)])
def test_eight_lanes_do_the_same_as_sixteen(setting):
    n_fft, hop, win_length = setting
    grid = FrameGrid.checked(hann(n_fft, win_length), hop_length=hop, pad=n_fft // 2, frames=37)
    found = np.empty((2, grid.length), np.float32)
    for machine, out in zip((None, NARROW), found, strict=True):
        recovery = NativeRecovery(smooth_magnitude(n_fft // 2 + 1, 37).T, grid, machine=machine)
        recovery.start_from_peaks()
        recovery.iterate(2, Momentum.of(0.99))
        recovery.finish(out)
    assert np.linalg.norm(found[0] - found[1]) < 1e-3 * np.linalg.norm(found[0])


@pytest.mark.parametrize("hop", [128, 100, 512])
@pytest.mark.parametrize("frames", [1, 17, 50])
def test_spectra_become_the_same_first_signal_as_in_numpy(hop, frames):
    grid = FrameGrid.checked(np.ones(512), hop_length=hop, pad=100, frames=frames)
    magnitude = smooth_magnitude(257, frames).T
    native, plain = NativeRecovery(magnitude, grid), ScipyRecovery(MagnitudeTarget(magnitude), grid)
    assert np.array_equal(native.initial_magnitudes(), plain.initial_magnitudes())
    found, expected = np.empty((2, grid.length), np.float32)
    for recovery, out in ((native, found), (plain, expected)):
        recovery.start_from_spectra(spectra_with_phases(recovery.initial_magnitudes(), None))
        recovery.finish(out)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
