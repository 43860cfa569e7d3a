"""Magnitudes into waveforms: what the options do, and what is measured."""

import numpy as np
import pytest
from dialect_material import speech

from tonearm.api import Context, MagnitudeSpectrogram, Spec, StftGrid, Waveform
from tonearm_plugins.dsp import griffin_lim as dsp
from tonearm_plugins.dsp.stft import stft
from tonearm_plugins.transforms.griffin_lim import GriffinLim, GriffinLimOptions

GRID = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
SAMPLES = speech(16000)[:16000].astype(np.float32)


def magnitudes():
    values = np.abs(stft(SAMPLES[None], window=GRID.window_values(), hop_length=128, pad=GRID.pad))
    return MagnitudeSpectrogram(values=values, grid=GRID, length=SAMPLES.size)


def recover(**options):
    context = Context()
    wave = GriffinLim(GriffinLimOptions(**options)).apply(magnitudes(), context)
    return wave, context.measurements


@pytest.mark.parametrize(("preset", "iterations"), [("draft", 8), ("fast", 16), ("good", 32)])
def test_a_preset_is_start_iterations_and_momentum(preset, iterations):
    wave, measured = recover(preset=preset)
    chosen = dsp.PRESETS[preset]
    assert measured["iterations"] == iterations
    again, _ = recover(preset="best", start=chosen.start, iterations=chosen.iterations, momentum=chosen.momentum)
    assert np.array_equal(wave.samples, again.samples)


def test_the_waveform_has_the_rate_the_length_and_nearly_the_magnitudes():
    wave, measured = recover()
    assert (wave.sample_rate, wave.length, wave.samples.dtype) == (16000, SAMPLES.size, np.float32)
    found = np.abs(stft(wave.samples, window=GRID.window_values(), hop_length=128, pad=GRID.pad))
    wanted = magnitudes().values
    distance = 20 * np.log10(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
    assert measured["spectral_convergence_db"] == pytest.approx(distance, abs=0.02)
    assert distance < -20


def test_the_seed_the_tolerance_and_the_engine_reach_the_work():
    one, other = (recover(start="random", iterations=1, seed=seed)[0].samples for seed in (1, 2))
    assert not np.array_equal(one, other)
    assert recover(iterations=100, tolerance_db=3.0)[1]["iterations"] < 100
    librosas = recover(start="random", iterations=1, seed=1, engine="librosa")[0].samples
    assert not np.array_equal(one, librosas)


def test_zero_iterations_and_zero_momentum_are_not_taken_for_the_presets():
    assert recover(iterations=0)[1]["iterations"] == 0
    assert not np.array_equal(recover(momentum=0.0)[0].samples, recover()[0].samples)


def test_what_it_produces_is_declared():
    spec = Spec(signals=(MagnitudeSpectrogram,), sample_rate=16000, length=9).carrying(GRID)
    found = GriffinLim(GriffinLimOptions()).produces(spec)
    assert (found.signals, found.sample_rate, found.length, found.carried) == ((Waveform,), 16000, 9, {})
