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
@pytest.mark.parametrize(("gamma", "smoothing"), [(1.0, 0.0), (1.6, 0.0), (1.6, 0.3), (1.0, 0.3)])
def test_two_signals_do_the_work_of_three_sequences(gamma, smoothing, engine):
    magnitude = smooth_magnitude(257, 40).astype(float)
    window = hann(512)
    grid = FrameGrid.checked(window, hop_length=128, pad=256, frames=40)
    first = project(white_noise(grid, 3).astype(float), magnitude, window, 128, 256, grid.length)
    expected = agla(first, magnitude, window, 128, 256, grid.length, 5, 0.4, gamma, smoothing)
    if engine == "native":
        recovery = NativeRecovery(magnitude.T, grid)
    else:
        recovery = ScipyRecovery(MagnitudeTarget(magnitude.T), grid)
    recovery.start_from_noise(3)
    recovery.iterate(5, Momentum(0.4, gamma, smoothing))
    found = np.empty(grid.length, np.float32)
    recovery.finish(found)
    expected = clip(expected, 256, grid.length)
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)


def test_without_momentum_it_is_the_method_of_1984():
    assert Momentum.of(0.0) == Momentum(0.0, 1.0, 0.0)
    assert (Momentum.of(0.0).from_projection, Momentum.of(0.0).from_estimate) == (1.0, 0.0)


@pytest.mark.parametrize("momentum", [0.5, 0.99, 1.04])
@pytest.mark.parametrize("smooth", [True, False])
def test_no_error_near_a_solution_grows(momentum, smooth):
    """The projection is linear there: it keeps a share of each error, from none to all of it."""
    weights = Momentum.of(momentum, smooth=smooth)
    for share in np.linspace(0, 0.99, 12):
        of_point, of_estimate = weights.gamma * share, weights.from_estimate
        step = [
            [(1 + weights.alpha) * of_point, (1 + weights.alpha) * of_estimate - weights.alpha],
            [of_point, of_estimate],
        ]
        assert np.abs(np.linalg.eigvals(np.array(step))).max() < 1


def test_what_meets_the_target_stays():
    """The smoothed projection scales it, and the weights make up for that."""
    weights = Momentum.of(0.99)
    wanted = smooth_magnitude(257, 20)
    found = wanted.astype(np.complex64)
    MagnitudeTarget(wanted.T).project(0, 20, found, weights.smoothing)
    assert np.allclose(weights.from_projection * found + weights.from_estimate * wanted, wanted, rtol=1e-5)


def test_only_known_magnitudes_are_smoothed():
    assert Momentum.of(0.9).smoothing > 0
    assert Momentum.of(0.9, smooth=False) == Momentum(Momentum.of(0.9).alpha, Momentum.of(0.9).gamma, 0.0)
