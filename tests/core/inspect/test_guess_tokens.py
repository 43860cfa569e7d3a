"""Guesses for codec tokens: never a waveform without saying that it may be tokens, and no tokens in sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from real_arrays import WAVE, confidence, guessed

RNG = np.random.default_rng(3)


def codes(size: int, *shape: int, dtype: str = "i8") -> Any:
    made = RNG.integers(0, size, shape)
    made.flat[-1] = size - 1
    return made.astype(dtype)


@pytest.mark.parametrize("dtype", ["u2", "u4", "i4", "i8"])
def test_one_layout_fits(dtype: str) -> None:
    found = guessed(codes(2048, 40, 32, dtype=dtype))
    assert (found.value("kind"), confidence(found)) == ("tokens", "likely")
    assert found.options["kind"] == "tokens"
    assert {"csm-mimi", "csm-hf"} <= set(found.choices["layout"])
    assert found.options["layout"] == "?"


def test_the_only_one_is_named_and_its_rate_comes_with_it() -> None:
    ids = np.concatenate([128266 + np.arange(83) % 7 * 4096 + codes(4096, 83), [156937]])
    found = guessed(ids)
    assert found.options == {"kind": "tokens", "layout": "orpheus-snac24"}
    assert (found.value("layout"), found.value("sample_rate")) == ("orpheus-snac24", "24000")
    kinds = [(one.value, one.confidence) for one in found.findings if one.what == "kind"]
    assert kinds == [("tokens", "likely"), ("waveform", "possible")]


def test_whole_floats_are_doubtful() -> None:
    assert confidence(guessed(codes(2048, 40, 32, dtype="f4"))) == "possible"


@pytest.mark.parametrize("array", [codes(51_866, 700), codes(300, 900, dtype="u2"), codes(50, 12, 60)])
def test_ids_of_no_known_layout_may_be_tokens_all_the_same(array: Any) -> None:
    findings = [one for one in guessed(array).findings if one.what == "kind"]
    assert [one.value for one in findings if "tokens" in f"{one.value} {one.reason}"] == ["tokens"]  # once


@pytest.mark.parametrize(
    "array",
    [
        (WAVE[:5000] * 32767).astype("i2"),
        (WAVE[:5000] * 1023).astype("i4"),
        np.stack([WAVE, -WAVE]),
        (WAVE[:5000] * 127 + 128).astype("u1"),
        codes(256, 480, 640, dtype="u1"),
        np.abs(WAVE[:5000]),
        np.zeros(5000, "i2"),
    ],
)
def test_sound_and_images_are_no_tokens(array: Any) -> None:
    assert all(one.value != "tokens" for one in guessed(array).findings)
