"""What arrays seem to be: right on real ones, and never certain of what could be otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.inspect import guess, measure
from tonearm.registry import default

RNG = np.random.default_rng(9)
DIALECTS = default().dialects


def guessed(array: Any) -> Any:
    return guess(measure(np.asarray(array)), DIALECTS)


def certain(found: Any) -> dict[str, str]:
    return {one.what: one.value for one in found.findings if one.confidence == "certain"}


@pytest.mark.parametrize("shape", [(5000,), (1, 1, 1, 5000), (1, 5000), (5000, 1)])
def test_a_single_axis_is_sound(shape: tuple[int, ...]) -> None:
    found = guessed(RNG.uniform(-0.5, 0.5, shape).astype("f4"))
    assert (found.value("kind"), found.value("axes"), found.value("sample_rate")) == ("waveform", "[time]", "?")
    assert found.options["sample_rate"] == "?"
    assert "axes" not in found.options


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 50_000), "[?, time]"),
        ((50_000, 2), "[time, ?]"),
        ((32, 50_000), "[?, time]"),
        ((4, 2, 50_000), "[batch, channel, time]"),
    ],
)
def test_several_waveforms(shape: tuple[int, ...], axes: str) -> None:
    found = guessed(RNG.uniform(-0.5, 0.5, shape).astype("f4"))
    assert (found.value("kind"), found.value("axes")) == ("waveform", axes)


@pytest.mark.parametrize(
    ("array", "scale", "option"),
    [
        (np.array([0.5, -0.25]), "±1", None),
        (np.array([5, -7], "i2"), "±32768", None),
        (np.array([5, 7], "u1"), "?", "?"),
        (np.array([5000.0, -7000.0]), "?", 32768.0),
        (np.array([5000.5, -7000.0]), "?", "?"),
    ],
)
def test_the_scale_of_samples(array: Any, scale: str, option: Any) -> None:
    found = guessed(array)
    assert found.value("scale") == scale
    assert found.options.get("full_scale") == option


def stft(*shape: int) -> Any:
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


@pytest.mark.parametrize(
    ("array", "kind", "axes", "n_fft"),
    [
        (stft(513, 200), "complex", "[bin, frame]", 1024),
        (stft(200, 1025), "complex", "[frame, bin]", 2048),
        (stft(4, 513, 200), "complex", "[?, bin, frame]", 1024),
        (stft(3, 2, 513, 200), "complex", "[batch, channel, bin, frame]", 1024),
        (np.stack([stft(513, 200).real] * 2, -1), "complex", "[bin, frame, complex]", 1024),
        (np.stack([stft(513, 200).real] * 2), "complex", "[complex, bin, frame]", 1024),
        (np.abs(stft(513, 200)), "?", "[bin, frame]", 1024),
        (20 * np.log10(np.abs(stft(200, 513))), "db", "[frame, bin]", 1024),
    ],
)
def test_spectrograms_by_their_bins(array: Any, kind: str, axes: str, n_fft: int) -> None:
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.options["n_fft"]) == (kind, axes, n_fft)
    assert found.options["hop_length"] == "?"
    assert set(certain(found)) <= ({"kind", "values"} if np.iscomplexobj(array) else {"values"})


@pytest.mark.parametrize("seed", range(30))
def test_nothing_real_is_certain_but_what_was_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*rng.choice([1, 2, 4], rng.integers(0, 3)), *rng.choice([1, 2, 80, 100, 128, 257, 513, 3000], 2))
    array = rng.normal(size=shape).astype("f4") * 10 ** rng.uniform(-2, 4)
    assert set(certain(guessed(array))) == {"values"}


def test_what_gives_nothing_away() -> None:
    found = guessed(RNG.uniform(0, 1, (77, 55)))
    assert (found.value("kind"), found.options) == ("?", {"kind": "?", "sample_rate": "?"})


def test_nan_and_constants_are_said() -> None:
    found = guessed(np.array([0.5, np.nan, np.inf, -0.5]))
    assert "2 NaN or infinite" in [one.value for one in found.findings]
    assert "constant" in [one.value for one in guessed(np.zeros(50)).findings]
    assert guessed(np.full(3, np.nan)).value("kind") == "waveform"


@pytest.mark.parametrize("array", [np.array(["a"]), np.zeros((0, 3)), np.array([True])])
def test_what_holds_no_numbers(array: Any) -> None:
    with pytest.raises(ItemError):
        measure(array)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i2", "u1", "c8"])
def test_what_is_counted_equals_numpys(dtype: str) -> None:
    array = (RNG.normal(size=(30, 40)) * 50).astype(dtype)
    seen = measure(array)
    parts = np.stack([array.real, array.imag]) if dtype == "c8" else array
    assert (seen.low, seen.high) == (parts.min(), parts.max())
    assert seen.mean == pytest.approx(parts.mean(dtype="f8"), rel=1e-5, abs=1e-9)
    assert seen.negative == (parts < 0).sum()
    assert seen.at_low == (parts == parts.min()).sum()
    assert seen.whole == (np.dtype(dtype).kind in "iu")
    assert measure(np.array([[1.0, 0, 0], [2, 0, 0]])).zero_end == (0, 2)


def test_a_dialect_gives_itself_away_by_its_floor() -> None:
    values = RNG.uniform(-5, 0, (80, 200)).astype("f4")
    values[:, -3:] = -5.0
    found = guessed(values)
    assert found.dialects[0] == "melgan"
    assert next(one.confidence for one in found.findings if one.what == "dialect") == "likely"
