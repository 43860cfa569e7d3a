import numpy as np
import pytest
from dsp_material import smooth_magnitude
from dsp_reference import hann, with_turns

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery.initial_phases import spectra_with_phases, white_noise, write_polar


def test_noise_covers_all_frames_and_follows_the_seed():
    grid = FrameGrid.checked(hann(64), hop_length=16, pad=32, frames=900)
    noise = white_noise(grid, 1)
    assert noise.size == 899 * 16 + 64
    assert noise.dtype == np.float32
    assert np.array_equal(noise, white_noise(grid, 1))
    assert not np.array_equal(noise, white_noise(grid, 2))
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 0.05


def test_phase_zero_at_the_centre_is_an_impulse_there():
    spectra = spectra_with_phases(np.ones((3, 33), np.float32), np.zeros((3, 33), np.float32))
    frames = np.fft.irfft(spectra(0, 3))
    assert (frames.argmax(axis=1) == 32).all()
    assert np.allclose(np.delete(frames, 32, axis=1), 0, atol=1e-7)


def test_no_phases_are_an_impulse_at_the_first_sample():
    frames = np.fft.irfft(spectra_with_phases(np.ones((3, 33), np.float32), None)(1, 3))
    assert frames.shape == (2, 64)
    assert (frames.argmax(axis=1) == 0).all()


@pytest.mark.parametrize("turns", [None, np.full((3, 33), 0.3, np.float32)])
def test_spectra_have_the_precision_of_their_magnitudes(turns):
    magnitude = np.random.default_rng(0).random((3, 33)) + 0.1
    for kind, expected, tolerance in (("f4", "c8", 1e-6), ("f8", "c16", 1e-15)):
        found = spectra_with_phases(magnitude.astype(kind), turns)(0, 3)
        assert found.dtype == expected
        assert np.allclose(np.abs(found), magnitude, rtol=tolerance, atol=0)


def test_blocks_are_parts_of_the_whole():
    magnitude = smooth_magnitude(33, 20)
    turns = np.random.default_rng(0).random((20, 33)).astype(np.float32) * 3
    spectra = spectra_with_phases(magnitude, turns)
    assert np.array_equal(spectra(5, 9), spectra(0, 20)[5:9])
    assert np.allclose(spectra(0, 20), with_turns(magnitude, turns.astype(float)), atol=1e-4)


@pytest.mark.parametrize("quarters", range(8))
def test_polar_coordinates(quarters):
    out = np.empty(1, np.complex64)
    write_polar(np.array([2.0], np.float32), np.array([quarters * np.pi / 2], np.float32), out=out)
    assert out[0] == pytest.approx(2 * 1j**quarters, abs=1e-5)
