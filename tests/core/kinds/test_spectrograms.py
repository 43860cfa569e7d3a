"""The kinds of array, their signals and axes."""

from __future__ import annotations

from typing import get_args

import pytest

from tonearm.arrays.kinds import KINDS, AxisName, KindName, axes_hint, possible_axes
from tonearm.signals import MagnitudeSpectrogram, Waveform


def test_every_name_has_a_kind() -> None:
    assert tuple(KINDS) == get_args(KindName)
    assert {axis for kind in KINDS for axis in possible_axes(kind)} == set(get_args(AxisName))


def test_powers_and_decibels_become_magnitudes() -> None:
    assert {KINDS[name].signal for name in ("magnitude", "power", "db")} == {MagnitudeSpectrogram}
    assert KINDS["waveform"].signal is Waveform


@pytest.mark.parametrize(
    ("kind", "axes"),
    [
        ("waveform", ("batch", "channel", "time")),
        ("complex", ("batch", "channel", "bin", "frame", "complex")),
        ("db", ("batch", "channel", "bin", "frame")),
        ("mel", ("batch", "channel", "mel", "frame")),
    ],
)
def test_axes_that_a_kind_can_have(kind: KindName, axes: tuple[AxisName, ...]) -> None:
    assert possible_axes(kind) == axes


def test_the_hint_names_the_axes() -> None:
    assert axes_hint("mel") == "a mel array has mel, frame, and may have batch and channel"
