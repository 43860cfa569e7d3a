"""Spectrograms of other libraries become sound again, and ours are written as theirs are."""

import json

import numpy as np
import pytest
import scipy.signal
from stft_libraries import (
    RATE,
    librosa_stft,
    matlab_stft,
    scipy_stft,
    short_time_fft,
    sound,
    tensorflow_hann,
    tensorflow_stft,
)

import tonearm
from tonearm.api import ComplexSpectrogram, Context, MagnitudeSpectrogram, Waveform
from tonearm.signals.conventions import grid_from_options
from tonearm_plugins.transforms.griffin_lim import GriffinLim, GriffinLimOptions
from tonearm_plugins.transforms.istft import Istft, IstftOptions
from tonearm_plugins.transforms.wave_to_spectrogram import WaveToSpectrogram, WaveToSpectrogramOptions

LIBRARIES = {
    "librosa": (librosa_stft, {}, {}),
    "librosa-reflect": (librosa_stft, {"pad_mode": "reflect"}, {"pad_mode": "reflect"}),
    "scipy": (scipy_stft, {}, {}),
    "scipy-psd": (scipy_stft, {"scaling": "psd"}, {"scaling": "psd"}),
    "scipy-two": (scipy_stft, {"return_onesided": False}, {"sides": "two"}),
    "scipy-bare": (scipy_stft, {"boundary": None, "padded": False}, {"padding": "none", "tail": "drop"}),
    "scipy-none": (scipy_stft, {"boundary": None}, {"padding": "none"}),
    "scipy-edge": (scipy_stft, {"boundary": "constant"}, {"pad_mode": "edge"}),
    "scipy-even": (scipy_stft, {"boundary": "even"}, {"pad_mode": "reflect"}),
    "scipy-short-time-fft": (short_time_fft, {}, {}),
    "scipy-short-time-fft-magnitude": (short_time_fft, {"scale_to": "magnitude"}, {"scaling": "spectrum"}),
    "scipy-short-time-fft-psd": (short_time_fft, {"scale_to": "psd"}, {"scaling": "psd"}),
    "scipy-short-time-fft-one": (
        short_time_fft,
        {"scale_to": "psd", "fft_mode": "onesided2X"},
        {"scaling": "psd-one-sided"},
    ),
    "scipy-short-time-fft-centered": (short_time_fft, {"fft_mode": "centered"}, {"sides": "centered"}),
    "scipy-short-time-fft-two": (short_time_fft, {"fft_mode": "twosided"}, {"sides": "two"}),
    "scipy-short-time-fft-start": (short_time_fft, {"phase_shift": None}, {"phase_origin": "frame-start"}),
    "tensorflow": (tensorflow_stft, {}, {}),
    "tensorflow-pad-end": (tensorflow_stft, {"pad_end": True}, {"padding": "end"}),
    "matlab": (matlab_stft, {}, {}),
    "matlab-two": (matlab_stft, {"frequency_range": "twosided"}, {"sides": "two"}),
    "matlab-one": (matlab_stft, {"frequency_range": "onesided"}, {"sides": "one"}),
}
"""Functions of libraries by the name of their convention and a word: the options of one call, and as fields of ours."""

SIZES = {
    "even": (256, 64, 256),
    "short-window": (512, 100, 256),
    "odd-fft": (301, 75, 300),
    "odd-window": (256, 60, 201),
    "odd": (255, 51, 255),
}
"""Lengths of the FFT, the hop and the window."""

UNPADDED = ("scipy-bare", "scipy-none", "tensorflow", "tensorflow-pad-end", "matlab", "matlab-two", "matlab-one")


def convention_of(case: str) -> str:
    names = ("scipy-short-time-fft", "scipy", "librosa", "tensorflow", "matlab")
    return next(name for name in names if case.startswith(name))


def window_of(convention: str, length: int) -> tuple[np.ndarray, str]:
    """Return the Hann window of a library, and our name of it."""
    if convention == "tensorflow":
        return tensorflow_hann(length), "hann_symmetric" if length % 2 else "hann"
    return scipy.signal.get_window("hann", length), "hann"


def fields_of(case: str, size: str) -> dict:
    """Return the options of a grid in the convention of a case."""
    n_fft, hop, win = SIZES[size]
    window = window_of(convention_of(case), win)[1]
    own = {"n_fft": n_fft, "hop_length": hop, "win_length": win, "window": window}
    return own | LIBRARIES[case][2]


def analysed(case: str, size: str, samples: np.ndarray) -> np.ndarray:
    """Return the library's own spectrogram of samples."""
    function, options, _ = LIBRARIES[case]
    n_fft, hop, win = SIZES[size]
    return function(samples, n_fft, hop, window_of(convention_of(case), win)[0], **options)


def istft(values: np.ndarray, grid, length: int | None, engine: str = "auto") -> np.ndarray:
    signal = ComplexSpectrogram(values=values[None], grid=grid, length=length)
    return Istft(IstftOptions(engine=engine)).apply(signal, Context()).samples[0]


@pytest.mark.parametrize("length", [2100, 2401])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", LIBRARIES)
def test_istft_gives_the_sound_of_a_librarys_spectrogram(case: str, size: str, length: int) -> None:
    samples = sound(length)
    values = analysed(case, size, samples).astype(np.complex64)
    grid = grid_from_options({"sample_rate": RATE, **fields_of(case, size)}, convention=convention_of(case))
    assert values.shape[0] == grid.bins
    assert values.shape[1] == grid.frames(length)
    found = istft(values, grid, length)
    # Where only the foot of one window reaches, float32 has been divided by nearly nothing; beyond it there is silence.
    first, last = (grid.win_length, 2 * grid.win_length) if case in UNPADDED else (0, grid.win_length)
    inside = slice(first, length - last)
    np.testing.assert_allclose(found[inside], samples[inside], atol=2e-6)


@pytest.mark.parametrize("case", ["scipy", "scipy-two", "scipy-short-time-fft", "librosa"])
def test_padded_conventions_are_exact_up_to_both_edges(case: str) -> None:
    for size in SIZES:
        samples = sound(4321)
        values = analysed(case, size, samples)
        grid = grid_from_options({"sample_rate": RATE, **fields_of(case, size)}, convention=convention_of(case))
        found = istft(values, grid, samples.size)
        end = samples.size if case != "librosa" else samples.size - grid.hop_length  # librosa drops the rest
        np.testing.assert_allclose(found[:end], samples[:end], atol=1e-9)


@pytest.mark.parametrize("engine", ["scipy", "librosa", "auto"])
@pytest.mark.parametrize("case", ["scipy", "tensorflow", "matlab"])
def test_every_engine_takes_a_window_at_the_start(case: str, engine: str) -> None:
    samples = sound(8000)
    grid = grid_from_options({"sample_rate": RATE, **fields_of(case, "short-window")}, convention=case)
    found = istft(analysed(case, "short-window", samples).astype(np.complex64), grid, samples.size, engine)
    inside = slice(300, 7500)
    np.testing.assert_allclose(found[inside], samples[inside], atol=2e-6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", LIBRARIES)
def test_wave_to_spectrogram_writes_what_the_library_computes(case: str, size: str) -> None:
    samples = sound(2100)
    options = WaveToSpectrogramOptions(convention=convention_of(case), **fields_of(case, size))
    wave = Waveform(samples=samples[None].astype(np.float32), sample_rate=RATE)
    found = WaveToSpectrogram(options).apply(wave, Context())
    expected = analysed(case, size, samples)
    assert found.values.shape[1:] == expected.shape
    assert found.values.dtype == np.complex64
    np.testing.assert_allclose(found.values[0], expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("case", LIBRARIES)
def test_magnitudes_are_written_and_read_as_the_librarys(case: str) -> None:
    samples = sound(4321)
    made = WaveToSpectrogramOptions(convention=convention_of(case), kind="magnitude", **fields_of(case, "short-window"))
    wave = Waveform(samples=samples[None].astype(np.float32), sample_rate=RATE)
    found = WaveToSpectrogram(made).apply(wave, Context())
    expected = np.abs(analysed(case, "short-window", samples))
    np.testing.assert_allclose(found.values[0], expected, atol=2e-6 * expected.max())
    complex_one = WaveToSpectrogram(
        WaveToSpectrogramOptions(convention=convention_of(case), **fields_of(case, "short-window"))
    ).apply(wave, Context())
    np.testing.assert_allclose(found.plain().values, np.abs(complex_one.plain().values), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("start", "engine"), [("plgi", "auto"), ("pghi", "scipy")])
@pytest.mark.parametrize("case", ["scipy", "matlab", "scipy-short-time-fft-psd"])
def test_griffin_lim_is_as_good_from_magnitudes_of_a_library(case: str, start: str, engine: str) -> None:
    """First phases suppose a window in the centre: with one at the start, they were worth nothing."""
    samples = sound(6000)

    def convergence(values: np.ndarray, convention: str, fields: dict) -> float:
        grid = grid_from_options({"sample_rate": RATE, **fields}, convention=convention)
        signal = MagnitudeSpectrogram(values=np.abs(values)[None].astype(np.float32), grid=grid, length=samples.size)
        context = Context()
        GriffinLim(GriffinLimOptions(iterations=8, start=start, engine=engine)).apply(signal, context)
        return float(context.measurements["spectral_convergence_db"])

    own = convergence(analysed("librosa", "short-window", samples), "librosa", fields_of("librosa", "short-window"))
    found = convergence(analysed(case, "short-window", samples), convention_of(case), fields_of(case, "short-window"))
    assert found < own + 1


@pytest.mark.parametrize("case", ["scipy", "scipy-two", "scipy-short-time-fft", "tensorflow", "matlab"])
def test_a_reader_takes_a_librarys_array(case: str) -> None:
    samples = sound(4000)
    options = {"kind": "complex", "convention": convention_of(case), "sample_rate": RATE, "length": samples.size}
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": options | fields_of(case, "short-window")},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    )
    (wave,) = pipeline.convert(analysed(case, "short-window", samples).astype(np.complex64))
    inside = slice(256, -512)
    np.testing.assert_allclose(wave.samples[0, inside], samples[inside], atol=2e-6)


def test_a_file_describes_its_convention_to_a_reader(tmp_path) -> None:
    samples = sound(4000)[None].astype(np.float32)
    with_options = {"n_fft": 512, "hop_length": 100, "win_length": 256, "convention": "scipy", "sides": "two"}
    writing = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": RATE}},
            "steps": [{"use": "wave-to-spectrogram", "with": with_options}],
            "outputs": [{"use": "npy-writer", "file": "a.npy", "with": {"provenance": True}}],
        }
    )
    np.save(tmp_path / "in.npy", samples)
    report = writing.run([tmp_path / "in.npy"], out=tmp_path)
    assert report.ok, report.errors
    found = json.loads((tmp_path / "a.npy.json").read_text())["signal"]
    reading = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": found},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    )
    (wave,) = reading.convert(tmp_path / "a.npy")
    np.testing.assert_allclose(wave.samples, samples, atol=2e-6)


def test_a_mel_spectrogram_has_no_convention() -> None:
    with pytest.raises(tonearm.PipelineError, match="sides"):
        tonearm.load_pipeline(
            {
                "tonearm": 1,
                "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": "hifigan", "sides": "two"}},
                "steps": [{"use": "mel-to-wave"}],
                "outputs": [{"use": "wav-writer", "file": "a.wav"}],
            }
        )


def test_the_root_of_scipys_density_is_a_scaling() -> None:
    samples = sound(4000)
    window = scipy.signal.get_window("hann", 256)
    power = scipy.signal.spectrogram(samples, RATE, window, 256, 192, 512, detrend=False)[2]
    fields = {"n_fft": 512, "hop_length": 64, "win_length": 256, "padding": "none", "tail": "drop"}
    options = WaveToSpectrogramOptions(convention="scipy", scaling="psd-one-sided", kind="magnitude", **fields)
    found = WaveToSpectrogram(options).apply(Waveform(samples=samples[None], sample_rate=RATE), Context())
    np.testing.assert_allclose(found.values[0], np.sqrt(power), atol=1e-6)


def test_a_window_from_a_file_is_used_by_value(tmp_path) -> None:
    window = scipy.signal.get_window(("kaiser", 9.0), 200, fftbins=False)
    np.save(tmp_path / "kaiser.npy", window)
    samples = sound(4000)
    made = {"n_fft": 256, "hop_length": 50, "window": str(tmp_path / "kaiser.npy")}
    options = WaveToSpectrogramOptions(convention="scipy", **made)
    plugin = WaveToSpectrogram(options)
    found = plugin.apply(Waveform(samples=samples[None].astype(np.float32), sample_rate=RATE), Context())
    expected = scipy_stft(samples, 256, 50, window)
    np.testing.assert_allclose(found.values[0], expected, atol=1e-6)
    np.testing.assert_allclose(istft(expected, found.grid, 4000), samples, atol=1e-9)
