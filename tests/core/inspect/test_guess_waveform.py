"""Guesses for waveforms: what one long axis shows, and what else it may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from real_arrays import WAVE, confidence, guessed

RNG = np.random.default_rng(9)


@pytest.mark.parametrize("shape", [(5000,), (1, 1, 1, 5000), (1, 5000), (5000, 1)])
@pytest.mark.parametrize("dtype", ["f4", ">f4", "f2", "f8", "i2"])
def test_a_single_axis_is_sound(shape: tuple[int, ...], dtype: str) -> None:
    array = (WAVE[:5000].reshape(shape) * (32767 if dtype == "i2" else 1)).astype(dtype)
    found = guessed(array)
    assert (found.value("kind"), found.value("axes"), found.value("sample_rate")) == ("waveform", "[time]", "?")
    assert confidence(found) == confidence(found, "axes") == "likely"
    assert found.options["sample_rate"] == "?"
    assert "axes" not in found.options


@pytest.mark.parametrize(
    "array",
    [
        np.abs(RNG.normal(size=800)) * 200,  # a pitch
        RNG.integers(0, 51_866, 700),  # tokens of no known layout
        RNG.integers(0, 255, 700).astype("u1"),
        RNG.normal(size=192),  # embeddings
        RNG.normal(size=768),
        WAVE[:100],
        np.array([0.5]),
    ],
)
def test_a_single_axis_may_be_something_else(array: Any) -> None:
    found = guessed(array)
    assert (found.value("kind"), confidence(found), confidence(found, "axes")) == ("waveform", "possible", "possible")


@pytest.mark.parametrize(
    ("array", "axes", "sure"),
    [
        (np.stack([WAVE, WAVE / 2]), "[?, time]", "likely"),
        (np.stack([WAVE, -WAVE], 1), "[time, ?]", "likely"),
        (np.tile(WAVE, 8).reshape(4, 2, -1), "[batch, channel, time]", "likely"),
        (np.stack([WAVE, WAVE])[:, :, None], "[?, time]", "likely"),
        (WAVE[:60000].reshape(20, 3000), "[?, time]", "possible"),
        (np.tile(WAVE, 10)[: 80 * 7000].reshape(80, 7000), "[?, time]", "possible"),  # 80 is no sign of mels here
        (np.tile(WAVE, 40)[: 257 * 9000].reshape(257, 9000), "[?, time]", "possible"),
        (RNG.uniform(-0.5, 0.5, (32, 50_000)), "[?, time]", "possible"),
        (np.zeros((2, 50_000)), "[?, time]", "likely"),
    ],
)
def test_several_waveforms(array: Any, axes: str, sure: str) -> None:
    found = guessed(array.astype("f4"))
    assert (found.value("kind"), found.value("axes"), confidence(found)) == ("waveform", axes, sure)
    assert confidence(found, "axes") == "possible"


@pytest.mark.parametrize(
    ("array", "scale", "option"),
    [
        (np.array([0.5, -0.25]), "±1", None),
        (np.array([5, -7], "i2"), "±32768", None),
        (np.array([5, 7], "u1"), "?", "?"),
        (np.array([2**24, -7], "i4"), "±2147483648", None),
        (np.array([2**24 - 1, -7], "i4"), "?", "?"),
        (np.array([14443, -7], "i4"), "?", "?"),
        (np.array([0, 0], "i4"), "±2147483648", None),
        (np.array([5, -7], "i8"), "?", "?"),
        (np.array([5000.0, -7000.0]), "±32768", 32768.0),
        (np.array([5000.0, -70000.0]), "?", "?"),
        (np.array([5.0, -7.0]), "?", "?"),
        (np.array([5000.5, -7000.0]), "?", "?"),
    ],
)
def test_the_scale_of_samples(array: Any, scale: str, option: Any) -> None:
    found = guessed(array)
    assert found.value("scale") == scale
    assert found.options.get("full_scale") == option
