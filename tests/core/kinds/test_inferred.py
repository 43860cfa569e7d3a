"""Arrays that tell their kind: complex ones, and those of one axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.errors import ChooseOption, ItemError, SetOption
from tonearm.kinds.inferred import InferredKind, InferredOptions
from tonearm.kinds.spectrograms import ComplexKind
from tonearm.kinds.waveform import WaveformKind
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram, Waveform

OPTIONS = InferredOptions(sample_rate=8000, n_fft=16, hop_length=4)


def test_complex_values_and_single_axes_tell_their_kind() -> None:
    kind = InferredKind(OPTIONS)
    assert isinstance(kind.of(np.zeros((9, 5), "c8")).read(np.zeros((1, 9, 5), "c8"), Context()), ComplexSpectrogram)
    waves = InferredKind(InferredOptions(sample_rate=8000))
    assert isinstance(waves.of(np.zeros(5)).read(np.zeros((1, 5)), Context()), Waveform)
    assert isinstance(kind.read(np.zeros((1, 9, 5), "c8"), Context()), ComplexSpectrogram)


@pytest.mark.parametrize("shape", [(5,), (1,), (1, 5), (1, 1, 5), (1, 1, 1, 5)])
def test_a_real_array_whose_only_long_axis_is_the_last_is_a_waveform(shape: tuple[int, ...]) -> None:
    kind = InferredKind(InferredOptions(sample_rate=8000))
    assert isinstance(kind.of(np.zeros(shape, "f4")), WaveformKind)


@pytest.mark.parametrize("shape", [(5, 1), (1, 5, 1), (2, 5), (1, 2, 5), (1, 1), (1, 2, 1)])
def test_other_real_arrays_are_asked_about(shape: tuple[int, ...]) -> None:
    with pytest.raises(ItemError, match="cannot tell what a real array"):
        InferredKind(InferredOptions(sample_rate=8000)).of(np.zeros(shape, "f4"))


@pytest.mark.parametrize(
    "given",
    [{"n_fft": 16}, {"hop_length": 4}, {"win_length": 8}, {"window": "hamming"}, {"padding": "none"},
     {"center": True}, {"pad_mode": "reflect"}, {"length": 9}, {"sides": "two"}, {"convention": "scipy"}],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(5,), (1, 5)])
def test_options_that_a_waveform_has_no_use_for_are_refused(given: Any, shape: tuple[int, ...]) -> None:
    kind = InferredKind(InferredOptions(sample_rate=8000, **given))
    with pytest.raises(ItemError) as caught:
        kind.of(np.zeros(shape, "f4"))
    (name,) = given
    assert caught.value.code == "unknown-option"
    assert caught.value.message == f"a real array of shape {shape} is a waveform, which has no option {name!r}"
    others = "; kind: magnitude, power or db, if it is a spectrogram" if len(shape) > 1 else ""
    assert caught.value.hint == f"leave {name} out{others}"
    assert kind.of(np.zeros((9, 5), "c8")).name == "complex"


def test_the_scale_serves_both() -> None:
    kind = InferredKind(InferredOptions(sample_rate=8000, n_fft=16, hop_length=4, full_scale=2.0))
    complex_values = kind.of(np.zeros((9, 5), "c8")).read(np.ones((1, 9, 5), "c8"), Context())
    assert complex_values.values[0, 0, 0] == 0.5
    waves = InferredKind(InferredOptions(sample_rate=8000, full_scale=2.0))
    assert waves.of(np.zeros(5)).read(np.ones((1, 5)), Context()).samples[0, 0] == 0.5


@pytest.mark.parametrize(
    ("axes", "found"),
    [
        (["batch", "time"], WaveformKind),
        (["time", "channel"], WaveformKind),
        (["bin", "frame", "complex"], ComplexKind),
        (["bin", "frame"], InferredKind),
        (None, InferredKind),
    ],
)
def test_axes_imply_a_kind(axes: Any, found: Any) -> None:
    assert type(InferredKind(OPTIONS).with_axes(axes)) is found


def test_a_real_array_of_two_axes_does_not() -> None:
    with pytest.raises(ItemError) as caught:
        InferredKind(OPTIONS).of(np.zeros((9, 5)))
    assert caught.value.code == "unknown-kind"
    assert caught.value.message == "cannot tell what a real array of shape (9, 5) holds"


@pytest.mark.parametrize(
    ("array", "kinds"),
    [
        (np.ones((9, 5)), ("waveform", "magnitude", "power", "db")),
        (np.ones((80, 5)), ("waveform", "magnitude", "power", "db", "mel")),
        (-np.ones((9, 5)), ("waveform", "db")),
        (-np.ones((5, 128)), ("waveform", "db", "mel")),
        (-np.ones((9, 5, 2)), ("complex", "waveform", "db")),
        (np.ones((16000, 1, 1)), ("waveform",)),
    ],
)
def test_the_kinds_that_values_can_be_of_are_named(array: Any, kinds: tuple[str, ...]) -> None:
    with pytest.raises(ItemError) as caught:
        InferredKind(InferredOptions(sample_rate=8000)).of(array)
    assert caught.value.remedies == (ChooseOption("kind", kinds),)


def parts() -> Any:
    """Return real and imaginary parts of noise in 9 bins, (2, 9, 40)."""
    return np.random.default_rng(0).standard_normal((2, 9, 40)).astype("f4")


@pytest.mark.parametrize(
    ("array", "remedy"),
    [
        (np.ones((9, 5)), ChooseOption("kind", ("magnitude", "power", "db"))),
        (-np.ones((9, 5)), ChooseOption("kind", ("magnitude", "db"))),
        (-np.ones((9, 80)), ChooseOption("kind", ("magnitude", "db", "mel"))),
        (np.ones((80, 5)), ChooseOption("kind", ("mel",))),
        (parts(), ChooseOption("kind", ("complex",))),
        (parts().reshape(18, 40), ChooseOption("axes", (["(complex bin)", "frame"], ["(bin complex)", "frame"]))),
        (parts().reshape(18, 40).T, ChooseOption("axes", (["frame", "(complex bin)"], ["frame", "(bin complex)"]))),
        (np.ones((16000, 2), "f4"), ChooseOption("kind", ("waveform",))),
    ],
)
def test_figures_of_a_grid_leave_the_waveform_out(array: Any, remedy: Any) -> None:
    options = InferredOptions(sample_rate=8000) if len(array) == 16000 else OPTIONS
    with pytest.raises(ItemError) as caught:
        InferredKind(options).of(array)
    assert caught.value.remedies == (remedy,)


def test_parts_of_both_sides_are_told_by_their_symmetry() -> None:
    frames = np.random.default_rng(0).standard_normal((64, 40))
    values = np.fft.fft(frames, axis=0)
    kind = InferredKind(InferredOptions(sample_rate=8000, n_fft=64, hop_length=16))
    with pytest.raises(ItemError) as caught:
        kind.of(np.stack([values.real, values.imag], axis=-1))
    assert caught.value.remedies == (SetOption("kind", "complex", "as 64 is n_fft: both sides", also={"sides": "two"}),)


def test_no_kind_is_proposed_for_features_that_are_no_spectrogram() -> None:
    """An axis has neither the bins of the given n_fft nor a usual number of mel bands, as of chroma and MFCCs."""
    with pytest.raises(ItemError) as caught:
        InferredKind(OPTIONS).of(np.ones((12, 5)))
    assert caught.value.hint == "no axis has the 9 bins of n_fft 16; MFCCs, chroma and latents are no sound"
    with pytest.raises(ItemError) as caught:
        InferredKind(OPTIONS).of(np.ones((513, 7)))
    assert caught.value.hint == "no axis has the 9 bins of n_fft 16, but 513 are those of n_fft 1024"


def test_values_show_parts_in_the_axis_of_the_bins_and_phases() -> None:
    rng = np.random.default_rng(0)
    noise = np.cumsum(rng.standard_normal(9000))
    windows = np.lib.stride_tricks.sliding_window_view(noise, 256)[::64]
    values = np.fft.rfft(windows * np.hanning(256)).T
    kind = InferredKind(InferredOptions(sample_rate=8000))
    with pytest.raises(ItemError) as caught:
        kind.of(np.concatenate([values.real, values.imag]).astype("f4"))
    assert caught.value.remedies == (SetOption("axes", ["(complex bin)", "frame"]),)
    with pytest.raises(ItemError) as caught:
        kind.of(np.stack([abs(values), np.angle(values)]).astype("f4"))
    assert caught.value.remedies == (ChooseOption("kind", ("magnitude",)),)


def test_a_complex_array_of_one_axis_is_no_spectrogram() -> None:
    rows = np.fft.ifft(np.fft.fft(np.sin(np.arange(500.0))))
    with pytest.raises(ItemError, match="no imaginary part to speak of") as caught:
        InferredKind(OPTIONS).of(rows[None])
    assert caught.value.remedies == (SetOption("kind", "waveform", when="which takes the real part"),)
    with pytest.raises(ItemError, match="is no spectrogram") as caught:
        InferredKind(OPTIONS).of(np.exp(1j * np.arange(500.0)))
    assert "save its real part" in caught.value.hint


def test_both_are_known_beforehand() -> None:
    known = InferredKind(InferredOptions(sample_rate=8000, length=90)).spec()
    assert (known.signals, known.sample_rate, known.length) == ((Waveform, ComplexSpectrogram), 8000, 90)
    assert known.carried == {}


@pytest.mark.parametrize(
    ("options", "axes", "messages"),
    [
        ({"sample_rate": 8000}, ["bin", "frame"], []),
        ({"sample_rate": 8000}, ["batch", "channel", "time"], []),
        ({}, None, ["'sample_rate' is missing"]),
        ({"sample_rate": 8000, "center": True, "padding": "none"}, None, ["center and padding are the same option"]),
        ({"sample_rate": 8000}, ["time", "time"], ["axes names time twice"]),
        ({"sample_rate": 8000}, ["bin", "bin"], ["axes names bin twice"]),
        ({"sample_rate": 8000}, ["book", "frame"], ["neither a waveform nor a complex array has a book axis"]),
        (
            {"sample_rate": 8000},
            ["mel", "frame"],
            ["an array with a mel axis is a mel spectrogram, which needs its recipe"],
        ),
        (
            {"sample_rate": 8000},
            ["bin", "frame", "complex"],
            ["'n_fft' is missing", "'hop_length' is missing"],
        ),
    ],
)
def test_contradictions_of_both_are_problems(options: Any, axes: Any, messages: list[str]) -> None:
    assert [problem.message for problem in InferredKind(InferredOptions(**options)).problems(axes)] == messages


@pytest.mark.parametrize("shape", [(9, 1), (1, 9), (1, 9, 1)])
def test_a_complex_array_of_a_single_frame_is_a_spectrogram(shape: tuple[int, ...]) -> None:
    kind = InferredKind(OPTIONS)
    assert kind.of(np.full(shape, 1 + 1j)).name == "complex"
    with pytest.raises(ItemError, match="is no spectrogram"):
        kind.of(np.full((40, 1), 1 + 1j))
    with pytest.raises(ItemError, match="is no spectrogram"):
        InferredKind(InferredOptions(sample_rate=8000)).of(np.full(shape, 1 + 1j))
