"""Complex spectrograms into waveforms."""

import librosa
import numpy as np
import pytest
from dialect_material import speech

from tonearm.api import ComplexSpectrogram, Context, Spec, StftGrid, Waveform
from tonearm_plugins.transforms.istft import Istft, IstftOptions

SAMPLES = speech(16000)[:16000].astype(np.float32)


@pytest.mark.parametrize("engine", ["auto", "scipy", "librosa"])
@pytest.mark.parametrize("length", [SAMPLES.size, None])
def test_speech_comes_back(engine, length):
    grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=400)
    values = librosa.stft(SAMPLES, n_fft=512, hop_length=128, win_length=400)[None]
    signal = ComplexSpectrogram(values=values, grid=grid, length=length)
    wave = Istft(IstftOptions(engine=engine)).apply(signal, Context())
    assert (wave.sample_rate, wave.length) == (16000, length or (values.shape[2] - 1) * 128)
    assert np.abs(wave.samples[0] - SAMPLES[: wave.length]).max() < 1e-6


@pytest.mark.parametrize("padding", ["center", "half-overlap", "none"])
def test_the_padding_is_that_of_the_grid(padding):
    grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512, padding=padding)
    padded = np.pad(SAMPLES, grid.pad)
    values = librosa.stft(padded, n_fft=512, hop_length=128, center=False)[None]
    wave = Istft(IstftOptions()).apply(ComplexSpectrogram(values=values, grid=grid, length=15000), Context())
    inside = slice(512, 14488)
    assert np.abs(wave.samples[0, inside] - SAMPLES[inside]).max() < 1e-5


def test_what_it_produces_is_declared():
    grid = StftGrid(sample_rate=16000, n_fft=512, hop_length=128, win_length=512)
    spec = Spec(signals=(ComplexSpectrogram,), sample_rate=16000, length=9).carrying(grid)
    found = Istft(IstftOptions()).produces(spec)
    assert (found.signals, found.sample_rate, found.length, found.carried) == ((Waveform,), 16000, 9, {})
