import numpy as np
import pytest
from dsp_material import ENGINES, smooth_magnitude
from dsp_reference import agla, clip, hann, project

from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.engines.scipy import ScipyRecovery
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.initial_phases import white_noise
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.targets import MagnitudeTarget


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gamma", [1.0, 1.25])
def test_two_signals_do_the_work_of_three_sequences(gamma, engine):
    magnitude = smooth_magnitude(257, 40).astype(float)
    window = hann(512)
    grid = FrameGrid.checked(window, hop_length=128, pad=256, frames=40)
    first = project(white_noise(grid, 3).astype(float), magnitude, window, 128, 256, grid.length)
    expected = agla(first, magnitude, window, 128, 256, grid.length, 5, 0.09, 1.1, gamma)
    if engine == "native":
        recovery = NativeRecovery(magnitude.T, grid)
    else:
        recovery = ScipyRecovery(MagnitudeTarget(magnitude.T), grid)
    recovery.start_from_noise(3)
    recovery.iterate(5, Momentum(0.09, 1.1, gamma))
    found = np.empty(grid.length, np.float32)
    recovery.finish(found)
    expected = clip(expected, 256, grid.length)
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)


def test_without_momentum_it_is_the_method_of_1984():
    plain = Momentum.of(0.0)
    assert (plain.alpha, plain.gamma) == (0.0, 1.0)
    assert (plain.from_estimate, plain.from_point) == (0.0, 0.0)


def test_the_weights_of_the_third_sequence_sum_to_its_own():
    momentum = Momentum.of(0.97)
    assert momentum.from_estimate + momentum.from_point == pytest.approx(1 - momentum.gamma)
    assert momentum.from_point == pytest.approx((1 - momentum.gamma) * momentum.beta / momentum.alpha)
