"""Double precision of every transform: kept as a reference in float64 has it, or refused by name at check."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import librosa
import mel_reference
import numpy as np
import pytest
import safetensors.numpy
import scipy.signal
import soundfile
import soxr
from transform_helpers import make, problems

import tonearm
import tonearm_plugins
from tonearm.api import (
    ComplexSpectrogram,
    Context,
    Item,
    MagnitudeSpectrogram,
    MelDialect,
    MelSpectrogram,
    Regroup,
    StftGrid,
    Waveform,
)

RATE, N_FFT, HOP = 22050, 512, 128
TRANSFORMS = {name: str(place) for name, place in tonearm_plugins.tonearm_transforms().items()}
PREEMPHASIS = 0.9
RECIPE = {
    "sample_rate": RATE, "n_fft": N_FFT, "hop_length": HOP, "n_mels": 40, "fmin": 50.0, "fmax": 9000.0, "exponent": 2,
    "mel_scale": "htk", "mel_norm": "none", "log": "ln", "floor": 1e-9, "preemphasis": PREEMPHASIS,
}  # fmt: skip
WINDOW = scipy.signal.get_window("hann", N_FFT)
BANDS = mel_reference.bands(RECIPE)
SHARES = BANDS / np.where(BANDS.sum(axis=0) > 0, BANDS.sum(axis=0), 1)
LOUD = 10 ** (-9 / 20)


def sound() -> Any:
    """Return a sound whose digits go beyond float32, with silence at both ends."""
    samples = 0.3 * np.sin(np.arange(7680) / 20) + 0.05 * np.random.default_rng(8).standard_normal((2, 7680))
    samples[:, :1000] = samples[:, -1000:] = 0
    return samples


X = sound()
LENGTH = X.shape[1]


def stft(samples: Any) -> Any:
    padded = np.pad(samples, ((0, 0), (N_FFT // 2, N_FFT // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=1)[:, ::HOP]
    return np.fft.rfft(frames * WINDOW).transpose(0, 2, 1)


def mels() -> Any:
    return np.stack([mel_reference.forward(channel, RECIPE) for channel in X])


GRID = StftGrid(sample_rate=RATE, n_fft=N_FFT, hop_length=HOP, win_length=N_FFT)
SIGNALS: dict[str, Callable[[], Any]] = {
    "waveform": lambda: Waveform(samples=X, sample_rate=RATE),
    "offset": lambda: Waveform(samples=X + 0.1, sample_rate=RATE),
    "complex": lambda: ComplexSpectrogram(values=stft(X), grid=GRID, length=LENGTH),
    "magnitude": lambda: MagnitudeSpectrogram(values=np.abs(stft(X)), grid=GRID, length=LENGTH),
    "mel": lambda: MelSpectrogram(values=mels(), dialect=MelDialect(**RECIPE), length=LENGTH),
}


@dataclass
class Case:
    """A transform with options, what it is given, and what it must give, if not a waveform times one gain."""

    name: str
    options: dict[str, Any]
    expected: Callable[[], Any] | None = None
    given: str = "waveform"
    tolerance: float = 1e-12


def limited() -> Any:
    """Return the sound under -9 dBFS, with 1 ms of look-ahead and a release of 10 ms, sample by sample."""
    ahead, decay = round(RATE / 1000), math.exp(-100 / RATE)
    needed = 20 * np.log10(np.maximum(np.abs(X).max(axis=0) / LOUD, 1))
    padded = np.pad(needed, ahead)
    held = np.array([padded[i : i + ahead].max() for i in range(len(padded) - ahead + 1)])
    for i in range(1, len(held)):
        held[i] = max(held[i], held[i - 1] * decay if held[i - 1] * decay >= 1e-5 else 0)
    first = ahead // 2 + 1
    smooth = np.convolve(np.convolve(held, np.ones(first) / first), np.ones(ahead - first + 1) / (ahead - first + 1))
    return np.clip(X * 10 ** (smooth[ahead:][:LENGTH] / -20), -LOUD, LOUD)


def faded() -> Any:
    count = round(RATE / 10)
    rising = np.ones(LENGTH)
    rising[:count] = np.arange(count) / count
    return X * rising * rising[::-1]


def resampled(samples: Any) -> Any:
    return np.stack([soxr.resample(np.append(channel, np.zeros(4)), RATE, 16000, "VHQ") for channel in samples])[
        :, : -(-LENGTH * 16000 // RATE)
    ]


def magnitudes_of_mels() -> Any:
    """Return the magnitudes after two multiplicative updates, without pre-emphasis."""
    energy = np.maximum(np.linalg.pinv(BANDS) @ np.exp(mels()), 0.02 * evenly_spread())
    response = np.abs(np.fft.rfft([1, -PREEMPHASIS], N_FFT))
    return np.sqrt(updated(updated(energy))) / response[:, None]


def evenly_spread() -> Any:
    return (SHARES / BANDS.sum(axis=1, keepdims=True)).T @ np.exp(mels())


def updated(energy: Any) -> Any:
    """Return powers after one multiplicative update towards the mel spectrogram."""
    wanted = np.exp(mels())
    floors = 1e-10 * wanted.max(axis=(1, 2), keepdims=True)
    return energy * (SHARES.T @ np.minimum(wanted / np.maximum(BANDS @ energy, floors), 1e3))


def overlap_added(spectra: Any) -> Any:
    """Return the signals that are nearest to spectra in the sense of least squares."""
    frames = np.fft.irfft(spectra.transpose(0, 2, 1), N_FFT) * WINDOW
    total, weight = np.zeros((len(frames), LENGTH + N_FFT)), np.zeros(LENGTH + N_FFT)
    for number in range(frames.shape[1]):
        here = slice(number * HOP, number * HOP + N_FFT)
        total[:, here] += frames[:, number]
        weight[here] += WINDOW**2
    inside = slice(N_FFT // 2, N_FFT // 2 + LENGTH)
    return total[:, inside] / weight[inside]


def librosas_griffin_lim(values: Any) -> Any:
    options = {"n_iter": 2, "hop_length": HOP, "n_fft": N_FFT, "momentum": 0.5, "init": None, "length": LENGTH}
    return np.stack([librosa.griffinlim(channel, **options) for channel in values])


def sound_of_mels() -> Any:
    """Return the sound after one pair of projections, which begins with phases of zero."""
    first = stft(overlap_added(np.sqrt(updated(updated(updated(evenly_spread()))))))
    power = np.abs(first) ** 2
    found = overlap_added(first * np.sqrt(updated(power) / power))
    return scipy.signal.lfilter([1], [1, -PREEMPHASIS], found)


def sound_of_magnitudes() -> Any:
    """Return the sound after one pair of projections, which begins with phases of zero."""
    known = np.abs(stft(X))
    first = stft(overlap_added(known))
    return overlap_added(known * np.exp(1j * np.angle(first)))


def effect(name: str, part: int | None = None, **options: Any) -> Any:
    found = getattr(librosa.effects, name)(X, n_fft=2048, **options)
    return found if part is None else found[part]


PLAIN = {"start": "zero", "iterations": 1, "momentum": 0}
LIBROSA = {"engine": "librosa", "start": "zero", "iterations": 2, "momentum": 0.5}
CASES = [
    Case("concat", {}, lambda: np.hstack([X, X])),
    Case("dc-remove", {}, lambda: X - X.mean(axis=1, keepdims=True), given="offset"),
    Case("deemphasis", {"coefficient": 0.9}, lambda: scipy.signal.lfilter([1], [1, -0.9], X)),
    Case("fade", {"in_ms": 100, "out_ms": 100, "shape": "linear"}, faded),
    Case(
        "filter",
        {"high_pass_hz": 60.0, "order": 2},
        lambda: scipy.signal.sosfilt(scipy.signal.butter(2, 60, "high", fs=RATE, output="sos"), X),
    ),
    Case("gain", {"gain_db": -7.3}, lambda: X * 10 ** (-7.3 / 20)),
    Case("griffin-lim", PLAIN, sound_of_magnitudes, "magnitude", 1e-10),
    Case("griffin-lim", LIBROSA, lambda: librosas_griffin_lim(np.abs(stft(X))), "magnitude", 1e-9),
    Case("guard", {"dc": "fix"}, lambda: X + 0.1 - (X + 0.1).mean(axis=1, keepdims=True), "offset"),
    Case("hpss", {"keep": "harmonic", "n_fft": 2048}, lambda: effect("hpss", 0)),
    Case("istft", {}, lambda: X, "complex"),
    Case("istft", {"engine": "scipy"}, lambda: X, "complex"),
    Case("istft", {"engine": "librosa"}, lambda: X, "complex"),
    Case("limiter", {"peak_db": -9, "lookahead_ms": 1, "release_ms": 10}, limited, tolerance=1e-11),
    Case("loudness", {"target_lufs": -40}),
    Case("mel-to-magnitude", {"iterations": 2}, magnitudes_of_mels, "mel", 1e-10),
    Case("mel-to-wave", PLAIN, sound_of_mels, "mel", 1e-10),
    Case("mix", {"to": "mono"}, lambda: X.mean(axis=0, keepdims=True)),
    Case("mu-law-decode", {"values": "companded"}, lambda: np.sign(X) * (256 ** np.abs(X) - 1) / 255),
    Case("normalize", {"peak_db": -3}, lambda: X * 10 ** (-3 / 20) / np.abs(X).max()),
    Case("normalize", {"rms_db": -30}, lambda: X * 10 ** (-30 / 20) / math.sqrt((X * X).mean())),
    Case("pad", {"multiple": 1000}, lambda: np.pad(X, ((0, 0), (0, 320))), tolerance=0),
    Case(
        "pitch-shift",
        {"semitones": 3, "n_fft": 2048},
        lambda: effect("pitch_shift", sr=RATE, n_steps=3, res_type="soxr_vhq"),
    ),
    Case("resample", {"sample_rate": 16000, "quality": "very-high"}, lambda: resampled(X)),
    Case("split", {"by": "length", "max_seconds": 1}, lambda: X, tolerance=0),
    Case("time-stretch", {"rate": 1.25, "n_fft": 2048}, lambda: effect("time_stretch", rate=1.25)),
    Case("trim", {"padding_ms": 0}, lambda: X[:, 880:6820], tolerance=0),
    Case("wave-to-mel", {"dialect": MelDialect(**RECIPE)}, mels, tolerance=1e-11),
    Case("wave-to-spectrogram", {"n_fft": N_FFT, "hop_length": HOP}, lambda: stft(X)),
    Case("wave-to-spectrogram", {"n_fft": N_FFT, "hop_length": HOP, "kind": "magnitude"}, lambda: np.abs(stft(X))),
]
REFUSED = {"onnx-codec", "onnx-vocoder", "torchscript-codec", "transformers-codec", "transformers-vocoder"}
"""Transforms that work in single precision, whatever their options."""


def plugin_of(name: str) -> Any:
    module, _, called = TRANSFORMS[name].partition(":")
    return getattr(import_module(module), called)


def converted(name: str, signal: Any, options: dict[str, Any]) -> Any:
    """Return the only array of what a transform makes of a signal; a regrouping one gets it twice."""
    plugin = make(plugin_of(name), **options)
    if isinstance(plugin, Regroup):
        given = [signal, signal] if name == "concat" else [signal]
        signal = next(plugin.regroup((Item(signal=one) for one in given), Context())).signal
    else:
        signal = plugin.apply(signal, Context())
    (array,) = signal.arrays()
    return array


def test_every_transform_has_a_case() -> None:
    assert {case.name for case in CASES} | REFUSED == set(TRANSFORMS)
    assert {name for name in TRANSFORMS if not plugin_of(name).keeps_double} == REFUSED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_double_precision_is_that_of_a_reference_in_float64(case: Case) -> None:
    signal = SIGNALS[case.given]()
    for array in signal.arrays():
        array.setflags(write=False)
    found = converted(case.name, signal, case.options)
    assert found.dtype in (np.float64, np.complex128)
    expected = X * (np.vdot(found, X) / np.vdot(X, X)) if case.expected is None else case.expected()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= case.tolerance * np.abs(expected).max()


DOUBLE = {"precision": "double"}
WAVES = {"kind": "waveform", "axes": ["channel", "time"]}
STFT = {"kind": "complex", "n_fft": 512, "hop_length": 128, **DOUBLE}
MAGNITUDE = {**STFT, "kind": "magnitude"}


@pytest.mark.parametrize(
    ("name", "options", "source", "message", "remedy"),
    [
        ("istft", {"engine": "native"}, STFT, "istft: the native engine", "engine: scipy"),
        ("griffin-lim", {"engine": "native"}, MAGNITUDE, "griffin-lim: the native engine", "engine: scipy"),
        ("mu-law-decode", {"values": "indices"}, DOUBLE, "mu-law-decode: class indices", "precision: single"),
        ("resample", {"sample_rate": 16000}, DOUBLE, "resample: the quality high", "quality: very-high"),
    ],
)  # fmt: skip
def test_what_options_lose_is_refused_with_what_to_write(
    name: str, options: Any, source: Any, message: str, remedy: str
) -> None:
    step = {"use": name, "with": options}
    found = problems(step, **source)
    assert "loses-precision" in found
    assert message in found.replace('"', "")
    assert remedy in found.replace('"', "")
    assert not problems(step, **{**source, "precision": "single"})


def test_the_same_rate_needs_no_quality() -> None:
    assert not problems({"use": "resample", "with": {"sample_rate": 48000}}, **DOUBLE)


def run(tmp_path: Path, samples: Any, *steps: Any, **source: Any) -> dict[str, Any]:
    """Return the outputs of a run over one file by suffix: .wav with DOUBLE, .npy, .safetensors."""
    np.save(tmp_path / "x.npy", samples)
    pipeline = {
        "tonearm": 1,
        "input": {"use": "npy-reader", "files": str(tmp_path / "x.npy"), "with": {"sample_rate": RATE, **source}},
        "steps": list(steps),
        "outputs": [
            {"use": "wav-writer", "file": "x.wav", "with": {"subtype": "DOUBLE"}},
            {"use": "npy-writer", "file": "x.npy"},
            {"use": "safetensors-writer", "file": "x.safetensors"},
        ],
    }
    report = tonearm.load_pipeline(pipeline).run(out=tmp_path / "out")
    assert report.ok, report.errors
    wav, _ = soundfile.read(tmp_path / "out/x.wav", dtype="float64", always_2d=True)
    tensors = safetensors.numpy.load_file(tmp_path / "out/x.safetensors")
    return {"wav": wav.T, "npy": np.load(tmp_path / "out/x.npy"), "safetensors": tensors["waveform"]}


def test_steps_that_move_samples_keep_every_bit_up_to_the_file(tmp_path: Path) -> None:
    steps = [{"use": "trim", "with": {"padding_ms": 0}}, {"use": "pad", "with": {"multiple": 10000}}]
    expected = np.pad(X[:, 880:6820], ((0, 0), (0, 4060)))
    for found in run(tmp_path, X, *steps, **WAVES, **DOUBLE).values():
        assert found.dtype == np.float64
        assert np.array_equal(found, expected)


def test_a_chain_of_steps_is_that_of_float64_up_to_the_file(tmp_path: Path) -> None:
    steps = [
        {"use": "istft"},
        {"use": "filter", "with": {"high_pass_hz": 60, "order": 2}},
        {"use": "gain", "with": {"gain_db": -3}},
        {"use": "resample", "with": {"sample_rate": 16000, "quality": "very-high"}},
        {"use": "limiter", "with": {"peak_db": -1}},
    ]
    sections = scipy.signal.butter(2, 60, "high", fs=RATE, output="sos")
    expected = resampled(scipy.signal.sosfilt(sections, X) * 10 ** (-3 / 20))
    for found in run(tmp_path, stft(X), *steps, **STFT, axes=["channel", "bin", "frame"], length=LENGTH).values():
        assert found.dtype == np.float64
        assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("scale", [{}, {"full_scale": 2.0}])
def test_an_analysis_and_its_inversion_stay_in_double_precision(tmp_path: Path, scale: dict[str, Any]) -> None:
    analysis = {"n_fft": N_FFT, "hop_length": HOP}
    steps = [
        {"use": "wave-to-spectrogram", "with": {**analysis, "kind": "magnitude"}},
        {"use": "griffin-lim", "with": {"start": "zero", "iterations": 1, "momentum": 0}},
    ]
    for found in run(tmp_path, X, *steps, **WAVES, **DOUBLE, **scale).values():
        assert found.dtype == np.float64
        expected = sound_of_magnitudes() / (2 if scale else 1)
        assert np.abs(found - expected).max() < 1e-10


def test_the_scale_of_a_spectrogram_keeps_double_precision(tmp_path: Path) -> None:
    source = {**STFT, "axes": ["channel", "bin", "frame"], "length": LENGTH, "full_scale": 32768}
    for found in run(tmp_path, stft(X) * 32768, {"use": "istft"}, **source).values():
        assert found.dtype == np.float64
        assert np.abs(found - X).max() < 1e-12


def test_single_precision_is_the_default(tmp_path: Path) -> None:
    found = run(tmp_path, X, {"use": "gain", "with": {"gain_db": -3}}, **WAVES)
    assert found["npy"].dtype == found["safetensors"].dtype == np.float32
    assert 1e-9 < np.abs(found["wav"] - X * 10 ** (-3 / 20)).max() < 1e-6
