"""Claims: mel spectrograms claim what fits a dialect, and yield to linear spectrograms unless values show them."""

from __future__ import annotations

import numpy as np
from real_arrays import guessed, long_mel, notes_of

from tonearm.recipes.mel.inspection import claim

RNG = np.random.default_rng(9)


def test_an_array_without_bands_is_not_claimed() -> None:
    assert claim(notes_of(RNG.normal(size=(7, 1000)))) is None


def test_a_claim_is_strong_only_if_values_show_the_kind() -> None:
    values = np.maximum(long_mel() / 2.302585, -5).astype("f4")
    values[:, -3:] = -5.0
    strong, weak = (
        claim(notes_of(values)),
        claim(notes_of(np.where(values > -4.9, values, -4.9 + 0.1 * RNG.random(values.shape)))),
    )
    assert strong is not None
    assert weak is not None
    assert (strong.strong, weak.strong) == (True, False)
    assert weak.rival.startswith("a mel of 80")


def test_a_weak_claim_yields_to_a_linear_spectrogram_and_a_strong_one_does_not() -> None:
    """513 frames of decibels in 128 bands may be 128 frames of 513 bins."""
    decibels = RNG.uniform(-70, -1, (128, 513))
    found = guessed(decibels)
    assert found.options["kind"] == "db"
    assert "bands would have this shape too" in next(one.reason for one in found.findings if one.what == "kind")
    decibels.flat[:5] = -80.0
    decibels.flat[5] = 0.0
    assert guessed(decibels).options["kind"] == "mel"
