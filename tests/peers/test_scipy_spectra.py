"""The conventions of scipy.signal, asked what scipy's own tests ask: scales, energies, frames, round trips."""

import numpy as np
import pytest
import scipy.signal
from peer_material import noise, sine, snr_db

from tonearm.api import ComplexSpectrogram, Context, StftGrid, Waveform
from tonearm.signals.conventions import grid_from_options
from tonearm.signals.windows import window_values
from tonearm_plugins.transforms.istft import Istft, IstftOptions
from tonearm_plugins.transforms.wave_to_spectrogram import WaveToSpectrogram, WaveToSpectrogramOptions

RATE = 4800


def analysed(samples, kind="complex", **options):
    """Return the values that wave-to-spectrogram writes, (rows, frames), in double precision."""
    plugin = WaveToSpectrogram(WaveToSpectrogramOptions(kind=kind, **options))
    return plugin.apply(Waveform(samples=np.atleast_2d(samples), sample_rate=RATE), Context()).values[0]


def inverted(values, grid, length=None):
    """Return the samples that istft makes of values, (rows, frames)."""
    signal = ComplexSpectrogram(values=np.asarray(values)[None], grid=grid, length=length)
    return Istft(IstftOptions()).apply(signal, Context()).samples[0]


# nperseg, noverlap, nfft and the window of each case; SciPy's windows are periodic here, as ours are.
CASES = {
    "whole": (120, 90, 120, "hann"),
    "zeros after": (120, 80, 160, "hann"),
    "odd": (75, 50, 75, "hamming"),
    "half": (200, 100, 256, "boxcar"),
}


@pytest.mark.filterwarnings("ignore:NOLA condition failed:UserWarning")  # at the first sample, without a boundary
@pytest.mark.parametrize("boundary", ["zeros", "even", "constant", None])
@pytest.mark.parametrize("case", CASES)
def test_scipys_stft_and_its_inverse(case, boundary):
    for scaling in ["spectrum", "psd"]:
        for padded in [True, False]:
            nperseg, noverlap, nfft, window = CASES[case]
            samples = noise(1103, seed=nfft)
            common = {
                "window": window,
                "nperseg": nperseg,
                "noverlap": noverlap,
                "nfft": nfft,
                "scaling": scaling,
                "fs": RATE,
            }
            _, _, expected = scipy.signal.stft(samples, boundary=boundary, padded=padded, **common)
            _, back = scipy.signal.istft(expected, boundary=boundary is not None, **common)
            fields = {
                "n_fft": nfft,
                "win_length": nperseg,
                "hop_length": nperseg - noverlap,
                "window": window,
                "scaling": scaling,
                "padding": "none" if boundary is None else "center",
                "pad_mode": {"even": "reflect", "constant": "edge"}.get(boundary, "constant"),
                "tail": "pad" if padded else "drop",
            }
            found = analysed(samples, convention="scipy", **fields)
            assert found.shape == expected.shape
            assert np.abs(found - expected).max() < 1e-13
            result = inverted(expected, grid_from_options({"sample_rate": RATE, **fields}, convention="scipy"))
            assert len(result) == len(back)
            inside = slice(nperseg, -nperseg) if boundary is None else slice(None)
            assert snr_db(result[inside], back[inside]) > 250


@pytest.mark.parametrize("hop", [30, 40, 60])
def test_a_constant_reads_its_value_at_zero_in_a_spectrum(hop):
    found = analysed(np.full(2400, -0.375), convention="scipy", n_fft=120, hop_length=hop, padding="none")
    assert np.abs(found[0] + 0.375).max() < 1e-15
    assert np.abs(found[3:]).max() < 1e-15


@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "boxcar", "nuttall"])
def test_a_sine_reads_half_its_amplitude_in_a_spectrum(window):
    samples = sine(600, 4800, RATE, amplitude=0.8, phase=0.4)
    found = analysed(samples, "magnitude", convention="scipy", n_fft=240, hop_length=60, window=window, padding="none")
    assert np.abs(found[30] - 0.4).max() < 1e-12


DENSITY = {"window_position": "start", "padding": "none", "scaling": "psd-one-sided"}


@pytest.mark.parametrize("window", ["hann", "hamming", "boxcar"])
def test_a_density_of_one_side_adds_up_to_the_power(window):
    for n_fft, win_length in [(160, 160), (200, 160), (161, 161), (201, 160)]:
        samples = noise(4000, seed=n_fft)
        sizes = {"n_fft": n_fft, "win_length": win_length, "hop_length": 80, "window": window}
        found = analysed(samples, "magnitude", **sizes, **DENSITY)
        weights = np.array(window_values(window, win_length, win_length)) ** 2
        for frame in range(found.shape[1]):
            part = samples[frame * 80 : frame * 80 + win_length]
            power = np.sum(weights * part**2) / np.sum(weights)
            assert np.sum(found[:, frame] ** 2) * RATE / n_fft == pytest.approx(power, rel=1e-12)


@pytest.mark.parametrize(("scaling", "name"), [("density", "psd-one-sided"), ("spectrum", "spectrum")])
@pytest.mark.parametrize("n_fft", [128, 151, 300])
def test_scipys_spectrogram_is_the_square(n_fft, scaling, name):
    samples = noise(3000, seed=n_fft)
    common = {"window": "hamming", "nperseg": 128, "noverlap": 96, "nfft": n_fft, "detrend": False}
    _, _, expected = scipy.signal.spectrogram(samples, RATE, scaling=scaling, mode="psd", **common)
    sizes = {"n_fft": n_fft, "win_length": 128, "hop_length": 32, "window": "hamming"}
    found = analysed(samples, "magnitude", **sizes, **(DENSITY | {"scaling": name})) ** 2
    if name == "spectrum":  # SciPy doubles the powers of one side here, and not the values of its stft
        found[1 : -1 if n_fft % 2 == 0 else None] *= 2
    assert np.abs(found - expected).max() < 1e-15


def test_the_mean_of_the_density_is_welchs():
    samples = noise(9000)
    _, expected = scipy.signal.welch(samples, RATE, nperseg=256, noverlap=128, detrend=False)
    found = analysed(samples, "magnitude", n_fft=256, hop_length=128, **DENSITY)
    assert np.mean(found**2, axis=1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("mode", ["magnitude", "complex"])
def test_scipys_spectrogram_in_other_modes(mode):
    samples = noise(2000)
    common = {"window": "hann", "nperseg": 100, "noverlap": 75, "nfft": 128, "detrend": False}
    _, _, expected = scipy.signal.spectrogram(samples, RATE, mode=mode, scaling="spectrum", **common)
    fields = DENSITY | {"scaling": "spectrum"}
    found = analysed(samples, mode, n_fft=128, win_length=100, hop_length=25, **fields)
    assert np.abs(found - expected).max() < 1e-14


# ------------------------------------------------------------ ShortTimeFFT


def short_time_fft(window, hop, **options):
    return scipy.signal.ShortTimeFFT(window, hop, RATE, **options)


@pytest.mark.parametrize(("length", "n_fft"), [(16, 16), (17, 17), (17, 24), (16, 31)])
def test_frames_are_those_of_the_class_at_every_length(length, n_fft):
    for hop in [1, 3, 8, 13, 16]:
        window = np.hamming(length)
        theirs = short_time_fft(window, hop, mfft=n_fft)
        sizes = {"sample_rate": RATE, "n_fft": n_fft, "hop_length": hop, "win_length": length, "window": window}
        grid = grid_from_options(sizes, convention="scipy-short-time-fft")
        for samples in range(-(-length // 2), 90):
            assert grid.frames(samples) == theirs.p_num(samples), samples
            assert grid.pads(samples)[0] == -theirs.k_min, samples


@pytest.mark.parametrize("fft_mode", ["onesided", "twosided", "centered"])
@pytest.mark.parametrize(("length", "n_fft", "hop"), [(40, 40, 10), (41, 50, 17), (64, 81, 16)])
def test_the_class_comes_back_in_every_mode(length, n_fft, hop, fft_mode):
    for scale_to in [None, "magnitude", "psd"]:
        window = np.array(window_values("hamming_symmetric", length, length))
        theirs = short_time_fft(window, hop, mfft=n_fft, fft_mode=fft_mode, scale_to=scale_to)
        samples = noise(700, seed=n_fft)
        sizes = {"n_fft": n_fft, "hop_length": hop, "win_length": length, "window": "hamming_symmetric"}
        fields = {
            "scaling": {None: "none", "magnitude": "spectrum", "psd": "psd"}[scale_to],
            "sides": {"onesided": "one", "twosided": "two", "centered": "centered"}[fft_mode],
        }
        expected = theirs.stft(samples)
        found = analysed(samples, convention="scipy-short-time-fft", **sizes, **fields)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-13 * np.abs(expected).max()
        grid = grid_from_options({"sample_rate": RATE, **sizes, **fields}, convention="scipy-short-time-fft")
        result = inverted(expected, grid, length=700)
        assert np.abs(result - theirs.istft(expected, k1=700)).max() < 1e-12
        assert np.abs(result - samples).max() < 1e-12


@pytest.mark.parametrize("n_fft", [50, 64, 81])
def test_one_side_of_the_class_with_the_powers_of_both_is_a_density_of_one_side(n_fft):
    window = np.array(window_values("hann_symmetric", 50, 50))
    theirs = short_time_fft(window, 10, mfft=n_fft, fft_mode="onesided2X", scale_to="psd")
    samples = noise(640)
    sizes = {"n_fft": n_fft, "hop_length": 10, "win_length": 50, "window": "hann_symmetric"}
    found = analysed(samples, convention="scipy-short-time-fft", scaling="psd-one-sided", **sizes)
    assert np.abs(found - theirs.stft(samples)).max() < 1e-14


@pytest.mark.parametrize("phase_shift", [None, 0])
def test_the_phase_shift_of_the_class(phase_shift):
    window = np.array(window_values("hann_symmetric", 50, 50))
    theirs = short_time_fft(window, 10, mfft=64, phase_shift=phase_shift)
    samples = noise(640)
    origin = "frame-start" if phase_shift is None else "window-center"
    sizes = {"n_fft": 64, "hop_length": 10, "win_length": 50, "window": "hann_symmetric", "phase_origin": origin}
    found = analysed(samples, convention="scipy-short-time-fft", **sizes)
    assert np.abs(found - theirs.stft(samples)).max() < 1e-13


def test_a_tone_has_one_phase_in_all_frames_when_phases_are_counted_from_the_centre():
    samples = sine(600, 2400, RATE, phase=np.pi / 2)
    found = analysed(samples, convention="scipy-short-time-fft", n_fft=80, hop_length=8)
    assert np.abs(np.angle(found[10, 15:-15])).max() < 1e-12


@pytest.mark.parametrize("hop", [5, 10, 20])
def test_the_dual_window_of_the_class_is_the_window_over_the_sum_of_squares(hop):
    window = np.array(window_values("hann", 40, 40))
    grid = StftGrid(sample_rate=RATE, n_fft=40, hop_length=hop, win_length=40, padding="none")
    dual = short_time_fft(window, hop).dual_win
    middle = 41  # one frame that holds the window: istft multiplies it by the dual window
    values = np.zeros((21, 2 * middle), complex)
    values[:, middle] = np.fft.rfft(window)
    result = inverted(values, grid)[middle * hop : middle * hop + 40]
    assert np.abs(result - dual * window).max() < 1e-14
