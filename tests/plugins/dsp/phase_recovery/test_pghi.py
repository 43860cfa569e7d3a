import sys

import numpy as np
import pytest
from dsp_material import smooth_magnitude, speech
from dsp_reference import analyse, convergence_db, hann, synthesise, with_turns

from tonearm_plugins.dsp.framing import FrameGrid
from tonearm_plugins.dsp.phase_recovery import pghi as module
from tonearm_plugins.dsp.phase_recovery.pghi import pghi


@pytest.fixture
def no_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    module._heap_integration.cache_clear()
    yield
    module._heap_integration.cache_clear()


def test_speech_is_near_after_no_iteration():
    window = hann(1024)
    padded = np.pad(speech()[:11025].astype(float), 512)
    frames = 1 + (padded.size - 1024) // 256
    magnitude = np.abs(analyse(padded, window, 256, frames))
    grid = FrameGrid.checked(window, hop_length=256, pad=512, frames=frames)
    turns = pghi(magnitude.astype(np.float32), grid, seed=0)
    signal = synthesise(with_turns(magnitude, turns.astype(float)), window, 256, 512, grid.length, 1e-3)
    assert convergence_db(signal, magnitude, window, 256) < -15


def test_a_tone_between_two_bins_turns_at_its_own_frequency():
    n_fft, hop, tone = 1024, 256, 100.3
    window = hann(n_fft)
    signal = np.cos(2 * np.pi * tone / n_fft * np.arange(n_fft + 19 * hop))
    magnitude = np.abs(analyse(signal, window, hop, 20)).astype(np.float32)
    turns = pghi(magnitude, FrameGrid.checked(window, hop_length=hop, pad=0, frames=20), seed=0).astype(float)
    steps = np.diff(turns[2:-2, 100])
    assert np.abs((steps - hop * tone / n_fft + 0.5) % 1 - 0.5).max() < 0.015


@pytest.mark.usefixtures("no_numba")
def test_python_and_numba_find_the_same_phases(monkeypatch):
    grid = FrameGrid.checked(hann(128), hop_length=32, pad=64, frames=20)
    magnitude = smooth_magnitude(65, 20)
    plain = pghi(magnitude, grid, seed=3)
    monkeypatch.undo()
    module._heap_integration.cache_clear()
    compiled = pghi(magnitude, grid, seed=3)
    assert np.abs((plain - compiled + 0.5) % 1 - 0.5).max() < 1e-4


def test_quiet_bins_are_random_by_the_seed_and_loud_ones_are_not():
    grid = FrameGrid.checked(hann(128), hop_length=32, pad=64, frames=20)
    magnitude = smooth_magnitude(65, 20)
    magnitude[:, 40:] *= 1e-8
    one, other = pghi(magnitude, grid, seed=1), pghi(magnitude, grid, seed=2)
    assert np.array_equal(one[:, :40], other[:, :40])
    assert (one[:, 40:] != other[:, 40:]).mean() > 0.99


def test_one_frame_and_silence_are_no_error():
    grid = FrameGrid.checked(hann(128), hop_length=32, pad=0, frames=1)
    assert pghi(smooth_magnitude(65, 1), grid, seed=0).shape == (1, 65)
    assert np.isfinite(pghi(np.zeros((1, 65), np.float32), grid, seed=0)).all()


def test_steps_change_nothing_and_can_end_it(monkeypatch):
    grid = FrameGrid.checked(hann(128), hop_length=32, pad=64, frames=20)
    magnitude = smooth_magnitude(65, 20)
    magnitude[:, 30:34] = 0  # two parts, of which neither is reached from the other
    whole, steps = pghi(magnitude, grid, seed=3), []
    monkeypatch.setattr(module, "BINS_AT_ONCE", 100)
    assert np.array_equal(pghi(magnitude, grid, seed=3, on_step=lambda: steps.append(1)), whole)
    assert len(steps) > 10

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pghi(magnitude, grid, seed=3, on_step=stop)


@pytest.mark.usefixtures("no_numba")
def test_each_part_begins_at_its_loudest_bin():
    grid = FrameGrid.checked(hann(128), hop_length=32, pad=64, frames=6)
    magnitude = np.zeros((6, 65), np.float32)
    magnitude[:, 10] = [1, 2, 3, 4, 3, 2]
    magnitude[:, 40] = [2, 1, 1, 1, 1, 2]
    magnitude[2, 60] = 9
    turns = pghi(magnitude, grid, seed=0)
    assert [turns[place] for place in ((2, 60), (3, 10), (0, 40))] == [0, 0, 0]
