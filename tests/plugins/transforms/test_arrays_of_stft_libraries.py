"""More than 120 arrays of STFT libraries are read to the samples, or to the magnitudes, that they were made from.

The reference is the analysed sound itself, where the window sum is not zero, which every exact inverse gives back; or
the library's magnitudes.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.signal
from stft_libraries import RATE, librosa_stft, matlab_stft, scipy_stft, short_time_fft, sound, tensorflow_stft

import tonearm

LENGTH = 6000
MIN_SNR = 100.0
"""Least ratio of the sound to the error in dB."""

SIZES = {"even": (256, 64, 256), "short-window": (512, 80, 320), "half-overlap": (256, 128, 256)}
"""Lengths of the FFT, the hop and the window."""


def read(array: np.ndarray, **options: Any) -> np.ndarray:
    """Return what the only item of an array becomes, in double precision: samples or magnitudes."""
    given: dict[str, Any] = {"sample_rate": RATE, "precision": "double", **options}
    spectrum = given.get("kind") == "complex" or "polar" in str(given.get("axes"))
    document = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "with": given},
        "steps": [{"use": "istft"}] if spectrum else [],
        "outputs": [
            {"use": "wav-writer" if spectrum else "npy-writer", "file": "{index}.wav" if spectrum else "{index}.npy"}
        ],
    }
    (found,) = tonearm.load_pipeline(document).convert(np.ascontiguousarray(array))
    return found.samples[0] if spectrum else found.plain().values[0]


def snr(found: np.ndarray, samples: np.ndarray, margin: int) -> float:
    """Return the signal-to-noise ratio in dB, without a margin at both ends."""
    count = min(found.size, samples.size)
    inside = slice(margin, count - margin)
    error = found[inside] - samples[inside]
    return float(10 * np.log10((samples[inside] ** 2).sum() / max((error**2).sum(), 1e-300)))


COMPLEX: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "librosa": (librosa_stft, {}, {"convention": "librosa"}),
    "librosa-reflect": (librosa_stft, {"pad_mode": "reflect"}, {"convention": "librosa", "pad_mode": "reflect"}),
    "librosa-edge": (librosa_stft, {"pad_mode": "edge"}, {"convention": "librosa", "pad_mode": "edge"}),
    "librosa-bare": (librosa_stft, {"center": False}, {"convention": "librosa", "center": False}),
    "scipy": (scipy_stft, {}, {"convention": "scipy"}),
    "scipy-psd": (scipy_stft, {"scaling": "psd"}, {"convention": "scipy", "scaling": "psd"}),
    "scipy-two": (scipy_stft, {"return_onesided": False}, {"convention": "scipy", "sides": "two"}),
    "scipy-two-psd": (
        scipy_stft,
        {"return_onesided": False, "scaling": "psd"},
        {"convention": "scipy", "sides": "two", "scaling": "psd"},
    ),
    "scipy-unpadded": (scipy_stft, {"padded": False}, {"convention": "scipy", "tail": "drop"}),
    "scipy-no-boundary": (scipy_stft, {"boundary": None}, {"convention": "scipy", "padding": "none"}),
    "scipy-bare": (
        scipy_stft,
        {"boundary": None, "padded": False},
        {"convention": "scipy", "padding": "none", "tail": "drop"},
    ),
    "scipy-even": (scipy_stft, {"boundary": "even"}, {"convention": "scipy", "pad_mode": "reflect"}),
    "scipy-constant": (scipy_stft, {"boundary": "constant"}, {"convention": "scipy", "pad_mode": "edge"}),
    "scipy-odd": (scipy_stft, {"boundary": "odd"}, {"convention": "scipy"}),
    "sft": (short_time_fft, {}, {"convention": "scipy-short-time-fft"}),
    "sft-magnitude": (
        short_time_fft,
        {"scale_to": "magnitude"},
        {"convention": "scipy-short-time-fft", "scaling": "spectrum"},
    ),
    "sft-psd": (short_time_fft, {"scale_to": "psd"}, {"convention": "scipy-short-time-fft", "scaling": "psd"}),
    "sft-one": (
        short_time_fft,
        {"scale_to": "magnitude", "fft_mode": "onesided2X"},
        {"convention": "scipy-short-time-fft", "scaling": "amplitude"},
    ),
    "sft-one-psd": (
        short_time_fft,
        {"scale_to": "psd", "fft_mode": "onesided2X"},
        {"convention": "scipy-short-time-fft", "scaling": "psd-one-sided"},
    ),
    "sft-two": (short_time_fft, {"fft_mode": "twosided"}, {"convention": "scipy-short-time-fft", "sides": "two"}),
    "sft-centered": (
        short_time_fft,
        {"fft_mode": "centered"},
        {"convention": "scipy-short-time-fft", "sides": "centered"},
    ),
    "sft-start": (
        short_time_fft,
        {"phase_shift": None},
        {"convention": "scipy-short-time-fft", "phase_origin": "frame-start"},
    ),
    "tensorflow": (tensorflow_stft, {}, {"convention": "tensorflow"}),
    "tensorflow-end": (tensorflow_stft, {"pad_end": True}, {"convention": "tensorflow", "padding": "end"}),
    "matlab": (matlab_stft, {}, {"convention": "matlab"}),
    "matlab-two": (matlab_stft, {"frequency_range": "twosided"}, {"convention": "matlab", "sides": "two"}),
    "matlab-one": (matlab_stft, {"frequency_range": "onesided"}, {"convention": "matlab", "sides": "one"}),
}
"""Functions that compute complex arrays, by name: the options of one call, and ours."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", COMPLEX)
def test_complex_arrays(case: str, size: str) -> None:
    function, options, ours = COMPLEX[case]
    n_fft, hop, win = SIZES[size]
    samples = sound(LENGTH)
    values = function(samples, n_fft, hop, scipy.signal.get_window("hann", win), **options)
    if case.startswith("tensorflow"):  # (frames, bins)
        values, ours = values.T, ours | {"axes": ["frame", "bin"]}
    found = read(values, kind="complex", n_fft=n_fft, hop_length=hop, win_length=win, **ours)
    assert snr(found, samples, 2 * n_fft) >= MIN_SNR


def own_inverse(function: Any, values: np.ndarray, size: str, options: dict[str, Any]) -> np.ndarray:
    """Return the samples that a library's own inverse gives."""
    n_fft, hop, win = SIZES[size]
    window = scipy.signal.get_window("hann", win)
    if function is librosa_stft:
        import librosa

        how = {"hop_length": hop, "win_length": win, "n_fft": n_fft, "window": window}
        return librosa.istft(values, center=options.get("center", True), **how)
    if function is short_time_fft:
        return scipy.signal.ShortTimeFFT(window, hop, RATE, mfft=n_fft, **options).istft(values).real
    theirs = {
        "input_onesided": options.get("return_onesided", True),
        "boundary": options.get("boundary", "zeros") is not None,
        "scaling": options.get("scaling", "spectrum"),
    }
    return scipy.signal.istft(values, RATE, window, win, win - hop, n_fft, **theirs)[1].real


BARE = ("librosa-bare", "scipy-no-boundary", "scipy-bare")
"""Cases whose window sum is nearly zero at both ends, which libraries take for zero below limits of their own."""


@pytest.mark.parametrize("size", ["even", "short-window"])
@pytest.mark.parametrize("case", [case for case in COMPLEX if case.startswith(("librosa", "scipy", "sft"))])
def test_all_samples_and_their_number_are_those_of_the_librarys_own_inverse(case: str, size: str) -> None:
    function, options, ours = COMPLEX[case]
    n_fft, hop, win = SIZES[size]
    values = function(sound(LENGTH), n_fft, hop, scipy.signal.get_window("hann", win), **options)
    with warnings.catch_warnings():  # scipy warns of window sums of zero
        warnings.simplefilter("ignore")
        wanted = own_inverse(function, values, size, options)
    found = read(values, kind="complex", n_fft=n_fft, hop_length=hop, win_length=win, **ours)
    if function is short_time_fft:  # whose own inverse goes on to the end of the last window
        assert LENGTH <= found.size <= wanted.size
    else:
        assert found.size == wanted.size
    assert snr(found, wanted, win if case in BARE else 0) >= MIN_SNR


UNUSED = ("pad_mode", "tail")
"""Options of an analysis that no inverse depends on."""

NEEDED = [
    (case, option)
    for case, (_, _, ours) in COMPLEX.items()
    for option in ours
    if option not in UNUSED and ours[option] != "librosa" and (case, option) != ("tensorflow-end", "padding")
]
"""Options by case that the samples depend on: all but those above, the defaults, and one that adds samples alone."""


@pytest.mark.filterwarnings("ignore::tonearm.TonearmWarning")  # a doubt is good, but the sound is what counts
@pytest.mark.parametrize(("case", "option"), NEEDED)
def test_without_one_of_its_options_an_array_is_another_sound_or_refused(case: str, option: str) -> None:
    function, options, ours = COMPLEX[case]
    n_fft, hop, win = SIZES["short-window"]
    samples = sound(LENGTH)
    values = function(samples, n_fft, hop, scipy.signal.get_window("hann", win), **options)
    values = values.T if case.startswith("tensorflow") else values
    left = {name: value for name, value in ours.items() if name != option}
    try:
        found = read(values, kind="complex", n_fft=n_fft, hop_length=hop, win_length=win, **left)
    except tonearm.TonearmError:
        return
    assert snr(found, samples, 2 * n_fft) < MIN_SNR


WINDOWS = {"hamming": "hamming", "blackman": "blackman", "sqrt_hann": None, "kaiser": None, "boxcar": "boxcar"}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("function", [scipy_stft, librosa_stft, matlab_stft])
def test_windows_by_name_and_from_a_file(function: Any, window: str, tmp_path: Any) -> None:
    win, samples = 320, sound(LENGTH)
    values = scipy.signal.get_window(("kaiser", 7.0) if window == "kaiser" else window.removeprefix("sqrt_"), win)
    values = np.sqrt(values) if window == "sqrt_hann" else values
    name = window
    if window == "kaiser":
        name = str(tmp_path / "kaiser.npy")
        np.save(name, values)
    convention = {scipy_stft: "scipy", librosa_stft: "librosa", matlab_stft: "matlab"}[function]
    array = function(samples, 512, 80, values)
    options = {"n_fft": 512, "hop_length": 80, "win_length": win, "window": name, "convention": convention}
    assert snr(read(array, kind="complex", **options), samples, 1024) >= MIN_SNR


def asteroid_stft(x: np.ndarray, n_fft: int, hop: int, win: int) -> np.ndarray:
    """``asteroid_filterbanks.STFTFB``, from its source: (n_fft + 2, frames), real parts before imaginary ones."""
    window = np.sqrt(np.hanning(win + 1)[:-1])
    left = (n_fft - win) // 2
    time, bins = np.arange(left, left + win), np.arange(n_fft // 2 + 1)
    filters = np.exp(-2j * np.pi * np.outer(bins, time) / n_fft) / (0.5 * np.sqrt(win * n_fft / hop))
    filters[[0, -1]] /= np.sqrt(2)
    frames = np.lib.stride_tricks.sliding_window_view(x, win)[::hop]
    found = (filters * window) @ frames.T
    return np.concatenate([found.real, found.imag])


def nnaudio_stft(x: np.ndarray, n_fft: int, hop: int, win: int) -> np.ndarray:
    """``nnAudio.features.STFT``: (bins, frames, 2), padded by reflection, the window in the centre of the FFT."""
    window = np.pad(scipy.signal.get_window("hann", win), ((n_fft - win) // 2, (n_fft - win + 1) // 2))
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, n_fft // 2, mode="reflect"), n_fft)[::hop]
    found = np.fft.rfft(frames * window, axis=1).T
    return np.stack([found.real, found.imag], axis=-1)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("library", ["asteroid", "nnaudio"])
def test_real_arrays_of_both_parts(library: str, size: str, batch: bool) -> None:
    n_fft, hop, win = SIZES[size]
    samples = sound(LENGTH)
    values = (asteroid_stft if library == "asteroid" else nnaudio_stft)(samples, n_fft, hop, win)
    options = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "convention": library}
    found = read(values[None] if batch else values, kind="complex", **options)
    assert snr(found, samples, 2 * n_fft) >= MIN_SNR


LAYOUTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "halves": (lambda x: np.concatenate([x.real, x.imag]), {"kind": "complex", "axes": ["(complex bin)", "frame"]}),
    "halves-last": (
        lambda x: np.concatenate([x.real, x.imag]).T,
        {"kind": "complex", "axes": ["frame", "(complex bin)"]},
    ),
    "pairs": (
        lambda x: np.stack([x.real, x.imag], axis=1).reshape(-1, x.shape[1]),
        {"kind": "complex", "axes": ["(bin complex)", "frame"]},
    ),
    "pairs-last": (
        lambda x: np.ascontiguousarray(x.T).view("f8"),
        {"kind": "complex", "axes": ["frame", "(bin complex)"]},
    ),
    "view-as-real": (
        lambda x: np.stack([x.real, x.imag], axis=-1),
        {"kind": "complex", "axes": ["bin", "frame", "complex"]},
    ),
    "channels": (
        lambda x: np.stack([x.real, x.imag])[None],
        {"kind": "complex", "axes": ["batch", "(channel complex)", "bin", "frame"]},
    ),
    "polar": (
        lambda x: np.stack([np.abs(x), np.angle(x)]),
        {"kind": "magnitude", "axes": ["polar", "bin", "frame"]},
    ),
    "polar-halves": (
        lambda x: np.concatenate([np.abs(x), np.angle(x)]),
        {"kind": "magnitude", "axes": ["(polar bin)", "frame"]},
    ),
    "polar-power": (
        lambda x: np.concatenate([np.abs(x) ** 2, np.angle(x)]),
        {"kind": "power", "axes": ["(polar bin)", "frame"]},
    ),
    "polar-db": (
        lambda x: np.stack([20 * np.log10(np.abs(x)), np.angle(x)]),
        {"kind": "db", "axes": ["polar", "bin", "frame"]},
    ),
    "polar-ln": (
        lambda x: np.concatenate([np.log(np.abs(x)), np.angle(x)]),
        {"kind": "magnitude", "recipe": {"log": "ln"}, "axes": ["(polar bin)", "frame"]},
    ),
    "no-nyquist": (lambda x: x[:-1], {"kind": "complex", "end_bins": "dc"}),
    "no-ends": (lambda x: x[1:-1], {"kind": "complex", "end_bins": "none"}),
    "no-dc": (lambda x: x[1:], {"kind": "complex", "end_bins": "nyquist"}),
    "no-nyquist-halves": (
        lambda x: np.concatenate([x[:-1].real, x[:-1].imag]),
        {"kind": "complex", "end_bins": "dc", "axes": ["(complex bin)", "frame"]},
    ),
}


@pytest.mark.parametrize("size", ["even", "half-overlap"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, size: str) -> None:
    made, options = LAYOUTS[layout]
    n_fft, hop, win = SIZES[size]
    samples = sound(LENGTH)
    values = librosa_stft(samples, n_fft, hop, scipy.signal.get_window("hann", win))
    if layout.startswith("no-"):  # the sound that has no missing bins
        values[0 if "dc" in layout or "ends" in layout else -1] = 0
        values[-1 if "ends" in layout else 0 if "dc" in layout else -1] = 0
        samples = read(values, kind="complex", n_fft=n_fft, hop_length=hop)
    assert snr(read(made(values), n_fft=n_fft, hop_length=hop, **options), samples, n_fft) >= MIN_SNR


def spectrogram(x: np.ndarray, **options: Any) -> np.ndarray:
    """``scipy.signal.spectrogram``."""
    return scipy.signal.spectrogram(x, RATE, "hann", 256, 192, 512, detrend=False, **options)[2]


POWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "density": ({}, {"kind": "power"}),
    "spectrum": ({"scaling": "spectrum"}, {"kind": "power", "scaling": "spectrum-one-sided"}),
    "density-two": ({"return_onesided": False}, {"kind": "power", "scaling": "psd", "sides": "two"}),
    "spectrum-two": (
        {"scaling": "spectrum", "return_onesided": False},
        {"kind": "power", "scaling": "spectrum", "sides": "two"},
    ),
    "magnitude": ({"mode": "magnitude"}, {"kind": "magnitude", "scaling": "psd"}),
    "magnitude-spectrum": (
        {"mode": "magnitude", "scaling": "spectrum"},
        {"kind": "magnitude", "scaling": "spectrum"},
    ),
}


@pytest.mark.parametrize("case", POWERS)
def test_scipys_spectrograms(case: str) -> None:
    theirs, ours = POWERS[case]
    samples = sound(LENGTH)
    sizes = {"n_fft": 512, "hop_length": 64, "win_length": 256}
    found = read(spectrogram(samples, **theirs), convention="scipy-spectrogram", **sizes, **ours)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 256)[::64] * scipy.signal.get_window("hann", 256)
    expected = np.abs(np.fft.rfft(frames, 512, axis=1).T)
    np.testing.assert_allclose(found, expected[:, : found.shape[1]], rtol=1e-6, atol=1e-6 * expected.max())


FLOOR = 1e-5
VALUES: dict[str, tuple[Any, dict[str, Any]]] = {
    "power": (lambda x: x**2, {"kind": "power"}),
    "db": (lambda x: 20 * np.log10(x), {"kind": "db"}),
    "ln": (np.log, {"recipe": {"log": "ln"}}),
    "log10": (np.log10, {"recipe": {"log": "log10"}}),
    "log2": (np.log2, {"recipe": {"log": "log2"}}),
    "base-3": (lambda x: np.log(x) / np.log(3), {"recipe": {"log": 3.0}}),
    "log1p": (np.log1p, {"recipe": "log1p"}),
    "log1p-scaled": (
        lambda x: np.log1p(10 * x),
        {"recipe": {"log": "ln", "floor": 0.1, "floor_mode": "add", "reference": 0.1}},
    ),
    "ln-power": (lambda x: np.log(x**2), {"recipe": {"log": "ln", "exponent": 2, "floor": 1e-10}}),
    "10log10-power": (
        lambda x: 10 * np.log10(x**2),
        {"recipe": {"log": "log10", "log_factor": 10, "exponent": 2, "floor": 1e-10}},
    ),
    "offset": (lambda x: 20 * np.log10(x) - 20, {"recipe": {"log": "log10", "log_factor": 20, "offset": -20}}),
    "reference": (lambda x: 20 * np.log10(x / 50), {"recipe": {"log": "log10", "log_factor": 20, "reference": 50}}),
    "affine": (
        lambda x: (20 * np.log10(x) + 100) / 200,
        {
            "recipe": {
                "log": "log10",
                "log_factor": 20,
                "steps": [{"op": "affine", "scale": 0.005, "offset": 0.5}, {"op": "clip", "min": 0, "max": 1}],
            }
        },
    ),
    "compressed": (lambda x: x**0.3, {"recipe": {"log": "none", "exponent": 0.3}}),
    "16-bit": (lambda x: np.log(32768 * x), {"recipe": {"log": "ln", "input_scale": 32768}}),
}
"""Values made of magnitudes, and the options that say so."""


@pytest.mark.parametrize("case", VALUES)
def test_linear_spectrograms_have_the_values_of_their_magnitudes(case: str) -> None:
    made, options = VALUES[case]
    samples = sound(LENGTH)
    magnitudes = np.maximum(np.abs(librosa_stft(samples, 512, 128, scipy.signal.get_window("hann", 512))), 10 * FLOOR)
    found = read(made(magnitudes), **{"kind": "magnitude", "n_fft": 512, "hop_length": 128, **options})
    np.testing.assert_allclose(found, magnitudes, rtol=1e-6, atol=1e-9)


TORCH: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {"convention": "torch"}),
    "normalized": ({"normalized": True}, {"convention": "torch-normalized"}),
    "two-sided": ({"onesided": False}, {"convention": "torch", "sides": "two"}),
    "two-sided-normalized": (
        {"onesided": False, "normalized": True},
        {"convention": "torch-normalized", "sides": "two"},
    ),
    "zeros": ({"pad_mode": "constant"}, {"convention": "torch", "pad_mode": "constant"}),
    "edge": ({"pad_mode": "replicate"}, {"convention": "torch", "pad_mode": "edge"}),
    "circular": ({"pad_mode": "circular"}, {"convention": "torch"}),
    "bare": ({"center": False}, {"convention": "torch", "center": False}),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", TORCH)
def test_torch(case: str, size: str) -> None:
    torch = pytest.importorskip("torch")
    theirs, ours = TORCH[case]
    n_fft, hop, win = SIZES[size]
    samples = sound(LENGTH)
    window = torch.hann_window(win, dtype=torch.float64)
    values = torch.stft(torch.tensor(samples), n_fft, hop, win, window, return_complex=True, **theirs).numpy()
    found = read(values, kind="complex", n_fft=n_fft, hop_length=hop, win_length=win, **ours)
    assert snr(found, samples, 2 * n_fft) >= MIN_SNR
    if case != "bare":  # torch refuses to invert it
        how = {"normalized": theirs.get("normalized", False), "onesided": theirs.get("onesided", True)}
        wanted = torch.istft(torch.tensor(values), n_fft, hop, win, window, **how).numpy()
        assert found.size == wanted.size
        assert snr(found, wanted, 0) >= MIN_SNR


def test_there_are_many_arrays() -> None:
    without_torch = len(SIZES) * len(COMPLEX) + 3 * len(WINDOWS) + 12 + 2 * len(LAYOUTS) + len(POWERS) + len(VALUES)
    assert without_torch >= 120
