"""From an array and what the user says of it to signals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from array_options import array_options
from tonearm.api import MelDialect
from tonearm.arrays import read_array
from tonearm.errors import ItemError
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram, MagnitudeSpectrogram, Waveform

STFT: dict[str, Any] = {"sample_rate": 22050, "n_fft": 16, "hop_length": 4}
RNG = np.random.default_rng(7)


def read(array: Any, lengths: Any = None, **options: Any) -> list[Any]:
    given = array_options(**{"sample_rate": 22050} | options)
    return list(read_array(np.asarray(array), given, Context(on_warning=WARNINGS.append), lengths=lengths))


WARNINGS: list[str] = []


@pytest.fixture(autouse=True)
def _no_warnings_yet() -> None:
    WARNINGS.clear()


def refused(array: Any, lengths: Any = None, **options: Any) -> ItemError:
    with pytest.raises(ItemError) as caught:
        read(array, lengths, **options)
    assert "\n" not in caught.value.message
    return caught.value


def test_what_shows_by_itself() -> None:
    (wave,) = read(np.zeros(5, "f4"))
    assert isinstance(wave, Waveform)
    assert (wave.samples.shape, wave.sample_rate) == ((1, 5), 22050)
    (spectrum,) = read(np.zeros((9, 5), "c8"), **STFT)
    assert isinstance(spectrum, ComplexSpectrogram)
    assert spectrum.values.shape == (1, 9, 5)


@pytest.mark.parametrize("shape", [(9, 5), (2, 9, 5), (1, 9, 5)])
def test_real_arrays_of_more_axes_need_a_kind(shape: tuple[int, ...]) -> None:
    error = refused(np.zeros(shape), **STFT)
    assert error.code == "unknown-kind"
    assert error.message == f"cannot tell what a real array of shape {shape} holds"
    assert error.hint == "kind: magnitude, power or db"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "i1", "i2", "<i2", ">i2", "i4", ">i4"])
def test_every_dtype_of_samples(dtype: str) -> None:
    full = np.iinfo(dtype).max + 1 if np.dtype(dtype).kind == "i" else 1
    array = (np.array([0.5, -0.25, 0]) * full).astype(dtype)
    (wave,) = read(array)
    assert wave.samples.dtype.isnative
    assert wave.samples.tolist() == [[0.5, -0.25, 0]]


@pytest.mark.parametrize(
    ("array", "code", "what"),
    [
        (np.array([None, "a"], "O"), "not-numbers", "Python objects"),
        (np.array([True]), "not-numbers", "true and false"),
        (np.zeros(2, "V2"), "not-numbers", "raw bytes or records"),
        (np.array(["a"]), "not-numbers", "text"),
        (np.array([b"a"]), "not-numbers", "text"),
        (np.array(["2020"], "M8[Y]"), "not-numbers", "datetime64[Y]"),
        (np.zeros((0, 4)), "empty", "the array is empty: its shape is (0, 4)"),
    ],
)
def test_what_is_no_array_of_numbers(array: Any, code: str, what: str) -> None:
    error = refused(array)
    assert error.code == code
    assert what in error.message


def test_a_single_number_is_no_array() -> None:
    error = refused(np.array(3.0), kind="waveform")
    assert (error.code, error.message) == ("scalar", "it is a single number, 3.0, not an array")


def test_a_batch_gives_one_signal_each() -> None:
    array = RNG.uniform(-1, 1, (3, 2, 7)).astype("f4")
    waves = read(array, kind="waveform", axes=["batch", "channel", "time"])
    assert [wave.samples.tolist() for wave in waves] == array.tolist()
    assert all(np.shares_memory(wave.samples, array) for wave in waves)


def test_lengths_crop_the_padding() -> None:
    array = RNG.uniform(-1, 1, (3, 7)).astype("f4")
    array[1, 4:] = math.nan  # padding is never looked at
    waves = read(array, np.array([7, 4, 1], "i8"), kind="waveform", axes=["batch", "time"])
    assert [wave.length for wave in waves] == [7, 4, 1]
    assert waves[1].samples.tolist() == array[1:2, :4].tolist()
    assert read(array[0], np.array(5), kind="waveform")[0].length == 5
    frames = read(
        RNG.uniform(0, 1, (2, 5, 9)), np.array([[2], [5]]), kind="magnitude", axes=["batch", "frame", "bin"], **STFT
    )
    assert [spectrum.frames for spectrum in frames] == [2, 5]  # fmt: skip


@pytest.mark.parametrize("lengths", [np.array([[7, 4, 1]]), np.array([[7.0, 4.0, 1.0]]), np.array([7.0, 4.0, 1.0])])
@pytest.mark.parametrize("axes", [["batch", "time"], None])
def test_lengths_as_matlab_writes_them(lengths: Any, axes: Any) -> None:
    waves = read(np.ones((3, 7), np.float32), lengths, kind="waveform", axes=axes)
    assert [wave.length for wave in waves] == [7, 4, 1]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (np.array([1, 2, 3]), "lengths is int64 of shape (3,), not a whole number for each of 2 elements"),
        (np.array([1.5, 2.0]), "lengths is float64 of shape (2,), not a whole number for each of 2 elements"),
        (np.array([np.nan, 2.0]), "lengths is float64 of shape (2,), not a whole number for each of 2 elements"),
        (np.array([1e30, 2.0]), "lengths is float64 of shape (2,), not a whole number for each of 2 elements"),
        (np.array([[1, 2], [1, 2]]), "lengths is int64 of shape (2, 2), not a whole number for each of 2 elements"),
        (np.array([0, 2]), "lengths go from 0 to 2, but the padded axis has 7"),
        (np.array([1, 8]), "lengths go from 1 to 8, but the padded axis has 7"),
    ],
)
def test_lengths_that_do_not_fit(lengths: Any, message: str) -> None:
    error = refused(np.zeros((2, 7)), lengths, kind="waveform", axes=["batch", "time"])
    assert (error.code, error.message) == ("bad-lengths", message)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_is_refused_or_zero_or_kept(bad: float) -> None:
    array = np.array([0.5, bad, -0.5])
    error = refused(array)
    assert (error.code, error.message) == ("not-finite", "1 of 3 values of the waveform array are NaN or infinite")
    assert "nan: zero" in error.hint
    (zeroed,) = read(array, nan="zero")
    assert zeroed.samples.tolist() == [[0.5, 0, -0.5]]
    assert WARNINGS == ["NaN or infinite values taken as 0"]
    (kept,) = read(array, nan="keep")
    assert np.array_equal(kept.samples[0], array.astype("f4"), equal_nan=True)


@pytest.mark.parametrize("nan", ["zero", "keep"])
def test_nan_hides_no_wrong_scale_and_no_wrong_kind(nan: str) -> None:
    assert refused([math.nan, 20000.0], nan=nan).code == "beyond-full-scale"
    bad = np.full((9, 5), -3.0)
    bad[0, 0] = math.nan
    assert refused(bad, kind="magnitude", nan=nan, **STFT).code == "negative-magnitude"


@pytest.mark.parametrize("kind", ["magnitude", "power", "db"])
def test_kinds_of_magnitudes(kind: str) -> None:
    linear = RNG.uniform(0.1, 1, (9, 5))
    written = {"magnitude": linear, "power": linear**2, "db": 20 * np.log10(linear)}[kind]
    (found,) = read(written, kind=kind, length=17, **STFT)
    assert isinstance(found, MagnitudeSpectrogram)
    assert found.values.dtype == "f4"
    assert found.values[0] == pytest.approx(linear, rel=1e-5)
    assert found.samples_expected == 17
    (double,) = read(written, kind=kind, precision="double", **STFT)
    assert double.values[0] == pytest.approx(linear, rel=1e-12)


def test_complex_keeps_its_precision_only_if_asked() -> None:
    array = RNG.normal(size=(9, 5)) + 1j * RNG.normal(size=(9, 5))
    assert read(array, **STFT)[0].values.dtype == "c8"
    (double,) = read(array, precision="double", **STFT)
    assert np.array_equal(double.values[0], array)


@pytest.mark.parametrize(
    ("changes", "left"),
    [({}, True), ({"nan": "keep"}, False), ({"nan": "zero"}, False), ({"precision": "double"}, False),
     ({"full_scale": 2.0}, False), ({"kind": "magnitude"}, False)],
)  # fmt: skip
def test_a_step_may_search_complex_values_that_are_taken_as_they_are(changes: dict[str, Any], left: bool) -> None:
    values = (RNG.standard_normal((9, 20)) + 1j * RNG.standard_normal((9, 20))).astype(np.complex64)
    if "kind" in changes:
        values = abs(values)
    options = array_options(kind=changes.pop("kind", "complex"), **STFT, **changes)
    for may_leave in (True, False):
        context = Context()
        context.may_leave_search = may_leave
        (signal,) = read_array(values, options, context)
        assert context.is_unsearched == (left and may_leave)
        assert signal.arrays()[0].shape == (1, 9, 20)
    context.may_leave_search = True
    values[3, 4] = np.nan
    if not left and "nan" not in changes:
        with pytest.raises(ItemError, match="1 of 180 values"):
            list(read_array(values, options, context))


def test_a_doubt_about_unsearched_values_has_them_searched_first() -> None:
    context = Context()
    context.may_leave_search = True
    doubtful = RNG.random((9, 2000)).astype(np.complex64)  # no imaginary part
    options = array_options(kind="complex", **STFT)
    list(read_array(doubtful, options, context))
    assert not context.is_unsearched
    assert [doubt.code for doubt in context.doubts] == ["kind-doubtful"]
    doubtful[0, 0] = np.inf
    with pytest.raises(ItemError, match="1 of 18000 values"):
        list(read_array(doubtful, options, context))


def test_kinds_that_the_values_contradict() -> None:
    assert refused(np.zeros((9, 5)), kind="complex", **STFT).code == "kind-mismatch"
    for kind in ("waveform", "magnitude", "power", "db"):
        error = refused(
            np.full((9, 5), 1j, "c8"), kind=kind, **{"axes": ["channel", "time"]} if kind == "waveform" else STFT
        )
        assert error.message == f"the array is complex, but a {kind} is real"  # fmt: skip


def test_a_mapped_file_stays_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RNG.uniform(-1, 1, (3, 50)).astype("f4"))
    array = np.load(tmp_path / "a.npy", mmap_mode="r")
    waves = read(array, kind="waveform", axes=["batch", "time"])
    assert all(np.shares_memory(wave.samples, array) for wave in waves)


@pytest.mark.parametrize("value", [1e30, -1e30, 1e300])
@pytest.mark.parametrize("kind", ["waveform", "complex", "magnitude", "power"])
def test_values_beyond_all_sound(kind: str, value: float) -> None:
    array = np.full((9, 5), 0.5, "c16" if kind == "complex" else "f8")
    array[3, 3] = value * (1e5 if kind == "power" else 1)
    grid = {"axes": ["channel", "time"]} if kind == "waveform" else STFT
    assert refused(array, kind=kind, **grid).code in ("beyond-range", "beyond-full-scale")
    if kind == "waveform":
        error = refused(array, kind=kind, full_scale=32768.0, **grid)
        assert error.message.endswith("but no sound goes beyond 1e+16")
    if kind == "complex":
        pair = np.stack([array.real, array.imag])
        error = refused(pair, kind=kind, **STFT | {"axes": ["complex", "bin", "frame"]})
        assert error.code in ("beyond-range", "not-finite")


def test_a_mel_beyond_all_sound() -> None:
    from tonearm.plugins.registry import default

    hifigan = default().catalogue(MelDialect).find("hifigan")
    error = refused(np.full((80, 5), 1e300), kind="mel", sample_rate=None, dialect=hifigan)
    assert error.message == "the mel array reaches 1e+300, but no sound goes beyond 1e+32"
