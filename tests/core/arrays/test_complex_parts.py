"""Complex values in two parts: an axis of two, or two arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.arrays import KeyedArrayOptions, read_array
from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram

RNG = np.random.default_rng(11)
STFT: dict[str, Any] = {"sample_rate": 22050, "n_fft": 16, "hop_length": 4}
VALUES = (RNG.normal(size=(3, 2, 9, 5)) + 1j * RNG.normal(size=(3, 2, 9, 5))).astype("c8")
NAMES = ["batch", "channel", "bin", "frame"]


def read(array: Any, *, beside: dict[str, Any] | None = None, **options: Any) -> list[Any]:
    given = array_options(**STFT | options)
    return list(read_array(np.asarray(array), given, Context(), **beside or {}))


def values_of(signals: list[Any]) -> Any:
    assert all(isinstance(signal, ComplexSpectrogram) for signal in signals)
    return np.stack([signal.values for signal in signals])


@pytest.mark.parametrize("at", range(5))
def test_an_axis_of_two(at: int) -> None:
    array = np.stack([VALUES.real, VALUES.imag], axis=at)
    axes = [*NAMES[:at], "complex", *NAMES[at:]]
    assert np.array_equal(values_of(read(array, kind="complex", axes=axes)), VALUES)


def test_an_axis_of_two_is_cropped_by_lengths() -> None:
    array = np.stack([VALUES.real, VALUES.imag], axis=-1)
    found = read(array, kind="complex", axes=[*NAMES, "complex"], beside={"lengths": np.array([5, 2, 1])})
    assert [signal.frames for signal in found] == [5, 2, 1]
    assert np.array_equal(found[1].values, VALUES[1, ..., :2])


def test_an_axis_of_two_that_is_none() -> None:
    with pytest.raises(ItemError, match=r"the complex axis of shape \(9, 5, 3\) has 3 values, not 2"):
        read(np.zeros((9, 5, 3)), kind="complex", axes=["bin", "frame", "complex"])
    with pytest.raises(ItemError, match="the array is complex itself, so it cannot hold an axis of real and") as caught:
        read(np.zeros((9, 5, 2), "c8"), kind="complex", axes=["bin", "frame", "complex"])
    assert caught.value.code == "kind-mismatch"


def test_real_values_hint_at_the_axis() -> None:
    with pytest.raises(ItemError) as caught:
        read(np.zeros((9, 5)), kind="complex")
    assert "[bin, frame, complex]" in caught.value.hint


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i2"])
def test_real_and_imaginary_parts_as_two_arrays(dtype: str) -> None:
    real, imag = (np.round(part * 100).astype(dtype) for part in (VALUES.real, VALUES.imag))
    found = values_of(read(real, kind="complex", axes=NAMES, beside={"imag": imag}))
    assert np.array_equal(found, real.astype("f4") + 1j * imag.astype("f4"))
    assert found.dtype == "c8"
    assert values_of(read(real, kind="complex", axes=NAMES, precision="double", beside={"imag": imag})).dtype == "c16"


@pytest.mark.parametrize("kind", ["magnitude", "power", "db"])
def test_magnitude_and_phase(kind: str) -> None:
    size = np.abs(VALUES)
    written = {"magnitude": size, "power": size**2, "db": 20 * np.log10(size)}[kind]
    found = read(written, kind=kind, axes=NAMES, length=17, beside={"phase": np.angle(VALUES)})
    assert values_of(found) == pytest.approx(VALUES, abs=1e-5)
    assert found[0].samples_expected == 17


def test_phases_have_their_own_nan() -> None:
    phase = np.zeros((9, 5))
    phase[0, 0] = math.nan
    with pytest.raises(ItemError, match="1 of 45 values of the phase array are NaN or infinite"):
        read(np.ones((9, 5)), kind="magnitude", beside={"phase": phase})
    (found,) = read(np.ones((9, 5)), kind="magnitude", nan="zero", beside={"phase": phase})
    assert np.array_equal(found.values, np.ones((1, 9, 5)))
    (found,) = read(np.ones((9, 5)), kind="magnitude", nan="keep", beside={"phase": phase})
    assert np.isnan(found.values[0, 0, 0])


def test_parts_of_two_shapes() -> None:
    with pytest.raises(ItemError) as caught:
        read(np.ones((9, 5)), kind="complex", beside={"imag": np.ones((9, 4))})
    assert caught.value.message == "the real parts have the shape (9, 5), but the imaginary parts (9, 4)"
    with pytest.raises(ItemError, match="complex itself, so it cannot hold phases"):
        read(np.ones((9, 5)), kind="magnitude", beside={"phase": np.ones((9, 5), "c8")})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"kind": "complex", "key": "re", "imag": "im"}, []),
        ({"kind": "db", "key": "*.mag", "phase": "*.ph"}, []),
        ({"kind": "complex", "imag": "im"}, ["key: 'key' is missing"]),
        ({"kind": "complex", "key": "a", "phase": "im"}, ["phase: 'phase' needs magnitudes, powers or decibels"]),
        ({"key": "a", "imag": "im"}, ["imag: 'imag' names imaginary parts, but kind is not complex"]),
        ({"kind": "complex", "key": "*.re", "imag": "im"}, ["imag: imag and key must both have one *, or none"]),
        ({"kind": "complex", "key": "*.*", "imag": "*.*"}, ["imag: imag and key must both have one *, or none"]),
        ({"axes": ["bin", "frame", "complex"]}, []),
        ({"kind": "db", "axes": ["bin", "frame", "complex"]}, ["axes: a db array has no complex axis"]),
    ],
)
def test_options_that_fit_or_not(given: dict[str, Any], expected: list[str]) -> None:
    found = array_options(KeyedArrayOptions, **STFT | given).problems()
    assert [f"{error.option}: {error.message}" for error in found] == expected


def test_a_phase_makes_it_complex_beforehand() -> None:
    assert array_options(KeyedArrayOptions, **STFT, kind="db", key="a", phase="b").spec().signals == (
        ComplexSpectrogram,
    )
    both = array_options(KeyedArrayOptions, **STFT, kind="complex", key="a", phase="b", imag="c").problems()
    assert next(both).message == "imag and phase exclude each other"
