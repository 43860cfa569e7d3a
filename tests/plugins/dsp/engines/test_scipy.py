import numpy as np
import pytest
from dsp_material import ODD_SETTINGS, noise_spectrum, smooth_magnitude
from dsp_reference import clip, convergence_db, hann, synthesise

from tonearm_plugins.dsp.engines.scipy import SCIPY, OverlapAdd, ScipyRecovery, missing_package
from tonearm_plugins.dsp.framing import FrameGrid, frames_in_cache
from tonearm_plugins.dsp.phase_recovery import recovery
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings
from tonearm_plugins.dsp.phase_recovery.targets import MagnitudeTarget


def test_a_package_that_is_not_installed_is_named():
    assert missing_package("scipy") == ""
    assert missing_package("no_such_package") == "no_such_package is not installed"


@pytest.mark.parametrize(("n_fft", "hop", "win_length"), [*ODD_SETTINGS, (1024, 256, 1024)])
def test_columns_come_in_order_without_gaps_and_are_exact(n_fft, hop, win_length):
    """More frames than one block has, so that the accumulator moves on."""
    window, frames = hann(n_fft, win_length), 2 * frames_in_cache(n_fft) + 5 if n_fft > 99 else 70
    grid = FrameGrid.checked(window, hop_length=hop, pad=n_fft // 2, frames=frames)
    spectra = noise_spectrum(grid.bins, frames)[0].T.astype(complex)
    found = []

    def finish(first, columns):
        assert first == sum(len(one) for one in found)
        found.append(columns.copy())
        columns[:] = np.nan  # it may be overwritten

    OverlapAdd(grid, min_weight=1e-8, dtype=np.float64, threads=1)(lambda a, b: spectra[a:b].copy(), finish)
    signal = np.concatenate(found).reshape(-1)
    expected = synthesise(spectra, window, hop, n_fft // 2, grid.length, 1e-8)
    assert signal.size == grid.columns * hop
    assert np.allclose(signal[: expected.size], expected, atol=1e-9 * np.abs(expected).max())


def test_threads_change_nothing():
    spectrum = noise_spectrum(513, 600)[0]
    grid = FrameGrid.checked(hann(1024), hop_length=256, pad=512, frames=600)
    found = np.empty((2, grid.length), np.float32)
    for threads, out in zip((1, 2), found, strict=True):
        SCIPY.istft(spectrum, grid, out=out, threads=threads)
    assert np.array_equal(*found)


def test_a_given_signal_is_measured_as_it_is():
    window = hann(512)
    grid = FrameGrid.checked(window, hop_length=128, pad=256, frames=20)
    magnitude = smooth_magnitude(257, 20)
    signal = np.random.default_rng(0).standard_normal(grid.length).astype(np.float32)
    channel = ScipyRecovery(MagnitudeTarget(magnitude.T), grid)
    channel.start_from_signal(signal)
    expected = convergence_db(np.pad(signal.astype(float), 256), magnitude.astype(float), window, 128)
    assert recovery.convergence_db(*channel.residual()) == pytest.approx(expected, abs=1e-3)
    out = np.empty_like(signal)
    channel.finish(out)
    assert np.array_equal(out, signal)


def test_each_channel_is_recovered_with_its_own_seed():
    grid = FrameGrid.checked(hann(512), hop_length=128, pad=256, frames=20)
    magnitude = np.stack([smooth_magnitude(257, 20).T] * 2)
    settings = RecoverySettings(grid=grid, start="random", iterations=1, momentum=0.0, seed=3)
    both, second = np.empty((2, grid.length), np.float32), np.empty((1, grid.length), np.float32)
    SCIPY.recover(magnitude, settings, out=both)
    later = RecoverySettings(grid=grid, start="random", iterations=1, momentum=0.0, seed=4)
    SCIPY.recover(magnitude[1:], later, out=second)
    assert not np.array_equal(both[0], both[1])
    assert np.array_equal(both[1], second[0])
    assert np.array_equal(clip(both[1], 0, grid.length), both[1])
