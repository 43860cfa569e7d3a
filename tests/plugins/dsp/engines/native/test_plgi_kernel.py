import numpy as np
import pytest
from dsp_material import NARROW, only_native, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.engines.scipy import ScipyRecovery
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.targets import MagnitudeTarget


@only_native
@pytest.mark.parametrize("machine", [None, NARROW])
@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (400, 160), (1920, 480)])
def test_the_first_signal_is_that_in_numpy(machine, n_fft, hop):
    grid = FrameGrid.checked(hann(n_fft), hop_length=hop, pad=n_fft // 2, frames=41)
    magnitude = smooth_magnitude(n_fft // 2 + 1, 41).T
    found, expected = np.empty((2, grid.length), np.float32)
    native = NativeRecovery(magnitude, grid, machine=machine)
    plain = ScipyRecovery(MagnitudeTarget(magnitude), grid)
    for recovery, out in ((native, found), (plain, expected)):
        recovery.start_from_peaks()
        recovery.finish(out)
    assert np.linalg.norm(found - expected) < 2e-4 * np.linalg.norm(expected)
