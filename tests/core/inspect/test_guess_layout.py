"""Layouts of bins: both parts in one axis, both sides, missing bins."""

from __future__ import annotations

import numpy as np
import pytest
from real_arrays import STFT, notes_of

from tonearm.inspect.guess_layout import find_layout, polar_kind

PAIR = np.concatenate([STFT.real, STFT.imag])


def test_parts_in_one_axis_give_its_name_and_the_n_fft() -> None:
    found = find_layout(notes_of(PAIR), None)
    assert found is not None
    assert (found.axis, found.name, found.n_fft, found.part) == (0, "(complex bin)", 1024, "complex")


def test_an_axis_of_magnitudes_and_phases_is_named() -> None:
    found = find_layout(notes_of(np.stack([np.abs(STFT), np.angle(STFT)])), 1)
    assert found is not None
    assert (found.axis, found.n_fft, found.part, found.extra) == (1, 1024, "polar", {0: "polar"})


def test_phases_before_magnitudes_have_to_be_reversed() -> None:
    found = find_layout(notes_of(np.stack([np.angle(STFT), np.abs(STFT)], 1)[None]), 0)
    assert found is not None
    assert (found.part, found.extra) == ("polar", {1: "polar"})
    assert found.reason.endswith("phases, which come first: read np.flip(array, 2)")


@pytest.mark.parametrize("array", [STFT, np.abs(STFT), STFT[:200], np.stack([STFT.real, STFT.imag])])
def test_plain_spectrograms_have_no_other_layout(array: np.ndarray) -> None:
    axis = next((axis for axis, n in enumerate(array.shape) if n == 513), None)
    assert find_layout(notes_of(array), axis) is None or array.shape[0] == 200


@pytest.mark.parametrize(
    ("low", "high", "kind", "options"),
    [
        (-3.14, 90.0, "magnitude", {}),
        (-100.0, 40.0, "db", {}),
        (-9.0, 4.0, "magnitude", {"recipe": {"log": "ln"}}),
        (-15.0, 4.0, "magnitude", {"recipe": {"log": "ln", "floor": 1e-7}}),
    ],
)
def test_the_kind_of_magnitudes_beside_phases(low: float, high: float, kind: str, options: dict) -> None:
    assert polar_kind(notes_of(np.linspace(low, high, 100).reshape(2, 50)))[:2] == (kind, options)
