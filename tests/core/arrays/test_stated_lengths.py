"""True lengths beside a padded batch: which arrays may be lengths, and when their padding agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.api import ItemError, LazyArrays
from tonearm.arrays.stated_lengths import (
    fitting_lengths,
    has_name_of_lengths,
    is_lengths,
    lengths_among,
    unused_lengths,
)

RNG = np.random.default_rng(16)


def padded(ends: list[int], total: int, value: float = 0.0) -> Any:
    """Return a batch of noise, (batch, 5, total), with one value behind each end."""
    batch = RNG.standard_normal((len(ends), 5, total)).astype("f4")
    for element, end in zip(batch, ends, strict=True):
        element[:, end:] = value
    return batch


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("lengths", np.array([3, 4]), True),
        ("a/mel.len", np.array([3, 4]), True),
        ("n_frames", np.array([[3], [4]]), True),
        ("wavelength", np.array([3, 4]), False),
        ("talents", np.array([3, 4]), False),
        ("lengths", np.array([3]), False),
        ("lengths", np.array(3), False),
        ("lengths", np.array([3.0, 4.0]), True),
        ("lengths", np.array([3.5, 4.0]), False),
        ("lengths", np.array([np.nan, 4.0]), False),
        ("lengths", np.array([np.inf, 4.0]), False),
        ("lengths", np.array([0, 4]), False),
        ("lengths", np.array([[3, 4], [5, 6]]), False),
    ],
)
def test_which_arrays_may_be_lengths(name: str, array: Any, expected: bool) -> None:
    assert is_lengths(name, array) is expected


@pytest.mark.parametrize("name", ["hop_length", "win_length", "window_size", "fft_size", "frame_length", "max_len"])
def test_settings_are_no_lengths(name: str) -> None:
    assert not has_name_of_lengths(name)


def test_lengths_that_cannot_be_read_are_none() -> None:
    def load(key: str) -> Any:
        if key == "lens":
            raise ItemError("broken")
        return np.array([3, 4])

    keys = ["wav", "lens", "n_frames"]
    assert list(lengths_among(LazyArrays(keys, load), keys)) == ["n_frames"]


@pytest.mark.parametrize(
    ("array", "lengths", "fits"),
    [
        (padded([3, 7], 7), [3, 7], True),
        (padded([3, 7], 9), [3, 7], True),
        (padded([3, 7], 9, -11.5), [3, 7], True),
        (padded([3, 7], 9).transpose(0, 2, 1), [3, 7], True),
        (padded([3, 7], 9).transpose(1, 0, 2), [3, 7], True),
        (padded([3, 7], 9), [3, 6], False),  # there is sound behind the second
        (padded([9, 9], 9), [3, 7], False),
        (padded([3, 7], 9), [3, 7, 9], False),
        (padded([3, 7], 9), [3, 12], False),
        (padded([3], 9), [3], True),
        (padded([3], 9), 3, True),
        (padded([3], 9)[0, 0], 3, True),
        (padded([9], 9)[0, 0], 3, False),
        (padded([9], 9)[0, 0], 9, False),  # nothing to cut
        (np.float32(1), 1, False),
    ],
)
def test_lengths_fit_if_the_padding_agrees(array: Any, lengths: Any, fits: bool) -> None:
    assert fitting_lengths(array, {"n": np.array(lengths)}) == ("n" if fits else None)


@pytest.mark.parametrize(
    ("key", "name", "lengths", "unused"),
    [
        ("wav", "lengths", [3, 6], True),
        ("wav", "wav_len", [3, 6], True),
        ("/wav", "/length", 6, True),
        ("wav", "mel_lengths", [3, 6], False),
        ("wav", "n_frames", [3, 6], False),
        ("wav", "lengths", [3, 6, 7], False),
        ("wav", "lengths", [3, 9], False),
        ("wav", "lengths", [0.5, 1.0], False),
    ],
)
def test_lengths_that_do_not_fit_are_told_from_others(key: str, name: str, lengths: Any, unused: bool) -> None:
    array = padded([9, 9], 9)
    assert unused_lengths(key, array, {name: np.array(lengths)}) == (name if unused else None)
    assert unused_lengths(key, np.zeros(1000), {name: np.array(lengths)}) is None


def test_the_first_that_fits_is_used() -> None:
    named = {"a": np.array([3, 6]), "b": np.array([3, 7]), "c": np.array([4, 7])}
    assert fitting_lengths(padded([3, 7], 9), named) == "b"
