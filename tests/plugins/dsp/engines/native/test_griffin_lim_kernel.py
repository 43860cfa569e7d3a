"""One iteration of the kernel, and its measurement, against the same in NumPy by the scipy engine."""

import numpy as np
import pytest
from dsp_material import NARROW, only_native, smooth_magnitude
from dsp_reference import hann

from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
from tonearm_plugins.dsp.engines.scipy import ScipyRecovery
from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.mel_basis import MelBasis
from tonearm_plugins.dsp.phase_recovery.momentum import Momentum
from tonearm_plugins.dsp.phase_recovery.targets import target_of

pytestmark = only_native


@pytest.mark.parametrize("machine", [None, NARROW])
@pytest.mark.parametrize("frames", [1, 16, 37])
@pytest.mark.parametrize("mels", [0, 40])
@pytest.mark.parametrize(
    "momentum", [Momentum(0.0), Momentum(0.9), Momentum(0.85, 1.35, 0.0), Momentum(0.5, 1.87, 0.1)]
)
def test_iterations_and_residuals_are_those_in_numpy(machine, frames, mels, momentum):
    grid = FrameGrid.checked(hann(512), hop_length=128, pad=256, frames=frames, length=128 * frames)
    magnitude = smooth_magnitude(257, frames).T
    basis = None
    if mels:
        weights = np.random.default_rng(0).random((mels, 257)) * np.eye(mels).repeat(7, axis=1)[:, :257].sum(axis=0)[0]
        weights = np.where(np.abs(np.arange(257) - np.arange(mels)[:, None] * 6) < 9, weights, 0)
        basis = MelBasis.checked(weights, mels=mels, power=2)
        magnitude = (weights @ magnitude**2).astype(np.float32)
    native = NativeRecovery(magnitude, grid, basis=basis, machine=machine)
    plain = ScipyRecovery(target_of(magnitude, basis), grid)
    found, expected = np.empty((2, grid.length), np.float32)
    for recovery in (native, plain):
        recovery.start_from_noise(3)
        recovery.iterate(2, momentum)
    assert native.residual() == pytest.approx(plain.residual(), rel=1e-3)
    assert native.finish(found) == pytest.approx(plain.finish(expected), rel=1e-3)
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)


@pytest.mark.parametrize("machine", [None, NARROW])
@pytest.mark.parametrize(
    ("n_fft", "hop"),
    [(256, 32), (240, 60), (400, 160), (400, 50), (96, 24), (40, 20), (64, 64), (1024, 300)],
)
def test_every_order_of_passes_gives_the_same_iterations(n_fft, hop, machine):
    """First passes of radix 4 and 8, last ones of 2, 3, 4 and 5, and hops that no butterfly fits."""
    frames = 21
    window = hann(n_fft) if hop < n_fft else np.ones(n_fft)
    grid = FrameGrid.checked(window, hop_length=hop, pad=0, frames=frames, length=hop * frames).centred
    magnitude = smooth_magnitude(n_fft // 2 + 1, frames).T
    native = NativeRecovery(magnitude, grid, machine=machine)
    plain = ScipyRecovery(target_of(magnitude, None), grid)
    found, expected = np.empty((2, grid.length), np.float32)
    for recovery in (native, plain):
        recovery.start_from_noise(3)
        recovery.iterate(1, Momentum(0.9))
    assert native.residual() == pytest.approx(plain.residual(), rel=1e-3, abs=1e-6)
    assert native.finish(found) == pytest.approx(plain.finish(expected), rel=1e-3, abs=1e-6)
    assert np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)
