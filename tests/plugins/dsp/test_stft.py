import numpy as np
import pytest
from dsp_material import ODD_SETTINGS, SETTINGS
from dsp_reference import hann

from tonearm_plugins.dsp.engines.choice import VARIABLE
from tonearm_plugins.dsp.errors import ShapeError
from tonearm_plugins.dsp.stft import stft


@pytest.mark.parametrize("engine", ["scipy", "auto"])
@pytest.mark.parametrize(("n_fft", "hop", "win_length"), SETTINGS + ODD_SETTINGS)
@pytest.mark.parametrize("pad_mode", ["constant", "reflect"])
@pytest.mark.parametrize("length", [3, 21])
def test_agrees_with_float64(n_fft, hop, win_length, pad_mode, engine, length, monkeypatch):
    monkeypatch.setenv(VARIABLE, engine)
    signal = np.random.default_rng(0).standard_normal((2, length * n_fft + 5))
    window = hann(n_fft, win_length)
    found = stft(signal.astype(np.float32), window=window, hop_length=hop, pad=n_fft // 2, pad_mode=pad_mode)
    padded = np.pad(signal, ((0, 0), (n_fft // 2, n_fft // 2)), mode=pad_mode)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)[:, ::hop]
    expected = np.fft.rfft(frames * window).transpose(0, 2, 1)
    assert found.shape == expected.shape
    assert found.dtype == np.complex64
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


def test_double_precision_is_that_of_numpy():
    signal = np.random.default_rng(0).standard_normal((2, 9000))
    window = hann(1024)
    found = stft(signal, window=window, hop_length=256, double=True)
    expected = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(signal, 1024, axis=1)[:, ::256] * window)
    assert found.dtype == np.complex128
    assert np.abs(found - expected.transpose(0, 2, 1)).max() < 1e-14 * np.abs(expected).max()


def test_agrees_with_librosa(librosa):
    signal = np.random.default_rng(0).standard_normal(9000).astype(np.float32)
    found = stft(signal[None], window=hann(1024), hop_length=256, pad=512)
    assert np.abs(found[0] - librosa.stft(signal, n_fft=1024, hop_length=256)).max() < 2e-5


def test_what_has_no_frame_is_refused():
    with pytest.raises(ShapeError, match="less than one frame"):
        stft(np.zeros((1, 100)), window=hann(1024), hop_length=256)
    with pytest.raises(ShapeError, match="reflect"):
        stft(np.zeros((1, 512)), window=hann(1024), hop_length=256, pad=512, pad_mode="reflect")
    with pytest.raises(ShapeError, match="channels"):
        stft(np.zeros(5000), window=hann(1024), hop_length=256)
    with pytest.raises(ShapeError, match="real"):
        stft(np.zeros((1, 5000), complex), window=hann(1024), hop_length=256)
    with pytest.raises(ShapeError):
        stft(np.zeros((1, 5000)), window=hann(1024), hop_length=0)


def test_nan_stays_in_its_frames():
    signal = np.zeros((1, 256 * 60), np.float32)
    signal[0, 256 * 30] = np.nan
    found = stft(signal, window=np.ones(1024), hop_length=256)
    assert np.flatnonzero(np.isnan(found[0]).any(axis=0)).tolist() == [27, 28, 29, 30]
    assert np.isnan(found[0, :, 27:31]).all()


@pytest.mark.parametrize("frames", [1, 17, 40])
@pytest.mark.parametrize("engine", ["scipy", "auto"])
def test_frames_beyond_the_signal_are_completed_with_zeros(frames, engine, monkeypatch):
    monkeypatch.setenv(VARIABLE, engine)
    signal = np.random.default_rng(0).standard_normal((1, 5000)).astype(np.float32)
    found = stft(signal, window=hann(1024), hop_length=256, pad=512, pad_mode="reflect", frames=frames)
    padded = np.pad(np.pad(signal, ((0, 0), (512, 512)), mode="reflect"), ((0, 0), (0, 9000)))
    expected = stft(padded, window=hann(1024), hop_length=256)
    assert np.allclose(found, expected[..., :frames], atol=1e-6)
