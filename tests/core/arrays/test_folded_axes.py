"""Axes that hold two axes in one, and arrays that have real and imaginary parts, or magnitudes and phases, in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.arrays.folded_axes import flat_names, unfold
from tonearm.arrays.options import KeyedArrayOptions
from tonearm.arrays.read import read_array
from tonearm.errors import ChooseOption, ItemError
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram

STFT: dict[str, Any] = {"sample_rate": 8000, "n_fft": 16, "hop_length": 4}
RNG = np.random.default_rng(16)
VALUES = (RNG.standard_normal((2, 9, 5)) + 1j * RNG.standard_normal((2, 9, 5))).astype("c8")
"""Two channels of 9 bins and 5 frames."""

BOTH = np.stack([VALUES.real, VALUES.imag])
POLAR = np.stack([np.abs(VALUES), np.angle(VALUES)])


def read(array: np.ndarray, **options: Any) -> np.ndarray:
    """Return the values of the only signal of an array."""
    (found,) = read_array(array, array_options(**STFT, **options), Context())
    assert isinstance(found, ComplexSpectrogram)
    return found.values


@pytest.mark.parametrize(
    ("axes", "array"),
    [
        (["(complex bin)", "frame"], BOTH[:, 0].reshape(18, 5)),
        (["(bin complex)", "frame"], np.moveaxis(BOTH[:, 0], 0, 1).reshape(18, 5)),
        (["frame", "(complex bin)"], BOTH[:, 0].reshape(18, 5).T),
        (["frame", "(bin complex)"], np.moveaxis(BOTH[:, 0], 0, 1).reshape(18, 5).T),
        (["batch", "(complex bin)", "frame"], BOTH[:, 0].reshape(1, 18, 5)),
        (["(complex bin)", "frame"], BOTH[:, 0].reshape(1, 1, 18, 5)),
        (["(complex  bin)", "frame"], BOTH[:, 0].reshape(18, 5)),
        (["bin", "(complex frame)"], np.moveaxis(BOTH[:, 0], 0, 1).reshape(9, 10)),
        (["bin", "(frame complex)"], np.moveaxis(BOTH[:, 0], 0, -1).reshape(9, 10)),
        (["(complex bin)", "frame"], BOTH[:, 0].reshape(18, 5)[::-1][::-1]),
    ],
)
def test_parts_in_one_axis_are_complex_values(axes: list[str], array: np.ndarray) -> None:
    np.testing.assert_array_equal(read(array, kind="complex", axes=axes), VALUES[:1])


@pytest.mark.parametrize(
    ("axes", "array"),
    [
        (["(complex channel)", "bin", "frame"], BOTH.reshape(4, 9, 5)),
        (["(channel complex)", "bin", "frame"], np.moveaxis(BOTH, 0, 1).reshape(4, 9, 5)),
        (["channel", "(complex bin)", "frame"], np.moveaxis(BOTH, 0, 1).reshape(2, 18, 5)),
        (["(channel bin)", "frame", "complex"], np.moveaxis(BOTH, 0, -1).reshape(18, 5, 2)),
        (["frame", "(complex channel)", "bin"], np.moveaxis(BOTH.reshape(4, 9, 5), -1, 0)),
    ],
)
def test_parts_in_the_channels_are_complex_values(axes: list[str], array: np.ndarray) -> None:
    np.testing.assert_array_equal(read(array, kind="complex", axes=axes), VALUES)


@pytest.mark.parametrize(
    ("kind", "first", "recipe"),
    [
        ("magnitude", POLAR[0], None),
        ("power", POLAR[0] ** 2, None),
        ("db", 20 * np.log10(POLAR[0]), None),
        ("magnitude", np.log(POLAR[0]), {"log": "ln"}),  # the last layer of Vocos and of iSTFTNet
    ],
)
@pytest.mark.parametrize("axes", [["(polar bin)", "frame"], ["polar", "bin", "frame"], ["bin", "frame", "polar"]])
def test_magnitudes_and_phases_in_one_array_are_complex_values(
    kind: str, first: np.ndarray, recipe: dict[str, Any] | None, axes: list[str]
) -> None:
    import tonearm

    array = np.stack([first[0], POLAR[1, 0]])
    array = array.reshape(18, 5) if len(axes) == 2 else array if axes[0] == "polar" else np.moveaxis(array, 0, -1)
    options = {"kind": kind, "axes": axes, **STFT, **({"recipe": recipe} if recipe else {})}
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": options},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    )
    (found,) = pipeline.convert(array.astype("f4"))
    expected = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "complex", **STFT}},
            "steps": [{"use": "istft"}],
            "outputs": [{"use": "wav-writer", "file": "a.wav"}],
        }
    ).convert(VALUES[0])
    np.testing.assert_allclose(found.samples, next(iter(expected)).samples, atol=1e-5)


def test_a_polar_axis_gives_a_complex_spectrogram() -> None:
    options = array_options(kind="magnitude", axes=["(polar bin)", "frame"], **STFT)
    assert options.spec().signals == (ComplexSpectrogram,)
    assert not list(options.problems())


def test_views_are_not_copied() -> None:
    array = np.zeros((18, 5), "f4")
    view, names = unfold(array, ["(complex bin)", "frame"], {"bin": 9})
    assert (view.shape, names) == ((2, 9, 5), ["complex", "bin", "frame"])
    assert np.shares_memory(view, array)


@pytest.mark.parametrize(
    ("axes", "shape", "message"),
    [
        (["(complex bin)", "frame"], (17, 5), "has 17 values, not 2 × 9"),
        (["(complex bin)", "frame"], (20, 5), "has 20 values, not 2 × 9"),
        (["(complex frame)", "bin"], (7, 9), "has 7 values, not 2 × 3"),
        (["(complex bin)", "frame"], (3, 18, 5), "axes names 2 axes, but the array has 3"),
    ],
)
def test_an_axis_that_cannot_be_divided_is_an_error(axes: list[str], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ItemError, match=message) as caught:
        read(np.zeros(shape, "f4"), kind="complex", axes=axes)
    assert caught.value.code == "axes-mismatch"


def test_a_complex_array_cannot_hold_parts() -> None:
    with pytest.raises(ItemError, match="it cannot hold an axis of magnitudes and phases"):
        read(VALUES.reshape(18, 5), kind="magnitude", axes=["(polar bin)", "frame"])


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["(complex bim)", "frame"], "a complex array has no bim axis"),
        (["(complex bin", "frame"], r"a complex array has no \(complex bin axis"),
        (["(complex bin)"], "axes names no frame axis"),
        (["(complex bin)", "complex", "frame"], "axes names complex twice"),
        (["(polar bin)", "frame"], "a complex array has no polar axis"),
    ],
)
def test_problems_name_the_axis_that_is_folded(axes: list[str], message: str) -> None:
    import re

    problems = list(array_options(kind="complex", axes=axes, **STFT).problems())
    assert any(re.search(message, one.message) for one in problems), problems


def test_a_second_array_and_a_folded_axis_exclude_each_other() -> None:
    given: dict[str, Any] = {"axes": ["(complex bin)", "frame"], "key": "a", "imag": "b"}
    (problem,) = array_options(KeyedArrayOptions, kind="complex", **given, **STFT).problems()
    assert (problem.option, problem.message) == ("imag", "'imag' names a second array, but axes has both parts in one")


def test_names_are_flat() -> None:
    assert flat_names(["a", "(b c)", "( d  e )", "(f,g)", "(h)"]) == ["a", "b", "c", "d", "e", "f", "g", "(h)"]


@pytest.mark.parametrize(
    ("convention", "array"),
    [
        ("asteroid", BOTH[:, 0].reshape(18, 5)),
        ("asteroid", BOTH[:, 0].reshape(1, 18, 5)),
        ("nnaudio", np.moveaxis(BOTH[:, 0], 0, -1)),
        ("nnaudio", np.moveaxis(BOTH[:, 0], 0, -1)[None]),
    ],
)
def test_a_librarys_real_arrays_need_no_axes(convention: str, array: np.ndarray) -> None:
    options = array_options(kind="complex", convention=convention, **STFT)
    (found,) = read_array(array, options, Context())
    assert isinstance(found, ComplexSpectrogram)
    np.testing.assert_array_equal(found.values, VALUES[:1])
    (found,) = read_array(VALUES[0], options, Context())  # complex arrays are what they are
    assert isinstance(found, ComplexSpectrogram)
    np.testing.assert_array_equal(found.values, VALUES[:1])


@pytest.mark.parametrize("kind", ["magnitude", "complex"])
def test_twice_as_many_values_as_bins_are_both_parts(kind: str) -> None:
    with pytest.raises(ItemError) as caught:
        list(read_array(np.zeros((18, 5), "f4"), array_options(kind=kind, **STFT), Context()))
    part = "polar" if kind == "magnitude" else "complex"
    orders = ([f"({part} bin)", "frame"], [f"(bin {part})", "frame"])
    assert caught.value.remedies == (ChooseOption("axes", orders),)
