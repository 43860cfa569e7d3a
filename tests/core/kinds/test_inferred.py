"""Arrays that tell their kind: complex ones, and those of one axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tonearm.errors import ItemError
from tonearm.kinds.inferred import InferredKind, InferredOptions
from tonearm.plugins.context import Context
from tonearm.signals import ComplexSpectrogram, Waveform

OPTIONS = InferredOptions(sample_rate=8000, n_fft=16, hop_length=4)


def test_complex_values_and_single_axes_tell_their_kind() -> None:
    kind = InferredKind(OPTIONS)
    assert isinstance(kind.of(np.zeros((9, 5), "c8")).read(np.zeros((1, 9, 5), "c8"), Context()), ComplexSpectrogram)
    assert isinstance(kind.of(np.zeros(5)).read(np.zeros((1, 5)), Context()), Waveform)
    assert isinstance(kind.read(np.zeros((1, 9, 5), "c8"), Context()), ComplexSpectrogram)


def test_a_real_array_of_two_axes_does_not() -> None:
    with pytest.raises(ItemError) as caught:
        InferredKind(OPTIONS).of(np.zeros((9, 5)))
    assert caught.value.code == "unknown-kind"
    assert caught.value.message == "cannot tell what a real array of shape (9, 5) holds"


def test_both_are_known_beforehand() -> None:
    known = InferredKind(InferredOptions(sample_rate=8000, length=90)).spec()
    assert (known.signals, known.sample_rate, known.length) == ((Waveform, ComplexSpectrogram), 8000, 90)
    assert known.carried == {}


@pytest.mark.parametrize(
    ("options", "axes", "messages"),
    [
        ({"sample_rate": 8000}, ["bin", "frame"], []),
        ({"sample_rate": 8000}, ["batch", "channel", "time"], []),
        ({}, None, ["'sample_rate' is missing"]),
        ({"sample_rate": 8000, "center": True, "padding": "none"}, None, ["center and padding are the same option"]),
        ({"sample_rate": 8000}, ["time", "time"], ["axes names time twice"]),
        ({"sample_rate": 8000}, ["mel", "frame"], ["neither a waveform nor a complex array has a mel axis"]),
        (
            {"sample_rate": 8000},
            ["bin", "frame", "complex"],
            ["an axis of real and imaginary parts needs a kind"],
        ),
    ],
)
def test_contradictions_of_both_are_problems(options: Any, axes: Any, messages: list[str]) -> None:
    assert [problem.message for problem in InferredKind(InferredOptions(**options)).problems(axes)] == messages
